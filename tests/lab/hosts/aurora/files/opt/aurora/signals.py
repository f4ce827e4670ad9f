# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated market's side of a setup: the score that it shows, and whether it really wins."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

from calibration import Platt

SYMBOLS = ("BTCUSDT", "ETHUSDT")
GOLDEN = (math.sqrt(5) - 1) / 2
TRUTH = Platt(slope=0.5, intercept=1.35)


def draw_score(random: Random) -> float:
    return random.triangular(-1, 1)


def score_at(share: float) -> float:
    """The score below which this share of the setups is."""
    return math.sqrt(2 * share) - 1 if share < 0.5 else 1 - math.sqrt(2 * (1 - share))


def scores(start: float) -> Iterator[float]:
    """Scores as frequent as drawn ones, but weak and strong setups alternate, so that no bad luck opens the breaker."""
    while True:
        start = (start + GOLDEN) % 1
        yield score_at(start)


def draw_outcome(random: Random, score: float) -> int:
    return int(random.random() < TRUTH(score))
