# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a syntax check of AWX, an editor or a CI fails on playbooks that are right, or a run without an
alert fails with words that help nobody.
"""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from conftest import CHECKOUT
from own_warnings import own_warnings

PLAYBOOKS = sorted(f"aurora.runbook.{path.stem}" for path in (CHECKOUT / "playbooks").glob("*.yml"))
INVENTORY = json.dumps({"aurora": {"hosts": {"a0": {"ansible_connection": "local"}, "a1": {"look": "{{ nowhere }}"}}}})


@pytest.fixture
def playbook(collection, tmp_path):
    """Call it as ansible-playbook; all that it said, and its status."""

    settings = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}

    def run(*arguments):
        done = subprocess.run(
            ["ansible-playbook", *arguments],
            cwd=tmp_path,
            env={**os.environ, **settings, "ANSIBLE_COLLECTIONS_PATH": str(collection)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert own_warnings(done.stderr) == []
        return done.stdout + done.stderr, done.returncode

    (tmp_path / "inventory.json").write_text(INVENTORY, encoding="ascii")
    return run


def example_in(said):
    """What the refusal proposes as -e; ansible-core before 2.19 shows it within JSON."""
    return said.replace('\\"', '"').partition("-e '")[2].partition("'")[0]


@pytest.mark.parametrize("inventory", [[], ["-i", "inventory.json"]], ids=["without inventory", "with inventory"])
def test_the_syntax_of_every_playbook_is_checked_without_variables(inventory, playbook):
    said, status = playbook("--syntax-check", *inventory, *PLAYBOOKS)
    assert status == 0, said
    assert [line.rpartition("/")[2] for line in said.splitlines() if line.startswith("playbook: ")] == [
        f"{name.rpartition('.')[2]}.yml" for name in PLAYBOOKS
    ]


def test_a_run_without_an_alert_says_what_to_give_and_does_nothing(playbook):
    said, status = playbook("aurora.runbook.remediate", "-i", "inventory.json")
    assert status == 2
    (task,) = (line for line in said.splitlines() if line.startswith("TASK"))
    assert "Refuse to begin without an alert" in task
    example = example_in(said)
    assert json.loads(example)["aurora_alert"]["labels"]["instance"]


def test_the_example_of_the_refusal_is_an_alert_that_is_taken(playbook, tmp_path):
    said, _status = playbook("aurora.runbook.remediate", "-i", "inventory.json")
    example = example_in(said).replace("firing", "resolved")
    (tmp_path / "inventory.json").write_text(INVENTORY.replace("a0", "aurora-a.example.com"), encoding="ascii")
    said, status = playbook("aurora.runbook.remediate", "-i", "inventory.json", "-e", example)
    assert status == 0, said


def test_a_run_outside_of_its_inventory_is_an_error_though_its_syntax_is_right(playbook):
    said, status = playbook("aurora.runbook.triage", "-i", "inventory.json", "--limit", "!all")
    assert status not in (0, 2), said


@pytest.mark.parametrize("given", ["null", '"now"', '{"labels": {"summary": "{{ lookup(\'pipe\', \'touch ran\') }}"}}'])
@pytest.mark.parametrize("how", [[], ["--syntax-check"]], ids=["run", "syntax"])
def test_a_hostile_alert_is_refused_and_never_a_template(given, how, playbook, tmp_path):
    said, status = playbook(
        *how, "aurora.runbook.remediate", "-i", "inventory.json", "-e", f'{{"aurora_alert": {given}}}'
    )
    assert status != 0, said
    assert "aurora_alert" in said
    assert not (tmp_path / "ran").exists()
