# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, README says of a pair of controller and Debian that it works, and nobody has seen it work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
PROGRAM = """
import json, sys
sys.path[:0] = [sys.argv[1]]
import matrix
print(json.dumps(eval(sys.argv[2])))
"""
REPORT = """<testsuites><testsuite>
<testcase name="test_it[one]"/>
<testcase name="test_it[two]"><failure message="no"/></testcase>
<testcase name="test_it[three]"><error message="no"/></testcase>
<testcase name="test_it[four]"><skipped message="no"/></testcase>
<testcase name="test_it[five]"/>
<testcase name="test_it[failed twice]"/>
<testcase name="test_it[failed twice]"><failure message="no"/></testcase>
<testcase name="test_it[passed again]"/>
<testcase name="test_it[passed again]"/>
</testsuite></testsuites>"""


def matrix(expression: str):
    """What an expression about tests/matrix.py gives, in a process of its own: it turns to the second lab for good."""
    argv = [sys.executable, "-c", PROGRAM, str(CHECKOUT / "tests"), expression]
    return json.loads(subprocess.run(argv, capture_output=True, check=True, text=True, env={**os.environ}).stdout)


def test_only_tests_that_passed_count() -> None:
    assert matrix(f"matrix.passed({REPORT!r})") == ["five", "one", "passed again"]


def test_the_table_names_what_was_not_answered_and_what_was_not_tried() -> None:
    incidents = matrix("matrix.INCIDENTS")
    oldest, newest = matrix("[matrix.controller.OLDEST, matrix.controller.NEWEST]")
    pairs = {
        oldest: {"exact": "2.16.99", "answered": incidents},
        newest: {"exact": "2.21.99", "answered": incidents[1:]},
    }
    found = {
        "bullseye": {"about": ["systemd 247", "Python 3.9"], "pairs": pairs},
        "trixie": {"about": ["systemd 257", "Python 3.13"], "pairs": {oldest: pairs[oldest]}},
    }
    head, _line, *rows = matrix(f"matrix.table({found!r})").splitlines()
    assert head == "| ansible-core | Debian 11 (systemd 247, Python 3.9) | Debian 13 (systemd 257, Python 3.13) |"
    number = len(incidents)
    cells = {row.split(" | ")[0].strip("| "): [cell.strip(" |") for cell in row.split(" | ")[1:]] for row in rows}
    assert cells["2.16.99"] == [f"{number} of {number}"] * 2
    assert cells["2.21.99"] == [f"{number - 1} of {number}: not {incidents[0]}", "not tried"]
    assert len(cells) == len(matrix("list(matrix.controller.CONTROLLERS)"))
