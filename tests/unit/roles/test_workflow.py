# SPDX-License-Identifier: GPL-3.0-or-later
"""What nodes of an AWX workflow take from people and hand to each other.

If these break, an answer that AWX sends is not what the person meant, an approval is asked for that nothing waits for,
or what a host wrote rides into the next job. The real playbooks and roles run; stand-ins answer for the modules.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_ladders import KELLY, SPREAD, look

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import as_awx  # the path above is what makes it importable

STAND_INS = Path(__file__).resolve().parent / "stand_ins"
ID = "circuit_breaker-20261124T180000Z-1a2b3c4d"


def play(playbook, hosts, collection, folder, answers=None, more=()):
    """Run a playbook as AWX does; its exit status, all it said, and what it hands on."""
    local = {name: {**host, "ansible_connection": "local"} for name, host in hosts.items()}
    (folder / "inventory.json").write_text(json.dumps({"aurora": {"hosts": local}}), encoding="utf-8")
    (folder / "extravars.yml").write_text(as_awx.extra_variables(answers or {}), encoding="utf-8")
    (folder / "calls").mkdir()
    settings = {
        "CALLS": str(folder / "calls"),
        "ANSIBLE_COLLECTIONS_PATH": str(collection),
        "ANSIBLE_SHOW_CUSTOM_STATS": "1",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_BECOME_EXE": "true",
    }
    done = subprocess.run(
        ["ansible-playbook", f"aurora.runbook.{playbook}", "-i", "inventory.json", "-e", "@extravars.yml", *more],
        cwd=folder,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    print(done.stdout, done.stderr)
    handed = done.stdout.partition("RUN: ")[2]
    return done.returncode, done.stdout, json.loads(handed) if handed else {}


def breached(says):
    return {"look": look("circuit_breaker", "wide_spreads"), "says": {KELLY: "not_recovered", **says}}


@pytest.mark.parametrize("approved", ["spread_threshold", ["spread_threshold"], "p_threshold\nspread_threshold\n"])
def test_an_approval_is_taken_in_every_form_that_awx_sends_it(approved, collection, tmp_path):
    hosts = {"a0": breached({SPREAD: "approval_needed"})}
    status, _said, handed = play("remediate_circuit_breaker", hosts, collection, tmp_path, {"aurora_approve": approved})
    assert (status, handed["aurora_outcome"]) == (0, {"a0": "recovered"})


def test_an_approval_is_for_the_hosts_that_waited_when_it_was_asked_for(collection, tmp_path):
    hosts = {"a0": breached({SPREAD: "approval_needed"}), "a1": breached({SPREAD: "approval_needed"})}
    node = {"aurora_approve": ["spread_threshold"], "aurora_waiting": {"a0": ["spread_threshold"]}}
    status, _said, handed = play("remediate_circuit_breaker", hosts, collection, tmp_path, node)
    assert (status, handed["aurora_outcome"]) == (2, {"a0": "recovered", "a1": "approval_needed"})


@pytest.mark.parametrize("job", ["awx_job_id", "tower_job_id"])
@pytest.mark.parametrize(
    ("playbook", "more"),
    [
        ("remediate_circuit_breaker", {}),
        ("remediate_circuit_breaker", {"aurora_waiting": {"a1": ["spread_threshold"]}}),
        ("remediate_circuit_breaker", {"aurora_waiting": {"a0": ["p_threshold"]}}),
        ("remediate", {"aurora_waiting": {"a0": ["spread_threshold"]}}),
        ("remediate", {"incident_approved": ["spread_threshold"]}),
    ],
    ids=[
        "no workflow before it",
        "another host waited",
        "another knob waited",
        "beside an alert",
        "by a launch",
    ],
)
def test_on_awx_no_other_way_than_the_approval_node_carries_an_approval(playbook, more, job, collection, tmp_path):
    hosts = {"a0": breached({SPREAD: "approval_needed"})}
    alert = {"labels": {"alertname": "CircuitBreakerOpen", "instance": "a0"}, "status": "firing"}
    given = {
        "aurora_approve": ["spread_threshold"],
        job: 7,
        **({"aurora_alert": alert} if playbook == "remediate" else {}),
    }
    status, said, handed = play(playbook, hosts, collection, tmp_path, {**given, **more})
    assert (status, handed["aurora_outcome"]) == (2, {"a0": "approval_needed"})
    assert "launch the workflow aurora.runbook.circuit_breaker with limit a0" in said


def test_on_awx_the_approval_node_carries_one(collection, tmp_path):
    hosts = {"a0": breached({SPREAD: "approval_needed"})}
    node = {"aurora_approve": ["spread_threshold"], "aurora_waiting": {"a0": ["spread_threshold"]}, "awx_job_id": 7}
    status, _said, handed = play("remediate_circuit_breaker", hosts, collection, tmp_path, node)
    assert (status, handed["aurora_outcome"]) == (0, {"a0": "recovered"})


def test_what_the_inventory_approves_is_nothing_to_a_template(collection, tmp_path):
    """A template's own extra variables come before the inventory's."""
    hosts = {"a0": {**breached({SPREAD: "approval_needed"}), "aurora_approve": "spread_threshold"}}
    status, _said, handed = play("remediate_circuit_breaker", hosts, collection, tmp_path, {"aurora_approve": []})
    assert (status, handed["aurora_outcome"]) == (2, {"a0": "approval_needed"})


def test_answers_that_nobody_gave_are_the_defaults_and_approve_nothing(collection, tmp_path):
    empty = dict.fromkeys(
        ("approve", "language", "force", "timeout_seconds", "min_healthy", "kelly_multiplier", "decisions_per_minute"),
        "",
    )
    answers = {f"aurora_{name}": value for name, value in empty.items()}
    hosts = {"a0": breached({SPREAD: "approval_needed"})}
    status, said, handed = play("remediate_circuit_breaker", hosts, collection, tmp_path, answers)
    assert (status, handed["aurora_outcome"]) == (2, {"a0": "approval_needed"})
    assert KELLY in said
    assert "watched for up to 600 s" in said


def test_numbers_reach_the_ladder_as_numbers_and_as_text(collection, tmp_path):
    answers = {"aurora_kelly_multiplier": 0.25, "aurora_timeout_seconds": "90"}
    hosts = {"a0": breached({"KELLY_MULTIPLIER=0.25": "recovered"})}
    status, said, _handed = play("remediate_circuit_breaker", hosts, collection, tmp_path, answers)
    assert status == 0
    assert "KELLY_MULTIPLIER=0.25, watched for up to 90 s" in said


def test_an_alert_that_awx_passes_on_is_remediated_and_nothing_in_it_is_a_template(collection, tmp_path):
    labels = {"alertname": "CircuitBreakerOpen", "instance": "a0:9000", "summary": "{{ lookup('pipe', 'touch ran') }}"}
    hosts = {"a0": breached({KELLY: "recovered"}), "a1": breached({})}
    answers = {"aurora_alert": {"labels": labels, "status": "firing"}}
    status, _said, handed = play("remediate", hosts, collection, tmp_path, answers)
    assert (status, handed["aurora_outcome"]) == (0, {"a0": "recovered"})
    assert handed["aurora_incident_id"].startswith("circuit_breaker-")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("labels", "called"),
    [
        ({"instance": "aurora-a.EXAMPLE.com.:9000"}, "instance aurora-a.example.com,10.0.0.5,aurora-a"),
        ({"instance": "https://10.0.0.5:9000/metrics"}, "instance 10.0.0.5,aurora-a.example.com,aurora-a"),
        ({"instance": "aurora-a.example.net"}, None),
        (
            {"instance": "proxy:9090", "exported_instance": "aurora-a:9000"},
            "exported_instance aurora-a,aurora-a.example.com,10.0.0.5",
        ),
    ],
)
def test_silence_and_promql_call_the_host_of_an_alert_as_the_alert_does(labels, called, collection, tmp_path):
    local = {"ansible_connection": "local"}  # as play() gives it, but for the address
    hosts = {"AURORA-A.example.com": {"ansible_host": "10.0.0.5", **breached({KELLY: "recovered"})}, "b": local}
    alert = {
        "labels": {"alertname": "CircuitBreakerOpen", **labels},
        "status": "firing",
        "startsAt": "0001-01-01T00:00:00Z",
    }
    where = {"aurora_alertmanager_url": "http://localhost:9", "aurora_prometheus_url": "http://localhost:9"}
    status, said, _handed = play("remediate", hosts, collection, tmp_path, {"aurora_alert": alert, **where})
    if called is None:
        assert (status, "is not a host of this inventory" in said) == (2, True)
        return
    assert status == 0
    asked = {name: (tmp_path / "calls" / name).read_text().splitlines() for name in ("silences", "instances")}
    assert set(asked["instances"]) == {called}
    assert set(asked["silences"]) - {"None "} == {called}
    assert "Alertmanager did not say" in said, "the report claims a silence that nobody knows of"


LABELS = {"alertname": "CircuitBreakerOpen", "instance": "a1"}
OLDER = {"id": "circuit_breaker-20261101T000000Z-00000000", "incident": "circuit_breaker"}


@pytest.mark.parametrize(
    ("asked", "limit", "looked", "peers"),
    [
        ({"aurora_min_healthy": 1}, (), {"a0", "a1", "a2", "a3"}, "1"),
        ({"aurora_min_healthy": "1"}, ("--limit", "a1,a2"), {"a1", "a2"}, "0"),
        ({"aurora_min_healthy": 0}, (), {"a1"}, "0"),
        ({}, (), {"a1"}, "0"),
    ],
)
def test_peers_of_the_host_of_an_alert_are_counted_and_neither_repaired_nor_reported(
    asked, limit, looked, peers, collection, tmp_path
):
    """Else aurora_min_healthy refuses each restart that an alert asks for, or hosts it is not about are repaired."""
    hosts = {
        "a0": {"look": look("", "unknown"), "says": {}},
        "a1": breached({KELLY: "recovered"}),
        "a2": {"look": {**look("circuit_breaker", "wide_spreads"), "incidents": [OLDER]}, "says": {}},
        "a3": {"look": "{{ this_host_cannot_be_looked_at }}"},
    }
    answers = {"aurora_alert": {"labels": LABELS, "status": "firing"}, **asked}
    status, said, handed = play("remediate", hosts, collection, tmp_path, answers, limit)
    calls = {path.name: path.read_text(encoding="ascii").split() for path in (tmp_path / "calls").iterdir()}
    assert set(calls["looked"]) == looked
    assert calls["healthy_peers"] == ["a1", peers]
    assert not calls.keys() & {"a0", "a2", "a3"}
    assert (status, handed["aurora_outcome"]) == (0, {"a1": "recovered"})
    assert handed["aurora_incident_id"] != OLDER["id"]
    report = said.partition("Say what was wrong, what was done and what is left")[2].partition("PLAY RECAP")[0]
    assert "a1: " in report
    assert not [name for name in ("a0", "a2", "a3") if f"{name}: " in report]


def waiting(verdict="approval_needed", knobs="spread_threshold", opened=True, incident="circuit_breaker"):
    refused = {"guard": "approval", "sentence": {"message": "needs_approval", "values": {"knobs": knobs}}}
    entries = [
        {"seq": 1, "run": "r1", "what": "refused", "data": refused},
        {"seq": 2, "run": "r1", "what": "verdict", "data": {"verdict": verdict}},
    ]
    found = {"id": ID, "incident": incident, "open": opened, "verdict": verdict, "entries": entries}
    return {"answer": {"incidents": [found], "leases": []}}


@pytest.fixture(scope="module")
def records(collection):
    """The same, with hosts whose records say what their ``answer`` says."""
    action = collection / "ansible_collections" / "aurora" / "runbook" / "plugins" / "action" / "incident_info.py"
    action.unlink()
    action.symlink_to(STAND_INS / "incident_info.py")
    return collection


def test_a_person_is_asked_where_a_step_waits_and_told_on_which_hosts(records, tmp_path):
    hosts = {
        "a0": {"answer": {"problem": "no route"}},
        "a1": waiting("recovered"),
        "a2": waiting(),
        "a3": waiting(knobs="{{ 7 * 7 }},spread_threshold,password"),
    }
    ask = {"aurora_incident": "circuit_breaker", "aurora_approvable": ["spread_threshold"]}
    status, _said, handed = play("propose", hosts, records, tmp_path, ask)
    assert handed == {"aurora_waiting": {"a2": ["spread_threshold"], "a3": ["spread_threshold"]}}
    assert status == 0


@pytest.mark.parametrize(
    "host",
    [waiting("escalated"), waiting(opened=False), waiting(knobs="p_threshold"), waiting(incident="policy_deny_rate")],
    ids=["nothing waits", "the incident is closed", "another knob waits", "another incident waits"],
)
def test_nobody_is_asked_where_nothing_of_this_workflow_waits(host, records, tmp_path):
    ask = {"aurora_incident": "circuit_breaker", "aurora_approvable": ["spread_threshold"]}
    status, said, handed = play("propose", {"a0": host}, records, tmp_path, ask)
    assert (status, handed) == (2, {"aurora_waiting": {}})
    assert "no step of circuit_breaker waits" in said
