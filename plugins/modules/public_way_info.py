#!/usr/bin/python
# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: public_way_info
short_description: Test the path from a client to Aurora, and name the link that is broken
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - Resolves the public name, connects, negotiates TLS and sends a request, in this order, until one of them fails.
  - The source is "Тріаж кроки" 1 and 3 of the runbook's section 1, C(curl /healthz) and C(nslookup), seen from outside.
  - The task is meant to be delegated to a host that is not one of Aurora's, or to the controller. It needs no rights
    there.
  - A broken link is a finding. The task fails only if an option is refused.
extends_documentation_fragment:
  - aurora.runbook.attributes
  - aurora.runbook.attributes.reads
options:
  url:
    description: The URL that clients use, C(http) or C(https) with the name and possibly a port.
    type: str
    default: https://aurora.example.com
  address:
    description:
      - Connect to this address or name, but use the name in O(url) for the certificate and the request, so that each
        host is tested at its own address.
      - The name is then judged separately. If it leads somewhere else, the path by name is tested as well.
    type: str
  path:
    description: Path that must answer with a status of 2xx.
    type: str
    default: /healthz
  timeout_seconds:
    description: Limit of each step, in seconds, 0.5 to 60.
    type: float
    default: 5.0
attributes:
  platform:
    details:
      - Runs on any host with Python, because it looks only at the network.
seealso:
  - module: aurora.runbook.triage_info
"""

EXAMPLES = r"""
- name: Go the public way to each host from outside
  aurora.runbook.public_way_info:
    address: "{{ ansible_host }}"
  delegate_to: monitor1
  become: false
  register: outside

- name: Look at the host with that
  aurora.runbook.triage_info:
    outside: "{{ outside }}"
"""

RETURN = r"""
ok:
  description: Whether a client is served.
  returned: always
  type: bool
verdict:
  description: V(recovered) if a client is served, otherwise V(not_recovered). It rests on one look, without waiting.
  returned: always
  type: str
done:
  description: What was seen, as sentences. Each has C(message) (its key in the catalogue of messages), C(values) and
    C(text).
  returned: always
  type: list
  elements: dict
link:
  description:
    - The first broken link. Empty if there is none. It is V(dns), V(tcp_refused), V(tcp_timeout), V(tcp_unreachable),
      V(certificate_expired), V(tls), V(http_status), V(http_timeout) or V(http).
    - V(dns) means that the name does not resolve, or that it leads somewhere else where nobody serves it, although
      O(address) would.
  returned: always
  type: str
  sample: tcp_timeout
broken:
  description: Every broken link. There may be several, for example if the host is down and its name does not resolve
    either.
  returned: always
  type: list
  elements: str
probes:
  description:
    - V(dns), V(tcp), V(tls) and V(http), as far as the test came, and V(by_name) if the name leads somewhere else. Each
      has C(status) (V(ok), V(failed) or V(timeout)), C(problem), C(seconds) and C(data).
    - C(data) may hold C(addresses); C(wrong), whether the name does not lead to O(address); C(address) and C(port);
      C(dead), addresses of the name that refused a connection while another one took it; C(days_left) of the
      certificate; C(status) of the answer; C(broken), the link; and C(certificate), which is V(expired),
      V(not_yet_valid), V(wrong_name) or V(untrusted).
  returned: always
  type: dict
"""

from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages, _options
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _public_way


def look(params):
    """Test the path, then judge; returns what the module returns."""
    _options.check_ranges(params, {"timeout_seconds": (0.5, 60)})
    way = _public_way.target(params["url"], params["path"])
    found = _public_way.look(way, params["address"] or "", params["timeout_seconds"])
    broken = _public_way.judge(found)
    return {
        "ok": not broken,
        "verdict": "not_recovered" if broken else "recovered",
        "link": broken[0] if broken else "",
        "done": [
            _messages.sentence("outside_says", link=link, problem=_public_way.finding(found, link).problem)
            for link in broken
        ]
        or [_messages.sentence("way_whole", url=way.url)],
        "broken": list(broken),
        "probes": {name: asdict(finding) for name, finding in found.items()},
    }


ARGUMENTS = {
    "argument_spec": {
        "url": {"type": "str", "default": "https://aurora.example.com"},
        "address": {"type": "str"},
        "path": {"type": "str", "default": "/healthz"},
        "timeout_seconds": {"type": "float", "default": 5.0},
    },
    "supports_check_mode": True,
}


def main():
    module = AnsibleModule(**ARGUMENTS)
    try:
        result = look(module.params)
    except RunbookError as error:
        module.fail_json(msg=_redact.redact_text(str(error)))
    module.exit_json(changed=False, **_redact.redact_data(result))


if __name__ == "__main__":
    main()
