# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, the last lines of a run say less, or something else, than what happened."""

from __future__ import annotations

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _guards
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages
from ansible_collections.aurora.runbook.plugins.plugin_utils import _decision, _report, _texts
from test_decision import CUT_OFF, MARKET, RUNNER_ILL, action, entry, look, runner

MEMORY = {"name": "MemoryMax", "before": "512M", "after": "1G", "direction": "neutral"}
TCP = {"changed": True, "overridden": {"net.ipv4.tcp_autocorking": "0"}, "done": [], "verdict": "recovered"}
SPREADS = {"name": "SPREAD_THRESHOLD", "before": "1.5", "after": "2.0", "direction": "increases"}


def text(host, incident="circuit_breaker"):
    return "\n".join(_report.report("en", incident, [host]))


@pytest.mark.parametrize("cause", [*RUNNER_ILL, "runner_starting", "runner_stopping"])
def test_the_report_and_the_record_name_a_runner_out_of_order_and_what_to_do_before_other_causes(cause):
    seen = runner(cause, others=[MARKET, {**MARKET, "cause": "dns"}])
    host = _decision.Host("a1", seen, [], "escalated" if cause in RUNNER_ILL else "unknown")
    for language in _messages.LANGUAGES:
        said = _report.report(language, "circuit_breaker", [host])
        assert any(_texts.say(language, f"mend_{cause}") in line for line in said)
        assert any(cause in line for line in said)
    assert _decision.seen(seen, "circuit_breaker")["causes"][0]["cause"] == cause
    assert _decision.seen(seen, "reconnects")["causes"][0]["cause"] == "wide_spreads"


def test_a_look_says_what_was_cut_off():
    seen = {**look(0, False), "cut_off": [{**CUT_OFF, "id": "none-20261124T000000Z-00000000"}]}
    assert "log_rotation of /logs was cut off at now (olena)" in text(_decision.Host("a1", seen, [], "healthy"))


def test_a_look_says_what_is_open_who_works_here_and_that_automation_is_paused():
    known = {
        "id": "circuit_breaker-20261124T180000Z-1a2b3c4d",
        "open": True,
        "severity": "P0",
        "age_seconds": 600.0,
        "acknowledged": {"who": "petro", "at": "now"},
        "chain": {"whole": False, "problem": "entry 3 does not follow entry 1"},
    }
    claim = {"holder": "olena", "incident": known["id"], "since": "18:00"}
    seen = {**look(0, False), "incidents": [known], "claim": claim, "paused": "23:00"}
    said = text(_decision.Host("a1", seen, [], "healthy"))
    for part in (known["id"], "petro", "10 min", "entry 3 does not follow", "olena", "18:00", "until 23:00"):
        assert part in said


def test_what_was_done_and_left_and_next():
    said = text(_decision.Host("a1", look(), [action()], "recovered"))
    assert "x.service: KELLY_MULTIPLIER 1.0 → 0.5 (reduces exposure)" in said
    assert "left: x.service is overridden: KELLY_MULTIPLIER=0.5" in said
    assert "aurora.runbook.revert --limit a1" in said


def test_what_the_end_of_a_run_met_is_told_and_nothing_twice():
    held = _messages.sentence("held", by="olena", incident="–", since="18:00")
    ended = {"verdict": "refused", "done": [held]}
    said = text(_decision.Host("a1", look(0, False), [], "healthy", ended))
    # Else an incident stays open and nobody knows why.
    assert "record: another run is working on this host: olena" in said
    refused = {**action(changed=False, verdict="refused"), "done": [held]}
    said = text(_decision.Host("a1", look(), [refused], "refused", ended))
    assert said.count("another run is working on this host") == 1


def test_limits_are_told_like_variables():
    raised = action(environment=[], limits=[MEMORY], overridden={"MemoryMax": "1G"})
    assert "x.service: MemoryMax 512M → 1G (does not change exposure)" in text(_decision.Host("a1", look(), [raised]))
    kept = action(changed=False, environment=[], kept=[{**MEMORY, "before": None}], overridden={})
    assert "MemoryMax stays at unlimited because 1G would be less" in text(_decision.Host("a1", look(), [kept]))


def test_everything_that_is_left_is_told():
    earlier = [{"name": "y.service", "kind": "service_override", "phase": "active", "written": {"CPUQuota": "100%"}}]
    said = text(_decision.Host("a1", look(leases=earlier), [TCP, action()], "recovered"))
    assert "left: y.service is overridden: CPUQuota=100%" in said
    assert "left: tcp_tuning is overridden: net.ipv4.tcp_autocorking=0" in said
    assert "left: x.service is overridden: KELLY_MULTIPLIER=0.5" in said


def test_approval_names_the_knob_to_type():
    waiting = action(changed=False, environment=[], proposed=[SPREADS], verdict="approval_needed")
    assert "-e aurora_approve=spread_threshold --limit a1" in text(
        _decision.Host("a1", look(), [action(verdict="not_recovered"), waiting], "approval_needed")
    )


def test_what_was_taken_back_is_not_told_as_done():
    back = action(environment=[SPREADS], taken_back=True, overridden={}, verdict="not_recovered")
    assert "taken back because it did not help" in text(_decision.Host("a1", look(), [back], "escalated"))


def test_a_failed_rung_says_why():
    failed = {"failed": True, "msg": "x.service did not become healthy: it failed"}
    assert "did not become healthy" in text(_decision.Host("a1", look(), [failed], "escalated"))


def test_an_unreachable_host_is_in_the_report():
    said = text(_decision.Host("a1", {"unreachable": True, "msg": "ssh: refused"}, (), "unknown"))
    assert "a1: UNKNOWN" in said
    assert "ssh: refused" in said


def test_hosts_left_out_after_a_bad_canary_are_told_so():
    hosts = [
        _decision.Host("a1", look(), [action(verdict="not_recovered")], "escalated"),
        _decision.Host("a2", look(), (), "not_recovered"),
    ]
    assert "an earlier host did not recover" in "\n".join(_report.report("en", "circuit_breaker", hosts))


def test_control_characters_of_a_host_do_not_reach_the_terminal():
    assert "\x1b" not in text(_decision.Host("a1", {"failed": True, "msg": "\x1b[31mboo"}, (), "unknown"))


def test_check_mode_claims_nothing():
    said = text(_decision.Host("a1", look(), [action(verdict="would_change")], "would_change"))
    assert "KELLY_MULTIPLIER 1.0 → 0.5 would be set" in said
    assert "overridden" not in said


def test_a_change_without_variables_still_has_a_report():
    assert "a1: RECOVERED" in text(_decision.Host("a1", look(), [action(environment=[])], "recovered"))


def test_a_name_from_a_host_cannot_forge_a_line():
    failed = {"failed": True, "msg": "X\na9: RECOVERED"}
    assert "a9: RECOVERED" not in _report.report("en", "circuit_breaker", [_decision.Host("a1", look(), [failed])])


def test_the_table_marks_breaches_and_what_is_not_known():
    rows = _report.table("en", {"a2": {}, "a1": look(1, None)})
    assert "1 ?" in rows[1]
    assert rows[2].split()[:2] == ["a2", "?"]


def test_one_host_that_answers_nonsense_hides_no_other():
    rows = _report.table("en", {"a1": {"indicators": ["x"], "severity": 7}, "a2": look()})
    assert ("a1" in rows[1], "a2" in rows[2], look()["severity"] in rows[2]) == (True, True, True)


def caused(cause, **changes):
    return {**look(), "causes": [{"cause": cause, "evidence": []}], **changes}


def test_a_person_is_told_what_to_do_about_a_cause_that_no_rung_cures():
    said = text(_decision.Host("a1", caused("certificate_expired"), [], "escalated"), "sse_availability")
    assert "next: renew the certificate" in said
    assert "next: escalate to L2" in said
    assert "renew" not in text(_decision.Host("a1", caused("certificate_expired"), [], "escalated"))


def test_a_breach_without_a_procedure_is_escalated_and_says_so():
    seen = look()
    seen["indicators"]["cvar_breach"] = entry(3, True)
    assert _decision.standing(seen, "cvar_breach") == "unhandled"
    said = text(_decision.Host("a1", seen, [], "escalated"), "cvar_breach")
    assert "the runbook has no procedure for this incident, so nothing was changed" in said


def test_what_a_module_says_it_did_stands_in_the_report():
    done = [{"message": "nginx_says", "values": {"message": "ok"}, "text": "nginx -t: ok"}]
    assert "  done: nginx -t: ok" in text(_decision.Host("a1", look(), [{"done": done}], "recovered"))


def placed(name, trip):
    probes = {**look()["probes"], "exchange_ping": {"status": "ok", "data": {"min_ms": trip}}}
    return _decision.Host(name, {**look(), "probes": probes}, [], "escalated")


@pytest.mark.parametrize(
    ("trips", "said"),
    [
        ([40.0, 2.0], ["a1 is closer to the exchange, with a round trip of 2 ms instead of 40 ms"]),
        ([2.0, 40.0], ["no host of this run is closer"]),
        ([0.05, 0.03], ["no host of this run is closer"]),  # by less than a millisecond
        ([40.0, None], ["no host of this run is closer"]),
        ([None, 2.0], []),
    ],
)
def test_the_better_placed_host_is_recommended_by_measured_round_trips(trips, said):
    hosts = [placed(f"a{number}", trip) for number, trip in enumerate(trips)]
    found = _report.placement("en", hosts[0], hosts)
    assert [line.startswith(start) for line, start in zip(found, said)] == [True] * len(said) == [True] * len(found)


def test_a_public_way_that_nobody_could_test_is_not_healthy():
    seen = look()
    seen["probes"]["outside_way"] = {"status": "failed", "problem": "monitor1 does not answer", "data": {}}
    assert _decision.standing(seen, "sse_availability") == "unknown"
    assert "monitor1 does not answer" in text(_decision.Host("a1", seen, [], "unknown"), "sse_availability")
    assert _decision.standing(seen, "circuit_breaker") == "breached"


def test_what_was_settled_is_said_once_and_in_the_readers_language():
    settled = _messages.sentence("settle_undone", unit="x.service", changes="P_THRESHOLD 0.7 → 0.5")
    tried = action(settled={"finished": [], "undone": ["P_THRESHOLD"]}, done=[settled], verdict="healthy")
    said = "\n".join(
        _report.report("uk", "circuit_breaker", [_decision.Host("a1", look(0, False), [tried], "recovered")])
    )
    assert said.count("P_THRESHOLD") == 1
    assert "скасовано, бо збільшувало ризик" in said


@pytest.mark.parametrize(
    ("sentence", "next_step"),
    [
        (
            _messages.sentence("held", by="olena", incident="–", since="03:00Z"),
            "wait until that run has ended, then run this",
        ),
        (_messages.sentence("paused", until="04:00Z", text="–"), "ask who paused it"),
        (_messages.sentence("paused_open", until="", text="–"), "ask who paused it"),
        (_guards.refusal("per_hour", 61.0, count=6, limit=6).sentence, "run this again in 2 min"),
        (
            _guards.refusal("ineffective", None, count=3, limit=3).sentence,
            "escalate to L2: a person has to decide",
        ),
    ],
)
def test_what_was_refused_is_not_said_to_be_done(sentence, next_step):
    """Whoever reads "every step that is safe is done" wakes somebody instead of waiting two minutes."""
    refused = action(changed=False, verdict="refused", done=[sentence])
    for tried, verdict in (([refused], "refused"), ([action(verdict="not_recovered"), refused], "escalated")):
        said = text(_decision.Host("a1", look(), tried, verdict))
        assert f"next: {next_step}" in said
        assert "every step" not in said


def test_a_pause_without_an_end_says_how_it_ends():
    paused = _report.table("en", {"a1": {**look(0, False), "paused": ""}})
    assert any("until somebody removes /var/lib/aurora-runbook/pause" in line for line in paused)


def test_a_host_whose_leases_cannot_be_read_is_unknown_and_says_why():
    """Otherwise somebody checks at night whether it trades, which it does."""
    blind = look(0, False)
    blind["probes"]["leases"] = {"status": "failed", "problem": "override-x.json is not a lease"}
    assert _decision.standing(blind, "circuit_breaker") == "unknown"
    assert "could not check leases: override-x.json is not a lease" in text(_decision.Host("a1", blind, (), "unknown"))


ELSEWHERE = {
    "status": "failed",
    "problem": "https://aurora.example.com/healthz answered 301",
    "data": {"broken": "http_status"},
}


def unserved(*causes):
    seen = {**look(0, False), "causes": [{"cause": name, "weight": 0.6, "evidence": []} for name in causes]}
    seen["indicators"]["sse_availability"] = entry(0.0, True)
    seen["probes"] = {
        **seen["probes"],
        "outside_dns": {"status": "ok", "problem": "", "data": {}},
        "outside_http": ELSEWHERE,
    }
    return _decision.Host("a", seen, [action(verdict="not_recovered")], "escalated")


@pytest.mark.parametrize(
    "causes", [[], ["exchange_latency"], ["nginx_down"], ["nginx_down", "feed_down", "exchange_latency"]]
)
def test_what_was_seen_from_outside_always_stands_in_the_report(causes):
    for language in _messages.LANGUAGES:
        said = _report.report(language, "sse_availability", [unserved(*causes)])
        assert sum("answered 301" in line and "http_status" in line for line in said) == 1


def test_what_a_cause_shown_says_of_the_outside_is_said_once():
    host = unserved("unknown")
    values = {"link": "http_status", "problem": ELSEWHERE["problem"]}
    host.look["causes"][0]["evidence"] = [_messages.sentence("outside_says", **values)]
    assert text(host, "sse_availability").count("answered 301") == 1


def test_advice_is_about_what_keeps_clients_from_being_served():
    told = _texts.say("en", "mend_exchange_latency")
    assert told not in text(unserved("exchange_latency"), "sse_availability")
    assert told in text(unserved("exchange_latency"), "execution_latency")
    assert _texts.say("en", "mend_firewall") in text(unserved("exchange_latency", "firewall"), "sse_availability")


@pytest.mark.parametrize("language", _messages.LANGUAGES)
def test_a_failed_override_says_once_what_runs_and_what_stays(language):
    said = _messages.sentence("stands_now", unit="x.service", state="active (running)", values="KELLY_MULTIPLIER=0.5")
    left = {"unit": "x.service", "overridden": {"KELLY_MULTIPLIER": "0.5"}, "until": None, "changed": True}
    action = {"failed": True, "msg": f"it broke\n{said['text']}", "done": [said], **left}
    lines = "\n".join(_report.report(language, "circuit_breaker", [_decision.Host("a", {}, [action], "escalated")]))
    assert lines.count(_texts.say(language, said["message"], **said["values"])) == 1
    assert _texts.overridden(language, "x.service", left["overridden"], None) in lines
