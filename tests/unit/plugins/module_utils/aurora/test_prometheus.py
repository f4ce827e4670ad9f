# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, an answer of Prometheus that is old, partial or no number counts as health."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _prometheus
from ansible_collections.aurora.runbook.plugins.module_utils.base import _http
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import FetchError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _probes

NOW = 1_764_400_000.0
RUNNER, FEED = 'instance="a:9000"', 'instance="a:8001"'


def answer(kind, result, **more):
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}, **more})


def vector(*values):
    return answer("vector", [{"metric": {}, "value": [NOW, value]} for value in values])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (vector("0.25"), (NOW, 0.25)),
        (vector(), None),
        (answer("scalar", [NOW, "7"]), (NOW, 7.0)),
        (answer("vector", [{"value": [NOW, "0.5"]}], infos=["metric might not be a counter"]), (NOW, 0.5)),
        (answer("vector", [{"value": [NOW, "0.5"]}], warnings=[]), (NOW, 0.5)),
    ],
)
def test_one_number_is_read(text, value):
    assert _prometheus.single(_prometheus.data(text)) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (vector("1", "2"), "2 results"),
        (answer("vector", [{"value": [NOW, "much"]}]), "not one number"),
        (answer("vector", [{"histogram": [NOW, {}]}]), "not one number"),
        (answer("vector", [{"value": [NOW]}]), "not one number"),
        (answer("vector", [{"value": [NOW, "0.5"]}], warnings=["2 stores did not answer"]), "2 stores"),
        (answer("vector", [{"value": [NOW, "0.5"]}], isPartial=True), "partial"),
        ('{"status":"error","errorType":"timeout","error":"query timed out"}', "timeout: query timed out"),
        ('{"status":"success","data":{"resultType":"vector","result":null}}', "like Prometheus"),
        ('{"status":"success"}', "like Prometheus"),
        ('{"data":{"resultType":"vector","result":[]}}', "like Prometheus"),
        ("<html>", "like Prometheus"),
        ("[]", "like Prometheus"),
    ],
)
def test_any_other_answer_is_refused_with_the_reason(text, reason):
    with pytest.raises(FetchError, match=reason):
        _prometheus.single(_prometheus.data(text))


def page(first, last, every=15, value=9.0):
    """Samples from ``first`` to ``last`` seconds ago."""
    return {"metric": {}, "values": [[NOW - age, str(value)] for age in range(first, last - 1, -every)]}


@pytest.mark.parametrize(
    ("name", "pages", "problem"),
    [
        ("policy_deny_rate", [page(900, 0)], ""),
        ("policy_deny_rate", [page(900, 45)], ""),  # three scrapes failed
        ("policy_deny_rate", [page(900, 75)], "stale"),
        ("policy_deny_rate", [page(900, 60, every=60)], ""),
        ("policy_deny_rate", [page(900, 300, every=60)], "stale"),
        ("policy_deny_rate", [page(900, 600), page(30, 0)], "stale"),  # it moved to another port: which one counts?
        ("policy_deny_rate", [page(900, 600), page(900, 0, value=0)], "stale"),  # the feed is scraped, the runner not
        ("policy_deny_rate", [page(900, 0), page(900, 600, value=0)], ""),  # the feed is of no interest
        ("policy_deny_rate", [page(900, 0, value=0)], ""),  # it has not decided yet
        ("policy_deny_rate", [page(900, 200) | {}], "stale"),
        ("policy_deny_rate", [], "stale"),
        ("policy_deny_rate", [{"metric": {}, "values": []}], "stale"),
        ("policy_deny_rate", [page(120, 0)], ""),
        ("cvar_breach", [page(3600, 0)], ""),
        ("cvar_breach", [page(1200, 0)], "too_few"),
        ("reconnects", [page(300, 0)], ""),
        ("reconnects", [page(120, 0)], "too_few"),
        ("reconnects", [page(290, 0, every=2)], ""),
    ],
)
def test_a_window_is_believed_while_its_service_is_scraped(name, pages, problem):
    found = _prometheus.doubt(_indicators.INDICATORS[name], {"result": pages}, NOW)
    assert found.problem == problem


def test_every_query_is_about_one_moment_and_one_that_fails_hides_no_other(monkeypatch):
    asked = []

    def fetch(url, _timeout):
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        asked.append(query)
        if query["query"] == "time()":
            return _http.Response(200, {}, answer("scalar", [NOW, str(NOW)]).encode())
        if "exec_latency" in query["query"]:
            said = {"status": "error", "errorType": "execution", "error": "too many samples"}
            return _http.Response(422, {}, json.dumps(said).encode())
        if query["query"].endswith("m]"):
            return _http.Response(200, {}, answer("matrix", [page(900, 0)]).encode())
        return _http.Response(200, {}, vector("0.5").encode())

    monkeypatch.setattr(_probes._http, "fetch", fetch)
    found = _probes.promql("http://p:9090/", "a", ["policy_deny_rate", "execution_latency"], 5)
    assert found["values"] == {"policy_deny_rate": 0.5}
    assert {name: doubt["problem"] for name, doubt in found["doubts"].items()} == {"execution_latency": "unclear"}
    assert "422: execution: too many samples" in found["doubts"]["execution_latency"]["reason"]
    assert {query.get("time") for query in asked} == {None, f"{NOW:.3f}"}


def test_a_worst_instance_is_the_one_that_breaches():
    for indicator in _indicators.INDICATORS.values():
        assert indicator.worst(RUNNER).startswith("min(" if indicator.breach == "<" else "max(")
        assert RUNNER in indicator.expression(RUNNER)
        assert "{}" in indicator.expression()
        assert "%" not in indicator.expression(FEED)
