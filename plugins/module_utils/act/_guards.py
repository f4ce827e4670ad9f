# SPDX-License-Identifier: GPL-3.0-or-later
"""What automation may do on a host, judged by what it did there before. Pure; private to aurora.runbook."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages, _verdicts
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record

HOUR, DAY = 3600.0, 86400.0
MAX_TIMES = 5  # of earlier actions that a refusal names


@dataclass(frozen=True)
class Limits:
    """Seconds between two equal actions, actions per hour and day, ineffective actions in a row, healthy peers needed.

    ``max_same_cure`` is how often a day the same action may be done for the same cause, whether it helped or not: a
    cause that comes back again and again is not cured by it.
    """

    cooldown_seconds: float = 1500.0
    max_per_hour: int = 6
    max_per_day: int = 20
    max_ineffective: int = 3
    max_same_cure: int = 3
    min_healthy: int = 0


@dataclass(frozen=True)
class Action:
    """Something done to a target; ``what`` tells two actions apart. ``age`` is in seconds, ``verdict`` its recovery's.

    ``cut_off`` means that the module was killed, so that nobody knows how far the action came. ``cause`` is what its
    run took for the cause of the incident, in the words of triage, or "". ``at`` is when, by the host's clock.
    """

    action: str
    target: str
    what: tuple[str, ...]
    incident: str = ""
    age: float = 0.0
    verdict: str = ""
    cut_off: bool = False
    cause: str = ""
    at: str = ""


@dataclass(frozen=True)
class Refusal:
    """The guard that refuses, a sentence with its numbers, and seconds until it would allow (None: never by itself)."""

    guard: str
    sentence: Mapping
    allowed_in: float | None


def history(records: Iterable[_record.Record], now: _stamps.Clock) -> list[Action]:
    """What was done on this host, the latest first, without actions that were undone or are not settled yet.

    Actions of an incident that was merged into another one count for the latter.
    """
    records, done = list(records), []
    homes = _record.homes(records)
    for record in records:
        intents = {entry.seq: entry for entry in record.entries if entry.what == "intent"}
        for entry in record.entries:
            intent = intents.get(entry.data.get("intent")) if entry.what == "result" else None
            outcome = entry.data.get("outcome")
            if intent and outcome in _verdicts.OUTCOMES and outcome != _verdicts.UNDONE:
                verdict = _verdicts.NOT_RECOVERED if outcome == _verdicts.FAILED else entry.data.get("verdict")
                done.append(
                    Action(
                        str(intent.data.get("action")),
                        str(intent.data.get("target")),
                        what(intent.data.get("change", ())),
                        homes[record.id],
                        _record.age(entry if outcome in (_verdicts.DONE, _verdicts.FAILED) else intent, now),
                        str(verdict or ""),
                        outcome == _verdicts.UNKNOWN,
                        str(intent.data.get("cause") or ""),
                        intent.at,
                    )
                )
    return sorted(done, key=lambda action: action.age)


def what(change: Iterable[Mapping]) -> tuple[str, ...]:
    """The names that a change is about, and the days of trades if they are not the usual ones."""
    return tuple(sorted(map(_name, change)))


def _name(step: Mapping) -> str:
    name, days = str(step.get("name")), step.get("days")
    return f"{name} days={days:g}" if isinstance(days, (int, float)) else name


def objection(
    limits: Limits,
    past: Sequence[Action],
    wanted: Action,
    restart: bool,
    healthy_peers: int | None,
    approved: bool = False,
) -> Refusal | None:
    """The first guard that refuses an action, None if all allow it. ``past`` has the latest action first.

    ``approved`` means that a person decided on this very action; then it is not refused because earlier ones did not
    help.
    """
    if restart and too_few(limits.min_healthy, healthy_peers):
        seen = "?" if healthy_peers is None else healthy_peers
        return refusal("min_healthy", None, target=wanted.target, healthy=seen, needed=limits.min_healthy)
    same = [p for p in past if (p.action, p.target, p.what) == (wanted.action, wanted.target, wanted.what)]
    cures = [p for p in same if wanted.cause and p.cause == wanted.cause and p.age < DAY]
    if len(cures) >= limits.max_same_cure and not approved:
        values = {"target": wanted.target, "action": _named(wanted), "cause": wanted.cause}
        times = ", ".join(p.at for p in reversed(cures[:MAX_TIMES]))
        return refusal("same_cure", None, **values, count=len(cures), times=times, limit=limits.max_same_cure)
    alike = [p for p in same if not p.cut_off]  # a dead run may not have done it at all, so it starts no cooldown
    if alike and alike[0].age < limits.cooldown_seconds:
        values = {"target": wanted.target, "action": _named(wanted), "limit": math.ceil(limits.cooldown_seconds)}
        left = limits.cooldown_seconds - alike[0].age
        return refusal("cooldown", left, ago=int(alike[0].age), **values)
    for guard, most, window in (("per_hour", limits.max_per_hour, HOUR), ("per_day", limits.max_per_day, DAY)):
        within = [p for p in past if p.age < window]
        if len(within) >= most:
            return refusal(guard, window - within[most - 1].age, count=len(within), limit=most)
    chain = _in_vain([p for p in past if p.incident == wanted.incident])
    if chain >= limits.max_ineffective and not approved:
        return refusal("ineffective", None, count=chain, limit=limits.max_ineffective)
    return None


def _in_vain(past: Sequence[Action]) -> int:
    """How many of the latest actions in a row did not help. An action with an unknown effect counts as such.

    An action does not count if nobody asked to watch its effect.
    """
    judged = [_verdicts.UNKNOWN if action.cut_off else action.verdict for action in past]
    judged = [verdict for verdict in judged if verdict in _verdicts.WATCHED]
    return next((index for index, verdict in enumerate(judged) if verdict == _verdicts.RECOVERED), len(judged))


def _named(action: Action) -> str:
    return " ".join((action.action, *action.what))


def too_few(needed: int, healthy_peers: int | None) -> bool:
    """Whether too few peers are healthy to restart a service. Peers in an unknown state count as unhealthy."""
    return bool(needed) and (healthy_peers or 0) < needed


def refusal(guard: str, allowed_in: float | None, **values: object) -> Refusal:
    """The refusal of a guard, in the words of the catalogue; ``minutes`` is when it would allow the action."""
    minutes = None if allowed_in is None else math.ceil(allowed_in / 60)
    sentence = _messages.sentence(f"guard_{guard}", **values, minutes=minutes)
    return Refusal(guard, sentence, allowed_in)
