# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, docs/runbook.md promises what nothing shows, or docs/least-privilege.md shows another sudo rule."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import yaml
from ansible_collections.aurora.runbook.plugins.module_utils.program import _allowed

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "tests" / "lab"))

import faults  # the path above is what makes it importable
from pages import rows, section

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


LEAST = (CHECKOUT / "docs" / "least-privilege.md").read_text(encoding="utf-8")
CAPABILITIES = rows(section(LEAST, "## Capabilities"))[1:]
RULE = [
    line.replace("{{ aurora_least_privilege_user }}", "remedy")
    for line in (CHECKOUT / "roles/prepare/templates/sudoers.j2").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


def test_the_rule_of_sudo_is_the_one_that_is_written():
    assert "\n".join(RULE) in LEAST


def test_the_account_has_each_capability_by_that_rule_or_not_at_all():
    command = RULE[-1].partition(" NOSETENV: ")[2]
    assert {row[2] for row in CAPABILITIES if not row[2].startswith("none")} == {f"`{command}`"}


def test_the_capabilities_are_the_requests_that_the_program_accepts():
    asked = [name for row in CAPABILITIES if not row[2].startswith("none") for name in re.findall(r"`(\w+)`", row[0])]
    listed = yaml.safe_load((CHECKOUT / "roles/prepare/vars/main.yml").read_text(encoding="utf-8"))["__prepare_allowed"]
    assert sorted(asked) == sorted(listed) == sorted(_allowed.CHOSEN)


def test_each_capability_has_a_command_that_verifies_it_and_a_test_in_the_lab():
    commands = ("`ansible-playbook ", "`ansible ", "`ssh ")
    assert [row[0] for row in CAPABILITIES if len(row) != 5 or not row[3].startswith(commands)] == []
    lab = (CHECKOUT / "tests/integration/one_host/test_least_privilege.py").read_text(encoding="utf-8")
    in_lab = re.findall(r"^def (test_\w+)", lab, re.MULTILINE)
    assert [row[0] for row in CAPABILITIES if row[4].strip("`") not in in_lab] == []
