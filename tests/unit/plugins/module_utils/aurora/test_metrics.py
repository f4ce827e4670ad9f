# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, rates, shares and p99 that decide about trading are wrong."""

from __future__ import annotations

import math

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _metrics
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import MetricsError
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families

label_values = st.text(
    alphabet=st.characters(blacklist_categories=("Cs", "Cc")) | st.sampled_from('"\\\n{}=,'), max_size=12
)


def page_of(denials):
    registry = CollectorRegistry()
    counter = Counter("policy_denied", "d", ["symbol", "why"], registry=registry)
    Gauge("circuit_breaker_state", "s", registry=registry).set(2)
    for (symbol, why), count in denials.items():
        counter.labels(symbol, why).inc(count)
    return generate_latest(registry).decode()


@given(st.dictionaries(st.tuples(label_values, label_values), st.floats(0, 1e12), max_size=5))
def test_reads_a_page_as_prometheus_client_does(denials):
    text = page_of(denials)
    expected = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    read = {(name, labels): v for name, series in _metrics.parse(text).series.items() for labels, v in series.items()}
    assert read == expected


@given(st.lists(st.floats(0.1, 9000), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99]))
def test_quantile_lies_in_the_bucket_of_the_true_one(values, q):
    registry = CollectorRegistry()
    buckets = [1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000]
    histogram = Histogram("exec_latency_ms", "l", buckets=buckets, registry=registry)
    for value in values:
        histogram.observe(value)
    page = _metrics.parse(generate_latest(registry).decode())
    cumulative = {dict(labels)["le"]: v for labels, v in page.series["exec_latency_ms_bucket"].items()}
    found = _metrics.histogram_quantile(q, cumulative)
    true = sorted(values)[math.ceil(q * len(values)) - 1]
    upper = next((b for b in buckets if true <= b), math.inf)
    lower = max((b for b in buckets if b < upper), default=0)
    assert (found == 5000) if math.isinf(upper) else (lower <= found <= upper)


@pytest.mark.parametrize(
    ("buckets", "expected"),
    [
        ({"100": 50, "200": 90, "300": 99, "+Inf": 100}, 300),  # Prometheus' own interpolation at a bucket's edge
        ({"100": 0, "200": 100, "+Inf": 100}, 199),
        ({"100": 0, "+Inf": 10}, 100),  # in the last bucket the highest finite bound is all that is known
        ({"100": 0, "+Inf": 0}, math.nan),
        ({"100": 5}, math.nan),
        ({"200": 25, "200.0": 25, "300": 50, "3e2": 50, "1000.0": 50, "1000": 50, "+Inf": 100}, 298),
        ({"100": 0, "200": 50, "300": 50, "400": 100, "inf": 100}, 398),
        # No histogram
        ({"100": 5, "": 5, "+Inf": 10}, math.nan),
        ({"100": 5, "one hundred": 5, "+Inf": 10}, math.nan),
        ({"100": 5, "NaN": 5, "+Inf": 10}, math.nan),
        ({"100": 50, "200": 40, "+Inf": 100}, math.nan),
        ({"1_00": 50, "+Inf": 100}, math.nan),
    ],
)
def test_quantile_as_prometheus_computes_it(buckets, expected):
    assert _metrics.histogram_quantile(0.99, buckets) == pytest.approx(expected, nan_ok=True)


BAD = ["no value", "x{a=1} 2", 'x{a="1" 2', "x 1 2 3 4", "{} 1", "x one", 'x{a="b"}', "x 1_000", "x 0x1p3", 'x{"y"} 1']


@pytest.mark.parametrize("line", BAD)
def test_a_line_that_is_no_text_format_costs_its_own_names_alone(line):
    read = _metrics.parse(f"other 1\n{line}\n# TYPE x counter\nx 7\n")
    assert (read.total("other"), read.has("x"), read.total("x"), read.highest("x")) == (1.0, *_known(line))


def _known(line):
    return (False, None, None) if "x" in line else (True, 7.0, 7.0)


@pytest.mark.parametrize("line", BAD)
def test_what_has_no_line_of_text_format_is_refused_with_the_first(line):
    with pytest.raises(MetricsError, match="line 2"):
        _metrics.parse(f"\n{line}\n<html>\n")


def test_the_beginning_of_a_name_may_be_a_series_that_was_lost():
    """Otherwise a counter with labels counts as never raised: nothing was denied."""
    read = _metrics.parse("# TYPE policy_denied_total counter\npolicy_deni\npolicy_considered_total 9\n")
    assert (read.total("policy_denied_total"), read.total("policy_considered_total")) == (None, 9.0)


@pytest.mark.parametrize(
    "lines",
    [
        "s 2\ns 0",
        "s 0\ns 2",
        's{a="1",b="2"} 2\ns{b="2",a="1"} 0',
        's{a=""} 2\ns 0',
        's 2\n{"s"} 0',
        "s 2 1000\ns 0 2000",
        's{a="1",a="2"} 0',
        's{"a"="1",a="1"} 0',
    ],
)
def test_a_series_or_a_label_that_comes_twice_is_unknown(lines):
    """OPEN, then CLOSED, must not read CLOSED."""
    read = _metrics.parse(f"t 1\n{lines}\n")
    assert (read.highest("s"), read.total("s"), read.counts("s"), read.total("t")) == (None, None, None, 1.0)
    assert _metrics.increase(read, read, "s") is None
    assert read.only({"s"}).broken == {"s"}


@pytest.mark.parametrize(
    ("line", "name", "labels"),
    [
        ('{"my.metric", a="b"} 1', "my.metric", (("a", "b"),)),
        ('{"circuit_breaker_state"} 1', "circuit_breaker_state", ()),
        ('{a="b","my\\"metric"} 1', 'my"metric', (("a", "b"),)),
        ('m{"x.y"="z",} 1', "m", (("x.y", "z"),)),
        ('m {a = "b" , } 1 123', "m", (("a", "b"),)),
        ('m{a="}"} 1 # {trace_id="x}"} 0.67 1.5e9', "m", (("a", "}"),)),
        ("m 1 1520879607.789", "m", ()),
    ],
)
def test_reads_what_prometheus_3_and_openmetrics_add(line, name, labels):
    assert _metrics.parse(f"{line}\n# EOF").series == {name: {labels: 1.0}}


@given(st.dictionaries(label_values, st.floats(0, 1e12), max_size=5))
def test_reads_openmetrics_as_prometheus_client_does(denials):
    registry = CollectorRegistry()
    counter = Counter("policy_denied", "d", ["why"], registry=registry)
    buckets = Histogram("exec_latency_ms", "l", buckets=[1, 100.5], registry=registry)
    buckets.observe(3, {"trace_id": "a}b"})
    for why, count in denials.items():
        counter.labels(why).inc(count, {"trace_id": "1 2"})
    text = openmetrics.generate_latest(registry).decode()
    expected = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in openmetrics_families(text)
        for sample in family.samples
    }
    page = _metrics.parse(text)
    assert {(name, labels): v for name, series in page.series.items() for labels, v in series.items()} == expected
    assert page.total("policy_denied_total") == sum(denials.values())


@given(st.text(alphabet='x1.{}",=# \\n\t+-ea"', max_size=40))
def test_a_line_is_taken_only_where_prometheus_client_takes_it_as_the_same(line):
    try:
        families = list(text_string_to_metric_families(line + "\n"))
    except (ValueError, IndexError, KeyError):
        return
    known = [sample for family in families for sample in family.samples]
    read = _metrics.parse(f"{line}\nlast 1\n")
    taken = {name: series for name, series in read.series.items() if name != "last"}
    if taken:
        values = [value for series in taken.values() for value in series.values()]
        assert (list(taken), values) == ([known[0].name], [known[0].value])


def test_a_counter_never_raised_is_zero_and_a_missing_one_is_none():
    page = _metrics.parse("# TYPE policy_denied_total counter\n")
    assert page.total("policy_denied_total") == 0.0
    assert page.total("policy_considered_total") is None


def test_increases_by_label_count_new_series_from_zero():
    before, after = _metrics.parse('d{why="A"} 3'), _metrics.parse('d{why="A"} 5\nd{why="B"} 4')
    assert _metrics.increases(before, after, "d", "why") == {"A": 2.0, "B": 4.0}


@pytest.mark.parametrize("after", ["d 2", "e 9", "d NaN", "d +Inf", 'd 4\nd{a="1"} -1'])
def test_a_counter_that_fell_vanished_or_is_nan_gives_no_increase(after):
    assert _metrics.increase(_metrics.parse("d 3"), _metrics.parse(after), "d") is None


def test_the_highest_of_a_gauge_is_nan_when_any_series_is():
    assert math.isnan(_metrics.parse('s{a="1"} 0\ns{a="2"} NaN').highest("s"))


def test_a_family_that_is_declared_without_series_was_never_raised():
    """So do prometheus_client and OpenMetrics with a family that has labels, and so do histograms."""
    page = _metrics.parse("# TYPE d counter\n# TYPE h histogram\n# TYPE g gauge\nother 1\n# EOF\n")
    assert [page.total(name) for name in ("d_total", "h_count", "h_bucket", "d", "h")] == [0.0, 0.0, 0.0, None, None]
    assert page.highest("g") is None
