# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one command, bounded in time and size, without a shell. Private to aurora.runbook."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils._errors import CommandError

MAX_OUTPUT = 1 << 20


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


def _text(raw: bytes) -> str:
    return raw[:MAX_OUTPUT].decode("utf-8", "replace")
