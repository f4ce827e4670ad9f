# SPDX-License-Identifier: GPL-3.0-or-later
"""Time the whole repair of an open breaker against other ways to give the same hosts the same commands.

Every contender starts cold (no SSH connection is left from the round before) on open breakers, looks at what
``triage_info`` looks at, and restarts the runner with a smaller Kelly. ``ours`` also finds the cause, takes a canary
first, proves the new value and reports; the others do none of that. A repair counts only if every runner has the value.
``ours`` and ``builtin_tuned`` have as many forks as there are hosts, as README says; ``builtin`` is as Ansible comes.

Waiting that the evidence needs is as short as it can be, for all: no sample window, no hold, no decisions awaited, and
``ping`` and ``iostat`` on the hosts answer at once. What the lab's own waits add is measured apart, in more runs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median

import accounted_python

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
sys.path.insert(0, str(CHECKOUT / "tests" / "lab"))

import lab  # the path above is what makes it importable

ROUNDS = 3
OURS = "playbooks/remediate_circuit_breaker.yml"
BUILTIN = "tests/bench/builtin.yml"
SHORTEST = {
    "aurora_sample_seconds": 0,
    "aurora_healthy_seconds": 0,
    "aurora_hold_seconds": 0,
    "aurora_min_decisions": 0,
    "aurora_interval_seconds": 0.1,
}
WITHOUT_WAITING = r"""
cat >/usr/local/bin/ping <<'END'
#!/bin/sh
for host; do :; done
exec /usr/bin/ping -n -q -c 1 -W 1 -- "$host"
END
cat >/usr/local/bin/iostat <<'END'
#!/bin/sh
exec /usr/bin/iostat -dx -o JSON
END
chmod +x /usr/local/bin/ping /usr/local/bin/iostat
"""
WITH_WAITING = """
rm -f /usr/local/bin/ping /usr/local/bin/iostat
"""
AS_BEFORE = """
rm -rf /etc/aurora-runbook /var/lib/aurora-runbook /etc/systemd/system/aurora-runner.service.d /etc/aurora-runner.env
systemctl daemon-reload
systemctl reset-failed aurora-runner
systemctl restart aurora-runner
"""
REPAIRED = """
pid=$(systemctl show --property=MainPID --value aurora-runner)
grep --quiet --null-data --line-regexp KELLY_MULTIPLIER=0.5 /proc/$pid/environ
"""
PYTHON = "/usr/local/bin/accounted-python"
WITH_ACCOUNTING = f"""
cat >{PYTHON} <<'END'
#!/usr/bin/python3 -I
{Path(accounted_python.__file__).read_text(encoding="utf-8")}
END
chmod +x {PYTHON}
"""
ACCOUNTS = f"""
cat {accounted_python.COSTS}
rm {accounted_python.COSTS} {PYTHON}
"""

Hosts = dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, default=8, metavar="N", help="Aurora hosts (default 8)")
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args()
    try:
        hosts = lab.aurora_hosts([f"aurora{n}" for n in range(1, options.hosts + 1)])
        with contextlib.redirect_stdout(sys.stderr), broken(hosts):
            seconds = rounds(hosts)
            cost = [] if options.json else cost_of_ours(hosts)
    except lab.LabError as error:
        sys.exit(f"bench: {error}")
    if options.json:
        middles = {what: round(median(took), 2) for what, took in seconds.items()}
        print(json.dumps([{"hosts": len(hosts), "what": what, "seconds": middle} for what, middle in middles.items()]))
    else:
        print("\n".join([*table(seconds, len(hosts)), *cost]))


@contextlib.contextmanager
def broken(hosts: Hosts) -> Iterator[None]:
    """Spreads too wide for the hosts' breakers, and nothing on the hosts that waits; afterwards all is as before."""
    try:
        on_all(hosts, AS_BEFORE + WITHOUT_WAITING)
        lab.break_("breaker_spreads", list(hosts))
        yield
    finally:
        on_all(hosts, AS_BEFORE + WITH_WAITING)
        lab.mend()


def rounds(hosts: Hosts) -> dict[str, list[float]]:
    """Seconds of every round by contender."""
    forks = {"ANSIBLE_FORKS": str(len(hosts))}
    contenders: dict[str, Callable[[], object]] = {
        "ours": partial(playbook, OURS, hosts, SHORTEST, forks),
        "builtin": partial(playbook, BUILTIN, hosts),
        "builtin_tuned": partial(playbook, BUILTIN, hosts, settings={"ANSIBLE_PIPELINING": "true", **forks}),
        "pyinfra": partial(pyinfra, hosts),
        "ssh": partial(on_all, hosts, (HERE / "runbook.sh").read_text(encoding="utf-8")),
    }
    seconds: dict[str, list[float]] = {what: [] for what in contenders}
    for number in range(1, ROUNDS + 1):
        for what, repair in contenders.items():
            seconds[what].append(timed(f"{what}, round {number} of {ROUNDS}", repair, hosts))
    return seconds


def timed(title: str, repair: Callable[[], object], hosts: Hosts) -> float:
    """Seconds that a repair took; afterwards the hosts are as they were before."""
    lab.wait_for_breakers(hosts, is_open=True)
    with lab.step(title):
        started = time.monotonic()
        repair()
        took = time.monotonic() - started
    on_all(hosts, REPAIRED)
    on_all(hosts, AS_BEFORE)
    return took


def playbook(path: str, hosts: Hosts, variables: dict | None = None, settings: dict[str, str] | None = None) -> None:
    argv = ["ansible-playbook", path, "--inventory=inventory/lab", f"--limit={','.join(hosts)}"]
    with tempfile.TemporaryDirectory(prefix="bench") as sockets:
        environment = {"ANSIBLE_SSH_CONTROL_PATH_DIR": sockets, **(settings or {})}
        run([*argv, f"--extra-vars={json.dumps(variables or {})}"], environment)


def pyinfra(hosts: Hosts) -> None:
    known = lab.state()
    login = [f"--ssh-user={known['user']}", f"--ssh-key={known['key']}"]
    trust = ["--data=ssh_strict_host_key_checking=yes", f"--data=ssh_known_hosts_file={known['known_hosts']}"]
    run(["pyinfra", "-y", "--sudo", *login, *trust, ",".join(hosts.values()), str(HERE / "deploy.py")], {})


def run(argv: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        argv,
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        raise lab.LabError(f"{' '.join(argv)} failed:\n{done.stdout.decode('utf-8', 'replace')[-4000:]}")


def on_all(hosts: Hosts, script: str) -> list[str]:
    """What a shell script run as root says on each host, all at once over plain ssh."""
    known = lab.state()
    trust = ["-o", "StrictHostKeyChecking=yes", "-o", f'UserKnownHostsFile="{known["known_hosts"]}"']

    def on(address: str) -> subprocess.CompletedProcess:
        argv = ["ssh", "-i", known["key"], *trust, f"{known['user']}@{address}", "sudo sh"]
        return subprocess.run(argv, input=script, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(len(hosts)) as pool:
        answers = dict(zip(hosts, pool.map(on, hosts.values())))
    failed = [f"{host}: {answer.stderr.strip()}" for host, answer in answers.items() if answer.returncode]
    if failed:
        raise lab.LabError("\n".join(["this failed:", script, *failed]))
    return [answer.stdout for answer in answers.values()]


def cost_of_ours(hosts: Hosts) -> list[str]:
    """More runs, with the lab's own waits: how long they take, and what both module calls cost a host.

    On one host at a time, since hosts that share this machine's cores make each other's CPU seconds longer.
    """
    on_all(hosts, WITH_WAITING)
    with_waits = timed("ours with the lab's own waits", partial(playbook, OURS, hosts), hosts)
    one = dict(list(hosts.items())[:1])
    repair = partial(playbook, OURS, one, {"aurora_python_interpreter": PYTHON})
    cpu, memory, empty = [], [], []
    for number in range(1, ROUNDS + 1):
        calls = accounted(one, partial(timed, f"ours on {next(iter(one))}, round {number} of {ROUNDS}", repair, one))
        cpu.append(sum(call["cpu"] for call in calls))
        memory.append(max(call["memory"] for call in calls) / 2**20)
        empty.append(sum(call["cpu"] for call in accounted(one, partial(empty_calls, one))))
    return [
        "",
        f"ours with the lab's own waits (sample window, ping, iostat, hold): {with_waits:.1f} s",
        f"what it costs one trading host, our modules with all their commands, {ROUNDS} rounds, median and worst:",
        f"  CPU seconds   {median(cpu):6.2f}{max(cpu):8.2f}   goal <= 0.6",
        f"    of them {median(empty):.2f} are Ansible's own: what two calls of ansible.builtin.ping cost",
        f"  peak memory MB{median(memory):6.0f}{max(memory):8.0f}   goal <= 60",
    ]


def accounted(host: Hosts, repair: Callable[[], object]) -> list[dict]:
    """What each module call of a repair cost the host."""
    on_all(host, WITH_ACCOUNTING)
    repair()
    return [json.loads(line) for line in on_all(host, ACCOUNTS)[0].splitlines()]


def empty_calls(host: Hosts) -> None:
    variables = json.dumps({"ansible_python_interpreter": PYTHON, "ansible_pipelining": True})
    argv = ["ansible", *host, "--inventory=inventory/lab", "--become", f"--extra-vars={variables}"]
    for _call in range(2):
        run([*argv, "--module-name=ansible.builtin.ping"], {})


def table(seconds: dict[str, list[float]], hosts: int) -> list[str]:
    middle = {what: median(took) for what, took in seconds.items()}
    ours = middle["ours"]
    return [
        f"{hosts} hosts, {ROUNDS} rounds, seconds",
        f"{'':14}{'median':>8}{'min – max':>16}{'to ours':>9}",
        *(
            f"{what:14}{middle[what]:8.1f}{f'{min(took):.1f} – {max(took):.1f}':>16}{middle[what] / ours:9.2f}"
            for what, took in seconds.items()
        ),
        f"builtin / ours {middle['builtin'] / ours:.1f}, goal >= 4",
        f"ours / pyinfra {ours / middle['pyinfra']:.1f}, goal <= 2.4",
    ]


if __name__ == "__main__":
    main()
