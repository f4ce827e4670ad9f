# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of the rungs. If these break, a host gets a step that its cause does not ask for, or none.

The real playbooks and roles run; stand-ins answer for the modules. Each case is a host: ``a0`` is the canary that lets
the others follow.
"""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _messages
from own_warnings import own_warnings

KELLY, SLOW, SPREAD = "KELLY_MULTIPLIER=0.5", "DECISIONS_PER_MINUTE=10", "SPREAD_THRESHOLD=2.0"
DAYS, CONFIDENCE = "CALIBRATION_DAYS=90", "CONFIDENCE_THRESHOLD=0.8"
FEED, NGINX = "service_restart:aurora-live-feed.service", "service_restart:nginx.service"
MEMORY = "memory_high=900M,memory_max=1G"

# incident: cases of (cause, what the rungs say, the rungs climbed, the verdict)
CASES = {
    "circuit_breaker": [
        ("wide_spreads", {KELLY: "recovered"}, [KELLY], "recovered"),
        ("wide_spreads", {SPREAD: "approval_needed"}, [KELLY, SPREAD], "approval_needed"),
        ("wide_spreads", {KELLY: "unknown"}, [KELLY], "unknown"),
        ("wide_spreads", {KELLY: "refused held"}, [KELLY], "refused"),
        ("wide_spreads", {KELLY: "refused elsewhere"}, [KELLY], "refused"),
        ("rate_limit", {SLOW: "recovered"}, [KELLY, SLOW], "recovered"),
        ("exchange_latency", {SLOW: "recovered"}, [KELLY, "tcp_tuning", SLOW], "recovered"),
        ("exchange_latency", {}, [KELLY, "tcp_tuning", SLOW], "escalated"),
        ("local_cpu", {}, [KELLY, SLOW], "escalated"),
        ("miscalibration", {"recalibration": "recovered"}, [KELLY, "recalibration"], "recovered"),
        ("miscalibration", {"recalibration": "refused stale_trades"}, [KELLY, "recalibration"], "escalated"),
        ("partition", {}, [KELLY], "escalated"),
        ("exchange_down", {}, [KELLY, SLOW], "escalated"),
        ("packet_loss", {}, [KELLY], "escalated"),
        ("packet_loss", {KELLY: "recovered"}, [KELLY], "escalated"),
        ("packet_loss", {KELLY: "refused held"}, [KELLY], "refused"),
        ("unknown", {}, [KELLY], "escalated"),
        ("certificate_expired", {}, [KELLY], "escalated"),
        *((f"runner_{how}", {}, [], "escalated") for how in ("down", "crash_loop", "hung")),
        *((f"runner_{how}", {}, [], "unknown") for how in ("starting", "stopping")),
        ("rate_limit", {SLOW: "failed"}, [KELLY, SLOW], "escalated"),
        ("rate_limit", {SLOW: "raised"}, [KELLY, SLOW], "escalated"),
        ("rate_limit", {SLOW: "unreachable"}, [KELLY, SLOW], "unknown"),
    ],
    "sse_availability": [
        ("feed_down", {FEED: "recovered"}, [FEED], "recovered"),
        ("feed_hung", {FEED: "recovered"}, [FEED], "recovered"),
        ("feed_crash_loop", {FEED: "refused"}, [FEED], "refused"),
        ("feed_starting", {FEED: "recovered"}, [FEED], "recovered"),
        ("feed_stopping", {FEED: "recovered"}, [FEED], "recovered"),
        ("disk_full", {"log_rotation": "", FEED: "recovered"}, ["log_rotation", FEED], "recovered"),
        ("disk_full", {"log_rotation": "refused", FEED: "recovered"}, ["log_rotation"], "refused"),
        ("disk_full", {"log_rotation": "refused held", FEED: "recovered"}, ["log_rotation"], "refused"),
        ("memory_limit", {MEMORY: "recovered"}, [MEMORY], "recovered"),
        ("cpu_limit", {}, ["cpu_quota=100%"], "escalated"),
        ("nginx_down", {NGINX: "recovered"}, [NGINX], "recovered"),
        ("nginx_starting", {NGINX: "recovered"}, [NGINX], "recovered"),
        ("nginx_stopping", {NGINX: "recovered"}, [NGINX], "recovered"),
        ("runner_down", {}, [], "escalated"),
        *((c, {}, [], "escalated") for c in ("nginx_config", "certificate_expired", "dns", "firewall", "partition")),
        ("unknown", {}, [], "escalated"),
        ("unknown before disk_full", {}, [], "escalated"),
        ("wide_spreads", {}, [], "escalated"),
    ],
    "execution_latency": [
        ("runner_crash_loop", {}, [], "escalated"),
        ("queueing", {"tcp_tuning": "recovered"}, ["tcp_tuning"], "recovered"),
        ("queueing", {SLOW: "recovered"}, ["tcp_tuning", SLOW], "recovered"),
        ("exchange_latency", {}, ["tcp_tuning", SLOW], "escalated"),
        ("local_cpu", {}, ["tcp_tuning", SLOW], "escalated"),
        ("partition", {}, ["tcp_tuning"], "escalated"),
        ("exchange_down", {}, ["tcp_tuning", SLOW], "escalated"),
        ("packet_loss", {"tcp_tuning": "recovered"}, [], "escalated"),
        ("queueing", {"tcp_tuning": "unknown"}, ["tcp_tuning"], "unknown"),
    ],
    "policy_deny_rate": [
        ("runner_crash_loop", {}, [], "escalated"),
        ("miscalibration", {"recalibration": "recovered"}, ["recalibration"], "recovered"),
        ("wide_spreads", {"KELLY_MULTIPLIER=0.3": "recovered"}, ["KELLY_MULTIPLIER=0.3"], "recovered"),
        ("tight_thresholds", {"P_THRESHOLD=0.5": "approval_needed"}, ["P_THRESHOLD=0.5"], "approval_needed"),
        ("rate_limit", {}, [], "escalated"),
        ("exchange_down", {}, [], "escalated"),
        ("packet_loss", {}, [], "escalated"),
        ("local_cpu before wide_spreads", {}, [], "escalated"),
    ],
    "calibration_ece": [
        ("runner_crash_loop", {}, [], "escalated"),
        ("miscalibration", {"recalibration": "recovered"}, ["recalibration"], "recovered"),
        ("stale_trades", {"recalibration": "refused stale_trades"}, ["recalibration"], "refused"),
        (
            "few_trades",
            {"recalibration": "refused few_trades", "recalibration:90": "recovered"},
            ["recalibration", DAYS, "recalibration:90"],
            "recovered",
        ),
        (
            "miscalibration",
            {CONFIDENCE: "approval_needed"},
            ["recalibration", DAYS, "recalibration:90", CONFIDENCE],
            "approval_needed",
        ),
        ("miscalibration", {DAYS: "recovered"}, ["recalibration", DAYS], "recovered"),
    ],
}


CUT_OFF = {"action": "log_rotation", "target": "/logs", "at": "2026-11-24T18:00:00Z", "by": "olena"}
HALF = {"name": "x.service", "kind": "service_override", "phase": "applying", "written": {"P_THRESHOLD": "0.5"}}
HALF |= {"by": "oncall", "granted": "2026-11-24T18:00:00+00:00"}
TCP_HALF = {**HALF, "name": "tcp_tuning", "kind": "tcp_tuning"}
SETTLE, WATCH, SETTLE_TCP = "service_override:x.service", "wait_for_recovery", "tcp_tuning"

# Whether something is breached; what is unfinished; what the modules say; the steps made; the verdict.
SETTLED = [
    (False, [HALF], {SETTLE: "healthy", WATCH: "recovered"}, [SETTLE, WATCH], "recovered"),
    (False, [HALF], {SETTLE: "would_change"}, [SETTLE], "would_change"),
    (False, [HALF], {SETTLE: "healthy", KELLY: "recovered"}, [SETTLE, WATCH, KELLY], "recovered"),
    (False, [HALF], {SETTLE: "healthy", WATCH: "unknown"}, [SETTLE, WATCH], "unknown"),
    (False, [HALF], {SETTLE: "failed"}, [SETTLE], "escalated"),
    (True, [HALF], {SETTLE: "healthy", KELLY: "recovered"}, [SETTLE, KELLY], "recovered"),
    (False, [TCP_HALF], {}, [], "healthy"),
    (True, [TCP_HALF], {KELLY: "recovered", SETTLE_TCP: "healthy"}, [KELLY, SETTLE_TCP], "recovered"),
    (True, [TCP_HALF], {SETTLE_TCP: "healthy"}, [KELLY, SETTLE_TCP], "escalated"),
    (True, [TCP_HALF], {KELLY: "recovered", SETTLE_TCP: "failed"}, [KELLY, SETTLE_TCP], "escalated"),
    (False, [HALF, TCP_HALF], {SETTLE: "refused", SETTLE_TCP: "healthy"}, [SETTLE, SETTLE_TCP], "escalated"),
]


def look(incident, cause):
    def entry(name):
        breached = name == incident
        return {"metric": name, "value": float(breached), "threshold": 0.5, "breached": breached, "problem": ""}

    return {
        "indicators": {name: entry(name) for name in _indicators.INDICATORS},
        "causes": [{"cause": name, "weight": 0.9, "evidence": []} for name in cause.split(" before ")],
        "severity": "P0",
        "leases": [],
        "incidents": [],
        "claim": None,
        "paused": None,
        "cut_off": [],
        "probes": {"leases": {"status": "ok", "problem": "", "data": {}}},
    }


def run(incident, hosts, collection, tmp_path, *more, limit="all", extra=None):
    """Run the playbook of an incident or at a path, and ``more`` in the same run, against hosts that answer as given.

    What it printed, and the calls that the stand-ins noted, by whom they are about.
    """
    names = [incident if os.sep in incident else f"remediate_{incident}", *more]
    playbooks = [name if os.sep in name else f"aurora.runbook.{name}" for name in names]
    calls = tmp_path / "calls"
    calls.mkdir()
    inventory = tmp_path / "inventory.json"
    local = {name: {**host, "ansible_connection": "local"} for name, host in hosts.items()}
    inventory.write_text(json.dumps({"aurora": {"hosts": local}}), encoding="utf-8")
    settings = {
        "CALLS": str(calls),
        "ANSIBLE_COLLECTIONS_PATH": str(collection),
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        "ANSIBLE_SHOW_CUSTOM_STATS": "1",
    }
    done = subprocess.run(
        ["ansible-playbook", *playbooks, "-i", str(inventory), "--limit", limit, "-e", json.dumps(extra or {})],
        env={**os.environ, **settings, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_BECOME_EXE": "true"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    print(done.stdout, done.stderr)
    assert own_warnings(done.stderr) == []
    return done.stdout, {name: (calls / name).read_text(encoding="ascii").splitlines() for name in os.listdir(calls)}


def remediate(incident, hosts, collection, tmp_path, *more, limit="all"):
    """The steps of a run on each host it is about, its last verdict, and whether its end was put on record apart."""
    printed, made = run(incident, hosts, collection, tmp_path, *more, limit=limit)
    ended = made.get("ended", [])
    return {name: (made.get(name, []), verdict, name in ended) for name, verdict in outcome(printed).items()}


def outcome(printed):
    """The verdict of each host, as the last playbook of a run handed it on."""
    return json.JSONDecoder().raw_decode(printed.rpartition("RUN: ")[2])[0]["aurora_outcome"]


@pytest.mark.parametrize("incident", CASES)
def test_each_cause_gets_its_rungs_and_no_other(incident, collection, tmp_path):
    hosts = {
        f"a{number}": {"look": look(incident, cause), "says": says}
        for number, (cause, says, _rungs, _verdict) in enumerate(CASES[incident])
    }
    found = remediate(incident, hosts, collection, tmp_path)
    for number, (cause, says, rungs, verdict) in enumerate(CASES[incident]):
        held = "refused held" in says.values()
        ended_apart = (verdict != "recovered" or incident == "sse_availability") and not held
        assert (cause, *found[f"a{number}"]) == (cause, rungs, verdict, ended_apart)
    noted = (tmp_path / "calls" / "causes").read_text(encoding="ascii").splitlines()
    climbed = [(f"a{number}", case[0], case[2]) for number, case in enumerate(CASES[incident])]
    assert set(noted) == {  # what a ladder goes by stands on record with each of its actions
        f"{host} {'unknown' if cause == 'certificate_expired' else cause}" for host, cause, rungs in climbed if rungs
    }


def test_what_a_killed_run_left_is_settled_first_and_a_healthy_host_needs_no_rung(collection, tmp_path):
    """Else a half-done raise stays on a host until its own ladder runs, or a healthy host loses half of its Kelly."""
    hosts = {}
    for number, (breached, leases, says, _steps, _verdict) in enumerate(SETTLED):
        seen = {**look("circuit_breaker" if breached else "", "unknown"), "leases": leases}
        hosts[f"a{number}"] = {"look": seen, "says": says}
    found = remediate("circuit_breaker", hosts, collection, tmp_path)
    for number, (_breached, _leases, _says, steps, verdict) in enumerate(SETTLED):
        assert found[f"a{number}"] == (steps, verdict, verdict != "healthy")


def test_what_was_cut_off_is_settled_where_nothing_is_breached_too(collection, tmp_path):
    """Otherwise nobody ever learns what became of it."""
    healthy = {**look("", "unknown"), "cut_off": [{**CUT_OFF, "id": "none-20261124T000000Z-00000000"}]}
    known, unknown = (_messages.sentence(f"left_{how}", **CUT_OFF, changes="–") for how in ("undone", "unknown"))
    hosts = {
        "a0": {"look": healthy, "says": {}, "settles": [known]},
        "a1": {"look": healthy, "says": {}, "settles": [unknown]},
        "a2": {"look": look("", "unknown"), "says": {}},
    }
    found = remediate("circuit_breaker", hosts, collection, tmp_path)
    assert found == {"a0": ([], "healthy", False), "a1": ([], "escalated", False), "a2": ([], "healthy", False)}
    assert sorted((tmp_path / "calls" / "settled").read_text(encoding="ascii").split()) == ["a0", "a1"]


def test_a_host_that_is_only_observed_is_left_alone_and_keeps_no_other_from_its_repair(collection, tmp_path):
    host = {"look": look("circuit_breaker", "wide_spreads"), "says": {KELLY: "recovered"}}
    hosts = {"a0": {**host, "aurora_autonomy": "observe"}, "a1": host, "a2": host}
    found = remediate("circuit_breaker", hosts, collection, tmp_path)
    assert found["a0"][:2] == ([], "not_recovered")
    assert [found[name][:2] for name in ("a1", "a2")] == [([KELLY], "recovered")] * 2


def test_a_limit_keeps_to_its_hosts_and_they_are_repaired(collection, tmp_path):
    """The hosts outside of it were never looked at, and have no facts to compare with."""
    host = {"look": look("circuit_breaker", "wide_spreads"), "says": {KELLY: "recovered"}}
    found = remediate("circuit_breaker", {"a0": host, "a1": host, "a2": host}, collection, tmp_path, limit="a1,a2")
    assert found == {name: ([KELLY], "recovered", False) for name in ("a1", "a2")}


def test_a_playbook_that_only_observes_touches_nothing(collection, tmp_path):
    """As a project of AWX sets it, where no variable of a host says so."""
    imported = {"import_playbook": "aurora.runbook.remediate_circuit_breaker", "vars": {"aurora_autonomy": "observe"}}
    (tmp_path / "observe.yml").write_text(json.dumps([imported]), encoding="ascii")
    host = {"look": look("circuit_breaker", "wide_spreads"), "says": {KELLY: "recovered"}}
    found = remediate(str(tmp_path / "observe.yml"), {"a0": host, "a1": host}, collection, tmp_path)
    assert found == {name: ([], "not_recovered", False) for name in ("a0", "a1")}


def test_hosts_that_could_not_be_looked_at_are_on_record_with_those_that_were_repaired(collection, tmp_path):
    """Otherwise a post-mortem cannot miss them."""
    host = {"look": look("circuit_breaker", "wide_spreads"), "says": {KELLY: "recovered"}}
    hosts = {
        "a0": host,
        "a1": {**host, "look": look("", "unknown")},
        "a2": {**host, "look": {"failed": True, "msg": "x"}},
    }
    remediate("circuit_breaker", hosts, collection, tmp_path)
    assert (tmp_path / "calls" / "members").read_text(encoding="ascii").splitlines() == ["a0 a0,a2"]


def test_a_runner_that_an_earlier_run_slowed_down_is_watched_for_longer(collection, tmp_path):
    """Otherwise it places too few orders while TCP is watched, and the run ends unknown."""
    slowed = {**HALF, "phase": "active", "written": {"DECISIONS_PER_MINUTE": "10"}}
    found = look("execution_latency", "queueing")
    hosts = {"a0": {"look": found, "says": {}}, "a1": {"look": {**found, "leases": [slowed]}, "says": {}}}
    hosts = {name: {**host, "says": {"tcp_tuning": "recovered"}} for name, host in hosts.items()}
    remediate("execution_latency", hosts, collection, tmp_path)
    waits = (tmp_path / "calls" / "waits").read_text(encoding="ascii").splitlines()
    assert sorted(waits) == ["a0 tcp_tuning 600", "a1 tcp_tuning 1200"]


def test_hosts_climb_together_whatever_an_earlier_run_left_on_one_of_them(collection, tmp_path):
    """Otherwise the half-done raise of one host stands while another climbs its whole ladder."""
    breached = look("circuit_breaker", "rate_limit")
    hosts = {
        "a0": {"look": breached, "says": {KELLY: "recovered"}},
        "a1": {"look": breached, "says": {SLOW: "recovered"}},
        "a2": {"look": {**breached, "leases": [HALF]}, "says": {SETTLE: "healthy", KELLY: "recovered"}},
    }
    remediate("circuit_breaker", hosts, collection, tmp_path)
    order = (tmp_path / "calls" / "all").read_text(encoding="ascii").splitlines()
    assert order.index(f"a2 {SETTLE}") < order.index(f"a1 {KELLY}")
    assert order.index(f"a2 {KELLY}") < order.index(f"a1 {SLOW}")


def test_a_person_sees_with_v_who_is_repaired_and_why(collection, tmp_path, monkeypatch):
    monkeypatch.setenv("ANSIBLE_VERBOSITY", "1")
    host = {"look": look("circuit_breaker", "wide_spreads"), "says": {KELLY: "recovered"}}
    hosts = {"a0": host, "a1": {**host, "look": look("", "unknown")}, "a2": {**host, "aurora_autonomy": "observe"}}
    printed, _made = run("circuit_breaker", hosts, collection, tmp_path)
    shown = printed.partition("Decide which incident it is")[2].partition("=> ")[2]
    decision = json.JSONDecoder().raw_decode(shown)[0]
    assert (decision["repaired"], decision["canary"], decision["observed"]) == (["a0"], "a0", ["a2"])
    assert (decision["members"], decision["healthy_peers"]) == (["a0", "a2"], 1)
    assert decision["guards"]["max_per_day"] == 20
    standings = {name: (judged["standing"], judged["reason"]) for name, judged in decision["hosts"].items()}
    beyond = "P0: circuit_breaker is 1, limit 0.5"
    assert standings == {
        "a0": ("breached", beyond),
        "a1": ("healthy", "circuit_breaker is 0, limit 0.5"),
        "a2": ("breached", beyond),
    }


def test_what_a_rung_said_in_an_earlier_playbook_of_a_run_is_not_taken_for_this_one(collection, tmp_path):
    says = {KELLY: ["not_recovered", "unknown"], SLOW: "recovered"}
    hosts = {"a0": {"look": look("circuit_breaker", "rate_limit"), "says": says}}
    found = remediate("circuit_breaker", hosts, collection, tmp_path, "remediate_circuit_breaker")
    assert found == {"a0": ([KELLY, SLOW, KELLY], "unknown", True)}


def test_a_host_that_is_well_by_the_second_playbook_of_a_run_is_left_alone_there(collection, tmp_path):
    """What the first one saw is not what there is to repair."""
    host = {
        "ill": look("circuit_breaker", "wide_spreads"),
        "well": look("", "unknown"),
        "look": "{{ well if __incident_decision is defined else ill }}",
        "says": {KELLY: "recovered"},
    }
    found = remediate("circuit_breaker", {"a0": host}, collection, tmp_path, "remediate_circuit_breaker")
    assert found["a0"][:2] == ([KELLY], "healthy")


def test_a_host_that_giving_back_did_not_reach_is_not_what_it_was_before(collection, tmp_path):
    leases = [{**HALF, "name": "aurora-runner.service", "phase": "active"}]
    says = {KELLY: "recovered", "service_override:aurora-runner.service": "failed"}
    host = {"look": look("circuit_breaker", "wide_spreads"), "leases": leases, "says": says}
    found = remediate("circuit_breaker", {"a0": host, "a1": host}, collection, tmp_path, "revert")
    assert [verdict for _steps, verdict, _ended in found.values()] == ["escalated", "refused"]


def test_a_runner_that_is_known_by_an_alias_is_given_back_watched_and_settled_with_its_page(collection, tmp_path):
    """Its lease has the unit's own name; a breaker that opens at full size again would go unseen."""
    own, page = "aurora-runner.service", "http://localhost:9000/metrics"
    lease = {**HALF, "name": own, "phase": "active"}
    units = {"units": {"status": "ok", "problem": "", "data": {"runner": {"id": own}, "feed": {"id": "x.service"}}}}
    found = look("circuit_breaker", "wide_spreads")
    found = {**found, "leases": [{**lease, "phase": "applying"}], "probes": {**found["probes"], **units}}
    step = f"service_override:{own}"
    says = {step: ["healthy", "healthy"], KELLY: "recovered", WATCH: "recovered"}
    host = {"look": found, "leases": [lease], "aliases": {"trader": own}, "aurora_runner_unit": "trader", "says": says}
    found = remediate("circuit_breaker", {"a0": host}, collection, tmp_path, "revert")
    assert found["a0"][:2] == ([step, KELLY, step, WATCH], "recovered")
    urls = (tmp_path / "calls" / "health_urls").read_text(encoding="ascii").splitlines()
    assert urls == [f"a0 {page}"] * 3


def site(tmp_path, *plays):
    """A playbook of the user's own; a name stands for one of ours, with variables or without."""
    ours = [play if isinstance(play, dict) else {"import_playbook": f"aurora.runbook.{play}"} for play in plays]
    (tmp_path / "site.yml").write_text(json.dumps(ours), encoding="ascii")
    return str(tmp_path / "site.yml")


def test_a_host_that_is_not_well_keeps_no_later_play_from_the_others(collection, tmp_path):
    """Otherwise a site's second remediation never starts, and nothing says so."""
    hosts = {
        "a0": {"look": look("circuit_breaker", "wide_spreads"), "says": {KELLY: "unknown"}},
        "a1": {"look": look("calibration_ece", "miscalibration"), "says": {"recalibration": "recovered"}},
    }
    both = site(tmp_path, "remediate_circuit_breaker", "remediate_calibration_ece")
    found = remediate(both, hosts, collection, tmp_path)
    assert found["a1"] == (["recalibration"], "recovered", False)


def test_a_host_that_is_gone_since_an_earlier_playbook_of_a_run_is_no_canary(collection, tmp_path):
    """Otherwise all the others are changed at once, with nobody before them."""
    breached = look("circuit_breaker", "wide_spreads")
    hosts = {
        "a0": {"look": breached, "says": {KELLY: "recovered"}},
        "a1": {"look": breached, "says": {KELLY: ["recovered", "unknown"]}},
        "a2": {"look": breached, "says": {KELLY: "recovered"}},
    }
    away = "{{ 'ssh' if inventory_hostname == 'a0' else 'local' }}"
    gone = {"ansible_connection": away, "ansible_host": "127.0.0.1", "ansible_port": 1}
    lost = {"hosts": "aurora", "gather_facts": False, "vars": gone, "tasks": [{"ansible.builtin.ping": {}}]}
    thrice = site(tmp_path, "remediate_circuit_breaker", lost, "remediate_circuit_breaker")
    found = remediate(thrice, hosts, collection, tmp_path)
    assert [found[name][0] for name in hosts] == [[KELLY], [KELLY, KELLY], [KELLY]]
    assert [found[name][1] for name in hosts] == ["unknown", "unknown", "not_recovered"]


def test_what_an_earlier_playbook_of_a_run_decided_is_not_done_again_where_nobody_could_decide(collection, tmp_path):
    """Otherwise a host is repaired that the second playbook is not about, by what the first one saw."""
    host = {"look": look("circuit_breaker", "wide_spreads"), "says": {KELLY: "recovered"}}
    away = "{{ 'ssh' if inventory_hostname == 'a0' else 'local' }}"
    gone = {"ansible_connection": away, "ansible_host": "127.0.0.1", "ansible_port": 1}
    lost = {"hosts": "aurora", "gather_facts": False, "vars": gone, "tasks": [{"ansible.builtin.ping": {}}]}
    of_a0 = {"import_playbook": "aurora.runbook.remediate_circuit_breaker", "vars": {"aurora_hosts": "a0"}}
    both = site(tmp_path, "remediate_circuit_breaker", lost, of_a0)
    found = remediate(both, {"a0": host, "a1": host}, collection, tmp_path)
    assert [found[name][0] for name in ("a0", "a1")] == [[KELLY]] * 2


def test_a_peer_is_only_looked_at_even_where_it_is_asked_for_too(collection, tmp_path):
    host = {"look": look("circuit_breaker", "wide_spreads"), "says": {KELLY: "recovered"}}
    ours = {"import_playbook": "aurora.runbook.remediate_circuit_breaker", "vars": {"aurora_peers": ["a1"]}}
    printed, made = run(site(tmp_path, ours), {"a0": host, "a1": host}, collection, tmp_path)
    assert outcome(printed) == {"a0": "recovered"}
    assert (made["a0"], "a1" in made, sorted(made["looked"]), "ended" in made) == ([KELLY], False, ["a0", "a1"], False)


def test_an_alert_from_a_command_line_reaches_a_rung_and_nothing_in_it_is_a_template(collection, tmp_path):
    """Before ansible-core 2.19 a variable of a command line is a template wherever an expression names it."""
    labels = {"alertname": "CircuitBreakerOpen", "instance": "a0", "summary": "{{ lookup('pipe', 'touch ran') }}"}
    labels["summary"] = labels["summary"].replace("ran", str(tmp_path / "ran"))
    host = {"look": look("circuit_breaker", "wide_spreads"), "says": {KELLY: "recovered"}}
    ours = {"import_playbook": "aurora.runbook.remediate"}
    extra = {"aurora_alert": {"status": "firing", "labels": labels, "annotations": {"text": "{{ $labels.instance }}"}}}
    _printed, made = run(site(tmp_path, ours), {"a0": host, "a1": host}, collection, tmp_path, extra=extra)
    assert (made["a0"], "a1" in made) == ([KELLY], False)
    assert not (tmp_path / "ran").exists()


def test_a_limit_that_came_as_text_is_the_limit_of_the_wait_too(collection, tmp_path):
    """As the command line gives it; else a step counts as a cure at the runbook's limit and not at the user's."""
    host = {"look": look("calibration_ece", "miscalibration"), "says": {"recalibration": "recovered"}}
    host["aurora_thresholds"] = '{"calibration_ece": 0.1}'
    remediate("calibration_ece", {"a0": host}, collection, tmp_path)
    assert (tmp_path / "calls" / "limits").read_text(encoding="ascii") == "a0 recalibration 0.1\n"


def test_the_look_and_the_wait_want_as_many_decisions_of_a_closed_breaker(collection, tmp_path):
    """Else a runner that decides little is healthy for the wait and unknown for every look, or the other way round."""
    host = {"look": look("circuit_breaker", "wide_spreads"), "says": {KELLY: "recovered"}, "aurora_min_decisions": 7}
    remediate("circuit_breaker", {"a0": host}, collection, tmp_path)
    asked = (tmp_path / "calls" / "decisions").read_text(encoding="ascii").splitlines()
    assert set(asked) == {"triage_info 7", f"{KELLY} 7"}


def test_a_triage_has_no_failed_task_where_an_alertmanager_is_known(collection, tmp_path):
    ours = {"import_playbook": "aurora.runbook.triage", "vars": {"aurora_alertmanager_url": "http://localhost:9"}}
    printed, _made = run(site(tmp_path, ours), {"a0": {"look": look("", "unknown"), "says": {}}}, collection, tmp_path)
    assert re.search(r"failed=0 +skipped=\d+ +rescued=0 +ignored=0", printed)


def test_a_triage_does_not_show_what_an_earlier_playbook_saw_of_a_host_that_is_gone(collection, tmp_path):
    """Otherwise a person decides on values of half an hour ago."""
    hosts = {
        "a0": {"look": look("circuit_breaker", "wide_spreads"), "says": {KELLY: "unknown"}},
        "a1": {"look": look("", "unknown"), "says": {}},
    }
    printed, _made = run(site(tmp_path, "remediate_circuit_breaker", "triage"), hosts, collection, tmp_path)
    table = printed.rpartition("Show every indicator of every host")[2].partition("PLAY RECAP")[0]
    severities = {row.split()[0]: row.split()[1] for row in re.findall(r"\ba\d  +\S+", table)}
    assert severities == {"a0": "?", "a1": "P0"}
