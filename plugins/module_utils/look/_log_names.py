# SPDX-License-Identifier: GPL-3.0-or-later
"""Which log a rotated file comes from, and which of two is newer, by their names. Private to aurora.runbook.

logrotate and scripts append a number or a date to the name of a log (``trades.jsonl.2.gz``, ``trades.jsonl-20261129``),
or put it before the extension (``trades.1.jsonl``). All code that reads, counts or removes rotated logs uses this.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError

LIVE = re.compile(r"(?!\.)[ -~]+\.jsonl")  # like the pattern *.jsonl, but without names that upset a terminal
PACKED = re.compile(r"\.(gz|bz2|xz|lzma|zst|lz4|lzo|br|Z|zip|7z)\Z")
STAMP = re.compile(r"\d{1,20}(?:(?:[-._:T]|[-.]?W)\d{1,20}){0,5}Z?", re.ASCII)
NUMBER = re.compile(r"\.\d{1,3}", re.ASCII)
YEAR_FIRST = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d*", re.ASCII)
EPOCH = re.compile(r"\d{10}(?:\d{3}){0,3}", re.ASCII)  # a time with seconds, or down to nanoseconds
NUMBERED, DATED, COUNTED, UNCLEAR = "number", "date", "epoch", ""
MOST_ENTRIES = 100_000  # in a directory of logs, whose owner may put anything there


@dataclass(frozen=True)
class Stamp:
    """What the name of a rotated file says: ``rank`` is higher for newer files of one ``scheme``, and ``packed``."""

    scheme: str
    rank: tuple[int, str]
    packed: str


class Dated(Protocol):
    """A rotated file: its name, the log it comes from, and when it was last written."""

    name: str
    log: str
    modified: float


Rotated = TypeVar("Rotated", bound=Dated)


def stamp(name: str, log: str) -> Stamp | None:
    """What the name says about a file rotated from ``log``; None if the name has no such form."""
    found = PACKED.search(name)
    packed, name = (found[1], name[: found.start()]) if found else ("", name)
    base, extension = os.path.splitext(log)
    if name.startswith(log) and name[len(log) :]:
        middle, within = name[len(log) :], False
    elif name.startswith(base) and name.endswith(extension) and base:
        middle, within = name[len(base) : len(name) - len(extension)], True
    else:
        return None
    if middle[:1] not in ("-", ".", "_") or not STAMP.fullmatch(middle[1:]):
        return None
    scheme, rank = _order(middle)
    # Another log may well be called trades-2.jsonl, so before an extension only what logrotate puts there counts.
    return None if within and scheme == UNCLEAR else Stamp(scheme, rank, packed)


def _order(middle: str) -> tuple[str, tuple[int, str]]:
    digits = re.sub(r"\D", "", middle)
    if NUMBER.fullmatch(middle):
        return NUMBERED, (-int(digits), "")
    if YEAR_FIRST.fullmatch(digits):
        return DATED, (0, digits)
    if EPOCH.fullmatch(middle[1:]):
        return COUNTED, (0, digits)
    return UNCLEAR, (0, "")


def log_of(name: str, logs: Collection[str]) -> str | None:
    """The log that a file was rotated from, which may be gone; None for other names.

    ``trades.1.jsonl`` is a log of its own unless ``trades.jsonl`` is among ``logs``.
    """
    behind = re.match(r"(.+\.jsonl)[-._]\d", name, re.ASCII)
    if behind and LIVE.fullmatch(behind[1]) and stamp(name, behind[1]):
        return behind[1]
    for cut in re.finditer(r"[-._]\d", name, re.ASCII):
        log = f"{name[: cut.start()]}.jsonl"
        if log in logs and log != name and LIVE.fullmatch(log) and stamp(name, log):
            return log
    return None


def newest_first(files: Iterable[Rotated]) -> dict[str, list[Rotated]]:
    """Rotated files by the log they come from.

    Names order the files of one scheme, because a copy or a compressor may change times. Between schemes, for example
    after a change of the configuration, and for names that say nothing, the time of the last line decides.
    """
    groups: dict[str, dict[str, list[Rotated]]] = defaultdict(lambda: defaultdict(list))
    for file in files:
        read = stamp(file.name, file.log)
        groups[file.log][read.scheme if read else UNCLEAR].append(file)
    return {log: _merged(list(schemes.values())) for log, schemes in groups.items()}


def _merged(groups: list[list[Rotated]]) -> list[Rotated]:
    def newness(file: Rotated) -> tuple:
        read = stamp(file.name, file.log)
        return (*(read.rank if read else (0, "")), not (read and read.packed), file.modified, file.name)

    waiting = [sorted(group, key=newness) if len(group) > 1 else list(group) for group in groups]
    merged = []
    while waiting := [group for group in waiting if group]:
        merged.append(max(waiting, key=lambda group: group[-1].modified).pop())
    return merged


def entries(directory: str | int, called: str) -> Iterator[os.DirEntry]:
    """The entries of a directory of logs. Raises RunbookError, with what it is ``called``, if there are too many."""
    with os.scandir(directory) as found:
        for number, entry in enumerate(found):
            if number >= MOST_ENTRIES:
                raise RunbookError(f"more than {MOST_ENTRIES} files lie in {called}; clear it by hand")
            yield entry
