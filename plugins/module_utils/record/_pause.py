# SPDX-License-Identifier: GPL-3.0-or-later
"""A host where automation does nothing for a while, because a person works on it. Private to aurora.runbook.

The file can be made by hand: ``echo 2026-11-24T23:00Z | sudo tee /var/lib/aurora-runbook/pause``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils.base import _files, _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record


@dataclass(frozen=True)
class Pause:
    """``until`` as it is in the file, and the rest of its text; "" lasts until somebody removes it."""

    until: str
    text: str = ""


def path(state: str = _record.STATE_DIRECTORY) -> str:
    return os.path.join(state, "pause")


def load(now: _stamps.Clock, state: str = _record.STATE_DIRECTORY) -> Pause | None:
    """The current pause. A pause whose time cannot be read lasts until somebody removes it."""
    _files.check_private(state)
    text = _files.read(path(state))
    if text is None:
        return None
    first, _newline, rest = text.partition("\n")
    try:
        ended = _stamps.seconds(first.strip()) <= now.wall
    except (ValueError, OverflowError):
        return Pause("", text.strip()[:200])
    return None if ended else Pause(first.strip(), rest.strip()[:200])


def says(until: str, text: str, state: str = _record.STATE_DIRECTORY) -> bool:
    """Whether the file says this already."""
    _files.check_private(state)
    return _files.read(path(state)) == _file(until, text)


def begin(until: str, text: str, state: str = _record.STATE_DIRECTORY) -> bool:
    """Write the file; returns True if it said something else before."""
    _files.make_private(state)
    if says(until, text, state):
        return False
    _files.write(path(state), _file(until, text), 0o600)
    return True


def _file(until: str, text: str) -> str:
    return f"{until}\n{text}\n"


def stands(state: str = _record.STATE_DIRECTORY) -> bool:
    """Whether there is a file, even one whose time is over."""
    _files.check_private(state)
    return os.path.lexists(path(state))


def end(state: str = _record.STATE_DIRECTORY) -> bool:
    """Remove the file; returns True if there was one."""
    there = stands(state)
    _files.remove(path(state))
    return there
