# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner's knobs, the size of an order, and the gates before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

IMPACT_BPS = 1.3  # how much one unit of size adds to the spread
MAX_EDGE = 0.65
LATENCY_GUARD_MS = 300.0

# variable: normal value, lowest, highest
LIMITS = {
    "KELLY_MULTIPLIER": (1.0, 0.01, 4.0),
    "DECISIONS_PER_MINUTE": (30.0, 1.0, 120.0),
    "SPREAD_THRESHOLD": (1.5, 0.1, 4.5),
    "P_THRESHOLD": (0.7, 0.0, 1.0),
    "CONFIDENCE_THRESHOLD": (0.9, 0.0, 1.0),
    "CALIBRATION_DAYS": (30.0, 1.0, 365.0),
}


class Knobs(NamedTuple):
    kelly_multiplier: float
    decisions_per_minute: float
    spread_threshold: float
    p_threshold: float
    confidence_threshold: float
    calibration_days: float


def knobs_from(environment: Mapping[str, str]) -> Knobs:
    """Read every knob; ValueError names the one that is not a number or beyond its risk limit."""
    values = {}
    for name, (normal, low, high) in LIMITS.items():
        text = environment.get(name, str(normal))
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"{name}={text} is not a number") from None
        if not low <= value <= high:
            raise ValueError(f"{name}={text} is beyond the risk limit ({low:g} to {high:g})")
        values[name.lower()] = value
    return Knobs(**values)


def order_size(kelly_multiplier: float, p: float) -> float:
    """Kelly bet on even odds, its edge capped."""
    return kelly_multiplier * min(max(2 * p - 1, 0.0), MAX_EDGE)


def effective_spread(quoted_bps: float, size: float) -> float:
    return quoted_bps + IMPACT_BPS * size


def gate(knobs: Knobs, latency_ms: float, spread_bps: float, p: float, confidence: float) -> str | None:
    """The WHY code of the first gate that denies the order, None if it may go."""
    if latency_ms > LATENCY_GUARD_MS:
        return "LATENCY_GUARD_TRIP"
    if spread_bps > knobs.spread_threshold:
        return "SPREAD_GUARD_TRIP"
    if p < knobs.p_threshold:
        return "WHY_LOW_PFILL"
    if confidence < knobs.confidence_threshold:
        return "WHY_UNATTRACTIVE"
    return None
