# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, automation works against the person who works on a host, or never again on it."""

from __future__ import annotations

import os

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _pause

NOW = _stamps.Clock(1_795_543_200.0, "boot", 5.0)  # 2026-11-24T18:00:00Z


@pytest.fixture
def state(tmp_path):
    return str(tmp_path)


def by_hand(state, content):
    with open(_pause.path(state), "wb") as file:
        file.write(content)


@pytest.mark.parametrize(
    ("content", "until", "text"),
    [
        (b"2026-11-24T23:00Z\n", "2026-11-24T23:00Z", ""),
        (b"2026-11-24T18:00:01Z", "2026-11-24T18:00:01Z", ""),
        (b"2026-11-24T23:30:00+02:00\nolena: moving the feed\n", "2026-11-24T23:30:00+02:00", "olena: moving the feed"),
        (b"", "", ""),
        (b"\n", "", ""),
        (b"until I am back\n", "", "until I am back"),
        (b"2026-13-24T23:00Z\n", "", "2026-13-24T23:00Z"),
        (b"\xff\xfe\x00\n", "", None),
        (b"x" * 5000, "", "x" * 200),
    ],
)
def test_a_file_made_by_hand_pauses_until_its_time_or_until_it_is_removed(state, content, until, text):
    by_hand(state, content)
    pause = _pause.load(NOW, state)
    assert pause.until == until
    assert text is None or pause.text == text


@pytest.mark.parametrize("content", [b"2026-11-24T18:00Z\n", b"2026-11-24T20:00+02:00\n", b"2020-01-01T00:00Z"])
def test_a_pause_ends_by_itself(state, content):
    by_hand(state, content)
    assert _pause.load(NOW, state) is None


def test_without_the_file_nothing_is_paused(state):
    assert _pause.load(NOW, state) is None
    assert _pause.load(NOW, state + "/missing") is None


def test_what_the_module_writes_is_what_it_reads_and_it_ends_when_asked(tmp_path):
    state = str(tmp_path / "state")
    until = _stamps.stamp(NOW.wall + 3600)
    assert _pause.begin(until, "olena: by hand", state)
    assert not _pause.begin(until, "olena: by hand", state)
    assert _pause.load(NOW, state) == _pause.Pause(until, "olena: by hand")
    assert os.stat(_pause.path(state)).st_mode & 0o777 == 0o600
    assert _pause.end(state)
    assert not _pause.end(state)
    assert _pause.load(NOW, state) is None


def test_a_pipe_or_link_there_is_said_and_not_waited_for(state):
    os.mkfifo(_pause.path(state))
    with pytest.raises(RunbookError, match="pause is not a regular file"):
        _pause.load(NOW, state)
    os.unlink(_pause.path(state))
    os.symlink("/etc/hostname", _pause.path(state))
    with pytest.raises(RunbookError, match="pause cannot be read"):
        _pause.load(NOW, state)
