# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's task file that pages. If it breaks, a level is not told, or told twice, or its URLs stand in a log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# As the playbooks have it: what is right for a host is wrong for the controller.
PLAY = {
    "name": "Page",
    "hosts": "all",
    "gather_facts": False,
    "become": True,
    "vars": {
        "ansible_inject_invocation": True,
        "ansible_pipelining": True,
        "ansible_python_interpreter": "/usr/bin/python3",
    },
    "tasks": [
        {
            "name": "Page",
            "ansible.builtin.include_role": {"name": "aurora.runbook.incident", "tasks_from": "page"},
        },
        {
            "name": "Go on, and keep what came of it",
            "ansible.builtin.copy": {
                "dest": "{{ folder }}/{{ inventory_hostname }}",
                "content": "{{ __incident_paged }}",
            },
            "delegate_to": "localhost",
            "become": False,
        },
    ],
}
PAGE = {"id": "i", "level": "L2", "key": "i-L2", "title": "P0 L2 circuit_breaker", "body": "look", "fallback": []}


def page(folder, channels, *flags):
    """Two hosts, of which one has something to say; what came of it, and all that Ansible said."""
    hosts = {"aurora1": {"__incident_page": {**PAGE, "channels": channels}}, "aurora2": {}}
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    (folder / "play.yml").write_text(json.dumps([PLAY]), encoding="utf-8")
    argv = ["ansible-playbook", "-vvv", "-i", str(folder / "inventory.json"), "-e", f"folder={folder}"]
    run = subprocess.run([*argv, *flags, str(folder / "play.yml")], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
    told = json.loads((folder / "aurora1").read_text(encoding="utf-8"))
    assert json.loads((folder / "aurora2").read_text(encoding="utf-8"))["skipped"]
    return told, run.stdout + run.stderr


def test_the_host_that_has_something_to_say_says_it_once_from_the_controller(tmp_path, receiver):
    told, said = page(tmp_path, [{"name": "webhook", "url": receiver.url()}])
    assert (told["delivered"], told["sent"]) == (True, ["webhook"])
    assert [one["title"] for one in receiver.received] == [PAGE["title"]]
    assert "notified: webhook" in said
    assert receiver.secret not in said + str(told)


def test_without_the_library_the_remediation_goes_on_and_says_what_is_missing(tmp_path, receiver):
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n', encoding="ascii")  # without its packages
    bare.chmod(0o755)
    channels = [{"name": "webhook", "url": receiver.url()}]
    told, said = page(tmp_path, channels, "-e", f"ansible_python_interpreter={bare}")
    assert told["failed"] is True
    assert "Failed to import the required Python library (apprise)" in said
    assert receiver.secret not in said + str(told)
    assert receiver.received == []


# A tick: the real tasks and filters; incident_info answers as a host does, and incident as ``asked`` of it says.

CHECKOUT = Path(__file__).resolve().parents[3]
INCIDENT = """
import json, os
from ansible.plugins.action import ActionBase

class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        host, asked = task_vars["inventory_hostname"], dict(self._task.args)
        with open(os.environ["CALLS"], "a", encoding="utf-8") as calls:
            print(json.dumps([host, asked]), file=calls)
        if asked["state"] == "ticking":
            other = {"tick": False, "message": "another tick works on this host here since 03:00"}
            return {"changed": False, **({"tick": True} if task_vars["alone"] else other)}
        if asked["state"] == "paging" and task_vars["asked"] is None:
            return {"failed": True, "msg": "neither can be written"}
        return {"changed": True, "incidents": [], "send": task_vars["asked"]}
"""
ID = "circuit_breaker-20261124T030000Z-0a1b2c3d"
TOLD = {"state": "paged", "at": "t", "age_seconds": 60.0, "key": f"{ID}-L1", "sent": ["mail"], "failed": []}


@pytest.fixture
def tick(tmp_path, receiver):
    """Runs a tick over hosts (levels on record, what the record says when it is asked); what the records were asked.

    ``busy`` are hosts where another tick is at work, ``away`` those that do not answer, ``more`` is for the command
    line. What the hosts are asked of ticks is in ``run.ticks``, what Ansible said in ``run.said``.
    """
    ours = tmp_path / "collections" / "ansible_collections" / "aurora" / "runbook"
    (ours / "plugins" / "action").mkdir(parents=True)
    for name in ("roles", "playbooks", "meta", "galaxy.yml"):
        (ours / name).symlink_to(CHECKOUT / name)
    for name in ("filter", "lookup", "module_utils", "plugin_utils", "modules", "doc_fragments"):
        (ours / "plugins" / name).symlink_to(CHECKOUT / "plugins" / name)
    (ours / "plugins" / "action" / "escalation.py").symlink_to(CHECKOUT / "plugins" / "action" / "escalation.py")
    stand_in = CHECKOUT / "tests" / "unit" / "roles" / "stand_ins" / "incident_info.py"
    (ours / "plugins" / "action" / "incident_info.py").symlink_to(stand_in)
    (ours / "plugins" / "action" / "incident.py").write_text(INCIDENT, encoding="utf-8")

    def run(busy=(), more=(), away=(), status=0, **hosts):
        incident = {"id": ID, "incident": "circuit_breaker", "open": True, "opened": "2026-11-24T03:00:00.000Z"}
        incident.update(age_seconds=60.0, severity="P0", acknowledged=None, entries=[])
        known = {
            name: {
                "asked": asked,
                "alone": name not in busy,
                "answer": {"incidents": [{**incident, "levels": levels}], "leases": []},
            }
            for name, (levels, asked) in hosts.items()
        }
        known.update({name: {"answer": {"problem": "no route to host"}} for name in away})
        python = {"ansible_connection": "local", "aurora_python_interpreter": sys.executable}
        python["aurora_contacts"] = {"L1": [{"name": "webhook", "url": receiver.url()}]}
        inventory, calls = tmp_path / "inventory.json", tmp_path / "calls"
        inventory.write_text(json.dumps({"aurora": {"hosts": known, "vars": python}}), encoding="utf-8")
        settings = {"ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections"), "ANSIBLE_BECOME_EXE": "true"}
        playbook = ["ansible-playbook", "aurora.runbook.escalate", "-i", str(inventory), *more]
        done = subprocess.run(
            playbook,
            env={**os.environ, **settings, "CALLS": str(calls)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout
        asked = [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else []
        run.said, run.calls = done.stdout, asked
        run.ticks = [(host, call) for host, call in asked if call["state"].startswith("tick")]
        return [[host, call] for host, call in asked if not call["state"].startswith("tick")]

    return run


def ticks(tick):
    """The hosts that were asked of ticks, by what they were asked; they are asked at the same time."""
    states = ("ticking", "ticked")
    return {state: sorted(host for host, call in tick.ticks if call["state"] == state) for state in states}


def test_a_tick_that_finds_another_at_work_ends_at_once(tick, receiver):
    assert tick(busy=["aurora1"], aurora1=({}, True)) == []
    assert receiver.received == []
    assert "another tick works on this host here since 03:00" in tick.said
    assert ticks(tick) == {"ticking": ["aurora1"], "ticked": []}


def test_the_first_host_decides_between_two_ticks(tick, receiver):
    tick(busy=["aurora2"], aurora1=({}, True), aurora2=({}, True))
    assert len(receiver.received) == 1
    assert ticks(tick) == {"ticking": ["aurora1", "aurora2"], "ticked": ["aurora1"]}
    (key,) = {call["key"] for _host, call in tick.ticks}
    assert len(key) == 16


def test_a_tick_with_nothing_to_do_asks_no_host_for_more_than_its_record(tick, receiver):
    """Otherwise each minute costs three calls a host."""
    assert tick(aurora1=({"L1": TOLD}, True), aurora2=({"L1": TOLD}, True)) == []
    assert (tick.ticks, receiver.received) == ([], [])
    assert ID in tick.said


def test_only_hosts_with_something_to_do_are_asked_for_more(tick, receiver):
    other = {"L1": {**TOLD, "key": "k"}}
    tick(aurora1=(other, True), aurora2=(other, True), away=["aurora0"], status=2)
    assert [page["title"] for page in receiver.received] == ["L1 aurora0: its record cannot be read"]
    assert ticks(tick) == {"ticking": ["aurora1", "aurora2"], "ticked": ["aurora1", "aurora2"]}


def test_a_host_that_is_away_costs_a_tick_a_few_calls_and_not_one_of_every_host(tick, receiver):
    well = {f"aurora{number}": ({"L1": TOLD}, True) for number in range(1, 6)}
    calls = tick(away=["aurora0"], status=2, **well)
    assert len(receiver.received) == 1
    few = ["aurora1", "aurora2", "aurora3"]
    assert {host for host, _asked in calls} == set(few)
    assert ticks(tick) == {"ticking": few, "ticked": few}


def test_where_nobody_can_be_paged_the_tick_fails_and_asks_no_record(tick, receiver):
    assert tick(more=["-e", '{"aurora_contacts": {}}'], status=2, aurora1=({}, True)) == []
    assert (tick.ticks, receiver.received) == ([], [])
    assert "nobody was notified" in tick.said


def test_in_check_mode_nothing_is_sent_and_no_tick_is_claimed(tick, receiver):
    calls = tick(more=["--check"], aurora1=({}, True))
    assert [asked["state"] for _host, asked in calls] == ["paging"]
    assert (tick.ticks, receiver.received) == ([], [])


def test_nothing_that_a_host_answers_is_a_template(tick, receiver, tmp_path):
    hostile = f"{{{{ lookup('pipe', 'touch {tmp_path}/ran') }}}}"
    said = f"{{% raw %}}{hostile}{{% endraw %}}"  # the stand-in takes it from the inventory, where it is a template
    tick(aurora1=({"L1": {**TOLD, "sent": [said], "key": said}}, True), aurora2=({}, True))
    assert hostile in json.dumps(tick.calls)
    assert not (tmp_path / "ran").exists()


def test_a_tick_that_ends_beside_another_one_leaves_no_host_taken(tick, receiver):
    """Otherwise the next tick finds one at work that has ended, and its pages wait for two minutes."""
    assert tick(busy=["aurora1"], aurora1=({}, True), aurora2=({}, True)) == []
    assert receiver.received == []
    assert ticks(tick) == {"ticking": ["aurora1", "aurora2"], "ticked": ["aurora2"]}


def test_what_a_workflow_of_awx_escalates_waits_for_no_tick(tick, receiver):
    tick(busy=["aurora1"], more=["-e", "awx_workflow_job_id=7"], aurora1=({}, True))
    assert len(receiver.received) == 1
    assert tick.ticks == []


def test_a_page_that_a_record_missed_is_put_there_and_not_sent_again(tick, receiver):
    ((host, asked),) = tick(aurora1=({"L1": TOLD}, True), aurora2=({}, True))
    line = {"state": "paged", "id": ID, "level": "L1", "key": f"{ID}-L1", "sent": ["mail"], "failed": [], "at": "t"}
    assert (host, asked) == ("aurora2", line)
    assert receiver.received == []


def test_where_no_record_missed_anything_none_is_written_to(tick, receiver):
    assert tick(aurora1=({"L1": TOLD}, True), aurora2=({"L1": TOLD}, True)) == []
    assert receiver.received == []


@pytest.mark.parametrize(("answer", "sent"), [(True, 1), (False, 0), (None, 1)])
def test_the_record_or_what_stands_for_it_decides_and_without_either_it_is_sent(tick, receiver, answer, sent):
    calls = tick(aurora1=({}, answer))
    assert len(receiver.received) == sent
    assert [asked["state"] for _host, asked in calls] == ["paging", *["paged"] * sent]
    took = [asked["took"]["channels"] for _host, asked in calls[1:]]
    assert [[one["channel"] for one in channels] for channels in took] == [["webhook"]] * sent
