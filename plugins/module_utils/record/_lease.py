# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases: what was there before a change, what was written, and by whom. Private to aurora.runbook.

Each lease is one JSON file under /var/lib/aurora-runbook/leases, so that all controllers and the host see the same.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _knobs
from ansible_collections.aurora.runbook.plugins.module_utils.base import _files, _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import BusyError, RunbookError

STATE_DIRECTORY = "/var/lib/aurora-runbook"
GUARD = "/run/aurora-runbook.guard"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
APPLYING, ACTIVE, REMOVING = "applying", "active", "removing"
SERVICE_OVERRIDE, TCP_TUNING = "service_override", "tcp_tuning"
STUCK = ("lease_stays", "lease_end_failed", "lease_lost")  # outcomes of an end that need a person
RAISED_SECONDS = 7200  # a raise of exposure ends after two hours unless stated otherwise
HEALTH = {"url", "start", "hold"}  # when the service counts as healthy, see _service.Healthy
WATCH = {"indicator", "url", "threshold"}


@dataclass(frozen=True)
class End:
    """When one value of a lease ends by itself: ``seconds`` after it was granted or last renewed.

    ``until`` is that moment by the host's clock, ``granted_boot`` and ``granted_up`` are the grant by the boot clock,
    which is never wrong. ``direction`` is what the value does to exposure. A value that reduces it ends only while the
    indicator in ``watch`` is healthy.
    """

    seconds: int
    until: str
    granted_boot: str
    granted_up: float
    direction: str = "neutral"
    watch: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Lease:
    """A change that can be given back, of a unit or of the host's TCP settings.

    ``name`` is that of the unit, or of the module if a host has only one such lease. ``phase`` is ``applying`` or
    ``removing`` from before the first change until after the last: a crash in between leaves it so, and the next run
    does everything again. ``before`` holds the running values when the lease was first granted (null: unset),
    ``written`` what it says now, ``previous`` what it said before the last change, ``made`` the directories made for
    it, ``attempts`` what earlier unfinished changes wrote. ``boot`` is the boot that the change ends with, empty if it
    survives a reboot. ``incident`` is the id of the incident it belongs to, empty for none. ``ends`` holds the ends of
    values that have one, ``health`` how a restart for them is checked.
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
    incident: str = ""
    ends: dict[str, End] = field(default_factory=dict)
    health: dict[str, object] = field(default_factory=dict)
    version: int = 3

    @property
    def whole(self) -> bool:
        return self.phase == ACTIVE

    @property
    def tried(self) -> list[dict[str, str]]:
        """What unfinished changes wrote, including this one."""
        unfinished = [] if self.whole else [*self.attempts, self.written]
        return [entry for index, entry in enumerate(unfinished) if entry not in unfinished[:index]]

    @property
    def claimed(self) -> list[dict[str, str]]:
        """Everything of ours that may be on the host."""
        return [self.written] if self.whole else [self.previous, *self.tried]

    @property
    def gone(self) -> bool:
        """Whether the change ended with its boot."""
        return self.boot not in ("", boot())

    @property
    def until(self) -> str | None:
        """When the first of its values ends, None if none does."""
        return earliest(self.ends)

    @property
    def settled(self) -> dict[str, str]:
        """What the lease said when it was last complete; an unfinished change is not built upon."""
        return self.written if self.whole else self.previous


def begin(
    lease: Lease | None,
    kind: str,
    name: str,
    written: dict[str, str],
    before: dict[str, str | None],
    made: list[str],
    boot_id: str = "",
    incident: str = "",
    ends: Mapping[str, End] | None = None,
    health: Mapping[str, object] | None = None,
) -> Lease:
    """Record a change before it is made, so that a crash leaves something to finish or undo.

    ``lease`` is the existing lease, ``written`` what it will say, empty to end it. Fields that are not given stay as
    they are.
    """
    standing = lease.ends if lease else {}
    if ends is not None:  # a value that is being removed keeps its end until it is really gone
        standing = {**{name: end for name, end in standing.items() if name not in written}, **ends}
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
        incident=incident or (lease.incident if lease else ""),
        ends=standing,
        health=dict((lease.health if lease else {}) if health is None else health),
    )
    save(working)
    return working


def standing_ends(lease: Lease | None, names: Iterable[str]) -> dict[str, End]:
    """The ends that a lease has for these names."""
    return {name: lease.ends[name] for name in names if name in lease.ends} if lease else {}


def renew(lease: Lease, ends: Mapping[str, End]) -> None:
    """Give existing values other ends."""
    save(replace(lease, ends=dict(ends)))


def close(lease: Lease, written: dict[str, str]) -> None:
    """Mark the change as complete: the lease says what stands, or is removed with its last value."""
    if written:
        before = {name: value for name, value in lease.before.items() if name in written}
        ends = standing_ends(lease, written)
        save(replace(lease, phase=ACTIVE, before=before, written=written, previous={}, attempts=[], ends=ends))
    else:
        drop(lease.name)


def boot() -> str:
    """The kernel's id of this boot."""
    with open(BOOT_ID, encoding="ascii") as file:
        return file.read().strip()


def end(
    seconds: int, clock: _stamps.Clock, direction: str = "neutral", watch: Mapping[str, object] | None = None
) -> End:
    """An end ``seconds`` from now."""
    until = datetime.fromtimestamp(clock.wall + seconds, timezone.utc).isoformat(timespec="seconds")
    return End(seconds, until, clock.boot, round(clock.up, 3), direction, dict(watch or {}))


def earliest(ends: Mapping[str, End]) -> str | None:
    """When the first of them comes by the host's clock, None if there is none."""
    return min((end.until for end in ends.values()), default=None)


def due(end: End, clock: _stamps.Clock) -> bool:
    """Whether its time is over, by the clock of the boot of the grant, and later by the host's, which may be wrong.

    A clock that lies before the grant was set back, and one that stands still is overtaken by the new boot's.
    """
    if end.granted_boot == clock.boot:
        return clock.up - end.granted_up >= end.seconds
    until = _stamps.seconds(end.until)
    return clock.wall >= until or clock.wall < until - end.seconds or clock.up >= end.seconds


@contextlib.contextmanager
def exclusive(holder: str, seconds: float = 0.0, guard: str = GUARD) -> Iterator[None]:
    """Keep everybody else from changing this host meanwhile. Raises BusyError if somebody still does after that time.

    ``holder`` is what others are told.
    """
    try:
        descriptor = os.open(guard, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise RunbookError(f"{guard} cannot be opened: {error.strerror}") from error
    try:
        if not _files.lock(descriptor, seconds):
            told = os.pread(descriptor, 200, 0).decode("utf-8", "replace").splitlines()
            raise BusyError(*(told if len(told) == 2 else ("another run", "–")))
        _sign(descriptor, f"{holder[:100]}\n{_stamps.clock().stamp}\n")
        try:
            yield
        finally:
            _sign(descriptor, "")
    finally:
        os.close(descriptor)


def _sign(descriptor: int, text: str) -> None:
    with contextlib.suppress(OSError):  # without space for it, others are not told who it is
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode("utf-8", "replace"), 0)


def folder(directory: str = STATE_DIRECTORY) -> str:
    return os.path.join(directory, "leases")


def path(name: str, directory: str = STATE_DIRECTORY) -> str:
    return os.path.join(folder(directory), f"override-{name}.json")


def load(name: str, directory: str = STATE_DIRECTORY) -> Lease | None:
    """The lease of a name, None if there is none. Raises RunbookError if the file is not one of ours."""
    _files.check_private(directory, folder(directory))
    text = _files.read(path(name, directory))
    return None if text is None else _decode(text, path(name, directory))


def names(directory: str = STATE_DIRECTORY) -> list[str]:
    """The names that have a lease on this host, or a file in the place of one."""
    _files.check_private(directory, folder(directory))
    try:
        files = sorted(os.listdir(folder(directory)))
    except FileNotFoundError:
        return []
    return [file[len("override-") : -len(".json")] for file in files if re.fullmatch(r"override-.+\.json", file)]


def load_all(directory: str = STATE_DIRECTORY) -> list[Lease]:
    """Every lease on this host, by name."""
    leases = [load(name, directory) for name in names(directory)]
    return [lease for lease in leases if lease is not None and not lease.gone]


def save(lease: Lease, directory: str = STATE_DIRECTORY) -> None:
    """Write a lease durably; its directories are for root only."""
    _files.make_private(directory, folder(directory))
    _files.write(path(lease.name, directory), json.dumps(asdict(lease), indent=1, sort_keys=True) + "\n", 0o600)


def drop(name: str, directory: str = STATE_DIRECTORY) -> None:
    _files.check_private(directory, folder(directory))
    _files.remove(path(name, directory))


def _decode(text: str, place: str) -> Lease:
    try:
        fields = _upgrade(json.loads(text))
        lease = Lease(**{**fields, "ends": {name: End(**end) for name, end in fields.get("ends", {}).items()}})
        sound = (
            lease.version == 3
            and lease.kind in (SERVICE_OVERRIDE, TCP_TUNING)
            and lease.phase in (APPLYING, ACTIVE, REMOVING)
            and isinstance(lease.made, list)
            and all(isinstance(v, (str, type(None))) for v in lease.before.values())
            and all(isinstance(v, str) for e in [lease.written, lease.previous, *lease.attempts] for v in e.values())
            and set(lease.health) in (set(), HEALTH)
            and all(map(_sound, lease.ends.values()))
        )
    except (TypeError, ValueError, KeyError, AttributeError):
        sound = False
    if not sound:
        raise RunbookError(f"{place} is not a lease this version can read; look at it before running again")
    return lease


def _sound(end: End) -> bool:
    _stamps.parse(end.until)
    numbers = all(isinstance(number, (int, float)) for number in (end.seconds, end.granted_up))
    watched = end.direction != "reduces" or set(end.watch) == WATCH
    return numbers and watched and isinstance(end.granted_boot, str) and end.direction in _knobs.DIRECTIONS


def _upgrade(fields: dict) -> dict:
    """A lease of version 1 (only overrides of units) or 2 (without ends) in today's form."""
    if fields["version"] == 1:
        rest = {name: value for name, value in fields.items() if name != "unit"}
        fields = {**rest, "name": fields["unit"], "version": 2}
    return {**fields, "version": 3} if fields["version"] == 2 else fields
