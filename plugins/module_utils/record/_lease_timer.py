# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's own timer for the ends of leases: one for all leases, which runs the program there. Private.

One timer per lease with an absolute date would never fire if the clock was wrong, and would not retry after a failure.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from ansible_collections.aurora.runbook.plugins.module_utils.base import _command, _files, _start
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease

RUN = ("/usr/bin/python3", "-IS", _start.CURRENT)
TIMER, SERVICE = "aurora-runbook-leases.timer", "aurora-runbook-leases.service"
HEADER = "# Written by aurora.runbook; removed with the last lease that has an end.\n"
UNITS = {
    f"/etc/systemd/system/{SERVICE}": HEADER
    + f"""[Unit]
Description=Ends of aurora.runbook's leases

[Service]
Type=oneshot
TimeoutStartSec=15min
ExecStart={" ".join(RUN)} ends
""",
    f"/etc/systemd/system/{TIMER}": HEADER
    + """[Unit]
Description=Ends of aurora.runbook's leases

[Timer]
OnBootSec=20s
OnUnitInactiveSec=60s
AccuracySec=1s

[Install]
WantedBy=timers.target
""",
}
WELL = "enabled, active"
LONGEST_END = 60.0  # seconds to wait if a lease is just being ended


@contextlib.contextmanager
def changing(holder: str) -> Iterator[None]:
    """Keep everybody else from changing this host; afterwards remove the timer if it has nothing left to do."""
    with _lease.exclusive(holder, LONGEST_END):  # claims keep runs apart, so this waits for the timer
        try:
            yield
        finally:
            with contextlib.suppress(RunbookError):  # the timer itself tries again
                retire()


def install() -> None:
    """Before a change that will end, make sure that it does. Raises RunbookError if this host cannot do that."""
    _files.make_private(_start.BASE)  # reports what is wrong if the program could not be installed
    if why := fault():
        raise RunbookError(
            f"the program that ends leases cannot be run from {_start.CURRENT}, so nothing could end by itself: {why};"
            f" find out why: {_start.BASE} and all above has to be root's to write alone"
        )
    proof = _command.run([*RUN, "--version"])
    if proof.rc != 0:
        raise RunbookError(f"{' '.join(RUN)} does not run, so nothing could end by itself: {proof.last_line}")
    stale = [path for path, text in UNITS.items() if _files.read(path) != text]
    for path in stale:
        _files.write(path, UNITS[path], 0o644)
    if stale or state() != WELL:
        for verb in ("enable", "restart"):
            _systemctl(verb)
        if (now := state()) != WELL:
            raise RunbookError(f"{TIMER} is {now}, so nothing could end by itself; look at systemctl status {TIMER}")


def fault() -> str:
    """Why the program that the timer runs cannot be used, "" if it can."""
    name = os.path.basename(os.path.realpath(_start.CURRENT))
    try:
        why = _start.fault(f"{_start.BASE}/{name}")
    except OSError as error:  # another controller is replacing it right now
        return str(error)
    older = _start.version(name) < _start.version(f"{_start.VERSION}-{'0' * 16}")
    return why or ("it is an older one" if older else "")


def state() -> str:
    """The state of the timer as people read it: WELL if it works, and so does what it runs."""
    if why := fault():
        return f"without a program: {why}"
    done = _command.run(["systemctl", "show", "--property=UnitFileState,ActiveState", "--", TIMER])
    said = dict(line.split("=", 1) for line in done.out.splitlines() if "=" in line)
    return f"{said.get('UnitFileState') or 'not installed'}, {said.get('ActiveState') or 'unknown'}"


def retire() -> None:
    """Remove the timer if no lease has an end any more. A lease that cannot be read may have one."""
    if not any(map(os.path.lexists, UNITS)) or any(lease.ends for lease in _lease.load_all()):
        return
    for verb in ("stop", "disable"):
        _command.run(["systemctl", verb, "--", TIMER])
    for path in UNITS:
        _files.remove(path)
    _command.run(["systemctl", "daemon-reload"])


def _systemctl(verb: str) -> None:
    done = _command.run(["systemctl", verb, "--", TIMER])
    if done.rc != 0:
        raise RunbookError(f"systemctl {verb} {TIMER} failed, so nothing could end by itself: {done.last_line}")
