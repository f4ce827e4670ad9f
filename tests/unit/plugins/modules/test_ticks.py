# SPDX-License-Identifier: GPL-3.0-or-later
"""Ticks of escalate on a host. If these break, they pile up, or none pages after one that was killed."""

from __future__ import annotations

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.record import _claim, _record
from ansible_collections.aurora.runbook.plugins.modules import incident


@pytest.fixture(autouse=True)
def memory(tmp_path, monkeypatch):
    monkeypatch.setattr(_record, "MEMORY", str(tmp_path / "memory"))
    monkeypatch.setattr(incident, "TICKS", str(tmp_path / "memory" / "tick"))


def tick(key, check_mode=False):
    return incident.ticking({"key": key}, check_mode)["tick"]


def test_one_tick_is_at_work_at_a_time():
    assert [tick("a"), tick("b"), tick("a")] == [True, False, True]
    assert "another tick" in incident.ticking({"key": "b"}, False)["message"]
    incident.ticked({"key": "b"}, False)  # it ends no other than its own
    assert tick("b") is False
    incident.ticked({"key": "a"}, False)
    assert tick("b") is True


def test_a_tick_that_was_killed_keeps_others_out_for_two_minutes(monkeypatch):
    tick("a")
    now = _stamps.clock()
    for seconds, goes_on in ((119, False), (121, True)):
        later = _stamps.Clock(now.wall + seconds, now.boot, now.up + seconds)
        monkeypatch.setattr(_stamps, "clock", lambda later=later: later)
        assert tick("b") is goes_on


def test_who_asks_again_and_again_keeps_no_page_away():
    tick("a")
    asked = [tick(f"asker-{number}") for number in range(3 * incident.KEPT_OUT)]
    assert asked == [*[False] * (incident.KEPT_OUT - 1), True] * 3
    assert _claim.held(_stamps.clock(), incident.TICKS).token == "a"  # noqa: S105 a key of this test


@pytest.mark.parametrize("text", ["", "x", "-1", "1e9", "99", "\x00" * 100])
def test_a_count_that_cannot_be_read_begins_anew(text):
    tick("a")
    with open(f"{incident.TICKS}/kept-out", "w", encoding="ascii") as file:
        file.write(text)
    asked = [tick("b") for _number in range(incident.KEPT_OUT)]
    assert asked == [*[False] * (incident.KEPT_OUT - 1), True]


def test_a_reboot_ends_a_tick(monkeypatch):
    tick("a")
    now = _stamps.clock()
    monkeypatch.setattr(_stamps, "clock", lambda: _stamps.Clock(now.wall, "another boot", 1.0))
    assert tick("b") is True


def test_check_mode_only_asks():
    assert [tick("a", True), tick("b", True)] == [True, True]
    tick("a")
    assert tick("b", True) is False
    assert _claim.held(_stamps.clock(), incident.TICKS).token == "a"  # noqa: S105 a key of this test
