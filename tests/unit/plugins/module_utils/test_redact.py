# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a secret or a terminal escape gets from a log into a report."""

from __future__ import annotations

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils._redact import redact, redact_data


@pytest.mark.parametrize(
    "text",
    [
        "X-Auth-Token: hunter2",
        '{"api_key": "hunter2", "a": 1}',
        "EXCHANGE_SECRET=hunter2",
        "Authorization: Bearer hunter2",
        "password = 'hunter2'",
        "GET /sse?token=hunter2&x=1",
        'password="my hunter2 pass"',
        "https://key:hunter2@exchange.example.com/",
        "signature=hunter2",
        "PGPASS=hunter2",
    ],
)
def test_what_stands_behind_the_name_of_a_secret_is_not_shown(text):
    assert "hunter2" not in redact(text)


def test_a_known_secret_is_not_shown_wherever_it_stands():
    assert redact_data({"a": ["see hunter2", {"b": "hunter2!"}]}, ["hunter2"]) == {"a": ["see ***", {"b": "***!"}]}


def test_ordinary_lines_stay_as_they_are():
    line = '2026-11-23 runner[7]: denied BTCUSDT why=SPREAD_GUARD_TRIP spread=1.75 "tokens left": 3'
    assert redact(line).startswith("2026-11-23 runner[7]: denied BTCUSDT why=SPREAD_GUARD_TRIP spread=1.75")


@pytest.mark.parametrize("character", ["\x1b", "\x00", "\x9b", "\u202e", "\r", "\n", "\u2028"])
def test_what_a_terminal_would_obey_is_taken_out(character):
    assert character not in redact(f"a{character}[31mb")


def test_a_long_line_is_cut():
    assert len(redact("a" * 100000)) <= 501


def test_a_hostile_line_takes_no_time():
    assert len(redact("token" * 100000)) <= 501
    assert len(redact("a-" * 100000 + "=")) <= 501
