# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a host forgets what it has to give back, or gives back what a restart has taken already."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import datetime, timezone

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import BusyError, RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease
from hypothesis import given
from hypothesis import strategies as st

FIRST = {
    "attempts": [],
    "before": {"KELLY_MULTIPLIER": "1.0"},
    "by": "oncall",
    "granted": "2026-11-23T00:00:00+00:00",
    "kind": "service_override",
    "made": ["/etc/aurora-runbook"],
    "phase": "active",
    "previous": {},
    "unit": "x.service",
    "version": 1,
    "written": {"KELLY_MULTIPLIER": "0.5"},
}

CLOCK = _stamps.Clock(1.8e9, "this-boot", 5000.0)
END = {"seconds": 60, "until": "2026-11-24T00:00:00+00:00", "granted_boot": "b", "granted_up": 1.0}


def lease(name="x.service", kind="service_override", boot=""):
    return _lease.Lease(kind, name, "active", {"A": None}, {"A": "1"}, "2026-11-23T00:00:00+00:00", "oncall", boot=boot)


@pytest.fixture
def written(tmp_path):
    """Write a lease file as some version left it."""
    (tmp_path / "leases").mkdir()

    def write(fields, name="x.service"):
        (tmp_path / "leases" / f"override-{name}.json").write_text(json.dumps(fields), encoding="ascii")
        return str(tmp_path)

    return write


def test_a_lease_of_the_first_version_is_still_read(written):
    found = _lease.load("x.service", written(FIRST))
    assert (found.name, found.kind, found.written) == ("x.service", "service_override", {"KELLY_MULTIPLIER": "0.5"})


def test_a_lease_of_the_second_version_is_still_read_and_has_no_end(written):
    second = {**{name: value for name, value in FIRST.items() if name != "unit"}, "name": "x.service", "version": 2}
    found = _lease.load("x.service", written(second))
    assert (found.ends, found.until, found.incident, found.version) == ({}, None, "", 3)


def test_a_lease_reads_back_as_it_was_written(tmp_path):
    health = {"url": "http://localhost/", "start": 30.0, "hold": 5.0}
    ending = replace(lease("y.service"), ends={"A": _lease.end(60, CLOCK, "increases")}, health=health)
    for one in (lease(), lease("tcp_tuning", "tcp_tuning", _lease.boot()), ending):
        _lease.save(one, str(tmp_path))
        assert _lease.load(one.name, str(tmp_path)) == one
    assert [one.name for one in _lease.load_all(str(tmp_path))] == ["tcp_tuning", "x.service", "y.service"]


def test_who_finds_a_host_being_changed_is_told_by_whom_and_since_when(tmp_path):
    guard = str(tmp_path / "guard")
    refused = pytest.raises(BusyError)
    with _lease.exclusive("the timer", guard=guard), refused as raised, _lease.exclusive("olena", guard=guard):
        pass
    assert raised.value.holder == "the timer"
    assert _stamps.seconds(raised.value.since) > 0
    assert (tmp_path / "guard").read_text() == ""  # what holds it without a word is not taken for who had it last
    with _lease.exclusive("olena", guard=guard):
        pass


def test_a_host_that_is_free_soon_is_waited_for(tmp_path):
    guard, held, over = str(tmp_path / "guard"), threading.Event(), threading.Event()

    def other():
        with _lease.exclusive("the timer", guard=guard):
            held.set()
            over.wait(30)

    thread = threading.Thread(target=other)
    thread.start()
    assert held.wait(30)
    threading.Timer(0.1, over.set).start()
    with _lease.exclusive("olena", 30, guard):
        assert over.is_set()
    thread.join()


def test_a_lease_that_ended_with_its_boot_no_longer_stands(tmp_path):
    _lease.save(lease("tcp_tuning", "tcp_tuning", "an-earlier-boot"), str(tmp_path))
    assert _lease.load("tcp_tuning", str(tmp_path)).gone
    assert _lease.load_all(str(tmp_path)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 4},
        {"ends": {"A": {"seconds": 60}}},
        {"ends": {"A": {**END, "until": "soon"}}},
        {"ends": {"A": {**END, "granted_up": "1"}}},
        {"ends": {"A": {**END, "direction": "reduces"}}},  # without the indicator that would have to be healthy
        {"health": {"url": ""}},
        {"kind": "other"},
        {"phase": "?"},
        {"written": {"A": 1}},
        {"before": []},
        {"more": 1},
        {"by": ...},
    ],
)
def test_what_is_no_lease_is_not_guessed_at(written, changes):
    fields = {name: value for name, value in {**FIRST, **changes}.items() if value is not ...}
    with pytest.raises(RunbookError, match="not a lease this version can read"):
        _lease.load("x.service", written(fields))


@pytest.mark.parametrize("text", ["[]", "null", "{}", "", "{"])
def test_a_broken_file_is_not_guessed_at(written, text):
    directory = written(FIRST)
    with open(_lease.path("x.service", directory), "w", encoding="ascii") as file:
        file.write(text)
    with pytest.raises(RunbookError, match="not a lease"):
        _lease.load("x.service", directory)


SECONDS = st.integers(60, 604800)
MOMENTS = st.floats(0, 1e9)


@given(SECONDS, MOMENTS, st.floats(-3e9, 3e9))
def test_in_the_boot_of_the_grant_no_clock_that_is_off_moves_an_end(seconds, later, off):
    """Somebody sets the host's clock by years: a raise would stay for years, or go at once."""
    now = _stamps.Clock(CLOCK.wall + later + off, CLOCK.boot, CLOCK.up + later)
    assert _lease.due(_lease.end(seconds, CLOCK), now) == (now.up - round(CLOCK.up, 3) >= seconds)


@given(SECONDS, MOMENTS, st.floats(0, 1e6))
def test_after_a_reboot_with_a_right_clock_it_ends_when_its_time_is_over(seconds, later, up):
    up = min(up, later)  # this boot is younger than the grant
    due = _lease.due(_lease.end(seconds, CLOCK), _stamps.Clock(CLOCK.wall + later, "next-boot", up))
    if abs(later - seconds) > 1:  # the host's clock is kept in whole seconds
        assert due == (later >= seconds)


@given(SECONDS, MOMENTS, st.floats(-3e9, 3e9))
def test_after_a_reboot_no_clock_that_is_off_keeps_a_lease_longer_than_its_time(seconds, up, off):
    """Set forward, back, stuck in 1970: the raise ends within its time of the new boot at the latest."""
    clock = _stamps.Clock(CLOCK.wall + off, "next-boot", up)
    if up >= seconds or off < -1:
        assert _lease.due(_lease.end(seconds, CLOCK), clock)


def test_renewed_it_counts_anew_and_a_removal_keeps_the_end_until_it_is_done(tmp_path, monkeypatch):
    """A removal that is killed after its first step would leave a raise that never ends."""
    monkeypatch.setattr(_lease, "save", lambda lease: None)
    first = _lease.end(60, CLOCK, "increases")
    standing = replace(lease(), ends={"A": first})
    assert _lease.begin(standing, "service_override", "x.service", {}, {}, [], ends={}).ends == {"A": first}
    second = _lease.end(60, replace(CLOCK, up=5030.0))
    renewed = _lease.begin(standing, "service_override", "x.service", {"A": "2"}, {}, [], ends={"A": second})
    assert renewed.ends == {"A": second}
    assert _lease.begin(standing, "service_override", "x.service", {"A": "2"}, {}, [], ends={}).ends == {}


def test_the_first_of_several_ends_is_the_one_to_name():
    ends = {"A": _lease.end(600, CLOCK), "B": _lease.end(60, CLOCK)}
    assert _lease.earliest(ends) == datetime.fromtimestamp(CLOCK.wall + 60, timezone.utc).isoformat(timespec="seconds")
