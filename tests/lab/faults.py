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


FAULTS = {
    fault.name: fault
    for fault in (
        Fault(
            "breaker_spreads", "circuit_breaker", "wide_spreads", ("kelly_multiplier",), "recovered",
            "the exchange widens its spreads moderately: a smaller order is within the threshold",
            "exchange", ("/opt/lab/market", "set", "spreads"),
        ),
        Fault(
            "breaker_spreads_wide", "circuit_breaker", "wide_spreads", ("kelly_multiplier", "spread_threshold"), "approval",
            "the exchange widens its spreads so far that only a higher threshold helps",
            "exchange", ("/opt/lab/market", "set", "spreads_wide"),
        ),
        Fault(
            "breaker_exchange_slow", "circuit_breaker", "exchange_latency", ("kelly_multiplier", "decisions_per_minute"),
            "recovered", "the exchange serves each client slowly, so that many requests queue up",
            "exchange", ("/opt/lab/market", "set", "slow"),
        ),
        Fault(
            "breaker_rate_limit", "circuit_breaker", "rate_limit", ("kelly_multiplier", "decisions_per_minute"), "recovered",
            "the exchange answers 429 to a client that asks too often",
            "exchange", ("/opt/lab/market", "set", "rate_limit"),
        ),
        Fault(
            "breaker_miscalibration", "circuit_breaker", "miscalibration", (), "escalated",
            "the model's calibration is distorted: its probabilities do not match outcomes",
            "aurora", ("/opt/lab/model", "distort"),
        ),
    )
}  # fmt: skip
MEND = {"exchange": ("/opt/lab/market", "reset"), "aurora": ("/opt/lab/model", "restore")}
