# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a log directory, who writes into it, what to rotate and what to remove. Private to aurora.runbook.

The directory belongs to the service user, who may put anything there at any time. Root looks at it only through one
descriptor, follows no link, and unlinks names, so that this user can at most make it unlink an entry of their own.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils.look import _log_names

Key = tuple[int, int]  # device and inode

LIKE_A_LOG = re.compile(r"[^.].*\.jsonl(?:[-._~].*)?\Z", re.DOTALL)
MARGIN = 1 << 20  # bytes for the rotation's state file and for lines that are written meanwhile
LIVE, ROTATED, CLOSED = "live", "rotated", "closed"


@dataclass(frozen=True)
class File:
    """A plain file of the service user with one name: a live log, or one that was rotated from the live log ``log``."""

    name: str
    log: str
    key: Key
    size: int
    allocated: int
    modified: float
    compressed: bool = False


@dataclass(frozen=True)
class Odd:
    """A name that looks like a log, but is no plain file of the service user or has an unknown form; left alone."""

    name: str
    reason: str


@dataclass(frozen=True)
class Space:
    """Room on the file system as the service user sees it: bytes free, bytes in all, files that can be made."""

    free: int
    total: int
    inodes: int

    @property
    def percent(self) -> float:
        return round(100 * self.free / self.total, 1) if self.total else 0.0


@dataclass(frozen=True)
class Holder:
    """A process that has a file open; ``unit`` is "" if it belongs to none of the named units."""

    pid: int
    unit: str
    program: str
    key: Key
    writes: bool

    @property
    def name(self) -> str:
        return self.unit or f"{self.program} (pid {self.pid})"


@dataclass(frozen=True)
class Current:
    logs: tuple[File, ...]
    rotated: tuple[File, ...]
    odd: tuple[Odd, ...]
    space: Space
    holders: tuple[Holder, ...] = ()


@dataclass(frozen=True)
class Wish:
    """The options of the module; ``tellable``: the units that can be made to reopen their logs; ``no_way``: why the
    host's own rotation is not used, "" when it can be; ``unnamed``: the logs it does not rotate.
    """

    keep: int
    min_free_percent: float
    max_age: float
    tellable: frozenset[str]
    compresses_live: bool = False
    no_way: str = ""
    unnamed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Plan:
    """``behind``: who still writes into a file that was rotated earlier and can be told; ``refusal``: why nothing is
    rotated although ``due`` says what should be, as a message and its values.
    """

    remove: tuple[File, ...]
    due: tuple[File, ...]
    behind: tuple[Holder, ...]
    refusal: tuple[str, dict] | None

    @property
    def rotates(self) -> bool:
        return bool(self.due) and not self.refusal

    @property
    def changed(self) -> bool:
        return bool(self.remove or self.rotates or self.behind)


@dataclass(frozen=True)
class Moved:
    """Where a unit that wrote into a log writes now (``live``, ``rotated`` or ``closed``), and ``how`` it got there."""

    unit: str
    log: str
    how: str
    now: str


# Looking at the directory.


def scan(
    directory: int, uid: int, known: Iterable[str] = ()
) -> tuple[tuple[File, ...], tuple[File, ...], tuple[Odd, ...]]:
    """Live logs, rotated files and odd entries by name; ``known`` are logs that may be missing since their rotation.

    Raises RunbookError if the directory has too many entries to look at.
    """
    logs, rotated, odd = [], [], []
    names = _names(directory)
    live = {*(name for name in names if name.endswith(".jsonl")), *known}
    for name in names:
        log = _log_names.log_of(name, live)
        if not log and not LIKE_A_LOG.match(name):
            continue
        try:
            status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        except FileNotFoundError:
            continue
        reason = objection(status, uid) or ("" if log or _log_names.LIVE.fullmatch(name) else "an odd name")
        if reason:
            odd.append(Odd(ascii(name)[1:-1], reason))
            continue
        file = File(
            name,
            log or name,
            (status.st_dev, status.st_ino),
            status.st_size,
            status.st_blocks * 512,
            status.st_mtime,
            bool(log and _log_names.stamp(name, log).packed),
        )
        (rotated if log else logs).append(file)
    return tuple(logs), tuple(rotated), tuple(odd)


def _names(directory: int) -> list[str]:
    return sorted(entry.name for entry in _log_names.entries(directory, "the log directory"))


def objection(status: os.stat_result, uid: int) -> str:
    """Why an entry cannot be taken for a log, whatever its name is; "" if nothing prevents it."""
    if stat.S_ISLNK(status.st_mode):
        return "a symbolic link"
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if status.st_uid != uid:
        return "somebody else's file"
    if status.st_nlink != 1:
        return "a hard link"
    return ""


def space(directory: int) -> Space:
    status = os.fstatvfs(directory)
    used = status.f_blocks - status.f_bfree
    # 0 from a file system that has no fixed number of files.
    inodes = status.f_favail if status.f_files else _log_names.MOST_ENTRIES
    return Space(status.f_bavail * status.f_frsize, (used + status.f_bavail) * status.f_frsize, inodes)


def holders(keys: Collection[Key], units: Mapping[int, str], proc: str = "/proc") -> tuple[Holder, ...]:
    """Every process on the host that has one of the files open; ``units`` has the unit of a pid."""
    found = set()
    for pid in (int(name) for name in os.listdir(proc) if name.isdigit()):
        for descriptor, key in _open_files(f"{proc}/{pid}/fd"):
            if key in keys:
                writes = _writes(f"{proc}/{pid}/fdinfo/{descriptor}")
                found.add(Holder(pid, units.get(pid, ""), _program(f"{proc}/{pid}/comm"), key, writes))
    return tuple(sorted(found, key=lambda holder: (holder.pid, holder.key, holder.writes)))


def _open_files(folder: str) -> Iterator[tuple[str, Key]]:
    try:
        descriptors = os.listdir(folder)
    except OSError:  # the process has ended
        return
    for descriptor in descriptors:
        try:
            status = os.stat(f"{folder}/{descriptor}")
        except OSError:
            continue
        yield descriptor, (status.st_dev, status.st_ino)


def _writes(path: str) -> bool:
    return any(line.startswith("flags:") and int(line.split()[1], 8) & os.O_ACCMODE for line in _lines(path))


def _program(path: str) -> str:
    return ascii("".join(_lines(path)).strip())[1:-1]


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readlines()
    except OSError:
        return []


# Deciding what to do.


def plan(current: Current, wish: Wish, now: float) -> Plan:
    """What to remove, what to rotate or why not, and who still writes into a rotated file."""
    due = tuple(log for log in due_logs(current, now, wish.max_age) if log.name not in wish.unnamed)
    need = room(current, due, wish) if due else 0
    goal = max(current.space.total * wish.min_free_percent / 100, need)
    remove = tuple(_enough(removable(current, wish.keep), goal - current.space.free))
    keys = {file.key for file in current.rotated}
    behind = tuple(holder for holder in current.holders if holder.writes and holder.key in keys)
    space_then = Space(
        current.space.free + sum(file.allocated for file in remove),
        current.space.total,
        current.space.inodes + len(remove),
    )
    told = tuple(holder for holder in behind if holder.unit in wish.tellable)
    return Plan(remove, due, told, refusal(current, wish, behind, due, space_then, need))


def due_logs(current: Current, now: float, max_age: float) -> tuple[File, ...]:
    """The logs that have lines and were not rotated recently."""
    return tuple(log for log in current.logs if log.size and not _recent(log, current.rotated, now, max_age))


def _recent(log: File, rotated: Iterable[File], now: float, max_age: float) -> bool:
    """Whether the log was rotated within ``max_age`` seconds, by the last line of what was rotated from it."""
    return any(file.log == log.name and 0 <= now - file.modified < max_age for file in rotated)


def room(current: Current, due: Iterable[File], wish: Wish) -> int:
    """Bytes that a rotation may need. A file that is being compressed is on the disk twice.

    At worst the compressed copy is as large as the file.
    """
    plain = _log_names.newest_first(file for file in current.rotated if not file.compressed)
    size = sum(files[0].size for files in plain.values())
    return MARGIN + size + (sum(log.size for log in due) if wish.compresses_live else 0)


def removable(current: Current, keep: int) -> list[File]:
    """Rotated files that nobody has open, beyond the newest ``keep`` of each log, the oldest first."""
    in_use = {holder.key for holder in current.holders}
    spare = [file for files in _log_names.newest_first(current.rotated).values() for file in files[keep:]]
    return sorted((file for file in spare if file.key not in in_use), key=lambda file: (file.modified, file.name))


def _enough(files: Iterable[File], missing: float) -> Iterator[File]:
    for file in files:
        if missing <= 0:
            return
        missing -= file.allocated
        yield file


def refusal(
    current: Current, wish: Wish, behind: Collection[Holder], due: Collection[File], then: Space, need: int
) -> tuple[str, dict] | None:
    """Why it is not safe to rotate, as a message and its values; None if it is safe, or if nothing is due."""
    names = {file.key: file.name for file in (*current.logs, *current.rotated)}
    for holder in behind:
        if holder.unit not in wish.tellable:
            return "log_behind", {"writer": holder.name, "file": names[holder.key]}
    for entry in current.odd:
        if entry.name.endswith(".jsonl"):  # checked even if nothing else is due, because no rotation ever reports it
            return "log_odd", {"log": entry.name, "reason": entry.reason}
    if not due:
        return None
    if wish.no_way:
        return "log_no_way", {"reason": wish.no_way}
    for holder in current.holders:
        if holder.writes and holder.unit not in wish.tellable:
            return "log_untellable", {"writer": holder.name, "log": names[holder.key]}
    if then.free < need or then.inodes <= len(current.logs):
        return "log_no_room", {"need": mib(need), "free": mib(then.free), "inodes": then.inodes}
    return None


def mib(size: float) -> str:
    return f"{size / (1 << 20):.1f}"


def packed_copy(log: File, before: Iterable[File], after: Iterable[File]) -> str | None:
    """The file that a vanished log was compressed to and that has its last line; None if there is none."""
    keys = {file.key for file in before}
    new = _log_names.newest_first(file for file in after if file.log == log.name)
    newest = new[log.name][0] if new else None
    is_copy = newest and newest.compressed and newest.key not in keys and newest.modified >= int(log.modified)
    return newest.name if is_copy else None


# Getting writers to the new file.


def places(
    owed: Iterable[tuple[str, str]], old: Mapping[Key, str], new: Mapping[Key, str], held: Iterable[Holder]
) -> dict[tuple[str, str], str]:
    """For each unit and log, whether the unit writes into a rotated file, otherwise into the live one, or neither."""
    writing = [holder for holder in held if holder.writes]
    behind = {(holder.unit, old[holder.key]) for holder in writing if holder.key in old}
    ahead = {(holder.unit, new[holder.key]) for holder in writing if holder.key in new}
    return {pair: ROTATED if pair in behind else LIVE if pair in ahead else CLOSED for pair in owed}


def settle(
    look: Callable[[], dict[tuple[str, str], str]],
    tell: Callable[[str, str], bool],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    seconds: float,
) -> list[Moved]:
    """Wait until writers hold the live files, and tell those that stay behind, first by a reload, then by a restart.

    ``tell(how, unit)`` returns whether the unit could be told in that way.
    """

    def wait(done: Callable[[Collection[str]], bool], patience: float) -> None:
        deadline = clock() + patience
        while not done(look().values()) and clock() < deadline:
            sleep(0.1)

    told: dict[str, str] = {}
    wait(lambda now: ROTATED not in now, 0.5)
    for how in ("reload", "restart"):
        units = sorted({unit for (unit, _log), now in look().items() if now == ROTATED})
        reached = [unit for unit in units if tell(how, unit)]
        told.update(dict.fromkeys(reached, how))
        if reached:
            wait(lambda now: ROTATED not in now, seconds)
    wait(lambda now: all(place == LIVE for place in now), seconds if told else 0.5)
    return [Moved(unit, log, told.get(unit, "itself"), now) for (unit, log), now in sorted(look().items())]
