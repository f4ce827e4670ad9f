# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one command, limited in time and output, without a shell. Private to aurora.runbook."""

from __future__ import annotations

import io
import os
import pwd
import re
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import CommandError, RunbookError

MAX_OUTPUT = 1 << 20
# systemd expands "$" in the arguments of a transient unit, so only plain paths may go there.
_PLAIN = re.compile(r"/[A-Za-z0-9._/@+-]*")


@dataclass(frozen=True)
class Completed:
    """Exit status and decoded output of a command; output beyond MAX_OUTPUT bytes is cut."""

    rc: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """The last line of its output, where commands usually put the reason."""
        lines = (self.err.strip() or self.out.strip()).splitlines()
        return lines[-1] if lines else ""


def run(argv: list[str], timeout: float = 30.0, stdin: io.BufferedReader | int = subprocess.DEVNULL) -> Completed:
    """Run argv in the C locale. Raises CommandError if it is missing or not done within timeout seconds."""
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    environment = dict(os.environ, LC_ALL="C", PATH=path)
    try:
        # AnsibleModule.run_command changes the whole process, but probes run in parallel.
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        )
    except FileNotFoundError as error:
        raise CommandError(f"{argv[0]} is not installed on this host") from error
    deadline = time.monotonic() + timeout
    said = {stream: bytearray() for stream in (process.stdout, process.stderr)}
    readers = [threading.Thread(target=_drain, args=item, daemon=True) for item in said.items()]
    for reader in readers:
        reader.start()
    for reader in readers:  # first, because its end wakes them, whereas waiting for a process is polling
        reader.join(max(0.0, deadline - time.monotonic()))
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.wait()
        raise CommandError(f"{' '.join(argv)} did not finish within {timeout:g} s") from error
    out, err = (bytes(text).decode("utf-8", "replace") for text in said.values())
    return Completed(process.returncode, out, err)


def _drain(stream: io.BufferedReader, kept: bytearray) -> None:
    """Read everything, so that the command does not block, and keep as much as fits."""
    with stream:
        while piece := stream.read1(65536):
            kept += piece[: MAX_OUTPUT - len(kept)]


def check_user(user: str) -> str:
    """A user to run code as. Raises RunbookError for an unknown user and for root."""
    try:
        uid = pwd.getpwnam(user).pw_uid
    except (KeyError, ValueError):
        raise RunbookError(f"this host has no user {user[:80]!r}; name the user of the services") from None
    if uid == 0:
        raise RunbookError("user=root is refused: what the service's user can write is never run as root")
    return user


def plain_path(option: str, path: str) -> str:
    """An absolute path without characters that systemd interprets. Raises RunbookError."""
    if not _PLAIN.fullmatch(path):
        raise RunbookError(f"{option}={path[:200]!r} is refused; expected an absolute path of A-Z a-z 0-9 . _ / @ + -")
    return path


def as_user(
    user: str,
    argv: list[str],
    environment: Mapping[str, str],
    seconds: float,
    properties: Mapping[str, str],
    stdin: io.BufferedReader | int = subprocess.DEVNULL,
    unit: str = "",
) -> Completed:
    """Run argv as an untrusted user: with a clean environment, no way to gain rights, and nothing left running.

    systemd runs it in a transient unit with limits of its own, which ``unit`` may name; ``properties`` are added to
    these.
    """
    settings = {
        "Type": "exec",
        "NoNewPrivileges": "yes",
        "PrivateTmp": "yes",
        "Nice": "10",
        "MemoryMax": "1G",
        "TasksMax": "64",
        "RuntimeMaxSec": f"{seconds:g}",
        "TimeoutStopSec": "5",
        **properties,
    }
    started = time.monotonic()
    done = run(
        [
            *("systemd-run", "--quiet", "--wait", "--pipe", "--collect", f"--uid={user}"),
            *(f"--property={name}={value}" for name, value in settings.items()),
            *(f"--setenv={name}={value}" for name, value in environment.items()),
            *([f"--unit={unit}"] if unit else []),
            *("--", *argv),
        ],
        seconds + 15,
        stdin,
    )
    if done.rc != 0 and time.monotonic() - started >= seconds:
        raise CommandError(f"{' '.join(argv)} as {user} did not finish within {seconds:g} s")
    return done
