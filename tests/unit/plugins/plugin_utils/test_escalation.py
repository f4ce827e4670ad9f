# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, nobody is woken for an incident, or somebody is woken twice, or a log speaks to a chat."""

from __future__ import annotations

import re

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages
from ansible_collections.aurora.runbook.plugins.modules import incident as incident_module
from ansible_collections.aurora.runbook.plugins.plugin_utils import _escalation, _texts
from hypothesis import example, given, settings
from hypothesis import strategies as st

LEVELS = list(_escalation.LEVELS)
AGES = st.floats(0, 10_000_000)
PAGES = st.fixed_dictionaries({"state": st.sampled_from(["paging", "paged"]), "age_seconds": st.floats(0, 1000)})
PAGED = st.dictionaries(st.sampled_from(LEVELS), PAGES)
EVIDENCE = {"message": "why_share", "values": {"percent": 95, "denials": 19, "code": "SPREAD_GUARD_TRIP"}}
HOST = {
    "host": "aurora1",
    "verdict": "approval_needed",
    "seen": [{"message": "breached", "values": {"severity": "P0", "metric": "state", "value": "2", "limit": "2"}}],
    "causes": [{"cause": "wide_spreads", "evidence": [EVIDENCE]}],
    "done": [{"message": "still_breached", "values": {"metric": "state", "value": "2", "limit": "2"}}],
    "proposed": ["spread_threshold"],
    "leased": [{"name": "aurora-runner.service", "written": {"KELLY_MULTIPLIER": "0.5"}, "until": "2026-11-24T20:00Z"}],
}
FACTS = {
    "id": "circuit_breaker-20261124T180000Z-0123abcd",
    "incident": "circuit_breaker",
    "severity": "P0",
    "age_seconds": 2100,
    "acknowledged": None,
    "hosts": [HOST],
}


def incident(**changes):
    base = {"id": "i", "incident": "circuit_breaker", "open": True, "opened": "2026-11-24T18:00:00Z", "severity": "P2"}
    return {**base, "age_seconds": 10.0, "acknowledged": None, "responded": None, "levels": {}, **changes}


def merged(*told):
    return _escalation.merge({f"aurora{number}": [one] for number, one in enumerate(told, 1)})[0]


@pytest.mark.parametrize(
    ("age", "last"),
    [(0, "L1"), (1800, "L1"), (1800.1, "L2"), (7200, "L2"), (7201, "L3"), (14400, "L3"), (14401, "L4"), (1e6, "L4")],
)
def test_a_level_takes_over_when_the_one_before_had_its_time(age, last):
    assert _escalation.due(age) == LEVELS[: LEVELS.index(last) + 1]


@pytest.mark.parametrize("language", _messages.LANGUAGES)
@pytest.mark.parametrize(("level", "after"), list(zip(LEVELS, LEVELS[1:], strict=False)))
def test_a_page_says_when_the_next_level_takes_over(language, level, after):
    said = _texts.say(language, f"page_next_{level}")
    assert _escalation.span(language, _escalation.LEVELS[after]) in said
    assert after in said


def test_a_host_remembers_pages_of_the_levels_that_there_are():
    assert incident_module.ARGUMENTS["argument_spec"]["level"]["choices"] == LEVELS


@settings(deadline=None)
@given(AGES, AGES)
def test_an_older_incident_never_concerns_fewer(one, other):
    younger, older = sorted([one, other])
    assert set(_escalation.due(younger)) <= set(_escalation.due(older))


@settings(deadline=None)
@given(AGES, PAGED)
def test_every_level_that_is_due_is_paged_once_and_no_other(age, pages):
    asked = _escalation.to_page(age, pages)
    for level in LEVELS:
        page = pages.get(level)
        answered = page and (page["state"] == "paged" or page["age_seconds"] < 120)
        assert (level in asked) == (level in _escalation.due(age) and not answered)
    assert _escalation.to_page(age, {**pages, **{level: {"state": "paged"} for level in asked}}) == []


def test_a_sender_that_died_is_followed_by_another_with_the_same_key():
    assert _escalation.to_page(1, {"L1": {"state": "paging", "age_seconds": 119}}) == []
    assert _escalation.to_page(1, {"L1": {"state": "paging", "age_seconds": 120}}) == ["L1"]
    assert _escalation.key("circuit_breaker-x-1", "L1") == "circuit_breaker-x-1-L1"


@settings(deadline=None)
@given(st.lists(st.tuples(AGES, PAGED, st.sampled_from(["P0", "P1", "P2", "P3"]), st.booleans()), min_size=1))
def test_hosts_of_an_incident_tell_one_story(told):
    whole = merged(*(incident(age_seconds=a, levels=p, severity=s, open=o) for a, p, s, o in told))
    assert whole.age_seconds == max(age for age, *_rest in told)
    assert whole.severity == min(severity for *_rest, severity, _open in told)
    assert whole.open == any(is_open for *_rest, is_open in told)
    assert len(whole.hosts) == (sum(is_open for *_rest, is_open in told) or len(told))
    for _age, pages, *_rest in told:
        for level, page in pages.items():
            if page["state"] == "paged":
                assert level not in _escalation.to_page(whole.age_seconds, whole.levels)


def test_the_latest_attempt_of_several_is_the_one_that_may_still_be_under_way():
    old, new = ({"L1": {"state": "paging", "age_seconds": age}} for age in (500, 5))
    assert _escalation.to_page(600, merged(incident(levels=old), incident(levels=new)).levels) == []


def test_acknowledged_on_one_host_is_acknowledged_and_its_own_clock_counts():
    late = {"who": "olena", "at": "2026-11-24T18:07:00Z", "after_seconds": 420}
    ahead = {"who": "taras", "at": "2026-11-25T18:04:00Z", "after_seconds": 240}
    whole = merged(incident(acknowledged=late), incident(), incident(acknowledged=ahead))
    assert (whole.acknowledged["who"], whole.acknowledged["after_seconds"]) == ("taras", 240)
    assert merged(incident()).acknowledged is None


def test_incidents_are_told_apart():
    both = _escalation.merge({"b": [incident(), incident(id="j")], "a": [incident(id="j")]})
    assert [(one.id, one.hosts) for one in both] == [("i", ("b",)), ("j", ("a", "b"))]


def test_a_page_says_what_was_found_tried_proposed_and_what_to_do():
    title, body = _escalation.page("en", "L2", FACTS)
    assert title == "P0 L2 circuit_breaker: aurora1, open for 35 min"
    assert body.splitlines() == [
        "circuit_breaker-20261124T180000Z-0123abcd: P0, unresolved for 35 min; L2 takes over after 30 min",
        "NOBODY HAS ACKNOWLEDGED IT: the 5 min ended 30 min ago",
        "to be resolved within 1 h: 25 min left",
        "aurora1: WAITS FOR APPROVAL",
        "  was:  P0: state is 2, limit 2",
        "  was:  likely cause: wide_spreads: 95 % of the last 19 denials say SPREAD_GUARD_TRIP",
        "  done: state is 2, still beyond its limit of 2",
        "  left: aurora-runner.service is overridden: KELLY_MULTIPLIER=0.5; the host gives the first of it back by "
        "itself at 2026-11-24T20:00Z",
        "  next: decide, then run again with: -e aurora_approve=spread_threshold --limit aurora1",
        "  next: analyse the incident in depth, review code, change infrastructure, coordinate with the business; L3"
        " takes over 2 h after the trouble began",
        "  next: look: ansible-playbook aurora.runbook.triage --limit aurora1; repair: "
        "aurora.runbook.remediate_circuit_breaker",
    ]


def test_a_page_in_ukrainian_says_the_same():
    title, body = _escalation.page("uk", "L1", {**FACTS, "acknowledged": {"who": "olena", "after_seconds": 400}})
    assert title == "P0 L1 circuit_breaker: aurora1, триває 35 хв"
    assert "підтверджено (olena) за 6 хв, ЗАПІЗНО: дозволено 5 хв" in body
    assert "aurora1: ЧЕКАЄ СХВАЛЕННЯ" in body
    assert "підтвердити інцидент, переглянути діагностику" in body


@pytest.mark.parametrize(
    ("responded", "person", "lines"),
    [
        (
            ("intent", 240),
            None,
            ["automation began to act after 4 min, within the 5 min", "no person has acknowledged"],
        ),
        (("intent", 400), None, ["began to act after 6 min, LATE: 5 min were allowed", "no person has acknowledged"]),
        (("intent", 240), 400, ["began to act after 4 min, within the 5 min", "acknowledged by olena after 6 min"]),
        (("acknowledged", 240), 240, ["acknowledged by olena after 4 min, within its 5 min"]),
    ],
)
def test_the_first_answer_meets_the_deadline_and_whether_a_person_knows_is_said_apart(responded, person, lines):
    what, after = responded
    first = {"who": "olena", "after_seconds": after, "automatic": what == "intent"}
    knows = person and {"who": "olena", "after_seconds": person}
    told = _escalation.clock("en", {**FACTS, "responded": first, "acknowledged": knows})[:-1]
    assert len(told) == len(lines)
    assert all(part in line for part, line in zip(lines, told))
    assert not [line for line in told[1:] if "LATE" in line]


def test_the_first_answer_of_any_host_counts():
    acted, known = ({"who": "x", "after_seconds": after, "automatic": after > 200} for after in (240, 180))
    whole = merged(incident(responded=acted), incident(responded=known), incident())
    assert (whole.responded["after_seconds"], whole.responded["automatic"]) == (180, False)
    assert merged(incident()).responded is None


@pytest.mark.parametrize("language", ["en", "uk"])
def test_a_page_about_a_host_that_cannot_be_read_names_it_and_why(language):
    title, body = _escalation.unread(language, "aurora2", f"ssh: <!here> no route\x1b[2J {'x' * 9999}")
    assert title.startswith("L1 aurora2")
    assert ("‹!here›" in body, "\x1b" in body) == (True, False)
    assert (len(title) <= _escalation.MAX_TITLE, len(body) <= _escalation.MAX_BODY) == (True, True)
    assert _escalation.unread(language, "aurora2", "no route")[1].splitlines()[-1].endswith("--limit aurora2")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (300, "5 min"),
        (3600, "1 h"),
        (3900, "1 h 5 min"),
        (604800, "7 d"),
        (97200, "1 d 3 h"),
    ],
)
def test_lengths_of_time_as_people_say_them(seconds, text):
    assert _escalation.span("en", seconds) == text


HOSTILE = st.one_of(
    st.text(st.characters()),
    st.sampled_from(
        ["@channel", "<!here>", "<@U1>", "<a|b>", "[x](http://e)", "\x1b[2J", "\u202e", "{0.x}", "a" * 9999, "\udc80"]
    ),
)
SENTENCES = st.one_of(
    st.builds(lambda text: {"message": "nginx_says", "values": {"message": text}, "text": text}, HOSTILE),
    st.builds(lambda text: {"message": text, "values": {"message": text}, "text": text}, HOSTILE),
    st.builds(lambda text: {"message": "ece_high", "values": {"value": text, "limit": text}}, HOSTILE),
    st.just({}),
)
HOSTS = st.fixed_dictionaries(
    {"host": HOSTILE, "verdict": HOSTILE, "done": st.lists(SENTENCES, max_size=20), "seen": st.lists(SENTENCES)},
    optional={
        "causes": st.lists(st.fixed_dictionaries({"cause": HOSTILE, "evidence": st.lists(SENTENCES)})),
        "leased": st.lists(st.fixed_dictionaries({"name": HOSTILE, "written": st.dictionaries(HOSTILE, HOSTILE)})),
        "proposed": st.lists(HOSTILE),
    },
)
WHOLE = st.fixed_dictionaries(
    {},
    optional={
        "id": HOSTILE,
        "incident": HOSTILE,
        "severity": HOSTILE,
        "age_seconds": AGES,
        "hosts": st.lists(HOSTS, max_size=8),
        "acknowledged": st.fixed_dictionaries({"who": HOSTILE, "at": HOSTILE}),
    },
)


@settings(deadline=None)
@given(st.sampled_from(_messages.LANGUAGES), st.sampled_from(LEVELS), WHOLE)
def test_whatever_hosts_report_the_page_is_short_and_plain(language, level, facts):
    title, body = _escalation.page(language, level, facts)
    assert 0 < len(title) <= 120
    assert 0 < len(body) <= 3500
    text = title + body
    text.encode("utf-8")
    assert not re.search(r"@(?!\u200b)|[<>]|\]\(", text)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028]", text)
    assert "\n" not in title


def test_what_to_do_is_said_however_much_there_is_to_tell():
    host = {**HOST, "done": [{"message": "nginx_says", "values": {"message": "x" * 400}}] * 50}
    body = _escalation.page("en", "L3", {**FACTS, "hosts": [host] * 9})[1]
    assert len(body) <= 3500
    assert "more lines" in body
    assert body.splitlines()[-1].startswith("  next: look: ansible-playbook aurora.runbook.triage")
    assert "decide on strategy and people" in body


def test_urls_stay_text_and_secrets_do_not_come_along():
    values = {"message": "see http://evil.example/x and token=hunter2 at https://bot:hunter2@chat.example.com"}
    host = {**HOST, "done": [{"message": "nginx_says", "values": values}]}
    body = _escalation.page("en", "L1", {**FACTS, "hosts": [host]})[1]
    assert "http://evil.example/x" in body
    assert "hunter2" not in body


@given(st.floats(0, 4e6), st.sampled_from([300, 900, 1800, 3600, 7200, 14400, 86400, 604800]))
@example(900.4, 900)
@example(930, 900)
def test_a_time_beyond_its_limit_is_not_shown_as_the_limit(seconds, limit):
    """Otherwise a page says: 15 min, LATE: 15 min were allowed."""
    shown = _escalation.span("en", seconds, limit)
    assert (shown != _escalation.span("en", limit)) or seconds <= limit
    assert shown == _escalation.span("en", seconds) or seconds > limit
