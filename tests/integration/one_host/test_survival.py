# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever breaks in the middle of a run, the next one converges, the record is whole and the service runs."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record
from helpers import (
    DROP_INS,
    HOST,
    LIMIT,
    NORMAL,
    OURS,
    RUNNER,
    STATE,
    Run,
    configuration,
    finish,
    kill_controller,
    knobs,
    lab,
    lease,
    module,
    playbook,
    reboot,
    shell,
    show,
    start_playbook,
    wait_until,
)

REDUCED = {**NORMAL, "KELLY_MULTIPLIER": "0.5"}
LOOSE = "aurora_cooldown_seconds=0 aurora_max_ineffective=9"  # guards do not stand between one fault and the next
QUICK = ("-e", f"aurora_healthy_seconds=1 aurora_hold_seconds=1 {LOOSE}")
pytestmark = pytest.mark.long
HEALTHY = {"health_url": "http://localhost:9000/metrics", "start_seconds": 15, "hold_seconds": 0}
UNIT = f"/etc/systemd/system/{RUNNER}"
DAY = 86400


@pytest.fixture(scope="module", autouse=True)
def spreads() -> Iterator[None]:
    """The exchange's spreads keep the breaker open until the order size is smaller."""
    lab.break_("breaker_spreads", [HOST])
    yield
    lab.mend([HOST])


@pytest.fixture(autouse=True)
def open_breaker(spreads: None) -> None:
    await_open_breaker()


def await_open_breaker() -> None:
    lab.wait_for_breakers(lab.aurora_hosts([HOST]), is_open=True)


def remediate(*arguments: str) -> Run:
    return playbook("remediate_circuit_breaker", *QUICK, *arguments)


@contextmanager
def begun(sign: Callable[[], object], *arguments: str) -> Iterator:
    """A run that has come to where its sign shows on the host."""
    process = start_playbook("remediate_circuit_breaker", *QUICK, *arguments)
    try:
        wait_until(sign, LIMIT)
        yield process
    finally:
        kill_controller(process)


def at_work(name: str) -> bool:
    """Is a module of ours on the host? It unpacks itself there while it runs."""
    return bool(shell(HOST, f"ls -d /tmp/ansible_aurora.runbook.{name}_payload_* 2>/dev/null || true"))


def lines() -> dict[str, str]:
    """The records on the host by their ids."""
    text = shell(HOST, f"cd {STATE}/incidents 2>/dev/null && grep -H '' *.jsonl || true")
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, _colon, entry = line.partition(".jsonl:")
        found[name] = found.get(name, "") + f"{entry}\n"
    return found


def recorded(what: str) -> bool:
    return any(f'"what":"{what}"' in text for text in lines().values())


def claim_ends() -> None:
    """The two minutes that a dead run's claim holds are over."""
    claim = json.loads(shell(HOST, f"cat {STATE}/claim.json"))
    lab.inside(HOST, "tee", f"{STATE}/claim.json", input=json.dumps({**claim, "until": 0.0}).encode())


def survived(run: Run, verdict: str, before: dict[str, str]) -> None:
    """The run converged, the service runs with the smaller size, and the record has everything from before and more."""
    assert (run.status, run.verdicts) == (0, {HOST: verdict})
    assert knobs(HOST) == REDUCED
    assert (lease(HOST)["phase"], lease(HOST)["written"]) == ("active", {"KELLY_MULTIPLIER": "0.5"})
    after = lines()
    assert {name: after[name][: len(text)] for name, text in before.items()} == before
    incidents = module(HOST, "incident_info", {"days": 2, "entries": True})["incidents"]
    assert incidents
    for incident in incidents:
        assert (incident["chain"]["whole"], incident["torn"], incident["unfinished"]) == (True, False, []), incident
        assert not incident["open"], incident
        entries = incident["entries"]
        intents = [entry["seq"] for entry in entries if entry["what"] == "intent"]
        assert sorted(entry["data"]["intent"] for entry in entries if entry["what"] == "result") == intents


# The controller


def test_killed_while_it_looks():
    with begun(lambda: at_work("triage_info")):
        pass
    assert lines() == {}
    survived(remediate(), "recovered", {})


def test_killed_while_it_repairs():
    """The module goes on without its controller, and closes what it cured."""
    with begun(lambda: recorded("intent")):
        pass
    wait_until(lambda: not at_work("service_override"), LIMIT)
    assert recorded("closed")
    survived(remediate(), "healthy", lines())


def test_killed_while_it_reports():
    """The report's module waits for the record, since somebody else writes to it, and is killed with its controller.

    It has something to report, since there was no time to see whether the smaller size helps.
    """
    hold = f"""
    until grep -q '"what":"result"' {STATE}/incidents/*.jsonl 2>/dev/null; do sleep 0.02; done
    exec flock {STATE}/incidents/*.jsonl sleep 600
    """
    lab.inside(HOST, "systemd-run", "--quiet", "--unit=probe-writer", "sh", "-c", hold)
    with begun(lambda: at_work("incident"), "-e", "aurora_timeout_seconds=1 aurora_hold_seconds=30"):
        pass
    shell(HOST, "pkill -KILL -xf /usr/bin/python3; systemctl stop probe-writer; rm -r /tmp/ansible_aurora.*")
    before = lines()
    assert recorded("result")
    assert not recorded("verdict")
    claim_ends()
    survived(remediate(), "healthy", before)


@pytest.mark.parametrize(
    "play",
    ["Let the alert sound again", "Page whom it concerns while it stays open", "Say what was wrong, done and left"],
)
def test_killed_in_a_play_after_the_repair(play):
    """What those plays do, the next run and the tick do as well."""
    process = start_playbook(
        "remediate_circuit_breaker", *QUICK, "-e", "aurora_timeout_seconds=1 aurora_hold_seconds=30"
    )
    try:
        assert any(f"PLAY [{play}" in line for line in process.stdout)
    finally:
        kill_controller(process)
    before = lines()
    assert recorded("verdict")
    survived(remediate(), "healthy", before)


# The way to the host


def test_a_session_that_is_cut_while_the_module_acts():
    with begun(lambda: recorded("intent")) as process:
        shell(HOST, "pkill -KILL -f '^sshd: oncall'")
        cut = Run(0, finish(process))
    assert (process.returncode != 0, cut.verdicts) == (True, {HOST: "unknown"})
    wait_until(lambda: not at_work("service_override"), LIMIT)
    assert recorded("closed")
    survived(remediate(), "healthy", lines())


def test_packets_that_are_lost_while_the_module_acts():
    """A partition that ends again costs time and nothing else: the same run goes on."""
    rules = [f"{chain} -p tcp --{side} 22 -j DROP" for chain, side in (("INPUT", "dport"), ("OUTPUT", "sport"))]
    with begun(lambda: recorded("intent")) as process:
        try:
            shell(HOST, "\n".join(f"iptables -I {rule}" for rule in rules))
            wait_until(lambda: recorded("result"), LIMIT)
            before = lines()
        finally:
            shell(HOST, "\n".join(f"iptables -D {rule}" for rule in rules))
        output = finish(process)
    survived(Run(process.returncode, output), "recovered", before)


# The host


def test_a_reboot_while_the_module_acts():
    invocation = show(HOST, RUNNER, "InvocationID")
    with begun(lambda: recorded("intent") and show(HOST, RUNNER, "InvocationID") != invocation):
        reboot(HOST)
    before = lines()
    assert not recorded("result")
    run = remediate()
    survived(run, "recovered", before)
    assert "was cut off during service_override" in "\n".join(run.report)


FULL = "mkdir -p {0}; mount -t tmpfs -o size=4k,nr_inodes=3,mode=755 full {0}; head -c 4096 /dev/zero >{0}/somebodys"
DISKS = [
    (FULL.format("/etc/aurora-runbook"), "/etc/aurora-runbook", "No space left on device", "free some"),
    (FULL.format(DROP_INS), DROP_INS, "No space left on device", "free some"),
    ("mount --bind /etc /etc; mount -o remount,bind,ro /etc", "/etc", "Read-only file system", "read-write"),
]


def test_a_full_disk_and_a_read_only_etc_leave_nothing_half_written_and_are_named():
    before, service = configuration(HOST), show(HOST, RUNNER, "InvocationID")
    for mount, place, problem, step in DISKS:
        try:
            shell(HOST, mount)
            run = remediate()
            left = shell(HOST, f"ls -A {place}") if place != "/etc" else "somebodys"
        finally:
            shell(HOST, f"umount {place}; rmdir {place} 2>/dev/null || true")
        assert (run.status != 0, run.verdicts) == (True, {HOST: "escalated"})
        said = "\n".join(run.report)
        assert (problem in said, step in said, "Nothing was changed" in said) == (True, True, True), said
        assert left == "somebodys"
        assert (configuration(HOST), show(HOST, RUNNER, "InvocationID"), lease(HOST)) == (before, service, None)
    survived(remediate(), "recovered", lines())


# A human


def refused(named: str) -> None:
    """A run that leaves everything as it is, and says why."""
    before = configuration(HOST), show(HOST, RUNNER, "InvocationID"), lease(HOST)
    run = remediate()
    assert (run.status != 0, run.verdicts) == (True, {HOST: "escalated"})
    assert named in "\n".join(run.report)
    assert (configuration(HOST), show(HOST, RUNNER, "InvocationID"), lease(HOST)) == before


def test_an_edit_of_the_drop_in_or_of_the_unit_is_left_alone_until_its_human_is_done():
    module(HOST, "service_override", {"name": RUNNER, "environment": {"KELLY_MULTIPLIER": "0.9"}, **HEALTHY})
    shell(HOST, f"echo Nice=4 >>{OURS[0]}; systemctl daemon-reload")
    await_open_breaker()
    refused(f"{OURS[0]} was edited")
    shell(HOST, f"rm {OURS[0]} {OURS[1]} {STATE}/leases/*; systemctl daemon-reload; systemctl restart {RUNNER}")
    try:
        shell(HOST, rf"sed -i '/^\[Service\]/a Nice=5' {UNIT}")
        await_open_breaker()
        refused("edited without daemon-reload")
        before = lines()
        shell(HOST, "systemctl daemon-reload")
        survived(remediate(), "recovered", before)
        assert show(HOST, RUNNER, "Nice") == "5"
    finally:
        shell(HOST, f"sed -i '/^Nice=5$/d' {UNIT}; systemctl daemon-reload")


def test_a_unit_that_is_masked_or_renamed_meanwhile_is_named():
    renamed = UNIT.replace("runner", "trader")
    shell(HOST, f"mv {UNIT} /root/{RUNNER}; ln -s /dev/null {UNIT}; systemctl daemon-reload")
    try:
        refused("is masked on this host")
        shell(HOST, f"rm {UNIT}; systemctl stop {RUNNER}")
        shell(HOST, f"cp /root/{RUNNER} {renamed}; systemctl daemon-reload; systemctl start aurora-trader")
        await_open_breaker()
        refused("is not-found on this host")
        run = remediate("-e", "aurora_runner_unit=aurora-trader.service")
        assert (run.status, run.verdicts) == (0, {HOST: "recovered"})
        assert knobs(HOST, "aurora-trader.service") == REDUCED
        assert playbook("revert", *QUICK).verdicts == {HOST: "healthy"}  # whatever the unit is called
        assert knobs(HOST, "aurora-trader.service") == NORMAL
    finally:
        shell(HOST, f"systemctl stop aurora-trader; rm -f {UNIT} {renamed}; cp /root/{RUNNER} {UNIT}")
        shell(HOST, f"systemctl daemon-reload; systemctl restart {RUNNER}")


# The clock


def clock_was_off(identity: str, seconds: float) -> None:
    """The record as it would be had the clock been off when it was written."""
    head, text = "", ""
    for entry in map(json.loads, lines()[identity].splitlines()):
        at = datetime.fromisoformat(entry["at"]) + timedelta(seconds=seconds)
        line = json.dumps({**entry, "at": _stamps.stamp(at.timestamp()), "prev": head})
        head, text = hashlib.sha256(line.encode()).hexdigest(), f"{text}{line}\n"
    place = f"{STATE}/incidents/{identity}.jsonl"
    lab.inside(HOST, "tee", place, input=text.encode())
    lab.inside(HOST, "touch", f"--date={seconds:+g} seconds", place)


@pytest.mark.parametrize("off", [-DAY, DAY], ids=["ahead since", "behind since"])
def test_a_clock_that_was_set_by_a_day_changes_no_guard_and_no_age(off):
    identity = _record.make_id("circuit_breaker", time.time())
    larger = {"name": RUNNER, "environment": {"KELLY_MULTIPLIER": "0.9"}, **HEALTHY}
    assert module(HOST, "service_override", {**larger, "incident": {"id": identity, "run": "run-before"}})["changed"]
    clock_was_off(identity, off)
    claim_ends()

    smaller = {**larger, "environment": {"KELLY_MULTIPLIER": "0.8"}, "incident": {"id": identity, "run": "run-after"}}
    result = module(HOST, "service_override", smaller)
    assert (result["verdict"], result["changed"], result["restarted"]) == ("refused", False, False)
    assert result["overridden"] == {"KELLY_MULTIPLIER": "0.9"}  # what the report says is left
    assert result["done"][0]["message"] == "guard_cooldown"
    assert 0 <= result["done"][0]["values"]["ago"] < 900
    seen = module(HOST, "incident_info", {"days": 0})["incidents"]
    assert [(each["id"], 0 <= each["age_seconds"] < 900) for each in seen] == [(identity, True)]
    claim_ends()
    await_open_breaker()
    survived(remediate(), "recovered", lines())
