# SPDX-License-Identifier: GPL-3.0-or-later
"""The last lines of a log, also from the file that was rotated from it last. Private to aurora.runbook.

The directory belongs to the service's user, who may put links, pipes and endlessly unpacking files there. Only plain
files of that user are read, and no more of them than stated here.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import pwd
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ansible_collections.aurora.runbook.plugins.module_utils.base import _files
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _log_names

CHUNK = 1 << 18
MOST_UNPACKED = 1 << 30
MOST_SECONDS = 3.0
MOST_MEMORY = 128 << 20  # for comparison, xz -9 takes 65 MiB
MOST_EMPTY = 5  # rotated files without a line that are skipped


@dataclass(frozen=True)
class Tail:
    """Complete lines, the oldest first; size and time of change of the log itself; why a rotated file was not read."""

    lines: list[bytes]
    size: int
    modified: float
    unread: str = ""


@dataclass(frozen=True)
class _Rotated:
    name: str
    log: str
    modified: float


def read(path: str, owner: str, size: int, enough: float = float("inf")) -> Tail:
    """The last complete lines, of at most ``size`` bytes together.

    The file rotated last is read as well if the log itself has neither that many bytes nor ``enough`` lines. Raises
    RunbookError if the log is not the owner's, and FileNotFoundError if there is neither a log nor a rotated file.
    """
    lines, length, modified = [], 0, 0.0
    there = os.path.lexists(path)
    if there:
        raw, status = _files.read_owned(path, owner, size)
        lines, length, modified = _whole(raw, status.st_size > size), status.st_size, status.st_mtime
        size -= len(raw)
    if size <= 0 or len(lines) >= enough:
        return Tail(lines, length, modified)
    folder, log = os.path.split(path)
    try:
        rotated = _rotated(folder, log, owner)[:MOST_EMPTY]
        if not there and not rotated:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        for file in rotated:
            modified = modified or file.modified
            older = _lines(os.path.join(folder, file.name), _log_names.stamp(file.name, log).packed, owner, size)
            if older:
                return Tail([*older, *lines], length, modified)
    except RunbookError as error:
        return Tail(lines, length, modified, str(error))
    return Tail(lines, length, modified)


def _whole(raw: bytes, cut: bool) -> list[bytes]:
    """The lines without the first one if it is ``cut``, and without the last one if it may still be being written."""
    return [line for line in raw.split(b"\n")[1 if cut else 0 : -1] if line]


def _rotated(folder: str, log: str, owner: str) -> list[_Rotated]:
    """The owner's files that were rotated from a log and are not empty, the newest first."""
    found = []
    try:
        uid = pwd.getpwnam(owner).pw_uid
        for entry in _log_names.entries(folder, folder):
            if _log_names.stamp(entry.name, log):
                with contextlib.suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode) and status.st_uid == uid and status.st_size:
                        found.append(_Rotated(entry.name, log, status.st_mtime))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunbookError(f"{folder} cannot be read: {error.strerror}") from error
    except KeyError as error:
        raise RunbookError(f"{folder} is not read: this host has no user {owner}") from error
    return _log_names.newest_first(found).get(log, [])


def _lines(path: str, packed: str, owner: str, size: int) -> list[bytes]:
    if not packed:
        raw, status = _files.read_owned(path, owner, size)
        return _whole(raw, status.st_size > size)
    with _files.open_owned(path, owner) as (file, _status):
        raw, total = _unpacked_end(path, file, packed, size)
    return _whole(raw, total > size)


def _unpacked_end(path: str, file: BinaryIO, packed: str, size: int) -> tuple[bytes, int]:
    """The last bytes of an unpacked file, and its unpacked size. Raises RunbookError."""
    kept, total, deadline = bytearray(), 0, time.monotonic() + MOST_SECONDS
    try:
        for piece in _unpacked(path, file, packed):
            kept += piece
            total += len(piece)
            if total > MOST_UNPACKED or time.monotonic() > deadline:
                raise RunbookError(f"{path} is not read: unpacking it takes too long; look at its end by hand")
            if len(kept) > 2 * max(size, CHUNK):
                del kept[:-size]
    except RunbookError:
        raise
    except Exception as error:  # each compressor has errors of its own, and anybody may have put anything there
        raise RunbookError(f"{path} is not read: it cannot be unpacked ({type(error).__name__})") from None
    return bytes(kept[-size:]), total


def _unpacked(path: str, file: BinaryIO, packed: str) -> Iterator[bytes]:
    """Unpack a file piece by piece, with limited memory."""
    if packed == "gz":
        with _library(path, "gzip").GzipFile(fileobj=file) as stream:
            while piece := stream.read(CHUNK):
                yield piece
        return
    if packed == "bz2":
        new = _library(path, "bz2").BZ2Decompressor
    elif packed in ("xz", "lzma"):
        library = _library(path, "lzma")

        def new():
            return library.LZMADecompressor(memlimit=MOST_MEMORY)
    elif packed == "zst":
        new = _library(path, "compression.zstd").ZstdDecompressor
    else:
        raise RunbookError(f"{path} is not read: Python cannot unpack .{packed}; look at it by hand")
    unpacker = new()
    while True:
        rest = unpacker.unused_data if unpacker.eof else b""
        data = rest or (file.read(CHUNK) if unpacker.eof or unpacker.needs_input else b"")
        if unpacker.eof:
            if not data:
                return
            unpacker = new()
        elif not data and unpacker.needs_input:
            raise EOFError
        yield unpacker.decompress(data, CHUNK)


def _library(path: str, name: str):
    """A module of the standard library, which costs an import only on a host that has such files."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise RunbookError(f"{path} is not read: this host's Python has no {name}; look at it by hand") from None
