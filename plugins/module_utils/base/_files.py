# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files of ours, written so that a crash leaves either the old or the new one. Private to aurora.runbook."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import pwd
import re
import stat
import time
from collections.abc import Iterator

from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError

MAX_SIZE = 1 << 20
NEXT_STEPS = {
    errno.ENOSPC: "free some space there (`df -h`) and run this again",
    errno.EDQUOT: "free some space there (`quota`) and run this again",
    errno.EROFS: "make that file system read-write again (`findmnt`) and run this again",
}


def read(path: str) -> str | None:
    """The text of a regular file of at most MAX_SIZE bytes, None if there is no file. Follows no link."""
    raw = read_bytes(path)
    return None if raw is None else raw.decode("utf-8", "replace")


def read_bytes(path: str) -> bytes | None:
    """The bytes of such a file, see read()."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunbookError(f"{path} cannot be read: {error.strerror}; look at it before running again") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise RunbookError(f"{path} is not a regular file; look at it before running again")
        raw = file.read(MAX_SIZE + 1)
    if len(raw) > MAX_SIZE:
        raise RunbookError(f"{path} is larger than {MAX_SIZE} bytes; look at it before running again")
    return raw


def write(path: str, content: str | bytes, mode: int) -> None:
    """Replace a file as a whole and durably. Raises RunbookError if the disk or directory refuses."""
    temporary = f"{path}.new"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
        sync_directory(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise _refused(path, "written", error) from error


def remove(path: str) -> None:
    """Remove a file if it exists, and what a crash left while it was written, durably."""
    try:
        for name in (path, f"{path}.new"):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(name)
                sync_directory(name)
    except OSError as error:
        raise _refused(path, "removed", error) from error


def make_directory(path: str, mode: int) -> bool:
    """Make a directory; returns True if it did not exist before."""
    try:
        os.mkdir(path, mode)
        sync_directory(path)
    except FileExistsError:
        return False
    except OSError as error:
        raise _refused(path, "made", error) from error
    return True


def make_private(*paths: str) -> None:
    """Make directories for root only, the outer one first. Existing ones that somebody made are closed to others."""
    for path in paths:
        made = make_directory(path, 0o700)
        check_private(path)
        try:
            if not made and stat.S_IMODE(os.lstat(path).st_mode) != 0o700:
                os.chmod(path, 0o700)
        except OSError as error:
            raise _refused(path, "closed to others", error) from error


def check_private(*paths: str) -> None:
    """Raise RunbookError for a directory of ours that is a link, or that others than root own or can write to.

    Its contents may be somebody else's. A directory that does not exist is no fault.
    """
    for path in paths:
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise RunbookError(f"{path} cannot be looked at: {error.strerror}") from error
        if fault := _not_ours(path, status):
            raise RunbookError(f"{path} {fault[0]}, so nothing in it is used; find out who made it, then {fault[1]}")


def _not_ours(path: str, status: os.stat_result) -> tuple[str, str] | None:
    """What is wrong with a directory of ours, and what to do about it."""
    if stat.S_ISLNK(status.st_mode):
        return (
            f"is a link to {os.readlink(path)}",
            "put the directory itself there (mount --bind where it is elsewhere)",
        )
    if not stat.S_ISDIR(status.st_mode):
        return "is no directory", f"move it away and run `install -d -m 700 {path}`"
    if status.st_uid not in (0, os.geteuid()):
        return f"belongs to the user {_name(status.st_uid)}", f"run `chown -R root:root {path}`"
    if status.st_mode & 0o022:
        return f"can be written by others (mode {stat.S_IMODE(status.st_mode):04o})", f"run `chmod 700 {path}`"
    return None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def lock(descriptor: int, seconds: float) -> bool:
    """Lock a file against others that lock it; False if one of them still holds it after that time."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)  # there is no call that waits for a lock with a time limit
        else:
            return True


def _refused(path: str, what: str, error: OSError) -> RunbookError:
    step = NEXT_STEPS.get(error.errno)
    return RunbookError(f"{path} cannot be {what}: {error.strerror}" + (f"; {step}" if step else ""))


def remove_empty_directory(path: str) -> None:
    """Remove a directory unless something is in it."""
    with contextlib.suppress(OSError):
        os.rmdir(path)


def sync_directory(path: str) -> None:
    descriptor = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_owned(path: str, owner: str, last: int = MAX_SIZE) -> tuple[bytes, os.stat_result]:
    """The last bytes of a regular file that belongs to the user ``owner``. Raises RunbookError."""
    with open_owned(path, owner) as (file, status):
        file.seek(max(0, status.st_size - last))
        return file.read(last), status


@contextlib.contextmanager
def open_owned(path: str, owner: str) -> Iterator[tuple[io.BufferedReader, os.stat_result]]:
    """A regular file that belongs to the user ``owner``, open for reading, and its status.

    Root reads here what a service's user may have put there, so a link in any part of the path must not lead to
    somebody else's file. Raises RunbookError.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != pwd.getpwnam(owner).pw_uid:
                raise RunbookError(f"{path} is not a regular file of the user {owner}, so it is not read")
            yield file, status
    except OSError as error:
        raise RunbookError(f"{path} cannot be read: {error.strerror}") from error
    except KeyError as error:
        raise RunbookError(f"{path} is not read: this host has no user {owner}") from error


def token(path: str, owner: str) -> str:
    """A secret of a service's user, "" if there is none or it cannot be read safely."""
    try:
        text = read_owned(path, owner, 4096)[0].decode("utf-8", "replace").strip()
    except RunbookError:
        return ""
    return text if re.fullmatch(r"[!-~]{8,512}", text) else ""


@contextlib.contextmanager
def owned_directory(path: str, owner: str) -> Iterator[int]:
    """A descriptor of a directory of the user ``owner``, which stays valid if the directory is renamed or replaced.

    No part of its path may be a link. Raises RunbookError.
    """
    descriptor = _open_directory(path)
    try:
        if os.fstat(descriptor).st_uid != _uid(owner):
            raise RunbookError(f"{path} does not belong to the user {owner}, so nothing in it is touched")
        yield descriptor
    finally:
        os.close(descriptor)


def _open_directory(path: str) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open("/", flags)
    for part in path.split("/"):
        try:
            above, descriptor = descriptor, os.open(part or ".", flags, dir_fd=descriptor)
        except OSError as error:
            os.close(descriptor)
            reason = "is a link or no directory" if error.errno in (errno.ENOTDIR, errno.ELOOP) else error.strerror
            raise RunbookError(f"{path} is not opened: {part}: {reason}; name the real directory") from error
        os.close(above)
    return descriptor


def _uid(user: str) -> int:
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError as error:
        raise RunbookError(f"this host has no user {user}") from error


def read_trusted(path: str) -> tuple[str, str]:
    """The real path and text of a file that nobody but root can change, replace or redirect.

    Raises RunbookError with the part that somebody else can write.
    """
    real = os.path.realpath(path)
    part = real
    while True:
        try:
            status = os.lstat(part)
        except OSError as error:
            raise RunbookError(f"{part} cannot be looked at: {error.strerror}") from error
        if status.st_uid != 0 or status.st_mode & 0o022:
            raise RunbookError(
                f"{path} is not used: others than root can write {part}; expected a file of root with mode 0644"
            )
        if part == "/":
            break
        part = os.path.dirname(part)
    text = read(real)
    if text is None:
        raise RunbookError(f"{path} does not exist")
    return real, text
