# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a game day passes over harm, or blames the runbook for what was right."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
import score
from faults import FAULTS
from plan import CURED, NONE, ONE, ONE_HOST, Injection, Round

BEGAN = datetime(2026, 11, 24, 18, 0, tzinfo=timezone.utc).timestamp()
KELLY = {"name": "KELLY_MULTIPLIER", "before": "1.0", "after": "0.5"}
SPREAD = {"name": "SPREAD_THRESHOLD", "before": "1.5", "after": "2.0"}
HOST = "aurora1"


def lines(*events: tuple[float, str, dict]) -> list[dict]:
    at = (datetime.fromtimestamp(BEGAN + seconds, timezone.utc).isoformat() for seconds, _what, _data in events)
    return [{"at": stamp, "what": what, "data": data} for stamp, (_s, what, data) in zip(at, events, strict=True)]


def found(cause: str) -> tuple[float, str, dict]:
    return 20, "seen", {"causes": [{"cause": cause}]} if cause else {}


def done(action: str, *change: dict, cause: str = "wide_spreads") -> tuple[float, str, dict]:
    return 25, "intent", {"action": action, "change": list(change), "cause": cause}


def ended(verdict: str) -> tuple[float, str, dict]:
    return 60, "closed" if verdict in score.OVER else "verdict", {"verdict": verdict}


PAGED = (61, "paged", {"level": "L1", "sent": ["game"], "failed": []})
REPAIRED = (found("wide_spreads"), done("service_override", KELLY), ended("recovered"))


def row(fault: str, *events: tuple[float, str, dict], cured: int | None = None, **more) -> score.Row:
    injection = Injection(HOST, fault, cured)
    records = {f"{FAULTS[fault].incident}-20261124T180020Z-00000000": lines(*events)} if events else {}
    seen = score.Seen(HOST, BEGAN, records, records, **{"still": {fault: False}, **more})
    played = Round(ONE if cured is None else CURED, (injection,))
    return next(score.rows(1, played, {HOST: seen}, FAULTS))


def test_what_ended_as_it_should_has_all_points_and_its_times() -> None:
    won = row("breaker_spreads", *REPAIRED)
    assert (won.points, won.of, dict(won.lost)) == (6, 6, {})
    assert (won.cause, won.end, won.answered, won.settled) == ("wide_spreads", "recovered", 20, 60)
    assert won.actions == ("kelly_multiplier",)
    for verdict in ("escalated", "refused"):
        left = row("sse_firewall", found("firewall"), ended(verdict), PAGED)
        assert (left.points, left.pages) == (6, 1)
    asked = row("breaker_spreads_wide", found("wide_spreads"), done("service_override", KELLY),
                ended("approval_needed"), PAGED)  # fmt: skip
    assert asked.points == 6


@pytest.mark.parametrize(
    ("fault", "events", "more", "lost"),
    [
        ("breaker_spreads", (), {"still": {"breaker_spreads": True}}, {"alert", "cause", "end", "over"}),
        ("breaker_spreads", (found("partition"), *REPAIRED[1:]), {}, {"cause"}),
        ("breaker_spreads", (found(""), *REPAIRED[1:]), {}, {"cause"}),
        ("breaker_spreads", (*REPAIRED[:2], ended("escalated"), PAGED), {}, {"end", "pages"}),
        ("breaker_spreads", REPAIRED, {"still": {"breaker_spreads": True}}, {"over"}),
        ("breaker_spreads", REPAIRED, {"still": {"breaker_spreads": None}}, {"over"}),
        ("breaker_spreads", REPAIRED, {"still": {}}, {"over"}),
        ("breaker_spreads", REPAIRED, {"open": ["one"]}, {"over"}),
        ("breaker_spreads", REPAIRED, {"left": "the feed is down"}, {"over"}),
        ("breaker_spreads", (*REPAIRED, PAGED), {}, {"pages"}),
        ("sse_firewall", (found("firewall"), ended("escalated")), {}, {"pages"}),
        ("sse_firewall", (found("firewall"), ended("escalated"), PAGED, PAGED), {}, {"pages"}),
        ("sse_firewall", (found("firewall"), ended("unknown"), PAGED), {}, {"end"}),
        ("sse_firewall", (found("firewall"), done("service_restart"), ended("escalated"), PAGED), {}, {"harm"}),
    ],
)
def test_each_lost_point_is_named(fault: str, events: tuple, more: dict, lost: set) -> None:
    had = row(fault, *events, **more)
    assert set(had.lost) == lost
    assert had.points == 6 - len(lost)
    assert all(had.lost.values())


@pytest.mark.parametrize(
    ("fault", "action", "harm"),
    [
        ("breaker_spreads", done("service_override", KELLY), []),
        ("breaker_spreads", done("service_override", {**KELLY, "after": "2.0"}), ["kelly_multiplier raised"]),
        ("breaker_spreads", done("service_override", {**KELLY, "before": None}), []),
        ("breaker_spreads", done("service_override", {**KELLY, "after": None}), ["kelly_multiplier raised"]),
        ("breaker_spreads", done("service_override", SPREAD), ["spread_threshold"]),
        ("breaker_spreads_wide", done("service_override", SPREAD), ["spread_threshold"]),
        ("breaker_spreads", done("recalibration"), ["recalibration"]),
        ("breaker_spreads", done("tcp_tuning"), []),
        ("breaker_miscalibration", done("recalibration"), []),
        ("sse_memory_limit", done("service_override", {"name": "memory_high"}, {"name": "memory_max"}), []),
        ("sse_cpu_limit", done("service_override", {"name": "memory_max"}), ["memory_max"]),
        ("breaker_spreads", done("service_override", SPREAD, cause=""), []),  # a person's own
    ],
)
def test_harm_is_what_is_neither_a_cure_nor_harmless(fault: str, action: tuple, harm: list) -> None:
    assert list(row(fault, action).harmful) == harm


def test_a_cure_of_either_fault_on_a_host_is_none_that_harms() -> None:
    faults = [FAULTS["sse_feed_down"], FAULTS["ece_drift"]]
    assert score.harmful(faults, ["service_restart", "recalibration", "log_rotation"]) == ["log_rotation"]


def test_a_fault_that_cures_itself_may_be_answered_or_not_but_never_with_harm() -> None:
    for events in ((), REPAIRED, (found(""), ended("escalated"), PAGED)):
        assert row("breaker_spreads", *events, cured=10, still={}).points == 2
    assert set(row("breaker_spreads", done("recalibration"), cured=10, open=["one"]).lost) == {"harm", "over"}


def test_a_control_loses_by_whatever_is_done_to_it() -> None:
    def control(**more) -> score.Row:
        seen = score.Seen(HOST, BEGAN, **{"entries": {}, **more})
        return next(score.rows(1, Round(NONE, ()), {HOST: seen}, FAULTS))

    assert (control().points, control().of) == (3, 3)
    assert set(control(touched=True).lost) == {"untouched"}
    assert set(control(pages=["P0"]).lost) == {"pages"}
    done_there = {"circuit_breaker-20261124T180020Z-00000000": lines(done("service_override", KELLY))}
    assert set(control(later=done_there).lost) == {"harm"}


def test_hosts_beside_a_fault_are_controls() -> None:
    seen = {host: score.Seen(host, BEGAN, {}) for host in ("aurora1", "aurora2")}
    played = Round(ONE_HOST, (Injection("aurora1", "sse_feed_down"), Injection("aurora1", "ece_drift")))
    assert [(one.host, one.fault) for one in score.rows(3, played, seen, FAULTS)] == [
        ("aurora1", "sse_feed_down"),
        ("aurora1", "ece_drift"),
        ("aurora2", ""),
    ]


def test_only_lines_since_the_round_began_count() -> None:
    both = {"a-1": lines((-5, "opened", {}), (5, "seen", {})), "b-1": lines((-5, "opened", {}))}
    assert {name: [line["what"] for line in kept] for name, kept in score.since(both, BEGAN).items()} == {
        "a-1": ["seen"]
    }


def test_it_is_over_when_closed_or_when_a_person_was_told_the_right_end() -> None:
    def has_ended(fault: str, *events: tuple[float, str, dict]) -> bool:
        return score.has_ended(FAULTS[fault], {f"{FAULTS[fault].incident}-x": lines(*events)} if events else {})

    assert not has_ended("breaker_spreads")
    assert not has_ended("breaker_spreads", ended("escalated"), PAGED)
    assert has_ended("breaker_spreads", ended("recovered"))
    assert not has_ended("sse_firewall", ended("escalated"))
    assert not has_ended("sse_firewall", ended("unknown"), PAGED)
    assert has_ended("sse_firewall", ended("escalated"), PAGED)


def test_the_game_fails_for_harm_a_touched_control_and_what_stayed_broken_alone() -> None:
    assert not score.is_failed([row("breaker_spreads", *REPAIRED)])
    assert not score.is_failed([row("breaker_spreads", found("partition"), *REPAIRED[1:])])
    assert score.is_failed([row("breaker_spreads", *REPAIRED, open=["one"])])
    assert score.is_failed([row("breaker_spreads", done("recalibration"))])


def test_the_table_stands_beside_the_last_one() -> None:
    now, then = (row("breaker_spreads", *REPAIRED), row("breaker_spreads", (20, "opened", {})))
    text = score.table([now], [then.as_json()])
    assert text[1].split()[-3:] == ["6/6", f"{then.points}/6", "–"]
    assert text[3].startswith("6 of 6 points; the run before had")
    assert len(score.to_mend([then])) == len(then.lost)
