# SPDX-License-Identifier: GPL-3.0-or-later
"""What no other module looks at on a host before a night: free space, rights, logs, configured values. Private.

Each function reads one thing and changes nothing. The controller judges what it finds.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shlex
import stat
import time
from collections.abc import Iterable, Mapping

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _knobs
from ansible_collections.aurora.runbook.plugins.module_utils.base import _command, _files, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _log_lines

TAIL_BYTES, TAIL_LINES = 1 << 18, 100
ENTRY = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)")


def systemd() -> dict:
    """The version and state of systemd, and what is wrong if it does not answer."""
    try:
        done = _command.run(["systemctl", "show", "--property=Version,SystemState"])
    except RunbookError as error:
        return {"version": "", "state": "", "problem": str(error)}
    said = _systemd.parse(done.out)
    problem = "" if done.rc == 0 and said.get("SystemState") else done.last_line or f"exit status {done.rc}"
    return {"version": said.get("Version", ""), "state": said.get("SystemState", ""), "problem": problem}


def room(path: str) -> dict:
    """Whether a directory, or the place where it would be created, can be written to."""
    place = path
    while not os.path.isdir(place):
        place = os.path.dirname(place)
    figures = os.statvfs(place)
    return {
        "path": path,
        "read_only": bool(figures.f_flag & os.ST_RDONLY),
        "free_bytes": figures.f_bavail * figures.f_frsize,
        "free_inodes": figures.f_favail if figures.f_files else None,  # null on btrfs, which counts none
    }


def log(path: str, owner: str) -> dict:
    """How many of the last lines of a log there are, and how many of these are no JSON objects."""
    try:
        tail = _log_lines.read(path, owner, TAIL_BYTES, TAIL_LINES)
    except FileNotFoundError:
        return {"path": path, "problem": "there is no such file"}
    except RunbookError as error:
        return {"path": path, "problem": str(error)}
    lines = tail.lines[-TAIL_LINES:]
    age = round(time.time() - tail.modified, 1)
    malformed = sum(not _is_object(line) for line in lines)
    return {"path": path, "problem": tail.unread, "lines": len(lines), "malformed": malformed, "age_seconds": age}


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def token(path: str, owner: str) -> dict:
    """Whether the file with the feed's token can be used, and why not. Never the token itself."""
    try:
        status = _files.read_owned(path, owner, 0)[1]
    except RunbookError as error:
        return {"path": path, "problem": str(error)}
    if status.st_mode & stat.S_IROTH:
        return {"path": path, "problem": f"everybody can read it (mode {stat.S_IMODE(status.st_mode):04o})"}
    usable = bool(_files.token(path, owner))
    return {
        "path": path,
        "problem": "" if usable else "its content cannot be sent; expected 8 to 512 characters without blanks",
    }


def exposed(path: str, owners: Iterable[int], groups: Iterable[int] = (0,)) -> str:
    """The part of a path that others than these users and groups can change, "" if none. Parts may be missing."""
    part = path
    while True:
        try:
            status = os.stat(part)
        except OSError:
            status = None
        if status is not None:
            loose = status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX
            by_group = status.st_mode & stat.S_IWGRP and status.st_gid not in groups
            if status.st_uid not in owners or loose or by_group:
                return part
        if part == "/":
            return ""
        part = os.path.dirname(part)


def refit_code(home: str, user: str) -> list[dict]:
    """The files that a refit runs as the service's user, and whether that user can read and nobody else change them."""
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        return [{"path": home, "problem": f"this host has no user {user}"}]
    package = f"{home}/calibration"
    paths = (f"{home}/tools/calibrate.py", package if os.path.isdir(package) else f"{package}.py")
    return [{"path": path, "problem": _code_problem(path, account)} for path in paths]


def _code_problem(path: str, account: pwd.struct_passwd) -> str:
    try:
        status = os.stat(path)
    except OSError as error:
        return str(error.strerror)
    mode = status.st_mode
    shift = 6 if status.st_uid == account.pw_uid else 3 if status.st_gid == account.pw_gid else 0
    if not (mode >> shift) & 0o4:
        return f"the user {account.pw_name} cannot read it"
    inside = [os.path.join(where, name) for where, _folders, names in os.walk(path) for name in names]
    for part in (path, *inside):
        if found := exposed(part, (0, account.pw_uid), (0, account.pw_gid)):
            return f"others than root and {account.pw_name} can change {found}"
    return ""


def knobs(unit: _systemd.Unit, environments: Mapping[int, Mapping[str, str]], files: Iterable[str]) -> list[dict]:
    """Each knob as the processes of a service have it, and as the unit sets it; null means that it is not set.

    ``environments`` are those of the processes by pid, ``files`` the texts of the unit's EnvironmentFiles in their
    order. ``reached`` says whether a process has the unit's environment, and not one that something made anew. The list
    is empty for a service that does not run.
    """
    if not environments:
        return []
    reached = {pid: own for pid, own in environments.items() if "INVOCATION_ID" in own}
    main = reached.get(unit.pid) or next(iter(reached.values()), {})
    set_ = configured(unit["Environment"], files)
    return [
        {"name": name, "running": main.get(name), "configured": set_.get(name), "reached": bool(reached)}
        for name in _knobs.KNOBS
    ]


def configured(environment: str, files: Iterable[str]) -> dict[str, str]:
    """The variables that a unit sets: Environment= as systemd shows it, then its EnvironmentFiles, which win."""
    try:
        entries = [entry.partition("=") for entry in shlex.split(environment)]
    except ValueError:  # an odd quote in a variable that does not matter here
        entries = [entry.partition("=") for entry in environment.split()]
    found = {name: value for name, _equals, value in entries}
    for text in files:
        for line in text.replace("\\\n", "").splitlines():
            entry = ENTRY.fullmatch(line)
            if entry:
                found[entry[1]] = _unquoted(entry[2].strip())
    return found


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value
