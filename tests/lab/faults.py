# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults of the lab: what each does physically, what it looks like, and what should cure it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """``where`` it acts: "exchange" (per client) or "aurora" (on the host itself), by ``command`` on that host."""

    name: str
    incident: str
    cause: str
    cure: tuple[str, ...]
    expect: str  # recovered | approval | escalated
    does: str
    where: str
    command: tuple[str, ...]


KELLY, SLOW_DOWN, SPREADS = "kelly_multiplier", "decisions_per_minute", "spread_threshold"
FAULTS = {
    fault.name: fault
    for fault in (
        Fault(
            name="breaker_spreads",
            incident="circuit_breaker",
            cause="wide_spreads",
            cure=(KELLY,),
            expect="recovered",
            does="the exchange widens its spreads moderately: a smaller order is within the threshold",
            where="exchange",
            command=("/opt/lab/market", "set", "spreads"),
        ),
        Fault(
            name="breaker_spreads_wide",
            incident="circuit_breaker",
            cause="wide_spreads",
            cure=(KELLY, SPREADS),
            expect="approval",
            does="the exchange widens its spreads so far that only a higher threshold helps",
            where="exchange",
            command=("/opt/lab/market", "set", "spreads_wide"),
        ),
        Fault(
            name="breaker_exchange_slow",
            incident="circuit_breaker",
            cause="exchange_latency",
            cure=(KELLY, SLOW_DOWN),
            expect="recovered",
            does="the exchange serves each client slowly, so that many requests queue up",
            where="exchange",
            command=("/opt/lab/market", "set", "slow"),
        ),
        Fault(
            name="breaker_rate_limit",
            incident="circuit_breaker",
            cause="rate_limit",
            cure=(KELLY, SLOW_DOWN),
            expect="recovered",
            does="the exchange answers 429 to a client that asks too often",
            where="exchange",
            command=("/opt/lab/market", "set", "rate_limit"),
        ),
        Fault(
            name="breaker_miscalibration",
            incident="circuit_breaker",
            cause="miscalibration",
            cure=(),
            expect="escalated",
            does="the model's calibration is distorted: its probabilities do not match outcomes",
            where="aurora",
            command=("/opt/lab/model", "distort"),
        ),
    )
}
MEND = {"exchange": ("/opt/lab/market", "reset"), "aurora": ("/opt/lab/model", "restore")}
