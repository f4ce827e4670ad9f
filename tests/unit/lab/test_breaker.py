# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from breaker import Breaker, State

PAUSE = 1.5


@pytest.fixture
def breaker() -> Breaker:
    return Breaker(PAUSE)


def decide(breaker: Breaker, outcomes: list[bool], now: float) -> int:
    """Put decisions through until the breaker admits no more; how many it admitted."""
    for admitted, allowed in enumerate(outcomes):
        ticket = breaker.admit(now)
        if ticket is None:
            return admitted
        breaker.record(ticket, allowed, now)
    return len(outcomes)


def test_stays_closed_until_the_window_is_full(breaker: Breaker) -> None:
    decide(breaker, [False] * 19, 0)
    assert breaker.state is State.CLOSED
    decide(breaker, [False], 0)
    assert breaker.state is State.OPEN


@pytest.mark.parametrize(("denied", "state"), [(11, State.CLOSED), (12, State.OPEN)])
def test_trips_at_sixty_percent_denied(breaker: Breaker, denied: int, state: State) -> None:
    decide(breaker, [True] * (20 - denied) + [False] * denied, 0)
    assert breaker.state is state


def test_judges_the_last_twenty_only(breaker: Breaker) -> None:
    decide(breaker, ([False] * 9 + [True] * 11) * 10, 0)
    assert breaker.state is State.CLOSED


def test_open_admits_nothing_until_the_pause_is_over(breaker: Breaker) -> None:
    decide(breaker, [False] * 20, 0)
    assert breaker.admit(PAUSE - 0.1) is None
    assert breaker.admit(PAUSE) is not None
    assert breaker.state is State.HALF_OPEN


def test_half_open_admits_five_probes_at_once(breaker: Breaker) -> None:
    decide(breaker, [False] * 20, 0)
    assert [breaker.admit(2) is not None for _ in range(7)] == [True] * 5 + [False] * 2


@pytest.mark.parametrize(
    ("probes", "state"),
    [([True] * 4, State.CLOSED), ([True, False, True, True, True], State.CLOSED), ([True, False, False], State.OPEN)],
)
def test_probes_close_it_or_open_it_again(breaker: Breaker, probes: list[bool], state: State) -> None:
    decide(breaker, [False] * 20, 0)
    assert decide(breaker, probes, 2) == len(probes)
    assert breaker.state is state


def test_decisions_from_before_it_opened_are_no_probes(breaker: Breaker) -> None:
    late = breaker.admit(0)
    decide(breaker, [False] * 20, 0)
    first_probe = breaker.admit(2)
    for _ in range(4):
        breaker.record(late, True, 2)
    assert breaker.state is State.HALF_OPEN
    breaker.record(first_probe, False, 2)
    assert len(breaker.results) == 1
