# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules as the role installs them, and real promtool, for tests of what they say."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from helpers import CHECKOUT, lab, shell

MONITOR = "monitor1"


def rendered(folder: Path, **variables: object) -> bytes:
    """The rules for these variables of the role."""
    template = {
        "src": str(CHECKOUT / "roles" / "alerting" / "templates" / "aurora.rules.yml.j2"),
        "dest": str(folder / "aurora.rules.yml"),
        "variable_start_string": "<<",
        "variable_end_string": ">>",
    }
    defaults = f"@{CHECKOUT / 'roles' / 'alerting' / 'defaults' / 'main.yml'}"
    argv = ["ansible", "localhost", "-m", "ansible.builtin.template", "-a", json.dumps(template), "-e", defaults]
    subprocess.run([*argv, "-e", json.dumps(variables)], check=True, capture_output=True)
    return (folder / "aurora.rules.yml").read_bytes()


def promtool(rules: bytes, tests: bytes) -> None:
    """Have promtool run tests on rules: this machine's where it has one, else the monitor's."""
    files = {"aurora.rules.yml": rules, "test.yml": tests}
    if shutil.which("promtool"):
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                Path(folder, name).write_bytes(content)
            argv = ["promtool", "test", "rules", "test.yml"]
            done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return
    folder = shell(MONITOR, "mktemp -d")
    for name, content in files.items():
        lab.inside(MONITOR, "tee", f"{folder}/{name}", input=content)
    assert "SUCCESS" in lab.inside(MONITOR, "promtool", "test", "rules", f"{folder}/test.yml")
