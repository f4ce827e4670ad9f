# SPDX-License-Identifier: GPL-3.0-or-later
"""Install the program on a host, and remove it again. Private to aurora.runbook.

A program is a directory below _start.BASE, named by its version and a digest of its sources. It is written beside its
final place and renamed once it is complete, so that an incomplete one is never run. Older ones are removed when nothing
uses them.

Only root can open these files, because whoever can open them can lock them and keep every call waiting.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import py_compile
import secrets as random
import shutil
import zipfile
from collections.abc import Iterator

from ansible_collections.aurora.runbook.plugins.module_utils.base import _files, _start
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError

LOCK_SECONDS = 60.0
UNFINISHED = ".new-"
EARLIER = "lease.pyz"  # ended leases before there was one program for everything


def install(archive: zipfile.ZipFile, name: str) -> bool:
    """Install the program of that name; returns True if it was not there. Raises RunbookError."""
    if not _start.version(name):
        raise RunbookError(f"{name!r} is not the name of a program")
    try:
        with _readable():
            _files.make_directory(os.path.dirname(_start.BASE), 0o755)
            _files.make_private(_start.BASE)
            with alone():
                needed = due(name)
                if needed:
                    _place(archive, f"{_start.BASE}/{name}")
                _lead_to(name)
                _tidy(name)
    except (OSError, zipfile.BadZipFile, py_compile.PyCompileError) as error:
        raise RunbookError(f"the program cannot be put into {_start.BASE}/{name}: {error}") from None
    return needed


def due(name: str) -> bool:
    """Whether the program has to be installed. Raises RunbookError if somebody else made or changed it."""
    path = f"{_start.BASE}/{name}"
    why = _start.fault(path)
    if why not in ("", _start.MISSING, _start.NOT_WHOLE):
        raise RunbookError(f"the program in {path} is not run: {why}; see who did that, then `rm -r {path}`")
    return bool(why)


def keep_current(name: str) -> None:
    """Before a lease, make _start.CURRENT lead to a complete program as new as this one. Raises RunbookError."""
    if newest() != name:
        try:
            with alone():
                _lead_to(name)
        except OSError as error:
            raise RunbookError(f"{_start.CURRENT} cannot be set: {error}") from None


def _lead_to(name: str) -> None:
    other = newest()
    if _start.version(other) <= _start.version(name) or _start.fault(f"{_start.BASE}/{other}"):
        _point(name)


def newest() -> str:
    """The name of the program that _start.CURRENT points to, "" for none."""
    try:
        return os.readlink(_start.CURRENT)
    except OSError:
        return ""


def _place(archive: zipfile.ZipFile, path: str) -> None:
    new, aside = (f"{_start.BASE}/{UNFINISHED}{random.token_hex(8)}" for _number in range(2))
    try:
        os.mkdir(new, 0o755)
        if (why := _start.fault(new)) != _start.NOT_WHOLE:  # checked before anything is compiled in vain
            raise RunbookError(
                f"no program is put on this host, since root would run it: {why}; mend it (`chown root`, `chmod go-w`)"
            )
        for entry in archive.infolist():
            _write(archive.read(entry), new, entry.filename, path)
        _write_manifest(new)
        _sync(new)
        if os.path.lexists(path):  # an incomplete one; processes that still run it keep it, see _tidy
            os.rename(path, aside)
        os.rename(new, path)
        _files.sync_directory(path)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _write(content: bytes, folder: str, name: str, final: str) -> None:
    """Write one source, and what this host's Python compiles from it."""
    if os.path.isabs(name) or ".." in name.split("/"):
        raise RunbookError(f"{name!r} leads out of the program")
    target = os.path.join(folder, name)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "xb") as file:
        file.write(content)
    py_compile.compile(target, dfile=os.path.join(final, name), doraise=True)


def _write_manifest(folder: str) -> None:
    parts = [os.path.join(where, name) for where, _folders, names in os.walk(folder) for name in names]
    sizes = {os.path.relpath(part, folder): os.lstat(part).st_size for part in parts}
    with open(os.path.join(folder, _start.MANIFEST), "x", encoding="utf-8") as file:
        json.dump(sizes, file)


def _sync(folder: str) -> None:
    """Make a directory and everything in it durable."""
    for where, _folders, names in os.walk(folder):
        for part in (*(os.path.join(where, name) for name in names), where):
            descriptor = os.open(part, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _point(name: str) -> None:
    """Make _start.CURRENT point to this program, in one step."""
    if newest() == name:
        return
    new = f"{_start.CURRENT}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    os.symlink(name, new)
    os.replace(new, _start.CURRENT)
    _files.sync_directory(_start.CURRENT)


def _tidy(name: str) -> None:
    """Remove what no newer controller put there, unless it runs right now."""
    for other in os.listdir(_start.BASE):
        path = f"{_start.BASE}/{other}"
        older = _start.version(other) and _start.version(other) <= _start.version(name)
        if other.startswith(UNFINISHED) or (older and other not in (name, newest())):
            remove(path)


def is_ours(name: str) -> bool:
    """Whether this is the name of something that this collection puts into _start.BASE."""
    current = os.path.basename(_start.CURRENT)
    return bool(_start.version(name)) or name.startswith(UNFINISHED) or name in (current, f"{current}.new", EARLIER)


def remove(path: str) -> bool:
    """Remove a program that nothing uses; returns False if it stays."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path)
        finally:
            os.close(descriptor)
    return not os.path.lexists(path)


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    """Files made here can be written only by root and read by everybody, whatever root's umask is."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let only one controller at a time change what is below _start.BASE."""
    descriptor = os.open(_start.BASE, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if not _files.lock(descriptor, LOCK_SECONDS):
            raise RunbookError(f"another controller has been changing {_start.BASE} for {LOCK_SECONDS:g} s; look at it")
        yield
    finally:
        os.close(descriptor)
