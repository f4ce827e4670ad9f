# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a look ends before it has seen enough to say anything, or never ends."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils import _http, _indicators, _metrics, _probes

COUNTED = ("policy_deny_rate", "execution_latency")


def runner(decisions, executions, state=0):
    return (
        f"circuit_breaker_state {state}\npolicy_considered_total {decisions}\npolicy_denied_total 0\n"
        f'exec_latency_ms_count {executions}\nexec_latency_ms_bucket{{le="+Inf"}} {executions}\n'
    )


@pytest.mark.parametrize(
    ("after", "names", "enough"),
    [
        ((50, 100, 0), COUNTED, True),
        ((49, 100, 0), COUNTED, False),
        ((50, 99, 0), COUNTED, False),
        ((50, 0, 0), ("policy_deny_rate",), True),
        ((0, 0, 0), (), True),
        ((3, 0, 2), COUNTED, True),  # an open breaker decides nothing
        ((3, 0, 1), COUNTED, True),
    ],
)
def test_enough_events_stand_behind_the_indicators_asked_for(after, names, enough):
    assert _indicators.enough(names, _metrics.parse(runner(0, 0)), _metrics.parse(runner(*after)), 2.0) is enough


@pytest.mark.parametrize(("risen", "seconds", "enough"), [(6, 9.0, True), (5, 9.0, False), (0, 60.0, True)])
def test_reconnects_are_counted_for_a_minute_unless_they_are_too_many_before(risen, seconds, enough):
    before, after = (
        _metrics.parse(f"sse_reconnects_total {count}\nsse_clients_connected 3\n") for count in (7, 7 + risen)
    )
    assert _indicators.enough(["reconnects"], before, after, seconds) is enough


@pytest.fixture
def host(monkeypatch):
    """A runner that decides ten times a second, under a clock of the test's own."""
    now = [0.0]
    monkeypatch.setattr(_probes.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(_probes.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    answer = lambda *_rest: _http.Response(200, {}, runner(int(10 * now[0]), 0).encode())  # noqa: E731
    monkeypatch.setattr(_probes._http, "fetch", answer)


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize(("more", "seconds"), [(0, 2.0), (1.5, 3.5), (40, 5.0)])
def test_a_sample_goes_on_until_it_is_enough_and_not_longer(more, seconds):
    enough = partial(_indicators.enough, ["policy_deny_rate"])
    found = _probes.scrapes("http://localhost:9000/metrics", 5, 2.0, enough=enough, enough_seconds=more)
    assert found["seconds"] == seconds
    assert found["after"].total("policy_considered_total") == 10 * seconds


@pytest.mark.parametrize(("error", "synchronized"), [(1_250_000, True), (16_000_000, False)])
def test_a_clock_that_no_time_service_holds_is_told_from_one_that_is(monkeypatch, error, synchronized):
    def adjtimex(asked):
        assert asked._obj.modes == 0, "any other would set the clock"
        asked._obj.maxerror = error
        return 0

    monkeypatch.setattr(_probes.ctypes, "CDLL", lambda *_args, **_options: SimpleNamespace(adjtimex=adjtimex))
    assert _probes.clock() == {"synchronized": synchronized, "max_error_seconds": error / 1e6}


def test_a_clock_that_may_not_be_asked_is_a_finding(monkeypatch):
    monkeypatch.setattr(_probes.ctypes, "CDLL", lambda *_args, **_options: SimpleNamespace(adjtimex=lambda _asked: -1))
    monkeypatch.setattr(_probes.ctypes, "get_errno", lambda: 1)
    with pytest.raises(OSError, match="adjtimex: Operation not permitted"):
        _probes.clock()
