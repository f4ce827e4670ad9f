# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a person decides on values of half an hour ago, or sees none because one host answered nonsense."""

from __future__ import annotations

from ansible_collections.aurora.runbook.plugins.filter import incident
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators

ENTRY = {"metric": "x", "value": 2, "threshold": 2, "breached": True, "count": 30, "problem": "", "reason": ""}
LOOK = {
    "indicators": dict.fromkeys(_indicators.INDICATORS, ENTRY),
    "severity": "P0",
    "probes": {"leases": {"status": "ok", "data": {}, "problem": ""}},
    "why": {"shares": {}, "denials": 0, "source": "none"},
    **dict.fromkeys(("causes", "leases", "incidents", "cut_off"), ()),
    **dict.fromkeys(("claim", "paused")),
}


def test_a_host_that_was_not_looked_at_in_this_play_is_not_known() -> None:
    hostvars = {"a1": {"incident_look": LOOK}}
    assert "P0" in incident.table(hostvars, ["a1"], ["a1"])[1]
    assert "P0" not in incident.table(hostvars, ["a1"], [])[1]


def test_one_host_that_answers_nonsense_hides_no_other() -> None:
    odd = {"incident_look": {"indicators": ["x"], "severity": 7}}
    rows = incident.table({"a1": odd, "a2": {"incident_look": LOOK}}, ["a1", "a2"], ["a1", "a2"])
    assert ("a1" in rows[1], "P0" in rows[2]) == (True, True)
