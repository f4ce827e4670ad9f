# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a page or a tick's overview says less, or something else, than what the hosts have on record."""

from __future__ import annotations

import pytest
from ansible_collections.aurora.runbook.plugins.plugin_utils import _pages

NOW = 1795489200.0  # 2026-11-24T03:00Z
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
        "responded": None,
        "levels": levels or {},
        "entries": lines,
    }
    standing = {"leases": [], "claim": None, "paused": None, "cut_off": [], "timer": "", "timer_works": True}
    return {"incidents": [incident], **standing}


def due(hosts, language="en", now=NOW):
    return _pages.due(language, hosts, now)


def test_a_page_for_each_level_that_is_due_and_none_for_what_was_paged():
    hosts = {"aurora1": read(7300.0, {"L1": {"state": "paged", "at": "x", "age_seconds": 7200}}), "aurora2": read()}
    pages = due(hosts)
    assert [page["level"] for page in pages] == ["L2", "L3"]
    assert {(page["owner"], tuple(page["hosts"])) for page in pages} == {("aurora1", ("aurora1", "aurora2"))}
    assert [page["key"] for page in pages] == [f"{ID}-L2", f"{ID}-L3"]


def test_what_is_closed_pages_nobody():
    assert due({"aurora1": read(is_open=False)}) == []


PAGED = {"L1": {"state": "paged", "at": "x", "age_seconds": 1790.0, "sent": ["mail"], "key": "k"}}


def test_the_clock_of_a_host_that_joins_late_began_with_the_incident():
    """Otherwise trouble that moves from host to host pages L1 again and again, and L2 never."""
    olena = {"who": "olena", "at": "x", "after_seconds": 60.0, "automatic": False}
    closed = read(1860.0, PAGED, is_open=False)
    closed["incidents"][0]["acknowledged"] = olena
    hosts = {"aurora1": closed, "aurora2": read(0.0)}
    (page,) = due(hosts)
    assert (page["level"], page["hosts"], page["owner"]) == ("L2", ["aurora2"], "aurora2")
    assert "olena" in page["body"]
    assert [(line["host"], line["level"]) for line in _pages.missed(hosts)] == [("aurora2", "L1")]


@pytest.mark.parametrize(
    "broken",
    [
        read(lines=entries(("r", "seen", {"causes": ["x"]}))),
        read(lines=entries(("r", "seen", {"indicator": "x"}))),
        read(lines=entries(("r", "refused", {"guard": "approval", "sentence": "x"}), ("r", "verdict", {}))),
        read(lines=["x"]),
        read(age="x"),
        read(levels={"L1": "x"}),
        read(levels={"L1": {"state": "paging", "at": "x", "age_seconds": "5"}}),
        {"incidents": 3},
        {"incidents": [{"id": ID}]},
        {"incidents": [{**read()["incidents"][0], "id": "../../x"}]},
        {**read(), "leases": [{}]},
        {**read(), "claim": "x"},
    ],
)
def test_a_host_that_makes_no_sense_is_one_that_cannot_be_read_and_pages_for_others_go_on(broken):
    hosts = _pages.readable({"aurora1": broken, "aurora2": read(7300.0, PAGED)})
    pages = due(hosts)
    assert [(page["level"], page["hosts"], page["unread"]) for page in pages] == [
        ("L2", ["aurora2"], ""),
        ("L3", ["aurora2"], ""),
        ("L1", ["aurora2"], "aurora1"),
    ]
    assert any("aurora1: its record cannot be read" in line for line in _pages.overview("en", hosts, []))


def test_a_lease_that_cannot_be_read_hides_no_incident():
    """An unreadable lease once kept L2 to L4 of a P0 from being paged."""
    hosts = {
        "aurora1": {**read(7300.0, PAGED), "failed": True, "msg": "x.json is not a lease"},
        "aurora2": read(is_open=False),
    }
    pages = due(hosts)
    assert [(page["level"], page["unread"]) for page in pages] == [("L2", ""), ("L3", ""), ("L1", "aurora1")]
    assert "x.json is not a lease" in pages[-1]["body"]
    said = "\n".join(_pages.overview("en", hosts, []))
    assert ID in said
    assert "aurora1: its record cannot be read, so an incident may be open there: x.json is not a lease" in said


def test_hosts_that_can_be_read_are_as_they_are():
    hosts = {"aurora1": read(7300.0, PAGED), "aurora2": read(is_open=False), "aurora3": AWAY, "aurora4": {}}
    assert _pages.readable(hosts) == hosts


AWAY = {"unreachable": True, "msg": "no route\nto host"}


def test_a_host_that_cannot_be_read_is_paged_since_an_incident_may_be_open_there_alone():
    (page,) = due({"aurora1": read(is_open=False), "aurora2": AWAY})
    assert "aurora2" in page["title"]
    assert "no route" in page["body"]
    assert (page["level"], page["owner"], page["hosts"]) == ("L1", "aurora1", ["aurora1"])  # whose record remembers it
    assert page["id"].startswith("none-20261124T000000Z-")


def test_a_host_that_is_away_is_paged_once_a_day_whoever_else_is():
    def identities(*away, now=NOW):
        hosts = {name: AWAY if name in away else read(is_open=False) for name in ("aurora1", "aurora2", "aurora3")}
        return [page["id"] for page in due(hosts, now=now)]

    first = identities("aurora2")
    assert identities("aurora2", now=NOW + 3600) == first
    assert identities("aurora2", "aurora3")[:1] == first
    assert len({*first, *identities("aurora3"), *identities("aurora2", now=NOW + 86400)}) == 3


def test_a_page_about_a_host_is_remembered_by_few_of_many():
    """Otherwise one host that is away costs each tick three calls of every other host."""
    many = {f"aurora{number}": read(is_open=False) for number in range(10, 70)}
    (page,) = due({**many, "aurora0": AWAY})
    assert (page["owner"], page["hosts"]) == ("aurora10", ["aurora10", "aurora11", "aurora12"])


def test_where_no_host_can_be_read_it_is_sent_all_the_same():
    assert [(page["owner"], page["hosts"]) for page in due({"a1": AWAY, "a2": AWAY})] == [("a1", []), ("a2", [])]


def test_a_host_that_was_not_asked_is_not_paged_for():
    """It failed earlier in the run, which was reported then."""
    assert due({"aurora1": read(is_open=False), "aurora2": {}}) == []


def test_an_overview_shows_what_is_leased_until_when_and_who_works_where():
    until = "2026-11-24T05:00:00+00:00"
    lease = {"name": "aurora-runner.service", "phase": "active", "by": "olena", "granted": "2026-11-24T03:00:00+00:00"}
    lease |= {"written": {"SPREAD_THRESHOLD": "2.0"}, "ends": {"SPREAD_THRESHOLD": {"until": until}}}
    claim = {"holder": "taras", "incident": "", "since": "2026-11-24T03:01Z"}
    stands = {"leases": [lease], "claim": claim, "timer": "not installed, inactive", "timer_works": False}
    said = "\n".join(_pages.overview("en", {"aurora1": {**read(is_open=False), **stands}, "aurora2": AWAY}, []))
    for part in (
        "aurora1: a run is working on this host: taras, on –",
        f"SPREAD_THRESHOLD=2.0 (until {until})",
        "the lease will NOT end by itself",
        "aurora2: its record cannot be read, so an incident may be open there: no route",
    ):
        assert part in said


def test_a_page_says_what_was_found_tried_and_proposed():
    (page,) = due({"aurora1": read()})
    for part in ("circuit_breaker_state is 2", "wide_spreads", "KELLY_MULTIPLIER 1.0 → 0.5", "spread_threshold"):
        assert part in page["body"]


def test_a_page_says_which_end_of_a_lease_did_not_come():
    """It may be all that the host opened the incident for: the page would say nothing but its name."""
    values = {"unit": "aurora-runner.service", "problem": "x.env was edited"}
    ended = {"outcome": "left_alone", "sentence": {"message": "lease_stays", "values": values}}
    lines = entries(("", "opened", {"severity": "P0"}), ("", "lease_ended", ended))
    (page,) = due({"aurora1": read(lines=lines)})
    assert "the lease has ended, but the change stays: x.env was edited" in page["body"]


@pytest.mark.parametrize(
    ("language", "result", "words"),
    [
        ("en", {"verdict": "not_recovered"}, "KELLY_MULTIPLIER 1.0 → 0.5: NOT RECOVERED"),
        ("uk", {"verdict": "not_recovered"}, "KELLY_MULTIPLIER 1.0 → 0.5: НЕ ВІДНОВЛЕНО"),
        ("uk", {"outcome": "failed", "problem": "no space\nleft"}, "1.0 → 0.5: НЕ ВДАЛОСЯ: no space left"),
        ("en", {"outcome": "failed", "problem": "no space left"}, "1.0 → 0.5: FAILED: no space left"),
        ("uk", {"outcome": "undone", "sentences": []}, "1.0 → 0.5: скасовано пізнішим запуском"),
        ("uk", {"verdict": "of_the_future"}, "1.0 → 0.5: of_the_future"),
        ("uk", None, "1.0 → 0.5: результату ще немає"),
    ],
)
def test_a_page_says_in_its_language_how_an_action_ended_and_why_it_failed(language, result, words):
    """Otherwise who is woken reads "failed", and has to log in to learn why."""
    lines = RECORDED[:3] + ([{**RECORDED[3], "data": {"intent": 3, **result}}] if result else [])
    (page,) = due({"aurora1": read(lines=lines)}, language)
    assert f"{words}\n" in page["body"]
    assert not {"not_recovered", "failed", "undone"} & set(page["body"].replace(":", " ").split())


def test_what_a_change_does_to_exposure_is_said_in_ukrainian_too():
    said = {"message": "set", "values": {"unit": "x.service", "changes": "A 1 → 2", "direction": "reduces"}}
    lines = RECORDED[:3] + entries(("r1", "result", {"intent": 3, "verdict": "recovered", "sentences": [said]}))
    (page,) = due({"aurora1": read(lines=lines)}, "uk")
    assert "x.service: A 1 → 2 (зменшує ризик)" in page["body"]


def test_a_long_reason_does_not_fill_the_page():
    failed = {"intent": 3, "outcome": "failed", "problem": "x" * 5000}
    (page,) = due({"aurora1": read(lines=[*RECORDED[:3], {**RECORDED[3], "data": failed}])})
    assert "x" * 200 in page["body"]
    assert "x" * 201 not in page["body"]


TOLD = {"state": "paged", "at": "t", "age_seconds": 60.0, "key": f"{ID}-L1", "sent": ["mail"], "failed": []}


def test_a_page_that_one_record_missed_is_put_there_with_its_key_and_channels():
    """Otherwise it is paged again when the host that knows of it is away."""
    begun = {"state": "paging", "at": "t", "age_seconds": 500.0}
    hosts = {
        "aurora1": read(levels={"L1": TOLD}),
        "aurora2": read(levels={"L1": begun}),
        "aurora3": {"msg": "no route"},
    }
    line = {"id": ID, "level": "L1", "key": f"{ID}-L1", "sent": ["mail"], "failed": [], "at": "t"}
    assert _pages.missed(hosts) == [{"host": "aurora2", **line}]
    remembered = read(levels={"L1": {**TOLD, "remembered": True}})
    assert [one["host"] for one in _pages.missed({"aurora1": remembered, "aurora2": read()})] == ["aurora1", "aurora2"]


@pytest.mark.parametrize(
    "hosts",
    [
        {"aurora1": read(levels={"L1": TOLD}), "aurora2": read(levels={"L1": {**TOLD, "age_seconds": 5.0}})},
        {"aurora1": read(levels={"L1": {"state": "paging", "at": "t", "age_seconds": 5.0}}), "aurora2": read()},
        {"aurora1": read(levels={"L1": TOLD}, is_open=False), "aurora2": read(is_open=False)},
        {"aurora1": read(levels={"L1": {**TOLD, "sent": None}}), "aurora2": read()},
        {"aurora1": {"msg": "no route"}},
    ],
)
def test_where_nothing_is_missed_no_host_is_asked_for_anything(hosts):
    """Otherwise each tick writes to every host, or calls paged what nobody took."""
    assert _pages.missed(hosts) == []


def test_a_proposal_of_an_earlier_run_is_not_proposed_again():
    later = [*RECORDED, *entries(("r2", "verdict", {"verdict": "escalated"}))]
    assert _pages.about("aurora1", read(lines=later), ID)["proposed"] == []


def test_the_overview_names_who_was_not_reached_and_hosts_that_were_not_read():
    sent = [{"key": f"{ID}-L1", "sent": [], "unsent": [{"channel": "mail", "problem": "refused"}]}]
    lines = "\n".join(_pages.overview("en", {"aurora1": read(), "aurora2": {"msg": "no route"}}, sent))
    assert all(part in lines for part in (ID, "NOT reached: mail: refused", "aurora2: its record cannot be read"))


def test_the_overview_of_nothing_says_so_in_ukrainian_too():
    hosts = {"aurora1": {**read(), "incidents": []}}
    assert _pages.overview("uk", hosts, []) == ["відкритих інцидентів немає"]
    assert "відкритих інцидентів немає" not in _pages.overview("uk", {**hosts, "aurora2": AWAY}, [])  # nobody knows


def test_a_record_whose_opening_cannot_be_read_keeps_no_other_from_being_paged():
    broken = {**read()["incidents"][0], "id": "execution_latency-20261124T180000Z-0123abcd", "opened": None}
    hosts = {"aurora1": read(), "aurora2": {**read(), "incidents": [broken]}}
    assert {page["id"] for page in due(hosts)} == {broken["id"], ID}


def test_a_tick_has_something_to_do_where_a_page_is_due_or_missed_alone():
    away = due({"aurora1": AWAY})
    missed = [{"host": "aurora9"}]
    assert _pages.concerned([], []) == []
    assert _pages.concerned(due({"aurora2": read(), "aurora3": read()}) + away, missed) == [
        *("aurora1", "aurora2", "aurora3", "aurora9"),
    ]


BUSY = {"tick": False, "message": "another tick works on this host here since 03:00"}


@pytest.mark.parametrize(
    ("answers", "goes_on"),
    [
        ([{"tick": True}, BUSY], True),
        ([BUSY, {"tick": True}], False),
        ([{"failed": True}, {}, BUSY], False),
        ([{"tick": "no"}, {"tick": True}], True),
        ([{"failed": True}, {}], True),
        ([], True),
    ],
)
def test_of_two_ticks_over_the_same_hosts_one_goes_on_and_none_waits_for_a_host_that_says_nothing(answers, goes_on):
    assert _pages.goes_on(answers) == (goes_on, "" if goes_on else BUSY["message"])


@pytest.mark.parametrize(
    ("answers", "remembered", "sent"),
    [
        ([{"send": True}, {"send": False}], False, True),
        ([{"send": False}, {"send": True}], False, False),
        ([{"failed": True}, {"send": False}], False, False),
        ([{"failed": True}, {"unreachable": True}], True, True),
        ([{"send": "no"}, {"send": False}], False, False),
        ([], False, True),
        ([], True, False),
    ],
)
def test_the_first_record_that_answers_decides_and_without_one_a_page_is_sent(answers, remembered, sent):
    assert _pages.to_be_sent(answers, remembered) is sent


def test_a_tick_fails_for_hosts_that_may_hide_an_incident_and_for_pages_that_nobody_took():
    hosts = {"aurora1": read(), "aurora2": AWAY, "aurora3": {**read(), "failed": True, "msg": "x"}, "aurora4": read()}
    (page, *_rest) = due(hosts)
    vain, took = _pages.told(page, {"failed": True, "msg": "no library"}), _pages.told(page, {"sent": ["mail"]})
    assert set(_pages.unwell("en", hosts, [{**vain, "owner": "aurora1"}])) == {"aurora1", "aurora2", "aurora3"}
    assert set(_pages.unwell("en", hosts, [took])) == {"aurora2", "aurora3"}
    assert (vain["sent"], vain["unsent"], vain["took"]) == ([], [], {})
