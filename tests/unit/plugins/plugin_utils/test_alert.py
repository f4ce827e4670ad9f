# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, an alert starts a remediation on a wrong host, or none at all."""

from __future__ import annotations

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.plugin_utils import _alert

HOSTS = {"aurora1": "192.0.2.21", "aurora2": "2001:db8::22", "aurora-c.example.com": "aurora-c.example.com"}

NOW = 1795489500.0  # 2026-11-24T03:05:00Z


def alert(instance="aurora1:9000", name="CircuitBreakerOpen", status="firing"):
    return {"labels": {"alertname": name, "instance": instance}, "status": status, "startsAt": "2026-11-24T03:00:00Z"}


@pytest.mark.parametrize(
    ("instance", "host"),
    [
        ("aurora1", "aurora1"),
        ("aurora1:9000", "aurora1"),
        ("AURORA1:9000", "aurora1"),
        ("192.0.2.21:9000", "aurora1"),
        ("http://aurora1:9000/metrics", "aurora1"),
        ("[2001:db8::22]:9000", "aurora2"),
        ("2001:db8::22", "aurora2"),
        ("aurora2.example.com:9000", "aurora2"),
        ("aurora-c:8001", "aurora-c.example.com"),
        ("aurora-c.example.com:8001", "aurora-c.example.com"),
    ],
)
def test_an_instance_label_names_its_host(instance, host):
    target = _alert.target(alert(instance), HOSTS, NOW)
    assert (target.incident, target.host, target.firing) == ("circuit_breaker", host, True)


@pytest.mark.parametrize(
    "instance",
    [
        "",
        None,
        7,
        "aurora9:9000",
        "192.0.2.2",
        "192:9000",
        "localhost",
        "aurora1,aurora2",
        "*",
        "{{ 1 }}",
        "http://[",
        "all",
        "aurora-c.example.org:9000",  # another site's
    ],
)
def test_an_instance_that_is_no_host_is_refused(instance):
    with pytest.raises(RunbookError, match=r"instance .* is not a host of this inventory; expected one of aurora1"):
        _alert.target(alert(instance), HOSTS, NOW)


SHARED = {"a.example.com": "192.0.2.1", "a.example.org": "192.0.2.1", "b": "192.0.2.2"}


@pytest.mark.parametrize(
    "labels",
    [
        {"instance": "a"},
        {"instance": "192.0.2.1:9000"},
        {"instance": "192.0.2.1:9000", "hostname": "somewhere"},
        {"instance": "a.example.com:9000", "exported_instance": "b:9000"},  # the labels contradict each other
    ],
)
def test_what_could_be_several_hosts_is_refused_by_their_names(labels):
    given = alert()
    given["labels"] = {"alertname": "CircuitBreakerOpen", **labels}
    with pytest.raises(
        RunbookError, match=r"stands for several hosts .*a\.example\.(com|org).*aurora_prometheus_instance"
    ):
        _alert.target(given, SHARED, NOW)


@pytest.mark.parametrize(
    ("labels", "host", "label"),
    [
        ({"instance": "proxy:9090", "exported_instance": "b:9000"}, "b", "exported_instance"),
        ({"hostname": "B"}, "b", "hostname"),
        ({"instance": "b:9000", "host": "the exchange", "node": "k8s-7"}, "b", "instance"),
        ({"instance": "192.0.2.1:9000", "nodename": "a.example.org"}, "a.example.org", "nodename"),
        ({"instance": "https://proxy/b", "target": "http://b.example.com:9000/metrics"}, "b", "target"),
        ({"instance": ["b"], "fqdn": "b.example.com."}, "b", "fqdn"),
    ],
)
def test_another_label_names_the_host_where_the_instance_is_a_proxy_or_relabelled(labels, host, label):
    given = alert()
    given["labels"] = {"alertname": "CircuitBreakerOpen", **labels}
    target = _alert.target(given, SHARED, NOW)
    assert (target.host, target.label) == (host, label)


def test_the_label_that_an_inventory_names_comes_first():
    hosts, declared = {"a": "192.0.2.1", "b": "192.0.2.1"}, {"a": "Aurora A (Kyiv)", "b": "192.0.2.1"}
    assert _alert.target(alert("Aurora A (Kyiv)"), hosts, NOW, declared).host == "a"
    assert _alert.target(alert("192.0.2.1:9000"), hosts, NOW, declared).host == "b"
    given = alert("a")
    given["labels"]["site_host"] = "b"
    with pytest.raises(RunbookError, match="several hosts"):
        _alert.target(given, {"a": "a", "b": "b"}, NOW, {}, "site_host")
    given["labels"]["instance"] = "proxy:9090"
    target = _alert.target(given, {"a": "a", "b": "b"}, NOW, {}, "site_host")
    assert (target.host, target.label, target.instance) == ("b", "site_host", "b")


def test_the_event_filter_may_have_said_whose_the_label_is():
    given = {**alert("10.0.0.5:9000"), "host": "b"}
    target = _alert.target(given, SHARED, NOW)
    assert (target.host, target.label, target.instance) == ("b", "instance", "10.0.0.5")
    with pytest.raises(RunbookError, match="'c' is not a host of this inventory"):
        _alert.target({**alert("b"), "host": "c"}, SHARED, NOW)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "not an alert"),
        ("CircuitBreakerOpen", "not an alert"),
        ({"labels": []}, "not an alert"),
        (alert(status="suppressed"), "status 'suppressed' is refused"),
        (alert(name="NodeDown"), "'NodeDown' is not an alert of the runbook; expected SseAvailabilitySLOViolation"),
        (alert(name=["CircuitBreakerOpen"]), "is not an alert of the runbook"),
        (alert(name="{{ lookup('pipe', 'id') }}"), "is not an alert of the runbook"),
    ],
)
def test_what_is_no_alert_of_the_runbook_is_refused(given, said):
    with pytest.raises(RunbookError, match=said):
        _alert.target(given, HOSTS, NOW)


def test_a_resolved_alert_fires_nothing():
    assert not _alert.target(alert(status="resolved"), HOSTS, NOW).firing


def test_the_name_may_stand_beside_the_labels():
    named = {"name": "CalibrationECEHigh", "labels": {"instance": "aurora1"}, "status": "firing"}
    assert _alert.target(named, HOSTS, NOW).incident == "calibration_ece"


def test_the_same_alert_delivered_again_has_the_same_key():
    first = _alert.target({**alert(), "fingerprint": "9f2c"}, HOSTS, NOW)
    again = {**alert(), "fingerprint": "9f2c", "startsAt": "2026-11-24T05:00:00.123456789+02:00"}
    assert first.key == _alert.target(again, HOSTS, NOW + 60).key != ""
    assert first.key != _alert.target({**again, "startsAt": "2026-11-24T03:00:01Z"}, HOSTS, NOW).key


@pytest.mark.parametrize(
    "unread",
    [
        {"startsAt": "yesterday"},
        {"startsAt": "2026-13-24T03:00:00Z"},
        {"startsAt": "2026-11-24T03:00:60Z"},
        {"startsAt": "2026-11-24T03:00:00"},
        {"startsAt": "0001-01-01T00:00:00Z"},  # Go's "not set"
        {"startsAt": "0001-01-01T00:00:00+02:00"},
        {"startsAt": "1970-01-01T00:00:00Z"},
        {"startsAt": "9999-12-31T23:59:59-14:00"},
        {"startsAt": ""},
        {"startsAt": 1.8e9},
        {"startsAt": ["2026-11-24T03:00:00Z"]},
        {"startsAt": "{{ 1 }}"},
    ],
)
def test_an_alert_whose_start_nobody_can_read_is_remediated_and_its_age_is_not_known(unread):
    target = _alert.target({**alert(), "fingerprint": "9f2c", **unread}, HOSTS, NOW)
    assert (target.host, target.starts_at, target.age_seconds, target.key) == ("aurora1", "", 0.0, "")
    assert (target.firing, target.fingerprint) == (True, "9f2c")


@pytest.mark.parametrize("fingerprint", ["", None, "{{ 1 }}", 7, "a" * 65, ["a"]])
def test_an_alert_without_a_fingerprint_that_can_be_read_is_remediated(fingerprint):
    target = _alert.target({**alert(), "fingerprint": fingerprint}, HOSTS, NOW)
    assert (target.host, target.fingerprint, target.key, target.age_seconds) == ("aurora1", "", "", 300.0)


@pytest.mark.parametrize("start", ["2026-11-24t03:00:00z", "2026-11-24T03:00:00.12+0000", "2026-11-24T05:00:00,5+02"])
def test_a_start_in_another_form_of_iso_is_read(start):
    assert _alert.target({**alert(), "startsAt": start}, HOSTS, NOW).starts_at == "2026-11-24T03:00:00+00:00"


def test_an_alert_says_how_long_the_trouble_lasts():
    assert _alert.target(alert(), HOSTS, NOW).age_seconds == 300
    assert _alert.target(alert(), HOSTS, NOW - 86400).age_seconds == 0  # this controller's clock is behind
    assert _alert.target(alert(), HOSTS, NOW + 1e9).age_seconds == _alert.OLDEST
