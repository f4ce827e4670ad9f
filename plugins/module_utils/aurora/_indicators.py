# SPDX-License-Identifier: GPL-3.0-or-later
"""The indicators of the runbook: what is read, when it is a breach, how severe. Private to aurora.runbook.

Source: runbook, "Класифікація інцидентів" with its severities, and the "Симптоми" of sections 1 to 5.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _metrics

CLOSED, HALF_OPEN, OPEN = 0, 1, 2


@dataclass(frozen=True)
class Indicator:
    """One indicator. ``family`` is divided by ``divisor`` (ratio), put through a quantile, counted, or read as is."""

    incident: str
    alert: str
    metric: str
    kind: str  # state | ratio | p99 | gauge | increase
    service: str  # whose /metrics page: runner | feed
    family: str
    threshold: float
    breach: str  # how a breach compares with the threshold: ">=" | ">" | "<"
    promql: str  # the value of each instance; %(at)s stands for label matchers, %(over)s for the window
    over: str = ""  # window of the expression, in Prometheus' notation
    divisor: str = ""
    min_count: int = 0  # events that must stand behind a value
    window: float = 0.0  # seconds an increase is counted over
    labelled: bool = False  # whether its counter has no series before its first event; the expression then takes 0

    @property
    def names(self) -> tuple[str, ...]:
        """The names on a page from which a value is computed. A state's divisor only counts the events behind it."""
        if self.kind == "p99":
            return f"{self.family}_count", f"{self.family}_bucket"
        return (self.family, self.divisor) if self.kind == "ratio" else (self.family,)

    def breached(self, value: float, threshold: float | None = None) -> bool:
        """Whether a value is on the wrong side of the threshold (by default this indicator's own)."""
        limit = self.threshold if threshold is None else threshold
        return {">=": value >= limit, ">": value > limit, "<": value < limit}[self.breach]

    def expression(self, at: str = "") -> str:
        """PromQL for the value of each instance that ``at`` matches; by default of all, as alert rules need it."""
        return self.promql % {"at": at, "over": self.over}

    def worst(self, at: str) -> str:
        """PromQL for one value, that of the worst instance. One without the indicator has NaN, or the best value."""
        return f"{'min' if self.breach == '<' else 'max'}({self.expression(at)})"

    def samples(self, at: str) -> str:
        """PromQL for the samples behind a value, which show what the service did within the window."""
        return f"{self.activity}{{{at}}}[{self.over}]"

    def course(self, at: str) -> str:
        """Like worst(), but for past times: there is no value while the service gave no sample, even if it had before.

        A window lasts for its length after the last sample, and Prometheus repeats a sample for five minutes.
        """
        seen, fresh = f"{self.activity}{{{at}}}", FRESH_SECONDS
        gone = f"max_over_time({seen}[1h]) > 0 unless time() - timestamp({seen}) < {fresh:g}"
        return f"{self.worst(at)} unless on() ({gone})"

    @property
    def over_seconds(self) -> float:
        return float(self.over[:-1]) * {"m": 60, "h": 3600}[self.over[-1]]

    @property
    def activity(self) -> str:
        """The counter that rises on the page of this indicator's service, and stays 0 on those of other services."""
        return ACTIVITY[self.service]


FRESH_SECONDS = 120.0  # two scrapes of Prometheus' own configuration

# Both services may serve every family; a service shows 0 for those that it does not use.
ACTIVITY = {"runner": "policy_considered_total", "feed": "sse_events_attempted_total"}

# Prometheus' rates lose the last digits, so a value exactly at its threshold would otherwise be beyond it.
_ROUNDED = "round((%s) * 1e9) / 1e9"

# A labelled counter has no series before its first event; until then it is 0, if its process is scraped. Sampled again
# by a subquery, that 0 makes the first event count, which rate() and increase() alone do not see.
DENIED = "(sum without (symbol, why) (policy_denied_total{%(at)s}) or policy_considered_total{%(at)s} * 0)"
_CVAR = "(sum without (symbol) (risk_cvar_breach_total{%(at)s}) or circuit_breaker_state{%(at)s} * 0)"

INDICATORS = {
    i.incident: i
    for i in (
        Indicator(
            "sse_availability", "SseAvailabilitySLOViolation",
            "sse:availability_ratio:5m", "ratio", "feed", "sse_events_sent_total", 0.999, "<",
            _ROUNDED
            % "rate(sse_events_sent_total{%(at)s}[%(over)s]) / rate(sse_events_attempted_total{%(at)s}[%(over)s])",
            over="5m", divisor="sse_events_attempted_total", min_count=50,
        ),
        Indicator(
            "circuit_breaker", "CircuitBreakerOpen",
            "circuit_breaker_state", "state", "runner", "circuit_breaker_state", OPEN, ">=",
            "circuit_breaker_state{%(at)s}", divisor="policy_considered_total", min_count=30,
        ),
        Indicator(
            "execution_latency", "ExecLatencyP99SLA",
            "exec:latency_p99:10m", "p99", "runner", "exec_latency_ms", 300.0, ">",
            _ROUNDED
            % "histogram_quantile(0.99, sum without (symbol) (rate(exec_latency_ms_bucket{%(at)s}[%(over)s])))",
            over="10m", min_count=100,
        ),
        Indicator(
            "policy_deny_rate", "PolicyDenyRateHigh",
            "policy:deny_ratio:15m", "ratio", "runner", "policy_denied_total", 0.35, ">",
            _ROUNDED
            % (f"increase({DENIED}[%(over)s:15s])" " / increase(policy_considered_total{%(at)s}[%(over)s:15s])"),
            over="15m", divisor="policy_considered_total", min_count=50, labelled=True,
        ),
        Indicator(
            "calibration_ece", "CalibrationECEHigh",
            "calibration_ece", "gauge", "runner", "calibration_ece", 0.05, ">",
            "calibration_ece{%(at)s}",
        ),
        Indicator(
            "cvar_breach", "CvarBreach",
            "risk_cvar_breach_total", "increase", "runner", "risk_cvar_breach_total", 0.0, ">",
            _ROUNDED % f"increase({_CVAR}[%(over)s:15s])", over="1h", window=3600, labelled=True,
        ),
        # Five minutes, since a rate needs several scrapes, and Prometheus scrapes every minute by default.
        Indicator(
            "reconnects", "SseReconnectsHigh",
            "sse_reconnects_total", "increase", "feed", "sse_reconnects_total", 5.0, ">",
            _ROUNDED % "rate(sse_reconnects_total{%(at)s}[%(over)s]) * 60", over="5m", window=60,
        ),
    )
}  # fmt: skip
INCIDENTS = ("sse_availability", "circuit_breaker", "execution_latency", "policy_deny_rate", "calibration_ece")


@dataclass(frozen=True)
class Deadlines:
    """Seconds after the opening of an incident within which somebody has to answer, and it has to be resolved."""

    respond: int
    resolve: int


DEADLINES = {
    "P0": Deadlines(300, 3600),
    "P1": Deadlines(900, 4 * 3600),
    "P2": Deadlines(3600, 24 * 3600),
    "P3": Deadlines(4 * 3600, 7 * 24 * 3600),
}
SEVERITIES = tuple(DEADLINES)  # the worst first


@dataclass(frozen=True)
class Value:
    """The reading of an indicator: its value in its own unit, the events behind it, and why it is None if it is."""

    value: float | None
    count: float | None = None
    problem: str = ""  # "" | malformed | no_data | nan | reset | too_few


def measure(indicator: Indicator, before: _metrics.Page | None, after: _metrics.Page, seconds: float) -> Value:
    """Read an indicator from two scrapes of its service, ``seconds`` apart. A state or gauge needs only the second."""
    level = indicator.kind in ("state", "gauge")
    pages = [after] if level or before is None else [before, after]
    if any(name in page.broken for page in pages for name in (indicator.family, *indicator.names)):
        return Value(None, problem="malformed")
    if level:
        return known(after.highest(indicator.family), after.total(indicator.divisor) if indicator.divisor else None)
    if before is None or not all(page.has(name) for page in pages for name in indicator.names):
        return Value(None, problem="no_data")
    if any(page.counts(name) is None for page in pages for name in indicator.names):
        return Value(None, problem="nan")
    rises = [_metrics.increase(before, after, name) for name in indicator.names]
    active = indicator.activity  # the counter of a new process may have caught up with the old one
    another = before.has(active) and after.has(active) and _metrics.increase(before, after, active) is None
    if None in rises or another:
        return Value(None, problem="reset")
    risen, count = rises[0], rises[-1 if indicator.kind == "ratio" else 0]
    if indicator.kind == "increase":
        # A sample that is shorter than the window can show a breach, but never that there is none.
        seen = known(risen * indicator.window / max(seconds, indicator.window))
        whole = seconds >= indicator.window or indicator.breached(risen)
        return seen if whole else Value(None, risen, "too_few")
    if count < indicator.min_count or count == 0:
        return Value(None, count, "too_few")
    if indicator.kind == "ratio":
        return known(risen / count, count)
    buckets = _metrics.increases(before, after, indicator.family + "_bucket", "le")
    return known(_metrics.histogram_quantile(0.99, buckets), count)


def enough(names: Iterable[str], before: _metrics.Page, after: _metrics.Page, seconds: float) -> bool:
    """Whether these indicators have enough events behind them, or, for an increase, its whole window.

    All of them belong to the service whose pages these are. Every page may carry every family, so each service is asked
    for its own.
    """
    asked = [INDICATORS[name] for name in names]
    return all(
        _idle(indicator.service, after) or measure(indicator, before, after, seconds).problem != "too_few"
        for indicator in asked
    )


def _idle(service: str, page: _metrics.Page) -> bool:
    """Whether there is nothing to wait for. An open breaker decides nothing, a feed without clients sends nothing."""
    if service == "runner":
        return (page.highest("circuit_breaker_state") or CLOSED) > CLOSED
    return page.highest("sse_clients_connected") == 0


def known(value: float | None, count: float | None = None) -> Value:
    """A value as read, or the reason why there is none."""
    if value is None:
        return Value(None, count, "no_data")
    if not math.isfinite(value):
        return Value(None, count, "nan")
    return Value(value, count)


def verdict(indicator: Indicator, seen: Value, threshold: float | None = None) -> bool | None:
    """Whether the indicator is breached; None if it is unknown, and for a breaker that is HALF_OPEN."""
    if seen.value is None:
        return None
    if indicator.breached(seen.value, threshold):
        return True
    return None if indicator.kind == "state" and seen.value != CLOSED else False


def severity(values: dict[str, float], breached: set[str]) -> str | None:
    """P0 to P3 of the worst breached indicator, None if none is breached. Source: runbook, "Severity Levels"."""
    if not breached:
        return None
    availability = values.get("sse_availability", 1.0)
    if breached & {"circuit_breaker", "cvar_breach"} or availability < 0.99:
        return "P0"
    if "execution_latency" in breached or availability < 0.995:
        return "P1"
    return "P2"


def deadlines(severity: str) -> Deadlines:
    """The deadlines of a severity; an unknown severity has those of P0."""
    return DEADLINES.get(severity, DEADLINES["P0"])
