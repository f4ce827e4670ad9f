# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import policy
import pytest

NORMAL = policy.knobs_from({})
P_RANGE = (0.70, 0.87)


def test_knobs_come_from_the_environment() -> None:
    assert policy.knobs_from({"KELLY_MULTIPLIER": "0.5"}) == NORMAL._replace(kelly_multiplier=0.5)


@pytest.mark.parametrize("text", ["abc", "", "1,5"])
def test_what_is_no_number_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"KELLY_MULTIPLIER=.* is not a number"):
        policy.knobs_from({"KELLY_MULTIPLIER": text})


@pytest.mark.parametrize(
    ("name", "text"), [("SPREAD_THRESHOLD", "4.6"), ("P_THRESHOLD", "nan"), ("KELLY_MULTIPLIER", "0")]
)
def test_what_is_beyond_the_risk_limit_is_named(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"{name}={text} is beyond the risk limit"):
        policy.knobs_from({name: text})


@pytest.mark.parametrize(
    ("quoted", "kelly", "threshold", "passes"),
    [
        (0.5, 1.0, 1.5, True),  # a normal market
        (1.05, 1.0, 1.5, False),  # wide: a smaller Kelly is enough
        (1.05, 0.5, 1.5, True),
        (1.5, 0.5, 1.5, False),  # very wide: only a higher threshold helps
        (1.5, 1.0, 2.0, False),
        (1.5, 0.5, 2.0, True),
    ],
)
@pytest.mark.parametrize("p", P_RANGE)
def test_a_smaller_kelly_narrows_the_effective_spread(
    quoted: float, kelly: float, threshold: float, passes: bool, p: float
) -> None:
    spread = policy.effective_spread(quoted, policy.order_size(kelly, p))
    why = policy.gate(NORMAL._replace(spread_threshold=threshold), 5, spread, p, 1)
    assert why == (None if passes else "SPREAD_GUARD_TRIP")


def test_gates_trip_in_order() -> None:
    assert policy.gate(NORMAL, 301, 9, 0, 0) == "LATENCY_GUARD_TRIP"
    assert policy.gate(NORMAL, 300, 9, 0, 0) == "SPREAD_GUARD_TRIP"
    assert policy.gate(NORMAL, 300, 1.5, 0, 0) == "WHY_LOW_PFILL"
    assert policy.gate(NORMAL, 300, 1.5, 0.7, 0) == "WHY_UNATTRACTIVE"
    assert policy.gate(NORMAL, 300, 1.5, 0.7, 0.9) is None
