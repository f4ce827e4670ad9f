# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, docs/runbook.md promises what nothing shows, or docs/least-privilege.md shows another sudo rule."""

from __future__ import annotations

import re
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "tests" / "lab"))

import faults  # the path above is what makes it importable
from pages import rows

PAGE = (CHECKOUT / "docs" / "runbook.md").read_text(encoding="utf-8")
STEPS = rows(PAGE.split("## What triage")[0])


def test_every_step_of_the_runbook_has_its_place_and_what_shows_it():
    assert len(STEPS) > 40
    assert [step for step in STEPS if len(step) != 4 or not all(cell.strip() for cell in step)] == []


def test_what_shows_a_step_exists():
    tests = {path.name for path in (CHECKOUT / "tests").rglob("test_*.py")}
    shown = [name for step in STEPS[1:] for name in re.findall(r"`(\w+(?:\.py)?)`", step[-1])]
    assert set(shown) - tests - set(faults.FAULTS) == set()


def test_triage_was_held_against_every_fault():
    table = PAGE.split("<!-- confusion -->")[1]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == set(faults.FAULTS)


def test_the_rule_of_sudo_is_the_one_that_is_written():
    page = (CHECKOUT / "docs" / "least-privilege.md").read_text(encoding="utf-8")
    written = (CHECKOUT / "roles" / "prepare" / "templates" / "sudoers.j2").read_text(encoding="utf-8")
    rule = [line for line in written.splitlines() if not line.startswith("#")]
    assert "\n".join(rule).replace("{{ aurora_least_privilege_user }}", "remedy") in page
