# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a page ends a module after its change was made, or what was not said is taken for a value.

Whatever is on a page, the judges answer with a value or with "unknown", never with an error.
"""

from __future__ import annotations

import json
import math

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _lease_ends
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _metrics
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import FetchError, MetricsError
from ansible_collections.aurora.runbook.plugins.module_utils.base._parallel import Finding
from ansible_collections.aurora.runbook.plugins.module_utils.look import _recovery, _summary, _triage
from hypothesis import given
from hypothesis import strategies as st
from test_triage import findings

NAMES = sorted({name for one in _indicators.INDICATORS.values() for name in (*one.names, one.divisor) if name})
FAMILIES = [*NAMES, "sse_clients_connected", "process_start_time_seconds"]
VALUES = ["0", "1", "2", "40", "250", "-3", "0.5", "NaN", "+Inf", "-Inf", "1e308", "1e999", "1_0", "", "x", "٣"]
LABELS = [
    "", "{}", '{le="100"}', '{le="100.0"}', '{le="+Inf"}', '{le="x"}', '{le="NaN"}', '{bucket="1"}', '{why="A"}',
    '{why="A",symbol="B"}', '{symbol="B",why="A"}', '{why="A",why="A"}', "{why=}", '{why="A"', '{"a.b"="c"}',
]  # fmt: skip
ENDS = ["", " 1700000000", ' # {trace_id="x"} 1', " # {", "\r"]
lines = st.one_of(
    st.builds(
        lambda name, labels, value, end: f"{name}{labels} {value}{end}",
        st.sampled_from(FAMILIES),
        st.sampled_from(LABELS),
        st.sampled_from(VALUES),
        st.sampled_from(ENDS),
    ),
    st.sampled_from([f"# TYPE {name} counter" for name in NAMES]),
    st.sampled_from(["# EOF", '{"my.metric"} 1', "# TYPE exec_latency_ms histogram", "<html>", "polic"]),
    st.text(max_size=20),
)
texts = st.lists(lines, max_size=30).map("\n".join)
pages = st.lists(st.one_of(texts, st.none()), min_size=1, max_size=8)


def parsed(text):
    try:
        return _metrics.parse(text)
    except MetricsError:
        return _metrics.Page()


def rule_of(indicator):
    return _recovery.Rule(indicator, indicator.threshold, 2, indicator.min_count)


@pytest.mark.parametrize("indicator", _indicators.INDICATORS.values(), ids=_indicators.INDICATORS)
@given(before=texts, after=texts, seconds=st.floats(0, 4000))
def test_measuring_gives_a_number_or_the_reason_for_none(indicator, before, after, seconds):
    before, after = parsed(before), parsed(after)
    seen = _indicators.measure(indicator, before, after, seconds)
    assert (seen.value is None) is bool(seen.problem)
    assert seen.value is None or math.isfinite(seen.value)
    assert seen.count is None or seen.count >= 0
    asked = [after] if indicator.kind in ("state", "gauge") else [before, after]
    if any(name in page.broken for page in asked for name in (indicator.family, *indicator.names)):
        assert seen.problem == "malformed"
    assert _indicators.enough([indicator.incident], before, after, seconds) in (True, False)


@pytest.mark.parametrize("indicator", _indicators.INDICATORS.values(), ids=_indicators.INDICATORS)
@given(texts=pages)
def test_waiting_ends_with_one_of_three_answers(indicator, texts):
    now = [0.0]

    def fetch():
        text = texts[min(int(now[0]), len(texts) - 1)]
        if text is None:
            raise FetchError("silence")
        return text

    rule = rule_of(indicator)
    read = _recovery.reader(rule, fetch, lambda: "")
    sleep = lambda seconds: now.__setitem__(0, now[0] + seconds)  # noqa: E731
    outcome = _recovery.wait(rule, read, lambda: now[0], sleep, len(texts), 1.0)
    told = _recovery.describe(outcome, rule)
    assert told["verdict"] in (_recovery.RECOVERED, _recovery.NOT_RECOVERED, _recovery.UNKNOWN)
    json.dumps(told, allow_nan=False)  # what a module returns


def finding(before, after):
    return Finding("ok", {"before": parsed(before), "after": parsed(after), "seconds": 5.0})


@given(before=texts, after=texts, feed=texts)
def test_triage_judges_and_tells_whatever_the_pages_say(before, after, feed):
    found = findings(feed_metrics=finding(feed, feed), runner_metrics=finding(before, after))
    read = _triage.indicators(found, None, {})
    codes = _triage.why(found, 0.0)
    causes = _triage.describe(_triage.causes(read, codes, found, _triage.WHY_CAUSES))
    told = {"severity": "P0", "indicators": read, "causes": causes, "why": codes.shares}
    json.dumps(told, allow_nan=False)
    for language in ("en", "uk"):
        assert len(_summary.blind(language, told, _indicators.INDICATORS)) == sum(
            entry["value"] is None for entry in read.values()
        )


@given(texts=pages)
def test_a_lease_is_judged_at_every_tick(texts):
    notes = {}
    for number, text in enumerate(texts):

        def fetch(_url, text=text):
            if text is None:
                raise FetchError("silence")
            return text

        clock = _stamps.Clock(1.8e9, "boot", 1000.0 + 60 * number)
        for name, limit in (("policy_deny_rate", 0.35), ("circuit_breaker", 2.0)):
            watch = {"indicator": name, "url": "u", "threshold": limit}
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(_lease_ends._http, "fetch_metrics", fetch)
                assert set(_lease_ends.unhealthy(watch, clock, notes)) in (set(), {"metric", "value", "limit"})
        assert json.loads(json.dumps(notes)) == notes
