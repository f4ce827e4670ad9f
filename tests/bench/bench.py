# SPDX-License-Identifier: GPL-3.0-or-later
"""Time the whole repair of an open breaker, compared with other ways to run the same commands on the same hosts.

Every contender starts cold (no SSH connection is left from the round before) on open breakers, looks at what
``triage_info`` looks at, and restarts the runner with a smaller Kelly. ``ours`` also finds the cause, takes a canary
first, proves the new value and reports; the others do none of that. A repair counts only if every runner has the value.
``ours`` and ``builtin_tuned`` have as many forks as there are hosts, as README says; ``builtin`` is as Ansible comes.
``ours_first`` is ``ours`` on hosts that have nothing of the collection; ``ours`` finds what an earlier run left there.

The waits that the evidence needs are as short as possible, for all: no sample window, no time to hold, no decisions
awaited, and ``ping`` and ``iostat`` on the hosts answer at once. What the lab's own waits add is measured separately,
in more runs.

docs/performance.md says what each figure means.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import accounted_python
import counted_ssh
from figures import Contender, HostCost, Run, goals, rounded, rows, table

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
sys.path.insert(0, str(CHECKOUT / "tests" / "lab"))

import lab  # the path above is what makes it importable

ROUNDS = 3
OURS = "playbooks/remediate_circuit_breaker.yml"
BUILTIN = "tests/bench/builtin.yml"
ESCALATE = "playbooks/escalate.yml"
ESCALATE_HOSTS = 60
ESCALATE_FORKS = 20
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
NEVER_SEEN = """
systemctl --quiet disable --now aurora-runbook-leases.timer 2>/dev/null
rm -rf /usr/local/lib/aurora-runbook
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

# What commands see of this machine's disk while they stand in for hosts: no records, and no program but their own.
WITHOUT_RECORDS = """
set -e
mount -t tmpfs tmpfs /var/lib
mount -t tmpfs tmpfs /run
mkdir /run/lib
mount --bind /usr/local/lib /run/lib
mount -t tmpfs -o mode=755 tmpfs /usr/local/lib
for entry in $(ls -A /run/lib | grep -v aurora-runbook); do ln -s "/run/lib/$entry" /usr/local/lib/; done
echo $$
exec cat
"""

Hosts = dict[str, str]


@dataclass(frozen=True)
class Way:
    """One way to repair hosts: what does it, and returns the CPU seconds of the connections it leaves open."""

    what: str
    hosts: Hosts
    repair: Callable[[], float]
    before: str = ""  # a script for the hosts, run before each round


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, default=8, metavar="N", help="Aurora hosts (default 8)")
    parser.add_argument("--further", action="store_true", help="measure on twice as many hosts too")
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args()
    try:
        everywhere = lab.aurora_hosts([f"aurora{n}" for n in range(1, options.hosts * (1 + options.further) + 1)])
        hosts = dict(list(everywhere.items())[: options.hosts])
        with contextlib.redirect_stdout(sys.stderr):
            with broken(everywhere):
                contenders = rounds(ways(hosts, everywhere))
                cost = cost_of_ours(hosts)
                with_waits = [] if options.json else ["", with_waits_said(hosts)]
            contenders.append(escalate())
    except lab.LabError as error:
        sys.exit(f"bench: {error}")
    found = rows(contenders, cost)
    if options.json:
        print(json.dumps([rounded(row) for row in found]))
    else:
        said = [*table(contenders), "", *goals(found), "", *cost.lines(), *with_waits]
        print("\n".join([f"{ROUNDS} rounds, medians", *said]))


@contextlib.contextmanager
def broken(hosts: Hosts) -> Iterator[None]:
    """Spreads too wide for the hosts' breakers, and nothing on the hosts that waits; afterwards all is as before."""
    try:
        on_all(hosts, AS_BEFORE + WITHOUT_WAITING)
        lab.break_("breaker_spreads", list(hosts))
        yield
    finally:
        on_all(hosts, AS_BEFORE + NEVER_SEEN + WITH_WAITING)
        lab.mend()


def ways(hosts: Hosts, everywhere: Hosts) -> list[Way]:
    """The contenders, and ours and pyinfra's once more where there are further hosts."""
    tuned = {"ANSIBLE_PIPELINING": "true", **forks(hosts)}
    found = [
        Way("ours_first", hosts, partial(ours, hosts), NEVER_SEEN),
        Way("ours", hosts, partial(ours, hosts)),
        Way("builtin", hosts, partial(playbook, BUILTIN, hosts)),
        Way("builtin_tuned", hosts, partial(playbook, BUILTIN, hosts, settings=tuned)),
        Way("pyinfra", hosts, partial(pyinfra, hosts)),
        Way("ssh", hosts, partial(ssh, hosts)),
    ]
    if len(everywhere) > len(hosts):
        found.append(Way("ours_further", everywhere, partial(ours, everywhere)))
        found.append(Way("pyinfra_further", everywhere, partial(pyinfra, everywhere)))
    return found


def rounds(contenders: list[Way]) -> list[Contender]:
    """Every round of every contender, in turn. A run that does not count leaves our program on all hosts before."""
    most = max(contenders, key=lambda way: len(way.hosts)).hosts
    timed("ours, not counted", Way("ours", most, partial(ours, most)))
    runs: dict[str, list[Run]] = {way.what: [] for way in contenders}
    for number in range(1, ROUNDS + 1):
        for way in contenders:
            runs[way.what].append(timed(f"{way.what}, round {number} of {ROUNDS}", way))
    return [Contender(way.what, len(way.hosts), runs[way.what]) for way in contenders]


def timed(title: str, way: Way) -> Run:
    """What a repair took; afterwards the hosts are as they were before."""
    if way.before:
        on_all(way.hosts, way.before)
    lab.wait_for_breakers(way.hosts, is_open=True)
    with lab.step(title):
        took = measured(way.repair)
    on_all(way.hosts, REPAIRED)
    on_all(way.hosts, AS_BEFORE)
    return took


def measured(work: Callable[[], float]) -> Run:
    """Seconds that work took, and CPU seconds of the processes it started here."""
    cpu, started = cpu_of_children(), time.monotonic()
    left = work()
    return Run(time.monotonic() - started, cpu_of_children() - cpu + left)


def cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def forks(hosts: Hosts) -> dict[str, str]:
    return {"ANSIBLE_FORKS": str(len(hosts))}


def ours(hosts: Hosts) -> float:
    return playbook(OURS, hosts, SHORTEST, forks(hosts))


def playbook(path: str, hosts: Hosts, variables: dict | None = None, settings: dict[str, str] | None = None) -> float:
    argv = ["ansible-playbook", path, "--inventory=inventory/lab", f"--limit={','.join(hosts)}"]
    with tempfile.TemporaryDirectory(prefix="bench") as sockets:
        environment = {"ANSIBLE_SSH_CONTROL_PATH_DIR": sockets, **(settings or {})}
        run([*argv, f"--extra-vars={json.dumps(variables or {})}"], environment)
        return sum(map(cpu_of_connection, Path(sockets).iterdir()))


def cpu_of_connection(socket: Path) -> float:
    """CPU seconds of an ssh that Ansible left in the background."""
    argv = ["ssh", "-o", f"ControlPath={socket}", "-O", "check", "any"]
    answer = subprocess.run(argv, capture_output=True, text=True, check=False)
    process = re.search(r"pid=(\d+)", answer.stderr)
    if not process:
        raise lab.LabError(f"no connection answers at {socket}: {answer.stderr.strip()}")
    fields = Path("/proc", process[1], "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pyinfra(hosts: Hosts) -> float:
    known = lab.state()
    login = [f"--ssh-user={known['user']}", f"--ssh-key={known['key']}"]
    trust = ["--data=ssh_strict_host_key_checking=yes", f"--data=ssh_known_hosts_file={known['known_hosts']}"]
    run(["pyinfra", "-y", "--sudo", *login, *trust, ",".join(hosts.values()), str(HERE / "deploy.py")], {})
    return 0.0


def ssh(hosts: Hosts) -> float:
    on_all(hosts, (HERE / "runbook.sh").read_text(encoding="utf-8"))
    return 0.0


def escalate() -> Contender:
    """A tick of the clock over many hosts of which none has an open incident, and each has the program."""
    this_machine = {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}
    hosts = {f"host{n}": this_machine for n in range(1, ESCALATE_HOSTS + 1)}
    settings = {"ANSIBLE_FORKS": str(ESCALATE_FORKS), "ANSIBLE_HOME": "/run/ansible"}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as inventory, without_records() as inside:
        json.dump({"aurora": {"hosts": hosts}}, inventory)
        inventory.flush()

        def tick() -> float:
            run([*inside, "ansible-playbook", str(CHECKOUT / ESCALATE), f"--inventory={inventory.name}"], settings)
            return 0.0

        program = ["ansible", "host1", "--become", "--module-name=aurora.runbook.program"]
        run([*inside, *program, f"--inventory={inventory.name}"], settings)
        runs = []
        for number in range(1, ROUNDS + 1):
            with lab.step(f"escalate over {ESCALATE_HOSTS} hosts, round {number} of {ROUNDS}"):
                runs.append(measured(tick))
    return Contender("escalate", ESCALATE_HOSTS, runs)


@contextlib.contextmanager
def without_records() -> Iterator[list[str]]:
    """What to put before a command, so that it neither reads nor writes records and programs of this machine."""
    root = ["sudo", "--preserve-env"] if os.geteuid() else []
    argv = [*root, "unshare", "--mount", "sh", "-c", WITHOUT_RECORDS]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        if not (process := holder.stdout.readline().strip()):
            raise lab.LabError("the disk of this machine cannot be hidden from a command; see above")
        # sudo has a PATH of its own.
        yield [*root, "nsenter", f"--mount=/proc/{process}/ns/mnt", "--", "env", f"PATH={os.environ['PATH']}"]


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


def with_waits_said(hosts: Hosts) -> str:
    """How long ours takes with the lab's own waits."""
    on_all(hosts, WITH_WAITING)
    took = timed("ours with the lab's own waits", Way("ours", hosts, partial(playbook, OURS, hosts))).seconds
    return f"ours with the lab's own waits (sample window, ping, iostat, hold): {took:.1f} s"


def cost_of_ours(hosts: Hosts) -> HostCost:
    """More runs, with the lab's own waits: what the calls cost a host, and how many bytes each sends it.

    On one host at a time, since hosts that share this machine's cores make each other's CPU seconds longer.
    """
    on_all(hosts, WITH_WAITING)
    one = dict(list(hosts.items())[:1])
    cost = HostCost([], [], [], [])
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        notes, counting = Path(folder, "sent"), Path(folder, "ssh")
        counting.write_text(
            f"#!{sys.executable}\n{Path(counted_ssh.__file__).read_text(encoding='utf-8')}", encoding="utf-8"
        )
        counting.chmod(0o755)
        settings = {"ANSIBLE_SSH_EXECUTABLE": str(counting), counted_ssh.SENT: str(notes)}
        way = Way("ours", one, partial(playbook, OURS, one, {"aurora_python_interpreter": PYTHON}, settings))
        for number in range(1, ROUNDS + 1):
            calls = accounted(one, partial(timed, f"ours on {next(iter(one))}, round {number} of {ROUNDS}", way))
            cost.cpu.append(sum(call["cpu"] for call in calls))
            cost.memory.append(max(call["memory"] for call in calls) / 1e6)
            cost.empty_cpu.append(sum(call["cpu"] for call in accounted(one, partial(empty_calls, one))))
        cost.sent.extend(int(line) for line in notes.read_text(encoding="ascii").splitlines())
    return cost


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


if __name__ == "__main__":
    main()
