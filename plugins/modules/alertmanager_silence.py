#!/usr/bin/python
# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: alertmanager_silence
short_description: Silence the alert of an incident on its hosts in Alertmanager, while somebody works on it
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - Silences one alert on the hosts of an incident, and nothing else, through Alertmanager's API v2. The silence ends by
    itself after O(ends_seconds).
  - The source is "Ескалація" of the runbook, where L1 acknowledges the alert.
  - A comment that ends with O(key), together with O(created_by), identifies the silence of an incident. A second call
    finds that silence and renews it. The module never touches the silences of others, nor one of its own that a person
    took over by editing it.
  - A silence is renewed if its matchers or its comment differ, or if its remaining time differs from O(ends_seconds) by
    more than a tenth.
  - The end is counted by Alertmanager's clock, so that a controller whose clock is wrong does not silence the alert for
    a day.
  - "The module runs on the controller: set C(delegate_to: localhost), C(become: false), and
    C(ansible_python_interpreter) to C(ansible_playbook_python) if the play sets another one."
  - Redirects are not followed. Proxies and certificate authorities are those that the Python library requests finds in
    the environment, for example C(REQUESTS_CA_BUNDLE).
extends_documentation_fragment:
  - aurora.runbook.attributes
  - aurora.runbook.attributes.changes
requirements:
  - requests on the controller
options:
  state:
    description: V(present) creates or renews the silence, V(absent) ends the silences of O(key).
    type: str
    choices: [present, absent]
    default: present
  url:
    description: Base URL of Alertmanager, with its path prefix if it has one. It must be C(http) or C(https), without a
      user, a password or a query.
    type: str
    required: true
  username:
    description: User for basic authentication. Requires O(password), and excludes O(token).
    type: str
  password:
    description: Password for basic authentication. Requires O(username).
    type: str
  token:
    description: Bearer token, instead of O(username) and O(password).
    type: str
  key:
    description: Id of the incident, 1 to 200 letters, digits, dots, colons, dashes and underscores. Other values are
      refused.
    type: str
    required: true
  alert:
    description: Name of the alert. Required with O(state=present).
    type: str
  hosts:
    description:
      - The hosts of the incident as O(label) names them, 1 to 1000 names or addresses. Required with O(state=present).
      - The silence matches a label that means one of these hosts, with any port or none, in upper or lower case, with
        or without a final dot, also as a URL, and an IPv6 address in any notation.
    type: list
    elements: str
  label:
    description: Name of the label that names the host in an alert.
    type: str
    default: instance
  ends_seconds:
    description: How long the alert is silent from now on, in seconds, 60 to 86400.
    type: float
    default: 3600.0
  comment:
    description: What people read beside the silence. Text beyond 500 characters is cut.
    type: str
    default: worked on by the runbook
  created_by:
    description: Who creates the silence. Text beyond 100 characters is cut. Use the same name in every call for an
      incident, because the silence is found by it.
    type: str
    default: aurora.runbook
  timeout_seconds:
    description: How long Alertmanager may take for each answer, in seconds, 1 to 60.
    type: float
    default: 10.0
attributes:
  platform:
    details:
      - Runs on the controller.
"""

EXAMPLES = r"""
- name: Keep the alert of an incident quiet while it is worked on
  aurora.runbook.alertmanager_silence:
    url: https://alertmanager.aurora.example.com
    token: "{{ vault_alertmanager_token }}"
    key: circuit_breaker-20261124T180000Z-0123abcd
    alert: CircuitBreakerOpen
    hosts: [aurora-a.example.com, aurora-b.example.com]
    ends_seconds: 3600
  delegate_to: localhost
  become: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"

- name: End it with the incident
  aurora.runbook.alertmanager_silence:
    url: https://alertmanager.aurora.example.com
    token: "{{ vault_alertmanager_token }}"
    key: circuit_breaker-20261124T180000Z-0123abcd
    state: absent
  delegate_to: localhost
  become: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
"""

RETURN = r"""
silence:
  description: Id of the silence. Empty with O(state=absent), and in check mode if there is no silence yet.
  returned: always
  type: str
  sample: 4a1f6a5e-3a3c-4d0b-9a8e-0f8b0f6a2c11
matched:
  description:
    - How many of the alerts that Alertmanager has now the silence matches. With 0 it matches none, so an alert that
      sounds goes on sounding; check O(hosts) and O(label). Null if Alertmanager did not say.
  returned: with O(state=present), but not in check mode
  type: int
instances:
  description: The value of O(label) in each of these alerts.
  returned: with O(state=present), but not in check mode
  type: list
  elements: str
until:
  description: When the silence ends, as a UTC time by Alertmanager's clock. Empty with O(state=absent).
  returned: always
  type: str
  sample: "2026-11-24T19:00:00Z"
ended:
  description: Ids of the silences of this incident that were ended, or would be ended in check mode.
  returned: always
  type: list
  elements: str
done:
  description: What was done, as sentences. Each has C(message) (its key in the catalogue of messages), C(values) and
    C(text).
  returned: always
  type: list
  elements: dict
"""

import json
import traceback
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.aurora.runbook.plugins.module_utils.act import _silence
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages, _options
from ansible_collections.aurora.runbook.plugins.module_utils.base import _names, _parallel, _redact
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import FetchError, RunbookError

try:
    import requests
except ImportError:
    requests, MISSING = None, traceback.format_exc()
else:
    MISSING = None

MAX_ANSWER = 8 << 20
GONE = 404


@dataclass(frozen=True)
class Answer:
    """What Alertmanager said, and when by its own clock."""

    status: int
    data: object
    now: datetime


@dataclass(frozen=True)
class Alertmanager:
    """Its API v2, with limits of time and size, following no redirect."""

    url: str
    auth: object
    seconds: float

    def ask(self, method, path, body=None, accept=()):
        """Send one request. Raises FetchError."""
        finding = _parallel.run_all({path: (lambda: {"answer": self._ask(method, path, body)}, self.seconds)})[path]
        if finding.status != "ok":
            raise FetchError(
                f"Alertmanager at {self.url}: {finding.problem}; check that it is up and can be reached from here"
            )
        status, text, date = finding.data["answer"]
        if not 200 <= status < 300 and status not in accept:
            raise FetchError(f"Alertmanager at {self.url} answered {status} to {method} {path}: {hint(status, text)}")
        try:
            data = json.loads(text) if text.strip() and status not in accept else None
            now = parsedate_to_datetime(date) if date else datetime.now(timezone.utc)
        except (TypeError, ValueError):
            raise FetchError(
                f"{self.url}{path} did not answer with JSON; check that url is the base URL of Alertmanager"
            ) from None
        return Answer(status, data, now if now.tzinfo else now.replace(tzinfo=timezone.utc))

    def _ask(self, method, path, body):
        wanted = {"json": body, "auth": self.auth, "timeout": self.seconds, "allow_redirects": False, "stream": True}
        with requests.request(method, self.url + path, **wanted) as answer:
            pieces, size = [], 0
            for piece in answer.iter_content(65536):
                pieces.append(piece)
                size += len(piece)
                if size > MAX_ANSWER:
                    raise FetchError(f"it sent more than {MAX_ANSWER} bytes")
            return answer.status_code, b"".join(pieces).decode("utf-8", "replace"), answer.headers.get("Date")


def hint(status, text):
    if 300 <= status < 400:
        return "redirects are not followed; give the address it leads to as url"
    if status in (401, 403):
        return "check token, or username and password"
    return _redact.redact(text.strip(), limit=200) or "no reason given"


def connect(params):
    """The connection that the options describe. Raises RunbookError for an invalid base URL."""
    try:
        target = urlsplit(params["url"])
        whole = target.scheme in ("http", "https") and target.hostname and not (target.query or target.fragment)
    except ValueError:
        whole = False
    if not whole or target.username or target.password:
        raise RunbookError("url is refused; expected http:// or https:// with a host, and user and token as options")
    auth, token = None, params["token"]
    if params["username"]:
        auth = (params["username"].encode(), params["password"].encode())
    elif token:
        if not (token.isascii() and token.isprintable()):
            raise RunbookError("token is refused; expected printable ASCII characters, without a line's end")

        def auth(request):  # a header passed to requests would lose to an entry in ~/.netrc
            request.headers["Authorization"] = f"Bearer {token}"
            return request

    return Alertmanager(params["url"].rstrip("/"), auth, params["timeout_seconds"])


def creator(params):
    who = _redact.redact(params["created_by"], limit=100).strip()
    if not who:
        raise RunbookError("created_by is refused; expected a name")
    return who


def label_of(params):
    return params.get("label") or _names.INSTANCE


def wanted(params):
    """The silence asked for; None with state=absent. Raises RunbookError."""
    if params["state"] == "absent":
        return None
    comment = f"{_redact.redact(params['comment'])} {_silence.marker(params['key'])}"
    matchers = _silence.matchers(params["alert"], params["hosts"], label_of(params))
    return _silence.Wanted(matchers, comment, creator(params), params["ends_seconds"])


def apply(alertmanager, planned, now):
    """Apply the plan and return the id of the silence. Superfluous silences end only after the right one stands."""
    silence = planned.stands.id if planned.stands else ""
    if planned.wanted and not planned.stands:
        answer = alertmanager.ask("POST", "/api/v2/silences", _silence.request(planned, now))
        silence = str(answer.data["silenceID"]) if isinstance(answer.data, dict) and "silenceID" in answer.data else ""
        if not silence:
            raise FetchError(
                f"Alertmanager at {alertmanager.url} accepted the silence without giving its id; look at its page"
            )
    for one in planned.expired:
        alertmanager.ask("DELETE", f"/api/v2/silence/{one.id}", accept=(GONE,))
    return silence


def matched(alertmanager, silence, label):
    """The alerts that the silence matches. None if Alertmanager does not say; the silence stands all the same."""
    try:
        path = f"/api/v2/alerts?{_silence.filters(silence.matchers)}"
        return _silence.instances(alertmanager.ask("GET", path).data, label)
    except RunbookError:
        return None


def sentence(params, planned, until, check_mode, instances=None):
    if params["state"] == "present":
        said = {"alert": params["alert"], "hosts": ", ".join(params["hosts"]), "until": until}
        if check_mode:
            return _messages.sentence("silence_stands" if planned.stands else "would_silence", **said)
        if instances is None:
            return _messages.sentence("silence_unknown", **said)
        if not instances:
            return _messages.sentence("silence_matches_none", label=label_of(params), **said)
        return _messages.sentence("silence_stands" if planned.stands else "silenced", **said)
    if not planned.expired:
        return _messages.sentence("nothing_silenced", incident=params["key"])
    key = "would_unsilence" if check_mode else "unsilenced"
    return _messages.sentence(key, incident=params["key"], count=len(planned.expired))


def run(params, check_mode):
    """Observe, plan, apply; returns what the module returns."""
    _options.check_ranges(params, {"ends_seconds": (60, 86400), "timeout_seconds": (1, 60)})
    alertmanager, silence, who = connect(params), wanted(params), creator(params)
    mark = _silence.marker(params["key"])
    answer = alertmanager.ask("GET", "/api/v2/silences")
    current = _silence.ours(answer.data, mark, who)
    planned = _silence.plan(current, silence, answer.now)
    moment = _silence.until(planned, answer.now)
    until = _silence.stamp(moment) if moment else ""
    kept = planned.stands or planned.renewed
    name = kept.id if kept else ""
    counted, instances = {}, None
    if not check_mode:
        name = apply(alertmanager, planned, answer.now)
        if silence:
            instances = matched(alertmanager, silence, label_of(params))
            counted = {"matched": None if instances is None else len(instances), "instances": instances or []}
    said = [sentence(params, planned, until, check_mode, instances)]
    if instances:
        said.append(_messages.sentence("silence_matches", count=len(instances)))
    return {
        "changed": planned.changed,
        "silence": name,
        "until": until,
        "ended": [one.id for one in planned.expired],
        **counted,
        "done": said,
        "diff": _silence.diff(planned, answer.now),
    }


def main():
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "url": {"type": "str", "required": True},
            "username": {"type": "str"},
            "password": {"type": "str", "no_log": True},
            "token": {"type": "str", "no_log": True},
            "key": {"type": "str", "required": True, "no_log": False},
            "alert": {"type": "str"},
            "hosts": {"type": "list", "elements": "str"},
            "label": {"type": "str", "default": "instance"},
            "ends_seconds": {"type": "float", "default": 3600.0},
            "comment": {"type": "str", "default": "worked on by the runbook"},
            "created_by": {"type": "str", "default": "aurora.runbook"},
            "timeout_seconds": {"type": "float", "default": 10.0},
        },
        required_if=[("state", "present", ("alert", "hosts"))],
        required_together=[("username", "password")],
        mutually_exclusive=[("token", "username")],
        supports_check_mode=True,
    )
    if MISSING:
        module.fail_json(msg=missing_required_lib("requests"), exception=MISSING)
    try:
        result = run(module.params, module.check_mode)
    except RunbookError as error:
        secrets = [module.params["token"], module.params["password"]]
        module.fail_json(msg=_redact.redact(str(error), filter(None, secrets), 1000))
    module.exit_json(**_redact.redact_data(result))


if __name__ == "__main__":
    main()
