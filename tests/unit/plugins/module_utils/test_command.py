# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a script of the service user can fill root's memory or hold a module for as long as it likes."""

from __future__ import annotations

import subprocess
import sys
import time

from ansible_collections.aurora.runbook.plugins.module_utils import _command


def last_words(program, seconds=20.0):
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        try:
            return _command._last_words(process, time.monotonic() + seconds), process.poll()
        finally:
            process.kill()


def test_only_the_end_of_a_flood_is_kept():
    said, status = last_words("print('x' * (5 << 20) + 'end')")
    assert (len(said), said[-4:], status) == (_command.MAX_OUTPUT, b"end\n", 0)


def test_a_child_that_lives_on_with_the_pipe_open_does_not_hold_us():
    said, status = last_words(
        "import subprocess, sys; subprocess.Popen(['sh', '-c', 'sleep 3; echo late']); print('done'); sys.exit(3)"
    )
    assert (said, status) == (b"done\n", 3)


def test_a_flood_without_end_stops_at_the_deadline():
    _said, status = last_words("while True: print('x' * 9999)", seconds=0.3)
    assert status is None
