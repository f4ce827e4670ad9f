# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd and the kernel say about units and their processes. Private to aurora.runbook."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils.base._command import Completed
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import CommandError, RunbookError

Run = Callable[[list[str]], Completed]

# What a service is doing, by the pair of states that systemd shows. A pair that is in no table is UNKNOWN, which is
# neither up nor down.
RUNS, STARTS, RESTARTS, STOPS, ENDED, FAILED, UNKNOWN = (
    "runs", "starts", "restarts", "stops", "ended", "failed", "unknown",
)  # fmt: skip
SUB_STATES = {
    # A service that reloads its configuration or its credentials continues to serve meanwhile.
    RUNS: {
        "active": ("running",),
        "reloading": ("reload", "reload-signal", "reload-notify", "reload-post"),
        "refreshing": ("refresh-extensions", "refresh-credentials", "mounting"),
    },
    STARTS: {
        "activating": ("condition", "start-pre", "start", "start-post"),
        "active": ("condition", "start-pre", "start", "start-post"),  # of a service of Type=idle
    },
    RESTARTS: {
        "activating": ("auto-restart", "auto-restart-queued"),
        "inactive": ("dead-before-auto-restart",),
        "failed": ("failed-before-auto-restart",),
    },
    STOPS: {
        "deactivating": (
            "stop", "stop-watchdog", "stop-sigterm", "stop-sigkill", "stop-post",
            "final-watchdog", "final-sigterm", "final-sigkill",
        ),
    },
    # "active (exited)" has no process left, and a unit that is being cleaned had none before.
    ENDED: {"inactive": ("dead", "dead-resources-pinned"), "active": ("exited",), "maintenance": ("cleaning",)},
    FAILED: {"failed": ("failed",)},
}  # fmt: skip
PHASES = {
    (active, sub): phase for phase, states in SUB_STATES.items() for active, subs in states.items() for sub in subs
}
# A service that ended by itself that many times within that many seconds is in a crash loop. A service that somebody
# started is out of it once it has stayed up for YOUNG_SECONDS.
LOOP_CRASHES, LOOP_SECONDS, YOUNG_SECONDS = 3, 300, 10
# systemd's message ids.
STARTED, STOPPING = "39f53479d3a045ac8e11786248231fbf", "de5b426a63be47a7b6ac3eaac82e2f6f"
PROCESS_EXIT, FAILURE = "98e322203f7a4ed290d09fe03c09fe15", "d9b373ed55a64feb8242e02dbe79a49c"
RESTART_SCHEDULED = "5eb03494b6584870a536b337290809b3"
ENDED_BY_HAND = re.compile(r"Sent signal SIG(?:KILL|TERM|INT|QUIT|ABRT) to .* on client request")
MAX_LINE = 4000  # longest line of the journal, in characters
UNIT_NAME = re.compile(r"[A-Za-z0-9:_.@][A-Za-z0-9:_.@-]{0,200}")
PROPERTIES = (
    "Id", "LoadState", "ActiveState", "SubState", "Transient", "NeedDaemonReload", "CanReload",
    "DropInPaths", "Environment", "EnvironmentFiles", "UnsetEnvironment", "MainPID", "ControlGroup", "InvocationID",
    "NRestarts", "ActiveEnterTimestamp", "ActiveEnterTimestampMonotonic", "Result", "ExecMainStatus",
    "MemoryCurrent", "MemoryHigh", "MemoryMax", "CPUUsageNSec", "CPUQuotaPerSecUSec",
    "TimeoutStartUSec", "TimeoutStopUSec",
)  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """``systemctl show`` of one unit."""

    asked: str
    properties: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.properties.get(name, "")

    @property
    def id(self) -> str:
        return self["Id"] or self.asked

    @property
    def phase(self) -> str:
        """What the unit is doing; RESTARTS is between a crash and systemd's own start."""
        return PHASES.get((self["ActiveState"], self["SubState"]), UNKNOWN)

    @property
    def running(self) -> bool:
        return self.phase == RUNS

    @property
    def over(self) -> bool:
        """Whether nothing of the unit runs any more, and nothing is about to start."""
        return self.phase in (ENDED, FAILED)

    @property
    def pid(self) -> int:
        return self.number("MainPID") or 0

    @property
    def up_seconds(self) -> float | None:
        """How long the unit has been running, in seconds; None if it is not."""
        since = self.number("ActiveEnterTimestampMonotonic")
        return time.monotonic() - since / 1e6 if self.running and since else None

    @property
    def state(self) -> str:
        """The state as people read it: "active (running)"."""
        return f"{self['ActiveState'] or 'unknown'} ({self['SubState'] or 'unknown'})"

    def number(self, name: str) -> int | None:
        """A numeric property; None for "infinity", "[not set]" and the largest value, which stand for no number."""
        text = self[name]
        return int(text) if text.isdigit() and int(text) < 2**63 else None


def check_name(name: str) -> str:
    """A unit name in full ("x" is "x.service"). Raises RunbookError for a name that is not plain or not a service."""
    if not UNIT_NAME.fullmatch(name):
        raise RunbookError(f"{name[:80]!r} is not a unit name; expected letters, digits and : _ . @ -")
    full = name if "." in name else f"{name}.service"
    if not full.endswith(".service"):
        raise RunbookError(f"{full} is not a service; expected NAME or NAME.service")
    return full


def show(run: Run, names: Iterable[str]) -> list[Unit]:
    """The state of units, in the order asked for, with one call. Raises CommandError if systemd does not answer."""
    names = list(names)
    done = run(["systemctl", "show", f"--property={','.join(PROPERTIES)}", "--", *names])
    blocks = [parse(block) for block in done.out.strip("\n").split("\n\n")]
    if done.rc != 0 or len(blocks) != len(names):
        raise CommandError(f"systemctl show {' '.join(names)} failed: {done.last_line or done.rc}")
    return [Unit(name, block) for name, block in zip(names, blocks)]


def own_names(run: Run, names: Iterable[str]) -> dict[str, str]:
    """The units' own names, by the names asked for. Leases, control groups and the journal use the own name, no alias.

    Raises RunbookError for an invalid name of a service, and if systemd does not answer.
    """
    full = {name: check_name(name) for name in names}
    found = show(run, full.values()) if full else []
    return {name: unit.id for name, unit in zip(full, found)}


def parse(text: str) -> dict[str, str]:
    """KEY=VALUE lines; the values of a repeated key (EnvironmentFiles) are joined with a newline."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals:
            found[key] = f"{found[key]}\n{value}" if key in found else value
    return found


def timespan(text: str) -> float | None:
    """Seconds of a time as systemd shows it ("500ms", "1s 200ms", "1min"); None for "infinity" and invalid texts."""
    parts = [re.fullmatch(r"(\d+(?:\.\d+)?)(us|ms|s|min|h)", part) for part in text.split()]
    if not parts or not all(parts):
        return None
    return sum(float(part[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600}[part[2]] for part in parts)


def environment_files(unit: Unit) -> list[str]:
    """Paths of EnvironmentFiles= in the order systemd reads them."""
    return [re.sub(r" \(ignore_errors=\w+\)$", "", line) for line in unit["EnvironmentFiles"].splitlines() if line]


def processes(control_group: str, proc: str = "/proc") -> list[int]:
    """Every process in a unit's control group or below it, on cgroup v1 and v2 alike."""
    if not control_group.strip("/"):
        return []
    return [pid for pid in _pids(proc) if _inside(control_group, f"{proc}/{pid}/cgroup")]


def _pids(proc: str) -> list[int]:
    return sorted(int(name) for name in os.listdir(proc) if name.isdigit())


def _inside(control_group: str, path: str) -> bool:
    for line in _read(path).splitlines():
        controllers, _colon, place = line.partition(":")[2].partition(":")
        if controllers in ("", "name=systemd") and (place == control_group or place.startswith(control_group + "/")):
            return True
    return False


def units_of(pid: int, proc: str = "/proc") -> set[str]:
    """The names in the control groups of a process; its unit is among them."""
    return {part for line in _read(f"{proc}/{pid}/cgroup").splitlines() for part in line.split("/")[1:]}


def anonymous_memory(control_group: str, proc: str = "/proc") -> int:
    """Bytes of memory that belong to a unit's processes alone. MemoryCurrent counts cached files too."""
    texts = (_read(f"{proc}/{pid}/status") for pid in processes(control_group, proc))
    return sum(int(size) << 10 for text in texts for size in re.findall(r"^RssAnon:\s+(\d+) kB$", text, re.MULTILINE))


def throttled(control_group: str, root: str = "/sys/fs/cgroup") -> float | None:
    """Seconds for which the kernel has held a unit back for its CPU quota, on cgroup v1 and v2; None if not counted."""
    if not control_group.strip("/"):
        return None
    for place in (f"{root}/cpu", root):
        counted = re.search(r"^throttled_(usec|time) (\d+)$", _read(f"{place}{control_group}/cpu.stat"), re.MULTILINE)
        if counted:
            return int(counted[2]) / {"usec": 1e6, "time": 1e9}[counted[1]]
    return None


def listeners(port: int, proc: str = "/proc") -> list[int]:
    """The processes that listen on a TCP port."""
    rows = (line.split() for table in ("tcp", "tcp6") for line in _read(f"{proc}/net/{table}").splitlines()[1:])
    own = {f"socket:[{row[9]}]" for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port}
    return [pid for pid in _pids(proc) if not own.isdisjoint(_links(f"{proc}/{pid}/fd"))] if own else []


def _links(folder: str) -> Iterator[str]:
    """Where the links in a directory lead; links that vanish meanwhile are ignored."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):
                yield os.readlink(f"{folder}/{name}")


def environment(pid: int, proc: str = "/proc") -> dict[str, str] | None:
    """The environment with which a process was started; None if the process is gone or is a zombie."""
    text = _read(f"{proc}/{pid}/environ")
    if not text and _read(f"{proc}/{pid}/stat").rpartition(")")[2].split()[:1] in ([], ["Z"], ["X"]):
        return None
    pairs = (item.partition("=") for item in text.split("\0") if "=" in item)
    return {name: value for name, _equals, value in pairs}


def arguments(pid: int, proc: str = "/proc") -> list[str]:
    """The command line of a process, empty if it is gone."""
    return _read(f"{proc}/{pid}/cmdline").split("\0")[:-1]


def started(pid: int, proc: str = "/proc") -> str:
    """When a process started, in clock ticks since boot; with the pid it identifies the process. "" if it is gone."""
    fields = _read(f"{proc}/{pid}/stat").rpartition(")")[2].split()
    return f"{pid}:{fields[19]}" if len(fields) > 19 else ""


def boot() -> tuple[str, float]:
    """The id of this boot, and the seconds since then. A wrong clock changes neither."""
    return _read("/proc/sys/kernel/random/boot_id").strip(), time.clock_gettime(time.CLOCK_BOOTTIME)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:  # a process may end between being listed and being read
        return ""


def journal(run: Run, unit: str, lines: int = 20) -> list[str]:
    """The last lines of a unit's journal, the oldest first.

    ``--all`` includes lines that are long or have control characters, which journalctl would otherwise leave out. They
    are cleaned and cut here.
    """
    argv = ["journalctl", "--no-pager", "--quiet", "--all", "--no-hostname", "--output=short-iso", f"--lines={lines}"]
    return _lines(run([*argv, f"--unit={unit}"]).out)


def _lines(text: str) -> list[str]:
    """Lines as the journal has them: only a newline ends a line."""
    return [line[:MAX_LINE] for line in text.split("\n") if line]


@dataclass(frozen=True)
class Crashes:
    """The recent crashes of a service, one run after the other: seconds since each, the latest first.

    ``killed`` of them were killed although nobody sent a signal, ``memory`` of those for their memory, as systemd says.
    """

    ages: tuple[float, ...] = ()
    killed: int = 0
    memory: int = 0

    @property
    def count(self) -> int:
        return len(self.ages)

    @property
    def loop_left(self) -> float:
        """Seconds until this no longer counts as a crash loop, if no crash follows; 0 if it does not count as one."""
        return LOOP_SECONDS - self.ages[LOOP_CRASHES - 1] if self.count >= LOOP_CRASHES else 0.0


def crashes(run: Run, unit: Unit) -> Crashes:
    """The recent crashes of a service, found from when its runs started and ended.

    NRestarts is no help: it has no times, misses manual restarts, and a manual restart keeps it on systemd 252 and
    resets it on 257. It is used only if the journal has nothing about a service that is restarting right now.
    """
    up = unit.up_seconds
    if up is not None and up >= LOOP_SECONDS:
        return Crashes()
    argv = ["journalctl", "--no-pager", "--quiet", "--boot", "--output=json", "--lines=200"]
    fields = "--output-fields=MESSAGE_ID,MESSAGE,INVOCATION_ID,UNIT_RESULT,EXIT_CODE,EXIT_STATUS"
    try:
        lines = run([*argv, fields, "_PID=1", f"UNIT={unit.id}"]).out.splitlines()
    except CommandError:  # there is no journal, or it takes too long
        lines = []
    told = [entry for line in lines if (entry := _journal_entry(line))]
    if told:
        return judge_crashes(told, time.monotonic())
    doubtful = unit.phase == RESTARTS or (up is not None and up < YOUNG_SECONDS)
    return Crashes((0.0,) * (unit.number("NRestarts") or 0)) if doubtful else Crashes()


def _journal_entry(line: str) -> dict | None:
    """A line of ``journalctl --output=json`` about a run of a unit, None for any other line."""
    try:
        entry = json.loads(line)
        return {**entry, "at": int(entry["__MONOTONIC_TIMESTAMP"]) / 1e6} if entry.get("INVOCATION_ID") else None
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def judge_crashes(told: Iterable[Mapping], now: float) -> Crashes:
    """The crashes of the last LOOP_SECONDS that follow each other.

    ``told`` are the journal's entries about a unit, each ``at`` that many seconds after boot, the oldest first. A run
    that somebody started and that stayed up ends the series before it.
    """
    runs: dict[str, list[Mapping]] = {}
    for entry in told:
        runs.setdefault(str(entry["INVOCATION_ID"]), []).append(entry)
    ages, killed, memory = [], 0, 0
    order = list(runs.values())
    for index in reversed(range(len(order))):
        run, by_systemd = order[index], index > 0 and _first(order[index - 1], RESTART_SCHEDULED) is not None
        started = _first(run, STARTED)
        ended = _first(run, FAILURE) or _first(run, RESTART_SCHEDULED)
        asked = _first(run, STOPPING) is not None or any(ENDED_BY_HAND.search(str(e.get("MESSAGE"))) for e in run)
        if ended and not asked and now - ended["at"] < LOOP_SECONDS:
            ages.append(now - ended["at"])
            how, exits = ended.get("UNIT_RESULT"), _first(run, PROCESS_EXIT) or {}
            by_signal = (how, exits.get("EXIT_CODE"), exits.get("EXIT_STATUS")) == ("signal", "killed", "9")
            memory += how == "oom-kill"
            killed += by_signal or how == "oom-kill"
        goes_on = index == len(order) - 1 and not (ended or asked)
        last = ended["at"] if ended else now if goes_on else run[-1]["at"]
        if started and not by_systemd and last - started["at"] >= YOUNG_SECONDS:
            break
    return Crashes(tuple(ages), killed, memory)


def _first(entries: Iterable[Mapping], message: str) -> Mapping | None:
    return next((entry for entry in entries if entry.get("MESSAGE_ID") == message), None)


def last_words(run: Run, unit: str, lines: int = 3) -> list[str]:
    """The last lines that a service itself wrote to the journal, without systemd's lines about it."""
    argv = ["journalctl", "--no-pager", "--quiet", "--all", "--boot", "--output=cat", f"--lines={lines}"]
    return [line for line in _lines(run([*argv, f"_SYSTEMD_UNIT={unit}"]).out) if line.strip()][-lines:]
