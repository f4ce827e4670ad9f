# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a host is changed without a record, against its guards, or by two runs at once."""

from __future__ import annotations

import contextlib
import functools
import os
from types import SimpleNamespace

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _conduct, _guards, _override
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages, _options
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _claim, _lease, _lease_timer, _pause, _record
from ansible_collections.aurora.runbook.plugins.modules import service_override

ID = "circuit_breaker-20261124T180000Z-1a2b3c4d"
OPTIONS = {name: spec.get("default") for name, spec in _options.INCIDENT.items()}
INCIDENT = {**OPTIONS, "id": ID, "run": "first-run", "by": "olena", "severity": "P0", "seen": {"severity": "P0"}}
STEP = {"name": "KELLY_MULTIPLIER", "before": "1.0", "after": "0.5", "direction": "reduces"}
TARGET = "aurora-runner.service"


class EndError(Exception):
    """A module that ended."""


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A host's state, where nothing else of the machine is touched."""
    place = str(tmp_path / "state")
    alone = functools.partial(_lease.exclusive, guard=str(tmp_path / "guard"))
    monkeypatch.setattr(_lease_timer, "changing", alone)
    monkeypatch.setattr(_conduct, "Conduct", functools.partial(_conduct.Conduct, state=place))
    return place


def call(work, incident=INCIDENT, check_mode=False, secrets=(), verdict=None):
    """Run an acting module; what it returned, and whether it failed."""
    ended = {}

    def end(failed):
        def how(**result):
            ended.update(result, failed=failed)
            raise EndError

        return how

    module = SimpleNamespace(
        params={"incident": incident, "verdict": verdict},
        check_mode=check_mode,
        exit_json=end(False),
        fail_json=end(True),
    )
    with contextlib.suppress(EndError):
        _conduct.conducted(module, "service_override", work, secrets)
    return ended


def acting(changed, restart=False):
    """A module's work: ask, then change; ``changed`` gets what it changed."""

    def work(_params, conduct):
        refusal = conduct.begin(TARGET, [STEP], restart)
        if refusal:
            return {"changed": False, "verdict": "refused", "done": [refusal]}
        if conduct.check_mode:
            return {"changed": True, "verdict": "would_change"}
        changed.append(TARGET)
        return {"changed": True, "verdict": "recovered", "done": [_messages.sentence("closed_by_run")]}

    return work


def acted_before(state, changed):
    """Another run did the same, and is over."""
    call(acting(changed), {**INCIDENT, "run": "an-earlier-run"})
    _claim.release("an-earlier-run", state)


def entries(state, identity=ID):
    return _record.read(identity, state).entries


def whats(state, identity=ID):
    return [entry.what for entry in entries(state, identity)]


def test_an_intent_is_on_disk_before_the_change_and_its_result_before_the_answer(state):
    at_change = []

    def work(_params, conduct):
        assert conduct.begin(TARGET, [STEP], restart=True) is None
        at_change.extend(whats(state))
        return {"changed": True, "verdict": "recovered", "done": []}

    result = call(work)
    assert (result["failed"], result["verdict"]) == (False, "recovered")
    assert at_change == ["opened", "seen", "intent"]
    intent, done = entries(state)[2:]
    assert intent.data == {
        "action": "service_override",
        "target": TARGET,
        "change": [STEP],
        "restart": True,
        "forced": "",
        "cause": "",
    }
    assert (done.data["intent"], done.data["outcome"], done.data["changed"]) == (intent.seq, "done", True)
    assert (intent.by, intent.run) == ("olena", "first-run")


def test_the_samples_of_a_recovery_are_kept_by_the_hosts_clock(state):
    samples = [{"at": 1.0, "value": 2.0}, {"at": 2.0, "value": None}, {"at": 3.0, "value": 0.0}]
    recovery = {"seconds": 3.0, "metric": "circuit_breaker_state", "samples": samples}

    def work(_params, conduct):
        conduct.begin(TARGET, [STEP])
        return {"changed": True, "verdict": "recovered", "recovery": recovery}

    call(work)
    done = entries(state)[-1].data
    assert done["recovery"] == {"seconds": 3.0, "metric": "circuit_breaker_state"}
    (first, second) = done["samples"]
    assert (first[1], second[1], round(second[0] - first[0], 1)) == (2.0, 0.0, 2.0)


def test_a_long_watch_keeps_at_most_120_samples_from_its_first_to_its_last(state):
    samples = [{"at": float(n), "value": float(n)} for n in range(3000)]
    kept = _conduct._samples({"seconds": 2999.0, "samples": samples}, 1.8e9)
    assert len(kept) <= 120
    assert (kept[0][1] < 60, kept[-1]) == (True, [1.8e9, 2999.0])


def test_nothing_to_do_leaves_no_intent(state):
    call(lambda _params, _conduct: {"changed": False, "verdict": "recovered"})
    assert whats(state) == ["opened", "seen"]


@pytest.mark.parametrize("guard", ["cooldown", "per_hour", "per_day", "ineffective", "min_healthy", "pause"])
def test_a_refusal_is_on_record_and_neither_an_intent_nor_a_change_follows(state, guard):
    changed = []
    acted_before(state, changed)
    before = {
        "cooldown": {},
        "per_hour": {"cooldown_seconds": 0.0, "max_per_hour": 1},
        "per_day": {"cooldown_seconds": 0.0, "max_per_day": 1},
        "ineffective": {"cooldown_seconds": 0.0, "max_ineffective": 1},
        "min_healthy": {"min_healthy": 1, "healthy_peers": 0},
        "pause": {"force": "a pause holds against force too"},
    }[guard]
    if guard == "ineffective":
        _record.append(ID, "intent", {"action": "x", "target": "y", "change": []}, state=state)
        data = {"intent": entries(state)[-1].seq, "outcome": "done", "verdict": "not_recovered"}
        _record.append(ID, "result", data, state=state)
    if guard == "pause":
        _pause.begin("", "olena: mine", state)
    result = call(acting(changed, restart=True), {**INCIDENT, **before})
    assert (result["failed"], result["changed"], result["verdict"]) == (False, False, "refused")
    assert changed == [TARGET]
    last = entries(state)[-1]
    assert (last.what, last.data["guard"]) == ("refused", guard)
    assert last.data["sentence"]["message"] == result["done"][0]["message"]


def test_what_a_person_approved_is_done_though_all_before_it_did_not_help(state):
    """Otherwise CONFIDENCE_THRESHOLD, the last rung of its ladder, could never be tried."""
    for seen in ("a", "b", "c"):
        _record.append(ID, "intent", {"action": "x", "target": "y", "change": [{"name": seen}]}, "r", "", state)
        data = {"intent": entries(state)[-1].seq, "outcome": "done", "verdict": "not_recovered"}
        _record.append(ID, "result", data, "r", "", state)
    current = SimpleNamespace(unit=SimpleNamespace(id=TARGET), lease=None)

    def override(step):
        planned = _override.Plan({}, {}, (step,), changed=True)
        told = []
        call(lambda _params, conduct: told.append(service_override.begin(conduct, current, planned)) or {"changed": 0})
        return told[0] and told[0]["message"]

    assert override(_override.Step("CALIBRATION_DAYS", "30", "90", "neutral")) == "guard_ineffective"
    assert override(_override.Step("CONFIDENCE_THRESHOLD", "0.9", "0.8", "increases")) is None
    assert entries(state)[-2].data["change"][0]["name"] == "CONFIDENCE_THRESHOLD"


def test_a_guard_of_a_module_is_on_record_before_the_others_and_a_pause_comes_before_it(state):
    own = _guards.refusal("restart_interval", 60.0, target=TARGET, ago=240, limit=300, problem="no answer")

    def work(_params, conduct):
        return {"changed": False, "done": [conduct.begin(TARGET, [STEP], own=own)]}

    call(work, {**INCIDENT, "min_healthy": 1})
    assert (entries(state)[-1].data["guard"], entries(state)[-1].data["allowed_in"]) == ("restart_interval", 60.0)
    _pause.begin("", "olena: mine", state)
    call(work)
    assert entries(state)[-1].data["guard"] == "pause"


def test_the_same_cure_for_the_same_cause_is_refused_in_the_fourth_incident_of_a_day(state):
    """Each recovered and was closed, so that no incident of them knows of another one."""
    changed = []

    def incident(number, **more):
        identity = f"{ID[:-1]}{number}"
        options = {"id": identity, "run": f"run-number-{number}", "cause": "wide_spreads", "last": True}
        return {**INCIDENT, "cooldown_seconds": 0.0, **options, **more}

    for number in range(3):
        assert call(acting(changed), incident(number))["verdict"] == "recovered"
    assert call(acting(changed), incident(3), check_mode=True)["verdict"] == "refused"
    (refused,) = call(acting(changed), incident(4))["done"]
    times = [_record.read(f"{ID[:-1]}{n}", state).last("intent").at for n in range(3)]
    assert refused["values"]["times"] == ", ".join(times)
    assert (refused["message"], refused["values"]["cause"]) == ("guard_same_cure", "wide_spreads")
    fourth = _record.read(f"{ID[:-1]}4", state)
    assert fourth.open  # and so it pages, with that sentence
    assert fourth.last("refused").data["sentence"]["message"] == "guard_same_cure"
    assert len(changed) == 3

    _claim.release("run-number-4", state)
    assert call(acting(changed), incident(5, cause="rate_limit"))["verdict"] == "recovered"
    assert call(acting(changed), incident(6, force="the exchange mends it"))["verdict"] == "recovered"
    assert call(acting(changed), None)["verdict"] == "recovered"  # a person's own call
    assert [entry.data["cause"] for entry in entries(state, fourth.id) if entry.what == "intent"] == ["rate_limit"]
    assert _record.read(f"{ID[:-1]}6", state).last("intent").data["forced"] == "the exchange mends it"


def test_force_acts_against_the_guards_and_its_reason_is_on_record(state):
    changed = []
    acted_before(state, changed)
    forced = {**INCIDENT, "force": "the exchange confirmed", "min_healthy": 5}
    assert call(acting(changed, restart=True), forced)["verdict"] == "recovered"
    assert len(changed) == 2
    assert [entry.data["forced"] for entry in entries(state) if entry.what == "intent"] == [
        "",
        "the exchange confirmed",
    ]


def test_without_room_for_the_record_nothing_is_changed(state, monkeypatch):
    monkeypatch.setattr(_record, "MAX_FILE", 1200)
    monkeypatch.setattr(_record, "RESERVE", 0)
    changed = []
    result = call(acting(changed), {**INCIDENT, "force": "x" * 400})
    assert result["failed"]
    assert "is full" in result["msg"]
    assert (changed, whats(state)) == ([], ["opened", "seen"])


def test_a_failure_is_on_record_with_its_reason_and_without_secrets(state):
    def work(_params, conduct):
        conduct.begin(TARGET, [STEP])
        raise RunbookError("the feed answered 500: tea-for-two")

    result = call(work, secrets=("tea-for-two",))
    done = entries(state)[-1].data
    assert (result["failed"], done["outcome"], done["problem"]) == (True, "failed", "the feed answered 500: ***")
    assert "tea-for-two" not in result["msg"]


def test_a_failure_that_cannot_be_put_on_record_says_both(state, monkeypatch):
    def work(_params, conduct):
        conduct.begin(TARGET, [STEP])
        monkeypatch.setattr(_record, "MAX_FILE", 0)
        raise RunbookError("the service did not come up")

    message = call(work)["msg"]
    assert "the service did not come up" in message
    assert "could not be put on record" in message


def test_a_result_that_cannot_be_put_on_record_says_what_stands(state, monkeypatch):
    def work(_params, conduct):
        conduct.begin(TARGET, [STEP])
        monkeypatch.setattr(_record, "MAX_FILE", 0)
        return {"changed": True, "verdict": "recovered", "done": []}

    result = call(work)
    assert result["failed"]
    assert f"{TARGET} (KELLY_MULTIPLIER 1.0 → 0.5) was done and stays in effect, verdict recovered" in result["msg"]


def test_another_run_is_told_who_works_here_and_changes_nothing(state):
    _claim.take("another-run", "petro", ID, _stamps.clock(), state)
    since = _claim.load(state).since
    changed = []
    for incident in (INCIDENT, None):
        result = call(acting(changed), incident)
        assert (result["failed"], result["changed"], result["verdict"]) == (False, False, "refused")
        assert result["done"][0]["message"] == "held"
        assert all(part in result["message"] for part in ("petro", ID, since))
    assert (changed, sorted(os.listdir(state))) == ([], ["claim.json", "claim.json.guard"])


def test_a_person_takes_a_host_over_with_a_reason_which_is_on_record(state):
    _claim.take("another-run", "petro", ID, _stamps.clock(), state)
    changed = []
    forced = {**INCIDENT, "force": "petro's laptop asks again and again"}
    result = call(acting(changed), forced)
    assert (result["verdict"], result["done"][0]["message"], changed) == ("recovered", "taken_over", [TARGET])
    note = _record.read(ID, state).last("note")
    assert (note.by, forced["force"] in note.data["text"], "petro" in note.data["text"]) == ("olena", True, True)
    assert call(acting(changed), forced)["done"][0]["message"] != "taken_over"  # it is its own by now
    assert call(acting(changed), {**INCIDENT, "run": "another-run"})["verdict"] == "refused"


def test_an_incident_is_open_while_a_run_on_another_one_keeps_the_host(state):
    """A breaker that opens while somebody waits for a latency has a clock, and pages L1 at once."""
    other = ID.replace("circuit_breaker", "execution_latency")
    _claim.take("another-run", "petro", other, _stamps.clock(), state)
    changed = []
    assert call(acting(changed))["verdict"] == "refused"
    assert (changed, whats(state)) == ([], ["opened", "seen", "refused"])
    assert entries(state)[-1].data["guard"] == "held"
    ended = call(lambda _params, conduct: {"changed": False, **conduct.close("refused")[0]}, verdict="refused")
    assert [(one["id"], one["open"]) for one in ended["incidents"]] == [(ID, True)]
    assert (ended["done"][0]["message"], whats(state)[3:]) == ("held", ["verdict"])
    assert _claim.held(_stamps.clock(), state).holder == "petro"
    checked = call(acting(changed), check_mode=True)
    assert (checked["verdict"], len(whats(state))) == ("would_change", 4)


def test_who_works_here_is_told_also_when_the_incident_cannot_be_put_on_record(state):
    other = ID.replace("circuit_breaker", "execution_latency")
    _claim.take("another-run", "petro", other, _stamps.clock(), state)
    os.makedirs(_record.path(ID, state))
    result = call(acting([]))
    assert (result["failed"], result["verdict"]) == (False, "refused")
    assert [sentence["message"] for sentence in result["done"]] == ["not_on_record", "held"]


def test_a_run_keeps_the_host_until_it_says_that_it_is_over(state):
    call(acting([]))
    assert _claim.held(_stamps.clock(), state).token == INCIDENT["run"]
    call(lambda _params, conduct: {"changed": False, "closed": conduct.close("escalated")[0]})
    assert _claim.held(_stamps.clock(), state) is None
    assert _record.open_names(state) == [ID]


def test_the_action_that_cured_it_ends_the_run_here_where_nothing_is_to_follow(state):
    result = call(acting([]), {**INCIDENT, "last": True})
    assert whats(state) == ["opened", "seen", "intent", "result", "verdict", "closed"]
    assert (result["closed"]["id"], result["closed"]["open"], result["closed"]["verdict"]) == (ID, False, "recovered")
    assert _claim.held(_stamps.clock(), state) is None


@pytest.mark.parametrize("verdict", ["not_recovered", "unknown", "approval_needed", "escalated"])
def test_an_action_that_did_not_cure_it_never_ends_the_run(state, verdict):
    result = call(lambda _params, _conduct: {"changed": False, "verdict": verdict}, {**INCIDENT, "last": True})
    assert "closed" not in result
    assert _record.open_names(state) == [ID]
    assert _claim.held(_stamps.clock(), state).token == INCIDENT["run"]


def test_a_cure_whose_end_cannot_be_put_on_record_is_a_cure_all_the_same(state, monkeypatch):
    append = _record.append

    def without_room(identity, what, *rest):
        if what == "verdict":
            raise RunbookError("no space left on device")
        return append(identity, what, *rest)

    monkeypatch.setattr(_record, "append", without_room)
    result = call(acting([]), {**INCIDENT, "last": True})
    assert (result["failed"], result["verdict"], "closed" in result) == (False, "recovered", False)
    assert _record.open_names(state) == [ID]


def test_a_run_that_met_what_nobody_knows_the_end_of_leaves_the_incident_open_for_a_person(state):
    cut_off = {"action": "log_rotation", "target": "/logs", "change": []}
    _record.append(ID, "opened", {}, "an-earlier-run", "petro", state)
    _record.append(ID, "intent", cut_off, "an-earlier-run", "petro", state)
    result = call(acting([]), {**INCIDENT, "last": True})
    assert [sentence["message"] for sentence in result["done"]][:1] == ["left_unknown"]
    assert ("closed" in result, _record.open_names(state)) == (False, [ID])
    _record.append(ID, "intent", cut_off, "an-earlier-run", "petro", state)
    call(lambda _params, conduct: {"changed": False, "incident": conduct.close("recovered")[0]})
    last = entries(state)[-1]
    assert (last.what, last.data["verdict"], last.open) == ("verdict", "escalated", True)


def test_a_run_that_goes_on_after_its_own_end_opens_the_incident_again(state):
    call(acting([]), {**INCIDENT, "last": True})
    call(lambda _params, conduct: {"changed": False, "closed": conduct.close("escalated")[0]})
    assert whats(state)[-3:] == ["closed", "reopened", "verdict"]
    assert _record.open_names(state) == [ID]


def test_a_run_does_not_open_again_what_a_person_closed_meanwhile(state):
    call(lambda _params, _conduct: {"changed": False})
    _record.append(ID, "closed", {"verdict": "closed"}, by="olena", state=state)
    call(lambda _params, _conduct: {"changed": False})
    assert whats(state) == ["opened", "seen", "closed"]


def test_a_person_meets_no_guards_and_is_on_record_and_leaves_the_host_free(state, monkeypatch):
    monkeypatch.setenv("SUDO_USER", "petro")
    changed = []
    for _ in range(3):
        assert call(acting(changed, restart=True), None)["verdict"] == "recovered"
    assert len(changed) == 3
    (name,) = _record.names(state)
    assert name.startswith("none-")
    assert whats(state, name) == ["intent", "result"] * 3
    assert {entry.by for entry in entries(state, name)} == {"petro"}
    assert _record.open_names(state) == []
    assert _claim.held(_stamps.clock(), state) is None


def test_a_change_is_never_made_in_a_closed_incident(state):
    """Another run closed it after this one had looked: what did not help then would page nobody."""
    changed = []
    acted_before(state, changed)
    _record.append(ID, "closed", {"verdict": "recovered"}, state=state)
    late = {**INCIDENT, "seen": {"open": [ID]}, "run": "looked-before"}
    refused = call(acting(changed), {**late, "run": "another-one"})
    assert (refused["verdict"], _record.open_names(state)) == ("refused", [])  # by the cooldown: nothing to page for
    _claim.release("another-one", state)
    call(acting(changed), {**late, "cooldown_seconds": 0.0})
    assert whats(state)[-3:] == ["reopened", "intent", "result"]
    assert _record.open_names(state) == [ID]


@pytest.mark.parametrize("incident", [INCIDENT, None])
def test_a_host_that_somebody_else_changes_is_left_free_by_a_persons_call(state, tmp_path, incident):
    with _lease.exclusive("the timer", guard=str(tmp_path / "guard")):
        result = call(acting([]), incident)
    assert (result["failed"], result["verdict"]) == (False, "refused")
    assert result["done"][0]["values"]["by"] == "the timer"
    assert (_claim.held(_stamps.clock(), state) is None) == (incident is None)


@pytest.mark.parametrize("incident", [INCIDENT, None])
def test_check_mode_asks_the_guards_and_writes_nothing_at_all(state, incident):
    changed = []
    assert call(acting(changed), incident, check_mode=True)["verdict"] == "would_change"
    assert not os.path.exists(state)
    acted_before(state, changed)
    before = {name: os.stat(os.path.join(state, name)).st_mtime_ns for name in os.listdir(state)}
    checked = call(acting(changed), incident, check_mode=True)
    assert checked["verdict"] == ("refused" if incident else "would_change")
    assert {name: os.stat(os.path.join(state, name)).st_mtime_ns for name in os.listdir(state)} == before
    assert len(changed) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "../../etc/passwd"},
        {"run": "short"},
        {"run": "with space in it"},
        {"run": "a" * 65},
        {"cooldown_seconds": -1.0},
        {"max_per_hour": 0},
        {"max_per_day": 1001},
        {"max_ineffective": 0},
        {"healthy_peers": -1},
        {"min_healthy": 10001},
        {"age_seconds": float("nan")},
        {"seen": {"any": ["thing"]}},
        {"seen": {"open": ID}},
        {"seen": {"open": [7]}},
        {"seen": {"open": ["../../etc/passwd"]}},
        {"alert": {"fingerprint": ["x"]}},
        {"silence": {"until": {}}},
        {"silence": {"more": "x"}},
    ],
)
def test_options_out_of_range_are_refused_and_leave_nothing(state, wrong):
    changed = []
    result = call(acting(changed), {**INCIDENT, **wrong})
    assert result["failed"]
    assert next(iter(wrong)) in result["msg"] or "is not the id of an incident" in result["msg"]
    assert (changed, os.path.exists(state)) == ([], False)


def test_what_a_killed_run_finished_counts_for_the_guards_of_the_next(state):
    cut_off = {"action": "service_override", "target": TARGET, "change": [{**STEP, "after": "1.0", "leased": False}]}
    _record.append(ID, "intent", cut_off, "dead-run", "petro", state)
    changed = []
    result = call(acting(changed))
    assert (result["verdict"], changed) == ("refused", [])
    assert [sentence["message"] for sentence in result["done"]] == ["left_finished", "guard_cooldown"]


def test_an_action_that_was_cut_off_is_told_by_the_next_one(state):
    _record.append(
        ID, "intent", {"action": "log_rotation", "target": "/logs", "change": []}, "dead-run", "petro", state
    )
    result = call(acting([]))
    assert [sentence["message"] for sentence in result["done"]] == ["left_unknown", "closed_by_run"]
    assert _record.read(ID, state).unfinished == []


@pytest.mark.parametrize(
    ("options", "may"),
    [
        ({}, True),
        ({"min_healthy": 1, "healthy_peers": 1}, True),
        ({"min_healthy": 1, "healthy_peers": 0}, False),
        ({"min_healthy": 1, "healthy_peers": None}, False),
        ({"min_healthy": 1, "healthy_peers": 0, "force": "the disk is full"}, True),
    ],
)
def test_a_last_resort_asks_how_many_others_serve(state, options, may):
    assert _conduct.Conduct("log_rotation", {**INCIDENT, **options}, False).may_restart() is may
    assert _conduct.Conduct("log_rotation", None, False).may_restart()


@pytest.mark.parametrize(
    ("ended", "severities"),
    [
        (0.981, [("P2", "P0")]),  # 99.8 % became 98 %
        (0.9985, []),
        (None, []),
        (1.0, []),
    ],
)
def test_an_incident_that_became_worse_while_it_was_watched_has_the_worse_deadlines(state, ended, severities):
    sse = {**INCIDENT, "id": ID.replace("circuit_breaker", "sse_availability"), "severity": "P2"}
    recovery = {"seconds": 3.0, "metric": "sse:availability_ratio:5m", "value": ended, "threshold": 0.999}

    def work(_params, conduct):
        conduct.begin(TARGET, [STEP])
        return {"changed": True, "verdict": "not_recovered", "recovery": recovery}

    call(work, sse)
    lines = [entry.data for entry in entries(state, sse["id"]) if entry.what == "severity"]
    assert [(line["from"], line["to"]) for line in lines] == severities


@pytest.mark.parametrize(
    ("message", "stands", "is_open"),
    [
        ("lease_stays", True, True),
        ("lease_stays", False, False),
        ("lease_kept", True, False),
        ("lease_over", True, False),
    ],
)
def test_an_incident_stays_open_while_a_lease_stands_whose_end_did_not_come(state, message, stands, is_open):
    """Otherwise the page about a raise that stands is forgotten with the next healthy look."""
    call(acting([]))
    if stands:
        lease = _lease.Lease("service_override", TARGET, "active", {"A": None}, {"A": "1"}, "2026-11-24", "olena")
        _lease.save(lease, state)
    ended = {"name": TARGET, "outcome": "kept", "sentence": {"message": message, "values": {}}}
    _record.append(ID, "lease_ended", ended, state=state)
    _record.append(ID, "lease_ended", {"cut": True}, state=state)
    call(lambda _params, conduct: conduct.close("recovered") and {"changed": False})
    assert _record.read(ID, state).open == is_open
