# SPDX-License-Identifier: GPL-3.0-or-later
"""If this breaks, ./dev bench changes what it measures: a call through its stand-ins differs from one without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import accounted_python
import counted_ssh
import pytest

BENCH = Path(__file__).parents[3] / "tests" / "bench"
SAYS_WHAT_IT_GOT = """#!/bin/sh
cat
echo "$*"
echo wrong >&2
exit 3
"""


@pytest.fixture
def called(tmp_path):
    """Call the counting ssh in front of one that says what it got; what came of it, and what was noted."""
    notes, ssh = tmp_path / "sent", tmp_path / "ssh"
    ssh.write_text(SAYS_WHAT_IT_GOT, encoding="ascii")
    ssh.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", counted_ssh.SENT: str(notes)}

    def call(argv: list[str], **options) -> tuple[subprocess.CompletedProcess, list[int]]:
        command = [sys.executable, str(BENCH / "counted_ssh.py"), *argv]
        done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=30, **options)
        return done, [int(line) for line in notes.read_text(encoding="ascii").split()] if notes.exists() else []

    return call


def test_a_call_is_passed_on_and_counted(called):
    payload = b"\0payload\n" * 100_000
    done, sent = called(["-o", "User=oncall", "host", "python3 -"], input=payload)
    assert (done.returncode, done.stderr) == (3, b"wrong\n")
    assert done.stdout == payload + b"-o User=oncall host python3 -\n"
    assert sent == [len(b"python3 -") + len(payload)]


def test_a_question_about_an_option_is_no_call(called):
    done, sent = called(counted_ssh.A_QUESTION, stdin=subprocess.DEVNULL)
    assert (done.stdout, sent) == (b"-o ControlPersist\n", [])


def test_a_python_that_accounts_runs_what_it_is_given(tmp_path):
    costs = tmp_path / "costs"
    source = (BENCH / "accounted_python.py").read_text(encoding="utf-8")
    program = tmp_path / "python"
    program.write_text(source.replace(accounted_python.COSTS, str(costs)), encoding="utf-8")
    script = "import sys; held = bytearray(30_000_000); end = sum(range(10_000_000)); print(sys.argv[1:]); sys.exit(4)"
    argv = [sys.executable, str(program), "-", "{}"]
    done = subprocess.run(argv, input=script, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (4, "['{}']\n")
    noted = json.loads(costs.read_text(encoding="ascii"))
    assert noted["memory"] > 30_000_000
    assert noted["cpu"] > 0
