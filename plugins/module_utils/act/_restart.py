# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a unit may be restarted and needs to be, judged without touching it. Private to aurora.runbook."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record

TRADER = "KELLY_MULTIPLIER"  # only the trading loop has it in its environment
WAIT, START, RESTART = "wait", "start", "restart"
ACTION = "service_restart"  # the name of this action in the record


@dataclass(frozen=True)
class Current:
    """What is on the host. ``problem`` says why the unit is not well, ``trades`` that it is the trading loop.

    ``crashes`` is how often it ended by itself recently, ``loop_left`` for how many more seconds that counts as a crash
    loop, ``last_words`` what the service logged then. ``up`` and ``ours`` are the seconds since it came up and since we
    restarted it, None if it did not, or we did not.
    """

    unit: _systemd.Unit
    problem: str = ""
    trades: bool = False
    crashes: int = 0
    loop_left: float = 0.0
    last_words: str = ""
    up: float | None = None
    ours: float | None = None


@dataclass(frozen=True)
class Guard:
    """A guard that refuses, seconds until it would allow, and the values of its sentence."""

    name: str
    allowed_in: float
    values: Mapping[str, object]


@dataclass(frozen=True)
class Plan:
    """WAIT for systemd's own restart, START, RESTART or nothing (""), and the reason as a message with its values.

    ``guard`` refuses the action unless a person forces it. A plan that is ``refused`` cannot be forced.
    """

    action: str
    reason: str
    values: Mapping[str, object] = field(default_factory=dict)
    refused: bool = False
    guard: Guard | None = None

    @property
    def changed(self) -> bool:
        return self.action in (START, RESTART)


def plan(current: Current, state: str, min_interval: float, mended: bool = False) -> Plan:
    """What to do for ``state`` (started or restarted). A refusal does nothing and says why.

    ``mended`` means that the reason of its crashes was just mended, so that a crash loop does not prevent a start.
    """
    unit = current.unit
    values = {"unit": unit.id, "state": unit.state}

    def refuse(reason: str, **more: object) -> Plan:
        return Plan("", reason, {**values, **more}, refused=True)

    if unit["LoadState"] != "loaded":
        return refuse("refused_not_loaded", load=unit["LoadState"] or "unknown")
    if state == "started" and unit.running:
        return Plan("", "runs_already", values)
    if unit["Transient"] == "yes":
        return refuse("refused_transient")
    if unit["NeedDaemonReload"] == "yes":
        return refuse("refused_reload")
    if current.trades:
        return refuse("refused_trader")
    if unit.phase == _systemd.UNKNOWN:
        return refuse("refused_state")
    looping = current.crashes >= _systemd.LOOP_CRASHES and not mended
    young = current.up is not None and current.up < _systemd.YOUNG_SECONDS  # a service that just came up needs a moment
    coming = unit.phase in (_systemd.STARTS, _systemd.RESTARTS) or (current.crashes and current.problem and young)
    if not looping and coming:
        return Plan(WAIT, "systemd_at_it", values)
    if not looping and not current.problem and current.up is not None and current.up < min_interval:
        return Plan("", "restarted_lately", {**values, "seconds": round(current.up)})
    guard = _crash_loop(current) if looping else _restart_interval(current, min_interval)
    exited = unit["ActiveState"] == "active" and unit.phase == _systemd.ENDED  # systemd counts it as started
    if exited or (state == "restarted" and not unit.over):
        return Plan(RESTART, "restart_because", {**values, "problem": current.problem or unit.state}, guard=guard)
    return Plan(START, "start_because", values, guard=guard)


def _crash_loop(current: Current) -> Guard:
    values = {"count": current.crashes, "window": _systemd.LOOP_SECONDS // 60, "limit": _systemd.LOOP_CRASHES - 1}
    words = current.last_words or "–"
    return Guard("crash_loop", current.loop_left, {"target": current.unit.id, "words": words, **values})


def _restart_interval(current: Current, limit: float) -> Guard | None:
    if current.ours is None or current.ours >= limit:
        return None
    values = {"ago": int(current.ours), "limit": math.ceil(limit), "problem": current.problem or current.unit.state}
    return Guard("restart_interval", limit - current.ours, {"target": current.unit.id, **values})


def trades(unit: _systemd.Unit, environments: Iterable[Mapping[str, str]], files: Iterable[str]) -> bool:
    """Whether this is the trading loop, according to its processes, its unit or its EnvironmentFiles.

    An open breaker lives in its memory, and a plain restart would close it.
    """
    lines = [*unit["Environment"].split(), *(line.strip() for text in files for line in text.splitlines())]
    return any(TRADER in own for own in environments) or any(line.startswith(f"{TRADER}=") for line in lines)


def change(unit: _systemd.Unit) -> list[dict]:
    """What is recorded before a restart: which run of the service it ends."""
    return [{"name": "InvocationID", "before": unit["InvocationID"], "after": None, "direction": "neutral"}]


def ended(intent: Mapping) -> str | None:
    """The run of the service that a recorded intent was going to end, None if it does not say."""
    return next((step.get("before") for step in intent.get("change", ()) if step.get("name") == "InvocationID"), None)


def ours(records: Iterable[_record.Record], unit: _systemd.Unit, now: _stamps.Clock) -> float | None:
    """Seconds since our last restart; None if there was none in this boot, or if a crash prevented it."""
    made = [
        entry
        for record in records
        for entry in record.entries
        if entry.what == "intent"
        and (entry.boot, entry.data.get("action"), entry.data.get("target")) == (now.boot, ACTION, unit.id)
    ]
    last = max(made, key=lambda entry: entry.up, default=None)
    return None if last is None or ended(last.data) == unit["InvocationID"] else now.up - last.up
