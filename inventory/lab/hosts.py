#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's hosts as an inventory, from what ./dev up left in .dev/lab/lab.json (AURORA_LAB=2: .dev/lab2)."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

GROUPS = {
    "aurora": ["aurora", "aurora_feed", "aurora_runner", "aurora_edge"],
    "exchange": ["exchange"],
    "monitor": ["monitor"],
}


def inventory(lab: dict) -> dict:
    """Groups and host variables as Ansible's script inventories give them."""
    found: dict = {"_meta": {"hostvars": {}}}
    for name, host in lab["hosts"].items():
        for group in GROUPS[host["kind"]]:
            found.setdefault(group, {"hosts": []})["hosts"].append(name)
        found["_meta"]["hostvars"][name] = {
            "ansible_host": host["address"],
            "ansible_user": lab["user"],
            "ansible_ssh_private_key_file": lab["key"],
            "ansible_ssh_common_args": f"{known_hosts(lab['known_hosts'])} -o StrictHostKeyChecking=yes",
        }
    return found


def known_hosts(path: str) -> str:
    """Name a file of known hosts to ssh, which takes several at blanks and expands %, past Ansible's own splitting."""
    escaped = path.replace("%", "%%")
    return "-o " + shlex.quote(f'UserKnownHostsFile="{escaped}"')


def main() -> None:
    folder = f"lab{os.environ.get('AURORA_LAB', '')}"
    path = Path(__file__).resolve().parents[2] / ".dev" / folder / "lab.json"
    try:
        lab = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        print("the lab is down; start it with ./dev up", file=sys.stderr)
        lab = {"hosts": {}}
    print(json.dumps(inventory(lab), indent=1))


if __name__ == "__main__":
    main()
