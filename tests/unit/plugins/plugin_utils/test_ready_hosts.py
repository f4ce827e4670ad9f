# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, what a host answered is taken for ready where it is not, or where nobody knows."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages
from ansible_collections.aurora.runbook.plugins.plugin_utils import _ready, _ready_hosts

PROGRAM = "0.2.0-0123456789abcdef"
ROOM = {"read_only": False, "free_bytes": 1 << 30, "free_inodes": 100000}
TURNED = {"unit": "aurora-runner.service", "changed": True, "verdict": "would_change", "done": []}
OK = {"status": "ok", "problem": "", "seconds": 0.1}
UNIT = {"id": "x.service", "loaded": "loaded", "running": True, "state": "active (running)"}
INDICATOR = {"metric": "m", "value": 1.0, "problem": "", "reason": "", "source": "scrape"}
WELL = {
    "__preflight_reached": {
        "reached": True, "goes_on": True, "connection": "", "pipelining": True, "least_privilege": False, "become": "",
        "python": {"path": "/usr/bin/python3", "problem": "", "version": [3, 11]}, "clock_off_seconds": 0.0,
    },
    "__preflight_seen": {
        "changed": False, "systemd": {"version": "252", "state": "degraded", "problem": ""},
        "rooms": [{"path": path, **ROOM} for path in (_ready_hosts.RECORDS, _ready_hosts.TIMER, "/run")],
        "state": "", "programs": {}, "exposed": "",
        "logs": [{"path": "/l.jsonl", "problem": "", "lines": 100, "malformed": 0, "age_seconds": 1.0}],
        "access": {"path": "/t", "problem": ""},
        "code": [{"path": "/c.py", "problem": ""}],
        "knobs": [{"name": "KELLY_MULTIPLIER", "running": "1.0", "configured": "1.0", "reached": True}],
    },
    "__incident_look": {
        "probes": {
            "units": {**OK, "data": {"runner": UNIT}},
            "nginx_config": {**OK, "data": {"valid": True, "message": ""}},
            "clock": {**OK, "data": {"synchronized": False}},
            "exchange": {**OK, "data": {"status": 200}},
            "leases": {**OK, "data": {"timer": "", "timer_works": True}},
        },
        "indicators": {"circuit_breaker": INDICATOR, "policy_deny_rate": {**INDICATOR, "problem": "too_few"}},
        "leases": [], "paused": None, "claim": None, "cut_off": [],
    },
    "__incident_outside": {"ok": True, "broken": [], "probes": {}},
    "__preflight_turned": {"results": [{**TURNED, "item": {"name": "KELLY_MULTIPLIER", "value": "0.5"}}]},
    "__preflight_widened": TURNED,
    "__preflight_restarted": TURNED,
    "__preflight_tuned": {"settings": [], "changed": True, "done": [], "verdict": "would_change"},
    "__preflight_rotated": {"method": "logrotate", "changed": True, "done": [], "verdict": "would_change"},
    "__preflight_refitted": {
        "trades": {}, "changed": True, "done": [], "verdict": "would_change", "model": {"before": {"valid": True}},
    },
    "__preflight_records": {"incidents": [{"id": "i", "chain": {"whole": True, "problem": ""}}]},
}  # fmt: skip
LEASE = {"name": "x.service", "phase": "active", "lost": "", "written": {"K": "1"}, "until": None}
REFUSED = {"verdict": "refused", "changed": False, "unit": "x.service"}
COOLDOWN = _messages.sentence("guard_cooldown", target="x", action="a", ago=5, limit=1500, minutes=25)
PAUSED = _messages.sentence("paused_open", text="–", until="")


def states(found, program=PROGRAM):
    """What is not ready and what is unchecked."""
    checks = _ready_hosts.checks("a1", found, program)
    for language in _messages.LANGUAGES:
        assert _ready.lines(language, ["a1"], checks, [])
    assert {one["what"] for one in checks} <= set(_ready.WHATS)
    return {(one["what"], one["state"]) for one in checks if one["state"] != _ready.READY}


def changed(path, value):
    """The answers of a host that is well, but for one thing."""
    found = copy.deepcopy(WELL)
    *above, last = path.split(".")
    place = found
    for key in above:
        place = place[int(key) if key.isdigit() else key]
    place[int(last) if last.isdigit() else last] = value
    return found


def test_of_a_host_that_is_well_everything_is_ready():
    assert states(WELL) == set()
    checks = _ready_hosts.checks("a1", WELL, PROGRAM)
    assert {one["what"] for one in checks} >= {*_ready.WHATS[:18], "public_way", "exchange"} - {"timer"}


UNREADY = [
    ("__preflight_reached.reached", False, "connection"),
    ("__preflight_reached.pipelining", False, "connection"),
    ("__preflight_reached.become", "sudo: a password is required", "become"),
    ("__preflight_reached.python.problem", "not found", "python"),
    ("__preflight_reached.python.version", [3, 8], "python"),
    ("__preflight_reached.clock_off_seconds", -6.0, "clock"),
    ("__preflight_seen.systemd.state", "starting", "systemd"),
    ("__preflight_seen.rooms.0.read_only", True, "records"),
    ("__preflight_seen.rooms.0.free_bytes", 1, "records"),
    ("__preflight_seen.rooms.0.free_inodes", 1, "records"),
    ("__preflight_seen.rooms.1.read_only", True, "timer"),
    ("__preflight_seen.state", "/var/lib/aurora-runbook belongs to the user x", "records"),
    ("__preflight_seen.programs", {PROGRAM: "others than root can change it"}, "program"),
    ("__preflight_seen.exposed", "/usr/local", "program"),
    ("__preflight_seen.logs.0.problem", "there is no such file", "logs"),
    ("__preflight_seen.logs.0.malformed", 6, "logs"),
    ("__preflight_seen.access.problem", "there is none", "token"),
    ("__preflight_seen.code.0.problem", "others can change it", "calibration"),
    ("__preflight_seen.knobs.0.running", "0.8", "knob"),
    ("__preflight_seen.knobs.0", {"name": "K", "running": None, "configured": "1", "reached": False}, "knob"),
    ("__incident_look.probes.units.data.runner", {**UNIT, "loaded": "not-found"}, "units"),
    ("__incident_look.probes.units.data.runner", {**UNIT, "running": False}, "units"),
    ("__incident_look.probes.nginx_config.data.valid", False, "units"),
    ("__incident_look.indicators.circuit_breaker.problem", "silent", "metrics"),
    ("__incident_look.probes.exchange.data.status", 503, "exchange"),
    ("__incident_look.probes.exchange", {**OK, "status": "timeout", "data": {}}, "exchange"),
    ("__incident_look.probes.leases", {**OK, "status": "failed", "problem": "it is a link", "data": {}}, "leases"),
    ("__incident_look.probes.leases.data", {"timer": "disabled", "timer_works": False}, "timer"),
    ("__incident_look.leases", [LEASE], "leases"),
    ("__incident_look.leases", [{**LEASE, "phase": "changing"}], "leases"),
    ("__incident_look.leases", [{**LEASE, "lost": "/etc/x"}], "leases"),
    ("__incident_look.paused", "", "pause"),
    ("__incident_look.claim", {"holder": "olena", "since": "now", "incident": "i"}, "pause"),
    ("__incident_look.cut_off", [{"id": "i", "action": "a", "at": "then", "by": "x", "target": "t"}], "records"),
    ("__incident_outside", {"ok": False, "broken": ["tls"], "probes": {}}, "public_way"),
    ("__preflight_turned.results.0", {"item": {"name": "K", "value": "1"}, "msg": "UnsetEnvironment=K"}, "knob"),
    ("__preflight_turned.results.0", {"item": {"name": "K", "value": "1"}, **REFUSED, "done": [COOLDOWN]}, "knob"),
    ("__preflight_widened", {"msg": "MemoryMax is 300M instead of 1G"}, "knob"),
    ("__preflight_restarted", {**REFUSED, "done": [COOLDOWN]}, "units"),
    ("__preflight_tuned.done", [_messages.sentence("sysctl_absent", name="net.ipv4.x")], "kernel"),
    ("__preflight_tuned", {"msg": "it cannot be read"}, "kernel"),
    ("__preflight_rotated.done", [_messages.sentence("log_no_way", reason="nobody can")], "rotation"),
    ("__preflight_rotated", {"msg": "this host has no such user"}, "rotation"),
    ("__preflight_refitted", {**REFUSED, "trades": {}, "done": [_messages.sentence("trades_stale", age=40, limit=24)]},
     "calibration"),
    ("__preflight_refitted.model.before", {"valid": False, "says": "ECE is not monotonic"}, "calibration"),
    ("__preflight_records.incidents.0.chain", {"whole": False, "problem": "line 2 was changed"}, "records"),
    ("__preflight_prepared", {"msg": "the program cannot be put there"}, "program"),
    ("__preflight_records.msg", "a lease cannot be read", "records"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "what"), UNREADY, ids=lambda one: str(one)[:40])
def test_what_is_not_ready_is_named_and_nothing_else(path, value, what):
    assert states(changed(path, value)) == {(what, "not_ready")}


def test_a_writer_that_only_a_person_may_restart_keeps_nothing_from_being_freed():
    kept = _messages.sentence("log_untellable", writer="aurora-runner.service", log="trades.jsonl")
    assert states(changed("__preflight_rotated", {**REFUSED, "method": "logrotate", "done": [kept]})) == set()


def test_a_pause_is_told_once_and_not_of_each_knob():
    held = {**REFUSED, "done": [PAUSED]}
    found = changed("__incident_look.paused", "")
    found["__preflight_turned"]["results"][0].update(held)
    found.update(__preflight_widened=held, __preflight_restarted=held, __preflight_tuned={**held, "settings": []})
    assert states(found) == {("pause", "not_ready")}


NOBODY_KNOWS = [
    ("__incident_look", {"msg": "it took too long"}),
    ("__incident_outside", {"msg": "no answer"}),
    ("__preflight_seen", {"msg": "no answer", "unreachable": True}),
    ("__preflight_seen.knobs.0.configured", None),
    ("__preflight_turned", {}),
    ("__preflight_turned.results.0", {"item": {"name": "K", "value": "1"}, "unreachable": True, "msg": "lost"}),
    ("__preflight_widened", {}),
    ("__preflight_tuned", {"timedout": {"period": 3}, "msg": "it took too long"}),
    ("__preflight_records", {"msg": "no answer"}),
    ("__incident_look.probes.units", {**OK, "status": "timeout", "data": {}}),
    ("__incident_look.probes.nginx_config", {**OK, "status": "failed", "data": {}}),
]


@pytest.mark.parametrize(("path", "value"), NOBODY_KNOWS, ids=lambda one: str(one)[:40])
def test_what_nobody_knows_is_unchecked(path, value):
    assert {state for _what, state in states(changed(path, value))} == {"unchecked"}


@pytest.mark.parametrize("name", [name for name in WELL if name != "__preflight_reached"])
@pytest.mark.parametrize("answer", [None, [], "x", 7, {"rooms": 1, "probes": [], "settings": {}, "results": {"a": 1}}])
def test_an_answer_that_makes_no_sense_is_never_ready_and_hides_no_other(name, answer):
    found = {**WELL, name: answer}
    assert states(found)
    assert len(_ready_hosts.checks("a1", found, PROGRAM)) > 5


def test_without_any_answer_the_host_is_not_ready():
    assert states({}) == {("connection", "not_ready")}


def test_with_least_rights_the_program_gives_root():
    found = changed("__preflight_reached.least_privilege", True)
    found["__preflight_seen"]["programs"] = {PROGRAM: ""}
    assert states(found) == set()
    found["__preflight_seen"] = {"msg": "This account cannot use the program on the host"}
    assert ("become", "not_ready") in states(found)


def test_without_the_controllers_clock_the_kernels_word_counts():
    found = changed("__preflight_reached.clock_off_seconds", None)
    assert states(found) == {("clock", "unchecked")}
    found["__incident_look"]["probes"]["clock"]["data"]["synchronized"] = True
    assert states(found) == set()


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [("become", "sudo: a password is required", "become"), ("python.problem", "not found", "python")],
)
def test_where_no_module_can_run_no_more_is_said(path, value, what):
    found = {"__preflight_reached": changed(f"__preflight_reached.{path}", value)["__preflight_reached"]}
    found["__preflight_reached"]["goes_on"] = False
    assert states(found) == {(what, "not_ready")}


def test_a_place_for_programs_that_is_read_only_matters_until_the_program_is_there():
    found = changed("__preflight_seen.rooms", [{"path": _ready_hosts.PROGRAM, **ROOM, "read_only": True}])
    assert states(found) == {("program", "not_ready")}
    found["__preflight_seen"]["programs"] = {PROGRAM: ""}
    assert states(found) == set()


def test_the_program_is_free_to_be_put_there_by_the_first_remediation_but_with_least_rights():
    assert states(changed("__preflight_seen.programs", {"0.1.0-0123456789abcdef": ""})) == set()
    found = changed("__preflight_reached.least_privilege", True)
    assert ("program", "not_ready") in states(found)
