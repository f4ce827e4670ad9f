# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, an engineer on a host is told that all is quiet where it is not, or not in their language."""

from __future__ import annotations

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps, _start
from ansible_collections.aurora.runbook.plugins.module_utils.program import _status
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease_timer

UNTIL = "2026-11-29T23:00:00+00:00"
QUIET = {
    "leases": [], "timer": "", "timer_works": True, "claim": None, "paused": None, "cut_off": [], "unread": [],
    "now": "2026-11-29T21:00:00+00:00", "incidents": [],
}  # fmt: skip
LEASE = {
    "name": "aurora-runner.service", "phase": "active", "by": "olena", "granted": "2026-11-29T20:00:00+00:00",
    "written": {"SPREAD_THRESHOLD": "1.6"}, "ends": {"SPREAD_THRESHOLD": {"until": UNTIL}}, "lost": "",
}  # fmt: skip
INCIDENT = {
    "id": "circuit_breaker-20261129T200000Z-0123abcd", "open": True, "severity": "P0", "age_seconds": 3600,
    "acknowledged": None, "chain": {"whole": True, "problem": ""},
}  # fmt: skip
BUSY = {
    "leases": [LEASE],
    "timer": _lease_timer.WELL,
    "claim": {"holder": "awx-17", "incident": INCIDENT["id"], "since": "2026-11-29T20:59:00Z"},
    "paused": "2026-11-29T22:30:00Z",
    "incidents": [INCIDENT],
}


@pytest.mark.parametrize("language", ["en", "uk"])
def test_all_that_goes_on_is_told(language: str) -> None:
    told = "\n".join(_status.lines(language, {**QUIET, **BUSY}))
    said = (_start.VERSION, _lease_timer.WELL, "SPREAD_THRESHOLD=1.6", UNTIL, INCIDENT["id"], "P0", "awx-17", "22:30")
    assert [one for one in said if one not in told] == []
    assert _status.say(language, "status_quiet") not in told


@pytest.mark.parametrize("changed", [*({key: value} for key, value in BUSY.items()), {"unread": ["no lease"]}])
def test_quiet_is_said_only_where_nothing_goes_on(changed: dict) -> None:
    quiet = _status.say("en", "status_quiet")
    assert quiet in _status.lines("en", QUIET)
    assert ("timer" in changed) == (quiet in _status.lines("en", {**QUIET, **changed}))


def test_what_cannot_be_read_is_not_called_absent() -> None:
    told = _status.lines("en", {**QUIET, "unread": ["x.json is not a lease"]})
    assert any("x.json is not a lease" in line for line in told)
    assert _status.say("en", "status_no_timer") not in told


def test_a_host_without_any_state_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_status._state, "overview", lambda _now: dict(QUIET, unread=[]))
    monkeypatch.setattr(_status._record, "open_names", list)
    assert _status.look(_stamps.clock())["unread"] == []


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "uk_UA.UTF-8"}, "uk"),
        ({"LANG": "uk"}, "uk"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "uk_UA.UTF-8"}, "uk"),
        ({"LANG": "uk_UA.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "uk_UA.UTF-8", "LC_ALL": ""}, "uk"),
        ({"LANG": "ukx"}, "en"),
    ],
)
def test_the_language_is_that_of_whoever_asks(environment: dict, language: str) -> None:
    assert _status.language(environment) == language
