# SPDX-License-Identifier: GPL-3.0-or-later
"""If this breaks, ./dev with its output shortened (``./dev faults | head``) ends in a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("unbuffered", [True, False])
def test_a_reader_that_is_gone_ends_it_without_a_word(unbuffered: bool) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    flags = ["-u"] if unbuffered else []
    argv = [sys.executable, *flags, str(CHECKOUT / "dev"), "faults"]
    with os.fdopen(writing, "wb") as output:
        done = subprocess.run(argv, stdout=output, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 141)
