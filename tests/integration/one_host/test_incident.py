# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of an incident on its host: what is on record, who may work, what guards allow, whatever was killed."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Iterator

import pytest
from helpers import (
    HOST,
    NORMAL,
    RUNNER,
    STATE,
    configuration,
    end_claim,
    finish_module,
    footprint,
    kill_controller,
    kill_module,
    knobs,
    lab,
    lease,
    module,
    playbook,
    shell,
    show,
    start_module,
    start_playbook,
    wait_until,
)

ID = "circuit_breaker-20261124T180000Z-1a2b3c4d"
OTHER = "execution_latency-20261124T180000Z-1a2b3c4d"
FEED = "aurora-live-feed.service"
KELLY = {
    "name": "aurora-runner",
    "environment": {"KELLY_MULTIPLIER": "0.5"},
    "health_url": "http://localhost:9000/metrics",
    "start_seconds": 15,
    "hold_seconds": 1,
}
REDUCED = {**NORMAL, "KELLY_MULTIPLIER": "0.5"}
# Watches what is never within such a limit, for a second.
IN_VAIN = {"indicator": "circuit_breaker", "threshold": 0, "hold_seconds": 0, "min_count": 0, "timeout_seconds": 1}
QUICK = ("-e", "aurora_healthy_seconds=1", "-e", "aurora_enough_seconds=0")
ALERT = {
    "labels": {"alertname": "CircuitBreakerOpen", "instance": f"{HOST}:9000"},
    "status": "firing",
    "fingerprint": "5ef77f1f8a3ecf8d",
    "startsAt": "2026-11-24T18:00:00.123Z",
}
RACES = int(os.environ.get("AURORA_RACES", "3"))


def incident(identity=ID, **options):
    """The option of acting modules, for a run of its own."""
    return {"id": identity, "run": uuid.uuid4().hex, "by": "olena", "cooldown_seconds": 0, **options}


def tune(state="present", **arguments):
    """The quickest of the acting modules: it restarts nothing."""
    return module(HOST, "tcp_tuning", {"state": state, **arguments})


def write(state, **arguments):
    return module(HOST, "incident", {"state": state, **arguments})


def info(*identity):
    """Every incident of the last day on the host with its entries, or one."""
    asked = {"id": identity[0]} if identity else {"days": 1}
    result = module(HOST, "incident_info", {**asked, "entries": True})
    assert not result["failed"], result
    return result


def records():
    """The lines of every record on the host, by id."""
    texts = shell(HOST, f"cd {STATE}/incidents 2>/dev/null && grep -H . *.jsonl || true")
    lines = (line.partition(".jsonl:") for line in texts.splitlines())
    found = {}
    for name, _colon, text in lines:
        found.setdefault(name, []).append(json.loads(text))
    return found


def whats(identity=ID):
    return [entry["what"] for entry in records()[identity]]


def whole():
    """Every chain is whole and every intent has its result."""
    names = list(records())
    told = [info(name)["incidents"][0] for name in names]
    return all(each["chain"]["whole"] and not each["torn"] and each["unfinished"] == [] for each in told)


def said(result):
    return [sentence["message"] for sentence in result["done"]]


def cut_off_by_kill(name, arguments, unit):
    """SIGKILL a module on the host once it restarted a unit."""
    before = show(HOST, unit, "InvocationID")
    process = start_module(HOST, name, arguments)
    try:
        wait_until(lambda: show(HOST, unit, "InvocationID") not in ("", before), 120)
    finally:
        kill_module(HOST, name, process)


@pytest.fixture
def cut_off():
    """An override whose module was killed before it could prove it, so that the host counts as breached."""
    cut_off_by_kill("service_override", {**KELLY, "hold_seconds": 600}, RUNNER)
    end_claim(HOST)


# Cut off


def test_the_run_after_a_killed_override_says_what_became_of_it(cut_off):
    (none,) = records()
    assert [entry["what"] for entry in records()[none]] == ["intent"]
    run = playbook("remediate_circuit_breaker", *QUICK)
    assert (run.status, run.verdicts) == (0, {HOST: "recovered"})
    assert knobs(HOST) == REDUCED
    result = next(entry for entry in records()[none] if entry["what"] == "result")
    assert (result["data"]["intent"], result["data"]["outcome"]) == (1, "finished")
    told = [line for line in run.report if "was cut off during service_override" in line]
    assert len(told) == 1, run.report
    assert "KELLY_MULTIPLIER 1.0 → 0.5" in told[0]
    assert told[0].endswith("the action is finished now")
    assert whole()


def test_the_call_after_a_killed_restart_says_what_became_of_it():
    hangs = {"name": FEED, "min_interval_seconds": 0, "start_seconds": 20, "hold_seconds": 600}
    cut_off_by_kill("service_restart", hangs, FEED)
    refused = tune()
    assert (refused["verdict"], refused["changed"], said(refused)) == ("refused", False, ["held"])
    end_claim(HOST)
    assert said(tune())[0] == "left_finished"
    assert whole()


def test_a_module_killed_before_it_changed_anything_is_undone():
    """The intent is there and its lease is not: what a kill between the two leaves."""
    tune(incident=incident())
    shell(HOST, f'sed -i \'/"what":"result"/d\' {STATE}/incidents/{ID}.jsonl; rm {STATE}/leases/*')
    end_claim(HOST)
    shell(HOST, "echo 1 >/proc/sys/net/ipv4/tcp_autocorking")
    assert said(tune())[0] == "left_undone"
    assert whole()


# One at a time


def test_a_dead_controllers_module_goes_on_and_keeps_others_out_until_its_claim_ends(broken):
    broken("breaker_spreads", [HOST])
    before = show(HOST, RUNNER, "InvocationID")
    slowly = ("-e", "aurora_healthy_seconds=30", "-e", "aurora_by=olena")
    first = start_playbook("remediate_circuit_breaker", *QUICK, *slowly)
    wait_until(lambda: show(HOST, RUNNER, "InvocationID") not in ("", before), 120)
    kill_controller(first)
    (mine,) = records()
    standing, written = show(HOST, RUNNER, "InvocationID"), whats(mine)
    assert written[-1] == "intent"

    second = playbook("remediate_circuit_breaker", *QUICK)
    assert (second.status != 0, second.verdicts, second.changed) == (True, {HOST: "refused"}, {HOST: 0})
    since = json.loads(shell(HOST, f"cat {STATE}/claim.json"))["since"]
    held = next(line for line in second.report if "another run is working on this host" in line)
    assert all(part in held for part in ("olena", mine, since)), held
    assert show(HOST, RUNNER, "InvocationID") == standing
    assert {entry["run"] for entry in records()[mine]} == {records()[mine][0]["run"]}

    wait_until(lambda: "closed" in whats(mine), 120)
    assert knobs(HOST) == REDUCED
    third = playbook("remediate_circuit_breaker", *QUICK)
    assert (third.status, third.changed) == (0, {HOST: 0})
    assert show(HOST, RUNNER, "InvocationID") == standing
    assert info()["claim"] is None
    assert {each["open"] for each in info()["incidents"]} == {False}
    assert whole()


def test_a_run_for_another_incident_is_told_who_works_here_and_its_own_is_open_all_the_same():
    """A breaker that opens while somebody waits for a latency has a clock and pages: L1 at once."""
    slow = start_module(HOST, "service_override", {**KELLY, "hold_seconds": 10, "incident": incident(by="petro")})
    wait_until(lambda: "intent" in json.dumps(records().get(ID, [])), 60)
    since = json.loads(shell(HOST, f"cat {STATE}/claim.json"))["since"]
    other = tune(incident=incident(OTHER))
    assert finish_module(slow)["changed"]
    assert (other["verdict"], other["changed"]) == ("refused", False)
    assert other["done"][0]["values"] == {"by": "petro", "incident": ID, "since": since}
    run = incident(OTHER)
    ended = module(HOST, "incident", {"state": "ended", "verdict": "refused", "incident": run})
    assert [one["open"] for one in ended["incidents"]] == [True]
    assert whats(OTHER)[0] == "opened"
    assert whats(OTHER)[-1] == "verdict"
    assert "intent" not in whats(OTHER)


def test_the_end_of_a_lease_that_has_just_come_is_waited_for():
    """The host's timer has no claim: a run that met it would be refused, at night, for nothing."""
    held = shell(HOST, "systemd-run --quiet --unit=probe-guard flock /run/aurora-runbook.guard sleep 5; echo held")
    assert held.strip() == "held"
    wait_until(lambda: show(HOST, "probe-guard", "SubState") == "running")
    done = tune()
    assert (done["failed"], done["changed"]) == (False, True)


def test_of_two_controllers_at_once_one_changes_the_host_and_the_other_says_who():
    for number in range(RACES):
        kelly = {"KELLY_MULTIPLIER": f"{0.9 - number * 0.04:.2f}"}
        runs = [incident(by=name, max_per_hour=1000, max_per_day=1000) for name in ("olena", "petro")]
        arguments = {**KELLY, "environment": kelly, "hold_seconds": 4}
        both = [start_module(HOST, "service_override", {**arguments, "incident": run}) for run in runs]
        results = [finish_module(process) for process in both]
        assert not any(result["failed"] for result in results), results
        winner = [result["changed"] for result in results].index(True)
        loser = results[1 - winner]
        assert (loser["changed"], loser["verdict"], said(loser)) == (False, "refused", ["held"])
        assert f"{runs[winner]['by']}, on {ID}, since" in loser["message"]
        assert knobs(HOST) == {**NORMAL, **kelly}
        assert [entry["run"] for entry in records()[ID] if entry["what"] == "intent"][number:] == [runs[winner]["run"]]
        end_claim(HOST)
    assert whole()


# Guards


def refused(result, guard, *figures):
    assert (result["failed"], result["changed"], result["verdict"]) == (False, False, "refused"), result
    assert said(result) == [guard]
    assert all(figure in result["done"][0]["text"] for figure in figures), result["done"]
    return True


def test_each_guard_refuses_with_its_numbers_and_a_reason_overrides_it():
    run = incident()
    assert tune(incident=run)["changed"]
    untouched = footprint(HOST)
    cooldown = tune("absent", incident={**run, "cooldown_seconds": 1500})
    assert refused(cooldown, "guard_cooldown", "tcp_tuning", "1500 s", "in 25 min", "aurora_force=REASON")
    assert refused(tune("absent", incident={**run, "max_per_hour": 1}), "guard_per_hour", "1 actions", "in 60 min")
    assert refused(tune("absent", incident={**run, "max_per_day": 1}), "guard_per_day", "1 actions", "in 1440 min")
    checked = module(HOST, "tcp_tuning", {"state": "absent", "incident": {**run, "max_per_hour": 1}}, "--check")
    assert refused(checked, "guard_per_hour")
    assert footprint(HOST) == untouched
    assert whats().count("refused") == 3
    assert whats().count("intent") == 1

    assert tune("absent", incident={**run, "max_per_hour": 1, "force": "the exchange confirmed"})["changed"]
    assert [entry["data"]["forced"] for entry in records()[ID] if entry["what"] == "intent"][
        1
    ] == "the exchange confirmed"
    assert lease(HOST, "tcp_tuning") is None


def test_actions_that_did_not_help_end_in_a_person():
    run = incident(max_ineffective=1)
    assert tune(incident=run, recovery=IN_VAIN)["verdict"] == "not_recovered"
    assert refused(tune("absent", incident=run), "guard_ineffective", "last 1 actions", "a person has to look")
    assert tune("absent", incident={**run, "id": OTHER})["changed"]  # an incident of its own


def test_a_host_is_not_restarted_while_too_few_others_are_healthy(broken):
    broken("breaker_spreads", [HOST])
    untouched = footprint(HOST)
    run = playbook("remediate_circuit_breaker", *QUICK, "-e", "aurora_min_healthy=1")
    assert (run.status != 0, run.verdicts, run.changed) == (True, {HOST: "refused"}, {HOST: 0})
    (line,) = [line for line in run.report if "guard min_healthy" in line]
    assert all(part in line for part in (RUNNER, "0 of the 1 that"))
    assert footprint(HOST) == untouched
    end_claim(HOST)
    feed = {"name": FEED, "min_interval_seconds": 0, "incident": incident(min_healthy=2, healthy_peers=1)}
    assert refused(module(HOST, "service_restart", feed), "guard_min_healthy", FEED, "1 of the 2 that")


def test_a_person_keeps_automation_off_a_host_by_a_file_or_by_the_module():
    pause = f"{STATE}/pause"
    shell(HOST, f"install -dm 700 {STATE}; echo 'moving the feed' >{pause}")
    run = incident(force="a pause holds all the same")
    assert refused(tune(incident=run), "paused_open", "moving the feed", pause)
    shell(HOST, f"echo 2020-01-01T00:00Z >{pause}")
    assert tune(incident=run)["changed"]

    paused = write("paused", who="olena", minutes=90, text="by hand")
    assert paused["changed"]
    assert refused(tune("absent", incident=run), "paused", paused["paused"], "olena: by hand")
    assert info()["paused"] == paused["paused"]
    end_claim(HOST)
    assert tune("absent")["changed"]  # who paused it works on it
    assert tune()["changed"]
    assert write("resumed", who="olena")["changed"]
    assert not write("resumed", who="olena")["changed"]
    assert tune("absent", incident=incident())["changed"]
    assert [entry["what"] for entry in records()[ID] if entry["what"] in ("paused", "resumed")] == ["paused", "resumed"]


# On record


def test_people_acknowledge_note_and_close_and_an_edit_of_a_line_is_found():
    tune(incident=incident(severity="P0"))
    end_claim(HOST)
    assert write("acknowledged", who="olena", text="mine")["incidents"][0]["acknowledged"]["who"] == "olena"
    write("noted", who="olena", text="the exchange says password=hunter2")
    assert write("closed", who="olena", text="cured by hand", id=ID)["changed"]
    assert not write("closed", who="olena", text="cured by hand", id=ID)["changed"]
    told = info(ID)["incidents"][0]
    assert (told["open"], told["severity"], told["chain"]) == (False, "P0", {"whole": True, "problem": ""})
    assert [entry["what"] for entry in told["entries"]][-3:] == ["acknowledged", "note", "closed"]
    assert "hunter2" not in shell(HOST, f"cat {STATE}/incidents/{ID}.jsonl")
    assert shell(HOST, f"stat -c '%a %U' {STATE} {STATE}/incidents {STATE}/incidents/*").split() == [
        *("700", "root") * 2,
        *("600", "root"),
    ]
    lab.inside(HOST, "sed", "-i", "s/mine/hers/", f"{STATE}/incidents/{ID}.jsonl")
    edited = info(ID)["incidents"][0]
    assert not edited["chain"]["whole"]
    assert "it was edited, or a line is missing" in edited["chain"]["problem"]
    for wrong in ("../../etc/passwd", OTHER):
        assert write("noted", who="olena", id=wrong)["failed"]


def deliver(alert):
    run = playbook("remediate", *QUICK, "-e", "aurora_min_healthy=1", "-e", json.dumps({"aurora_alert": alert}))
    assert run.verdicts == {HOST: "refused"}  # so that the incident stays open
    return records()


def test_an_alert_delivered_twice_is_one_incident_and_another_class_its_own(broken):
    broken("breaker_spreads", [HOST])
    (first,) = deliver(ALERT)
    assert first.startswith("circuit_breaker-20261124T180000Z-")
    assert whats(first) == ["opened", "seen", "refused", "verdict"]
    assert records()[first][0]["data"]["alert"]["fingerprint"] == ALERT["fingerprint"]
    assert deliver(ALERT).keys() == {first}
    assert "joined" in whats(first)
    tune(incident=incident(OTHER))
    assert records().keys() == {first, OTHER}
    assert {each["id"] for each in info()["incidents"] if each["open"]} == {first, OTHER}


@contextlib.contextmanager
def no_room(pages) -> Iterator[None]:
    """A disk for what is kept on which so many pages of 4 KiB are left."""
    shell(HOST, f"mkdir -p {STATE}; mount -t tmpfs -o size={4 * (pages + 1)}k,mode=700 tmpfs {STATE}")
    shell(HOST, f"head -c 4096 /dev/zero >{STATE}/filler")
    try:
        yield
    finally:
        shell(HOST, f"umount {STATE}")


# The lock of the claim takes a page while it is held: with two the claim stands, and the next that is written does not.
@pytest.mark.parametrize("pages", [1, 2])
@pytest.mark.parametrize("run", [None, incident()], ids=["a person's call", "automation"])
def test_without_room_for_what_is_kept_nothing_is_changed(run, pages):
    looked = footprint if pages == 1 else configuration  # beside the folder of leases, which is made by then
    with no_room(pages):
        before = looked(HOST), knobs(HOST)
        result = module(HOST, "service_override", {**KELLY, "incident": run})
        assert (result["failed"], result["changed"]) == (True, False), result
        assert "No space left on device" in result["msg"]
        assert result["msg"].startswith(f"{STATE}/claim.json" if pages == 1 else f"{STATE}/leases/")
        assert (looked(HOST), knobs(HOST)) == before


def test_check_mode_leaves_nothing_at_all():
    for options in ({"state": "present"}, {"incident": incident()}):
        assert module(HOST, "tcp_tuning", options, "--check")["verdict"] == "would_change"
    module(HOST, "incident", {"state": "ended", "verdict": "unknown", "incident": incident()}, "--check")
    assert shell(HOST, f"ls {STATE} 2>/dev/null || true") == ""
