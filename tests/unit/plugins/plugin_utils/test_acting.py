# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a step runs without its guards, raises exposure that nobody approved, or is forgotten."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleActionFail
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _options
from ansible_collections.aurora.runbook.plugins.plugin_utils import _acting, _decision, _program

ROLE = Path(__file__).resolve().parents[4] / "roles" / "incident"
DEFAULTS = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
SET = {
    **{name: value for name, value in DEFAULTS.items() if "{{" not in str(value)},
    "aurora_event_log": "/opt/aurora/logs/aurora_events.jsonl",
    "__incident_thresholds": {},
    "__incident_timeout_seconds": 600,
    "__incident_lease_seconds": 0,
}
SEEN = {"severity": "P0", "causes": []}
HOSTILE = "{{ lookup('pipe', 'touch ran') }}"


def known(incident="circuit_breaker", **more):
    judged = {"cause": "wide_spreads", "seen": SEEN, "last": True}
    decision = {"incident": incident, "id": "i", "run": "r", "alert": {"name": HOSTILE}, "healthy_peers": 1}
    decision |= {"hosts": {"a": judged}, "members": ["a"], "age_seconds": 60.0, "looked_at": time.time()}
    return {"__incident_decision": decision, "inventory_hostname": "a", **more}


def given(module, asked=None, incident="circuit_breaker", **variables):
    values = {**SET, **variables}
    values["__incident_guards"] = {name: values.get(f"aurora_{name}", "") for name in _acting.GUARDS}
    values["__incident_guards"]["min_healthy"] = 0
    return _acting.options(module, asked or {}, values.get, known(incident, **variables))


@pytest.mark.parametrize("module", _program.ACTS)
def test_each_acting_module_is_held_to_the_guards_and_writes_to_the_incident(module):
    incident = given(module, aurora_max_per_day=7)["incident"]
    assert (incident["id"], incident["run"], incident["cause"], incident["max_per_day"]) == (
        "i",
        "r",
        "wide_spreads",
        7,
    )
    assert set(incident) <= set(_options.INCIDENT)
    assert (incident["alert"], incident["hosts"], incident["healthy_peers"]) == ({"name": HOSTILE}, ["a"], 1)
    assert 60 <= incident["age_seconds"] < 120


def test_what_a_task_says_itself_wins_and_the_rest_stays():
    asked = {"name": "x.service", "health_url": "", "recovery": {"timeout_seconds": 1200}}
    step = given("service_override", asked)
    assert (step["name"], step["health_url"], step["recovery"]["timeout_seconds"]) == ("x.service", "", 1200)
    assert (step["recovery"]["hold_seconds"], step["start_seconds"]) == (60, 30)


@pytest.mark.parametrize(
    ("incident", "waits"),
    [
        ("circuit_breaker", {"url": "http://localhost:9000/metrics", "min_count": 30}),
        ("execution_latency", {"url": "http://localhost:9000/metrics"}),
        ("sse_availability", {"url": "http://localhost:8001/metrics"}),
    ],
)
def test_a_step_waits_for_the_indicator_of_its_incident(incident, waits):
    expected = {"indicator": incident, "hold_seconds": 60, "timeout_seconds": 600, "interval_seconds": 2, **waits}
    assert given("recalibration", incident=incident)["recovery"] == expected
    assert given("wait_for_recovery", incident=incident) == expected
    limited = given("recalibration", incident=incident, __incident_thresholds={incident: 0.1})["recovery"]
    assert limited == {**expected, "threshold": 0.1}


def test_what_is_given_back_is_held_to_no_guard_and_the_breaker_is_watched():
    """A person's revert is the approval."""
    asked = {"name": "x.service", "state": "absent"}
    assert given("service_override", asked, _decision.REVERT) == asked
    assert given("wait_for_recovery", {}, _decision.REVERT)["indicator"] == "circuit_breaker"


@pytest.mark.parametrize(
    ("variables", "approves"),
    [
        ({}, []),
        ({"aurora_approve": None}, []),
        ({"aurora_approve": ["spread_threshold"]}, ["spread_threshold"]),
        ({"aurora_approve": "a\nspread_threshold\n"}, ["a", "spread_threshold"]),
        ({"aurora_approve": [["a"], "b,c"]}, ["a", "b", "c"]),
        ({"aurora_approve": "a,b", "aurora_waiting": {"a": ["b"], "z": ["a"]}}, ["b"]),
        ({"aurora_approve": "a", "aurora_waiting": {}}, []),
        ({"aurora_approve": "a", "awx_job_id": 1}, []),
        ({"aurora_approve": "a", "tower_job_id": 1, "aurora_waiting": {"a": ["a"]}}, ["a"]),
        ({"aurora_approve": "a", "awx_job_id": 1, "aurora_waiting": {"a": ["a"]}, "aurora_alert": HOSTILE}, []),
        ({"aurora_approve": "a", "aurora_alert": HOSTILE}, ["a"]),
    ],
)
def test_what_a_person_approved_and_nothing_else_raises_exposure(variables, approves):
    assert given("service_override", **variables)["approve"] == approves


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("aurora_autonomy", "obseve"),
        ("aurora_max_per_day", "many"),
        ("aurora_max_per_day", 0),
        ("aurora_cooldown_seconds", -1),
        ("aurora_hold_seconds", "a minute"),
        ("__incident_timeout_seconds", 9000),
        ("__incident_lease_seconds", 5),
    ],
)
def test_a_variable_that_no_step_would_take_is_refused_before_anything_is_looked_at(name, value):
    """Otherwise it is found out at night, in the middle of a ladder."""
    assert given("triage_info", {"user": "aurora"}) == {"user": "aurora"}
    with pytest.raises(AnsibleActionFail, match=name.removeprefix("__").partition("_")[2]):
        given("triage_info", {}, **{name: value})


def test_what_is_no_step_of_the_ladder_is_not_counted():
    assert _acting.mark("incident", {"state": "ended"}, known()) == {}
    marked = _acting.mark("tcp_tuning", {"state": "settled"}, known())[_decision.MARK]
    assert (marked["run"], marked["settles"]) == ("r", True)
