# SPDX-License-Identifier: GPL-3.0-or-later
"""Running playbooks and modules as an operator does, and looking at the lab's hosts past them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
sys.path[:0] = [str(CHECKOUT / "tests" / "lab"), str(CHECKOUT / "tests")]

import lab
from own_warnings import own_warnings

# This checkout, or what a controller of another version installed of it.
INSTALLED = Path(os.environ["ANSIBLE_COLLECTIONS_PATH"], "ansible_collections", "aurora", "runbook").resolve()
INVENTORY = CHECKOUT / "inventory" / "lab"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")  # pytest -n gives every worker an Aurora host of its own
HOSTS = [f"aurora{int(WORKER.removeprefix('gw')) + 1}"] if WORKER else sorted(lab.aurora_hosts())
HOST = HOSTS[0]  # the canary
RUNNER = "aurora-runner.service"
DROP_INS = f"/etc/systemd/system/{RUNNER}.d"
OURS = (f"{DROP_INS}/zzz-aurora-runbook.conf", f"/etc/aurora-runbook/{RUNNER}.env")
STATE = "/var/lib/aurora-runbook"
LEASES = f"{STATE}/leases"
NORMAL = {"KELLY_MULTIPLIER": "1.0", "DECISIONS_PER_MINUTE": "30", "SPREAD_THRESHOLD": "1.5"}
LIMIT = 300  # seconds; nothing that works takes that long


@dataclass(frozen=True)
class Run:
    """A finished ansible-playbook."""

    status: int
    output: str

    @property
    def report(self) -> list:
        """The list that the playbook shows: lines for people."""
        results = re.findall(r"^ok: .* => (\{\n.*?^\})", self.output, re.DOTALL | re.MULTILINE)
        return next(shown for shown in (json.loads(text).get("msg") for text in results) if isinstance(shown, list))

    @property
    def verdicts(self) -> dict[str, str]:
        """As the run hands them on to what comes next."""
        return json.JSONDecoder().raw_decode(self.output.partition("\tRUN: ")[2])[0]["aurora_outcome"]

    @property
    def changed(self) -> dict[str, int]:
        """How many tasks changed something, by host."""
        counts = re.findall(r"^(\S+) +: ok=\d+ +changed=(\d+)", self.output, re.MULTILINE)
        return {host: int(count) for host, count in counts}


def start(argv: list[str], cwd: Path = CHECKOUT) -> subprocess.Popen:
    environment = {**os.environ, "ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "ANSIBLE_NOCOLOR": "1"}
    environment["ANSIBLE_SHOW_CUSTOM_STATS"] = environment["ANSIBLE_DEPRECATION_WARNINGS"] = "1"
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(argv, cwd=cwd, env=environment, text=True, start_new_session=True, **pipes)


def finish(process: subprocess.Popen) -> str:
    """What a command said; pytest shows it for a test that fails."""
    try:
        output = "".join(process.communicate(timeout=LIMIT))
    finally:
        process.kill()
    print(output)
    return output


def start_playbook(name: str, *arguments: str, cwd: Path = CHECKOUT) -> subprocess.Popen:
    path = name if "." in name else str(INSTALLED / "playbooks" / f"{name}.yml")
    limit = ["--limit", HOST] if WORKER else []
    return start(["ansible-playbook", path, "-i", str(INVENTORY), *limit, *arguments], cwd)


def playbook(name: str, *arguments: str, cwd: Path = CHECKOUT) -> Run:
    """Run a playbook of the collection, by its short name from the checkout or by its full one from anywhere.

    Whatever a test is about, ansible-core has nothing to say against the collection.
    """
    process = start_playbook(name, *arguments, cwd=cwd)
    output = finish(process)
    assert own_warnings(output) == []
    return Run(process.returncode, output)


def start_module(host: str, name: str, arguments: dict, *flags: str) -> subprocess.Popen:
    argv = ["ansible", host, "-i", str(INVENTORY), "--become", "-e", "ansible_python_interpreter=/usr/bin/python3"]
    return start([*argv, "-m", f"aurora.runbook.{name}", "-a", json.dumps(arguments), *flags])


def finish_module(process: subprocess.Popen) -> dict:
    head, _arrow, result = finish(process).partition(" => ")
    return {**json.JSONDecoder().raw_decode(result)[0], "failed": "FAILED" in head}


def module(host: str, name: str, arguments: dict, *flags: str) -> dict:
    """Run one module on one lab host; exactly what it returned, and whether it failed."""
    return finish_module(start_module(host, name, arguments, "-e", "ansible_pipelining=true", *flags))


def kill_module(host: str, name: str, process: subprocess.Popen) -> None:
    """SIGKILL a module on its host, which leaves its claim, and wait for its controller."""
    shell(host, f"pkill -KILL -f AnsiballZ_{name}")
    process.communicate(timeout=LIMIT)


def kill_controller(process: subprocess.Popen) -> None:
    """SIGKILL a controller with everything it started; what it started on a host goes on."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=LIMIT)


def end_claim(host: str) -> None:
    """Make a claim that nobody gave up expire."""
    path = f"{STATE}/claim.json"
    lab.inside(host, "sed", "-i", r's/"until": [0-9.]*/"until": 0/', path)


def each(host: str, name: str, arguments: list[dict], folder: Path) -> list[dict]:
    """A module with each set of arguments in turn, in one playbook; what each returned."""
    (folder / "arguments.json").write_text(json.dumps(arguments), encoding="utf-8")
    extra = json.dumps({"host": host, "module": name, "arguments": str(folder / "arguments.json")})
    return playbook(str(HERE / "each.yml"), "-e", extra).report


def override_each(host: str, arguments: list[dict], folder: Path) -> list[dict]:
    return each(host, "service_override", arguments, folder)


def shell(host: str, script: str) -> str:
    """A constant script on a lab host, past the collection."""
    return lab.inside(host, "sh", "-eu", input=script.encode())


def put(host: str, path: str, *lines: str) -> None:
    """Write a file of systemd's on a host, and load it."""
    lab.inside(host, "mkdir", "-p", str(Path(path).parent))
    lab.inside(host, "tee", path, input="".join(f"{line}\n" for line in lines).encode())
    lab.inside(host, "systemctl", "daemon-reload")


def put_odd_units(host: str) -> None:
    """Units that must not be restarted: edited without a daemon-reload, transient, masked."""
    folder = "/etc/systemd/system"
    put(host, f"{folder}/probe-edited.service", "[Service]", "ExecStart=/bin/sleep infinity")
    lab.inside(host, "systemctl", "start", "probe-edited")
    lab.inside(host, "systemd-run", "--unit=probe-transient", "sleep", "infinity")
    lab.inside(host, "ln", "-s", "/dev/null", f"{folder}/probe-masked.service")
    lab.inside(host, "systemctl", "daemon-reload")
    lab.inside(host, "tee", "-a", f"{folder}/probe-edited.service", input=b"Nice=5\n")


def show(host: str, unit: str, name: str) -> str:
    return lab.inside(host, "systemctl", "show", f"--property={name}", "--value", unit)


def environment(host: str, unit: str = RUNNER) -> dict[str, str]:
    """What a unit's main process runs with, without what systemd makes anew at each start."""
    raw = lab.inside(host, "sh", "-c", 'cat "/proc/$(systemctl show --property=MainPID --value "$0")/environ"', unit)
    pairs = dict(entry.split("=", 1) for entry in raw.split("\0") if entry)
    return {name: pairs[name] for name in pairs.keys() - {"INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID"}}


def knobs(host: str, unit: str = RUNNER) -> dict[str, str]:
    own = environment(host, unit)
    return {name: own[name] for name in NORMAL}


def decisions(host: str) -> float:
    """How many decisions the runner considered since its start."""
    page = lab.get(lab.aurora_hosts([host])[host], 9000, "/metrics")
    return sum(map(float, re.findall(r"^policy_considered_total (\S+)$", page, re.MULTILINE)))


def configuration(host: str) -> str:
    """Every file below /etc by name, mode, owner, size and time, and every directory by name."""
    return shell(host, r"find /etc -type d -print -o -printf '%p %m %u %s %T@\n'")


def footprint(host: str) -> str:
    """Everything that a run which changes nothing leaves exactly as it was, apart from the record that it was there."""
    beyond = r"""
    find /var/lib/aurora-runbook -mindepth 1 ! -path '*/claim.json*' ! -path '*/incidents*' -printf '%p %T@\n' || true
    systemctl show --property=InvocationID aurora-runner aurora-live-feed nginx
    """
    return configuration(host) + shell(host, beyond)


def lease(host: str, name: str = RUNNER) -> dict | None:
    return json.loads(shell(host, f"cat {LEASES}/override-{name}.json 2>/dev/null || echo null"))


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.2)


def reboot(host: str) -> None:
    """Cut a host's power and boot it again.

    It shares the machine's kernel, so that its boot gets a name of its own by hand; podman writes its resolver anew.
    """
    name, resolver = f"{lab.NAME}-{host}", shell(host, "cat /etc/resolv.conf")
    lab.podman("kill", name)
    lab.podman("wait", name)
    lab.start(host, lab.aurora_hosts([host])[host], "")
    lab.inside(host, "tee", "/etc/resolv.conf", input=f"{resolver}\n".encode())
    named = """
    cat /proc/sys/kernel/random/uuid >/run/boot_id
    mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
    systemctl restart systemd-journald
    """
    shell(host, named)
