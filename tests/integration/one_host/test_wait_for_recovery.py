# SPDX-License-Identifier: GPL-3.0-or-later
"""Only an indicator that was seen to recover is called recovered."""

from __future__ import annotations

from helpers import HOST, finish_module, lab, module, shell, start_module

BREAKER = {"indicator": "circuit_breaker", "hold_seconds": 4, "timeout_seconds": 30, "interval_seconds": 0.5}


def test_a_restart_without_a_cure_is_not_taken_for_recovery(broken):
    broken("breaker_spreads", [HOST])
    lab.inside(HOST, "systemctl", "restart", "aurora-runner")
    result = module(HOST, "wait_for_recovery", BREAKER)
    assert result["verdict"] == "not_recovered", result


def test_silence_is_not_taken_for_recovery():
    lab.inside(HOST, "systemctl", "stop", "aurora-runner")
    result = module(HOST, "wait_for_recovery", {**BREAKER, "timeout_seconds": 2})
    assert (result["verdict"], result["recovery"]["reason"]) == ("unknown", "silent")


def test_a_restart_in_the_middle_is_not_taken_for_recovery():
    process = start_module(HOST, "wait_for_recovery", {**BREAKER, "hold_seconds": 30, "timeout_seconds": 60})
    while process.poll() is None:
        shell(HOST, "systemctl reset-failed; systemctl restart aurora-runner")
        lab.wait_for_breakers(lab.aurora_hosts([HOST]), is_open=False)
    result = finish_module(process)
    assert (result["verdict"], result["recovery"]["reason"]) == ("unknown", "reset")
