# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import signs

PAGE = """\
# HELP policy_denied_total Decisions denied
# TYPE policy_denied_total counter
policy_denied_total{symbol="BTCUSDT",why="SPREAD_GUARD_TRIP"} 4.0
policy_denied_total{symbol="ETHUSDT",why="WHY_LOW_PFILL"} 1.0
policy_considered_total 60.0
circuit_breaker_state 2.0
exec_latency_ms_bucket{le="300.0"} 97.0
exec_latency_ms_bucket{le="500.0"} 100.0
exec_latency_ms_bucket{le="+Inf"} 100.0
exec_latency_ms_count 100.0
"""


class Pages:
    """A host that answers with these pages in turn."""

    def __init__(self, *pages: str) -> None:
        self.pages: Iterator[str] = iter(pages)

    def page(self, _port: int, _path: str = "/metrics") -> str:
        return next(self.pages)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs.time, "sleep", lambda _seconds: None)


def test_a_family_is_summed_and_its_namesakes_are_not() -> None:
    """policy_denied must not count policy_denied_total, or exec_latency_ms its buckets."""
    assert signs.value(PAGE, "policy_denied_total") == 5
    assert signs.value(PAGE, "policy_denied") is None
    assert signs.value(PAGE, "exec_latency_ms") is None


def test_a_counter_that_began_anew_says_nothing() -> None:
    """A restart between two scrapes must not look like a fault that shows."""
    assert signs.risen("a 5.0\n", "a 7.0\n", "a") == 2
    assert signs.risen("", "a 7.0\n", "a") == 7
    assert math.isnan(signs.risen("a 5.0\n", "a 1.0\n", "a"))
    assert math.isnan(signs.risen("a 5.0\n", "", "a"))


@pytest.mark.parametrize(("share", "bound"), [(0.5, 300.0), (0.97, 300.0), (0.98, 500.0), (1.0, 500.0)])
def test_quantile_is_the_bound_of_its_bucket(share: float, bound: float) -> None:
    assert signs.quantile(share, signs.buckets_risen("", PAGE, "exec_latency_ms")) == bound


def test_quantile_of_nothing_is_no_number() -> None:
    assert math.isnan(signs.quantile(0.99, {300.0: 0.0, math.inf: 0.0}))


def test_p99_of_the_sample_not_of_the_past() -> None:
    """An hour of fast orders must not hide that they are slow now."""
    after = PAGE.replace(" 97.0", " 130.0").replace(" 100.0", " 200.0")
    assert signs.latency(Pages(PAGE, after)) == 500
    assert signs.ORDERS_SLOW.holds(Pages(PAGE, after))
    assert not signs.ORDERS_SLOW.holds(Pages(PAGE, PAGE))  # no order at all


@pytest.mark.parametrize(("considered", "denied", "shows"), [(110, 25, True), (110, 20, False), (80, 25, False)])
def test_many_denied_of_enough(considered: int, denied: int, shows: bool) -> None:
    """A few decisions, or a third of them denied, are no fault that shows."""
    after = PAGE.replace("total 60.0", f"total {considered}").replace(" 4.0", f" {denied}")
    assert signs.MANY_DENIED.holds(Pages(PAGE, after)) is shows


def test_a_silent_host_shows_only_that_it_is_silent() -> None:
    """What does not answer is neither open nor closed, neither denied nor slow."""
    for sign in (signs.BREAKER_OPEN, signs.BREAKER_CLOSED, signs.MANY_DENIED, signs.ORDERS_SLOW, signs.ECE_HIGH):
        assert not sign.holds(Pages("", ""))
    assert signs.BREAKER_OPEN.holds(Pages(PAGE))
