# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a runbook run says "recovered" while money is at stake."""

from __future__ import annotations

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import FetchError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _recovery

BREAKER = _recovery.Rule(_indicators.INDICATORS["circuit_breaker"], 2, hold=4, min_count=20)
DENIALS = _recovery.Rule(_indicators.INDICATORS["policy_deny_rate"], 0.35, hold=2, min_count=50)
LATENCY = _recovery.Rule(_indicators.INDICATORS["execution_latency"], 300, hold=2, min_count=100)
ECE = _recovery.Rule(_indicators.INDICATORS["calibration_ece"], 0.05, hold=2, min_count=0)


def breaker(state, considered):
    return f"circuit_breaker_state {state}\npolicy_considered_total {considered}"


def ratio(denied, considered):
    return f"policy_denied_total {denied}\npolicy_considered_total {considered}"


def latency(fast, slow):
    rows = [("100", fast), ("300", fast), ("1000", fast + slow), ("+Inf", fast + slow)]
    lines = [f'exec_latency_ms_bucket{{le="{le}"}} {count}' for le, count in rows]
    return "\n".join([*lines, f"exec_latency_ms_count {fast + slow}"])


def wait(rule, pages, timeout=None):
    """Let one second pass between pages; a page None is silence, an exhausted list repeats its last page."""
    now = [0.0]

    def fetch():
        page = pages[min(int(now[0]), len(pages) - 1)]
        if page is None:
            raise FetchError("silence")
        return page

    def sleep(seconds):
        now[0] += seconds

    limit = len(pages) - 1 if timeout is None else timeout
    return _recovery.wait(rule, _recovery.reader(rule, fetch, lambda: ""), lambda: now[0], sleep, limit, 1.0)


@pytest.mark.parametrize(
    ("pages", "answer", "reason"),
    [
        ([breaker(0, 10 * t) for t in range(9)], "recovered", "within"),
        # HALF_OPEN on the way is no break of trust, and not recovered either
        ([breaker(2, 0), breaker(1, 2), *(breaker(0, 10 * t) for t in range(1, 8))], "recovered", "within"),
        ([breaker(1, 10 * t) for t in range(9)], "not_recovered", "half_open"),
        ([breaker(2, 0)] * 9, "not_recovered", "still_breached"),
        # A bare restart closes the breaker for a moment; its cause opens it again
        ([breaker(0, 0), breaker(0, 10), breaker(0, 19), breaker(2, 20), breaker(2, 20)], "not_recovered", "reopened"),
        ([breaker(2, 0), breaker(1, 3), breaker(2, 5)], "not_recovered", "reopened"),
        # CLOSED with nothing decided proves nothing
        ([breaker(0, 5)] * 9, "unknown", "too_few"),
        ([breaker(0, 30 * t) for t in range(3)], "unknown", "too_short"),
        ([breaker(0, 0), breaker(0, 50), breaker(0, 3), breaker(0, 90)], "unknown", "reset"),
        ([*(breaker(0, 10 * t) for t in range(3)), None, None], "unknown", "silent"),
        (
            [*(breaker(0, 10 * t) for t in range(4)), None, *(breaker(0, 10 * t) for t in range(5, 7))],
            "unknown",
            "too_few",
        ),
        (["policy_considered_total 5"] * 3, "unknown", "no_data"),
        (["circuit_breaker_state 0"] * 9, "unknown", "no_data"),
        ([breaker("NaN", 10 * t) for t in range(9)], "unknown", "nan"),
        (["circuit breaker is fine!"] * 3, "unknown", "malformed"),
        # OPEN and CLOSED at once is neither
        ([breaker(0, 10 * t) + "\ncircuit_breaker_state 2" for t in range(9)], "unknown", "malformed"),
        ([breaker(2, 10 * t) + "\ncircuit_breaker_state 0" for t in range(9)], "unknown", "malformed"),
        ([breaker(0, 10 * t) + "\ncircuit_breaker_state{x=2" for t in range(9)], "unknown", "malformed"),
        ([breaker(0, 10 * t) + '\n{"my.metric"} 1\nother x' for t in range(9)], "recovered", "within"),
        # Decisions that nobody can count are none
        ([breaker(0, "NaN")] * 9, "unknown", "no_data"),
        ([breaker(0, 10 * t) + "\npolicy_considered_total 5" for t in range(9)], "unknown", "no_data"),
        ([None] * 3, "unknown", "silent"),
    ],
)
def test_breaker(pages, answer, reason):
    verdict = wait(BREAKER, pages).verdict
    assert verdict.answer == answer
    assert verdict.reason == reason


def test_recovered_comes_no_sooner_than_hold_and_count():
    assert wait(BREAKER, [breaker(0, 100 * t) for t in range(60)]).verdict.seconds == 4
    assert wait(BREAKER, [breaker(0, 2 * t) for t in range(60)]).verdict.seconds == 10


def test_a_restart_between_samples_is_unknown_even_when_counters_rise():
    pages = [
        f"process_start_time_seconds {start}\n{breaker(0, 10 * t)}" for t, start in enumerate([1, 1, 2, 2, 2, 2, 2])
    ]
    assert wait(BREAKER, pages).verdict == _recovery.Verdict("unknown", "reset", seconds=2)


def test_a_restart_behind_a_silence_is_noticed_too():
    pages = [f"process_start_time_seconds 1\n{breaker(0, 9)}", None, f"process_start_time_seconds 2\n{breaker(0, 90)}"]
    assert wait(BREAKER, [*pages, *pages[-1:] * 9]).verdict.reason == "reset"


def test_another_process_behind_the_endpoint_is_unknown():
    pages = iter(["1", "1", "2"])
    now = iter(range(100))
    read = _recovery.reader(BREAKER, lambda: breaker(0, 10 * next(now)), lambda: next(pages))
    clock = [0.0]
    outcome = _recovery.wait(BREAKER, read, lambda: clock[0], lambda s: clock.__setitem__(0, clock[0] + s), 60, 1)
    assert (outcome.verdict.answer, outcome.verdict.reason) == ("unknown", "reset")


@pytest.mark.parametrize(
    ("pages", "answer", "reason"),
    [
        ([ratio(10 * t, 100 * t) for t in range(4)], "recovered", "within"),
        ([ratio(60 * t, 100 * t) for t in range(6)], "not_recovered", "still_breached"),
        # What was denied before it got better does not count against it: the window is fresh
        ([ratio(90, 100), ratio(180, 200), ratio(185, 300), ratio(190, 400)], "recovered", "within"),
        ([ratio(t, 10 * t) for t in range(5)], "unknown", "too_few"),
        ([ratio(50, 100), ratio(60, 200), ratio(3, 20)], "unknown", "reset"),
        ([ratio(10 * t, 100 * t) + "\npolicy_denied_total 0" for t in range(9)], "unknown", "malformed"),
        ([ratio(10 * t, 100 * t) + '\npolicy_denied_total{why="A" 5' for t in range(9)], "unknown", "malformed"),
        ([ratio(10 * t, "NaN") for t in range(9)], "unknown", "nan"),
        ([ratio(t, 100 * t) for t in range(2)] + [ratio(1, "+Inf")] * 7, "unknown", "nan"),
    ],
)
def test_ratio(pages, answer, reason):
    verdict = wait(DENIALS, pages).verdict
    assert (verdict.answer, verdict.reason) == (answer, reason)


@pytest.mark.parametrize(
    ("pages", "answer", "reason"),
    [
        ([latency(100 * t, 0) for t in range(4)], "recovered", "within"),
        ([latency(50 * t, 50 * t) for t in range(6)], "not_recovered", "still_breached"),
        ([latency(10 * t, 0) for t in range(6)], "unknown", "too_few"),
        # Buckets of no histogram
        ([latency(100 * t, 0) + f'\nexec_latency_ms_bucket{{bucket="9"}} {t}' for t in range(6)], "unknown", "nan"),
        ([latency(100 * t, 0) + f'\nexec_latency_ms_bucket{{le="x"}} {t}' for t in range(6)], "unknown", "nan"),
        ([latency(100 * t, 0) + '\nexec_latency_ms_bucket{le="9" 1' for t in range(6)], "unknown", "malformed"),
        ([latency(100 * t, 0) + f'\nexec_latency_ms_bucket{{le="100"}} {t}' for t in range(6)], "unknown", "malformed"),
        ([latency(100 * t, 0).replace('"300"', '"+100.0"') for t in range(6)], "unknown", "nan"),
        ([latency(100 * t, 0).replace("+Inf", "2000") for t in range(6)], "unknown", "nan"),
        ([latency(100 * t, 0).replace("_count", "_Count") for t in range(6)], "unknown", "no_data"),
    ],
)
def test_p99(pages, answer, reason):
    verdict = wait(LATENCY, pages).verdict
    assert (verdict.answer, verdict.reason) == (answer, reason)


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ([0.09, 0.03, 0.03, 0.03], "recovered"),
        ([0.09] * 5, "not_recovered"),
        ([0.03, "NaN", 0.03, "NaN"], "unknown"),
    ],
)
def test_gauge(values, answer):
    assert wait(ECE, [f"calibration_ece {value}" for value in values]).verdict.answer == answer


def test_a_timeout_of_zero_reads_once_and_waits_for_nothing():
    outcome = wait(BREAKER, [breaker(2, 5)], timeout=0)
    assert (outcome.verdict.answer, len(outcome.samples)) == ("not_recovered", 1)


def test_what_is_returned_carries_numbers_and_one_sentence():
    told = _recovery.describe(wait(BREAKER, [breaker(0, 10 * t) for t in range(9)]), BREAKER)
    assert told["verdict"] == "recovered"
    assert told["message"] == "circuit_breaker_state is 0, within its limit of 2 for 4 s with 40 events"
    assert told["recovery"]["samples"][0] == {"at": 0.0, "value": 0.0, "count": 0.0, "problem": ""}


@pytest.mark.parametrize(
    ("pages", "denied"),
    [
        ([ratio(5, 10), None, ratio(9, 20), ratio(12, 30)], 7.0),
        ([ratio(5, 10), ratio(1, 20)], None),  # another process: what it denied is not the rest of it
        ([ratio(5, 10)], None),
        ([breaker(0, 1), breaker(0, 2)], None),
    ],
)
def test_orders_denied_while_it_was_watched_are_counted_for_the_post_mortem(pages, denied):
    outcome = wait(BREAKER, pages)
    assert outcome.denied == denied
    assert _recovery.describe(outcome, BREAKER)["recovery"]["denied"] == denied


def test_a_page_of_the_feed_does_not_count_what_the_runner_denied():
    """It may carry the family with 0: the post-mortem would say that nothing was denied."""
    availability = _indicators.INDICATORS["sse_availability"]
    rule = _recovery.Rule(availability, availability.threshold, hold=2, min_count=50)
    pages = [
        f"sse_events_sent_total {99 * t}\nsse_events_attempted_total {99 * t}\npolicy_denied_total 0" for t in range(4)
    ]
    outcome = wait(rule, pages)
    assert (outcome.verdict.answer, outcome.denied) == ("recovered", None)
