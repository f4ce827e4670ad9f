# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a preflight calls ready what nobody knows, or its report hides what is not."""

from __future__ import annotations

import json

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages
from ansible_collections.aurora.runbook.plugins.plugin_utils import _ready, _texts

HOSTILE = "{{ lookup('pipe', 'id') }} {0.__class__} %s\nsecond line password=hunter2"
ONE = _ready.ready("a1", "units", "runner: x.service")
BAD = _ready.not_ready("a1", "logs", "/a.jsonl", "ready_says", text="it is not there")
UNKNOWN = _ready.unchecked("a2", "clock", "", "no answer")


@pytest.mark.parametrize(
    ("checks", "ready"), [([], False), ([ONE], True), ([ONE, BAD], False), ([ONE, UNKNOWN], False)]
)
def test_only_what_was_checked_and_is_well_is_ready(checks, ready):
    assert _ready.all_ready(checks) is ready


@pytest.mark.parametrize("what", _ready.WHATS)
def test_what_to_do_is_said_for_everything_that_hosts_are_checked_for(what):
    if what in _ready.WHATS[20:]:
        pytest.skip("it is not a host's, and says what to do itself")
    assert _ready.not_ready("a1", what, "", "ready_says", text="x")["next"]["message"] in _texts.OWN


@pytest.mark.parametrize("language", [*_messages.LANGUAGES, "en@awx"])
def test_the_report_has_a_line_a_host_and_why_and_what_to_do_for_the_rest(language):
    lines = _ready.lines(language, ["a1", "a2", "a3"], [ONE, BAD, UNKNOWN, _ready.ready("a3", "units")], ["AWX"])
    assert [line.partition(":")[0] for line in lines[:3]] == ["a1", "a2", "a3"]
    assert ("logs" in lines[0], "clock" in lines[1]) == (True, True)
    assert "AWX" in lines[3]
    assert [line for line in lines[4:] if "it is not there" in line and "/a.jsonl" in line]
    assert len(lines) == 8


def test_when_all_is_ready_it_is_a_line_a_host():
    lines = _ready.lines("en", ["a1", "a2"], [ONE, _ready.ready("a2", "units")], [])
    assert lines == ["a1: READY, checks: 1", "a2: READY, checks: 1"]


def test_of_a_host_without_a_check_it_is_not_said_that_it_is_ready():
    assert "READY," not in _ready.lines("en", ["a1"], [], [])[0]


def test_the_same_on_several_hosts_is_said_once():
    everywhere = [_ready.not_ready(host, "leases", "x", "ready_says", text="stands") for host in ("a1", "a2")]
    lines = _ready.lines("en", ["a1", "a2"], everywhere, [])
    assert [line for line in lines if "--limit a1,a2" in line]
    assert len(lines) == 4


def test_what_is_no_hosts_has_a_line_of_its_own():
    lines = _ready.lines("en", ["a1"], [ONE, _ready.not_ready("", "clock", "", "ready_says", text="x")], [])
    assert "NOT READY" in lines[1]


def test_what_a_host_says_is_one_line_and_no_secret_and_no_template():
    said = _ready.not_ready("a1", "logs", HOSTILE, "ready_says", text=HOSTILE)
    text = "\n".join(_ready.lines("en", ["a1"], [said], []))
    assert "hunter2" not in text + json.dumps(said)
    assert "{0.__class__}" in text
    assert all("\n" not in value for value in (said["about"], said["why"]["values"]["text"]))


def test_no_word_of_a_host_becomes_a_variable_of_what_comes_next():
    said = _ready.not_ready("a1", "logs", HOSTILE, "ready_says", text=HOSTILE)
    assert _ready.handed_on([said]) == [{"host": "a1", "what": "logs", "state": "not_ready", "why": "ready_says"}]
