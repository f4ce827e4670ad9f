#!/usr/bin/python
# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: notification
short_description: Tell the contacts of an escalation level, through any service of Apprise
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - Sends a message to every channel, all at once, and returns which channels took it. Only if none did, it sends the
    message to O(fallback).
  - The source is "Ескалація" and "Контакти" of the runbook.
  - A channel that is down is a finding in RV(unsent). It does not make the task fail, not even if nobody was told, so
    check RV(delivered).
  - "The module runs on the controller: set C(delegate_to: localhost), C(become: false), and
    C(ansible_python_interpreter) to C(ansible_playbook_python) if the play sets another one."
  - The message is plain text. Control characters are removed, whatever follows the name of a secret is replaced, and
    text that is too long is cut.
  - A service that takes less than 1000 characters gets the beginning of the message. Another service with a limit gets
    all of it in pieces, unless the URL has Apprise's C(overflow).
  - A channel counts as told only if its service took the message, even if its URL has Apprise's C(optional).
extends_documentation_fragment:
  - aurora.runbook.attributes
  - aurora.runbook.attributes.changes
requirements:
  - apprise 1.7.3 or later on the controller; with an older one it sends all the same, and says so in RV(done)
options:
  title:
    description: First line of the message, 1 to 250 characters.
    type: str
    required: true
  body:
    description: The message, up to 10000 characters.
    type: str
    required: true
  channels:
    description:
      - Whom to tell. Each channel is a dict with C(name), which is shown, and C(url), which is a secret and never
        shown.
      - C(url) is one that Apprise understands, such as
        V(mailtos://user:password@smtp.example.com?to=sre@aurora.example.com),
        V(slack://token-a/token-b/token-c/#aurora-incidents) or V(pagerduty://integration-key@api-key).
    type: list
    elements: raw
    default: []
  fallback:
    description: Whom to tell if none of O(channels) took the message, in the same form.
    type: list
    elements: raw
    default: []
  key:
    description:
      - The key by which a service recognises a repeated message, at most 200 letters, digits, dots, colons, dashes and
        underscores.
      - It becomes the last line of the message. If Apprise has a deduplication key for the service, as for PagerDuty,
        and the URL sets none, it becomes that key too.
    type: str
    default: ""
  timeout_seconds:
    description:
      - How long a channel may take, in seconds, 1 to 60. All O(channels) are told at the same time, and then, if
        necessary, all of O(fallback).
      - The time begins after Apprise has loaded its services, because loading takes long on a busy controller.
    type: float
    default: 15.0
attributes:
  check_mode:
    details:
      - Sends nothing, and names in RV(done) whom it would tell.
  diff_mode:
    support: none
    details:
      - A message that was sent leaves no state that could be compared.
  platform:
    details:
      - Runs on the controller.
"""

EXAMPLES = r"""
- name: Tell the senior engineer (runbook, L2)
  aurora.runbook.notification:
    title: "P0 L2 circuit_breaker: aurora1, open for 35 min"
    body: nothing that is safe unattended is left to do
    key: circuit_breaker-20261124T180000Z-0123abcd-L2
    channels:
      - name: SRE lead
        url: "{{ vault_mail_url }}?to=sre@aurora.example.com"
      - name: "#aurora-incidents"
        url: "{{ vault_slack_url }}"
    fallback:
      - name: secondary phone
        url: "{{ vault_phone_url }}"
  delegate_to: localhost
  become: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  register: told

- name: Stop when nobody was told
  ansible.builtin.assert:
    that: told.delivered
    fail_msg: "{{ told.unsent }}"
"""

RETURN = r"""
delivered:
  description: Whether at least one channel took the message. False in check mode.
  returned: always
  type: bool
sent:
  description: Names of the channels that took the message.
  returned: always
  type: list
  elements: str
  sample: ["#aurora-incidents"]
unsent:
  description: The other channels, each with C(channel) and C(problem). A channel that took too long may have got the
    message after all.
  returned: always
  type: list
  elements: dict
  sample: [{channel: SRE lead, problem: it cannot be reached; try the URL with the apprise command}]
took:
  description:
    - How many seconds Apprise needed to load its services (C(loading)), and each channel to answer (C(channels), each
      with C(channel) and C(seconds)).
  returned: always
  type: dict
  sample: {loading: 1.43, channels: [{channel: "#aurora-incidents", seconds: 0.31}]}
done:
  description: What was done, as sentences. Each has C(message) (its key in the catalogue of messages), C(values) and
    C(text).
  returned: always
  type: list
  elements: dict
"""

import logging
import traceback

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.aurora.runbook.plugins.module_utils.act import _notify
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages, _options
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError

try:
    import apprise
except ImportError:
    apprise, MISSING = None, traceback.format_exc()
else:
    MISSING = None


class Discreet(AnsibleModule):
    """Returns no invocation, which would show the value of a misspelt option."""

    def exit_json(self, **kwargs):
        super().exit_json(invocation={}, **kwargs)

    def fail_json(self, msg, **kwargs):
        super().fail_json(msg, invocation={}, **kwargs)


def plan(params):
    """The message, and whom to tell first and last."""
    _options.check_ranges(params, {"timeout_seconds": (1, 60)})
    first, last = (_notify.channels(option, params[option]) for option in ("channels", "fallback"))
    secrets = [channel.url for channel in [*first, *last]]
    return _notify.message(params["title"], params["body"], params["key"], secrets), first, last


def tell(message, first, last, seconds):
    """Tell the first channels, and the last ones if none of them took it."""
    told = [_notify.tell(apprise, first, message, seconds)]
    if not told[0].sent:
        told.append(_notify.tell(apprise, last, message, seconds))
    return {
        "sent": [name for each in told for name in each.sent],
        "unsent": [one for each in told for one in each.unsent],
        "took": {
            "loading": max(each.loading for each in told),
            "channels": [one for each in told for one in each.seconds],
        },
    }


def sentences(sent, unsent, would):
    told = [_messages.sentence("notified", channels=", ".join(sent))] if sent else []
    told += [_messages.sentence("not_notified", **one) for one in unsent]
    if would:
        told.append(_messages.sentence("would_notify", channels=", ".join(would)))
    elif not sent:
        told.append(_messages.sentence("nobody_notified" if unsent else "no_channels"))
    found = _notify.too_old(apprise)
    if found:
        told.append(_messages.sentence("apprise_too_old", found=found, needed=_notify.OLDEST))
    return told


def main():
    # The whole lists are secret until they are checked, because a URL in the wrong place is still a secret.
    module = Discreet(
        argument_spec={
            "title": {"type": "str", "required": True},
            "body": {"type": "str", "required": True},
            "channels": {"type": "list", "elements": "raw", "default": [], "no_log": True},
            "fallback": {"type": "list", "elements": "raw", "default": [], "no_log": True},
            "key": {"type": "str", "default": "", "no_log": False},
            "timeout_seconds": {"type": "float", "default": 15.0},
        },
        supports_check_mode=True,
    )
    if MISSING:
        module.fail_json(msg=missing_required_lib("apprise"), exception=MISSING)
    logging.getLogger().addHandler(logging.NullHandler())  # libraries log the URL
    try:
        message, first, last = plan(module.params)
    except RunbookError as error:
        module.no_log_values = set()  # our own messages quote none of them, and a short name would be replaced in them
        module.fail_json(msg=str(error))
    module.no_log_values = {channel.url for channel in [*first, *last] if channel.url}
    would = [channel.name for channel in first or last] if module.check_mode else []
    told = {"sent": [], "unsent": [], "took": {"loading": 0.0, "channels": []}}
    if not module.check_mode:
        told = tell(message, first, last, module.params["timeout_seconds"])
    module.exit_json(
        changed=bool(told["sent"] or would),
        delivered=bool(told["sent"]),
        done=sentences(told["sent"], told["unsent"], would),
        **told,
    )


if __name__ == "__main__":
    main()
