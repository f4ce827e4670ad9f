# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's own clock for ends of leases: a program of our sources, and one timer for all leases. Private.

A timer a lease with an absolute date would never fire when the clock was off, and not retry what failed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import zipfile
from collections.abc import Iterable, Iterator

from ansible_collections.aurora.runbook.plugins.module_utils.base import _command, _files
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease

VERSION = "0.2.0"  # galaxy.yml's; an older controller does not replace the program of a newer one
PACKAGE = "ansible_collections.aurora.runbook.plugins.module_utils"
LIBRARY = "/usr/local/lib"
PROGRAM = f"{LIBRARY}/aurora-runbook/lease.pyz"
RUN = ("/usr/bin/python3", "-I", PROGRAM)
TIMER, SERVICE = "aurora-runbook-leases.timer", "aurora-runbook-leases.service"
HEADER = "# Written by aurora.runbook; removed with the last lease that has an end.\n"
UNITS = {
    f"/etc/systemd/system/{SERVICE}": HEADER
    + f"""[Unit]
Description=Ends of aurora.runbook's leases

[Service]
Type=oneshot
TimeoutStartSec=15min
ExecStart={" ".join(RUN)}
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
LONGEST_END = 60.0  # seconds to wait for the end of a lease that has just come
STAMP = (1980, 1, 1, 0, 0, 0)


@contextlib.contextmanager
def changing(holder: str) -> Iterator[None]:
    """Nobody else changes this host meanwhile; afterwards the timer is gone if there is nothing left for it."""
    with _lease.exclusive(holder, LONGEST_END):  # runs keep each other out by their claims: this awaits the timer
        try:
            yield
        finally:
            with contextlib.suppress(RunbookError):  # the timer itself tries again
                retire()


def build(parts: Iterable[str]) -> bytes:
    """The program: our own sources, as they were loaded, and always the same bytes from the same sources.

    ``parts`` are names in module_utils, the first with the ``main`` to run.
    """
    names = list(parts)
    files = {}
    for name in names:
        full = f"{PACKAGE}.{name}"
        folders = full.split(".")[:-1]
        files.update({f"{'/'.join(folders[: depth + 1])}/__init__.py": "" for depth in range(len(folders))})
        files[f"{full.replace('.', '/')}.py"] = importlib.util.find_spec(full).loader.get_source(full)
    files["__main__.py"] = f"import sys\n\nfrom {PACKAGE}.{names[0]} import main\n\nsys.exit(main(sys.argv[1:]))\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = f"aurora.runbook {VERSION}".encode()
        for path, text in sorted(files.items()):
            entry = zipfile.ZipInfo(path, STAMP)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, text.encode())
    return buffer.getvalue()


def version(program: bytes | None) -> tuple[int, ...]:
    """The version that a program was made by, () for what is none of ours."""
    try:
        with zipfile.ZipFile(io.BytesIO(program or b"")) as archive:
            name, _space, number = archive.comment.decode("ascii").partition(" ")
        return tuple(map(int, number.split("."))) if name == "aurora.runbook" else ()
    except (zipfile.BadZipFile, ValueError):
        return ()


def install(parts: Iterable[str]) -> None:
    """Before a change that is to end: make sure that it will. Raises RunbookError when this host cannot do that."""
    for folder in (LIBRARY, os.path.dirname(PROGRAM)):
        _files.make_directory(folder, 0o755)
    _files.check_private(os.path.dirname(PROGRAM))
    wanted, found = build(parts), _files.read_bytes(PROGRAM)
    if found != wanted and version(found) <= version(wanted):
        _files.write(PROGRAM, wanted, 0o644)
    _files.read_trusted(PROGRAM)
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


def state() -> str:
    """How the timer is, as people read it: WELL when it works."""
    done = _command.run(["systemctl", "show", "--property=UnitFileState,ActiveState", "--", TIMER])
    said = dict(line.split("=", 1) for line in done.out.splitlines() if "=" in line)
    return f"{said.get('UnitFileState') or 'not installed'}, {said.get('ActiveState') or 'unknown'}"


def retire() -> None:
    """Remove timer and program when no lease has an end any more. What cannot be read may have one."""
    files = [*UNITS, PROGRAM]
    if not any(map(os.path.lexists, files)) or any(lease.ends for lease in _lease.load_all()):
        return
    for verb in ("stop", "disable"):
        _command.run(["systemctl", verb, "--", TIMER])
    for path in UNITS:
        _files.remove(path)
    _command.run(["systemctl", "daemon-reload"])
    _files.remove(PROGRAM)
    _files.remove_empty_directory(os.path.dirname(PROGRAM))


def _systemctl(verb: str) -> None:
    done = _command.run(["systemctl", verb, "--", TIMER])
    if done.rc != 0:
        raise RunbookError(f"systemctl {verb} {TIMER} failed, so nothing could end by itself: {done.last_line}")
