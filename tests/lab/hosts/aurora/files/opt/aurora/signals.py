# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated market's side of a setup: the score it shows, and whether it really wins."""

from __future__ import annotations

from random import Random

from calibration import Platt

SYMBOLS = ("BTCUSDT", "ETHUSDT")
TRUTH = Platt(slope=0.5, intercept=1.35)


def draw_score(random: Random) -> float:
    return random.triangular(-1, 1)


def draw_outcome(random: Random, score: float) -> int:
    return int(random.random() < TRUTH(score))
