# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's inventory. If this breaks, a checkout in a folder with a blank in its name cannot reach its own hosts."""

from __future__ import annotations

import importlib.util
import shlex
import subprocess
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[3] / "inventory" / "lab" / "hosts.py"


@pytest.mark.parametrize("folder", ["/srv/aurora", "/srv/on call/aurora", "/srv/it's/100%done"])
def test_ssh_reads_the_known_hosts_of_a_checkout_in_any_folder(folder):
    spec = importlib.util.spec_from_file_location("hosts", PATH)
    hosts = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hosts)
    host = {"kind": "aurora", "address": "192.0.2.1"}
    lab = {"hosts": {"aurora1": host}, "user": "oncall", "key": "key", "known_hosts": f"{folder}/known_hosts"}
    variables = hosts.inventory(lab)["_meta"]["hostvars"]["aurora1"]
    # Ansible splits the arguments as a shell does; ssh itself says what it made of them.
    argv = ["ssh", "-G", "-F", "none", *shlex.split(variables["ansible_ssh_common_args"]), "192.0.2.1"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()
    settings = dict(line.split(" ", 1) for line in said if " " in line)
    assert settings["userknownhostsfile"] == f"{folder}/known_hosts"
    assert settings["stricthostkeychecking"] == "true"
