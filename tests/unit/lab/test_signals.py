# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from itertools import islice
from random import Random

import pytest
import signals
from breaker import Breaker, State

WEAK_HALF = 0.47


@pytest.mark.parametrize(("share", "score"), [(0.0, -1.0), (0.125, -0.5), (0.5, 0.0), (0.875, 0.5), (1.0, 1.0)])
def test_score_at_is_the_quantile_of_the_scores_drawn(share: float, score: float) -> None:
    """Another distribution than the seed's would make the model look miscalibrated on a healthy host."""
    assert signals.score_at(share) == pytest.approx(score)
    random = Random(3)
    drawn = [signals.draw_score(random) for _ in range(20_000)]
    assert sum(each < score for each in drawn) / len(drawn) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("start", [0.0, 0.2, 0.77, 0.999])
def test_weak_setups_denied_do_not_open_the_breaker(start: float) -> None:
    """A deny rate above its limit with the breaker closed is what the faults of that incident need."""
    breaker, border = Breaker(1.5), signals.score_at(WEAK_HALF)
    scores = list(islice(signals.scores(start), 3000))
    for score in scores:
        breaker.record(breaker.admit(0), score >= border, 0)
        assert breaker.state is State.CLOSED
    assert sum(score < border for score in scores) / len(scores) == pytest.approx(WEAK_HALF, abs=0.01)
