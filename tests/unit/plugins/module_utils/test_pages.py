# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a page or a tick's overview says less, or something else, than what the hosts have on record."""

from __future__ import annotations

from ansible_collections.aurora.runbook.plugins.module_utils import _pages

ID = "circuit_breaker-20261124T030000Z-0a1b2c3d"
SEEN = {
    "severity": "P0",
    "indicator": {"name": "circuit_breaker", "metric": "circuit_breaker_state", "value": 2.0, "threshold": 2},
    "causes": [{"cause": "wide_spreads", "weight": 1.0, "evidence": []}],
}
KELLY = {"name": "KELLY_MULTIPLIER", "before": "1.0", "after": "0.5", "direction": "reduces"}


def entries(*lines):
    return [
        {"seq": number + 1, "run": run, "what": what, "data": data} for number, (run, what, data) in enumerate(lines)
    ]


RECORDED = entries(
    ("r1", "opened", {"severity": "P0"}),
    ("r1", "seen", SEEN),
    ("r1", "intent", {"action": "service_override", "target": "aurora-runner.service", "change": [KELLY]}),
    ("r1", "result", {"intent": 3, "outcome": "done", "verdict": "not_recovered"}),
    ("r1", "refused", {"guard": "approval", "sentence": {"message": "x", "values": {"knobs": "spread_threshold"}}}),
    ("r1", "verdict", {"verdict": "approval_needed"}),
)


def read(age=10.0, levels=None, is_open=True, lines=RECORDED):
    incident = {
        "id": ID,
        "incident": "circuit_breaker",
        "open": is_open,
        "opened": "2026-11-24T03:00:00.000Z",
        "age_seconds": age,
        "severity": "P0",
        "acknowledged": None,
        "levels": levels or {},
        "entries": lines,
    }
    return {"incidents": [incident], "leases": []}


def test_a_page_for_each_level_that_is_due_and_none_for_what_was_paged():
    hosts = {"aurora1": read(7300.0, {"L1": {"state": "paged", "at": "x", "age_seconds": 7200}}), "aurora2": read()}
    pages = _pages.due("en", hosts)
    assert [page["level"] for page in pages] == ["L2", "L3"]
    assert {(page["owner"], tuple(page["hosts"])) for page in pages} == {("aurora1", ("aurora1", "aurora2"))}
    assert [page["key"] for page in pages] == [f"{ID}-L2", f"{ID}-L3"]


def test_what_is_closed_or_cannot_be_read_pages_nobody():
    assert _pages.due("en", {"aurora1": read(is_open=False), "aurora2": {"unreachable": True, "msg": "no route"}}) == []


def test_a_page_says_what_was_found_tried_and_proposed():
    (page,) = _pages.due("en", {"aurora1": read()})
    for part in ("circuit_breaker_state is 2", "wide_spreads", "KELLY_MULTIPLIER 1.0 → 0.5", "spread_threshold"):
        assert part in page["body"]


def test_a_proposal_of_an_earlier_run_is_not_proposed_again():
    later = [*RECORDED, *entries(("r2", "verdict", {"verdict": "escalated"}))]
    assert _pages.about("aurora1", read(lines=later), ID)["proposed"] == []


def test_the_overview_names_who_was_not_reached_and_hosts_that_were_not_read():
    sent = [{"key": f"{ID}-L1", "sent": [], "unsent": [{"channel": "mail", "problem": "refused"}]}]
    lines = "\n".join(_pages.overview("en", {"aurora1": read(), "aurora2": {"msg": "no route"}}, sent))
    assert all(part in lines for part in (ID, "NOT reached: mail: refused", "aurora2: its record cannot be read"))


def test_the_overview_of_nothing_says_so_in_ukrainian_too():
    assert _pages.overview("uk", {"aurora1": {"incidents": [], "leases": []}}, []) == ["відкритих інцидентів немає"]
