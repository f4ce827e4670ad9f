# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove everything of this collection from a host. Private to aurora.runbook.

Nothing is removed while something stands that only this collection can give back. Files that are not ours, or are no
longer as we wrote them, are left alone and reported.
"""

from __future__ import annotations

import glob
import os
import shutil

from ansible_collections.aurora.runbook.plugins.module_utils.act import _lease_ends, _override
from ansible_collections.aurora.runbook.plugins.module_utils.base import _command, _files, _stamps, _start
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.program import _install
from ansible_collections.aurora.runbook.plugins.module_utils.record import _claim, _lease, _lease_timer, _pause, _record

HOLDER = "aurora.runbook.program"
ENABLED = f"{_override.UNIT_DIRECTORY}/timers.target.wants/{_lease_timer.TIMER}"
# Files of the account with least rights, first those that let anybody in.
PREPARED = (
    "/etc/sudoers.d/aurora-runbook",
    "/usr/local/sbin/aurora-runbook",
    f"{_override.ENVIRONMENT_DIRECTORY}/allowed.json",
)
PASSING = (_lease_ends.MEMORY, "/run/aurora-runbook-logrotate.conf")  # files that the next boot would remove anyway
STOPPED = ("inactive", "failed")


def remove(records: bool, check_mode: bool) -> dict:
    """Do what the module does. Raises RunbookError while a lease stands or a run works here."""
    refuse(records)
    left: list[str] = []
    if not check_mode and found(records, []):
        with _lease.exclusive(HOLDER):
            refuse(records)
            paths = found(records, left)
            left += take(paths)
    else:
        paths = found(records, left)
    removed = paths if check_mode else [path for path in paths if not os.path.lexists(path)]
    return {"changed": bool(removed), "removed": removed, "left": left}


def refuse(records: bool) -> None:
    """Raise RunbookError if something has to be done first. A file that cannot be read may be a standing lease."""
    if standing := [lease.name for lease in _lease.load_all()]:
        raise RunbookError(
            f"nothing was removed: what was changed of {', '.join(standing)} is not given back yet;"
            " run `ansible-playbook aurora.runbook.revert` for this host first"
        )
    now = _stamps.clock()
    claim_file = _claim.path(_record.STATE_DIRECTORY)
    if _claim.load() is None and _files.read(claim_file):
        raise RunbookError(f"nothing was removed: {claim_file} cannot be read, and a run may work here; look at it")
    if records and (still := _record.open_names()):
        raise RunbookError(
            f"nothing was removed: {', '.join(still)} is open here, and its pages would end; close it first"
        )
    if records and _pause.load(now):
        raise RunbookError("nothing was removed: a person paused automation here; end the pause first")
    if claim := _claim.held(now):
        raise RunbookError(
            f"nothing was removed: {claim.holder} works on {claim.incident or 'this host'} here since {claim.since};"
            " wait for it, run `ansible-playbook aurora.runbook.revert` for this host, then this again"
        )


def found(records: bool, left: list[str]) -> list[str]:
    """Our files on this host. What stays, and why, is added to ``left``."""
    _strange(left)
    overrides = [
        *sorted(glob.glob(_override.paths("*").drop_in)),
        *sorted(glob.glob(_override.paths("*").environment)),
    ]
    return [
        *_written(list(_lease_timer.UNITS), _lease_timer.HEADER, left),
        *filter(os.path.islink, [ENABLED]),
        *_written(overrides, _override.HEADER, left),
        *filter(os.path.lexists, [*PREPARED, *PASSING]),
        *_programs(left),
        *_state(records, left),
    ]


def _strange(left: list[str]) -> None:
    """Report files beside those of overrides that are not ours."""
    known = {*PREPARED, *glob.glob(_override.paths("*").environment)}
    others = sorted(set(glob.glob(f"{_override.ENVIRONMENT_DIRECTORY}/*")) - known)
    left += [f"{path}: this collection does not put anything like it there" for path in others]


def _written(paths: list[str], header: str, left: list[str]) -> list[str]:
    """The files that begin with the header of our files."""
    ours = []
    for path in filter(os.path.lexists, paths):
        try:
            text = _files.read(path) or ""
        except RunbookError as error:
            left.append(str(error))
            continue
        if text.startswith(header):
            ours.append(path)
        else:
            left.append(f"{path}: it does not begin as this collection begins its files, so it may be somebody's own")
    return ours


def _programs(left: list[str]) -> list[str]:
    try:
        _files.check_private(_start.BASE)
        names = sorted(os.listdir(_start.BASE))
    except FileNotFoundError:
        return []
    except (OSError, RunbookError) as error:
        left.append(str(error))
        return []
    ours = [name for name in names if _install.is_ours(name)]
    others = [name for name in names if name not in ours]
    left += [f"{_start.BASE}/{name}: this collection does not put anything like it there" for name in others]
    return [*(f"{_start.BASE}/{name}" for name in ours), *([] if others else [_start.BASE])]


def _state(records: bool, left: list[str]) -> list[str]:
    if not os.path.lexists(_record.STATE_DIRECTORY):
        return []
    if records:
        return [_record.STATE_DIRECTORY]
    still = ", ".join(_record.open_names())
    open_ones = f"; open is {still}" if still else ""
    left.append(
        f"{_record.STATE_DIRECTORY}: the records of incidents{open_ones}; -e aurora_remove_records=true takes them too"
    )
    return []


def take(paths: list[str]) -> list[str]:
    """Remove them; returns what stays, and why. Raises RunbookError if something cannot be removed."""
    left: list[str] = []
    if any(path in paths for path in (*_lease_timer.UNITS, ENABLED)):
        _lease_timer.retire()
    folders = [path for path in paths if os.path.isdir(path) and not os.path.islink(path)]
    for path in paths:
        if path not in (*folders, _start.CURRENT):
            left += _still_used(path)
            _files.remove(path)
            _remove_folder_of_ours(os.path.dirname(path))
    if any(path.startswith(_override.UNIT_DIRECTORY) for path in paths):
        _command.run(["systemctl", "daemon-reload"])
    for path in folders:
        left += _take_folder(path)
    return left


def _still_used(path: str) -> list[str]:
    """Services that keep the values of an override until a person restarts them."""
    unit = os.path.basename(os.path.dirname(path))[: -len(".d")]
    if path != _override.paths(unit).drop_in:
        return []
    if _command.run(["systemctl", "is-active", "--", unit]).out.strip() in STOPPED:
        return []
    return [f"{unit} keeps what {path} said until it is restarted; restart it when that does no harm"]


def _remove_folder_of_ours(folder: str) -> None:
    """Remove a drop-in directory, or that of our files below /etc, if nothing else is in it."""
    if folder == _override.ENVIRONMENT_DIRECTORY or os.path.dirname(folder) == _override.UNIT_DIRECTORY:
        _files.remove_empty_directory(folder)


def _take_folder(path: str) -> list[str]:
    if path == _start.BASE:
        if not os.path.exists(_start.CURRENT):  # the timer needs it while the program stays
            _files.remove(_start.CURRENT)
        _files.remove_empty_directory(path)
        return []
    if os.path.dirname(path) == _start.BASE:
        with _install.alone():
            gone = _install.remove(path)
        return [] if gone else [f"{path}: it is running right now, or it cannot be removed; run this again"]
    try:
        shutil.rmtree(path)
    except OSError as error:
        raise RunbookError(f"{path} cannot be removed: {error}") from None
    return []
