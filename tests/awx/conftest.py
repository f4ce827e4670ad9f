# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import stand_in

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = CHECKOUT / "docs" / "awx" / "project"
SET = {
    "aurora_awx_scm_url": "https://git.example.com/runbook.git",
    "aurora_awx_image": "registry.example.com/aurora-runbook:2026-11-30",
    "aurora_awx_slack_url": "slack://secret",
    "aurora_awx_notification_type": "slack",
    "aurora_awx_notification_configuration": {"token": "secret", "channels": ["#aurora-incidents"]},
}


def ansible_playbook(playbook, variables, *more, **environment):
    """Run a playbook on this machine; its exit status and all it said."""
    done = subprocess.run(
        ["ansible-playbook", playbook, "-e", json.dumps(variables), *more],
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "false", **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    print(done.stdout, done.stderr)
    return done.returncode, done.stdout + done.stderr


def set_up(url, *more, token=stand_in.TOKEN):
    return ansible_playbook("aurora.runbook.awx", SET, *more, CONTROLLER_HOST=url, CONTROLLER_OAUTH_TOKEN=token)


@pytest.fixture(scope="session")
def set_up_twice():
    """AWX after two runs, and for each run its status, what it said and what it asked AWX to change."""
    awx, runs = stand_in.Awx([path.name for path in PROJECT.glob("*.yml")]), []
    with stand_in.serving(awx) as url:
        for _run in range(2):
            awx.changes = []
            runs.append((*set_up(url), awx.changes))
    awx.changes = []
    return awx, runs


@pytest.fixture(scope="session")
def definitions(tmp_path_factory):
    """The variables controller_… of the role."""
    written = tmp_path_factory.mktemp("definitions") / "controller.json"
    play = Path(__file__).with_name("definitions.yml")
    status, said = ansible_playbook(str(play), {**SET, "written": str(written)})
    assert status == 0, said
    return json.loads(written.read_text(encoding="utf-8"))
