# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import math
import time
from pathlib import Path
from random import Random

import calibration
import pytest
from calibration import CalibrationError, Platt, Trade


def drawn(truth: Platt, count: int) -> list[Trade]:
    random = Random(7)
    scores = [random.uniform(-1, 1) for _ in range(count)]
    return [Trade(score, int(random.random() < truth(score))) for score in scores]


def ece(model: Platt, trades: list[Trade]) -> float:
    return calibration.ece(calibration.reliability((model(trade.score), trade.outcome) for trade in trades))


def test_ece_by_hand() -> None:
    pairs = [(0.75, 1), (0.75, 1), (0.75, 0), (0.95, 0)]
    # bin 0.7: mean prediction 0.75, wins 2/3, weight 3/4; bin 0.9: 0.95 against 0, weight 1/4
    assert calibration.ece(calibration.reliability(pairs)) == pytest.approx(0.75 * (0.75 - 2 / 3) + 0.25 * 0.95)


def test_certainty_falls_in_the_last_bin() -> None:
    assert calibration.ece(calibration.reliability([(1.0, 1)])) == 0


def test_nothing_to_judge_is_not_a_number() -> None:
    assert math.isnan(calibration.ece(calibration.reliability([])))
    assert math.isnan(calibration.brier([]))
    assert math.isnan(calibration.logloss([]))


def test_brier_and_logloss_by_hand() -> None:
    pairs = [(0.8, 1), (0.6, 0)]
    assert calibration.brier(pairs) == pytest.approx((0.04 + 0.36) / 2)
    assert calibration.logloss(pairs) == pytest.approx(-(math.log(0.8) + math.log(0.4)) / 2)


def test_fit_finds_the_truth() -> None:
    truth = Platt(0.5, 1.35)
    found = calibration.fit(drawn(truth, 20_000))
    assert found.slope == pytest.approx(truth.slope, abs=0.1)
    assert found.intercept == pytest.approx(truth.intercept, abs=0.1)


def test_overconfidence_shows_in_ece_and_confidence_and_a_fit_cures_it() -> None:
    trades = drawn(Platt(0.5, 1.35), 2000)
    overconfident, fitted = Platt(0.5, 3.35), calibration.fit(trades)
    assert ece(overconfident, trades) > 0.1
    assert ece(fitted, trades) < 0.03
    for model, trusted in ((overconfident, False), (fitted, True)):
        bins = calibration.reliability((model(trade.score), trade.outcome) for trade in trades)
        assert (calibration.confidence(bins, model(0)) >= 0.9) is trusted


def test_a_bin_with_few_trades_is_not_held_against_the_model() -> None:
    assert calibration.confidence(calibration.reliability([(0.75, 0)] * 3), 0.75) > 0.9


@pytest.mark.parametrize("trades", [[], [Trade(0.1, 1)] * 9, [Trade(0.1, 1), Trade(0.1, 0)]])
def test_unusable_trades_are_refused(trades: list[Trade]) -> None:
    with pytest.raises(CalibrationError):
        calibration.fit(trades)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(calibration, "MODEL", tmp_path / "calibration.json")
    monkeypatch.setattr(calibration, "TRADES", tmp_path / "trades.jsonl")
    return tmp_path


def line(ts: float, score: float) -> str:
    return json.dumps({"ts": ts, "score": score, "outcome": 1}) + "\n"


def test_trades_are_read_across_rotation_without_what_is_old_or_broken(home: Path) -> None:
    now = time.time()
    (home / "trades.jsonl.1").write_text(line(now - 9 * 86400, 0.1) + line(now - 60, 0.2) + '{"ts": 12')
    (home / "trades.jsonl").write_text('{"ts": "x", "score": 1}\n[]\n' + line(now, 0.3) + line(now, 0.4))
    assert [trade.score for trade in calibration.read_trades(1, 10)] == [0.2, 0.3, 0.4]
    assert [trade.score for trade in calibration.read_trades(1, 2)] == [0.3, 0.4]


def test_the_model_before_is_kept(home: Path) -> None:
    calibration.save_model(Platt(1, 2), 500)
    calibration.save_model(Platt(3, 4), 600)
    assert calibration.load_model() == Platt(3, 4)
    assert json.loads((home / "calibration.json.prev").read_text())["slope"] == 1


def test_validate_needs_a_model_enough_trades_and_a_low_ece(home: Path) -> None:
    with pytest.raises(CalibrationError, match="no usable model"):
        calibration.validate()
    calibration.save_model(Platt(0.5, 1.35), 0)
    with pytest.raises(CalibrationError, match="are needed"):
        calibration.validate()
    now = time.time()
    records = ({"ts": now, **trade._asdict()} for trade in drawn(Platt(0.5, 1.35), 1000))
    (home / "trades.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    assert calibration.validate() < 0.05
    calibration.save_model(Platt(0.5, 3.35), 0)
    with pytest.raises(CalibrationError, match="is above"):
        calibration.validate()
