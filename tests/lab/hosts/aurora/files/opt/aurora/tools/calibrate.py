#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fit the model to the trades of the last CALIBRATION_DAYS; prints its ECE before and after as JSON."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import calibration

FRESH_SECONDS = 86400


def current_model() -> calibration.Platt | None:
    try:
        return calibration.load_model()
    except calibration.CalibrationError:
        return None


def ece_of(model: calibration.Platt, trades: list[calibration.Trade]) -> float:
    return calibration.ece(calibration.reliability((model(trade.score), trade.outcome) for trade in trades))


def recalibrate(force: bool) -> dict[str, float | None]:
    age = time.time() - calibration.MODEL.stat().st_mtime if calibration.MODEL.exists() else math.inf
    if age < FRESH_SECONDS and not force:
        raise calibration.CalibrationError(f"the last fit is {age / 3600:.1f} h old, --force fits anyway")
    days = calibration.calibration_days()
    trades = calibration.read_trades(days, calibration.FIT_LIMIT)
    if len(trades) < calibration.MIN_TRADES:
        raise calibration.CalibrationError(
            f"{len(trades)} trades in {days:g} days, {calibration.MIN_TRADES} are needed"
        )
    before, after = current_model(), calibration.fit(trades)
    calibration.save_model(after, len(trades))
    return {
        "ece_before": before and round(ece_of(before, trades), 4),
        "ece_after": round(ece_of(after, trades), 4),
        "trades": len(trades),
        "days": days,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--force", action="store_true", help="also when the last fit is less than a day old")
    try:
        print(json.dumps(recalibrate(parser.parse_args().force)))
    except calibration.CalibrationError as error:
        sys.exit(f"calibrate: {error}")


if __name__ == "__main__":
    main()
