# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the trades of the past weeks, drawn from the same market in which the runner trades."""

from __future__ import annotations

import json
import time
from random import Random

import calibration
import policy
import signals

TRADES = 6000
DAYS = 20


def trade(random: Random, ts: float) -> dict[str, object]:
    score = signals.draw_score(random)
    p = signals.TRUTH(score)
    size = policy.order_size(1.0, p)
    return {
        "ts": round(ts, 3),
        "symbol": random.choice(signals.SYMBOLS),
        "score": round(score, 4),
        "p": round(p, 4),
        "size": round(size, 4),
        "spread_bps": round(policy.effective_spread(0.5, size), 4),
        "latency_ms": round(random.lognormvariate(1.2, 0.3), 4),
        "outcome": signals.draw_outcome(random, score),
    }


def main() -> None:
    random, now = Random(5), time.time()
    times = sorted(now - random.uniform(3600, DAYS * 86400) for _ in range(TRADES))
    calibration.TRADES.write_text("".join(json.dumps(trade(random, ts)) + "\n" for ts in times))


if __name__ == "__main__":
    main()
