# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Alertmanager keeps quiet about the alert of an incident on its hosts, and about nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.aurora.runbook.plugins.modules import alertmanager_silence
from helpers import HOST as AURORA
from helpers import finish_module, lab, module, playbook, start

KEY = "circuit_breaker-20261124T180000Z-0123abcd"
ALERT, HOST, OTHER = "SilenceTest", "silence-a.example.com", "silence-b.example.com"
ADDRESS = lab.state()["hosts"]["monitor1"]["address"]
OPTIONS = {"url": f"http://{ADDRESS}:9093", "key": KEY, "alert": ALERT, "hosts": [HOST], "ends_seconds": 600.0}
DEFAULTS = {
    **dict.fromkeys(("username", "password", "token")),
    "state": "present",
    "comment": "worked on",
    "created_by": "aurora.runbook",
    "timeout_seconds": 10.0,
}


def amtool(*arguments: str) -> str:
    return lab.inside("monitor1", "amtool", "--alertmanager.url=http://localhost:9093", *arguments)


@pytest.fixture(autouse=True)
def firing() -> Iterator[None]:
    """The alert fires on two hosts, each with two ports; afterwards nothing of it is silenced."""
    for host in (HOST, OTHER):
        for port in (9000, 8001):
            amtool("alert", "add", ALERT, f"instance={host}:{port}")
    yield
    for name in standing():
        amtool("silence", "expire", name)


def silence(check_mode: bool = False, **options) -> dict:
    return alertmanager_silence.run({**DEFAULTS, **OPTIONS, **options}, check_mode)


def silenced() -> set[str]:
    """Instances whose alert Alertmanager keeps quiet about."""
    alerts = json.loads(lab.get(ADDRESS, 9093, f"/api/v2/alerts?filter=alertname={ALERT}"))
    assert len(alerts) == 4
    return {alert["labels"]["instance"] for alert in alerts if alert["status"]["silencedBy"]}


def standing() -> dict[str, str]:
    """Silences that have not ended: who made each."""
    known = json.loads(lab.get(ADDRESS, 9093, f"/api/v2/silences?filter=alertname={ALERT}"))
    return {one["id"]: one["createdBy"] for one in known if one["status"]["state"] != "expired"}


def ports(*hosts: str) -> set[str]:
    return {f"{host}:{port}" for host in hosts for port in (9000, 8001)}


def test_an_incident_is_silenced_on_its_hosts_and_renewed_and_ended():
    would = silence(check_mode=True)
    assert (would["changed"], would["silence"], standing()) == (True, "", {})

    made = silence()
    assert made["changed"]
    assert silenced() == ports(HOST) == set(made["instances"])
    assert standing() == {made["silence"]: "aurora.runbook"}
    assert would["diff"]["after"].splitlines()[:2] == made["diff"]["after"].splitlines()[:2]

    again = silence()
    assert (again["changed"], again["silence"], again["until"]) == (False, made["silence"], made["until"])

    renewed = silence(ends_seconds=7200.0)
    assert renewed["changed"]
    assert renewed["until"] > made["until"]
    assert standing() == {made["silence"]: "aurora.runbook"}, "renewed by a second one"

    joined = silence(ends_seconds=7200.0, hosts=[HOST, OTHER])
    assert silenced() == ports(HOST, OTHER)
    assert standing() == {joined["silence"]: "aurora.runbook"}

    ended = silence(state="absent")
    assert (ended["changed"], ended["ended"]) == (True, [joined["silence"]])
    assert (silenced(), standing()) == (set(), {})
    assert silence(state="absent")["changed"] is False


MEANT = [
    "SILENCE-A.example.com:9000",
    "silence-a.example.com.:9000",
    "silence-a",
    "https://silence-a.example.com:9000/metrics",
    "2001:db8::5",
    "[2001:DB8:0::5]:9000",
    "[2001:0db8:0:0:0:0:0:5]:8001",
    "[fe80::4%ens3]:9000",
    "10.0.0.5:9000",
]
NOT_MEANT = [
    "silence-a.example.org:9000",
    "silence-aa.example.com",
    "xsilence-a.example.com",
    "silence-axexample.com",
    "https://silence-b.example.com/silence-a.example.com",
    "[2001:db8::50]:9000",
    "2001:db8::5:9000",
    "[fe80::4%ens4]:9000",
    "10.0.0.55:9000",
    "100.0.5:9000",
]


def test_a_host_is_silenced_however_its_label_writes_it_and_no_other_is():
    """RE2 and the parser of Alertmanager's filters are the oracle for what our expression and query mean."""
    name = "SilenceNames"
    for instance in [*MEANT, *NOT_MEANT]:
        amtool("alert", "add", name, f'instance="{instance}"')
    hosts = [HOST, "silence-a", "2001:db8::5", "fe80::4%ens3", "10.0.0.5"]
    made = silence(alert=name, hosts=hosts)
    assert (made["matched"], made["instances"]) == (len(MEANT), sorted(MEANT))
    alerts = json.loads(lab.get(ADDRESS, 9093, f"/api/v2/alerts?filter=alertname={name}"))
    quiet = {alert["labels"]["instance"] for alert in alerts if alert["status"]["silencedBy"]}
    assert (quiet, len(alerts)) == (set(MEANT), len(MEANT) + len(NOT_MEANT))
    silence(state="absent")


def test_a_silence_that_matches_no_alert_claims_nothing():
    made = silence(hosts=["silence-c.example.com"])
    assert (made["matched"], made["instances"], made["done"][0]["message"]) == (0, [], "silence_matches_none")
    assert silenced() == set()
    silence(state="absent")


def test_silences_of_others_outlive_ours():
    amtool("silence", "add", "--author=olena", "--comment=maintenance", f"alertname={ALERT}", f"instance={OTHER}:1")
    (human,) = standing()
    neighbour = silence(key=f"{KEY}0", hosts=[OTHER])
    silence()
    silence(state="absent")
    assert standing() == {human: "olena", neighbour["silence"]: "aurora.runbook"}


def test_two_controllers_at_once_leave_one_silence():
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _number: silence(), range(4)))
    kept = silence()
    assert standing() == {kept["silence"]: "aurora.runbook"}
    assert silenced() == ports(HOST)


def test_as_ansible_runs_it_on_the_controller():
    argv = [
        "ansible",
        "localhost",
        "-i",
        "localhost,",
        "-c",
        "local",
        "-e",
        f"ansible_python_interpreter={sys.executable}",
    ]
    run = [*argv, "-m", "aurora.runbook.alertmanager_silence", "-a", json.dumps(OPTIONS)]
    result = finish_module(start(run))
    assert (result["failed"], result["changed"]) == (False, True), result
    assert result["done"][0]["text"] == f"{ALERT} of {HOST} is silenced until {result['until']}"
    assert silenced() == ports(HOST)


def test_a_remediation_keeps_its_alert_quiet_while_it_works_and_no_longer(broken):
    """Otherwise the alert sounds for hours, or starts the next run while this one works."""
    broken("breaker_spreads", [AURORA])
    quick = f"aurora_alertmanager_url={OPTIONS['url']} aurora_healthy_seconds=1 aurora_enough_seconds=0"
    run = playbook("remediate_circuit_breaker", "--limit", AURORA, "-e", quick)
    assert (run.status, run.verdicts) == (0, {AURORA: "recovered"})
    (incident,) = module(AURORA, "incident_info", {"days": 1, "entries": True})["incidents"]
    (quiet,) = (entry["data"] for entry in incident["entries"] if entry["what"] == "silenced")
    known = json.loads(lab.get(ADDRESS, 9093, "/api/v2/silences"))
    (made,) = (one for one in known if one["id"] == quiet["silence"])
    assert made["status"]["state"] == "expired"
    assert {matcher["name"]: matcher["value"] for matcher in made["matchers"]}["alertname"] == "CircuitBreakerOpen"
