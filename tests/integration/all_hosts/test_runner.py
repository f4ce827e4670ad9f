# SPDX-License-Identifier: GPL-3.0-or-later
"""The job templates of AWX, run as AWX does: ansible-runner, a project of its own, the collection from its tarball.

If these break, what works from a terminal does not work as a job.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from helpers import CHECKOUT, HOST, HOSTS, LIMIT, NORMAL, knobs, lab

sys.path.insert(0, str(CHECKOUT / "tests"))

import as_awx  # the path above is what makes it importable

SET = {"aurora_awx_scm_url": "https://git.example.com/r.git", "aurora_awx_image": "registry.example.com/r:1"}


@dataclass(frozen=True)
class Job:
    """A finished job. ``handed_on`` is what AWX gives to the next node of a workflow."""

    status: int
    output: str
    handed_on: dict


@dataclass(frozen=True)
class Awx:
    """What AWX has before a job: templates by the end of their names, the project, and what its update installed."""

    templates: dict[str, dict]
    project: Path
    collections: Path
    jobs: Path

    def launch(self, name: str, host: str, **answers: object) -> Job:
        """Run a template on a host, with the answers of a survey or of a workflow's node."""
        template, folder = self.templates[name], self.jobs / f"{len(list(self.jobs.iterdir()))}-{host}"
        for part in ("env", "inventory"):
            (folder / part).mkdir(parents=True)
        shutil.copytree(self.project, folder / "project")
        (folder / "requirements_collections").symlink_to(self.collections)
        variables = {**template["extra_vars"], **answers, "awx_job_id": 1}
        (folder / "env" / "extravars").write_text(as_awx.extra_variables(variables), encoding="utf-8")
        write_inventory(folder / "inventory" / "hosts")
        argv = ["ansible-runner", "run", str(folder), "-p", template["playbook"], "--limit", host, "-i", "job"]
        done = run(argv, folder / "requirements_collections")
        print(f"== {name}", done.stdout, done.stderr)
        events = map(json.loads, map(Path.read_bytes, (folder / "artifacts" / "job" / "job_events").glob("*.json")))
        stats = next((event["event_data"] for event in events if event["event"] == "playbook_on_stats"), {})
        return Job(done.returncode, done.stdout, stats.get("artifact_data") or {})

    def answers(self, name: str) -> dict:
        """What a person sends who changes nothing in the form."""
        asked = (self.templates[name].get("survey_spec") or {}).get("spec", [])
        return {question["variable"]: question.get("default", "") for question in asked}


def run(argv: list[str], collections: Path) -> subprocess.CompletedProcess:
    """Run a command that finds collections in one place alone."""
    only = {"ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}
    others = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    return subprocess.run(
        argv, env={**others, **only, "ANSIBLE_NOCOLOR": "1"}, cwd=collections.parent, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip


def write_inventory(path: Path) -> None:
    """The lab as an executable that prints it, which is how AWX hands an inventory over."""
    listed = subprocess.run([CHECKOUT / "inventory" / "lab" / "hosts.py"], check=True, capture_output=True).stdout
    inventory = json.loads(listed)
    inventory["all"] = {"vars": yaml.safe_load((CHECKOUT / "inventory/lab/group_vars/all.yml").read_text("utf-8"))}
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(inventory)}\nEND\n", encoding="utf-8")
    path.chmod(0o700)


@pytest.fixture(scope="module")
def awx(tmp_path_factory: pytest.TempPathFactory) -> Awx:
    folder = tmp_path_factory.mktemp("awx")
    definitions = {**SET, "written": str(folder / "definitions.json")}
    collections = folder / "collections"
    run(["ansible-galaxy", "collection", "build", str(CHECKOUT), "--output-path", str(folder)], collections)
    tarball = str(next(folder.glob("*.tar.gz")))
    run(["ansible-galaxy", "collection", "install", "--offline", "-p", str(collections), tarball], collections)
    play = str(CHECKOUT / "tests" / "awx" / "definitions.yml")
    print(run(["ansible-playbook", play, "-e", json.dumps(definitions)], collections).stdout)
    defined = json.loads((folder / "definitions.json").read_text(encoding="utf-8"))["controller_templates"]
    templates = {one["name"].removeprefix("aurora.runbook."): {"extra_vars": {}, **one} for one in defined}
    (folder / "jobs").mkdir()
    return Awx(templates, CHECKOUT / "docs" / "awx" / "project", collections, folder / "jobs")


def alert(host: str) -> dict:
    labels = {"alertname": "CircuitBreakerOpen", "instance": f"{host}:9000"}
    return {"aurora_alert": {"status": "firing", "labels": labels, "fingerprint": "6fa8d1d2e1fa52c2"}}


def test_every_template_runs_on_a_healthy_host_with_the_answers_of_its_survey(awx: Awx) -> None:
    # Nothing waits for approval, and there is no incident to tell of.
    expected = {**dict.fromkeys(awx.templates, 0), "propose": 2, "postmortem": 2}
    extra = {"propose": {"aurora_incident": "circuit_breaker"}}

    def work(number: int) -> dict[str, int]:
        host = HOSTS[number]
        given = {"remediate": alert(host), **extra}
        found = {}
        for name in sorted(awx.templates)[number :: len(HOSTS)]:
            limit = "monitor1" if name == "alerting" else host
            found[name] = awx.launch(name, limit, **awx.answers(name), **given.get(name, {})).status
        return found

    with ThreadPoolExecutor(len(HOSTS)) as pool:
        found = {name: status for done in pool.map(work, range(len(HOSTS))) for name, status in done.items()}
    assert found == expected
    assert all(knobs(host) == NORMAL for host in HOSTS)


def test_a_job_hands_on_its_verdict_and_incident_and_the_next_ones_go_on_from_there(
    awx: Awx, broken: Callable, tmp_path: Path
) -> None:
    broken("breaker_spreads", [HOST])
    job = awx.launch("remediate", HOST, **alert(HOST))
    assert (job.status, job.handed_on["aurora_outcome"]) == (0, {HOST: "recovered"})
    assert knobs(HOST)["KELLY_MULTIPLIER"] == "0.5"
    told = awx.launch("postmortem", HOST, **{**job.handed_on, "aurora_report_directory": str(tmp_path)})
    assert told.status == 0
    assert (tmp_path / f"{job.handed_on['aurora_incident_id']}.html").is_file()
    lab.mend([HOST])
    assert awx.launch("revert", HOST, **awx.answers("revert")).status == 0
    assert knobs(HOST) == NORMAL


def test_a_step_that_raises_exposure_waits_for_the_approval_of_its_workflow(awx: Awx, broken: Callable) -> None:
    broken("breaker_spreads_wide", [HOST])
    first = awx.launch("remediate_circuit_breaker", HOST, **awx.answers("remediate_circuit_breaker"))
    assert (first.status, first.handed_on["aurora_outcome"]) == (2, {HOST: "approval_needed"})
    asked = {**first.handed_on, "aurora_incident": "circuit_breaker", "aurora_approvable": ["spread_threshold"]}
    waits = awx.launch("propose", HOST, **asked)
    assert (waits.status, waits.handed_on["aurora_waiting"]) == (0, {HOST: ["spread_threshold"]})
    approved = "remediate_circuit_breaker, spread_threshold approved"
    last = awx.launch(approved, HOST, **{**first.handed_on, **waits.handed_on})
    assert (last.status, last.handed_on["aurora_outcome"]) == (0, {HOST: "recovered"})
    assert knobs(HOST)["SPREAD_THRESHOLD"] == "2.0"
    assert awx.launch("propose", HOST, **asked).status == 2  # nothing waits any more
