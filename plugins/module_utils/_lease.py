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
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone

from ansible_collections.aurora.runbook.plugins.module_utils import _files
from ansible_collections.aurora.runbook.plugins.module_utils._errors import RunbookError

STATE_DIRECTORY = "/var/lib/aurora-runbook"
GUARD = "/run/aurora-runbook.guard"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
APPLYING, ACTIVE, REMOVING = "applying", "active", "removing"
SERVICE_OVERRIDE, TCP_TUNING = "service_override", "tcp_tuning"


@dataclass(frozen=True)
class Lease:
    """A change that can be given back: of a unit, or of the host's TCP settings.

    ``name`` is the unit's, or that of the module where there is one such lease a host. ``phase`` is ``applying`` or
    ``removing`` from before the first change until after the last: a crash in between leaves it so, and the next run
    does the whole again. ``before`` holds the running values when the lease was first granted (null: unset),
    ``written`` what it says now, ``previous`` what it said before the last change, ``made`` the directories made for
    it, ``attempts`` what earlier changes wrote that were not finished either. ``boot`` is the boot that the change ends
    with, empty for one that survives it.
    """

    kind: str
    name: str
    phase: str
    before: dict[str, str | None]
    written: dict[str, str]
    granted: str
    by: str
    previous: dict[str, str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    attempts: list[dict[str, str]] = field(default_factory=list)
    boot: str = ""
    version: int = 2

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
        """Everything of ours that may stand on the host."""
        return [self.written] if self.whole else [self.previous, *self.tried]

    @property
    def gone(self) -> bool:
        """Did the change end with its boot?"""
        return self.boot not in ("", boot())

    @property
    def settled(self) -> dict[str, str]:
        """What the lease said when it was last whole; an unfinished change is not built upon."""
        return self.written if self.whole else self.previous


def begin(
    lease: Lease | None,
    kind: str,
    name: str,
    written: dict[str, str],
    before: dict[str, str | None],
    made: list[str],
    boot_id: str = "",
) -> Lease:
    """Put a change on record before it is made, so that a crash leaves something to finish or undo.

    ``lease`` is the one that stands, ``written`` what it shall say, nothing for its end.
    """
    working = Lease(
        kind=kind,
        name=name,
        phase=APPLYING if written else REMOVING,
        before=before,
        written=written,
        previous=lease.settled if lease else {},
        granted=lease.granted if lease else datetime.now(timezone.utc).isoformat(timespec="seconds"),
        by=lease.by if lease else os.environ.get("SUDO_USER", "root"),
        attempts=lease.tried if lease else [],
        made=lease.made if lease else made,
        boot=boot_id,
    )
    save(working)
    return working


def close(lease: Lease, written: dict[str, str]) -> None:
    """The change is whole: the lease says what stands, or is gone with the last of it."""
    if written:
        before = {name: value for name, value in lease.before.items() if name in written}
        save(replace(lease, phase=ACTIVE, before=before, written=written, previous={}, attempts=[]))
    else:
        drop(lease.name)


def boot() -> str:
    """The kernel's name for this boot."""
    with open(BOOT_ID, encoding="ascii") as file:
        return file.read().strip()


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


def path(name: str, directory: str = STATE_DIRECTORY) -> str:
    return os.path.join(directory, "leases", f"override-{name}.json")


def load(name: str, directory: str = STATE_DIRECTORY) -> Lease | None:
    """The lease of a name, None when there is none. Raises RunbookError when the file is not one of ours."""
    text = _files.read(path(name, directory))
    return None if text is None else _decode(text, path(name, directory))


def load_all(directory: str = STATE_DIRECTORY) -> list[Lease]:
    """Every lease that stands on this host, by name."""
    folder = os.path.join(directory, "leases")
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    except FileNotFoundError:
        return []
    texts = ((os.path.join(folder, name), _files.read(os.path.join(folder, name))) for name in names)
    leases = [_decode(text, place) for place, text in texts if text is not None]
    return [lease for lease in leases if not lease.gone]


def save(lease: Lease, directory: str = STATE_DIRECTORY) -> None:
    """Write a lease durably; its directories are for root alone."""
    _files.make_directory(directory, 0o700)
    _files.make_directory(os.path.join(directory, "leases"), 0o700)
    _files.write(path(lease.name, directory), json.dumps(asdict(lease), indent=1, sort_keys=True) + "\n", 0o600)


def drop(name: str, directory: str = STATE_DIRECTORY) -> None:
    _files.remove(path(name, directory))


def _decode(text: str, place: str) -> Lease:
    try:
        lease = Lease(**_upgrade(json.loads(text)))
        sound = (
            lease.version == 2
            and lease.kind in (SERVICE_OVERRIDE, TCP_TUNING)
            and lease.phase in (APPLYING, ACTIVE, REMOVING)
            and isinstance(lease.made, list)
            and all(isinstance(v, (str, type(None))) for v in lease.before.values())
            and all(isinstance(v, str) for e in [lease.written, lease.previous, *lease.attempts] for v in e.values())
        )
    except (TypeError, ValueError, KeyError, AttributeError):
        sound = False
    if not sound:
        raise RunbookError(f"{place} is not a lease this version can read; look at it before running again")
    return lease


def _upgrade(fields: dict) -> dict:
    """A lease of version 1, which knew only overrides of units, as one of version 2."""
    if fields["version"] != 1:
        return fields
    rest = {name: value for name, value in fields.items() if name != "unit"}
    return {**rest, "name": fields["unit"], "version": 2}
