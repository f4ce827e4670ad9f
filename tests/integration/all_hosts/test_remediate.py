# SPDX-License-Identifier: GPL-3.0-or-later
"""The circuit breaker's playbook, from the command line to the processes on the hosts."""

from __future__ import annotations

import json

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators
from helpers import HOSTS, NORMAL, configuration, environment, footprint, knobs, lab, playbook

REDUCED = {**NORMAL, "KELLY_MULTIPLIER": "0.5"}
QUICK = ("-e", "aurora_healthy_seconds=1")


def everywhere(value):
    return dict.fromkeys(HOSTS, value)


def remediate(*arguments):
    return playbook("remediate_circuit_breaker", *QUICK, *arguments)


@pytest.mark.parametrize("incident", _indicators.INCIDENTS)
def test_healthy_hosts_are_left_alone(incident):
    before = {host: footprint(host) for host in HOSTS}
    run = playbook(f"remediate_{incident}", *QUICK)
    assert (run.status, run.verdicts) == (0, everywhere("healthy"))
    assert run.changed == everywhere(0)
    assert {host: footprint(host) for host in HOSTS} == before


def test_remediation_works_by_its_full_name_from_any_directory(tmp_path):
    run = playbook("aurora.runbook.remediate_circuit_breaker", cwd=tmp_path)
    assert (run.status, run.verdicts) == (0, everywhere("healthy"))


def test_check_mode_shows_what_the_real_run_then_does(broken):
    broken("breaker_spreads")
    before = {host: footprint(host) for host in HOSTS}
    checked = remediate("--check", "--diff")
    assert (checked.status, checked.verdicts) == (0, everywhere("would_change"))
    assert checked.output.count("-KELLY_MULTIPLIER=1.0\n+KELLY_MULTIPLIER=0.5\n") == len(HOSTS)
    assert {host: footprint(host) for host in HOSTS} == before

    real = remediate("--diff")
    assert (real.status, real.verdicts) == (0, everywhere("recovered"))
    assert real.changed == checked.changed == everywhere(1)
    assert done(real) == [line.replace(" would be set", "") for line in done(checked)]
    assert {host: knobs(host) for host in HOSTS} == everywhere(REDUCED)


def done(run):
    return [line for line in run.report if line.startswith("  done:")]


def test_autonomy_observe_and_propose_touch_nothing(broken):
    broken("breaker_spreads")
    before = {host: footprint(host) for host in HOSTS}
    observed = remediate("-e", "aurora_autonomy=observe")
    assert observed.status != 0
    assert observed.verdicts == everywhere("not_recovered")
    proposed = remediate("-e", "aurora_autonomy=propose")
    assert proposed.verdicts == everywhere("would_change")
    assert "KELLY_MULTIPLIER 1.0 → 0.5" in "\n".join(done(proposed))
    assert {host: footprint(host) for host in HOSTS} == before


def test_limit_keeps_other_hosts_out_of_it(broken):
    broken("breaker_spreads")
    before = footprint("aurora1")
    run = remediate("--limit", "aurora2")
    assert (run.status, run.verdicts) == (0, {"aurora2": "recovered"})
    assert footprint("aurora1") == before


def test_an_unreachable_host_is_reported_and_the_others_are_repaired(broken, tmp_path):
    gone = tmp_path / "gone.json"
    address = {"ansible_host": "127.0.0.1", "ansible_port": 1}
    gone.write_text(json.dumps({"aurora": {"hosts": {"aurora0": address}}}), encoding="ascii")
    broken("breaker_spreads", ["aurora2"])
    run = remediate("-i", str(gone))
    assert run.status != 0
    assert run.verdicts == {**everywhere("healthy"), "aurora0": "unknown", "aurora2": "recovered"}


def test_a_canary_lost_after_the_look_stops_the_rest(broken, tmp_path):
    lost = tmp_path / "lost.json"
    port = "{{ 1 if __incident_look.indicators is defined else 22 }}"
    lost.write_text(json.dumps({"aurora": {"hosts": {"aurora1": {"ansible_port": port}}}}), encoding="ascii")
    broken("breaker_spreads")
    before = footprint("aurora2")
    run = remediate("-i", str(lost))
    assert run.status != 0
    assert run.verdicts == {**everywhere("not_recovered"), "aurora1": "unknown"}
    assert footprint("aurora2") == before


def test_wide_spreads_wait_for_a_person_and_everything_can_be_given_back(broken):
    before = {host: (configuration(host), environment(host)) for host in HOSTS}
    broken("breaker_spreads_wide")
    unapproved = remediate()
    assert unapproved.status != 0
    assert unapproved.verdicts == {**everywhere("not_recovered"), "aurora1": "approval_needed"}
    assert (knobs("aurora1"), knobs("aurora2")) == (REDUCED, NORMAL)
    again = remediate()
    assert (again.status, again.verdicts) == (unapproved.status, unapproved.verdicts)
    assert again.changed == everywhere(0)

    approved = remediate("-e", "aurora_approve=spread_threshold")
    assert (approved.status, approved.verdicts) == (0, everywhere("recovered"))
    wider = {**REDUCED, "SPREAD_THRESHOLD": "2.0"}
    assert {host: knobs(host) for host in HOSTS} == everywhere(wider)

    lab.mend()
    revert = playbook("revert", *QUICK)
    assert (revert.status, revert.verdicts) == (0, everywhere("recovered"))
    assert {host: (configuration(host), environment(host)) for host in HOSTS} == before


def test_miscalibration_is_named_and_cured_by_a_new_fit(broken):
    broken("breaker_miscalibration", HOSTS[:1])
    run = remediate("--limit", HOSTS[0])
    assert (run.status, run.verdicts) == (0, {HOSTS[0]: "recovered"})
    was = [line for line in run.report if line.startswith("  was:") and "likely cause" in line]
    assert "miscalibration" in was[0]
    assert knobs(HOSTS[0]) == REDUCED
