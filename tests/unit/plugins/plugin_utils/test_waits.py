# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a person at 3 a.m. looks at a run that stands still and does not know for what it waits."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.aurora.runbook.plugins.plugin_utils import _waits


@pytest.mark.parametrize("language", ["en", "uk"])
def test_a_line_says_where_for_what_and_for_how_long_at_most(language: str) -> None:
    options = {"recovery": {"indicator": "circuit_breaker", "timeout_seconds": 600}}
    line = _waits.line(language, "aurora1", "service_override", options, 930, 15.2)
    assert all(part in line for part in ("aurora1", "service_override", "circuit_breaker_state", "15", "930"))


@pytest.mark.parametrize(
    "options", [{}, {"recovery": None}, {"recovery": "{{ nonsense }}"}, {"recovery": {"indicator": "x"}}]
)
def test_a_line_needs_no_recovery_and_no_limit(options: dict) -> None:
    line = _waits.line("en", "aurora1", "tcp_tuning", options, 0, 30.0)
    assert ("tcp_tuning" in line, "30" in line, "at most" in line) == (True, True, False)


def test_it_is_said_again_and_again_while_the_block_runs_and_not_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_waits, "EVERY_SECONDS", 0.01)
    said, twice = [], threading.Event()

    def say(text: str) -> None:
        said.append(text)
        if len(said) > 1:
            twice.set()

    before = threading.active_count()
    with _waits.told("after {:.2f} s".format, say):
        assert twice.wait(10)
    assert threading.active_count() == before
