# SPDX-License-Identifier: GPL-3.0-or-later
"""What the code says about a filter table is what the kernel does, with connections between namespaces of a host."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from helpers import HOST, lab

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from firewalls import DECIDED  # the path above is what makes it importable

# Runs on the host: two namespaces, a cable between them, and for each table whether a client gets through.
KERNEL = """
import contextlib, ctypes, json, socket, subprocess, sys

def run(*argv, **options):
    return subprocess.run(argv, capture_output=True, text=True, **options)

def enter(name):
    with open(f"/run/netns/{name}") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0x40000000):
            sys.exit(f"setns: {ctypes.get_errno()}")

def restore(lines):
    heads = [f":{line.split()[1]} {line.split()[2]} [0:0]" for line in lines if line.startswith("-P")]
    heads += [f":{line.split()[1]} - [0:0]" for line in lines if line.startswith("-N")]
    rules = [line for line in lines if line.startswith("-A")]
    text = "\\n".join(["*filter", *heads, *rules, "COMMIT", ""])
    enter("fw-in")
    done = run("iptables-restore", input=text)
    enter("fw-out")
    return done

def gets_through():
    with contextlib.suppress(OSError), socket.create_connection(("192.0.2.10", 443), timeout=0.2):
        return True
    return False

for name in ("fw-in", "fw-out"):
    run("ip", "netns", "add", name)
try:
    for words in (
        "ip link add eth0 netns fw-in type veth peer name eth0 netns fw-out",
        "ip -n fw-in addr add 192.0.2.10/24 dev eth0",
        "ip -n fw-out addr add 192.0.2.1/24 dev eth0",
        "ip -n fw-in link set eth0 up",
        "ip -n fw-out link set eth0 up",
    ):
        run(*words.split(), check=True)
    enter("fw-in")
    with socket.create_server(("192.0.2.10", 443), backlog=200):
        found = {}
        for name, lines in json.load(sys.stdin).items():
            done = restore(lines)
            found[name] = done.stderr.strip() if done.returncode else gets_through()
        print(json.dumps(found))
finally:
    for name in ("fw-in", "fw-out"):
        run("ip", "netns", "del", name)
"""


def test_the_kernel_does_with_a_client_what_the_code_says():
    tables = json.dumps({name: lines for name, (lines, _lets_in) in DECIDED.items()})
    found = json.loads(lab.inside(HOST, "python3", "-c", KERNEL, input=tables.encode()))
    missing = {name: said for name, said in found.items() if isinstance(said, str)}  # a match this kernel lacks
    assert len(missing) <= 5, missing
    assert {name: said for name, said in found.items() if name not in missing} == {
        name: lets_in for name, (_lines, lets_in) in DECIDED.items() if name not in missing
    }
