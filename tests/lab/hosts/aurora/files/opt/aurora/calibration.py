# SPDX-License-Identifier: GPL-3.0-or-later
"""The model that turns a raw score into a probability, and how well that probability agrees with the trades."""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

HOME = Path(__file__).resolve().parent
MODEL = HOME / "models" / "calibration.json"
TRADES = HOME / "logs" / "trades.jsonl"

BINS = 10
WINDOW = 2000
MIN_TRADES = 500
MAX_ECE = 0.05
FIT_LIMIT = 50_000
LINE_BYTES = 300
PRIOR_TRADES = 50  # a bin with few trades proves little against the model


class CalibrationError(Exception):
    pass


class Platt(NamedTuple):
    slope: float
    intercept: float

    def __call__(self, score: float) -> float:
        return 1 / (1 + math.exp(-(self.slope * score + self.intercept)))


class Bin(NamedTuple):
    count: int
    predicted: float
    won: int

    @property
    def gap(self) -> float:
        return abs(self.predicted - self.won)


class Trade(NamedTuple):
    score: float
    outcome: int


def _bin_of(p: float) -> int:
    return min(int(p * BINS), BINS - 1)


def reliability(pairs: Iterable[tuple[float, int]]) -> list[Bin]:
    """Sums of predicted probabilities and of outcomes, by bin of probability."""
    sums = [[0, 0.0, 0] for _ in range(BINS)]
    for p, outcome in pairs:
        each = sums[_bin_of(p)]
        each[0] += 1
        each[1] += p
        each[2] += outcome
    return [Bin(*each) for each in sums]


def ece(bins: list[Bin]) -> float:
    """Expected calibration error; NaN without trades."""
    count = sum(each.count for each in bins)
    return sum(each.gap for each in bins) / count if count else math.nan


def confidence(bins: list[Bin], p: float) -> float:
    """How far a probability may be trusted: one minus the error its bin has shown."""
    evidence = bins[_bin_of(p)]
    return 1 - evidence.gap / (evidence.count + PRIOR_TRADES)


def brier(pairs: list[tuple[float, int]]) -> float:
    return sum((p - outcome) ** 2 for p, outcome in pairs) / len(pairs) if pairs else math.nan


def logloss(pairs: list[tuple[float, int]]) -> float:
    return -sum(math.log(p if outcome else 1 - p) for p, outcome in pairs) / len(pairs) if pairs else math.nan


def fit(trades: list[Trade]) -> Platt:
    """Platt scaling by Newton's method on the log loss."""
    if len({trade.outcome for trade in trades}) < 2:
        raise CalibrationError("cannot fit: the trades need both wins and losses")
    slope, intercept = 0.0, 0.0
    for _ in range(25):
        model = Platt(slope, intercept)
        g_slope = g_intercept = h_slope = h_cross = h_intercept = 0.0
        for score, outcome in trades:
            p = model(score)
            error, weight = p - outcome, p * (1 - p)
            g_slope += error * score
            g_intercept += error
            h_slope += weight * score * score
            h_cross += weight * score
            h_intercept += weight
        determinant = h_slope * h_intercept - h_cross * h_cross
        if determinant < 1e-9:
            raise CalibrationError("cannot fit: the scores are all alike")
        step_slope = (h_intercept * g_slope - h_cross * g_intercept) / determinant
        step_intercept = (h_slope * g_intercept - h_cross * g_slope) / determinant
        slope, intercept = slope - step_slope, intercept - step_intercept
        if abs(step_slope) + abs(step_intercept) < 1e-9:
            break
    return Platt(slope, intercept)


def calibration_days() -> float:
    return float(os.environ.get("CALIBRATION_DAYS", "30"))


def _last_lines(path: Path, size: int) -> list[bytes]:
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - size))
            return log.read().splitlines()
    except FileNotFoundError:
        return []


def read_trades(days: float, limit: int) -> list[Trade]:
    """The last trades of that many days, the oldest first, also from the log rotated last; other lines are left out."""
    since = time.time() - days * 86400
    trades = []
    for path in (TRADES.with_name(TRADES.name + ".1"), TRADES):
        for line in _last_lines(path, limit * LINE_BYTES):
            try:
                record = json.loads(line)
                if record["ts"] >= since:
                    trades.append(Trade(float(record["score"]), int(record["outcome"])))
            except (ValueError, KeyError, TypeError):
                continue
    return trades[-limit:]


def load_model() -> Platt:
    try:
        record = json.loads(MODEL.read_text())
        return Platt(float(record["slope"]), float(record["intercept"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CalibrationError(f"no usable model in {MODEL}: {error}") from error


def save_model(model: Platt, trades: int) -> None:
    """Replace the model in one step, and keep the old one beside it."""
    if MODEL.exists():
        shutil.copy2(MODEL, MODEL.with_suffix(".json.prev"))
    record = {**model._asdict(), "fitted_at": time.time(), "trades": trades}
    draft = MODEL.with_suffix(".json.new")
    draft.write_text(json.dumps(record, indent=2) + "\n")
    draft.replace(MODEL)


def validate() -> float:
    """Judge the model by the last trades: returns its ECE, or raises CalibrationError."""
    model = load_model()
    trades = read_trades(calibration_days(), WINDOW)
    if len(trades) < MIN_TRADES:
        raise CalibrationError(f"{len(trades)} trades in {calibration_days():g} days, {MIN_TRADES} are needed")
    error = ece(reliability((model(trade.score), trade.outcome) for trade in trades))
    if error > MAX_ECE:
        raise CalibrationError(f"ECE {error:.3f} over {len(trades)} trades is above {MAX_ECE}")
    print(f"calibration is valid: ECE {error:.3f} over {len(trades)} trades")
    return error
