# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases: what was there before a change, what was written, and by whom. Private to aurora.runbook.

One JSON file a lease under /var/lib/aurora-runbook/leases, so that all controllers and the host share one truth.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from ansible_collections.aurora.runbook.plugins.module_utils import _files
from ansible_collections.aurora.runbook.plugins.module_utils._errors import RunbookError

STATE_DIRECTORY = "/var/lib/aurora-runbook"
GUARD = "/run/aurora-runbook.guard"
APPLYING, ACTIVE, REMOVING = "applying", "active", "removing"


@dataclass(frozen=True)
class Lease:
    """An override of one unit's environment.

    ``phase`` is ``applying`` or ``removing`` from before the first change until after the last: a crash in between
    leaves it so, and the next run does the whole again. ``before`` holds the values of the running process when the
    lease was first granted (null: unset), ``written`` what the override says, ``previous`` what it said before the last
    change, ``made`` the directories made for it, ``attempts`` what earlier changes wrote that were not finished either.
    """

    unit: str
    phase: str
    before: dict[str, str | None]
    written: dict[str, str]
    granted: str
    by: str
    previous: dict[str, str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    attempts: list[dict[str, str]] = field(default_factory=list)
    kind: str = "service_override"
    version: int = 1

    @property
    def whole(self) -> bool:
        return self.phase == ACTIVE

    @property
    def tried(self) -> list[dict[str, str]]:
        """What unfinished changes wrote, this one included."""
        unfinished = [] if self.whole else [*self.attempts, self.written]
        return [entry for index, entry in enumerate(unfinished) if entry not in unfinished[:index]]

    @property
    def claimed(self) -> list[dict[str, str]]:
        """Every override that may stand in our files or run in a process."""
        return [self.written] if self.whole else [self.previous, *self.tried]

    @property
    def settled(self) -> dict[str, str]:
        """What the override said when it was last whole; an unfinished change is not built upon."""
        return self.written if self.whole else self.previous


@contextlib.contextmanager
def exclusive(guard: str = GUARD) -> Iterator[None]:
    """Nobody else changes anything on this host meanwhile. Raises RunbookError when somebody does already."""
    descriptor = os.open(guard, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise RunbookError("another run is changing this host right now; wait for it and run this again") from error
    finally:
        os.close(descriptor)


def path(unit: str, directory: str = STATE_DIRECTORY) -> str:
    return os.path.join(directory, "leases", f"override-{unit}.json")


def load(unit: str, directory: str = STATE_DIRECTORY) -> Lease | None:
    """The lease on a unit, None when there is none. Raises RunbookError when the file is not one of ours."""
    text = _files.read(path(unit, directory))
    return None if text is None else _decode(text, path(unit, directory))


def load_all(directory: str = STATE_DIRECTORY) -> list[Lease]:
    """Every lease of this host, by unit."""
    folder = os.path.join(directory, "leases")
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    except FileNotFoundError:
        return []
    texts = ((os.path.join(folder, name), _files.read(os.path.join(folder, name))) for name in names)
    return [_decode(text, place) for place, text in texts if text is not None]


def save(lease: Lease, directory: str = STATE_DIRECTORY) -> None:
    """Write a lease durably; its directories are for root alone."""
    _files.make_directory(directory, 0o700)
    _files.make_directory(os.path.join(directory, "leases"), 0o700)
    _files.write(path(lease.unit, directory), json.dumps(asdict(lease), indent=1, sort_keys=True) + "\n", 0o600)


def drop(unit: str, directory: str = STATE_DIRECTORY) -> None:
    _files.remove(path(unit, directory))


def _decode(text: str, place: str) -> Lease:
    try:
        lease = Lease(**json.loads(text))
        sound = (
            lease.version == 1
            and lease.kind == "service_override"
            and lease.phase in (APPLYING, ACTIVE, REMOVING)
            and isinstance(lease.made, list)
            and all(isinstance(v, (str, type(None))) for v in lease.before.values())
            and all(isinstance(v, str) for e in [lease.written, lease.previous, *lease.attempts] for v in e.values())
        )
    except (TypeError, ValueError, AttributeError):
        sound = False
    if not sound:
        raise RunbookError(f"{place} is not a lease this version can read; look at it before running again")
    return lease
