# SPDX-License-Identifier: GPL-3.0-or-later
"""How the lab's faults show, and how it shows that all is well, seen from outside a host. Standard library only."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

RUNNER, FEED = 9000, 8001
OPEN, CLOSED = 2.0, 0.0
SAMPLE_SECONDS = 5.0
FEW = 40  # samples with fewer events prove nothing
FEED_UNIT, RUNNER_UNIT = "aurora-live-feed", "aurora-runner"
UNITS = (RUNNER_UNIT, FEED_UNIT, "nginx", "lab-sse-clients")


class Host(Protocol):
    def page(self, port: int, path: str = "/metrics") -> str: ...

    def states(self, *units: str) -> list[str]: ...

    def restarts(self, unit: str) -> int: ...

    def is_reached(self) -> bool: ...


class Sign(NamedTuple):
    """What is awaited, in words that complete "until", and whether it holds on a host now."""

    text: str
    holds: Callable[[Host], bool]


def series(page: str, family: str) -> dict[str, float]:
    """The values of a family in Prometheus' text format by their labels."""
    found = re.findall(rf"^{family}(?:{{(.*)}})? (\S+)$", page, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


def value(page: str, family: str) -> float | None:
    """The sum of a family, None if the page does not have it."""
    found = series(page, family)
    return sum(found.values()) if found else None


def risen(before: str, after: str, family: str) -> float:
    """How much a counter rose, from 0 if it is new; NaN if neither page has it, or if it restarted."""
    old, new = value(before, family) or 0.0, value(after, family)
    return math.nan if new is None or new < old else new - old


def quantile(share: float, buckets: Mapping[float, float]) -> float:
    """The upper bound of the bucket with a histogram's quantile, from its cumulative counts."""
    total = max(buckets.values(), default=0.0)
    return min((bound for bound, count in buckets.items() if total and count >= share * total), default=math.nan)


def buckets_risen(before: str, after: str, family: str) -> dict[float, float]:
    old, new = (series(page, f"{family}_bucket") for page in (before, after))
    return {float(labels.split('"')[1]): count - old.get(labels, 0.0) for labels, count in new.items()}


def sample(host: Host, port: int) -> tuple[str, str]:
    before = host.page(port)
    time.sleep(SAMPLE_SECONDS)
    return before, host.page(port)


def latency(host: Host) -> float:
    """The bound below which 99 of 100 orders are, in ms; NaN if there were too few."""
    before, after = sample(host, RUNNER)
    if not risen(before, after, "exec_latency_ms_count") >= FEW / 2:
        return math.nan
    return quantile(0.99, buckets_risen(before, after, "exec_latency_ms"))


def denied(host: Host) -> float:
    """The share of denied decisions; NaN if there were too few."""
    before, after = sample(host, RUNNER)
    considered = risen(before, after, "policy_considered_total")
    return risen(before, after, "policy_denied_total") / considered if considered >= FEW else math.nan


def delivered(host: Host) -> float:
    """The share of events that were sent to the feed's clients; NaN if there were too few."""
    before, after = sample(host, FEED)
    attempted = risen(before, after, "sse_events_attempted_total")
    return risen(before, after, "sse_events_sent_total") / attempted if attempted >= FEW else math.nan


def breaker(host: Host) -> float | None:
    return value(host.page(RUNNER), "circuit_breaker_state")


def ece_is_high(host: Host) -> bool:
    return (value(host.page(RUNNER), "calibration_ece") or 0.0) > 0.05


def is_healthy(host: Host) -> bool:
    return bool(host.page(FEED, "/healthz"))


def keeps_restarting(host: Host) -> bool:
    return not is_healthy(host) and host.restarts(FEED_UNIT) >= 3


def runner_keeps_restarting(host: Host) -> bool:
    return not host.page(RUNNER) and host.restarts(RUNNER_UNIT) >= 3


def rose(port: int, family: str, at_least: float) -> Callable[[Host], bool]:
    return lambda host: risen(*sample(host, port), family) >= at_least


def is_well(host: Host) -> bool:
    clients = value(host.page(FEED), "sse_clients_connected")
    return (
        breaker(host) == CLOSED
        and not ece_is_high(host)
        and is_healthy(host)
        and clients is not None
        and clients >= 3
        and set(host.states(*UNITS)) == {"active"}
        and host.is_reached()
    )


WELL = Sign("all is well", is_well)
BREAKER_OPEN = Sign("the breaker is OPEN", lambda host: breaker(host) == OPEN)
BREAKER_CLOSED = Sign("the breaker is CLOSED", lambda host: breaker(host) == CLOSED)
FEED_DOWN = Sign("the feed is down", lambda host: host.states(FEED_UNIT) == ["failed"] and not is_healthy(host))
RUNNER_DOWN = Sign("the runner is down", lambda host: host.states(RUNNER_UNIT) == ["failed"] and not host.page(RUNNER))
RUNNER_RESTARTS = Sign("the runner ends again and again", runner_keeps_restarting)
FEED_SILENT = Sign(
    "the feed runs and answers nothing",
    lambda host: host.states(FEED_UNIT) == ["active"] and not is_healthy(host),
)
FEED_RESTARTS = Sign("the feed ends again and again", keeps_restarting)
FEED_LATE = Sign(
    "the feed loses events or answers too late", lambda host: delivered(host) < 0.99 or not is_healthy(host)
)
UNREACHED = Sign("no client outside reaches a feed that is healthy", lambda h: is_healthy(h) and not h.is_reached())
ORDERS_SLOW = Sign("one order of 100 takes more than 300 ms", lambda host: latency(host) > 300)
MANY_DENIED = Sign("more than 35 % of the decisions are denied", lambda host: denied(host) > 0.35)
ECE_HIGH = Sign("the calibration error is above 0.05", ece_is_high)
CVAR_RISES = Sign("risk_cvar_breach_total rises", rose(RUNNER, "risk_cvar_breach_total", 1))
RECONNECTS_RISE = Sign("clients come back more than 5 times a minute", rose(FEED, "sse_reconnects_total", 2))
