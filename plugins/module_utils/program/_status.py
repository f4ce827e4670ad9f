# SPDX-License-Identifier: GPL-3.0-or-later
"""Show the state of a host to an engineer who is logged in there. Private to aurora.runbook."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from ansible_collections.aurora.runbook.plugins.module_utils import _state
from ansible_collections.aurora.runbook.plugins.module_utils.aurora._messages import say
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact, _stamps, _start
from ansible_collections.aurora.runbook.plugins.module_utils.look import _summary
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record

NAMES = ("LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set decides the language


def main() -> int:
    """Print the state. Returns 1 if something could not be read."""
    sys.stdout.reconfigure(errors="replace")  # a terminal that cannot show Ukrainian still shows the rest
    found = look(_stamps.clock())
    for line in lines(language(os.environ), found):
        sys.stdout.write(f"{_redact.redact(line)}\n")
    return 1 if found["unread"] else 0


def language(environment: Mapping[str, str]) -> str:
    """The caller's language: Ukrainian, or English for everybody else."""
    named = next(filter(None, map(environment.get, NAMES)), "")
    return "uk" if named.partition("_")[0] == "uk" else "en"


def look(now: _stamps.Clock) -> dict:
    """_state.overview() with the open incidents. What cannot be read is noted, and everything else is shown."""
    found = _state.overview(now)
    names, incidents = [], []
    with _state.noting(found["unread"]):
        names = _record.open_names()
    for name in names:
        with _state.noting(found["unread"]):
            incidents.append(_record.describe(_record.read(name), now))
    return {**found, "incidents": incidents, "unread": list(dict.fromkeys(found["unread"]))}


def lines(language: str, found: Mapping) -> list[str]:
    """What is found, in sentences."""
    going_on = [*_summary.leases(language, found["leases"], found), *_summary.standing(language, found)]
    unread = [say(language, "status_unread", problem=problem) for problem in found["unread"]]
    timer = [say(language, "status_timer", state=found["timer"])] if found["timer"] else []
    if not (timer or unread):  # otherwise it is unknown whether a lease has an end
        timer = [say(language, "status_no_timer")]
    quiet = [] if going_on or unread else [say(language, "status_quiet")]
    return [say(language, "status_version", version=_start.VERSION), *timer, *going_on, *unread, *quiet]
