# SPDX-License-Identifier: GPL-3.0-or-later
"""What a benchmark says: rows for programs, and for people a table of the rounds and each goal beside its figure."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

DIGITS = 2


@dataclass(frozen=True)
class Run:
    """What one round took: seconds, and CPU seconds of the controller's processes."""

    seconds: float
    controller_cpu: float


@dataclass(frozen=True)
class HostCost:
    """What whole loops cost one host, a number each round, and how many bytes each of their calls sent it."""

    cpu: list[float]
    empty_cpu: list[float]
    memory: list[float]
    sent: list[int]

    def fields(self) -> dict:
        return {
            "host_cpu": median(self.cpu),
            "host_memory_mb": median(self.memory),
            "bytes_per_call": median(self.sent),
            "bytes_per_call_max": max(self.sent),
        }

    def lines(self) -> list[str]:
        """The same for people, with the worst."""
        return [
            f"what the calls of one loop cost one host, {len(self.cpu)} rounds{'median':>10}{'worst':>8}",
            f"{'  CPU seconds, with all commands':46}{median(self.cpu):10.2f}{max(self.cpu):8.2f}",
            f"{'  of two calls of ansible.builtin.ping':46}{median(self.empty_cpu):10.2f}{max(self.empty_cpu):8.2f}",
            f"{'  peak memory, MB':46}{median(self.memory):10.0f}{max(self.memory):8.0f}",
            f"{'  KB sent for each call':46}{median(self.sent) / 1000:10.1f}{max(self.sent) / 1000:8.1f}",
        ]


@dataclass(frozen=True)
class Contender:
    """One way to do the work, on how many hosts it did it, and what each round took."""

    what: str
    hosts: int
    runs: list[Run]

    def row(self) -> dict:
        seconds = median(run.seconds for run in self.runs)
        cpu = median(run.controller_cpu for run in self.runs)
        return {"hosts": self.hosts, "what": self.what, "seconds": seconds, "controller_cpu": cpu}


def rows(contenders: list[Contender], cost: HostCost) -> list[dict]:
    """A row for each contender, medians; that of ``ours`` has what a host paid for it too."""
    found = [contender.row() for contender in contenders]
    return [{**row, **cost.fields()} if row["what"] == "ours" else row for row in found]


def rounded(row: dict) -> dict:
    return {name: round(value, DIGITS) if isinstance(value, float) else value for name, value in row.items()}


def table(contenders: list[Contender]) -> list[str]:
    """A line for each contender."""
    ours = next(contender for contender in contenders if contender.what == "ours").row()["seconds"]
    lines = [f"{'':16}{'hosts':>5}{'seconds':>9}{'min – max':>16}{'to ours':>9}{'controller CPU s':>18}"]
    for contender in contenders:
        row = contender.row()
        took = [run.seconds for run in contender.runs]
        between = f"{min(took):.1f} – {max(took):.1f}"
        lines.append(
            f"{row['what']:16}{row['hosts']:5}{row['seconds']:9.1f}{between:>16}{row['seconds'] / ours:9.2f}"
            f"{row['controller_cpu']:18.2f}"
        )
    return lines


def goals(found: list[dict]) -> list[str]:
    """Each goal with what was measured of it, from the rows."""
    by = {row["what"]: row for row in found}
    ours, pyinfra = by["ours"], by["pyinfra"]
    return [
        f"{'':58}{'measured':>10}{'goal':>10}",
        at_most("ours / pyinfra, program on the hosts", ours["seconds"] / pyinfra["seconds"], 0.9),
        at_most("ours / pyinfra, hosts never seen", by["ours_first"]["seconds"] / pyinfra["seconds"], 1.6),
        at_least("builtin / ours", by["builtin"]["seconds"] / ours["seconds"], 9),
        at_most("CPU seconds of one host, the whole loop", ours["host_cpu"], 0.45),
        at_most("peak memory of one host, MB", ours["host_memory_mb"], 40),
        at_most(f"CPU seconds of the controller (pyinfra {pyinfra['controller_cpu']:.2f})", ours["controller_cpu"], 4),
        at_most(f"{ours['hosts']} further hosts, seconds more than pyinfra", further(by), 1.0),
        at_most(f"escalate over {by['escalate']['hosts']} hosts, seconds", by["escalate"]["seconds"], 8),
        at_most("KB sent to a host for one call, the largest", ours["bytes_per_call_max"] / 1000, 10),
    ]


def further(by: dict[str, dict]) -> float | None:
    """By how many seconds more than pyinfra we get slower on twice the hosts; None where that was not measured."""
    if "ours_further" not in by:
        return None
    ours, pyinfra = (by[f"{what}_further"]["seconds"] - by[what]["seconds"] for what in ("ours", "pyinfra"))
    return ours - pyinfra


def at_most(what: str, measured: float | None, goal: float) -> str:
    return line(what, measured, f"<= {goal}", measured is not None and measured <= goal)


def at_least(what: str, measured: float | None, goal: float) -> str:
    return line(what, measured, f">= {goal}", measured is not None and measured >= goal)


def line(what: str, measured: float | None, goal: str, met: bool) -> str:
    shown, verdict = ("-", "not measured") if measured is None else (f"{measured:.2f}", "met" if met else "missed")
    return f"{what:58}{shown:>10}{goal:>10}  {verdict}"
