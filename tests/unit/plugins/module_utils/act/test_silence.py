# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, an alert that nobody works on is silenced, or a silence that somebody else made is taken away."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _silence
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = datetime(2026, 11, 24, 18, tzinfo=timezone.utc)
KEY = "circuit_breaker-20261124T180000Z-0123abcd"
MARK = _silence.marker(KEY)
MATCHERS = _silence.matchers("CircuitBreakerOpen", ["aurora1", "10.0.0.21"])
WANTED = _silence.Wanted(MATCHERS, f"worked on {MARK}", "aurora.runbook", 3600)
NAMES = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9-])?\.?", fullmatch=True)


def silence(name="a-1", left=3600, comment=WANTED.comment, **changes):
    told = {
        "id": name,
        "status": {"state": "active"},
        "comment": comment,
        "createdBy": "aurora.runbook",
        "startsAt": "2026-11-24T17:59:00.123456789Z",
        "endsAt": (NOW + timedelta(seconds=left)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "matchers": [{"name": n, "value": v, "isRegex": regex, "isEqual": True} for n, v, regex in MATCHERS],
    }
    return {**told, **changes}


def plan(*answer, wanted=WANTED):
    return _silence.plan(_silence.ours(list(answer), MARK, "aurora.runbook"), wanted, NOW)


def matched(hosts, instance):
    return re.fullmatch(_silence.matchers("A", hosts)[1][1], instance) is not None


@pytest.mark.parametrize(
    "instance",
    [
        "aurora-a.example.com",
        "aurora-a.example.com:9000",
        "AURORA-A.example.com.:9000",
        "https://aurora-a.example.com:9000/metrics",
        "10.0.0.1:8001",
        "[fe80::1]:9",
        "[FE80:0:0:0:0:0:0:1]:9",
        "fe80::0001",
    ],
)
def test_a_host_of_the_incident_is_silenced_with_any_port(instance):
    assert matched(["aurora-a.example.com", "10.0.0.1", "fe80::1"], instance)


@pytest.mark.parametrize(
    "instance",
    [
        "aurora-axexample.com:9000",
        "xaurora-a.example.com",
        "aurora-a.example.com.evil",
        "aurora-a.example.com:9000x",
        "aurora-b.example.com:9000",
        "10.0.0.11:8001",
        "",
    ],
)
def test_no_other_host_is(instance):
    assert not matched(["aurora-a.example.com", "10.0.0.1"], instance)


@settings(deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=5), NAMES, st.integers(1, 65535))
def test_exactly_the_hosts_of_the_incident_are_silenced(hosts, other, port):
    meant = other.rstrip(".") in {host.rstrip(".") for host in hosts}
    assert matched(hosts, other) == matched(hosts, f"{other}:{port}") == meant


@pytest.mark.parametrize(
    ("alert", "hosts"),
    [("A", []), ("A", [".*"]), ("A", ["a|b"]), ("A", [""]), (".*", ["a"]), ('A"', ["a"]), ("", ["a"])],
)
def test_what_would_match_more_is_refused(alert, hosts):
    with pytest.raises(RunbookError):
        _silence.matchers(alert, hosts)


def test_another_label_may_name_the_host():
    assert _silence.matchers("A", ["a"], "hostname")[1][0] == "hostname"
    with pytest.raises(RunbookError, match="label"):
        _silence.matchers("A", ["a"], 'instance="a",x')


def test_instances_of_an_answer_that_is_no_list_of_alerts_are_refused():
    assert _silence.instances([{"labels": {"instance": "b:1"}}, {"labels": {}}], "instance") == ["", "b:1"]
    for answer in (None, 7, {"a": 1}, [1], [{"labels": None}], [{}]):
        with pytest.raises(RunbookError, match="not a list of alerts"):
            _silence.instances(answer, "instance")


def test_without_a_silence_one_is_made():
    planned = plan()
    assert planned.changed
    asked = _silence.request(planned, NOW)
    assert "id" not in asked
    assert (asked["startsAt"], asked["endsAt"]) == ("2026-11-24T18:00:00Z", "2026-11-24T19:00:00Z")
    assert asked["comment"].endswith(KEY + "]")
    assert all(matcher["isEqual"] for matcher in asked["matchers"])


@pytest.mark.parametrize(
    ("answer", "as_it_is"),
    [
        (silence(), True),
        (silence(left=3300), True),
        (silence(left=3000), False),
        (silence(left=9000), False),
        (silence(comment=f"other {MARK}"), False),
        (silence(matchers=[{"name": "alertname", "value": "CircuitBreakerOpen", "isRegex": False}]), False),
        (silence(matchers=[{**one, "isEqual": False} for one in silence()["matchers"]]), False),
        (silence(endsAt="2026-11-24T19:00:00Z"), True),
        (silence(endsAt="2026-11-24T20:00:00.5+01:00"), True),
    ],
)
def test_ours_is_kept_while_it_is_as_wanted_and_else_renewed_in_place(answer, as_it_is):
    planned = plan(answer)
    assert planned.changed is not as_it_is
    if not as_it_is:
        asked = _silence.request(planned, NOW)
        assert (asked["id"], asked["startsAt"]) == ("a-1", answer["startsAt"])


@pytest.mark.parametrize(
    "other",
    [
        silence(comment="maintenance"),
        silence(comment=f"{MARK} I keep it"),
        silence(comment=f"x {_silence.marker(KEY + '0')}"),
        silence(createdBy="olena"),
        silence(status={"state": "expired"}),
    ],
)
def test_silences_of_others_are_never_touched(other):
    assert plan(other).renewed is None
    assert plan(other, wanted=None) == _silence.Plan()


def test_of_two_that_a_race_made_one_stays():
    planned = plan(silence("b"), silence("a", left=3500))
    assert (planned.stands.id, [one.id for one in planned.expired]) == ("b", ["a"])
    assert planned.changed
    assert {one.id for one in plan(silence("b"), silence("a"), wanted=None).expired} == {"a", "b"}


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"status": "x"},
        "x",
        [1],
        [{"id": "x"}],
        [silence(id="../x")],
        [silence(endsAt="soon")],
        [silence(endsAt=[])],
    ],
)
def test_an_answer_that_is_no_list_of_silences_is_refused(answer):
    if answer == {}:
        answer = {"a": 1}
    with pytest.raises(RunbookError, match="not a list of silences"):
        _silence.ours(answer, MARK, "aurora.runbook")


def test_the_diff_says_what_was_silenced_and_what_is():
    shown = _silence.diff(plan(), NOW)
    assert shown["before"] == ""
    assert "alertname=CircuitBreakerOpen\ninstance=~" in shown["after"]
    assert "until 2026-11-24T19:00:00Z" in shown["after"]
    same = _silence.diff(plan(silence()), NOW)
    assert same["before"] == same["after"]
    assert _silence.diff(plan(silence(), wanted=None), NOW)["after"] == ""
