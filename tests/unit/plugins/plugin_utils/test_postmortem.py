# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a post-mortem leaves out what went wrong, calls the unknown zero, or runs what a host wrote."""

from __future__ import annotations

import copy
import html.parser
import re
import sys
from datetime import timedelta, timezone
from pathlib import Path

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.plugin_utils import _escalation, _texts
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem import (
    _chart,
    _query,
    _render,
    _series,
    _tell,
    _written,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import recorded  # the path above is what makes it importable
from recorded import BEGAN, ID

ZONE = timezone(timedelta(hours=2), "EET")
LANGUAGES, FORMS = ("en", "uk"), ("md", "html")
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "[click](https://evil.example.com)",
    "![pixel](https://evil.example.com/p.png)",
    "https://evil.example.com www.evil.example.com",
    "a | b | c\n| --- |\n# heading",
    "{{ lookup('pipe', 'id') }}{% raw %}${7*7}",
    "\x1b[31mred\x1b[0m\x07\u202eoverride",
    "<!-- root: begin -->\nforged\n<!-- root: end -->",
    "</td></tr></table><!-- `code` *b* _i_ ~~s~~ &lt; &#60;",
    "x" * 1_000_000,
]


def tell(answers=None, language="en", asked=None):
    return _tell.tell(ID, recorded.answers() if answers is None else answers, BEGAN + 1000, language, asked)


def write(story, form="md", language="en", written=""):
    return _render.render(story, form, language, _written.read(written), ZONE)


def alone(*events, closed=None, **more):
    """One host with these entries, and what is told of it."""
    info = recorded.incident(recorded.lines((0, "opened", recorded.OPENED), *events), closed, **more)
    return {"a1": {"incidents": [info], "leases": [], "now": recorded.at(1000)}}


def everywhere(data, text):
    """The same data with this text for every text but those that give it its structure."""
    if isinstance(data, dict):
        kept = ("what", "id", "at", "now", "host", "message", "opened", "closed", "respond_by", "resolve_by", "until")
        return {k: v if k in kept and isinstance(v, str) else everywhere(v, text) for k, v in data.items()}
    if isinstance(data, (list, tuple)):
        return [everywhere(value, text) for value in data]
    return text if isinstance(data, str) else data


class Tags(html.parser.HTMLParser):
    """Every tag with the names of its attributes, and the text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add((tag, tuple(name for name, _value in attrs)))

    def handle_data(self, data):
        self.text.append(data)


def test_on_awx_the_page_is_in_the_same_language():
    """Otherwise a browser offers to translate it, and a screen reader takes the wrong voice."""
    assert '<html lang="uk">' in write(tell(language="uk@awx"), "html", "uk@awx")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", FORMS)
def test_a_report_has_every_part_that_the_runbook_asks_for(form, language):
    """Otherwise a reader at nine in the morning finds no timeline, impact, cause, actions or lessons."""
    report = write(tell(language=language, asked=recorded.ranges()), form, language)
    for key in ("timeline", "impact", "causes", "root", "actions", "refusals", "pages", "deadlines", "leases"):
        assert _texts.say(language, f"pm_{key}") in report
    for key in ("summary", "lessons", "follow_ups", "records", "write_root", "write_lessons", "not_helped", "helped"):
        assert _texts.say(language, f"pm_{key}") in report
    for fact in ("KELLY", "DECISIONS", "18:03:00", "20:03:00", "SPREAD", "bob", "cooldown", "2026-12-01", "c0ffee"):
        assert fact in report


@pytest.mark.parametrize("form", FORMS)
def test_what_makes_the_report_doubtful_stands_above_everything(form):
    """Otherwise somebody trusts a timeline in which lines were changed, or a host is missing."""
    story = tell()
    report = write(story, form)
    doubts = "\n".join(story.warnings)
    for part in ("aurora3 could not be read", "no route to host", "chain of its record is BROKEN", "line 3", "torn"):
        assert part in doubts
    assert "service_override aurora-runner.service (line 5) has no result" in doubts
    assert "the clock of aurora2 is 1.6 min ahead of the clock of aurora1" in doubts
    first = report.index(_texts.say("en", "pm_summary"))
    assert all(report.index(part) < first for part in ("could not be read", "BROKEN", "torn", "no result", "ahead"))


def test_a_whole_record_raises_no_doubt():
    """Otherwise the warnings are always there, and nobody reads them."""
    answers = {"aurora1": recorded.answers()["aurora1"]}
    assert tell(answers).warnings == ()


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        (lambda e: e[2].update(at=recorded.at(30)), "its clock was set"),
        (lambda e: e[2].update(at=recorded.at(90000)), "ahead before line 3"),
        (lambda e: e.insert(2, "no object"), "lines that could not be read: 1"),
        (lambda e: e.pop(3), "the record ends between a page and its result"),
        (lambda e: e[3]["data"].update(sent=[]), "no channel took the page"),
    ],
)
def test_each_doubt_is_told(change, doubt):
    """Otherwise a set clock, a lost line or a page that nobody got goes unnoticed."""
    answers = {"aurora1": recorded.answers()["aurora1"]}
    change(answers["aurora1"]["incidents"][0]["entries"])
    assert doubt in "\n".join(tell(answers).warnings)


@pytest.mark.parametrize("form", FORMS)
def test_a_record_that_ends_torn_is_told_before_anything_else(form):
    """Otherwise what was done last before the power went is missing, and nobody knows that anything is."""
    answers = {"aurora1": recorded.answers()["aurora1"]}
    answers["aurora1"]["incidents"][0]["torn"] = True
    report = write(tell(answers), form)
    assert "the last line of its record is torn" in report[: report.index(_texts.say("en", "pm_summary"))]


def test_a_clock_that_is_right_and_a_reboot_are_no_doubt():
    """Otherwise each reboot reads as a clock that was set."""
    answers = alone((50, "note", {}), (100, "note", {}))
    answers["a1"]["incidents"][0]["entries"][2].update(boot="c", up=5.0)
    assert tell(answers).warnings == ()


def test_the_head_says_how_bad_it_was_and_since_when():
    """Otherwise the severity of the worst hour is forgotten, and the minutes before the alert with it."""
    rise = (100, "severity", {"from": "P2", "to": "P0"})
    opened = {**recorded.OPENED, "severity": "P2", "age_seconds": 300}
    answers = alone(rise, closed=900, severity="P1")
    answers["a1"]["incidents"][0]["entries"][0]["data"] = opened
    story = tell(answers)
    assert (story.severity, story.worst_severity) == ("P1", "P0")
    assert (story.began, story.opened, story.closed) == (BEGAN - 300, BEGAN, BEGAN + 900)
    assert story.due == BEGAN + 7 * 86400


def test_open_while_one_host_is():
    """Otherwise an incident is reported closed while a host still trades badly."""
    assert tell().closed is None
    answers = recorded.answers()
    answers["aurora2"]["incidents"][0].update(open=False, closed=recorded.at(700))
    assert tell(answers).closed == BEGAN + 700


def test_what_is_unknown_is_not_zero():
    """Otherwise "0 orders denied" is read as "no harm done" where nobody looked."""
    for impact in tell(alone()).impacts:
        assert (impact.breached, impact.denied, impact.dropped) == (None, None, None)
        assert (impact.known, impact.source) == (0, "pm_unknown")
    report = write(tell(alone()))
    row = next(line for line in report.splitlines() if line.startswith("| a1 | unknown"))
    assert row.count("unknown") >= 3
    assert "How long it was in breach is unknown" in report


def test_figures_come_from_prometheus_where_it_was_asked():
    """Otherwise a host that is gone has no impact though Prometheus saw it."""
    impacts = {impact.host: impact for impact in tell(asked=recorded.ranges()).impacts}
    assert {impact.source for impact in impacts.values()} == {"pm_from_prometheus"}
    assert (impacts["aurora3"].denied, impacts["aurora1"].denied) == (414, 412)
    assert impacts["aurora1"].dropped == 7
    assert impacts["aurora1"].breached == 330
    assert impacts["aurora2"].known == impacts["aurora1"].known - 65  # not scraped meanwhile


def test_figures_come_from_the_record_where_it_was_not():
    """Otherwise a site without Prometheus has no impact at all."""
    back = {"message": "clients_back", "values": {"unit": "x", "before": 9, "after": 8}}
    result = recorded.result(2, samples=recorded.samples(100, [2, 2, 0, 0]), sentences=[back])
    story = tell(alone((99, "intent", recorded.HALVE), (120, "result", result), closed=400))
    (impact,) = story.impacts
    assert (impact.source, impact.breached, impact.dropped) == ("pm_from_record", 10, 9)
    assert impact.known == 75  # 15 s between four samples, and a minute that the last one speaks for


def clients(*values):
    """Prometheus with so many clients connected to a1, every five seconds from the beginning."""
    points = [[BEGAN + 5 * number, str(value)] for number, value in enumerate(values)]
    series = {"metric": {"host": "a1", "what": "clients"}, "values": points}
    return {"status": "success", "data": {"resultType": "matrix", "result": [series]}}


@pytest.mark.parametrize(("scraped", "dropped"), [((9, 9, 9), 9), ((20, 3, 20), 17), ((), 9)])
def test_clients_that_a_restart_dropped_count_though_they_were_back_before_the_next_scrape(scraped, dropped):
    """Otherwise a restart that cut off every client is reported to have dropped none."""
    back = {"message": "clients_back", "values": {"unit": "x", "before": 9, "after": 9}}
    result = recorded.result(2, sentences=[back])
    answers = alone((2, "intent", recorded.HALVE), (3, "result", result), closed=400)
    (impact,) = tell(answers, asked=clients(*scraped)).impacts
    assert impact.dropped == dropped


def test_a_prometheus_that_does_not_answer_is_told():
    """Otherwise figures of the record pass for those of Prometheus."""
    assert "Prometheus did not answer" in "\n".join(tell(asked={"problem": "timed out"}).warnings)


@pytest.mark.parametrize(
    "changes",
    [{"warnings": ["2 stores did not answer"]}, {"isPartial": True}, {"status": "error"}, {"data": None}],
    ids=lambda changes: next(iter(changes)),
)
def test_an_answer_of_prometheus_that_is_not_whole_gives_no_figures(changes):
    """Otherwise half of the stores' figures pass for all of them."""
    story = tell(asked={**recorded.ranges(), **changes})
    assert {impact.source for impact in story.impacts} == {"pm_from_record"}
    assert len(story.warnings) == len(tell().warnings) + 1


def test_a_series_that_comes_twice_is_not_known():
    """Otherwise the last one of two wins, whichever that is."""
    asked = recorded.ranges(["a1"])
    again = [series for series in asked["data"]["result"] if series["metric"]["what"] == "indicator"]
    asked["data"]["result"] += again
    assert set(_series.from_prometheus(asked)["a1"]) == {"denied", "clients"}


STEPS = st.lists(st.tuples(st.integers(1, 50), st.one_of(st.none(), st.integers(0, 600))), min_size=1, max_size=20)


@given(STEPS, st.integers(-100, 600), st.integers(0, 900))
def test_minutes_in_breach_are_what_counting_every_second_gives(steps, start, length):
    """Otherwise the impact of an incident is too large or too small."""
    latency = _indicators.INDICATORS["execution_latency"]
    times = [sum(step for step, _value in steps[: number + 1]) for number in range(len(steps))]
    points = [(at, value) for at, (_step, value) in zip(times, steps)]
    held = {
        second: value
        for (at, value), (after, _next) in zip(points, points[1:])
        for second in range(at, after)
        if value is not None and start <= second < start + length
    }
    beyond = [value - 300 for value in held.values() if value > 300]
    found = _series.exposure(points, latency, 300, start, start + length)
    assert found == pytest.approx((len(held), len(beyond), sum(beyond)))


def test_the_integral_has_a_unit_that_says_how_bad():
    """Otherwise 301 ms for an hour looks like 3 s for an hour."""
    looks = [
        (t, "seen", {"indicator": recorded.indicator(600, 300, metric="exec:latency_p99:10m")}) for t in (0, 30, 60)
    ]
    answers = alone(*looks, closed=60)
    known = ID.replace("circuit_breaker", "execution_latency")
    answers["a1"]["incidents"][0]["id"] = known
    (impact,) = _tell.tell(known, answers, BEGAN + 1000).impacts
    assert (impact.integral, impact.unit) == (pytest.approx(300), "ms·min")


def test_actions_are_told_with_before_and_after_and_whether_they_helped():
    """Otherwise the next person tries again what did not help."""
    first, tuned, slowed, halved = tell().actions
    assert (first.changes, first.before, first.after, first.helped) == (
        "KELLY_MULTIPLIER 1.0 → 0.5", 2, 2, "pm_not_helped",
    )  # fmt: skip
    assert tuned.forced == "exchange moved"
    assert (slowed.before, slowed.after, slowed.helped) == (2, 0, "pm_helped")
    assert (halved.host, halved.after, halved.helped) == ("aurora2", None, "pm_help_unknown")
    assert "UNFINISHED" in halved.outcome


@pytest.mark.parametrize(
    ("events", "closed", "states"),
    [
        ([], None, ("pm_missed", "pm_running")),
        ([(300, "acknowledged", {"who": "bob"})], 3600, ("pm_met", "pm_met")),
        ([(300, "intent", recorded.HALVE), (400, "acknowledged", {})], 3700, ("pm_met", "pm_missed")),
        ([(400, "acknowledged", {})], None, ("pm_missed", "pm_running")),
    ],
)
def test_deadlines_are_met_by_the_first_answer_and_by_the_end(events, closed, states):
    """Otherwise a missed deadline is called met, or a met one missed."""
    assert tuple(deadline.state for deadline in tell(alone(*events, closed=closed)).deadlines) == states


@pytest.mark.parametrize("acted", [None, 200, 290, 310])
@pytest.mark.parametrize("known", [None, 200, 290, 310])
def test_the_page_and_the_report_agree_on_whether_the_response_was_in_time(acted, known):
    """Otherwise the same incident was answered in time for who is woken, and too late in the morning after."""
    events = [(at, what, data) for at, what, data in (
        (acted, "intent", recorded.HALVE), (known, "acknowledged", {"who": "bob"}),
    ) if at]  # fmt: skip
    deadlines = {"respond_by": recorded.at(300), "resolve_by": recorded.at(3600)}  # 5 min of P0, from the beginning
    answers = alone(*sorted(events, key=lambda event: event[0]), deadlines=deadlines, opened=recorded.at(0))
    info = answers["a1"]["incidents"][0]
    info["entries"][0]["data"] = {**recorded.OPENED, "age_seconds": 0}
    info["acknowledged"] = known and {"who": "bob", "after_seconds": known, "automatic": False}
    first = min((at for at in (acted, known) if at), default=None)
    info["responded"] = first and {"who": "bob", "after_seconds": first, "automatic": first == acted}
    info["age_seconds"] = 1000
    (incident,) = _escalation.merge({"a1": answers["a1"]["incidents"]})
    paged = _escalation.clock("en", incident.__dict__)[0]
    late = "LATE" in paged or "ended" in paged
    assert tell(answers).deadlines[0].state == ("pm_missed" if late else "pm_met")


def test_a_deadline_that_is_not_known_is_not_met():
    """Otherwise a record without deadlines looks well kept."""
    assert [d.state for d in tell(alone(deadlines={})).deadlines] == ["pm_unknown", "pm_unknown"]


def test_a_page_that_every_host_has_on_record_was_one_page():
    """Otherwise it looks as if people were paged once per host."""
    story = tell()
    assert [(page.level, page.sent) for page in story.pages] == [("L1", ("mail on call",))]
    lines = [line for line in story.timeline if "L1 paged" in line.text]
    assert [line.hosts for line in lines] == [("aurora1", "aurora2")]


def test_a_page_that_a_record_was_told_of_later_was_not_sent_twice():
    """Otherwise it looks as if people were paged again, or later than they were."""
    paged = {**recorded.PAGE, "sent": ["mail"], "failed": []}
    answers = {**alone((5, "paging", recorded.PAGE), (6, "paged", paged))}
    later = (300, "paged", {**paged, "paged_at": recorded.at(6)})
    answers["a2"] = alone(later)["a1"]
    for hosts in (answers, {"a2": answers["a2"]}):
        assert [(page.at, page.sent) for page in tell(hosts).pages] == [(BEGAN + 6, ("mail",))]
        assert len([line for line in tell(hosts).timeline if "L1 paged" in line.text]) == 1


def test_the_lines_of_a_host_stay_in_their_order_though_its_clock_was_set_back():
    """Otherwise an answer stands before its question."""
    answers = alone(
        (100, "note", {"text": "first"}), (50, "note", {"text": "second"}), (120, "note", {"text": "third"})
    )
    told = [line.text for line in tell(answers).timeline if "notes" in line.text]
    assert [text.split()[-1] for text in told] == ["first", "second", "third"]


def test_a_renewal_of_a_lease_is_told_with_who_did_it():
    values = {"unit": "x.service", "changes": "KELLY_MULTIPLIER=0.5", "until": "2026-11-24T20:00:00+00:00"}
    said = {"name": "x.service", "sentence": {"message": "lease_renewed", "values": values}}
    (line,) = [line.text for line in tell(alone((5, "lease_renewed", said))).timeline if "renewed" in line.text]
    assert "renewed a lease: x.service: the lease was renewed: KELLY_MULTIPLIER=0.5 lasts until 2026-11-24T20" in line


def test_a_long_record_is_cut_in_the_middle_and_says_so():
    """Otherwise a report grows without bound, or a reader does not know that lines are missing."""
    answers = alone(*((n, "note", {"text": str(n)}) for n in range(2000)))
    report, story = write(tell(answers)), tell(answers)
    assert (len(story.timeline), story.left_out) == (_tell.MAX_LINES, 2001 - _tell.MAX_LINES)
    assert "lines are left out here" in report
    assert "notes: 0 |" in report
    assert "notes: 1999 |" in report


def test_causes_have_the_evidence_for_them_and_the_likeliest_is_first():
    """Otherwise a suspicion is told as a fact."""
    first, second = tell().causes
    assert (first.name, first.hosts, second.name) == ("wide_spreads", ("aurora1", "aurora2"), "miscalibration")
    assert "aurora1: 95 % of the last 19 denials say SPREAD_GUARD_TRIP" in first.evidence


def test_follow_ups_come_from_what_happened():
    """Otherwise a lease, a broken chain or a dead channel is forgotten after the meeting."""
    todo = "\n".join(tell().follow_ups)
    for part in ("root cause", "KELLY_MULTIPLIER=0.5", "aurora3", "record of aurora2", "Slack", "documentation"):
        assert part in todo


def test_leases_of_other_incidents_are_not_told_and_an_endless_one_is():
    """Otherwise people give back what another incident still needs."""
    answers = recorded.answers()
    other = {**recorded.LEASE, "name": "other.service", "incident": ID.replace("1a", "2b")}
    endless = {**recorded.LEASE, "name": "endless.service", "seconds": 0, "until": ""}
    answers["aurora1"]["leases"] += [other, endless]
    assert [(lease.name, lease.endless) for lease in tell(answers).leases] == [
        ("aurora-runner.service", False),
        ("endless.service", True),
    ]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12].encode("ascii", "replace").decode())
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_that_a_host_says_becomes_html_or_a_link(text, language):
    """Otherwise whoever may write a log line runs scripts in the browser of an engineer."""
    answers, asked = everywhere(recorded.answers(), text), recorded.ranges()
    answers["aurora9"] = {"problem": text}
    story = tell(answers, language, asked)
    page, plain = write(story, "html", language), Tags(write(tell(language=language, asked=asked), "html", language))
    assert Tags(page).tags <= plain.tags | {("span", ("class",))}
    rendered = MarkdownIt("js-default", {"html": True}).enable("linkify").render(write(story, "md", language))
    assert {tag for tag, _attributes in Tags(rendered).tags} <= {
        "h1", "h2", "h3", "p", "ul", "li", "strong", "table", "thead", "tbody", "tr", "th", "td",
    }  # fmt: skip
    for form in FORMS:
        report = write(story, form, language)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", report)
        assert len(report) < 500_000


PRINTABLE = st.text(st.one_of(st.characters(exclude_categories=["Cc", "Cs"]), st.sampled_from("*_[]()<>|`~#-+.:/@&w")))


@given(PRINTABLE)
def test_markdown_shows_a_text_as_it_is(text):
    """Otherwise a name with a star or a bracket in it disappears, or becomes something else."""
    rendered = MarkdownIt("js-default", {"html": True}).enable("linkify").render(f"- {_render.neutral(text)}\n")
    seen = Tags(rendered)
    assert {tag for tag, _attributes in seen.tags} <= {"ul", "li"}
    assert "".join(seen.text).split() == text.split()


def test_markdown_of_ours_is_not_escaped_twice():
    """Otherwise tables show backslashes."""
    assert "\\" not in write(tell()).replace("\\@", "")


def test_secrets_are_not_told():
    """Otherwise a report that goes to many people hands out a password."""
    secret = {"name": "API_TOKEN", "before": "hunter2", "after": "hunter3", "direction": "neutral"}
    note = {"who": "bob", "text": "password=hunter2 https://bob:hunter3@x.example.com/"}
    change = {**recorded.HALVE, "change": [secret]}
    answers = alone((5, "intent", change), (6, "note", note), (7, "other", {"auth_token": "hunter2"}))
    for form in FORMS:
        assert "hunter" not in write(tell(answers), form)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_record_however_malformed_keeps_the_report_from_being_written(data):
    """Otherwise one bad line costs the story of the whole incident."""
    answers, places = recorded.answers(), []

    def walk(value):
        for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            if key not in ("id", "incidents"):
                places.append((value, key))
            walk(value[key])

    walk(copy.deepcopy(answers))
    answers = copy.deepcopy(answers)
    places.clear()
    walk(answers["aurora1"])
    for parent, key in data.draw(st.lists(st.sampled_from(places), min_size=1, max_size=4)):
        parent[key] = data.draw(JSON)
    for form in FORMS:
        assert write(tell(answers, asked=data.draw(st.sampled_from([None, recorded.ranges()]))), form)


def test_a_sentence_that_this_version_does_not_know_is_shown_as_it_is():
    """Otherwise a newer host's record reads as if nothing was done."""
    said = {"message": "of_the_future", "values": {"unit": "x.service"}}
    answers = alone((5, "intent", recorded.HALVE), (6, "result", recorded.result(2, sentences=[said])))
    assert "of_the_future unit=x.service" in "\n".join(line.text for line in tell(answers).timeline)


def test_what_people_wrote_is_kept_and_goes_into_both_files():
    """Otherwise a root cause that took a day to find is lost when somebody writes the report again."""
    first = write(tell())
    edited = first.replace(_texts.say("en", "pm_write_root"), "The exchange *changed*\n\n<b>its</b> fees.")
    edited = edited.replace(
        "| fix what caused it | bob? | 2026-12-01 |  |", "| fix what caused it | bob | 2026-12-03 | x |"
    )
    edited = edited.replace(
        "<!-- follow_ups: end -->", "| call the \\| exchange | eve | soon |  |\n<!-- follow_ups: end -->"
    )
    again = write(tell(), written=edited)
    assert again == edited
    page = write(tell(), "html", written=edited)
    for part in ("The exchange *changed*", "&lt;b&gt;its", "bob", "2026-12-03", "call the | exchange", "eve"):
        assert part in page


def test_follow_ups_propose_who_acknowledged_last_until_a_person_names_an_owner():
    """Otherwise a table of blanks leaves the meeting, or a proposal passes for a decision."""
    answers = alone((5, "acknowledged", {"who": "bob"}), (9, "acknowledged", {"who": "e|ve"}))
    report = write(tell(answers))
    assert "| fix what caused it | e\\|ve? | 2026-12-01 |  |" in report
    assert "e|ve?" in write(tell(answers), "html")
    decided = report.replace("| fix what caused it | e\\|ve? |", "| fix what caused it | olena |")
    assert write(tell(answers), written=decided) == decided
    other = write(tell(alone((5, "acknowledged", {"who": "taras"}))), written=decided)
    assert "| fix what caused it | olena |" in other
    assert "| update the documentation | taras? |" in other
    assert "| fix what caused it |  | 2026-12-01 |  |" in write(tell(alone()))


def test_a_report_nobody_wrote_into_follows_the_record_and_the_language():
    """Otherwise yesterday's follow-ups and words stay in it."""
    english = write(tell())
    assert write(tell(language="uk"), language="uk", written=english) == write(tell(language="uk"), language="uk")


@pytest.mark.parametrize("wrong", ["", "../../etc/passwd", f"{ID}/../x", f"{ID}\n", "none-20261124T000000Z-00000000"])
def test_an_id_that_could_name_another_file_is_refused(wrong):
    """Otherwise a report is written where it should not be."""
    with pytest.raises(RunbookError):
        _query.checked(wrong)


def test_what_a_host_could_not_read_of_its_own_is_said_at_the_top():
    """A lease that cannot be read may still stand, and the report lists what does."""
    answers = recorded.answers()
    answers["aurora1"].update(failed=True, msg="override-x.json is not a lease this version can read")
    told = tell(answers)
    assert any("not all that aurora1 keeps" in one and "override-x.json" in one for one in told.warnings)
    assert "aurora1" in told.hosts


def test_a_page_that_was_tried_again_until_a_channel_took_it_was_sent():
    answers = {"aurora1": recorded.answers()["aurora1"]}
    lines = [
        (60, "opened", recorded.OPENED),
        (61, "paging", recorded.PAGE),
        (62, "paged", {**recorded.PAGE, "sent": [], "failed": [recorded.SLACK_DOWN]}),
        (182, "paging", recorded.PAGE),
        (183, "paged", {**recorded.PAGE, "sent": ["mail on call"], "failed": []}),
    ]
    answers["aurora1"]["incidents"] = [recorded.incident(recorded.lines(*lines), None)]
    told = tell(answers)
    assert [(page.level, page.sent, page.at - BEGAN) for page in told.pages] == [("L1", ("mail on call",), 183)]
    assert not any("L1" in warning for warning in told.warnings)


def test_what_an_incident_did_before_it_moved_here_is_in_its_story():
    """Two alerts open two incidents, and a run over both hosts makes them one: half of it was told in neither."""
    other = "circuit_breaker-20261124T180005Z-ffffffff"
    answers = {"aurora1": recorded.answers()["aurora1"]}
    (mine,) = answers["aurora1"]["incidents"]
    taken = recorded.lines((500, "opened", recorded.OPENED), (501, "joined", {}))
    before = {**mine, "id": other, "moved_to": ID}
    answers["aurora1"]["incidents"] = [recorded.incident(taken, None), before, {**before, "id": "x", "moved_to": "y"}]
    answers["aurora1"]["leases"][0]["incident"] = other
    told = tell(answers)
    whole = tell({"aurora1": recorded.answers()["aurora1"]})
    assert [action.at for action in told.actions] == [action.at for action in whole.actions]
    assert told.acknowledged == whole.acknowledged
    assert [lease.name for lease in told.leases] == ["aurora-runner.service"]
    assert (told.hosts, told.closed) == (("aurora1",), None)
    assert _query.latest(answers) == ID


def test_the_latest_incident_is_the_default_and_odd_ids_are_passed_over():
    """Otherwise the default is an old incident, or a path that a host made up."""
    older, newer = ID, ID.replace("T18", "T19")
    ids = ["../x-20271124T180000Z-1a2b3c4d", "none-20261125T000000Z-00000000", older, newer]
    answers = {"a": {"incidents": [{"id": name} for name in ids]}, "b": {"problem": "gone"}}
    assert _query.latest(answers) == newer
    with pytest.raises(RunbookError, match="no host could be read"):
        _query.latest({"b": {"problem": "gone"}})


def test_no_host_with_the_incident_is_an_error_and_not_an_empty_report():
    """Otherwise a mistyped id gives a report that says nothing happened."""
    with pytest.raises(RunbookError, match="no host that could be read has a record of it"):
        tell({"a": {"incidents": [], "leases": []}, "b": {"problem": "gone"}})


def test_prometheus_is_asked_once_for_all_hosts_and_for_a_bounded_number_of_points():
    """Otherwise a long incident asks Prometheus for more than it answers."""
    instances = {f"h{n}": f"h{n}.example.com" for n in range(40)}
    asked = _query.range_query(ID, recorded.answers(), instances, BEGAN + 30 * 86400)
    assert (asked["end"] - asked["start"]) / asked["step"] <= _series.MAX_POINTS
    assert asked["query"].count('"what", "indicator"') == 32
    assert asked["start"] < BEGAN


LEVELS = st.lists(st.tuples(st.integers(0, 10**6), st.one_of(st.none(), st.floats(-1e6, 1e6))), min_size=1, max_size=50)


@given(LEVELS, st.floats(-1e6, 1e6), st.booleans(), st.sampled_from([380, 860]))
def test_a_chart_stays_within_its_box(points, limit, low_is_bad, width):
    """Otherwise a line, the limit or a mark lies outside of what is shown."""
    points = sorted(points, key=lambda point: point[0])
    window = (points[0][0], points[-1][0])
    drawn = _chart.chart(points, window, limit, low_is_bad, [(at, "1") for at, _value in points[:9]], width, 180)
    if all(value is None for _at, value in points):
        assert drawn is None
        return
    numbers = [float(number) for number in re.findall(r"[ML](?:[\d.]+) ([-\d.]+)", drawn.path)]
    assert all(drawn.top <= y <= drawn.bottom for y in [*numbers, drawn.limit, *(tick.at for tick in drawn.up)])
    assert all(drawn.left <= tick.at <= drawn.right for tick in [*drawn.across, *drawn.marks])
    assert drawn.beyond[1] >= 0
    assert len(drawn.up) >= 2


def test_a_gap_breaks_the_line():
    """Otherwise an hour without data looks like an hour of good data."""
    drawn = _chart.chart([(0, 1), (1, 1), (2, None), (3, 1), (4, 1)], (0, 4), 2, False, [], 380, 180)
    assert drawn.path.count("M") == 2


def test_numbers_of_marks_do_not_cover_each_other():
    """Otherwise three actions within a minute are one blot."""
    drawn = _chart.chart([(0, 1), (1000, 1)], (0, 1000), 2, False, [(1, "1"), (2, "2"), (900, "3")], 380, 180)
    assert [mark.text for mark in drawn.marks] == ["1 2", "", "3"]


def test_a_host_that_others_name_and_that_is_not_in_the_report_is_missed_at_its_top():
    """Otherwise --limit hides half an incident, and the report looks whole."""
    answers = alone((5, "joined", {"alert": None, "hosts": ["a1", "a2", "a3", "a4"]}))
    answers |= {"a2": {"incidents": [], "leases": []}, "a3": {"problem": "no route to host"}}
    story = tell(answers)
    assert {host: problem[:25] for host, problem in story.missing} == {
        "a3": "no route to host",
        "a2": "another host names it as ",
        "a4": "another host names it as ",
    }
    assert ("no record" in dict(story.missing)["a2"], "--limit" in dict(story.missing)["a4"]) == (True, True)
    assert sum(host in "".join(story.warnings) for host in ("a2", "a3", "a4")) == 3
    assert sum(host in "".join(story.follow_ups) for host in ("a2", "a3", "a4")) == 3


def test_without_prometheus_denied_orders_are_those_that_were_counted_while_steps_were_watched():
    """They are at least so many: of the time between nobody knows."""
    counted = [recorded.result(2, recovery={"value": 0, "denied": denied}) for denied in (12.0, None, 3.0)]
    events = [(100, "intent", recorded.HALVE), *((200 + n, "result", one) for n, one in enumerate(counted))]
    (impact,) = tell(alone(*events)).impacts
    assert (impact.denied, impact.at_least) == (15, True)
    assert "≥ 15" in write(tell(alone(*events)))
    assert "≥ 15" in write(tell(alone(*events)), "html")
    (asked,) = tell(alone(*events), asked=recorded.ranges(["a1"])).impacts
    assert (asked.denied, asked.at_least) == (412, False)
    assert tell(alone((100, "intent", recorded.HALVE))).impacts[0].denied is None


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "../../etc/passwd", "\x00"])
def test_a_time_zone_that_is_none_is_refused_by_name(zone):
    with pytest.raises(RunbookError, match="aurora_timezone"):
        _render.zone_of(zone)


def test_local_times_are_those_of_the_zone_asked_for():
    """In a container of AWX the controller's are UTC, and nobody was up at those."""
    page = _render.render(tell(), "md", "en", _written.read(""), _render.zone_of("Europe/Kyiv"))
    assert "EET, UTC+0200" in page
    assert "| 2026-11-24 18:01:00 | 20:01:00 |" in page
