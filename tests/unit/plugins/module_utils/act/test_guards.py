# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, automation restarts a trading host again and again, or holds back without a reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _guards
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record
from hypothesis import given
from hypothesis import strategies as st

ID, OTHER = "circuit_breaker-20261124T180000Z-1a2b3c4d", "sse_availability-20261124T180000Z-1a2b3c4d"
BOOT = "0b0e7c3e-9d54-4a6c-a9a0-d6f5a4a3c6a1"
NOW = _stamps.Clock(1.8e9, BOOT, 100000.0)
KELLY = _guards.Action("service_override", "aurora-runner.service", ("KELLY_MULTIPLIER",), ID)
SLOW = replace(KELLY, what=("DECISIONS_PER_MINUTE",))
LIMITS = _guards.Limits(cooldown_seconds=1500.0, max_per_hour=6, max_per_day=20, max_ineffective=3, min_healthy=0)
WIDE = _guards.Limits(cooldown_seconds=0.0, max_per_hour=1000, max_per_day=1000, max_ineffective=100)


STAMP = _stamps.stamp(1.8e9)


def objection(past, limits=LIMITS, wanted=KELLY, restart=False, healthy_peers=None, approved=False):
    past = sorted(past, key=lambda action: action.age)
    return _guards.objection(limits, past, wanted, restart, healthy_peers, approved)


def some(count, age, **more):
    """So many actions, none like the one that is wanted."""
    return [replace(KELLY, what=(f"OTHER_{n}",), incident=OTHER, age=age + n, **more) for n in range(count)]


def check(refusal, guard, allowed_in, *figures):
    assert (refusal.guard, refusal.allowed_in) == (guard, allowed_in)
    text = refusal.sentence["text"]
    assert all(figure in text for figure in (f"guard {guard}", "aurora_force=REASON", *figures)), text
    uk = _messages.say("uk", refusal.sentence["message"], **refusal.sentence["values"])
    assert guard in uk
    assert "{" not in uk


def test_nothing_done_before_is_no_reason_to_hold_back():
    assert objection([], restart=True) is None


def test_cooldown_the_same_action_again_too_soon():
    check(objection([replace(KELLY, age=1499.0)]), "cooldown", 1.0, "1499 s ago", "1500 s", "in 1 min")
    check(objection([replace(KELLY, age=120.0)]), "cooldown", 1380.0, "120 s ago", "in 23 min", "KELLY_MULTIPLIER")
    assert objection([replace(KELLY, age=1500.0)]) is None


@pytest.mark.parametrize(
    "other",
    [
        replace(KELLY, what=("DECISIONS_PER_MINUTE",)),
        replace(KELLY, target="aurora-live-feed.service"),
        replace(KELLY, action="service_restart"),
    ],
)
def test_cooldown_is_of_one_action_on_one_target(other):
    assert objection([other]) is None


def test_cooldown_counts_from_the_latest_also_for_another_incident():
    past = [replace(KELLY, age=9000.0), replace(KELLY, age=900.0, incident=OTHER)]
    check(objection(past), "cooldown", 600.0, "900 s ago", "in 10 min")


def test_per_hour():
    assert objection(some(5, 100)) is None
    check(objection(some(6, 100)), "per_hour", 3600 - 105.0, "6 actions", "the limit is 6", "in 59 min")
    check(objection(some(8, 100)), "per_hour", 3600 - 105.0, "8 actions", "the limit is 6")
    assert objection([*some(5, 100), *some(1, 3600)]) is None


def test_per_day():
    assert objection(some(19, 4000)) is None
    check(objection(some(20, 4000)), "per_day", 86400 - 4019.0, "20 actions", "the limit is 20", "in 1374 min")
    assert objection([*some(19, 4000), *some(1, 86400)]) is None


def test_ineffective_three_actions_that_did_not_help_are_enough():
    chain = [replace(SLOW, age=4000.0 + n, verdict="not_recovered") for n in range(3)]
    check(objection(chain), "ineffective", None, "last 3 actions", "the limit is 3", "a person has to look")
    assert objection(chain[:2]) is None
    assert objection([replace(chain[0], incident=OTHER), *chain[1:]]) is None


def test_ineffective_one_that_helped_ends_the_chain_and_one_that_nobody_watched_does_not():
    chain = [replace(SLOW, age=4000.0 + n, verdict="not_recovered") for n in range(4)]
    assert objection([chain[0], replace(chain[1], verdict="recovered"), *chain[2:]]) is None
    unwatched = [replace(SLOW, age=3700.0, verdict=""), *chain]
    assert objection(unwatched).guard == "ineffective"


@pytest.mark.parametrize("unclear", [{"verdict": "unknown"}, {"cut_off": True}])
def test_ineffective_what_nobody_knows_the_effect_of_did_not_help(unclear):
    """Otherwise runs without an answer would go on and on, and nobody would be called."""
    chain = [replace(SLOW, age=4000.0 + n, **unclear) for n in range(3)]
    check(objection(chain), "ineffective", None, "last 3 actions")
    assert objection(chain[:2]) is None
    assert objection([replace(SLOW, age=3999.0, verdict="recovered"), *chain]) is None
    assert objection([chain[0], replace(chain[1], verdict="not_recovered", cut_off=False), chain[2]])


CURED = replace(KELLY, verdict="recovered", cause="wide_spreads")
WANTED = replace(KELLY, cause="wide_spreads")


def cures(count, *changes):
    """The same cure so often within a day, each in an incident of its own that recovered; some of them changed."""
    done = [
        replace(CURED, age=20000.0 * (n + 1), incident=f"{ID[:-1]}{n}", at=f"2026-11-24T0{9 - n}:00:00Z")
        for n in range(count)
    ]
    return [replace(one, **change) for one, change in zip(done, [*changes, *[{}] * count])]


def test_same_cure_what_comes_back_again_and_again_is_no_cure_and_the_times_are_told():
    """A recovery that does not last is a new incident each time, so the chain of a single one would never stop it."""
    check(
        objection(cures(3), wanted=WANTED), "same_cure", None, "3 times", "wide_spreads", "T07:00:00Z", "the limit is 3"
    )
    text = objection(cures(3), wanted=WANTED).sentence["text"]
    assert text.index("T07:00") < text.index("T08:00") < text.index("T09:00")
    assert objection(cures(2), wanted=WANTED) is None
    assert objection(cures(4), replace(LIMITS, max_same_cure=5), wanted=WANTED) is None


@pytest.mark.parametrize(
    "change",
    [{"verdict": "unknown"}, {"verdict": "not_recovered"}, {"verdict": "", "cut_off": True}, {"verdict": ""}],
)
def test_same_cure_counts_however_it_ended(change):
    assert objection(cures(3, change), wanted=WANTED).guard == "same_cure"


@pytest.mark.parametrize(
    "change",
    [
        {"age": 86400.0},
        {"cause": "rate_limit"},
        {"cause": ""},
        {"what": ("DECISIONS_PER_MINUTE",)},
        {"target": "aurora-live-feed.service"},
        {"action": "service_restart"},
    ],
)
def test_same_cure_is_one_action_on_one_target_for_one_cause_within_a_day(change):
    assert objection(cures(3, change), wanted=WANTED) is None


def test_same_cure_holds_nothing_back_whose_cause_nobody_named_or_that_a_person_approved():
    assert objection(cures(9, *[{"cause": ""}] * 9), WIDE) is None
    assert objection(cures(3), wanted=WANTED, approved=True) is None


def test_ineffective_what_a_person_approved_is_that_persons_decision_and_the_other_guards_stand():
    """Otherwise the last rung of a ladder could never be climbed, since all before it did not help."""
    chain = [replace(SLOW, age=4000.0 + n, verdict="not_recovered") for n in range(3)]
    assert objection(chain).guard == "ineffective"
    assert objection(chain, approved=True) is None
    assert objection([*chain, replace(KELLY, age=100.0)], approved=True).guard == "cooldown"
    assert objection([*chain, *some(6, 100)], approved=True).guard == "per_hour"
    assert objection([*chain, *some(20, 4000)], approved=True).guard == "per_day"
    assert objection(chain, replace(LIMITS, min_healthy=1), restart=True, approved=True).guard == "min_healthy"


@pytest.mark.parametrize(("healthy", "seen"), [(1, "1 of"), (0, "0 of"), (None, "? of")])
def test_min_healthy_a_host_is_not_restarted_when_too_few_peers_serve(healthy, seen):
    limits = replace(LIMITS, min_healthy=2)
    refusal = objection([], limits, restart=True, healthy_peers=healthy)
    check(refusal, "min_healthy", None, seen, "of the 2 that", "aurora-runner.service")
    assert objection([], limits, restart=False, healthy_peers=healthy) is None


def test_min_healthy_enough_peers_and_none_wanted():
    assert objection([], replace(LIMITS, min_healthy=2), restart=True, healthy_peers=2) is None
    assert objection([], LIMITS, restart=True, healthy_peers=None) is None


@given(st.lists(st.floats(0, 100000), max_size=30), st.integers(1, 8), st.integers(1, 20))
def test_when_a_guard_says_it_would_allow_it_does_and_not_before(ages, per_hour, per_day):
    """The oracle: the same question asked later, when nothing else was done meanwhile."""
    limits = replace(WIDE, cooldown_seconds=1500.0, max_per_hour=per_hour, max_per_day=per_day)
    past = sorted((replace(KELLY, age=age) for age in ages), key=lambda action: action.age)
    refusal = objection(past, limits)
    if refusal is None:
        return
    assert 0 < refusal.allowed_in <= 86400
    later = [replace(action, age=action.age + refusal.allowed_in + 0.01) for action in past]
    after = objection(later, limits)
    assert after is None or after.guard != refusal.guard
    earlier = [replace(action, age=action.age + refusal.allowed_in * 0.9) for action in past]
    assert objection(earlier, limits) is not None


# What was done, from the record


def entry(seq, what, data, up=0.0):
    return _record.Entry(seq, "", _stamps.stamp(1.8e9), BOOT, NOW.up - up, "olena", "run", True, what, data)


INTENT = {"action": "service_override", "target": "x.service", "change": [{"name": "B"}, {"name": "A"}]}


def history(*outcomes):
    entries = []
    for number, (outcome, verdict) in enumerate(outcomes):
        entries.append(entry(2 * number + 1, "intent", INTENT, 1000.0 - number))
        if outcome:
            data = {"intent": 2 * number + 1, "outcome": outcome, "verdict": verdict}
            entries.append(entry(2 * number + 2, "result", data, 900.0 - number))
    return _guards.history([_record.Record(ID, tuple(entries))], NOW)


def test_what_was_done_is_read_from_the_record_the_latest_first():
    done = history(("done", "recovered"), ("finished", None))
    assert done == [
        _guards.Action("service_override", "x.service", ("A", "B"), ID, 900.0, "recovered", at=STAMP),
        _guards.Action("service_override", "x.service", ("A", "B"), ID, 999.0, "", at=STAMP),  # settled later
    ]


def test_what_an_incident_did_before_it_moved_counts_for_the_one_it_goes_on_as():
    """Otherwise joining another host's incident would allow three more actions that do not help."""
    earlier = ID.replace("20261124", "20261123")
    lines = [
        entry(1, "intent", INTENT),
        entry(2, "result", {"intent": 1, "outcome": "done", "verdict": "not_recovered"}),
    ]
    left = replace(entry(3, "moved", {"to": earlier}), open=False)
    (done,) = _guards.history([_record.Record(earlier), _record.Record(ID, (*lines, left))], NOW)
    assert (done.incident, done.verdict) == (earlier, "not_recovered")


def test_what_was_never_done_does_not_count_and_what_failed_did_not_help():
    assert history((None, None), ("undone", None)) == []
    assert [action.verdict for action in history(("failed", None))] == ["not_recovered"]


def test_what_nobody_knows_the_end_of_counts_for_the_budgets_and_holds_no_second_try_back():
    """Otherwise a controller that dies in each run would act without an end, or a host would wait for nothing."""
    (unknown,) = history(("unknown", None))
    again = _guards.Action(unknown.action, unknown.target, unknown.what, ID)
    assert objection([unknown], wanted=again) is None
    assert objection([replace(unknown, cut_off=False)], wanted=again).guard == "cooldown"
    assert objection([unknown] * 6, wanted=again).guard == "per_hour"


def test_the_cause_of_an_action_is_read_from_its_intent_and_records_of_earlier_versions_name_none():
    said = [entry(1, "intent", {**INTENT, "cause": "dns"}), entry(2, "result", {"intent": 1, "outcome": "done"})]
    (done,) = _guards.history([_record.Record(ID, tuple(said))], NOW)
    assert (done.cause, done.at) == ("dns", STAMP)
    assert history(("done", None))[0].cause == ""


def test_lines_that_make_no_sense_are_passed_over():
    odd = [entry(1, "result", {"intent": 9, "outcome": "done"}), entry(2, "intent", {}), entry(3, "result", {})]
    assert _guards.history([_record.Record(ID, tuple(odd))], NOW) == []


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ({"name": "model"}, "model"),
        ({"name": "model", "days": 90.0}, "model days=90"),
        ({"name": "model", "days": "{{ 7 }}"}, "model"),  # a line that somebody edited
    ],
)
def test_a_refit_to_other_days_is_another_action_and_records_of_earlier_versions_mean_what_they_meant(step, name):
    assert _guards.what([step]) == (name,)
