# SPDX-License-Identifier: GPL-3.0-or-later
"""If this breaks, an engineer who asked for the brief output looks for the report of a remediation in vain."""

from __future__ import annotations

from ansible_collections.aurora.runbook.plugins.plugin_utils import _texts
from test_ladders import KELLY, SPREAD, look, run


def test_a_remediation_ends_with_its_report_and_the_hosts_that_are_not_well(collection, tmp_path, monkeypatch):
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "aurora.runbook.brief")
    host = {"look": look("circuit_breaker", "wide_spreads"), "says": {KELLY: "recovered"}}
    unseen = {"failed": True, "msg": "it is \x1b[31mgone"}
    hosts = {"a0": host, "a1": {**host, "says": {SPREAD: "approval_needed"}}, "a2": {**host, "look": unseen}}
    printed, _made = run("circuit_breaker", hosts, collection, tmp_path)
    steps, report, failed = printed.split("\n\n")
    assert "\x1b" not in printed
    assert [line.split(": ")[0] for line in report.splitlines() if not line.startswith(" ")] == [
        "circuit_breaker", "a0", "a1", "a2",
    ]  # fmt: skip
    head, *last = failed.splitlines()
    assert head == _texts.say("en", "run_failed")
    assert {line.split(": ")[0] for line in last} == {"a1", "a2"}
    climbed = [line.split()[1] for line in steps.splitlines() if KELLY in line]
    assert climbed == ["a0:", "a1:"]
    assert all(_texts.say("en", verdict) in steps for verdict in ("recovered", "not_recovered", "approval_needed"))
