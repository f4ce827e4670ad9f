# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, an alert starts a remediation on a wrong host, or none at all."""

from __future__ import annotations

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils import _alert
from ansible_collections.aurora.runbook.plugins.module_utils._errors import RunbookError

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
    with pytest.raises(RunbookError, match=r"instance .* is no host of this inventory; expected one of aurora1"):
        _alert.target(alert(instance), HOSTS, NOW)


def test_an_instance_that_stands_for_several_hosts_is_refused():
    with pytest.raises(RunbookError, match="stands for several hosts"):
        _alert.target(alert("a"), {"a.example.com": "192.0.2.1", "a.example.org": "192.0.2.2"}, NOW)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "not an alert"),
        ("CircuitBreakerOpen", "not an alert"),
        ({"labels": []}, "not an alert"),
        (alert(status="suppressed"), "status 'suppressed' is refused"),
        (alert(name="NodeDown"), "'NodeDown' is no alert of the runbook; expected SseAvailabilitySLOViolation"),
        ({**alert(), "startsAt": "yesterday"}, "startsAt 'yesterday' is refused"),
        ({**alert(), "startsAt": "2026-13-24T03:00:00Z"}, "startsAt .* is refused"),
        ({**alert(), "fingerprint": "{{ 1 }}"}, "fingerprint .* is refused"),
        (alert(name=["CircuitBreakerOpen"]), "is no alert of the runbook"),
        (alert(name="{{ lookup('pipe', 'id') }}"), "is no alert of the runbook"),
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


def test_an_alert_says_how_long_the_trouble_lasts():
    assert _alert.target(alert(), HOSTS, NOW).age_seconds == 300
    assert _alert.target(alert(), HOSTS, NOW - 86400).age_seconds == 0  # this controller's clock is behind
    assert _alert.target(alert(), HOSTS, NOW + 1e9).age_seconds == _alert.OLDEST
