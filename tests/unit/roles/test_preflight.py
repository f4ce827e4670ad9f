# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a preflight tries something else than what a ladder does at night, or ends as ready without knowing.

The real playbook and role run; stand-ins answer for the modules, with nothing that a preflight could judge.
"""

from __future__ import annotations

import json
import os
import re
import subprocess

import yaml
from conftest import CHECKOUT
from test_ladders import look

ROLES = CHECKOUT / "roles"
SUDO = "sudo_of_anybody"  # lets whoever runs this pass for root
KNOBS = yaml.safe_load((ROLES / "preflight/vars/main.yml").read_text(encoding="utf-8"))["__preflight_knobs"]


def turned_by_ladders():
    """Each knob that a ladder turns, with the variable of its value."""
    for path in ROLES.glob("*/tasks/*.yml"):
        for name, value in re.findall(
            r'^\s+([A-Z_]+): "(\{\{ \w+ \}\})"$', path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            yield path.parents[1].name, name, value


def test_every_knob_of_every_ladder_is_tried_with_its_own_value():
    assert sorted((one["incident"], one["name"], one["value"]) for one in KNOBS) == sorted(turned_by_ladders())


def play(hosts, collection, folder, *more):
    local = {name: {"ansible_connection": "local", **host} for name, host in hosts.items()}
    (folder / "inventory.json").write_text(json.dumps({"aurora": {"hosts": local}}), encoding="utf-8")
    (folder / "calls").mkdir()
    for name, script in ((SUDO, 'until [ "$1" = /bin/sh ]; do shift; done; exec "$@"'), ("id", "echo 0")):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
        (folder / name).chmod(0o755)
    settings = {
        "ANSIBLE_BECOME_EXE": str(folder / SUDO),
        "PATH": f"{folder}:{os.environ['PATH']}",
        "CALLS": str(folder / "calls"),
        "ANSIBLE_COLLECTIONS_PATH": str(collection),
        "ANSIBLE_SHOW_CUSTOM_STATS": "1",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        "ANSIBLE_NOCOLOR": "1",
    }
    done = subprocess.run(
        ["ansible-playbook", "aurora.runbook.preflight", "-i", "inventory.json", *more],
        cwd=folder,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    print(done.stdout, done.stderr)
    return done, json.loads(done.stdout.partition("RUN: ")[2])


def test_it_asks_every_module_that_acts_and_what_nobody_answers_is_not_ready(collection, tmp_path):
    host = {"look": look("circuit_breaker", "wide_spreads"), "says": {}, "leases": []}
    lost = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    reports = tmp_path / "new" / "reports"
    told = "-e", f"aurora_report_directory={reports}"
    done, handed = play({"a0": lost, "a1": host}, collection, tmp_path, *told)
    assert done.returncode != 0
    assert handed["aurora_ready"] is False
    written = json.loads((reports / "preflight.json").read_text(encoding="utf-8"))
    assert (written["ready"], len(written["checks"])) == (False, len(handed["aurora_checks"]))
    states = {(one["host"], one["what"]): one["state"] for one in handed["aurora_checks"] if one["host"]}
    assert states["a0", "connection"] == "not_ready"
    assert (states["a1", "connection"], states["a1", "systemd"]) == ("ready", "unchecked")
    tried = (tmp_path / "calls" / "a1").read_text(encoding="ascii").splitlines()
    assert {f"{one['name']}=" for one in KNOBS} == {line.partition("=")[0] + "=" for line in tried if "=" in line} - {
        "cpu_quota="
    }
    assert {line.partition(":")[0] for line in tried if "=" not in line} >= {
        "log_rotation", "preflight_info", "recalibration", "service_restart", "tcp_tuning",
    }  # fmt: skip
    asked = (tmp_path / "calls" / "a0").read_text(encoding="ascii").split()
    assert asked == ["preflight_around"]  # once for all hosts, by the controller
    assert "program" not in tried


def test_the_program_is_put_there_where_that_is_asked_for(collection, tmp_path):
    host = {"look": {}, "says": {}, "leases": []}
    play({"a0": host}, collection, tmp_path, "-e", "aurora_prepare=true")
    assert (tmp_path / "calls" / "a0").read_text(encoding="ascii").splitlines()[0] == "program"
