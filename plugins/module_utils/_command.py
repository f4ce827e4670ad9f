# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one command, bounded in time and size, without a shell. Private to aurora.runbook."""

from __future__ import annotations

import contextlib
import os
import pwd
import select
import signal
import subprocess
import time
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils._errors import CommandError

MAX_OUTPUT = 1 << 20
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Completed:
    """Exit status and decoded output of a command; output beyond MAX_OUTPUT bytes is cut."""

    rc: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """The last line it said, where commands put the reason."""
        lines = (self.err.strip() or self.out.strip()).splitlines()
        return lines[-1] if lines else ""


def run(argv: list[str], timeout: float = 30.0) -> Completed:
    """Run argv in the C locale. Raises CommandError when it is missing or not done within timeout seconds."""
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    environment = dict(os.environ, LC_ALL="C", PATH=path)
    try:
        # AnsibleModule.run_command changes the whole process, and probes run side by side.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, env=environment, check=False
        )
    except FileNotFoundError as error:
        raise CommandError(f"{argv[0]} is not installed on this host") from error
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{' '.join(argv)} was not done within {timeout:g} s") from error
    return Completed(done.returncode, _text(done.stdout), _text(done.stderr))


def run_as(user: str, argv: list[str], timeout: float) -> Completed:
    """Run argv as another user, where nothing of root's is within reach: no environment, terminal or open file.

    What it says is that user's to choose: errors stand in ``out`` with the rest, and only the last of it is kept.
    Raises CommandError like ``run``.
    """
    try:
        account = pwd.getpwnam(user)
        environment = {"PATH": SYSTEM_PATH, "LC_ALL": "C", "HOME": account.pw_dir, "USER": user, "LOGNAME": user}
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment,
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=os.getgrouplist(user, account.pw_gid),
            start_new_session=True,
        )
    except KeyError as error:
        raise CommandError(f"{argv[0]} is not run: this host has no user {user}") from error
    except OSError as error:
        raise CommandError(f"{argv[0]} cannot be run as {user}: {error.strerror}") from error
    with process:
        try:
            said = _last_words(process, time.monotonic() + timeout)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode == -signal.SIGKILL:
        raise CommandError(f"{' '.join(argv)} was killed, or not done within {timeout:g} s")
    return Completed(process.returncode, _text(said), "")


def _last_words(process: subprocess.Popen, deadline: float) -> bytes:
    """Read until the process ends; what it started may live on and hold the pipe open."""
    said = b""
    while time.monotonic() < deadline:
        over = process.poll() is not None
        if select.select([process.stdout], [], [], 0 if over else 0.1)[0]:
            chunk = os.read(process.stdout.fileno(), 1 << 16)
            said = (said + chunk)[-MAX_OUTPUT:]
            if chunk:
                continue
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(deadline - time.monotonic(), 0))
            break
        if over:
            break
    return said


def _text(raw: bytes) -> str:
    return raw[:MAX_OUTPUT].decode("utf-8", "replace")
