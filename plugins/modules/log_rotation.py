#!/usr/bin/python
# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: log_rotation
short_description: Rotate Aurora's logs now without losing a line, and free the disk of old ones
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - Does what the runbook means by C(sudo ./scripts/log_rotate.sh). The source is "Очистити логи", action 3 of section
    1.
  - If less than O(min_free_percent) of the disk is free, it frees space first. It removes files that are already
    rotated, the oldest first. It never removes the newest O(keep) files of a log, a file that somebody has open, or a
    live log.
  - Then it rotates the live C(*.jsonl) files with the host's own logrotate configuration or script. Both run as
    O(user), never as root, so a link or directory that this user swaps leads nowhere this user could not go anyway.
  - Then it checks which file each writer has open. A writer that still writes into the rotated file is reloaded, or is
    restarted if O(restart) allows it. The same is done for a writer that an earlier rotation left behind.
  - It does not rotate if lines could be lost or rights could be lent, and says why. That is the case if a writer can be
    neither reloaded nor restarted, if the disk has no room even after freeing, if others than root can write the
    configuration, or if a live log is a link, belongs to somebody else or is no file. Logrotate itself never rotates a
    link, and does not say so.
  - It reads logrotate's configuration as logrotate does, from the first line of O(main_config) on, so that a log gets
    the same name, and as many rotated files are kept, as in the nightly rotation. A configuration is refused if it has
    an error or an unknown directive, keeps no file (C(rotate 0)), copies files, compresses them at once, moves or mails
    them elsewhere, gives names that no rotated log has, takes rotated files for logs, or names a log twice. The
    directive C(su) is ignored, because O(user) runs the rotation.
  - A log is never reported as rotated if its lines are in no file of O(directory) after the rotation.
  - Commands in the rotation's scripts that need root are not done, for example C(systemctl) in a C(postrotate). If
    every log is rotated all the same, their complaint is returned in RV(done), and writers are reloaded or restarted as
    above.
  - The module cannot see beforehand that a script compresses a log at once, before its writer has left it.
extends_documentation_fragment:
  - aurora.runbook.attributes
  - aurora.runbook.attributes.changes
  - aurora.runbook.incident.option
  - aurora.runbook.recovery.option
options:
  directory:
    description: Directory of the logs. No part of the path may be a link, and the directory must belong to O(user);
      otherwise it is refused.
    type: path
    default: /opt/aurora/logs
  user:
    description: The service user, who owns the logs and runs the rotation. Root and unknown users are refused.
    type: str
    default: aurora
  method:
    description:
      - V(logrotate) uses O(config), V(script) uses O(script).
      - V(auto) uses O(config) if it exists on the host, otherwise O(script).
    type: str
    choices: [auto, logrotate, script]
    default: auto
  config:
    description:
      - Logrotate configuration of these logs. If O(main_config) includes it, everything that logrotate reads before it
        applies as well, as in the nightly rotation; otherwise this file alone applies. Logrotate's state is kept in the
        log directory.
      - It is refused if others than root can write it or a directory above it, and if not everybody can read it.
    type: path
    default: /etc/logrotate.d/aurora
  main_config:
    description:
      - Logrotate's main configuration. Its directives apply to the files that it includes after them. If the host has
        no such file, O(config) is read alone.
    type: path
    default: /etc/logrotate.conf
  script:
    description: Rotation script of the host. It must exist if it is used.
    type: path
    default: /opt/aurora/scripts/log_rotate.sh
  units:
    description: Services that write the logs. A service with C(ExecReload=) is reloaded so that it reopens them.
    type: list
    elements: str
    default: [aurora-runner, aurora-live-feed]
  restart:
    description:
      - Services that may be restarted as the last resort, if they go on writing into a rotated file.
      - Do not list the runner unless its breaker is known to be closed. An open breaker lives in the runner's memory,
        and a restart closes it.
    type: list
    elements: str
    default: [aurora-live-feed]
  keep:
    description: How many rotated files of each log are never removed, counted from the newest, 0 to 1000.
    type: int
    default: 7
  min_free_percent:
    description: Share of the disk that should be free, in percent as C(df) counts it, 0 to 90. Freeing stops when it is
      reached.
    type: float
    default: 15.0
  max_age:
    description:
      - A log is not due if its last rotated line is younger than this, in seconds, 0 to 604800. With V(0) the log is
        always rotated.
    type: float
    default: 3600.0
  reopen_seconds:
    description: How long a writer may take to open the new file after it was told, in seconds, 1 to 300.
    type: float
    default: 10.0
attributes:
  check_mode:
    details:
      - Does not wait for a recovery. If there is nothing to change, it takes one sample.
seealso:
  - module: aurora.runbook.wait_for_recovery
"""

EXAMPLES = r"""
- name: Rotate the logs and free the disk (runbook 1, action 3)
  aurora.runbook.log_rotation:
    keep: 3
    recovery:
      indicator: sse_availability

- name: Rotate now, with a runner that a person allows to be restarted
  aurora.runbook.log_rotation:
    max_age: 0
    restart: [aurora-runner, aurora-live-feed]
"""

RETURN = r"""
method:
  description: The method that was used, V(logrotate) or V(script).
  returned: always
  type: str
  sample: logrotate
bytes_freed:
  description: Disk space of the removed files, in bytes. In check mode, of the files that would be removed.
  returned: always
  type: int
  sample: 1073741824
free_before:
  description: Free space on the disk before, in bytes, as O(user) can use it.
  returned: always
  type: int
free_after:
  description: Free space on the disk afterwards, in bytes. In check mode the same as before.
  returned: always
  type: int
removed:
  description: Names of the rotated files that were removed, the oldest first. In check mode, of those that would be
    removed.
  returned: always
  type: list
  elements: str
  sample: [trades.jsonl.9.gz, trades.jsonl.8.gz]
rotated:
  description:
    - Live logs that were rotated, each with C(log) and the C(file) that has its lines now. In check mode, those that
      would be rotated, without C(file).
  returned: always
  type: list
  elements: dict
  sample: [{log: trades.jsonl, file: trades.jsonl.1}]
writers:
  description:
    - Services that wrote into a log, each with C(unit), C(log), C(now) and C(how).
    - C(now) is where the service writes afterwards. V(live) is the new file, V(rotated) the old one, V(closed) neither.
    - C(how) is how it got there, V(itself) (alone, or told by the rotation), V(reload) or V(restart).
  returned: always
  type: list
  elements: dict
  sample: [{unit: aurora-runner.service, log: trades.jsonl, how: reload, now: live}]
left_alone:
  description:
    - The first 50 directory entries that look like a log but are no plain file of O(user), or whose name no rotated log
      has. Each has C(name) and C(reason).
  returned: always
  type: list
  elements: dict
  sample: [{name: trades.jsonl.2, reason: a symbolic link}]
done:
  description: What was done, would be done or was refused, as messages with values and text.
  returned: always
  type: list
  elements: dict
closed:
  description: The incident as M(aurora.runbook.incident) returns it, if the action that cured it also closed it.
  returned: with C(incident.last), when the indicator recovered
  type: dict
verdict:
  description:
    - V(would_change) in check mode. V(refused) if nothing was changed, for a reason in RV(done).
    - V(escalated) if a person is needed, because a writer still writes into a rotated file, or because the lines of a
      rotated log are in no file of the directory any more.
    - Otherwise the verdict of O(recovery), see M(aurora.runbook.wait_for_recovery).
  returned: with O(recovery), in check mode, or when a person is needed
  type: str
message:
  description: One sentence that explains the verdict.
  returned: with O(recovery)
  type: str
recovery:
  description: The evidence of the verdict, as in M(aurora.runbook.wait_for_recovery).
  returned: with O(recovery), when it was waited for
  type: dict
"""

import contextlib
import functools
import os
import pwd
import stat
import time
from dataclasses import asdict, dataclass, replace

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.aurora.runbook.plugins.module_utils.act import _conduct, _logrotate, _rotation, _service
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _options
from ansible_collections.aurora.runbook.plugins.module_utils.aurora._messages import sentence
from ansible_collections.aurora.runbook.plugins.module_utils.base import _command, _files, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _watch

RANGES = {
    "keep": (0, 1000),
    "min_free_percent": (0, 90),
    "max_age": (0, 604800),
    "reopen_seconds": (1, 300),
}
ROTATION_SECONDS = 900  # compressing a large log takes a while
SHOWN = 50
CONFIG = "/run/aurora-runbook-logrotate.conf"


def service_uid(user):
    """The user's number. Raises RunbookError for an unknown user, and for root, whose rights must not be lent."""
    try:
        uid = pwd.getpwnam(user).pw_uid
    except KeyError as error:
        raise RunbookError(f"user={user} is refused: this host has no such user") from error
    if uid == 0:
        raise RunbookError(f"user={user} is refused: scripts and configurations of a service never run as root")
    return uid


def choose(params):
    if params["method"] != "auto":
        return params["method"]
    return "logrotate" if os.path.lexists(params["config"]) else "script"


@dataclass(frozen=True)
class Way:
    """How logs are rotated on this host: a command, and the configuration that is written for it if it needs one."""

    argv: list
    config: str = ""
    unnamed: frozenset = frozenset()


def way(params, method, logs, now):
    """How the logs are rotated. Raises RunbookError if there is no way, or no safe one."""
    if method == "script":
        if not os.path.lexists(params["script"]):
            raise RunbookError(f"this host has neither {params['config']} nor {params['script']}")
        return Way([params["script"]])
    config, _text = _files.read_trusted(params["config"])
    if not os.stat(config).st_mode & stat.S_IROTH:
        raise RunbookError(
            f"{config} can be read by root alone, but its scripts are run as {params['user']}: expected mode 0644"
        )
    keys = {log.name: log.key for log in logs}
    nightly = _logrotate.read(config, params["main_config"])
    rotation = _logrotate.rotation(nightly, config, params["directory"], keys, now)
    state = os.path.join(params["directory"], ".logrotate.state")
    return Way(["logrotate", "--force", "--state", state, "--", CONFIG], rotation.config, rotation.unnamed)


@contextlib.contextmanager
def written(config):
    """Keep the configuration in a file that the service's user can read, and only root can write."""
    if config:
        _files.write(CONFIG, config, 0o644)
    try:
        yield
    finally:
        if config:
            _files.remove(CONFIG)


@dataclass(frozen=True)
class Writers:
    """The units that write the logs, and those of them that may be restarted as the last resort."""

    units: tuple
    restart: frozenset

    @property
    def tellable(self):
        return self.restart | {unit.id for unit in self.units if unit["CanReload"] == "yes"}


def writers_of(params):
    names = [_systemd.check_name(name) for name in [*params["units"], *params["restart"]]]
    found = _systemd.show(_command.run, names) if names else []
    return Writers(tuple(found), frozenset(unit.id for unit in found[len(params["units"]) :]))


def holders(writers, keys):
    pids = {pid: unit.id for unit in writers.units for pid in _systemd.processes(unit["ControlGroup"])}
    return _rotation.holders(keys, pids)


def tell(writers, how, name):
    """Make a unit reopen its logs; returns False if it cannot be told in this way."""
    unit = _service.observe(name)
    if how == "reload":
        reloads = unit["CanReload"] == "yes"
        return reloads and _command.run(["systemctl", "reload", "--no-block", "--", name]).rc == 0
    if name in writers.restart:
        _service.restart(unit, {}, _service.Healthy("", 30.0, 5.0))
    return name in writers.restart


def observe(directory, uid, writers):
    logs, rotated, odd = _rotation.scan(directory, uid)
    held = holders(writers, {file.key for file in (*logs, *rotated)})
    return _rotation.Current(logs, rotated, odd, _rotation.space(directory), held)


def catch_up(directory, uid, writers, old, held, seconds):
    """Move each of our units that writes into one of the ``old`` files, by key, to the live file of the same name."""
    owed = {(holder.unit, old[holder.key]) for holder in held if holder.writes and holder.unit and holder.key in old}
    if not owed:
        return []

    def look():
        new = {file.key: file.name for file in _rotation.scan(directory, uid)[0] if file.key not in old}
        return _rotation.places(owed, old, new, holders(writers, {*old, *new}))

    return _rotation.settle(look, functools.partial(tell, writers), time.monotonic, time.sleep, seconds)


def remove(directory, uid, files):
    """Remove the planned files, unless another file has taken the name since."""
    as_planned = {file.name: file.key for file in _rotation.scan(directory, uid)[1]}
    removed = []
    for file in files:
        if as_planned.get(file.name) != file.key:
            continue
        try:
            os.unlink(file.name, dir_fd=directory)
        except OSError as error:
            raise RunbookError(f"{file.name} cannot be removed: {error.strerror}; removed {len(removed)}") from error
        removed.append(file)
    return removed


def apply(directory, uid, current, planned, writers, how, params):
    """Free space, rotate, move every writer to its new file; returns the part of the result about that."""
    removed = remove(directory, uid, planned.remove)
    old = {file.key: file.log for file in current.rotated}
    moved = catch_up(directory, uid, writers, old, planned.behind, params["reopen_seconds"])
    rotated, lost, complaint = [], [], ""
    if planned.rotates and not behind(moved):
        try:
            with pinned(directory, current.logs), written(how.config):
                rotated, lost, now, complaint = rotate(directory, uid, planned.due, current, writers, how.argv, params)
        except RunbookError as error:
            raise RunbookError(f"{error}; rotated files removed before that: {len(removed)}") from error
        moved += now
    return {"removed": removed, "rotated": rotated, "lost": lost, "moved": moved, "complaint": complaint}


@contextlib.contextmanager
def pinned(directory, files):
    """Keep the inodes of files from being reused, because they identify a file after it was renamed."""
    with contextlib.ExitStack() as stack:
        for file in files:
            with contextlib.suppress(FileNotFoundError):
                flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
                stack.callback(os.close, os.open(file.name, flags, dir_fd=directory))
        yield


def rotate(directory, uid, due, current, writers, argv, params):
    """Run the host's rotation as the service user; which log went to which file, which logs are in no file any more,
    where their writers are, and what the rotation complains of though every log is rotated, as of a postrotate that
    needs root.
    """
    logs = current.logs
    before = holders(writers, {log.key for log in logs})
    complaint, problem = run_rotation(params["user"], argv), ""
    live, files, _odd = _rotation.scan(directory, uid, [log.name for log in logs])
    still, now = {file.key for file in live}, {file.key: file.name for file in files}
    gone = {log.key: log.name for log in logs if log.key not in still}
    places = {log.name: now.get(log.key) or _rotation.packed_copy(log, current.rotated, files) for log in logs}
    rotated = [{"log": name, "file": places[name]} for name in gone.values() if places[name]]
    lost = [name for name in gone.values() if not places[name]]
    moved = []
    try:
        moved = catch_up(directory, uid, writers, gone, before, params["reopen_seconds"])
    except RunbookError as error:
        problem = f"{complaint}; {error}" if complaint else str(error)
    missed = [log.name for log in due if log.key in still]
    if problem or missed:
        said = [problem or complaint or f"{' '.join(argv)} ended with 0, but {', '.join(missed)} is not rotated"]
        said += [f"{entry['log']} is rotated" for entry in rotated]
        said += [lost_log(name, params["directory"])["text"] for name in lost]
        raise RunbookError("; ".join([*said, *(told(move)["text"] for move in moved)]))
    return rotated, lost, moved, complaint


def run_rotation(user, argv):
    """Run the host's own rotation; returns what went wrong, "" if nothing did."""
    try:
        done = _command.as_user(user, argv, {}, ROTATION_SECONDS, {})
    except RunbookError as error:
        return str(error)
    return f"{' '.join(argv)} as {user} ended with {done.rc}: {done.last_line}" if done.rc else ""


def behind(moved):
    return any(move.now == _rotation.ROTATED for move in moved)


def told(move):
    keys = {_rotation.ROTATED: "log_still_behind", _rotation.CLOSED: "log_closed"}
    return sentence(keys.get(move.now, f"log_reopened_{move.how}"), unit=move.unit, log=move.log)


def lost_log(log, directory):
    return sentence("log_lost", log=log, directory=directory)


def sentences(params, current, planned, method, unnamed, outcome, space, check_mode):
    """What was done, would be done or was refused, and what is left to a person."""
    directory, removed, rotated = params["directory"], outcome["removed"], outcome["rotated"]
    if removed:
        mib = _rotation.mib(sum(file.allocated for file in removed))
        key = "log_would_free" if check_mode else "log_freed"
        yield sentence(key, directory=directory, count=len(removed), mib=mib, percent=space.percent)
    if rotated:
        key = "log_would_rotate" if check_mode else "log_rotated"
        yield sentence(key, logs=", ".join(entry["log"] for entry in rotated), method=method)
    for log in outcome["lost"]:
        yield lost_log(log, directory)
    for log in sorted(unnamed):
        yield sentence("log_unnamed", log=log, config=params["config"])
    if check_mode:
        names = {file.key: file.name for file in current.rotated}
        for holder in planned.behind:
            yield sentence("log_would_tell", unit=holder.unit, file=names[holder.key])
    yield from map(told, outcome["moved"])
    if outcome["complaint"]:
        yield sentence("log_complaint", problem=outcome["complaint"])
    if planned.refusal:
        key, values = planned.refusal
        yield sentence(key, **values)
    elif not planned.due and not unnamed:
        yield sentence("log_recent", seconds=f"{params['max_age']:g}")
    if space.percent < params["min_free_percent"] and not check_mode:
        wanted = f"{params['min_free_percent']:g}"
        yield sentence("log_little", directory=directory, percent=space.percent, wanted=wanted, keep=params["keep"])


def diff(outcome):
    """The files of the directory that change, before and after; a rotated log is shown without its number."""
    logs = [entry["log"] for entry in outcome["rotated"]]
    before = sorted([*(file.name for file in outcome["removed"]), *logs])
    return {
        "before": "".join(f"{name}\n" for name in before),
        "after": "".join(f"{name} (rotated)\n" for name in sorted(logs)),
    }


def run(params, conduct):
    """Observe, plan, apply, watch; returns what the module returns."""
    _options.check_ranges(params, RANGES)
    recovery = params["recovery"]
    if recovery:
        _watch.rule(recovery)
    uid = service_uid(params["user"])
    writers = writers_of(params)
    if not conduct.may_restart():
        writers = replace(writers, restart=frozenset())
    method, how, no_way, now = choose(params), Way([]), "", time.time()
    with _files.owned_directory(params["directory"], params["user"]) as directory:
        current = observe(directory, uid, writers)
        try:
            how = way(params, method, _rotation.due_logs(current, now, params["max_age"]), now)
        except RunbookError as error:
            no_way = str(error)  # space is freed in any case
        wish = _rotation.Wish(
            keep=params["keep"],
            min_free_percent=params["min_free_percent"],
            max_age=params["max_age"],
            tellable=writers.tellable,
            compresses_live=method == "script",
            no_way=no_way,
            unnamed=how.unnamed,
        )
        planned = _rotation.plan(current, wish, now)
        refusal = planned.changed and conduct.begin(params["directory"], [])
        if conduct.check_mode or refusal or not planned.changed:
            due = [{"log": log.name} for log in planned.due if planned.rotates]
            outcome = {"removed": planned.remove, "rotated": due, "lost": [], "moved": [], "complaint": ""}
        else:
            outcome = apply(directory, uid, current, planned, writers, how, params)
        space = _rotation.space(directory)
    result = {
        "changed": planned.changed,
        "method": method,
        "bytes_freed": sum(file.allocated for file in outcome["removed"]),
        "free_before": current.space.free,
        "free_after": space.free,
        "removed": [file.name for file in outcome["removed"]],
        "rotated": outcome["rotated"],
        "writers": [asdict(move) for move in outcome["moved"]],
        "left_alone": [asdict(entry) for entry in current.odd[:SHOWN]],
        "done": list(sentences(params, current, planned, method, how.unnamed, outcome, space, conduct.check_mode)),
        "diff": diff(outcome),
    }
    if refusal:
        nothing = {"bytes_freed": 0, "removed": [], "rotated": [], "diff": {"before": "", "after": ""}}
        return {**result, **nothing, "changed": False, "verdict": "refused", "done": [refusal]}
    if conduct.check_mode and planned.changed:
        return {**result, "verdict": "would_change"}
    if planned.refusal and not planned.changed:
        return {**result, "verdict": "refused"}
    if behind(outcome["moved"]) or outcome["lost"]:
        return {**result, "verdict": "escalated"}
    return {**result, **_watch.watch(recovery, conduct.check_mode)} if recovery else result


NAMES = {"type": "list", "elements": "str"}
ARGUMENTS = {
    "argument_spec": {
        "directory": {"type": "path", "default": "/opt/aurora/logs"},
        "user": {"type": "str", "default": "aurora"},
        "method": {"type": "str", "choices": ["auto", "logrotate", "script"], "default": "auto"},
        "config": {"type": "path", "default": "/etc/logrotate.d/aurora"},
        "main_config": {"type": "path", "default": "/etc/logrotate.conf"},
        "script": {"type": "path", "default": "/opt/aurora/scripts/log_rotate.sh"},
        "units": {**NAMES, "default": ["aurora-runner", "aurora-live-feed"]},
        "restart": {**NAMES, "default": ["aurora-live-feed"]},
        "keep": {"type": "int", "default": 7},
        "min_free_percent": {"type": "float", "default": 15.0},
        "max_age": {"type": "float", "default": 3600.0},
        "reopen_seconds": {"type": "float", "default": 10.0},
        "incident": {"type": "dict", "options": _options.INCIDENT},
        "recovery": {"type": "dict", "options": _options.RECOVERY},
    },
    "supports_check_mode": True,
}


def main():
    module = AnsibleModule(**ARGUMENTS)
    _conduct.conducted(module, "log_rotation", run)


if __name__ == "__main__":
    main()
