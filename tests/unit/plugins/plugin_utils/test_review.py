# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a review counts an incident twice, calls the unknown nothing, or proposes what raises exposure."""

from __future__ import annotations

import html.parser
import re
import sys
import xml.etree.ElementTree as ET  # of our own charts
from pathlib import Path

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.plugin_utils import _texts
from ansible_collections.aurora.runbook.plugins.plugin_utils.review import _charts, _figures, _render
from ansible_collections.aurora.runbook.plugins.plugin_utils.review._cases import Rung

CHECKOUT = Path(__file__).resolve().parents[4]
sys.path.insert(0, str(CHECKOUT / "tests"))

import recorded  # the path above is what makes it importable
import reviewed
from reviewed import DAY, KELLY, NOW, SLOWER, climbed, end, host, identity, incident, opening, rung

BEGAN = recorded.BEGAN
CLOSED = (600, "closed", {"verdict": "recovered"})
BY_HAND = (600, "closed", {"verdict": "closed"})
HOSTILE = [
    "<script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "[click](https://evil.example.com) ![x](https://evil.example.com/p.png)",
    "a | b | c\n| --- |\n# heading",
    "{{ lookup('pipe', 'id') }}{% raw %}$x^{2$",
    "\x1b[31mred\x1b[0m\x07\u202eoverride \U0001f525 漢字",
    "</text></svg><!-- `code` -->",
    "x" * 100_000,
]


def figures(*hosts, days=30, now=NOW, **named):
    answers = {**{f"aurora{number}": told for number, told in enumerate(hosts, 1)}, **named}
    return _figures.review(answers, days, now)


def only(*incidents, **more):
    """The one incident that is told of."""
    (case,) = figures(host(*incidents, **more)).cases
    return case


# Counting incidents


def test_an_incident_on_many_hosts_counts_once():
    """Otherwise a market that breaks 200 hosts is 200 incidents."""
    found = figures(*(host(climbed((rung(KELLY), "recovered"))) for _number in range(200)))
    assert (found.read, len(found.cases)) == (200, 1)
    assert len(found.cases[0].hosts) == 200
    (row,) = found.rungs
    assert (row.tried, row.helped) == (1, 1)
    assert [one.count for one in found.stretches if one.count] == [1]


def test_what_moved_is_part_of_the_incident_it_moved_to():
    """Otherwise one trouble is two incidents wherever two runs met."""
    later, earlier = identity(BEGAN + 60), identity()
    moved = incident(
        opening(), (5, "intent", rung(KELLY)), (30, "result", end(2, "not_recovered")), (40, "moved", {"to": earlier}),
        began=BEGAN + 60, moved_to=earlier,
    )  # fmt: skip
    home = incident(opening(), (200, "intent", rung(SLOWER)), (300, "result", end(2, "recovered")), CLOSED)
    elsewhere = incident(opening(), CLOSED, began=BEGAN + 60)
    found = figures(host(home, moved), host(elsewhere))
    assert [case.id for case in found.cases] == [earlier]
    assert found.cases[0].hosts == ("aurora1", "aurora2")
    assert {row.rung.name for row in found.rungs} == {f"service_override {KELLY}", f"service_override {SLOWER}"}
    assert later not in str(found)


@pytest.mark.parametrize("to", [identity(kind="calibration_ece"), identity(BEGAN + DAY), "../../etc/passwd", "", None])
def test_a_host_cannot_move_an_incident_elsewhere(to):
    """Otherwise one host hides the incidents of the others, or the review never ends."""
    found = figures(host(incident(opening(), CLOSED, moved_to=to)), host(incident(opening(), CLOSED)))
    assert [case.id for case in found.cases] == [identity()]


def test_what_is_no_incident_is_not_counted():
    wrong = [incident(opening(), CLOSED, id=name) for name in ("none-20261124T000000Z-00000000", "x", None, 7)]
    assert figures(host(*wrong)).cases == ()


def test_the_worst_severity_and_the_cause_that_was_acted_on_count():
    seen = (1, "seen", {"causes": [{"cause": "local_cpu", "weight": 1}]})
    looked = incident(opening(), seen, CLOSED, severity="P2")
    acted = incident(opening(), (5, "intent", rung(KELLY)), CLOSED, severity="P1")
    (case,) = figures(host(looked), host(acted)).cases
    assert (case.severity, case.cause) == ("P1", "wide_spreads")
    assert only(looked).cause == "local_cpu"


@pytest.mark.parametrize("causes", [[], [{"cause": "unknown"}], [{"cause": 7}], None])
def test_a_cause_that_nobody_knows_is_unknown(causes):
    case = only(incident(opening(), (1, "seen", {"causes": causes}), (5, "intent", rung(KELLY, "unknown")), CLOSED))
    assert case.cause is None
    assert figures(host(climbed(), climbed(began=BEGAN + DAY))).repeats == ()


def test_500_incidents_on_many_hosts_are_all_counted():
    told = [host(*(climbed(began=BEGAN - n * 3600 - m * 1e5) for n in range(25))) for m in range(20)]
    found = figures(*told)
    assert sum(row.total for row in found.by_class) == len(found.cases) == 500
    assert sum(one.count for one in found.stretches) + found.elsewhen == 500
    rendered = _render.render(found, "en")
    assert all("500" in text for text in rendered.values())


# Times


def test_times_are_counted_from_when_the_trouble_began_and_the_last_host_counts():
    fast = incident(opening(age=60), (30, "intent", rung(KELLY)), (600, "closed", {"verdict": "recovered"}))
    slow = incident(opening(age=60), (45, "acknowledged", {}), (1200, "closed", {"verdict": "healthy"}))
    (case,) = figures(host(fast), host(slow)).cases
    assert (case.responded, case.recovered, case.open) == (90, 1260, False)


def test_the_uptime_counts_where_a_clock_was_set():
    """Otherwise a clock that was set a day back makes a quick recovery one of a day."""
    one = incident(opening(), CLOSED)
    one["entries"][-1]["at"] = recorded.at(-DAY)
    assert only(one).recovered == 600


def test_after_a_reboot_the_clock_counts_and_one_that_went_back_is_unknown():
    for after, expected in ((900, 900), (-900, None)):
        one = incident(opening(), CLOSED)
        one["entries"][-1].update(boot="other", up=5, at=recorded.at(after))
        assert only(one).recovered == expected


def test_what_a_person_closed_had_not_recovered_as_far_as_anybody_knows():
    """Otherwise closing incidents by hand makes the figures good."""
    case = only(incident(opening(), (5, "acknowledged", {}), BY_HAND))
    assert (case.open, case.ended, case.recovered) == (False, 600, None)
    (row,) = figures(host(incident(opening(), (5, "acknowledged", {}), BY_HAND))).times
    assert (row.recovery.spread.known, row.recovery.spread.of) == (0, 1)
    assert (row.recovery.spread.median, row.recovery.spread.worst) == (None, None)
    assert dict(row.recovery.states) == {"pm_unknown": 1}


def test_one_host_that_is_not_known_to_have_recovered_keeps_the_incident_from_it():
    for other in (incident(opening(), BY_HAND), incident(opening(), open=None), incident(opening())):
        (case,) = figures(host(incident(opening(), CLOSED)), host(other)).cases
        assert case.recovered is None


def test_a_record_without_its_opening_gives_no_times_and_is_named():
    """Otherwise an incident whose beginning is lost was answered in 0 seconds."""
    lost = incident((5, "intent", rung(KELLY)), (10, "result", end(1, "recovered")), CLOSED)
    found = figures(host(lost))
    case = found.cases[0]
    assert (case.responded, case.recovered, case.ended) == (None, None, None)
    assert [doubt.key for doubt in found.doubts] == ["rv_no_opening"]


@pytest.mark.parametrize(
    ("events", "more", "response", "recovery"),
    [
        ([(30, "intent", rung(KELLY)), CLOSED], {}, "pm_met", "pm_met"),
        ([(301, "intent", rung(KELLY)), (3601, "closed", {"verdict": "recovered"})], {}, "pm_missed", "pm_missed"),
        ([], {"age_seconds": 200}, "pm_running", "pm_running"),
        ([], {"age_seconds": 400}, "pm_missed", "pm_running"),
        ([], {"age_seconds": 4000}, "pm_missed", "pm_missed"),
        ([], {"age_seconds": None}, "pm_unknown", "pm_unknown"),
        ([(200, "closed", {"verdict": "healthy"})], {}, "rv_not_needed", "pm_met"),
        ([(400, "closed", {"verdict": "healthy"})], {}, "pm_missed", "pm_met"),
        ([(3700, "closed", {"verdict": "closed"})], {}, "pm_missed", "pm_missed"),
        ([CLOSED], {"severity": None}, "pm_unknown", "pm_unknown"),
        ([CLOSED], {"severity": "P9"}, "pm_unknown", "pm_unknown"),
    ],
)
def test_incidents_against_their_deadlines(events, more, response, recovery):
    (row,) = figures(host(incident(opening(), *events, **more))).times
    assert (dict(row.response.states), dict(row.recovery.states)) == ({response: 1}, {recovery: 1})


def test_median_and_worst_of_what_is_known():
    told = [
        incident(opening(), (after, "intent", rung(KELLY)), began=BEGAN + number * DAY)
        for number, after in enumerate((10, 20, 400))
    ]
    (row,) = figures(host(*told, incident(opening(), began=BEGAN - DAY))).times
    spread = row.response.spread
    assert (spread.median, spread.worst, spread.known, spread.of) == (20, 400, 3, 4)
    assert spread.worst_id == identity(BEGAN + 2 * DAY)
    assert row.response.limit == _indicators.DEADLINES["P0"].respond


# Rungs


def test_a_rung_helped_where_its_host_recovered_and_nothing_is_made_of_what_is_not_known():
    """Otherwise an action that was cut off counts as one that did not help, or as one that did."""
    ends = {"recovered": True, "healthy": True, "not_recovered": False, "unknown": None, "refused": None, None: None}
    for verdict, expected in ends.items():
        assert [one.helped for one in only(climbed((rung(KELLY), verdict))).tries] == [expected]
    cut_off = incident(opening(), (5, "intent", rung(KELLY)))
    assert [one.helped for one in only(cut_off).tries] == [None]


def test_a_rung_on_several_hosts_helped_where_it_helped_on_all_of_them():
    for verdicts, expected in (
        (("recovered", "recovered"), True),
        (("recovered", None), None),
        (("recovered", "not_recovered", None), False),
    ):
        (case,) = figures(*(host(climbed((rung(KELLY), verdict))) for verdict in verdicts)).cases
        assert [one.helped for one in case.tries] == [expected]


def test_what_has_no_cause_on_record_is_no_rung():
    """Otherwise giving back a smaller Kelly counts as a cure."""
    case = only(climbed((rung(KELLY), "not_recovered"), (rung(KELLY, cause=""), "healthy")))
    assert [one.helped for one in case.tries] == [False]
    assert case.others == 1


def test_the_same_step_again_is_told_apart():
    """Otherwise a refit with more data is the refit that did not help before it."""
    refit = rung("recalibration", "miscalibration", "model.json")
    found = figures(host(climbed((refit, "not_recovered"), (refit, "recovered"), kind="calibration_ece")))
    told = {row.rung: (row.helped, row.not_helped) for row in found.rungs}
    assert told == {Rung("recalibration"): (0, 1), Rung("recalibration", again=True): (1, 0)}


# Proposals


def ladders(*rungs, count=10, **more):
    """So many incidents in which these were climbed."""
    return host(*(climbed(*rungs, began=BEGAN - number * DAY, **more) for number in range(count)))


TCP = rung("tcp_tuning", "exchange_latency", "host")
SLOW = rung(SLOWER, "exchange_latency")


def test_a_later_rung_that_helped_clearly_more_often_is_proposed_with_its_numbers():
    found = figures(ladders((TCP, "not_recovered"), (SLOW, "recovered"), kind="execution_latency"))
    (proposal,) = found.proposals
    assert (proposal.later.rung.name, proposal.earlier.rung.name) == (f"service_override {SLOWER}", "tcp_tuning")
    told = _render.Reader("en").proposal(proposal)
    assert all(part in told for part in (SLOWER, "10 of 10", "tcp_tuning", "0 of 10", "exchange_latency"))


@pytest.mark.parametrize(
    "told",
    [
        # too few
        ladders((TCP, "not_recovered"), (SLOW, "recovered"), count=4),
        # the earlier one may have helped, for all that is known
        host(*ladders((TCP, None), (SLOW, "recovered"), count=9)["incidents"],
             *(climbed((TCP, "not_recovered"), (SLOW, "recovered"), began=BEGAN - n * DAY) for n in range(100, 105))),
        # the later one may not have helped
        host(*ladders((TCP, "not_recovered"), (SLOW, None), count=9)["incidents"],
             *(climbed((TCP, "not_recovered"), (SLOW, "recovered"), began=BEGAN - n * DAY) for n in range(100, 105))),
        # other causes
        ladders((TCP, "not_recovered"), (rung(SLOWER, "rate_limit"), "recovered")),
        # a smaller Kelly protects and is no cure
        ladders((rung(KELLY, "exchange_latency"), "not_recovered"), (SLOW, "recovered")),
        # what raises exposure
        ladders((rung("recalibration"), "not_recovered"), (rung("SPREAD_THRESHOLD"), "recovered")),
        # what stands on what was done before it
        ladders((rung("log_rotation", "disk_full"), "not_recovered"),
                (rung("service_restart", "disk_full", "aurora-live-feed.service"), "recovered")),
        # the same step again
        ladders((TCP, "not_recovered"), (SLOW, "not_recovered"), (TCP, "recovered")),
    ],
    ids=["few", "earlier-unknown", "later-unknown", "causes", "kelly", "raises", "prepares", "again"],
)  # fmt: skip
def test_what_is_never_proposed(told):
    """Otherwise a report talks people into taking more risk, or into leaving out what protects them."""
    assert figures(told).proposals == ()


def test_a_raise_of_exposure_is_one_whatever_its_host_says():
    lying = rung("SPREAD_THRESHOLD")
    lying["change"] = [{**lying["change"][0], "direction": "reduces"}]
    assert figures(ladders((rung("recalibration"), "not_recovered"), (lying, "recovered"))).proposals == ()


def test_an_order_that_was_seen_both_ways_is_none():
    there = ladders((TCP, "not_recovered"), (SLOW, "recovered"))
    back = host(climbed((SLOW, "recovered"), (TCP, "not_recovered"), began=BEGAN - 50 * DAY))
    assert figures(there, back).proposals == ()


@pytest.mark.parametrize(
    ("count", "of", "low", "high"), [(0, 0, 0, 1), (0, 5, 0, 0.434), (5, 5, 0.566, 1), (9, 10, 0.596, 0.982)]
)
def test_the_range_of_a_share(count, of, low, high):
    """The figures are those of Wilson's interval in textbooks."""
    assert _figures.share(count, of) == (pytest.approx(low, abs=0.001), pytest.approx(high, abs=0.001))


# Repeats, refusals, pages, leases


def test_what_came_back_after_its_fix_was_due_is_told():
    told = [climbed((rung(KELLY), "recovered"), began=BEGAN - number * 4 * DAY) for number in range(3)]
    other = climbed((rung(KELLY, "local_cpu"), "recovered"), began=BEGAN - DAY)
    (row,) = figures(host(*told, other), host(told[0])).repeats
    assert (row.cause, row.count, row.late, row.host, row.on_host) == ("wide_spreads", 3, 1, "aurora1", 3)
    assert (row.first, row.last) == (BEGAN - 8 * DAY, BEGAN)


def test_refusals_by_guard():
    refused = [
        (5, "refused", {"guard": "cooldown"}),
        (6, "refused", {"guard": "pause"}),
        (7, "refused", {"guard": "cooldown"}),
    ]
    found = figures(host(incident(opening(), *refused)), host(incident(opening(), refused[0])))
    assert [(row.guard, row.count, row.incidents, row.hosts) for row in found.refused] == [
        ("cooldown", 3, 1, 2),
        ("pause", 1, 1, 1),
    ]


def page(at, level="L1", sent=("mail",), failed=()):
    told = {"level": level, "sent": list(sent), "failed": [{"channel": name, "problem": "x"} for name in failed]}
    return [(at, "paging", {"level": level}), (at + 1, "paged", told)]


@pytest.mark.parametrize(
    ("events", "sent", "taken", "failed", "unknown"),
    [
        ([*page(5), (60, "acknowledged", {"who": "bob"})], 1, 1, 0, 0),
        ([(2, "acknowledged", {"who": "bob"}), *page(5)], 1, 0, 0, 0),
        (page(5, sent=(), failed=("mail",)), 0, 0, 1, 0),
        ([*page(5, sent=(), failed=("mail",)), *page(9)], 1, 0, 0, 0),
        (page(5)[:1], 0, 0, 0, 1),
    ],
)
def test_pages_that_were_sent_taken_and_lost(events, sent, taken, failed, unknown):
    """On two hosts, since each has the pages of an incident on record."""
    found = figures(host(incident(opening(), *events)), host(incident(opening(), *events)))
    (row,) = found.paged
    assert (row.level, row.sent, row.taken, row.failed, row.unknown) == ("L1", sent, taken, failed, unknown)
    assert found.nobody == ((identity(),) if sent and not taken else ())
    assert dict(found.channels) == ({"mail": 1} if any(event[2].get("failed") for event in events) else {})


def test_what_still_stands_the_oldest_first():
    leases = [{**recorded.LEASE, "granted": recorded.at(at), "name": name} for at, name in ((50, "b"), (10, "a"))]
    unknown = {**recorded.LEASE, "granted": "?", "name": "c", "until": None, "seconds": 0}
    found = figures(host(leases=[*leases, unknown])).leases
    assert [(lease.name, lease.since is None, lease.endless) for lease in found] == [
        ("a", False, False),
        ("b", False, False),
        ("c", True, True),
    ]


# What is not known


def test_hosts_and_records_that_cannot_be_trusted_are_named():
    broken = incident(opening(), CLOSED, chain={"whole": False, "problem": "line 3 does not follow line 2"})
    found = figures(
        host(broken, failed=True, msg="one record is unreadable"),
        {"problem": "no route to host"},
        host(now=recorded.at(NOW - BEGAN + DAY)),
        host(now=recorded.at(NOW - BEGAN - 7200)),
        host(*(climbed(began=BEGAN - number * 60, open=False) for number in range(200))),
    )
    for language in ("en", "uk"):
        for text in _render.render(found, language).values():
            top = text[: text.index(_texts.say(language, "pm_summary"))]
            assert all(
                part in top for part in ("no route to host", "line 3 does not follow", "one record is unreadable")
            )
    keys = [doubt.key for doubt in found.doubts]
    assert {"rv_clock_ahead", "rv_clock_behind", "rv_pruned"} <= set(keys)
    assert (found.hosts, found.read) == (5, 4)


def test_where_no_host_could_be_read_nothing_is_said_to_have_been():
    for answers in ({}, {"a": {"problem": "gone"}}):
        with pytest.raises(RunbookError, match="no host could be read"):
            _figures.review(answers, 30, NOW)


def test_more_than_a_host_keeps_is_cut_and_said():
    one = incident(opening(), CLOSED)
    found = figures(host(*([one] * 1500)))
    assert [(doubt.key, doubt.values["count"]) for doubt in found.doubts if doubt.key == "rv_cut"] == [("rv_cut", 500)]


def test_an_empty_period_is_a_review_too():
    for language in ("en", "uk"):
        for text in _render.render(figures(host()), language).values():
            assert _texts.say(language, "rv_none") in text
            assert "<svg" not in text


# How it is written


def test_on_awx_the_page_is_in_the_same_language():
    """Otherwise a browser offers to translate it, and a screen reader takes the wrong voice."""
    assert '<html lang="uk">' in _render.render(figures(host()), "uk@awx")["html"]


@pytest.mark.parametrize("language", ["en", "uk"])
def test_the_same_records_give_the_same_bytes(language):
    """Otherwise each run is a change, and a diff shows figures that did not change."""
    found = figures(**reviewed.many())
    assert _render.render(found, language) == _render.render(figures(**reviewed.many(), now=NOW + 60), language)


def test_a_chart_is_sound_and_stands_by_itself():
    found = figures(**reviewed.many())
    drawn = _render.charts(found, _render.Reader("uk"))
    assert set(drawn) == {"class", "time", "times", "rungs"}
    identifiers = []
    for svg in drawn.values():
        tree = ET.fromstring(svg)  # noqa: S314
        identifiers += [element.get("id") for element in tree.iter() if element.get("id")]
        assert not re.search(r"#0102|<style|<script|<!--|http://(?!www\.w3\.org)", svg)
        names = set(re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", svg))
        assert names <= {element.get("id") for element in tree.iter()}
    assert len(identifiers) == len(set(identifiers))
    assert "допомогло" in drawn["rungs"]


class Tags(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add((tag, tuple(name for name, _value in attrs)))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_hosts_say_is_text_in_every_place(text):
    """Otherwise a cause that a host made up runs in an engineer's browser, or breaks a table."""

    def told(words):
        records = [
            incident(
                opening(), (1, "seen", {"causes": [{"cause": words}]}), *page(2, words, (words,), (words,)),
                (9, "intent", rung("service_restart", words, words)), (10, "refused", {"guard": words}),
                began=BEGAN - number * DAY, severity=words, chain={"whole": False, "problem": words},
            )
            for number in range(2)
        ]  # fmt: skip
        lease = {**recorded.LEASE, "name": words, "written": {words: words}}
        return figures(host(*records, leases=[lease]), aurora9={"problem": words})

    plain, hostile = (_render.render(told(words), "en") for words in ("words", text))
    assert Tags(hostile["html"]).tags == Tags(plain["html"]).tags
    assert len(hostile["html"]) < 200_000
    assert [line.count("|") for line in re.sub(r"\\.", "", hostile["md"]).splitlines()] == [
        line.count("|") for line in plain["md"].splitlines()
    ]
    assert not re.search(r"(?<!\\)<|(?<!\\)\]\(|\x1b|\u202e", hostile["md"])


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(RunbookError, match="pip install 'matplotlib>="):
        _render.render(figures(**reviewed.many()), "en")


def test_the_oldest_matplotlib_is_the_one_that_is_asked_for():
    for name in ("meta/ee-requirements.txt", "tests/requirements.txt"):
        assert f"matplotlib>={_charts.OLDEST}" in (CHECKOUT / name).read_text(encoding="utf-8").splitlines()
