# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's task file that pages. If it breaks, a level is not told, or told twice, or its URLs stand in a log."""

from __future__ import annotations

import json
import subprocess
import sys

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
                "content": "{{ incident_paged }}",
            },
            "delegate_to": "localhost",
            "become": False,
        },
    ],
}
PAGE = {"id": "i", "level": "L2", "key": "i-L2", "title": "P0 L2 circuit_breaker", "body": "look", "fallback": []}


def page(folder, channels, *flags):
    """Two hosts, of which one has something to say; what came of it, and all that Ansible said."""
    hosts = {"aurora1": {"incident_page": {**PAGE, "channels": channels}}, "aurora2": {}}
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
    assert "told: webhook" in said
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
