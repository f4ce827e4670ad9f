# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a host is changed that needs nothing, or one that needs a repair is called healthy."""

from __future__ import annotations

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _messages
from ansible_collections.aurora.runbook.plugins.plugin_utils import _decision

KELLY = {"name": "KELLY_MULTIPLIER", "before": "1.0", "after": "0.5", "direction": "reduces"}
NOTHING_OPEN = {"incidents": [], "claim": None, "paused": None, "cut_off": []}
HALF = {"kind": "service_override", "phase": "applying", "before": {"KELLY_MULTIPLIER": "1.0"}}
CUT_OFF = {"action": "log_rotation", "target": "/logs", "changes": "–", "at": "now", "by": "olena"}


def entry(value, breached, problem=""):
    return {"metric": "m", "value": value, "threshold": 2, "breached": breached, "problem": problem}


def look(value=2, breached=True, leases=(), problem=""):
    read = {name: entry(0, False) for name in _indicators.INDICATORS}
    read["circuit_breaker"] = entry(value, breached, problem)
    probes = {"leases": {"status": "ok", "problem": ""}}
    return {
        "indicators": read,
        "causes": [],
        "severity": "P0",
        "leases": list(leases),
        "probes": probes,
        **NOTHING_OPEN,
    }


def action(**changes):
    base = {"unit": "x.service", "changed": True, "environment": [KELLY], "limits": [], "kept": [], "proposed": []}
    return {**base, "overridden": {"KELLY_MULTIPLIER": "0.5"}, "taken_back": False, "verdict": "recovered", **changes}


@pytest.mark.parametrize(
    ("seen", "where"),
    [
        (look(2, True), "breached"),
        (look(0, False), "healthy"),
        (look(1, None), "breached"),  # HALF_OPEN
        (look(None, None, problem="silent"), "unknown"),
        (look(0, False, [HALF]), "breached"),  # unfinished comes before "nothing breached"
        (look(None, None, [HALF], "silent"), "breached"),
        (look(0, False, [{**HALF, "kind": "tcp_tuning"}]), "healthy"),
        (look(None, None, [{**HALF, "kind": "tcp_tuning"}], "silent"), "unknown"),
        (look(0, False, [{**HALF, "phase": "active"}]), "healthy"),
        ({"unreachable": True, "msg": "gone"}, "unknown"),
        ({"failed": True, "msg": "bad option"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_where_a_look_puts_a_host(seen, where):
    assert _decision.standing(seen, "circuit_breaker") == where


def runner(cause, value=None, breached=None, problem="silent", others=()):
    found = [*others, {"cause": cause, "weight": 0.9, "evidence": []}]
    return {**look(value, breached, problem=problem), "causes": found}


RUNNER_ILL = ("runner_down", "runner_crash_loop", "runner_hung")
MARKET = {"cause": "wide_spreads", "weight": 1.0, "evidence": []}


@pytest.mark.parametrize("values", [(None, None, "silent"), (2, True, ""), (0, False, ""), (None, None, "too_few")])
@pytest.mark.parametrize("cause", [*RUNNER_ILL, "runner_starting", "runner_stopping"])
def test_a_runner_out_of_order_is_no_healthy_host_and_no_rung_is_climbed(cause, values):
    """An old window of Prometheus, or a page between two crashes, must not call it healthy or have it restarted."""
    where = "unhandled" if cause in RUNNER_ILL else "unknown"
    for incident, indicator in _indicators.INDICATORS.items():
        if indicator.service == "runner":
            assert _decision.standing(runner(cause, *values), incident) == where
    assert _decision.standing(runner(cause, *values), "reconnects") == "healthy"
    unfinished = {**runner(cause, *values), "leases": [HALF]}
    assert _decision.standing(unfinished, "circuit_breaker") == "breached"  # an earlier run's half is settled first


@pytest.mark.parametrize(
    ("incident", "order"),
    [
        ("calibration_ece", ["malformed_trades", "exchange_latency", "feed_down"]),
        ("execution_latency", ["malformed_trades", "exchange_latency", "feed_down"]),
        ("sse_availability", ["feed_down", "malformed_trades", "exchange_latency"]),
        ("reconnects", ["feed_down", "malformed_trades", "exchange_latency"]),
    ],
)
def test_of_two_faults_on_a_host_an_incident_names_the_one_that_can_be_its_own_first(incident, order):
    likeliest_first = ("feed_down", "malformed_trades", "exchange_latency")
    found = [{"cause": name, "weight": 0.9, "evidence": []} for name in likeliest_first]
    seen = {**look(0, False), "causes": found}
    assert [each["cause"] for each in _decision.causes(seen, incident)] == order
    assert _decision.seen(seen, incident)["causes"][0]["cause"] == order[0]


def test_a_host_whose_leases_cannot_be_read_is_unknown():
    seen = look(0, False)
    seen["probes"]["leases"]["status"] = "failed"
    assert _decision.standing(seen, "circuit_breaker") == "unknown"


def step(at, run="r", settles=False, module="service_override", **result):
    return {**result, _decision.MARK: {"run": run, "module": module, "settles": settles, "at": at}}


@pytest.mark.parametrize(
    ("rungs", "verdict"),
    [
        ([{"verdict": "recovered"}], "recovered"),
        ([{"verdict": "not_recovered"}, {"verdict": "recovered"}], "recovered"),
        ([{"verdict": "not_recovered"}, {"skipped": True}], "escalated"),
        ([{"verdict": "not_recovered"}, {}], "escalated"),
        ([{"verdict": "not_recovered"}, {"verdict": "approval_needed"}], "approval_needed"),
        ([{"verdict": "unknown"}], "unknown"),
        ([{"failed": True, "msg": "x"}], "escalated"),
        ([{"verdict": "refused"}], "refused"),
        ([{"verdict": "not_recovered", "changed": True}, {"verdict": "refused"}], "escalated"),
        ([{"unreachable": True, "msg": "x"}], "unknown"),
        ([{"changed": True}], "unknown"),
        ([], "escalated"),
        ([{}, {"skipped": True}], "escalated"),
        ([{"failed": True, "msg": "x"}, {"verdict": "healthy"}], "escalated"),  # one of a loop
    ],
)
def test_the_verdict_of_a_ladder(rungs, verdict):
    """A task that was skipped, or never came, returned nothing of ours."""
    ran = {f"r{at}": {**rung, **step(at)} for at, rung in enumerate(rungs) if rung and "skipped" not in rung}
    returned = _decision.steps({"skipped": {"skipped": True}, **ran}, "r")
    assert _decision.verdict(_decision.climb("circuit_breaker", {}, returned, {})) == verdict


def test_what_ended_a_climb_is_told_once():
    failed = {"failed": True, "msg": "x"}
    returned = [{"verdict": "not_recovered"}]
    assert _decision.climb("circuit_breaker", {}, [*returned, failed], failed) == [*returned, failed]
    assert _decision.climb("circuit_breaker", {}, returned, failed) == [*returned, failed]


def test_steps_count_because_they_ran_whatever_they_were_registered_as():
    failed = {**step(3.0), "failed": True}
    registered = {
        "late": step(4.0),
        "loop": {"results": [step(1.0), step(2.0, settles=True, module="tcp_tuning"), {"skipped": True}, "x"]},
        "failed": failed,
        "ansible_failed_result": dict(failed),
        "earlier": step(0.5, run="another"),
        "of_no_step": {"verdict": "recovered"},
        "odd": {_decision.MARK: "r"},
        "text": "r",
    }
    assert [one[_decision.MARK]["at"] for one in _decision.steps(registered, "r")] == [2.0, 1.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("incident", "returned", "verdict"),
    [
        ("circuit_breaker", [step(1.0, verdict="recovered")], "escalated"),
        ("circuit_breaker", [step(1.0, verdict="unknown")], "unknown"),
        ("circuit_breaker", [step(1.0, module="wait_for_recovery", verdict="recovered")], "recovered"),
        ("calibration_ece", [step(1.0, verdict="recovered")], "recovered"),
        ("circuit_breaker", [], "escalated"),
    ],
)
def test_a_step_that_helped_while_the_network_loses_packets_is_no_end(incident, returned, verdict):
    look = {"causes": [{"cause": "packet_loss", "weight": 0.9, "evidence": []}]}
    assert _decision.verdict(_decision.climb(incident, look, returned, {})) == verdict


@pytest.mark.parametrize("incident", _indicators.INCIDENTS)
def test_half_an_override_is_settled_by_whatever_runs_next(incident):
    """A half-done P_THRESHOLD raise would stay until somebody ran the very ladder that made it."""
    for half in ({"P_THRESHOLD": "0.7"}, {"MemoryMax": "512M"}):
        assert _decision.standing(look(0, False, [{**HALF, "before": half}]), incident) == "breached"


def test_what_a_person_has_to_see_to_is_not_covered_by_a_later_success():
    assert _decision.verdict([{"verdict": "escalated"}, {"verdict": "recovered"}]) == "escalated"


@pytest.mark.parametrize("later", ["healthy", "recovered"])
def test_a_step_that_got_lost_is_not_covered_by_a_later_success(later):
    """If the connection broke in the middle, revert goes on with the next lease, and the override may still stand."""
    assert _decision.verdict([{"verdict": "healthy"}, {"unreachable": True}, {"verdict": later}]) == "unknown"


def test_an_id_that_a_host_made_up_is_not_joined():
    """An invented id would name the incident on every other host, and become a variable of AWX's next job."""
    known = {"id": "circuit_breaker-20261124T180000Z-1a2b3c4d", "incident": "circuit_breaker"}
    looks = [{"incidents": [{**known, "id": "{{ 7 * 7 }}"}]}, {"incidents": [known]}]
    assert _decision.incident_id(looks, "circuit_breaker", {}, 0.0) == known["id"]


@pytest.mark.parametrize(("changed", "verdict"), [(True, "escalated"), (False, "refused")])
def test_what_another_one_at_work_kept_from_being_done_is_never_well(changed, verdict):
    """Revert goes on with the next lease, and its last word would be healthy while an override stands."""
    held = _messages.sentence("held", by="the timer", incident="–", since="now")
    tried = [{"verdict": "refused", "changed": False, "done": [held]}, {"verdict": "healthy", "changed": changed}]
    assert _decision.verdict(tried) == verdict


ID = "circuit_breaker-20261124T180000Z-1a2b3c4d"
HALF_NAMED = {**HALF, "name": "y.service", "written": {"P_THRESHOLD": "0.5"}, "by": "olena", "granted": "now"}
OPEN = {"id": ID, "incident": "circuit_breaker", "open": True, "severity": "P0", "age_seconds": 600.0}
OPEN |= {"acknowledged": None, "chain": {"whole": True, "problem": ""}}
BLIND = {**look(0, False), "probes": {"leases": {"status": "failed", "problem": "x.json is no lease"}}}
ILL, WELL = look(2, True), look(0, False)


def decide(looks, hosts=None, observed=(), alert=None, incident="circuit_breaker"):
    names = sorted(looks) if hosts is None else hosts
    return _decision.decide("en", incident, names, looks, observed, alert or {}, 1000.0)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (ILL, "m is 2, limit 2"),
        (WELL, "m is 0, limit 2"),
        (look(1, None), "HALF_OPEN"),
        (look(None, None, problem="silent"), "does not answer"),
        (look(0, False, [HALF_NAMED]), "y.service"),
        (BLIND, "x.json is no lease"),
        (runner("runner_hung"), "runner_hung"),
        ({"unreachable": True, "msg": "no route\nto host"}, "no route"),
        ({"failed": True, "msg": "bad option"}, "bad option"),
        ({}, "not reached"),
    ],
)
def test_each_standing_has_its_reason_in_one_line(seen, said):
    reason = _decision.judgement("en", seen, "circuit_breaker")["reason"]
    assert said in reason
    assert "\n" not in reason


@pytest.mark.parametrize(
    ("looks", "hosts", "observed", "repaired", "members", "healthy"),
    [
        ({"a": ILL, "b": WELL, "c": ILL}, ["c", "b", "a"], (), ["a", "c"], ["a", "c"], 1),
        ({"a": ILL, "b": ILL}, ["a", "b"], ["a"], ["b"], ["a", "b"], 0),
        ({"a": ILL}, ["a", "b"], (), ["a"], ["a", "b"], 0),  # b was not reached
        ({"a": ILL, "p": ILL, "q": WELL}, ["a"], (), ["a"], ["a"], 1),  # peers are counted, never repaired
        ({"p": ILL}, ["a"], (), [], ["a"], 0),
        ({"a": {"failed": True, "msg": "x"}, "b": runner("runner_down")}, ["a", "b"], (), [], ["a", "b"], 0),
        ({"a": WELL}, ["a"], (), [], [], 1),
        ({}, ["a"], (), [], ["a"], 0),
    ],
)
def test_who_is_repaired(looks, hosts, observed, repaired, members, healthy):
    found = decide(looks, hosts, observed)
    assert (found["repaired"], found["members"], found["healthy_peers"]) == (repaired, members, healthy)
    assert found["canary"] == (repaired[0] if repaired else "")
    assert list(found["hosts"]) == sorted(hosts)
    assert set(found["peers"]) == set(looks) - set(hosts)


def test_an_incident_that_is_open_on_a_host_is_joined_and_one_of_a_peer_is_not():
    opened = {**ILL, "incidents": [OPEN]}
    found = decide({"a": ILL, "b": opened})
    assert (found["id"], found["age_seconds"]) == (ID, 600.0)
    found = decide({"a": ILL, "b": opened}, hosts=["a"], alert={"age_seconds": 5.0, "name": "A", "labels": {"x": "y"}})
    assert (found["id"] != ID, found["age_seconds"], found["alert"]) == (True, 5.0, {"name": "A"})


@pytest.mark.parametrize(
    ("seen", "incident", "last"),
    [
        (ILL, "circuit_breaker", True),
        (ILL, "sse_availability", False),
        (look(2, True, [HALF_NAMED]), "circuit_breaker", False),
        ({**ILL, "causes": [{"cause": "packet_loss", "evidence": []}]}, "circuit_breaker", False),
    ],
)
def test_the_action_that_cures_ends_the_run_only_where_nothing_is_left_to_do(seen, incident, last):
    assert _decision.judgement("en", seen, incident)["last"] is last


def test_what_is_half_done_is_told_apart_from_what_is_breached():
    half = decide({"a": look(0, False, [HALF_NAMED]), "b": ILL})
    assert half["unfinished"] == {"a": ["y.service"]}
    assert [half["hosts"][name]["breached"] for name in ("a", "b")] == [False, True]


@pytest.mark.parametrize(
    "answer",
    [
        {**ILL, "leases": [{"name": "x"}]},
        {**ILL, "leases": None},
        {**ILL, "incidents": ["x"]},
        {**ILL, "causes": [{}]},
        {**ILL, "probes": {}},
        {"indicators": []},
    ],
)
def test_a_host_that_answers_nonsense_is_unknown_and_keeps_no_other_from_its_repair(answer):
    seen = _decision.readable("en", answer, "circuit_breaker")
    assert _decision.standing(seen, "circuit_breaker") == "unknown"
    assert decide({"a": seen, "b": ILL})["repaired"] == ["b"]
    assert _decision.readable("en", ILL, "circuit_breaker") is ILL


HELD = {"message": "held", "values": {"by": "petro", "incident": ID, "since": "now"}, "text": ""}
CURED = {"verdict": "recovered", "done": [], "closed": {"id": ID, "open": False}}


@pytest.mark.parametrize(
    ("seen", "tried", "lacks"),
    [
        (ILL, [CURED], {}),  # the action that cured it has put the end on record
        (ILL, [{"verdict": "recovered"}], {"a": "recovered"}),
        (ILL, [CURED, {"failed": True, "msg": "x"}], {"a": "escalated"}),
        (ILL, None, {"a": "not_recovered"}),
        (ILL, [{"verdict": "refused", "done": [HELD]}], {}),
        (WELL, None, {}),
        ({**WELL, "incidents": [OPEN]}, None, {"a": "healthy"}),
        ({**WELL, "cut_off": [CUT_OFF]}, None, {"a": ""}),
        ({"failed": True, "msg": "x"}, None, {}),
        ({}, None, {}),
    ],
)
def test_what_is_put_on_record_where_no_action_did(seen, tried, lacks):
    host = _decision.host("a", "circuit_breaker", seen, tried)
    assert _decision.lacking("circuit_breaker", ID, [host]) == lacks


SILENCE = {"silence": "s-1", "matched": True}
STAYS = {"incidents": [{"id": ID, "open": True}]}


@pytest.mark.parametrize(
    ("hosts", "unwell", "opened", "sound"),
    [
        ([("a", [CURED], {}, SILENCE), ("b", None, {}, {})], [], False, True),
        ([("a", [{"verdict": "unknown"}], STAYS, {"skipped": True})], ["a"], True, False),
        ([("a", [{"verdict": "refused", "done": [HELD]}], {}, SILENCE)], ["a"], False, False),
        ([("a", [{"verdict": "would_change"}], {}, {})], [], False, False),
        ([("a", [{"verdict": "recovered"}], {"failed": True, "msg": "no session"}, {"failed": True})], [], False, True),
    ],
)
def test_how_a_run_ended(hosts, unwell, opened, sound):
    known = [
        _decision.host(name, "circuit_breaker", ILL if tried else WELL, tried, ended=ended, silence=silence)
        for name, tried, ended, silence in hosts
    ]
    found = _decision.outcome(ID, known)
    assert (found["unwell"], found["open"], found["sound"]) == (unwell, opened, sound)
    assert set(found["handed_on"]["aurora_outcome"]) == {name for name, *_rest in hosts}
    assert ("aurora_incident_id" in found["handed_on"]) is any(one.ended.get("incidents") for one in known)


def test_a_host_that_met_at_the_end_what_nobody_knows_the_end_of_is_not_well():
    met = {"done": [_messages.sentence("left_unknown", **CUT_OFF)]}
    assert _decision.host("a", "circuit_breaker", WELL, None, ended=met).verdict == "escalated"


def test_a_host_that_giving_back_did_not_reach_is_refused():
    assert _decision.host("a", "revert", {}, None).verdict == "refused"
