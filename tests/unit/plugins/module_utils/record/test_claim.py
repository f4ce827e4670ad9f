# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, two runs change one trading host at once, or none ever can again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import BusyError, RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _claim

BOOT = "0b0e7c3e-9d54-4a6c-a9a0-d6f5a4a3c6a1"
ID = "circuit_breaker-20261124T180000Z-1a2b3c4d"
FIRST, SECOND, THIRD = "first-run", "second-run", "third-run"


@pytest.fixture
def state(tmp_path):
    return str(tmp_path / "state")


def at(up, boot=BOOT, wall=1.8e9):
    return _stamps.Clock(wall, boot, up)


def take(state, token, up=0.0, boot=BOOT):
    return _claim.take(token, f"{token} of olena", ID, at(up, boot), state)


RACER = """
import sys, time
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.record import _claim
time.sleep(max(0, float(sys.argv[3]) - time.time()))
try:
    _claim.take(sys.argv[1], "olena", "", _stamps.clock(), sys.argv[2])
    print("mine")
except _claim.HeldError as error:
    print(error.claim.token)
"""


def test_of_sixteen_runs_at_once_exactly_one_works_and_all_others_know_which(state):
    tokens = [f"token-number-{n}" for n in range(16)]
    start = str(_stamps.clock().wall + 2)
    argv = [sys.executable, "-c", RACER]
    racers = [subprocess.Popen([*argv, token, state, start], stdout=subprocess.PIPE, text=True) for token in tokens]
    said = [racer.communicate(timeout=60)[0].strip() for racer in racers]
    winner = tokens[said.index("mine")]
    assert sorted(said) == sorted(["mine", *[winner] * 15])
    assert _claim.load(state).token == winner


def test_another_run_is_told_who_holds_the_host_since_when_and_for_which_incident(state):
    take(state, FIRST)
    with pytest.raises(_claim.HeldError) as refused:
        take(state, SECOND, 60)
    claim = refused.value.claim
    assert (claim.holder, claim.incident, claim.since) == ("first-run of olena", ID, _stamps.stamp(1.8e9))
    assert "first-run of olena works on" in str(refused.value)
    assert _claim.held(at(60), state).token == FIRST


def test_a_run_renews_its_claim_with_each_call(state):
    first = take(state, FIRST)
    again = take(state, FIRST, 100)
    assert (again.until, again.since, again.gen) == (100 + _claim.TTL, first.since, first.gen)
    with pytest.raises(_claim.HeldError):
        take(state, SECOND, 100 + _claim.TTL - 1)


def test_the_claim_of_a_dead_run_is_taken_over_and_that_run_stays_out(state):
    take(state, FIRST)
    assert take(state, SECOND, _claim.TTL).gen == 2
    with pytest.raises(_claim.HeldError):
        take(state, FIRST, _claim.TTL + 1)
    _claim.release(SECOND, state)
    with pytest.raises(_claim.HeldError):
        take(state, FIRST, _claim.TTL + 2)
    take(state, THIRD, _claim.TTL + 3)
    _claim.release(THIRD, state)
    with pytest.raises(_claim.HeldError):
        take(state, FIRST, _claim.TTL + 4)


def test_a_run_whose_claim_ended_and_that_nobody_took_over_goes_on(state):
    take(state, FIRST)
    assert take(state, FIRST, 10 * _claim.TTL).gen == 1


def test_runs_that_lost_their_claim_are_remembered_within_bounds(state):
    for number in range(_claim.REMEMBERED + 4):
        take(state, f"token-number-{number}", number * _claim.TTL)
    assert _claim.load(state).lost == tuple(f"token-number-{n}" for n in range(3, _claim.REMEMBERED + 3))


def test_a_claim_that_was_given_up_is_free_at_once_and_no_renewal_brings_it_back(state):
    take(state, FIRST)
    _claim.release(FIRST, state)
    _claim.renew_if_ours(FIRST, at(1), state)
    assert _claim.held(at(1), state) is None
    take(state, SECOND, 1)
    _claim.renew_if_ours(FIRST, at(2), state)
    _claim.release(FIRST, state)
    assert _claim.held(at(2), state).token == SECOND


def test_a_renewal_does_not_bring_back_a_claim_that_was_taken_over(state):
    take(state, FIRST)
    take(state, SECOND, _claim.TTL)
    _claim.renew_if_ours(FIRST, at(_claim.TTL + 1), state)
    assert _claim.load(state).token == SECOND


def test_a_claim_ends_with_its_boot_however_long_it_had_to_go(state):
    take(state, FIRST, 100)
    assert _claim.held(at(5, "another boot"), state) is None
    assert take(state, SECOND, 5, "another boot").gen == 2
    with pytest.raises(_claim.HeldError):
        take(state, FIRST, 6, "another boot")


@pytest.mark.parametrize("wall", [0.0, 1.8e9 - 86400, 1.8e9 + 86400])
def test_a_wrong_clock_neither_ends_a_claim_nor_keeps_it(state, wall):
    take(state, FIRST)
    assert _claim.held(at(_claim.TTL - 1, wall=wall), state).token == FIRST
    assert _claim.held(at(_claim.TTL, wall=wall), state) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"{",
        b"[]",
        b"7",
        b"\xff\xfe",
        b"[" * 100000,
        b'{"lost": 1}',
        b'{"token": 1, "holder": "", "incident": "", "since": "", "boot": "", "until": 1e9, "lost": []}',
        b'{"token": "a", "holder": "", "incident": "", "since": "", "boot": "", "until": "x", "lost": []}',
        b'{"token": "a", "holder": "", "incident": "", "since": "", "boot": "", "until": 1, "gen": "x", "lost": []}',
        b'{"token": "a", "holder": "", "incident": "", "since": "", "boot": "", "until": 1, "more": 1, "lost": []}',
    ],
)
def test_a_claim_file_that_cannot_be_read_stands_for_none(state, content):
    os.mkdir(state)
    with open(_claim.path(state), "wb") as file:
        file.write(content)
    assert _claim.held(at(0), state) is None
    assert take(state, FIRST).gen == 1
    assert os.stat(_claim.path(state)).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["claim.json", "claim.json.guard"])
def test_a_link_in_place_of_the_claim_is_refused_and_not_followed(state, tmp_path, name):
    os.mkdir(state)
    (tmp_path / "elsewhere").write_text("mine", encoding="ascii")
    os.symlink(tmp_path / "elsewhere", os.path.join(state, name))
    with pytest.raises(RunbookError, match=name):
        take(state, FIRST)
    assert (tmp_path / "elsewhere").read_text(encoding="ascii") == "mine"


def test_a_long_call_keeps_renewing_and_stops_with_its_end(state):
    with _claim.kept(FIRST, "olena", ID, state, ttl=0.06) as claim:
        for _ in range(1000):
            if _claim.load(state).until > claim.until:
                break
            threading.Event().wait(0.01)
        assert _claim.load(state).until > claim.until
        threads = threading.active_count()
    assert threading.active_count() == threads - 1
    assert not _claim.load(state).released  # the next call of the same run goes on with it


def test_what_is_on_disk_is_what_other_versions_read(state):
    take(state, FIRST)
    with open(_claim.path(state), encoding="ascii") as file:
        fields = json.load(file)
    assert fields == {
        "token": FIRST,
        "holder": "first-run of olena",
        "incident": ID,
        "since": _stamps.stamp(1.8e9),
        "boot": BOOT,
        "until": _claim.TTL,
        "gen": 1,
        "lost": [],
        "released": False,
        "began": 0.0,
    }


def test_a_run_that_renews_its_claim_again_and_again_keeps_others_out_no_longer_than_stated(state):
    up = 0.0
    while up < _claim.LONGEST:
        take(state, FIRST, up)
        _claim.renew_if_ours(FIRST, at(up), state)
        up += _claim.TTL / 2
    assert _claim.held(at(_claim.LONGEST - 1), state).token == FIRST
    assert _claim.held(at(_claim.LONGEST), state) is None
    take(state, FIRST, _claim.LONGEST + 1)  # nobody else came, so that it goes on
    assert take(state, SECOND, _claim.LONGEST + 2).gen == 2
    with pytest.raises(_claim.HeldError):
        take(state, FIRST, _claim.LONGEST + 3)


def test_after_a_reboot_a_run_that_goes_on_has_its_whole_time_again(state):
    take(state, FIRST, _claim.LONGEST)
    take(state, FIRST, 5, "another boot")
    assert _claim.held(at(6, "another boot"), state).token == FIRST


def test_a_person_with_a_reason_takes_a_host_over_and_the_other_run_stays_out(state):
    take(state, FIRST)
    assert _claim.take(SECOND, "petro", ID, at(1), state, force=True).gen == 2
    for force in (False, True):
        with pytest.raises(_claim.HeldError):
            _claim.take(FIRST, "olena", ID, at(2), state, force=force)


def test_who_holds_the_lock_of_a_claim_for_too_long_is_named_and_nobody_hangs(state, monkeypatch):
    monkeypatch.setattr(_claim, "LOCK_SECONDS", 0.05)
    with _claim._alone(state), pytest.raises(BusyError) as refused:
        take(state, FIRST)
    assert f"process {os.getpid()}" in str(refused.value)
    take(state, FIRST)
