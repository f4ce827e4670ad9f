# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a message crashes in the middle of an incident, or says less in one language than in the other."""

from __future__ import annotations

import string

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages
from ansible_collections.aurora.runbook.plugins.plugin_utils import _escalation
from hypothesis import example, given
from hypothesis import strategies as st


def fields(text):
    return {name for _literal, name, _spec, _conversion in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", _messages.CATALOGUE)
def test_both_languages_tell_the_same(key):
    english, ukrainian = _messages.CATALOGUE[key]
    assert fields(english) == fields(ukrainian)
    assert english.strip()
    assert ukrainian.strip()


def test_a_hostile_value_is_data_and_not_a_template():
    said = _messages.say("en", "nginx_says", message="{0.__class__} {{ 1 }} %s")
    assert said == "nginx -t: {0.__class__} {{ 1 }} %s"


FIGURES = st.floats(-1e6, 1e6) | st.sampled_from([0.99896, 0.9989999999, 300.04, 0.35000001, 0.0500001, 12345.6])
LIMITS = st.sampled_from([0.999, 300.0, 0.35, 0.05, 5.0, 2.0, 0.99995, 12345.5]) | st.floats(-1e6, 1e6)


@given(FIGURES, LIMITS)
@example(0.99896, 0.999)
@example(0.99899999, 0.999)
@example(300.04, 300.0)
@example(300.0, 300.0)
def test_a_value_is_shown_on_its_own_side_of_its_limit(value, limit):
    """Else an alert says that 0.999 is below the limit of 0.999."""
    shown, edge = float(_messages.number(value, limit)), float(_messages.number(limit, limit))
    assert edge == limit
    assert (shown > edge, shown < edge) == (value > limit, value < limit)


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [
        (0.031249, None, "0.03125"),
        (0.5, 0.999, "0.5"),
        (0.99896, 0.999, "0.99896"),
        (0.999, 0.999, "0.999"),
        (300.4, 300, "300.4"),
        (12345, None, "12345"),
        (12345, 30, "12345"),
        (None, 1.0, "–"),
        (float("nan"), 1.0, "nan"),
    ],
)
def test_a_figure_has_no_more_digits_than_it_needs(value, limit, text):
    assert _messages.number(value, limit) == text


@given(st.floats(0, 4e6), st.sampled_from([300, 900, 1800, 3600, 7200, 14400, 86400, 604800]))
@example(900.4, 900)
@example(930, 900)
def test_a_time_beyond_its_limit_is_not_shown_as_the_limit(seconds, limit):
    """Else a page says: 15 min, LATE: 15 min were allowed."""
    shown = _escalation.span("en", seconds, limit)
    assert (shown != _escalation.span("en", limit)) or seconds <= limit
    assert shown == _escalation.span("en", seconds) or seconds > limit


@pytest.mark.parametrize("language", _messages.LANGUAGES)
@pytest.mark.parametrize("key", _messages.CATALOGUE)
def test_nobody_on_awx_is_told_to_type_a_command_that_a_template_stands_for(key, language):
    elsewhere, on_awx = (_messages.text_of(f"{language}{place}", key) for place in ("", _messages.ON_AWX))
    assert "ansible-playbook" not in on_awx
    assert "-e aurora_" not in on_awx
    assert fields(elsewhere) <= fields(on_awx) or f"{key}{_messages.ON_AWX}" in _messages.CATALOGUE


@pytest.mark.parametrize(("language", "launch"), [("en", "launch the template"), ("uk", "запустити шаблон")])
def test_on_awx_the_next_step_names_the_template_and_its_limit(language, launch):
    said = _messages.say(f"{language}@awx", "next_revert", host="aurora1")
    assert f"{launch} aurora.runbook.revert" in said
    assert said.endswith("limit aurora1")
    approve = {"knobs": "spread_threshold", "host": "aurora1", "incident": "circuit_breaker"}
    assert "workflow aurora.runbook.circuit_breaker" in _messages.say(f"{language}@awx", "next_approve", **approve)
    assert "aurora_approve=spread_threshold" in _messages.say(language, "next_approve", **approve)


def test_what_a_host_says_is_not_taken_for_a_command():
    said = "ansible-playbook aurora.runbook.revert --limit {host}"
    assert said in _messages.say("en@awx", "failed", problem=said)
