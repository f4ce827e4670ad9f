# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(CHECKOUT / "tests"))

from own_warnings import own_warnings  # the path above is what makes it importable

# This checkout, or what a controller of another version installed of it.
INSTALLED = Path(os.environ["ANSIBLE_COLLECTIONS_PATH"], "ansible_collections", "aurora", "runbook").resolve()
REAL = ("decision.py", "escalation.py", "preflight.py")  # what judges on the controller
MODULES = sorted(path.stem for path in (CHECKOUT / "plugins" / "modules").glob("*.py") if path.name not in REAL)


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """The collection with stand-ins in place of its modules."""
    root = tmp_path_factory.mktemp("collections")
    ours = root / "ansible_collections" / "aurora" / "runbook"
    (ours / "plugins" / "action").mkdir(parents=True)
    for name in ("roles", "playbooks", "meta"):
        (ours / name).symlink_to(INSTALLED / name)
    for name in ("callback", "filter", "lookup", "module_utils", "plugin_utils", "doc_fragments"):
        (ours / "plugins" / name).symlink_to(INSTALLED / "plugins" / name)
    for name in REAL:
        (ours / "plugins" / "action" / name).symlink_to(INSTALLED / "plugins" / "action" / name)
    for name in MODULES:
        stand_in = CHECKOUT / "tests" / "unit" / "roles" / "stand_ins" / "stand_in.py"
        (ours / "plugins" / "action" / f"{name}.py").symlink_to(stand_in)
    return root


@pytest.fixture
def report(tmp_path):
    """Runs a playbook that writes a report from what hosts answer; gives its exit status, what it said, its files."""
    ours = tmp_path / "collections" / "ansible_collections" / "aurora" / "runbook"
    (ours / "plugins" / "action").mkdir(parents=True)
    for name in ("roles", "playbooks", "meta"):
        (ours / name).symlink_to(INSTALLED / name)
    ours_too = ("action/escalation.py", "action/postmortem.py", "action/review.py")
    for name in ("callback", "filter", "lookup", "module_utils", "plugin_utils", "doc_fragments", *ours_too):
        (ours / "plugins" / name).symlink_to(INSTALLED / "plugins" / name)
    stand_in = CHECKOUT / "tests" / "unit" / "roles" / "stand_ins" / "incident_info.py"
    (ours / "plugins" / "action" / "incident_info.py").symlink_to(stand_in)
    folder = tmp_path / "reports"

    def run(playbook, answers, *arguments):
        hosts = {name: {"answer": answer, "ansible_connection": "local"} for name, answer in answers.items()}
        python = {"ansible_python_interpreter": sys.executable, "aurora_python_interpreter": sys.executable}
        inventory = tmp_path / "inventory.json"
        inventory.write_text(json.dumps({"aurora": {"hosts": hosts, "vars": python}}), encoding="utf-8")
        settings = {"ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections"), "ANSIBLE_BECOME_EXE": "true"}
        command = ["ansible-playbook", f"aurora.runbook.{playbook}", "-i", str(inventory), *arguments]
        done = subprocess.run(
            [*command, "-e", "aurora_report_directory=reports"],
            env={**os.environ, **settings, "ANSIBLE_NOCOLOR": "1"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        print(done.stdout, done.stderr)
        assert own_warnings(done.stderr) == []
        files = {path.name: path for path in sorted(folder.iterdir())} if folder.exists() else {}
        return done.returncode, done.stdout + done.stderr, files

    return run
