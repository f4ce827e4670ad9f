#!/usr/bin/python
# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_info
short_description: Look at what a remediation needs on a host and no other module looks at
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - Looks at systemd, directories and free space, logs, the token, the code of a refit, and the values that the runner
    runs with. The playbook C(aurora.runbook.preflight) judges the result, together with what the other modules answer
    in check mode.
  - The runbook has no section for this. It finds by day what would make a remediation fail at night.
  - Something that is wrong is a finding. The task fails only if an option is refused, or if nothing can be looked at.
extends_documentation_fragment:
  - aurora.runbook.attributes
  - aurora.runbook.attributes.reads
options:
  runner_unit:
    description: Unit of the trading loop.
    type: str
    default: aurora-runner.service
  user:
    description: User of the services.
    type: str
    default: aurora
  home:
    description: Aurora's home directory.
    type: path
    default: /opt/aurora
  event_log:
    description: Path of the log of events (JSON lines).
    type: path
    default: /opt/aurora/logs/aurora_events.jsonl
  trade_log:
    description: Path of the log of trades (JSON lines).
    type: path
    default: /opt/aurora/logs/trades.jsonl
  denied_log:
    description: Path of the log of denied orders (JSON lines).
    type: path
    default: /opt/aurora/logs/orders_denied.jsonl
  auth_token_file:
    description: File with the feed's token. The token itself is never returned.
    type: path
    default: /opt/aurora/secrets/auth_token
seealso:
  - module: aurora.runbook.triage_info
"""

EXAMPLES = r"""
- name: Look at what a remediation needs
  aurora.runbook.preflight_info:
"""

RETURN = r"""
systemd:
  description: The C(version) and C(state) of systemd, and the C(problem) if it does not answer.
  returned: always
  type: dict
  sample: {version: "252.39-1~deb12u1", state: running, problem: ""}
rooms:
  description:
    - Directories that a remediation writes to, each with C(path), C(read_only), C(free_bytes) and C(free_inodes), which
      is null if the file system counts no inodes.
  returned: always
  type: list
  elements: dict
state:
  description: What prevents the use of C(/var/lib/aurora-runbook). Empty if nothing does.
  returned: always
  type: str
programs:
  description:
    - The programs of this collection on the host, by name, each with what prevents running it. Empty if nothing does.
  returned: always
  type: dict
  sample: {"1.0.0-0123456789abcdef": ""}
exposed:
  description: The directory above the programs that others than root can change. Empty if there is none.
  returned: always
  type: str
logs:
  description:
    - The logs, each with C(path) and C(problem). A log that could be read also has the number of its last C(lines), how
      many of these are C(malformed), and C(age_seconds).
  returned: always
  type: list
  elements: dict
access:
  description: The C(path) of the file with the feed's token, and the C(problem) with it. The token itself is never
    returned.
  returned: always
  type: dict
code:
  description: The files that a refit runs, each with C(path) and C(problem).
  returned: always
  type: list
  elements: dict
knobs:
  description:
    - The knobs of the runbook, each with C(name); C(running), the value in the running service; C(configured), the
      value for its next start; and C(reached), whether its processes get the environment of the unit at all. Null means
      that the knob is not set. The list is empty if systemd does not answer.
  returned: always
  type: list
  elements: dict
  sample: [{name: KELLY_MULTIPLIER, running: "1.0", configured: "1.0", reached: true}]
"""

import contextlib
import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.aurora.runbook.plugins.module_utils.act import _override, _service
from ansible_collections.aurora.runbook.plugins.module_utils.base import _files, _redact, _start, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _fitness
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record

# Directories that a remediation writes to, for records, drop-ins and the timer, overrides, the program, configurations.
WRITTEN_TO = (
    *(_record.STATE_DIRECTORY, _override.UNIT_DIRECTORY, _override.ENVIRONMENT_DIRECTORY),
    *(_start.BASE, "/run"),
)


def look(params):
    """Look at all of it; returns what the module returns."""
    user = params["user"]
    logs = [params[name] for name in ("event_log", "trade_log", "denied_log")]
    return {
        "systemd": _fitness.systemd(),
        "rooms": [_fitness.room(path) for path in WRITTEN_TO],
        "state": state_problem(),
        "programs": programs(),
        "exposed": _fitness.exposed(_start.BASE, (0,), ()),
        "logs": [_fitness.log(path, user) for path in logs],
        "access": _fitness.token(params["auth_token_file"], user),
        "code": _fitness.refit_code(params["home"], user),
        "knobs": knobs(_systemd.check_name(params["runner_unit"])),
    }


def state_problem():
    try:
        _files.check_private(_record.STATE_DIRECTORY)
    except RunbookError as error:
        return str(error)
    return ""


def programs():
    """Why each installed program cannot be run, "" if it can."""
    names = os.listdir(_start.BASE) if os.path.isdir(_start.BASE) else []
    return {name: _start.fault(f"{_start.BASE}/{name}") for name in sorted(names) if _start.version(name)}


def knobs(name):
    """The knobs, empty if systemd does not answer."""
    with contextlib.suppress(RunbookError):
        unit = _service.observe(name)
        return _fitness.knobs(unit, _service.environments(unit), _service.environment_files(unit))
    return []


ARGUMENTS = {
    "argument_spec": {
        "runner_unit": {"type": "str", "default": "aurora-runner.service"},
        "user": {"type": "str", "default": "aurora"},
        "home": {"type": "path", "default": "/opt/aurora"},
        "event_log": {"type": "path", "default": "/opt/aurora/logs/aurora_events.jsonl"},
        "trade_log": {"type": "path", "default": "/opt/aurora/logs/trades.jsonl"},
        "denied_log": {"type": "path", "default": "/opt/aurora/logs/orders_denied.jsonl"},
        "auth_token_file": {"type": "path", "default": "/opt/aurora/secrets/auth_token", "no_log": False},
    },
    "supports_check_mode": True,
}


def main():
    module = AnsibleModule(**ARGUMENTS)
    try:
        result = look(module.params)
    except (RunbookError, OSError) as error:
        module.fail_json(msg=_redact.redact_text(str(error)))
    module.exit_json(changed=False, **_redact.redact_data(result))


if __name__ == "__main__":
    main()
