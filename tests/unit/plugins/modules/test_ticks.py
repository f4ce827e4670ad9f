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
