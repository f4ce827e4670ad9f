# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection can be taken off a host: all of it, and only when nothing is left to give back."""

from __future__ import annotations

import json

from ansible_collections.aurora.runbook.plugins.module_utils.base import _start
from ansible_collections.aurora.runbook.plugins.plugin_utils import _program
from helpers import DROP_INS, HOST, OURS, RUNNER, STATE, configuration, finish, module, playbook, shell, start_module

LEASED = {"state": "present", "lease_seconds": 3600}


def ours() -> list[str]:
    """All that bears our name and is not gone with the next boot anyway."""
    return shell(HOST, "find /etc /usr /var /root /home -xdev -name '*aurora-runbook*'").splitlines()


def remove(*arguments: str):
    run = playbook("remove", *arguments)
    shown = run.output.partition('"msg": ')[2]
    return run, (json.JSONDecoder().raw_decode(shown)[0] if shown.startswith("{") else {})


def test_it_is_refused_while_something_is_leased_and_takes_all_when_nothing_is():
    before = configuration(HOST)
    assert not module(HOST, "tcp_tuning", LEASED)["failed"]
    there = ours()
    refused, _said = remove()
    assert refused.status != 0
    assert "aurora.runbook.revert" in refused.output
    assert ours() == there

    assert not module(HOST, "tcp_tuning", {"state": "absent"})["failed"]
    shell(HOST, f"mkdir -p {DROP_INS} /etc/aurora-runbook")
    for path in OURS:  # as an override whose lease got lost
        shell(HOST, f"printf '# Written by aurora.runbook (service_override); revert.yml takes it back.\n' >{path}")
    tried, would = remove("--check")
    assert (tried.status, set(OURS) < set(would["removed"])) == (0, True)
    assert _start.BASE in would["removed"]
    taken, said = remove()
    assert (taken.status, taken.changed) == (0, {HOST: 1})
    assert said["removed"] == would["removed"]
    assert ours() == [STATE]
    assert configuration(HOST) == before
    assert [line.split(" ")[0] for line in said["left"]] == [f"{STATE}:", RUNNER]

    again, _said = remove()
    assert (again.status, again.changed) == (0, {HOST: 0})
    everything, said = remove("-e", "aurora_remove_records=true")
    assert (everything.changed, said["left"], ours()) == ({HOST: 1}, [], [])


def test_the_program_is_put_there_beforehand_by_two_at_once_and_without_pipelining():
    assert module(HOST, "program", {"state": "present"}, "--check")["changed"]
    assert ours() == []
    both = [start_module(HOST, "program", {"state": "present"}, "-e", "ansible_pipelining=true") for _ in range(2)]
    answers = [json.loads(finish(process).partition(" => ")[2]) for process in both]
    assert sorted(answer["changed"] for answer in answers) == [False, True]
    assert {answer["name"] for answer in answers} == {_program.name()}
    assert not module(HOST, "program", {"state": "present"}, "-e", "ansible_pipelining=false")["changed"]
    assert not module(HOST, "program", {"state": "present"}, "--check")["changed"]
    shell(HOST, f"rm -rf {_start.BASE}")
