# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, the engineer is sent after the wrong cause."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _metrics
from ansible_collections.aurora.runbook.plugins.module_utils.base import _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.base._parallel import Finding
from ansible_collections.aurora.runbook.plugins.module_utils.look import _triage

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from firewalls import IN, OUT, plain, ufw  # the path above is what makes it importable

NOW = 1_000_000.0
HEALTHY = "circuit_breaker_state 0\ncalibration_ece 0.02\npolicy_considered_total 100\npolicy_denied_total 1"


def firewall(rules, rules6=(), **more):
    data = {
        "active": True,
        "rules": rules,
        "rules6": rules6,
        "interfaces": ["eth0"],
        "addresses": ["192.0.2.10", "2001:db8::5"],
    }
    return {"firewall": Finding("ok", {**data, **more})}


def disk(path="/opt/aurora", **figures):
    return Finding("ok", {"paths": {path: {"used_percent": 40.0, "inodes_used_percent": 5.0, **figures}}})


def page(text):
    return _metrics.parse(text)


def in_state(active, sub):
    """What the probe says of a unit that systemd shows in these states."""
    unit = _systemd.Unit("x.service", {"ActiveState": active, "SubState": sub})
    return {"state": unit.state, "phase": unit.phase, "running": unit.running}


def findings(before=HEALTHY, after=HEALTHY, **others):
    """A host where every probe is content, unless told otherwise."""
    sample = {"before": page(before), "after": page(after), "seconds": 5.0}
    unit = {"loaded": "loaded", "id": "x.service", **in_state("active", "running"), "crashes": 0, "killed": 0}
    unit.update(
        killed_for_memory=0,
        memory=100,
        memory_own=90,
        memory_high=400,
        memory_max=512,
        cpu_quota_percent=50.0,
        up_seconds=9000.0,
        result="success",
    )
    found = {
        "runner_metrics": Finding("ok", sample),
        "feed_metrics": Finding("failed", problem="down"),
        "denied_log": Finding("ok", {"lines": []}),
        "exchange": Finding("ok", {"status": 200, "seconds": 0.01, "rate_limit": {}}),
        "exchange_ping": Finding("ok", {"loss_percent": 0.0}),
        "units": Finding("ok", {role: {**unit, "role": role} for role in ("runner", "feed", "nginx")}),
        "nginx_config": Finding("ok", {"valid": True, "message": ""}),
        "certificate": Finding("ok"),
        "dns": Finding("ok"),
        "disk": disk(),
        **firewall(ufw(IN)),
        "load": Finding(
            "ok",
            {"busy_percent": 10, "own_percent": 9, "processes": [], "units": {"feed": 3.0}, "waiting": {"runner": 1}},
        ),
        "iostat": Finding("ok", {"devices": {}}),
        "healthz_local": Finding("ok", {"ok": True}),
    }
    return {**found, **others}


def judge(found):
    read = _triage.indicators(found, None, {})
    return [cause.name for cause in _triage.causes(read, _triage.why(found, NOW), found, _triage.WHY_CAUSES)]


def denials(code, count, age=1.0):
    return [json.dumps({"ts": NOW - age, "why": code}) for _ in range(count)]


def open_breaker(*logs, **others):
    lines = [line for log in logs for line in log]
    breaker = HEALTHY.replace("state 0", "state 2")
    return findings(breaker, breaker, denied_log=Finding("ok", {"lines": lines}), **others)


def test_healthy_hosts_have_no_cause():
    assert judge(findings()) == []


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("SPREAD_GUARD_TRIP", "wide_spreads"),
        ("SPREAD_TOO_WIDE", "wide_spreads"),
        ("LATENCY_GUARD_TRIP", "exchange_latency"),
        ("WHY_RATE_LIMIT", "rate_limit"),
        ("WHY_UNATTRACTIVE", "tight_thresholds"),
    ],
)
def test_an_open_breaker_is_explained_by_its_denials(code, cause):
    assert judge(open_breaker(denials(code, 20))) == [cause]


def test_denials_of_the_model_are_miscalibration_when_the_error_is_high():
    found = open_breaker(denials("WHY_UNATTRACTIVE", 20))
    text = HEALTHY.replace("state 0", "state 2").replace("ece 0.02", "ece 0.09")
    found["runner_metrics"] = Finding("ok", {"before": page(text), "after": page(text), "seconds": 5.0})
    assert judge(found)[0] == "miscalibration"


def test_the_freshest_denials_count_not_those_of_an_earlier_trouble():
    assert judge(open_breaker(denials("SPREAD_GUARD_TRIP", 180, age=300), denials("WHY_RATE_LIMIT", 20))) == [
        "rate_limit"
    ]


def test_denials_of_an_hour_ago_explain_nothing():
    assert judge(open_breaker(denials("SPREAD_GUARD_TRIP", 20, age=3600))) == ["unknown"]


def test_a_log_of_rubbish_is_no_evidence_and_no_crash():
    rubbish = [
        "[" * 100000,
        '{"why": "X", "ts": 1' + "0" * 400 + "}",
        "not json",
        "[]",
        "7",
        "null",
        '{"why": 3, "ts": 1}',
        '{"why": "X"}',
        '{"why": "X", "ts": "yesterday"}',
    ]
    assert judge(open_breaker(rubbish * 10)) == ["unknown"]


def test_denials_within_the_sample_come_first():
    more = "\n".join([HEALTHY.replace("state 0", "state 2"), 'policy_denied_total{why="LATENCY_GUARD_TRIP"} 15'])
    found = findings(HEALTHY, more, denied_log=Finding("ok", {"lines": denials("SPREAD_GUARD_TRIP", 20)}))
    assert judge(found) == ["exchange_latency"]


@pytest.mark.parametrize(
    ("others", "cause"),
    [
        ({"exchange": Finding("ok", {"status": 429, "seconds": 0.01, "rate_limit": {}})}, "rate_limit"),
        ({"exchange": Finding("ok", {"status": 200, "seconds": 2.0, "rate_limit": {}})}, "exchange_latency"),
        ({"nginx_config": Finding("ok", {"valid": False, "message": "line 3"})}, "nginx_config"),
        ({"certificate": Finding("failed", problem="certificate has expired")}, "certificate_expired"),
        ({"dns": Finding("failed", problem="x does not resolve")}, "dns"),
        ({"dns": Finding("timeout", problem="no answer")}, "dns"),
        ({"disk": disk(used_percent=99.0)}, "disk_full"),
        ({"disk": disk("/opt/aurora/logs", inodes_used_percent=99.0)}, "disk_full"),
        ({"healthz_local": Finding("timeout", problem="no answer within its limit")}, "feed_hung"),
    ],
)
def test_what_a_probe_shows_is_named(others, cause):
    assert judge(findings(**others)) == [cause]


STALE = {"cause": "stale_trades", "message": "trades_stale", "values": {"age": 50.0, "limit": 24.0}}
AHEAD = {"cause": "clock", "message": "trades_ahead", "values": {}}
INVALID = {"valid": False, "says": "no usable model"}


@pytest.mark.parametrize(
    ("ece", "trades", "model", "causes"),
    [
        ("0.09", {"cause": ""}, {"valid": True}, ["miscalibration"]),
        ("0.09", STALE, INVALID, ["stale_trades", "miscalibration"]),
        ("NaN", STALE, INVALID, ["stale_trades"]),
        ("NaN", {"cause": ""}, INVALID, ["miscalibration"]),
        ("NaN", {"cause": ""}, {"valid": None}, []),
        ("NaN", AHEAD, {"valid": True}, []),
        ("0.02", STALE, INVALID, []),
    ],
)
def test_trades_that_no_model_may_be_fitted_to_come_before_the_model(ece, trades, model, causes):
    """The runbook must not lead to a refit on bad data, and a fine calibration asks for neither."""
    text = HEALTHY.replace("ece 0.02", f"ece {ece}")
    assert judge(findings(text, text, trades=Finding("ok", trades), model_valid=Finding("ok", model))) == causes


@pytest.mark.parametrize(
    ("role", "changes", "cause"),
    [
        ("nginx", in_state("inactive", "dead"), "nginx_down"),
        ("nginx", in_state("active", "exited"), "nginx_down"),
        ("nginx", in_state("activating", "start-pre"), "nginx_starting"),
        ("nginx", in_state("deactivating", "stop-sigterm"), "nginx_stopping"),
        ("feed", in_state("failed", "failed"), "feed_down"),
        ("feed", {**in_state("failed", "failed"), "crashes": 3}, "feed_crash_loop"),  # systemd gave it up
        ("feed", {**in_state("activating", "auto-restart"), "crashes": 3}, "feed_crash_loop"),
        ("feed", {**in_state("activating", "auto-restart"), "crashes": 1, "restarts": 9}, "feed_starting"),
        ("feed", {**in_state("inactive", "dead"), "crashes": 9}, "feed_down"),  # somebody stopped it then
        ("feed", in_state("deactivating", "stop-sigterm"), "feed_stopping"),
        ("feed", {"memory_own": 399}, "memory_limit"),
        ("runner", in_state("inactive", "dead"), "runner_down"),
        ("runner", in_state("failed", "failed"), "runner_down"),
        ("runner", {**in_state("inactive", "dead"), "loaded": "masked"}, "runner_down"),
        ("runner", {**in_state("failed", "failed"), "crashes": 3}, "runner_crash_loop"),
        ("runner", {**in_state("activating", "auto-restart"), "crashes": 3}, "runner_crash_loop"),
        ("runner", {**in_state("activating", "auto-restart"), "crashes": 2}, "runner_starting"),
        ("runner", in_state("activating", "start"), "runner_starting"),
        ("runner", in_state("deactivating", "stop-sigterm"), "runner_stopping"),
    ],
)
def test_what_a_unit_shows_is_named(role, changes, cause):
    found = findings()
    found["units"].data[role].update(changes)
    assert judge(found) == [cause]


@pytest.mark.parametrize("role", ["runner", "feed", "nginx"])
@pytest.mark.parametrize(
    "states",
    [
        ("reloading", "reload"),
        ("reloading", "reload-signal"),
        ("reloading", "reload-notify"),
        ("refreshing", "refresh-credentials"),
        ("frozen", "solid"),  # whatever a later systemd says, it serves
    ],
)
def test_a_unit_that_reloads_or_is_in_a_state_that_nobody_knows_is_not_down(role, states):
    assert judge(unit_of(role, **in_state(*states))) == []


def test_a_unit_in_a_state_that_nobody_knows_and_that_serves_nobody_is_unknown():
    assert judge({**unit_of("feed", **in_state("frozen", "solid")), **HANGS}) == ["unknown"]
    silent = {"runner_metrics": Finding("failed", problem="connection refused")}
    assert judge({**unit_of("runner", **in_state("frozen", "solid")), **silent}) == ["unknown"]


@pytest.mark.parametrize(
    ("changes", "causes"),
    [
        ({}, ["runner_hung"]),
        (in_state("reloading", "reload"), ["runner_hung"]),
        ({"up_seconds": 3.0}, ["runner_starting"]),
        ({"up_seconds": 3.0, "crashes": 3}, ["runner_crash_loop"]),
        ({"loaded": "not-found", **in_state("inactive", "dead")}, []),  # no runner on this host
    ],
)
def test_a_runner_whose_page_cannot_be_read_is_named(changes, causes):
    found = unit_of("runner", **changes)
    assert judge({**found, "runner_metrics": Finding("failed", problem="did not answer")}) == causes


def test_a_full_disk_comes_before_the_runner_that_it_keeps_down():
    found = unit_of("runner", **{**in_state("activating", "auto-restart"), "crashes": 5})
    assert judge({**found, "disk": disk(used_percent=100.0)}) == ["disk_full", "runner_crash_loop"]


def unit_of(role, **changes):
    found = findings()
    found["units"].data[role].update(changes)
    return found


LOOPING = {**in_state("activating", "auto-restart"), "crashes": 9, "up_seconds": None}
DOWN = {**in_state("inactive", "dead"), "up_seconds": None}
HANGS = {"healthz_local": Finding("timeout", problem="no answer within its limit")}


def test_a_broken_configuration_is_the_cause_and_not_the_nginx_that_it_keeps_down():
    found = unit_of("nginx", **DOWN)
    found["nginx_config"] = Finding("ok", {"valid": False, "message": "unknown directive in aurora:2"})
    assert judge(found) == ["nginx_config"]
    found["nginx_config"] = Finding("failed", problem="nginx is not installed")
    assert judge(found) == ["nginx_down"]


def test_a_crash_loop_is_named_when_it_is_caught_just_after_a_start():
    assert judge({**unit_of("feed", crashes=9, up_seconds=1.0), **HANGS}) == ["feed_crash_loop"]
    assert judge({**unit_of("feed", crashes=9, up_seconds=100.0), **HANGS}) == ["feed_hung"]
    assert judge({**unit_of("feed", restarts=9, up_seconds=1.0), **HANGS}) == ["feed_hung"]  # it crashed long ago


def test_a_feed_at_its_quota_hangs_because_of_that():
    throttled = {
        "load": Finding("ok", {"busy_percent": 60, "own_percent": 50, "processes": [], "units": {"feed": 49.0}})
    }
    assert judge({**findings(), **HANGS, **throttled}) == ["cpu_limit", "feed_hung"]
    assert judge({**unit_of("feed", cpu_quota_percent=None), **throttled}) == []
    assert judge(findings(load=Finding("timeout", problem="no answer"))) == []


@pytest.mark.parametrize(
    ("changes", "causes"),
    [
        ({**LOOPING, "result": "oom-kill"}, ["memory_limit", "feed_crash_loop"]),
        ({**LOOPING, "killed": 3}, ["memory_limit", "feed_crash_loop"]),  # cgroup v1
        ({**LOOPING, "killed": 1, "killed_for_memory": 1}, ["memory_limit", "feed_crash_loop"]),
        ({"crashes": 2, "killed": 2, "up_seconds": 4.0}, ["memory_limit"]),
        ({**LOOPING, "crashes": 1, "killed": 1, "result": "signal"}, ["feed_starting"]),  # once is a person
        ({**LOOPING, "memory_max": None, "memory_high": None, "killed": 3}, ["feed_crash_loop"]),
    ],
)
def test_a_feed_killed_for_its_memory_is_told_from_one_that_was_killed(changes, causes):
    assert judge(unit_of("feed", **changes)) == causes


@pytest.mark.parametrize(
    ("changes", "others", "breached"),
    [
        (DOWN, {}, True),
        ({}, HANGS, True),
        ({}, {}, None),  # its metrics alone are silent
        ({**DOWN, "loaded": "not-found"}, HANGS, None),  # no feed on this host
        (DOWN, {"feed_metrics": Finding("ok", {"before": page(""), "after": page(""), "seconds": 5.0})}, None),
    ],
)
def test_a_feed_that_serves_nobody_is_no_availability_at_all(changes, others, breached):
    read = _triage.indicators({**unit_of("feed", **changes), **others}, None, {})
    entry = read["sse_availability"]
    assert entry["breached"] is breached
    if breached:
        assert (entry["value"], entry["problem"], entry["source"]) == (0.0, "", "healthz")
        assert _indicators.severity({"sse_availability": entry["value"]}, {"sse_availability"}) == "P0"
    found = {**unit_of("feed", **changes), **others}
    with_prometheus = _triage.indicators(found, {"sse_availability": 1.0}, {})["sse_availability"]["breached"]
    # Its good window of the past is no answer of a feed that does not give one.
    assert with_prometheus is (breached if "healthz_local" in others else breached or False)


def way(seen=(), **broken):
    """What public_way_info returns for a way that is whole up to ``broken``, and what monitor1 saw of all hosts."""
    probes = {}
    for step in ("dns", "tcp", "tls", "http"):
        link = broken.get(step, "")
        data = {"broken": link, "port": 443} if link else {"port": 443}
        probes[step] = {"status": "failed" if link else "ok", "problem": link, "seconds": 0.1, "data": data}
        if link and step != "dns":
            break
    observer = {"observer": {"name": "monitor1", "seen": seen}} if seen else {}
    return _triage.outside({"probes": probes, **observer})


@pytest.mark.parametrize(
    ("broken", "others", "causes"),
    [
        ({"dns": "dns"}, {}, ["dns"]),
        ({"tls": "certificate_expired"}, {}, ["certificate_expired"]),
        ({"tcp": "tcp_timeout"}, {}, ["partition"]),
        ({"tcp": "tcp_timeout"}, firewall(plain(policy="ACCEPT"), active=False), ["partition"]),
        ({"tcp": "tcp_timeout"}, firewall(ufw()), ["firewall"]),
        ({"tcp": "tcp_refused"}, firewall(ufw(OUT)), ["firewall"]),
        ({"tcp": "tcp_refused"}, {}, ["unknown"]),
        ({"tcp": "tcp_timeout"}, {"firewall": Finding("failed", problem="not root")}, ["partition"]),
        ({"tcp": "tcp_refused"}, {"units": unit_of("nginx", **DOWN)["units"]}, ["nginx_down"]),
        ({"http": "http_timeout"}, HANGS, ["feed_hung"]),
        ({"tls": "tls"}, {}, ["unknown"]),
        ({}, {}, []),
    ],
)
def test_a_broken_public_way_is_a_breach_and_its_link_a_cause(broken, others, causes):
    found = {**findings(), **others, **way(**broken)}
    assert judge(found) == causes
    assert _triage.indicators(found, None, {})["sse_availability"]["breached"] is (True if broken else None)


def test_an_unexplained_link_is_told_with_its_problem():
    found = {**findings(), **way(tls="tls")}
    read = _triage.indicators(found, None, {})
    unknown = _triage.causes(read, _triage.why(found, NOW), found, {})
    assert _triage.describe(unknown)[0]["evidence"][0]["values"] == {"link": "tls", "problem": "tls"}


def served(clients):
    text = page(f"sse_clients_connected {clients}")
    return {"feed_metrics": Finding("ok", {"before": text, "after": text, "seconds": 5.0})}


TIMEOUT, NO_NAME = {"tcp": "tcp_timeout"}, {"dns": "dns", "tcp": "tcp_timeout"}
CLOSED = firewall(ufw())


@pytest.mark.parametrize(
    ("seen", "broken", "others", "causes"),
    [
        ([["tcp_timeout"]] * 2, TIMEOUT, served(3), None),
        ([["dns", "tcp_timeout"]] * 3, NO_NAME, served(3), None),
        ([["tcp_refused"]] * 2, {"tcp": "tcp_refused"}, served(3), None),
        ([["tcp_timeout"]], TIMEOUT, served(3), ["partition"]),  # one host proves nothing
        ([["tcp_timeout"], []], TIMEOUT, served(3), ["partition"]),  # the other is reached
        ([["tcp_timeout"], ["tcp_refused"]], TIMEOUT, served(3), ["partition"]),
        ([["tcp_timeout"]] * 2, TIMEOUT, served(0), ["partition"]),  # clients are cut off too
        ([["tcp_timeout"]] * 2, TIMEOUT, {}, ["partition"]),
        ([["tcp_timeout"]] * 2, TIMEOUT, {**served(3), **CLOSED}, ["firewall"]),
        ([["tcp_timeout"]] * 2, TIMEOUT, {**served(3), "units": unit_of("nginx", **DOWN)["units"]}, ["nginx_down"]),
        ([["tcp_timeout"]] * 2, TIMEOUT, {**served(3), **HANGS}, ["feed_hung"]),
        ([["dns"]] * 2, {"dns": "dns"}, served(3), ["dns"]),  # a wrong name is wrong for all hosts
        ([["http_status"]] * 2, {"http": "http_status"}, served(3), ["unknown"]),
    ],
)
def test_an_observer_that_is_cut_off_is_told_from_hosts_that_are(seen, broken, others, causes):
    """Otherwise a monitor without network makes every host a P0, or hosts that nobody reaches go unnoticed."""
    found = {**findings(), **others, **way(seen, **broken)}
    availability = _triage.indicators(found, None, {})["sse_availability"]
    assert judge(found) == (causes or ["unknown"])
    if causes:
        assert availability["breached"] is True
    else:
        assert (availability["breached"], availability["value"], availability["source"]) == (None, None, "outside")


def test_who_saw_a_broken_way_is_said():
    """There may be only one observer's word, and the reader has to know that."""
    cut_off = {**findings(), **served(3), **way([["tcp_timeout"]] * 2, **TIMEOUT)}
    alone = {**findings(), **way([["tcp_timeout"]], **TIMEOUT)}
    for found, key, named in (
        (cut_off, "observer_cut_off", "none of the 2 hosts"),
        (alone, "one_observer", "only monitor1"),
    ):
        read = _triage.indicators(found, None, {})
        said = _triage.describe(_triage.causes(read, _triage.why(found, NOW), found, {}))[0]["evidence"][-1]
        assert (said["message"], "monitor1" in said["text"], named in said["text"]) == (key, True, True)


@pytest.mark.parametrize("rubbish", [{"msg": "unreachable"}, {"probes": []}, {"probes": {"tcp": {"status": "failed"}}}])
def test_what_is_no_public_way_is_refused(rubbish):
    with pytest.raises(RunbookError, match="public_way_info"):
        _triage.outside(rubbish)


@pytest.mark.parametrize(
    ("tried", "rules", "rules6", "causes"),
    [
        (["192.0.2.10"], ufw(IN), ufw(), ["partition"]),
        (["192.0.2.10"], ufw(), ufw(IN), ["firewall"]),
        (["2001:db8::5"], ufw(), ufw(IN), ["partition"]),
        (["2001:db8::5"], ufw(IN), ufw(), ["firewall"]),
        (["2001:db8::5", "192.0.2.10"], ufw(), ufw(), ["firewall"]),
        (["2001:db8::5", "192.0.2.10"], ufw(IN), ufw(), ["partition"]),  # one of them gets through
        (["198.51.100.7"], ufw(), [], ["firewall"]),  # of a translator of addresses before the host
        (["192.0.2.10"], ufw("-d 10.0.0.5/32 -j DROP", IN), [], ["partition"]),
        (["192.0.2.10"], ufw("-d 192.0.2.10/32 -j DROP", IN), [], ["firewall"]),
        (["192.0.2.10"], ufw("-i wg0 -p tcp -m tcp --dport 443 -j ACCEPT"), [], ["firewall"]),
        (["192.0.2.10"], ufw("-i eth1 -j DROP", IN), [], ["partition"]),
        (["192.0.2.10"], ufw("-m frob -j DROP", IN), [], ["partition"]),
        (["192.0.2.10"], ufw(policy="ACCEPT"), [], ["partition"]),
    ],
)
def test_a_firewall_closes_the_way_that_clients_come(tried, rules, rules6, causes):
    found = {**findings(), **way(**TIMEOUT), **firewall(rules, rules6)}
    found["outside_tcp"].data["addresses"] = tried
    assert judge(found) == causes


def test_a_firewall_that_cannot_be_told_is_said_to_be_so():
    found = {**findings(), **way(**TIMEOUT), **firewall(ufw("-m frob -j DROP", IN))}
    read = _triage.indicators(found, None, {})
    (cause,) = _triage.causes(read, _triage.why(found, NOW), found, {})
    assert (cause.weight < 0.9, cause.evidence[0][0]) == (True, "no_way_in_unsure")


def test_a_unit_that_this_host_does_not_have_is_not_down():
    found = findings()
    found["units"].data["feed"].update(loaded="not-found", **in_state("inactive", "dead"))
    assert judge(found) == []


@pytest.mark.parametrize(
    ("before", "after", "breached", "problem"),
    [
        ("circuit_breaker_state 2\npolicy_considered_total 90", HEALTHY, True, ""),  # it only closed while we looked
        (HEALTHY, "circuit_breaker_state 0\npolicy_considered_total 3", None, "too_few"),  # it was just restarted
        (HEALTHY, "circuit_breaker_state 0", None, "too_few"),
    ],
)
def test_closed_for_a_moment_is_not_healthy(before, after, breached, problem):
    entry = _triage.indicators(findings(before, after), None, {})["circuit_breaker"]
    assert (entry["breached"], entry["problem"]) == (breached, problem)


@pytest.mark.parametrize(("risen", "breached"), [(0, None), (1, True)])
def test_a_short_sample_can_show_a_cvar_breach_but_not_that_there_is_none(risen, breached):
    text = HEALTHY + "\nrisk_cvar_breach_total "
    assert (
        _triage.indicators(findings(text + "3", text + str(3 + risen)), None, {})["cvar_breach"]["breached"] is breached
    )


def test_every_probe_may_be_missing():
    found = {name: Finding("timeout", problem="no answer") for name in findings()}
    read = _triage.indicators(found, None, {})
    assert {entry["breached"] for entry in read.values()} == {None}
    assert judge(found) == ["dns"]


def test_half_open_is_neither_breached_nor_fine():
    half = HEALTHY.replace("state 0", "state 1")
    assert _triage.indicators(findings(half, half), None, {})["circuit_breaker"]["breached"] is None


def test_prometheus_windows_replace_the_scrapes_for_rates_alone():
    read = _triage.indicators(findings(), {"policy_deny_rate": 0.6, "execution_latency": float("nan")}, {})
    assert (read["policy_deny_rate"]["breached"], read["policy_deny_rate"]["source"]) == (True, "prometheus")
    assert (read["execution_latency"]["value"], read["execution_latency"]["problem"]) == (None, "nan")
    assert read["sse_availability"]["problem"] == "no_data"
    assert (read["circuit_breaker"]["value"], read["circuit_breaker"]["source"]) == (0, "scrape")


REFUSED = Finding("failed", problem="http://localhost:9000/metrics did not answer: Connection refused")
STALE, SHORT = {"problem": "stale", "reason": "95 s old"}, {"problem": "too_few", "reason": "60 s"}


@pytest.mark.parametrize(
    ("value", "doubt", "others", "breached", "problem"),
    [
        (0.02, {}, {}, False, ""),
        (0.02, {}, {"runner_metrics": REFUSED}, None, "silent"),
        (0.6, {}, {"runner_metrics": REFUSED}, None, "silent"),
        (0.02, {}, {"runner_metrics": Finding("timeout")}, None, "silent"),
        (0.02, STALE, {}, None, "stale"),
        (0.6, STALE, {}, None, "stale"),
        (None, STALE, {}, None, "stale"),
        (0.02, {"problem": "unclear", "reason": "it warns"}, {}, None, "unclear"),
        (0.02, SHORT, {}, None, "too_few"),
        (0.6, SHORT, {}, True, ""),
        (None, {}, {}, None, "no_data"),
        (float("nan"), {}, {}, None, "nan"),
        (float("inf"), {}, {}, None, "nan"),
    ],
)
def test_a_window_of_prometheus_is_no_answer_of_a_service_that_gives_none(value, doubt, others, breached, problem):
    doubts = {"policy_deny_rate": doubt} if doubt else {}
    entry = _triage.indicators(findings(**others), {"policy_deny_rate": value}, {}, doubts=doubts)["policy_deny_rate"]
    assert (entry["breached"], entry["problem"], entry["source"]) == (breached, problem, "prometheus")
    assert (entry["value"] is None) is (breached is None)
    assert entry["reason"] == (doubt["reason"] if problem and doubt else "")


@pytest.mark.parametrize(
    ("family", "breached", "problem"),
    [("", None, "no_data"), ("\n# TYPE risk_cvar_breach_total counter", False, "")],
    ids=["missing", "declared"],
)
def test_no_series_of_a_counter_is_zero_only_where_its_page_has_the_family(family, breached, problem):
    found = findings(HEALTHY + family, HEALTHY + family)
    entry = _triage.indicators(found, {"cvar_breach": 0.0}, {})["cvar_breach"]
    assert (entry["breached"], entry["problem"]) == (breached, problem)
    assert _triage.indicators(found, {"cvar_breach": 1.0}, {})["cvar_breach"]["breached"] is True


def test_a_prometheus_that_does_not_answer_leaves_its_windows_unknown_and_says_why():
    found = findings(prometheus=Finding("timeout", problem="no answer within 10 s"))
    windows, doubts = _triage.prometheus(found)
    read = _triage.indicators(found, windows, {}, doubts=doubts)
    assert {(read[name]["problem"], read[name]["reason"]) for name in _triage.WINDOWED} == {
        ("unclear", "no answer within 10 s")
    }
    assert _triage.prometheus(findings()) == (None, {})


@pytest.mark.parametrize(
    ("breached", "values", "severity"),
    [
        ({"circuit_breaker"}, {}, "P0"),
        ({"cvar_breach"}, {}, "P0"),
        ({"sse_availability"}, {"sse_availability": 0.98}, "P0"),
        ({"sse_availability"}, {"sse_availability": 0.993}, "P1"),
        ({"execution_latency"}, {}, "P1"),
        ({"sse_availability"}, {"sse_availability": 0.998}, "P2"),
        ({"policy_deny_rate"}, {}, "P2"),
        ({"calibration_ece"}, {}, "P2"),
        ({"reconnects"}, {}, "P2"),
        (set(), {"sse_availability": 0.5}, None),
    ],
)
def test_severity_as_the_runbook_grades_it(breached, values, severity):
    assert _indicators.severity(values, breached) == severity


def slow_orders(exchange_seconds, breaker=0):
    bucket = 'exec_latency_ms_bucket{{le="{}"}} {}'
    base = HEALTHY.replace("state 0", f"state {breaker}")
    text = "\n".join([base, bucket.format(300, 0), bucket.format(500, "{n}"), bucket.format("+Inf", "{n}")])
    text += "\nexec_latency_ms_count {n}"
    before, after = (text.replace("{n}", n) for n in ("1", "201"))
    exchange = Finding("ok", {"status": 200, "seconds": exchange_seconds, "rate_limit": {}})
    return findings(before, after, exchange=exchange)


@pytest.mark.parametrize(("seconds", "cause"), [(0.02, "queueing"), (0.6, "exchange_latency")])
def test_orders_that_wait_for_each_other_are_told_from_a_slow_exchange(seconds, cause):
    assert judge(slow_orders(seconds)) == [cause]


def pings(lost, sent=10, host="api.exchange.com"):
    figures = {"host": host, "sent": sent, "received": sent - lost, "loss_percent": 100 * lost / sent}
    return Finding("ok", figures)


SLOW = Finding("ok", {"status": 200, "seconds": 1.4, "rate_limit": {}})


@pytest.mark.parametrize(
    ("lost", "sent", "others", "cause"),
    [
        (12, 25, {"exchange": SLOW}, "packet_loss"),
        (3, 13, {"exchange": SLOW}, "packet_loss"),
        (1, 11, {"exchange": SLOW}, "exchange_latency"),  # one of ten is an accident
        (2, 10, {"exchange": SLOW}, "exchange_latency"),
        (4, 100, {"exchange": SLOW}, "exchange_latency"),
        (10, 10, {"exchange": SLOW}, "exchange_latency"),  # somebody answers no pings
        (5, 10, {"exchange": Finding("timeout", problem="timed out")}, "packet_loss"),
        (5, 10, {"exchange": Finding("failed", problem="[Errno 111] Connection refused")}, "exchange_down"),
    ],
)
def test_a_network_that_loses_packets_is_not_a_slow_exchange(lost, sent, others, cause):
    found = open_breaker([], exchange_ping=pings(lost, sent), **others)
    assert judge(found)[0] == cause


@pytest.mark.parametrize("code", ["WHY_CONN_ERR", "LATENCY_GUARD_TRIP", "WHY_LATENCY_BREACH"])
def test_denials_for_connections_and_latency_are_lost_packets_where_pings_are_lost_too(code):
    assert judge(open_breaker(denials(code, 20), exchange_ping=pings(5), exchange=SLOW)) == ["packet_loss"]
    assert "packet_loss" not in judge(open_breaker(denials(code, 20), exchange_ping=pings(1), exchange=SLOW))


def test_slow_orders_on_a_lossy_way_do_not_wait_for_each_other():
    assert judge({**slow_orders(0.02), "exchange_ping": pings(5)})[0] == "packet_loss"
    assert judge({**slow_orders(0.6), "exchange_ping": pings(5)}) == ["packet_loss"]
    assert judge({**slow_orders(0.02), "exchange_ping": pings(1)}) == ["queueing"]


def test_lost_pings_of_a_host_that_is_well_are_no_cause():
    assert judge(findings(exchange_ping=pings(5))) == []


HOG = {"pid": 77, "name": "backtest", "cpu_percent": 92.0}
HOGGED = {"busy_percent": 55, "own_percent": 46, "processes": [HOG], "units": {}, "waiting": {"runner": 94}}


def test_a_busy_host_picks_no_rung_where_the_denials_say_another_cause():
    hogged = {"load": Finding("ok", HOGGED), "denied_log": Finding("ok", {"lines": denials("SPREAD_GUARD_TRIP", 20)})}
    assert judge({**slow_orders(0.02), **hogged})[0] == "local_cpu"
    assert judge({**slow_orders(0.02, breaker=2), **hogged})[0] == "wide_spreads"


@pytest.mark.parametrize(
    ("seconds", "cause"),
    [(0.02, ["local_cpu"]), (0.6, ["exchange_latency"])],
    ids=["quick exchange", "slow exchange"],
)
def test_denials_for_latency_are_the_hosts_own_when_the_exchange_answers_at_once(seconds, cause):
    found = open_breaker(denials("LATENCY_GUARD_TRIP", 20), load=Finding("ok", HOGGED))
    found["exchange"] = Finding("ok", {"status": 200, "seconds": seconds, "rate_limit": {}})
    assert judge(found) == cause
    assert judge({**found, "exchange": Finding("timeout")})[0] == "exchange_latency"


@pytest.mark.parametrize(
    ("busy", "own", "waiting", "pid", "used", "cause"),
    [
        (97, 91, 1, 77, 180.0, "local_cpu"),
        (97, 20, 1, 77, 2.0, "queueing"),  # a neighbour on its machine
        (55, 46, 40, 77, 92.0, "local_cpu"),  # a core of several
        (97, 46, 40, 77, 92.0, "local_cpu"),  # and a neighbour
        (55, 46, 40, 7, 92.0, "queueing"),  # the runner itself
        (55, 46, 40, 77, 12.0, "queueing"),
        (55, 46, 3, 77, 92.0, "queueing"),
    ],
)
def test_a_process_that_takes_the_runners_core_is_named(busy, own, waiting, pid, used, cause):
    found = slow_orders(0.02)
    found["units"].data["runner"]["pid"] = 7
    hog = {"pid": pid, "name": "backtest", "cpu_percent": used}
    load = {"busy_percent": busy, "own_percent": own, "processes": [hog], "units": {}, "waiting": {"runner": waiting}}
    assert judge({**found, "load": Finding("ok", load)})[0] == cause


def test_a_load_that_could_not_be_read_leaves_the_other_causes():
    assert judge({**slow_orders(0.02), "load": Finding("timeout")}) == ["queueing"]


def test_what_is_found_beside_a_breach_picks_no_rung_before_its_cause():
    found = findings()
    found["feed_metrics"] = found["runner_metrics"]  # it answers
    found["units"].data["feed"]["memory_own"] = 399
    found["units"].data["nginx"].update(in_state("failed", "failed"))
    full = {"free_bytes": 1, "used_percent": 99.0, "inodes_used_percent": 5.0}
    found["disk"] = Finding("ok", {"paths": {"/opt/aurora": full}})
    found["dns"] = Finding("failed", problem="api.exchange.com does not resolve")
    assert judge(found) == ["nginx_down", "dns", "disk_full", "memory_limit"]


def test_a_broken_file_that_nginx_never_loaded_is_not_why_the_feed_is_down():
    found = findings(nginx_config=Finding("ok", {"valid": False, "message": "line 3"}))
    found["units"].data["feed"].update(in_state("failed", "failed"))
    assert judge(found) == ["feed_down", "nginx_config"]


@pytest.mark.parametrize(("valid", "causes"), [(None, ["unknown"]), (True, ["unknown"]), (False, ["miscalibration"])])
def test_thresholds_are_not_blamed_while_nobody_knows_the_models_error(valid, causes):
    text = HEALTHY.replace("state 0", "state 2").replace("ece 0.02", "ece NaN")
    found = open_breaker(denials("WHY_UNATTRACTIVE", 20))
    found["runner_metrics"] = Finding("ok", {"before": page(text), "after": page(text), "seconds": 5.0})
    if valid is not None:
        found["model_valid"] = Finding("ok", {"valid": valid, "says": "ECE 0.2"})
    assert judge(found) == causes


def test_an_exchange_that_is_slow_beside_a_wrong_model_is_not_its_cause():
    text = HEALTHY.replace("ece 0.02", "ece 0.08")
    found = findings(text, text, exchange=Finding("ok", {"status": 200, "seconds": 0.4, "rate_limit": {}}))
    assert judge(found) == ["miscalibration", "exchange_latency"]


def feed_load(used, throttled, waiting=0.0):
    load = {"busy_percent": 99.0, "own_percent": 80.0, "processes": [], "units": {"feed": used}}
    return Finding("ok", {**load, "waiting": {"feed": waiting, "runner": waiting}, "throttled": throttled})


def test_a_quota_smaller_than_a_clock_tick_is_seen_by_the_throttling():
    found = findings(load=feed_load(0.0, {"feed": 97.0}))
    assert judge(found) == ["cpu_limit"]
    read = _triage.indicators(found, None, {})
    (cause,) = _triage.causes(read, _triage.why(found, NOW), found, {})
    figures = {"unit": "x.service", "percent": 0, "quota": 50.0, "held": 97.0}
    assert cause.evidence == (("quota_holds", figures),)


@pytest.mark.parametrize("throttled", [{"feed": 0.0}, {"feed": 12.0}, {"feed": None}, {}])
def test_a_feed_that_waits_for_a_core_of_a_busy_machine_is_not_at_its_quota(throttled):
    """As recorded: 0.5 % of a core used of a quota of 50 %, 87 % of the time waiting. More quota gives it no core."""
    assert judge(findings(load=feed_load(0.5, throttled, waiting=87.0))) == []
    hangs = {**findings(load=feed_load(0.5, throttled, waiting=87.0)), **HANGS}
    assert judge(hangs) == ["feed_hung"]


@pytest.mark.parametrize(
    ("considered", "least", "breached"),
    [(12, 30, None), (12, 10, False), (12, 12, False), (40, 100, None), (0, 0, False)],
)
def test_how_many_decisions_make_a_closed_breaker_healthy_is_the_users_to_say(considered, least, breached):
    text = HEALTHY.replace("considered_total 100", f"considered_total {considered}")
    read = _triage.indicators(findings(text, text), None, {}, least)["circuit_breaker"]
    assert (read["breached"], read["problem"]) == (breached, "too_few" if breached is None else "")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("circuit_breaker_state 2", "malformed"),
        ("circuit_breaker_state{", "malformed"),
        ('circuit_breaker_state{a="1"} NaN', "nan"),
        ("policy_considered_total 7", "too_few"),
    ],
)
def test_a_page_that_contradicts_itself_says_nothing_about_the_breaker(line, problem):
    text = f"{HEALTHY}\n{line}"
    for found in (findings(text, text), findings(HEALTHY, text)):
        read = _triage.indicators(found, None, {})["circuit_breaker"]
        assert (read["value"], read["breached"], read["problem"]) == (None, None, problem)
    assert _triage.indicators(findings(text, HEALTHY), None, {})["circuit_breaker"]["breached"] is (
        None if "breaker" in line else False
    )


UNUSED = "circuit_breaker_state 0\npolicy_considered_total 0\n# TYPE policy_denied_total counter\ncalibration_ece 0\n"


def test_the_feeds_page_says_nothing_about_the_runner():
    """The real exporter has every family on every page. Zeros of the feed's do not stand for a silent runner."""
    sample = {"before": page(UNUSED), "after": page(UNUSED), "seconds": 5.0}
    found = findings(runner_metrics=Finding("failed", problem="refused"), feed_metrics=Finding("ok", sample))
    read = _triage.indicators(found, None, {}, 0)
    runners = [name for name, one in _indicators.INDICATORS.items() if one.service == "runner"]
    assert {name: read[name]["problem"] for name in runners} == dict.fromkeys(runners, "silent")
    assert _triage.why(found, NOW).source == "none"


def test_codes_of_the_runner_are_not_hidden_by_a_feed_that_counts_none():
    more = HEALTHY + '\npolicy_denied_total{why="LATENCY_GUARD_TRIP"} 15'
    sample = {"before": page(UNUSED), "after": page(UNUSED), "seconds": 5.0}
    codes = _triage.why(findings(HEALTHY, more, feed_metrics=Finding("ok", sample)), NOW)
    assert (codes.source, codes.shares) == ("window", {"LATENCY_GUARD_TRIP": 1.0})


REFUSED = Finding("failed", problem="https://x/status did not answer: [Errno 111] Connection refused")
SILENT = Finding("failed", problem="https://x/status did not answer: timed out")
NO_ROUTE = Finding("failed", problem="https://x/status did not answer: [Errno 113] No route to host: unreachable")
NOT_TRUSTED = Finding("failed", problem="https://x/status did not answer: certificate verify failed")
ENDED = Finding("failed", problem="https://x/status did not answer: [Errno 104] Connection reset by peer")


def exchange(status, seconds=0.01, **headers):
    limits = {name.replace("_", "-"): value for name, value in headers.items()}
    return Finding("ok", {"status": status, "seconds": seconds, "rate_limit": limits})


def ping(loss):
    return Finding("failed", problem="ping is not installed") if loss is None else Finding("ok", {"loss_percent": loss})


@pytest.mark.parametrize(
    ("answer", "causes"),
    [
        (exchange(429), ["rate_limit"]),
        (exchange(418, retry_after="120"), ["rate_limit"]),
        (exchange(418), ["rate_limit"]),
        (exchange(429, retry_after="5"), ["rate_limit"]),
        (exchange(403, retry_after="5"), ["rate_limit"]),
        (exchange(200, **{"x-ratelimit-remaining": "0"}), ["rate_limit"]),
        (exchange(500), ["exchange_down"]),
        (exchange(502), ["exchange_down"]),
        (exchange(503), ["exchange_down"]),
        (exchange(503, retry_after="30"), ["exchange_down"]),
        (exchange(504), ["exchange_down"]),
        (exchange(521), ["exchange_down"]),
        (exchange(403), ["unknown"]),
        (exchange(301), ["unknown"]),
        (exchange(200), ["unknown"]),
    ],
)
def test_what_the_exchange_answers_is_understood(answer, causes):
    assert judge(open_breaker(exchange=answer)) == causes
    connections = denials("WHY_CONN_ERR", 20)
    assert judge(open_breaker(connections, exchange=answer))[0] == (causes[0] if causes != ["unknown"] else "partition")


def test_an_answer_that_has_no_cause_is_told_all_the_same():
    found = open_breaker(exchange=exchange(403))
    read = _triage.indicators(found, None, {})
    (cause,) = _triage.causes(read, _triage.why(found, NOW), found, {})
    assert cause.evidence == (("exchange_answers", {"status": 403, "retry": "–"}),)


def test_a_fault_of_the_exchange_is_a_side_finding_where_nothing_suffers():
    (cause,) = _triage.causes(
        _triage.indicators(findings(), None, {}), _triage.Why("none", 0, {}), findings(exchange=exchange(503)), {}
    )
    assert (cause.name, cause.weight) == ("exchange_down", _triage.BESIDE)


def test_an_exchange_that_is_out_of_order_has_no_queue():
    found = findings(exchange=exchange(503))
    read = _triage.indicators(found, None, {})
    read["execution_latency"].update(value=900.0, breached=True)
    names = [cause.name for cause in _triage.causes(read, _triage.Why("none", 0, {}), found, {})]
    assert names == ["exchange_down"]


@pytest.mark.parametrize(
    ("answer", "its_ping", "network", "causes"),
    [
        (REFUSED, 100.0, 0.0, ["exchange_down"]),  # the exchange answers no ping at all
        (REFUSED, 100.0, 100.0, ["exchange_down"]),
        (REFUSED, None, None, ["exchange_down"]),
        (ENDED, 100.0, 0.0, ["exchange_down"]),
        (SILENT, 0.0, 0.0, ["exchange_down"]),
        (SILENT, 0.0, 100.0, ["exchange_down"]),
        (SILENT, 100.0, 100.0, ["partition"]),
        (SILENT, 100.0, 0.0, ["partition"]),
        (SILENT, None, None, ["unknown"]),
        (NO_ROUTE, 100.0, 0.0, ["partition"]),
        (NO_ROUTE, None, None, ["partition"]),
        (NOT_TRUSTED, 100.0, 100.0, ["unknown"]),
    ],
)
@pytest.mark.parametrize("codes", [[], ["WHY_CONN_ERR"] * 20])
def test_an_exchange_that_does_not_answer_is_told_from_a_network_that_does_not(
    answer, its_ping, network, causes, codes
):
    logs = [denials(code, 1) for code in codes]
    found = open_breaker(*logs, exchange=answer, exchange_ping=ping(its_ping), network_ping=ping(network))
    expected = causes if not codes or causes != ["unknown"] else ["partition"]
    assert judge(found)[0] == expected[0]


def test_the_network_is_surely_at_fault_only_where_nobody_else_answers_either():
    def weight(network):
        found = open_breaker(exchange=SILENT, exchange_ping=ping(100.0), network_ping=ping(network))
        return _triage.causes(_triage.indicators(found, None, {}), _triage.why(found, NOW), found, {})[0].weight

    assert weight(0.0) == weight(None) < weight(100.0)


def test_a_dead_address_of_the_exchange_is_told():
    found = open_breaker(exchange=Finding("ok", {**exchange(200).data, "dead": ["192.0.2.7"]}))
    read = _triage.indicators(found, None, {})
    (cause,) = _triage.causes(read, _triage.why(found, NOW), found, {})
    assert (cause.name, cause.evidence) == ("exchange_latency", (("address_dead", {"addresses": "192.0.2.7"}),))


def test_a_dead_address_of_the_public_name_is_told_and_is_no_breach():
    found = {**findings(), **way()}
    found["outside_tcp"].data["dead"] = ["2001:db8::7"]
    read = _triage.indicators(found, None, {})
    (cause,) = _triage.causes(read, _triage.why(found, NOW), found, {})
    assert (cause.name, cause.weight, cause.evidence[0][0]) == ("dns", _triage.BESIDE, "address_dead")
    assert read["sse_availability"]["breached"] is None


@pytest.mark.parametrize(
    ("others", "causes"),
    [
        ({"exchange": exchange(200, seconds=2.0)}, ["unknown", "exchange_latency"]),
        ({"disk": disk(used_percent=99.0)}, ["unknown", "disk_full"]),  # beside a feed that serves
        ({"units": unit_of("nginx", **DOWN)["units"]}, ["nginx_down"]),
        (HANGS, ["feed_hung"]),
        ({"certificate": Finding("failed", problem="certificate has expired")}, ["certificate_expired"]),
    ],
)
def test_a_side_finding_does_not_hide_what_was_seen_from_outside(others, causes):
    found = {**findings(), **others, **way(http="http_status")}
    assert judge(found) == causes
