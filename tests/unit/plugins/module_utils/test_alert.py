# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, an alert starts a remediation on a wrong host, or none at all."""

from __future__ import annotations

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils import _alert
from ansible_collections.aurora.runbook.plugins.module_utils._errors import RunbookError

HOSTS = {"aurora1": "192.0.2.21", "aurora2": "2001:db8::22", "aurora-c.example.com": "aurora-c.example.com"}


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
    assert _alert.target(alert(instance), HOSTS) == _alert.Target("circuit_breaker", host, True)


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
        _alert.target(alert(instance), HOSTS)


def test_an_instance_that_stands_for_several_hosts_is_refused():
    with pytest.raises(RunbookError, match="stands for several hosts"):
        _alert.target(alert("a"), {"a.example.com": "192.0.2.1", "a.example.org": "192.0.2.2"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "not an alert"),
        ("CircuitBreakerOpen", "not an alert"),
        ({"labels": []}, "not an alert"),
        (alert(status="suppressed"), "status 'suppressed' is refused"),
        (alert(name="NodeDown"), "'NodeDown' is no alert of the runbook; expected SseAvailabilitySLOViolation"),
        (alert(name=["CircuitBreakerOpen"]), "is no alert of the runbook"),
        (alert(name="{{ lookup('pipe', 'id') }}"), "is no alert of the runbook"),
    ],
)
def test_what_is_no_alert_of_the_runbook_is_refused(given, said):
    with pytest.raises(RunbookError, match=said):
        _alert.target(given, HOSTS)


def test_a_resolved_alert_fires_nothing():
    assert not _alert.target(alert(status="resolved"), HOSTS).firing


def test_the_name_may_stand_beside_the_labels():
    named = {"name": "CalibrationECEHigh", "labels": {"instance": "aurora1"}, "status": "firing"}
    assert _alert.target(named, HOSTS).incident == "calibration_ece"
