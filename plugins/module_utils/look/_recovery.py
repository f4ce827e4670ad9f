# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an indicator recovered: three answers from samples taken since the action. Private to aurora.runbook.

Recovered: within the threshold on fresh samples, for the time to hold, with enough events behind them. Not recovered:
seen, and still or again beyond the threshold. Unknown: everything else, since no data is no recovery.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _messages, _metrics
from ansible_collections.aurora.runbook.plugins.module_utils.aurora._verdicts import NOT_RECOVERED, RECOVERED, UNKNOWN
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import FetchError, MetricsError

_START, _DENIED = "process_start_time_seconds", "policy_denied_total"
WAITING = "waiting"  # no verdict yet


@dataclass(frozen=True)
class Rule:
    """What counts as recovered: the limit, how long it must hold (s), and how many events must stand behind it."""

    indicator: _indicators.Indicator
    threshold: float
    hold: float
    min_count: int


@dataclass(frozen=True)
class Reading:
    """One scrape ``at`` seconds after the action; ``process`` names the process that answered."""

    at: float
    page: _metrics.Page | None
    process: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Verdict:
    """An answer, its reason as a message key, and its numbers."""

    answer: str
    reason: str
    value: float | None = None
    count: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """A finished wait: its verdict, what was seen on the way, oldest first, and how many orders were denied."""

    verdict: Verdict
    samples: tuple[dict, ...] = field(default_factory=tuple)
    denied: float | None = None


def judge(readings: Sequence[Reading], rule: Rule) -> Verdict:
    """The answer so far. WAITING has the reason that will apply if nothing better comes before the deadline."""
    last = readings[-1]
    if _broken([reading for reading in readings if reading.page is not None][-2:], rule):
        verdict = Verdict(UNKNOWN, "reset")
    elif last.page is None:
        verdict = Verdict(WAITING, last.problem)
    elif rule.indicator.kind in ("state", "gauge"):
        verdict = _judge_level(readings, rule)
    else:
        verdict = _judge_window(readings, rule)
    return replace(verdict, seconds=round(last.at, 3))


def conclude(verdict: Verdict) -> Verdict:
    """The answer at the deadline: not recovered if still beyond the threshold, unknown if less than that was seen."""
    if verdict.answer != WAITING:
        return verdict
    return replace(verdict, answer=NOT_RECOVERED if verdict.reason in ("still_breached", "half_open") else UNKNOWN)


def wait(
    rule: Rule,
    read: Callable[[float], Reading],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    timeout: float,
    interval: float,
) -> Outcome:
    """Read every ``interval`` seconds until there is an answer, for at most ``timeout`` seconds.

    A timeout of 0 reads once and returns what that one sample shows.
    """
    started = clock()
    readings: list[Reading] = []
    while True:
        readings.append(read(clock() - started))
        verdict = judge(readings, rule)
        left = started + timeout - clock()
        if verdict.answer != WAITING or left <= 0:
            return Outcome(conclude(verdict), tuple(_sample(r, rule) for r in readings[-50:]), _denied(readings, rule))
        sleep(min(interval, left))


def reader(rule: Rule, fetch: Callable[[], str], process: Callable[[], str]) -> Callable[[float], Reading]:
    """A read function for wait(): ``fetch`` returns a metrics page, ``process`` names the process behind it."""
    families = {rule.indicator.family, rule.indicator.divisor, _START, _DENIED}
    families.update(f"{rule.indicator.family}_{part}" for part in ("bucket", "count"))

    def read(at: float) -> Reading:
        try:
            return Reading(at, _metrics.parse(fetch()).only(families), process())
        except FetchError:
            return Reading(at, None, problem="silent")
        except MetricsError:
            return Reading(at, None, problem="malformed")

    return read


def describe(outcome: Outcome, rule: Rule) -> dict:
    """An outcome as a module returns it: verdict, one sentence, and the evidence."""
    verdict = outcome.verdict
    numbers = {
        "metric": rule.indicator.metric,
        "reason": verdict.reason,
        "value": verdict.value,
        "count": verdict.count,
        "threshold": rule.threshold,
        "min_count": rule.min_count,
        "hold_seconds": rule.hold,
        "seconds": verdict.seconds,
        "denied": outcome.denied,
    }
    return {
        "verdict": verdict.answer,
        "message": _messages.recovery("en", numbers),
        "recovery": {**numbers, "samples": list(outcome.samples)},
    }


def _denied(readings: Sequence[Reading], rule: Rule) -> float | None:
    """Orders denied; None if the page does not count them, or if another process answered at the end.

    The feed's page may carry the runner's families without counting anything in them.
    """
    if rule.indicator.service != "runner":
        return None
    pages = [reading.page for reading in readings if reading.page is not None and reading.page.has(_DENIED)]
    return _metrics.increase(pages[0], pages[-1], _DENIED) if pages[1:] else None


def _broken(readings: Sequence[Reading], rule: Rule) -> bool:
    """Whether the process restarted or a counter fell between readings. Then the samples do not belong together."""
    counter = {"state": rule.indicator.divisor, "p99": f"{rule.indicator.family}_count"}
    name = counter.get(rule.indicator.kind, rule.indicator.family)
    for old, new in zip(readings, readings[1:]):
        if old.process != new.process or old.page.total(_START) != new.page.total(_START):
            return True
        counted = rule.indicator.kind != "gauge" and None not in (old.page.counts(name), new.page.counts(name))
        if counted and _metrics.increase(old.page, new.page, name) is None:
            return True
    return False


def _judge_level(readings: Sequence[Reading], rule: Rule) -> Verdict:
    """Judge a breaker's state or a gauge: it needs one unbroken streak within the threshold."""
    state = rule.indicator.kind == "state"
    since, tried, seen = None, False, _indicators.Value(None, problem="no_data")
    for reading in readings:
        seen = _indicators.Value(None) if reading.page is None else _level(reading.page, rule)
        fine = _indicators.verdict(rule.indicator, seen, rule.threshold) is False
        if state and tried and seen.value is not None and rule.indicator.breached(seen.value, rule.threshold):
            return Verdict(NOT_RECOVERED, "reopened", seen.value, seen.count)
        tried = tried or (seen.value is not None and not rule.indicator.breached(seen.value, rule.threshold))
        since = (since or (reading.at, seen.count or 0.0)) if fine else None
    if seen.value is None:
        return Verdict(WAITING, seen.problem)
    if since is None:
        beyond = rule.indicator.breached(seen.value, rule.threshold)
        return Verdict(WAITING, "still_breached" if beyond else "half_open", seen.value)
    count = None if seen.count is None else seen.count - since[1]
    if count is not None and count < rule.min_count:
        return Verdict(WAITING, "too_few", seen.value, count)
    held = readings[-1].at - since[0] >= rule.hold
    return Verdict(RECOVERED if held else WAITING, "within" if held else "too_short", seen.value, count)


def _level(page: _metrics.Page, rule: Rule) -> _indicators.Value:
    seen = _indicators.measure(rule.indicator, None, page, 0)
    if seen.value is not None and rule.indicator.divisor and seen.count is None:
        return _indicators.Value(None, problem="no_data")
    return seen


def _judge_window(readings: Sequence[Reading], rule: Rule) -> Verdict:
    """Judge a ratio or quantile over the shortest window up to now that is long enough and has enough events."""
    last = readings[-1]
    indicator = replace(rule.indicator, min_count=rule.min_count)
    verdict = Verdict(WAITING, "too_short")
    for first in reversed([r for r in readings[:-1] if r.page is not None]):
        seconds = last.at - first.at
        seen = _indicators.measure(indicator, first.page, last.page, seconds)
        if seen.value is None:
            verdict = Verdict(WAITING, seen.problem, None, seen.count)
        elif seconds >= rule.hold:
            beyond = rule.indicator.breached(seen.value, rule.threshold)
            return Verdict(
                WAITING if beyond else RECOVERED, "still_breached" if beyond else "within", seen.value, seen.count
            )
        else:
            verdict = Verdict(WAITING, "too_short", seen.value, seen.count)
    return verdict


def _sample(reading: Reading, rule: Rule) -> dict:
    seen = _indicators.Value(None, problem=reading.problem)
    if reading.page is not None and rule.indicator.kind in ("state", "gauge"):
        seen = _indicators.measure(rule.indicator, None, reading.page, 0)
    elif reading.page is not None:
        name = rule.indicator.divisor or f"{rule.indicator.family}_count"
        seen = _indicators.Value(None, reading.page.total(name))
    return {"at": round(reading.at, 2), "value": seen.value, "count": seen.count, "problem": seen.problem}
