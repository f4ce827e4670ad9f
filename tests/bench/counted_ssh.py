# SPDX-License-Identifier: GPL-3.0-or-later
"""An ssh for Ansible that notes how many bytes a call sends to a host: its command line and what it reads."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import BinaryIO

SENT = "AURORA_BENCH_SENT"  # the variable that names the file for the notes
BLOCK = 65536
A_QUESTION = ["-o", "ControlPersist"]  # Ansible asks so once whether this ssh knows the option


def pass_on(source: int, target: BinaryIO) -> int:
    """Copy a file descriptor to its end. Returns the number of bytes, those too that an ssh that ended did not take."""
    passed = 0
    while block := os.read(source, BLOCK):
        passed += len(block)
        try:
            target.write(block)
        except BrokenPipeError:
            continue
    return passed


def main() -> int:
    argv = sys.argv[1:]
    if argv == A_QUESTION:
        return subprocess.run(["ssh", *argv], check=False).returncode
    sent = len(os.fsencode(argv[-1]))
    if os.isatty(0):  # Ansible gives a call without input a terminal, which never ends
        status = subprocess.run(["ssh", *argv], check=False).returncode
    else:
        with subprocess.Popen(["ssh", *argv], stdin=subprocess.PIPE, bufsize=0) as ssh:
            sent += pass_on(0, ssh.stdin)
        status = ssh.returncode
    with open(os.environ[SENT], "a", encoding="ascii") as file:
        print(sent, file=file)
    return status


if __name__ == "__main__":
    sys.exit(main())
