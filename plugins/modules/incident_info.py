#!/usr/bin/python
# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_info
short_description: Read the records of incidents on a host, and check their chains
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - The source is "Post-Mortem Template" and "Ескалація" of the runbook.
  - Reads C(/var/lib/aurora-runbook/incidents) of the host. Broken chains, and lines that were cut off in a crash, are
    reported and never skipped silently.
  - Fails if a record, a lease, the claim or the pause cannot be read, and then returns everything else with the reason.
extends_documentation_fragment:
  - aurora.runbook.attributes
  - aurora.runbook.attributes.reads
options:
  id:
    description:
      - The incident's id. Incidents that were merged into it are returned after it. If it is omitted, the module
        returns the incidents that are open, and those that ended in the last O(days).
    type: str
  days:
    description: How many days back incidents that are over are returned, 0 to 3660.
    type: float
    default: 0.0
  entries:
    description: Whether to return every line of the records as well.
    type: bool
    default: false
  units:
    description: Services whose own unit names are returned in RV(units). Any name or alias is accepted, with or without
      C(.service).
    type: list
    elements: str
    default: []
seealso:
  - module: aurora.runbook.incident
"""

EXAMPLES = r"""
- name: What is open on this host
  aurora.runbook.incident_info:

- name: Everything about one incident, for its post-mortem
  aurora.runbook.incident_info:
    id: circuit_breaker-20261124T031500Z-1a2b3c4d
    entries: true
"""

RETURN = r"""
incidents:
  description:
    - The incidents, the oldest first. Each has C(id); C(incident), its class; C(open); C(opened) and C(closed) by the
      host's clock; C(age_seconds) since the trouble began; C(severity), the worst one; C(deadlines), with C(respond_by)
      and C(resolve_by) for that severity; the last C(verdict); C(chain), with C(whole) and C(problem); C(torn), the
      last line if it is incomplete; C(moved_to), the id under which it goes on on this host; C(head), the hash of the
      last line; C(unfinished), the intents without a result.
    - C(acknowledged) is when a person took over, and C(responded) is the first action of automation or the first word
      of a person. Both have C(who), C(at), C(after_seconds) and C(automatic).
    - C(levels) are those that were paged or are being paged, each with C(state), C(at) and C(age_seconds). Once paged,
      a level has C(key), C(sent) and C(failed) too, and C(remembered) if the record could not be written.
    - With O(entries=true) there are C(entries) too, exactly as they are in the record.
  returned: always
  type: list
  elements: dict
leases:
  description: What can be given back on this host, in the form of RV(aurora.runbook.triage_info#module:leases).
  returned: always
  type: list
  elements: dict
timer:
  description: The state of the timer that ends leases, if any lease has an end. RV(timer_works) says whether that state
    is good.
  returned: always
  type: str
timer_works:
  description: Whether leases end by themselves on this host.
  returned: always
  type: bool
claim:
  description: The run that works on this host, with C(holder), C(incident) and C(since). Null if no run does.
  returned: always
  type: dict
paused:
  description: Until when automation is paused. It is C("") if the pause lasts until somebody ends it, and null if there
    is no pause.
  returned: always
  type: str
cut_off:
  description:
    - Actions of the last week that were begun and have no recorded end, each with the C(id) of its incident, C(action),
      C(target), C(at) by the host's clock and C(by). Empty while a run works on the host.
  returned: always
  type: list
  elements: dict
units:
  description: The own name of each of O(units), as leases use it. For a unit that is not on this host it is the name
    that was asked for.
  returned: always
  type: dict
  sample: {trader: aurora-runner.service}
now:
  description: The current time by the host's clock, UTC.
  returned: always
  type: str
"""

import math
from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.aurora.runbook.plugins.module_utils import _state
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _options
from ansible_collections.aurora.runbook.plugins.module_utils.base import _command, _redact, _stamps, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record


def records(params, now, unread):
    if params["id"]:
        found = _record.read(params["id"])
        every = _state.records(math.inf, now, unread)
        homes = _record.homes(every)
        moved = [one for one in every if homes[one.id] == found.id != one.id]
        return [*([found] if found.entries or found.problem or found.torn else []), *moved]
    return [
        record
        for record in _state.records(86400 * params["days"], now, unread)
        if record.open or (params["days"] and record.incident != _record.NOBODY)
    ]


def read(params):
    """What is kept on the host, and why parts of it could not be read, "" if all could."""
    _options.check_ranges(params, {"days": (0, 3660)})
    now = _stamps.clock()
    incidents, unread = [], []
    for record in records(params, now, unread):
        entries = {"entries": [asdict(entry) for entry in record.entries]} if params["entries"] else {}
        incidents.append({**_record.describe(record, now), "deadlines": deadlines(record), **entries})
    found = _state.overview(now)
    unread += found.pop("unread")
    units = {}
    with _state.noting(unread):
        units = _systemd.own_names(_command.run, params["units"])
    return {**found, "incidents": incidents, "units": units}, "; ".join(dict.fromkeys(unread))


def deadlines(record):
    """When somebody has to have answered, and it has to be resolved, by the host's clock; null without an opening."""
    first = _record.opened(record)
    if first is None:
        return {"respond_by": None, "resolve_by": None}
    limits = _indicators.deadlines(_record.severity(record) or "")
    began = _stamps.seconds(first.at) - (first.data.get("age_seconds") or 0.0)
    return {
        "respond_by": _stamps.stamp(began + limits.respond),
        "resolve_by": _stamps.stamp(began + limits.resolve),
    }


ARGUMENTS = {
    "argument_spec": {
        "id": {"type": "str"},
        "days": {"type": "float", "default": 0.0},
        "entries": {"type": "bool", "default": False},
        "units": {"type": "list", "elements": "str", "default": []},
    },
    "supports_check_mode": True,
}


def main():
    module = AnsibleModule(**ARGUMENTS)
    try:
        result, problem = read(module.params)
    except RunbookError as error:
        module.fail_json(msg=_redact.redact_text(str(error)))
    result = _redact.redact_data(result)
    if problem:
        module.fail_json(msg=_redact.redact_text(problem), **result)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
