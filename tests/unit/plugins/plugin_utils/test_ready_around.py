# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, preflight calls ready what fails at night, or not ready what works.

Answers are as Prometheus 2.42, Alertmanager 0.25, ansible-rulebook 1.3 and the API of EDA give them.
"""

from __future__ import annotations

import copy

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators
from ansible_collections.aurora.runbook.plugins.plugin_utils import _ready_around, _texts

HOSTS = {"aurora1": ["aurora1", "192.0.2.21"], "aurora2": ["aurora2", "192.0.2.22"]}
URL = "https://eda.example.com:5000/alerts"


def rule(name: str, severity: str = "P0", query: str = "x[10s] > 0", **other: object) -> dict:
    return {"name": name, "query": query, "labels": {"severity": severity}, "health": "ok", "type": "alerting", **other}


def series(*instances: str) -> dict:
    result = [{"metric": {"instance": one, "job": "aurora"}, "value": [1795489500, "1"]} for one in instances]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def target(instance: str, every: str = "2s", health: str = "up", error: str = "") -> dict:
    labels = {"instance": instance, "job": "aurora"}
    return {"labels": labels, "scrapeInterval": every, "health": health, "lastError": error}


def answers(**changed: object) -> dict:
    """What a Prometheus answers that has everything."""
    indicators = _indicators.INDICATORS.values()
    names = [*(one.alert for one in indicators), *(one.metric for one in indicators if ":" in one.metric)]
    group = {"name": "aurora_alerts", "rules": [rule(name) for name in [*names, "AuroraMetricsMissing"]]}
    here = ("aurora1:9000", "aurora1:8001", "192.0.2.22:9000")
    whole = {
        "rules": {"status": "success", "data": {"groups": [group]}},
        "targets": {"status": "success", "data": {"activeTargets": [target(one) for one in here]}},
        "now": series(*here),
        "known": series(*here),
    }
    return {**whole, **changed}


def told(checks: list[dict]) -> list[tuple]:
    """What of these is not ready."""
    return [
        (one["state"], one["host"], one["what"], one["about"], one["why"]["message"].removeprefix("ready_"))
        for one in checks
        if one["state"] != "ready"
    ]


def said(checks: list[dict]) -> str:
    """Every sentence, in both languages: none lacks a value."""
    lines = []
    for one in checks:
        for part in (one["why"], one["next"]):
            if part["message"]:
                given = {"host": "", **part["values"]}
                lines += [_texts.say(language, part["message"], **given) for language in ("en", "uk")]
    return "\n".join(lines)


def prometheus(**changed: object) -> list[dict]:
    checks = _ready_around.prometheus(answers(**changed), HOSTS, "instance")
    said(checks)
    return checks


def test_a_prometheus_that_has_everything_is_ready_for_every_host() -> None:
    checks = prometheus()
    assert told(checks) == []
    assert {(one["host"], one["what"]) for one in checks} == {
        ("", "prometheus"), ("aurora1", "prometheus"), ("aurora2", "prometheus"), ("", "rules"), ("", "scrape")
    }  # fmt: skip


@pytest.mark.parametrize("name", ["rules", "targets", "now", "known"])
@pytest.mark.parametrize(
    "answer",
    [
        "timed out",
        None,
        [],
        {},
        {"status": "error", "errorType": "bad_data", "error": "parse error"},
        {"status": "success"},
        {"status": "success", "data": {"result": 7}},
        {"status": "success", "data": {"result": [7]}},
        {"status": "success", "data": {"groups": [{"rules": 7}]}},
        {"status": "success", "data": {"groups": [{"rules": [{}]}]}},
        {"status": "success", "data": {"activeTargets": [{"labels": 7}]}},
    ],
)
def test_what_is_no_answer_of_prometheus_makes_nothing_ready(name: str, answer: object) -> None:
    checks = prometheus(**{name: answer})
    assert told(checks) == [("unchecked", "", "prometheus", "", "no_prometheus")]
    assert len(checks) == 1


def test_a_host_that_no_series_has_is_named_with_what_there_is_instead() -> None:
    checks = prometheus(now=series("aurora1:9000", "proxy:443"), known=series("aurora1:9000"))
    assert told(checks) == [("not_ready", "aurora2", "prometheus", "aurora2, 192.0.2.22", "no_series")]
    assert "aurora1:9000, proxy:443" in said(checks)


def test_a_host_that_is_scraped_no_longer_is_told_from_one_that_never_was() -> None:
    checks = prometheus(now=series("aurora1:9000"))
    assert told(checks) == [("not_ready", "aurora2", "prometheus", "aurora2, 192.0.2.22", "series_ended")]


def with_rules(*found: dict) -> dict:
    return {"status": "success", "data": {"groups": [{"name": "g", "rules": list(found)}]}}


def test_rules_that_prometheus_lacks_or_cannot_evaluate_are_named() -> None:
    whole = answers()["rules"]["data"]["groups"][0]["rules"]
    assert told(prometheus(rules=with_rules(*whole[1:]))) == [("not_ready", "", "rules", "", "no_rules")]
    assert whole[0]["name"] in said(prometheus(rules=with_rules(*whole[1:])))
    assert told(prometheus(rules=with_rules())) == [("not_ready", "", "rules", "", "no_rules")]
    broken = {**whole[0], "health": "err", "lastError": "many-to-many matching not allowed"}
    found = prometheus(rules=with_rules(broken, *whole[1:]))
    assert told(found) == [("not_ready", "", "rules", whole[0]["name"], "rule_fails")]
    assert "many-to-many" in said(found)
    fresh = {**whole[0], "health": "unknown"}
    found = told(prometheus(rules=with_rules(fresh, *whole[1:])))
    assert found == [("unchecked", "", "rules", whole[0]["name"], "rule_unknown")]


@pytest.mark.parametrize(
    ("every", "window", "reason"),
    [
        ("2s", "10s", ""),
        ("3s", "10s", "scraped_rarely"),
        ("1m", "4m", ""),
        ("1m", "1m", "scraped_rarely"),
        ("75s", "1d", ""),  # a fourth of five minutes, the shortest window that all rules of ours have
        ("76s", "1d", "scraped_rarely"),
        ("soon", "1m", "scrape_unknown"),
    ],
)
def test_a_page_is_scraped_four_times_in_the_shortest_window(every: str, window: str, reason: str) -> None:
    whole = answers()["rules"]["data"]["groups"][0]["rules"]
    rules = with_rules(*({**one, "query": f"max_over_time(x[{window}]) >= 2"} for one in whole))
    here = ("aurora1:9000", "192.0.2.22:9000")
    targets = {"status": "success", "data": {"activeTargets": [target(here[0], every), target(here[1], "1s")]}}
    found = told(prometheus(rules=rules, targets=targets))
    assert [(what, about, why) for _state, _host, what, about, why in found] == (
        [("scrape", "aurora1:9000 (job aurora)", reason)] if reason else []
    )


def test_a_page_that_cannot_be_scraped_is_named_and_a_strangers_is_not() -> None:
    targets = [target("aurora1:9000", health="down", error="connection refused"), target("db:1", "1h", "down")]
    found = prometheus(targets={"status": "success", "data": {"activeTargets": targets}})
    assert told(found) == [("not_ready", "", "scrape", "aurora1:9000 (job aurora)", "scrape_fails")]
    assert "connection refused" in said(found)
    fresh = {"status": "success", "data": {"activeTargets": [target("aurora1:9000", health="unknown")]}}
    assert [one[0] for one in told(prometheus(targets=fresh))] == ["unchecked"]


# Alertmanager

ALERTS = "|".join(one.alert for one in _indicators.INDICATORS.values())
CONFIGURATION = f"""\
route:
  receiver: nobody
  routes:
  - receiver: aurora-runbook
    matchers:
    - alertname=~"{ALERTS}"
    continue: true
  - receiver: nobody
receivers:
- name: nobody
- name: aurora-runbook
  webhook_configs:
  - send_resolved: true
    url: {URL}
"""


def route(text: str = CONFIGURATION, url: str = URL) -> list[tuple]:
    named = _ready_around.instances(answers(), HOSTS, "instance")
    labels = _ready_around.alerts(answers(), named, HOSTS, "instance")
    checks = _ready_around.route({"config": {"original": text}}, url, labels)
    said(checks)
    return told(checks)


def test_every_alert_of_every_host_is_asked_about_as_its_series_have_it() -> None:
    named = _ready_around.instances(answers(), HOSTS, "instance")
    assert named == {"aurora1": ["aurora1:8001", "aurora1:9000"], "aurora2": ["192.0.2.22:9000"]}
    labels = _ready_around.alerts(answers(), named, HOSTS, "instance")
    assert len(labels) == 3 * len(_indicators.INDICATORS)
    unknown = _ready_around.alerts({}, {}, HOSTS, "site")
    assert {"alertname": "CvarBreach", "severity": "P3", "site": "aurora2"} in unknown
    assert len(unknown) == 2 * 4 * len(_indicators.INDICATORS)


@pytest.mark.parametrize("url", [URL, ""])
@pytest.mark.parametrize("shown", [URL, "<secret>"])
def test_a_route_as_the_role_makes_it_is_ready(url: str, shown: str) -> None:
    assert route(CONFIGURATION.replace(URL, shown), url) == []


@pytest.mark.parametrize(
    ("before", "after", "state", "reason"),
    [
        (
            "aurora-runbook",
            "other",
            "not_ready",
            "no_route",
        ),  # by its URL it is ours all the same
        ("CvarBreach|", "", "not_ready", "no_route"),
        ("alertname=~", "alertname!~", "not_ready", "no_route"),
        (URL, "https://elsewhere.example.com", "not_ready", "route_elsewhere"),
        ("    continue: true", "    mute_time_intervals: [nights]", "unchecked", "route_timed"),
        ("    - alertname=~", "    - alertname=~~", "unchecked", "route_unknown"),
        ("    - alertname=~", "    - alert name=~", "unchecked", "route_unknown"),
        ("route:\n", "roads:\n", "unchecked", "route_unknown"),
        ("receivers:\n", "receivers:\n- 7\n", "unchecked", "route_unknown"),
    ],
)
def test_a_route_that_does_not_lead_to_the_webhook_is_not_ready(
    before: str, after: str, state: str, reason: str
) -> None:
    text = CONFIGURATION.replace(before, after)
    if reason == "no_route" and before == "aurora-runbook":
        text = text.replace("receiver: other", "receiver: nobody", 1)
    assert route(text) == [(state, "", "route", "", reason)]


def test_without_a_receiver_of_ours_there_is_no_way_and_without_a_webhook_none_is_wanted() -> None:
    text = "route: {receiver: nobody}\nreceivers: [{name: nobody}]"
    assert route(text) == [("not_ready", "", "route", "", "no_receiver")]
    assert route(text, "") == []


@pytest.mark.parametrize("status", [None, [], {}, {"config": 7}, {"config": {}}, {"config": {"original": 7}}])
def test_a_status_that_says_nothing_of_routes_proves_none(status: object) -> None:
    checks = _ready_around.route(status, URL, [])
    assert [one["state"] for one in checks] == ["unchecked"]


def quiet(**changed: object) -> dict:
    matchers = [{"name": "alertname", "value": "Circuit.*", "isRegex": True, "isEqual": True}]
    silence = {"id": "4a1f", "status": {"state": "active"}, "createdBy": "olena", "endsAt": "2026-12-01T00:00:00.000Z"}
    return {**silence, "matchers": matchers, **changed}


@pytest.mark.parametrize(
    ("silence", "kept"),
    [
        (quiet(), True),
        (quiet(createdBy="aurora.runbook"), False),  # of an incident that is worked on
        (quiet(status={"state": "expired"}), False),
        (quiet(status={"state": "pending"}), False),
        (quiet(matchers=[{"name": "alertname", "value": "Circuit", "isRegex": True}]), False),
        (quiet(matchers=[{"name": "team", "value": "db", "isRegex": False, "isEqual": False}]), True),
        (quiet(matchers=[{"name": "severity", "value": "P3", "isRegex": False, "isEqual": True}]), False),
    ],
)
def test_a_silence_of_a_person_over_our_alerts_is_found(silence: dict, kept: bool) -> None:
    labels = _ready_around.alerts(answers(), {}, HOSTS, "instance")
    checks = _ready_around.silences([silence], labels)
    assert [one[2:] for one in told(checks)] == ([("silence", "4a1f", "silenced")] if kept else [])
    assert ("olena" in said(checks)) is kept


@pytest.mark.parametrize("found", [None, 7, [7], [{}], [quiet(matchers=7)], [quiet(matchers=[{"name": "a"}])]])
def test_silences_that_nobody_can_read_are_not_checked(found: object) -> None:
    checks = _ready_around.silences(found, [{"alertname": "CircuitBreakerOpen"}])
    assert [one["state"] for one in checks] == ["unchecked"]
    said(checks)


def firing(instance: str, **labels: str) -> dict:
    return {"labels": {"alertname": "CircuitBreakerOpen", "instance": instance, **labels}, "fingerprint": "0"}


def silence(alerts: object, named: dict | None = None) -> dict:
    checks = _ready_around.silence(alerts, named or {}, HOSTS, "instance")
    said(checks)
    return {one["host"]: (one["state"], one["why"]["message"].removeprefix("ready_")) for one in checks}


def test_a_silence_would_match_by_what_fires_or_else_by_what_would() -> None:
    unknown = ("unchecked", "silence_unknown")
    assert silence([]) == {"aurora1": unknown, "aurora2": unknown}
    assert silence([firing("aurora1:9000")]) == {"aurora1": ("ready", ""), "aurora2": unknown}
    assert silence([], {"aurora2": ["aurora2:9000"]}) == {"aurora1": unknown, "aurora2": ("ready", "")}
    another = {"labels": {"alertname": "DiskFull", "instance": "aurora1"}}
    assert silence([another])["aurora1"] == unknown


def test_an_alert_that_another_label_tells_is_the_hosts_would_not_be_silenced() -> None:
    behind = firing("proxy:443", exported_instance="aurora1:9000")
    assert silence([behind], {"aurora1": ["aurora1:9000"]})["aurora1"] == ("not_ready", "silence_misses")


@pytest.mark.parametrize("alerts", [None, 7, [7], [{}], [{"labels": 7}]])
def test_alerts_that_nobody_can_read_prove_no_silence(alerts: object) -> None:
    assert [state for state, _why in silence(alerts, {"aurora1": ["aurora1"]}).values()] == ["unchecked"]


# The webhook


@pytest.mark.parametrize(
    ("without", "with_token", "state", "reason"),
    [
        (401, 400, "ready", ""),
        (403, 200, "ready", ""),
        (400, 400, "not_ready", "webhook_open"),
        (200, 200, "not_ready", "webhook_open"),
        (401, 401, "not_ready", "webhook_refuses"),
        (401, None, "not_ready", "webhook_no_token"),
        (401, 404, "unchecked", "webhook_strange"),
        (404, 404, "unchecked", "webhook_strange"),
        (502, 400, "unchecked", "webhook_strange"),
        ("connection refused", None, "unchecked", "no_webhook"),
        (401, "timed out", "unchecked", "no_webhook"),
    ],
)
def test_a_webhook_is_ready_only_if_it_tells_the_token_from_none(
    without: int | str, with_token: int | str | None, state: str, reason: str
) -> None:
    (found,) = _ready_around.webhook(without, with_token)
    said([found])
    assert (found["state"], found["why"]["message"].removeprefix("ready_")) == (state, reason)


# Contacts


@pytest.mark.parametrize(
    ("found", "state", "reason"),
    [
        ({"problem": "", "services": {"a": ""}}, "ready", "contact_unproven"),
        ({"problem": "", "services": {"a": "", "b": ""}}, "ready", "contact_unproven"),
        ({"problem": "", "services": {"a": "", "b": "it cannot be reached"}}, "unchecked", "contact_some"),
        ({"problem": "", "services": {"a": "it cannot be reached"}}, "not_ready", "contact_down"),
        ({"problem": "", "services": {"a": "timeout"}}, "unchecked", "contact_some"),
        ({"problem": "", "services": {}}, "unchecked", "contact_nowhere"),
        ({"problem": "empty", "services": {}}, "not_ready", "contact_empty"),
        ({"problem": "unreadable", "services": {}}, "not_ready", "contact_unreadable"),
    ],
)
def test_a_contact_is_ready_if_its_service_answers_and_that_proves_no_page(
    found: dict, state: str, reason: str
) -> None:
    checked = _ready_around.contact("SRE lead", ["L2", "L3"], found)
    said([checked])
    assert (checked["about"], checked["state"]) == ("SRE lead (L2, L3)", state)
    assert checked["why"]["message"] == f"ready_{reason}"


@pytest.mark.parametrize(("problem", "state"), [("", "ready"), ("it answered HTTP 403", "not_ready")])
def test_a_contact_that_was_sent_a_test_message_is_what_came_of_it(problem: str, state: str) -> None:
    checked = _ready_around.page("SRE lead", ["L2"], problem)
    assert (checked["state"], problem in said([checked])) == (state, True)


# ansible-rulebook

VERSION = """\
ansible-rulebook [{}]
  Executable location = /opt/venv/bin/ansible-rulebook
  Drools_jpy version = {}
  Java home = /usr/lib/jvm/java-17-openjdk-amd64
"""


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (VERSION.format("1.3.2", "0.4.1"), "ready"),
        (VERSION.format("1.2.0", "0.3.12"), "ready"),
        (VERSION.format("1.2.0", "0.3.11"), "not_ready"),
        (VERSION.format("1.1.7", "0.4.1"), "not_ready"),
        (VERSION.format("1.10.0", "0.10.0"), "ready"),
        ("ansible-rulebook [1.3.2]", "ready"),
        ("", "unchecked"),
        ("Traceback", "unchecked"),
    ],
)
def test_a_rulebook_that_leaks_memory_is_found(text: str, state: str) -> None:
    checks = _ready_around.rulebook(text)
    said(checks)
    assert [one["state"] for one in checks] == [state]


# EDA


def activation(**changed: object) -> dict:
    return {"id": 1, "name": "aurora.runbook", "status": "running", "is_enabled": True, **changed}


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ([activation()], "ready"),
        ([activation(name="other"), activation()], "ready"),
        ([activation(status="failed")], "not_ready"),
        ([activation(is_enabled=False)], "not_ready"),
        ([activation(name="other")], "not_ready"),
        ([], "not_ready"),
        ("HTTP 401", "unchecked"),
        ([{"name": "aurora.runbook"}], "unchecked"),
        ([7], "unchecked"),
    ],
)
def test_an_activation_is_ready_only_if_it_runs(found: object, state: str) -> None:
    checks = _ready_around.eda("aurora.runbook", found)
    said(checks)
    assert [one["state"] for one in checks] == [state]


# Alerts that nothing followed

NOW = "2026-11-24T03:30:00.000Z"


def incident(**changed: object) -> dict:
    opened = {"what": "opened", "data": {"alert": {"name": "CircuitBreakerOpen"}}}
    known = {
        "id": "circuit_breaker-20261124T030000Z-0123abcd",
        "open": True,
        "opened": "2026-11-24T03:00:00.000Z",
        "verdict": None,
        "deadlines": {"respond_by": "2026-11-24T03:05:00.000Z", "resolve_by": "2026-11-24T04:00:00.000Z"},
        "entries": [opened],
    }
    return {**copy.deepcopy(known), **changed}


def unanswered(found: object, claim: object = None) -> list[dict]:
    checks = _ready_around.unanswered("aurora1", {"now": NOW, "claim": claim, "incidents": found})
    said(checks)
    return checks


@pytest.mark.parametrize(
    ("found", "warned"),
    [
        (incident(), True),
        (incident(open=False), False),
        (incident(verdict="escalated"), False),
        (incident(deadlines={"respond_by": "2026-11-24T03:45:00Z", "resolve_by": ""}), False),
        (incident(entries=[{"what": "opened", "data": {"alert": None}}]), False),  # by a person, who looks at it
    ],
)
def test_an_alert_that_no_verdict_followed_is_warned_of(found: dict, warned: bool) -> None:
    assert [one[:3] for one in told(unanswered([found]))] == ([("not_ready", "aurora1", "heartbeat")] if warned else [])


@pytest.mark.parametrize("found", [None, 7, [7], [{}], [incident(entries=7)], [incident(deadlines={})]])
def test_records_that_nobody_can_read_prove_nothing(found: object) -> None:
    assert [one["state"] for one in unanswered(found)] == ["unchecked"]


def test_a_run_that_works_on_the_host_may_still_give_its_verdict() -> None:
    assert unanswered([incident()], {"holder": "bob"}) == []


@pytest.mark.parametrize(("answered", "state"), [(True, "ready"), (False, "not_ready"), (None, "unchecked")])
def test_a_heartbeat_is_ready_only_if_it_came_back(answered: bool | None, state: str) -> None:
    assert [one["state"] for one in _ready_around.heartbeat(answered, 12.3, "HTTP 500")] == [state]


def test_a_secret_that_something_says_is_not_passed_on() -> None:
    rules = with_rules(rule("CvarBreach", health="err", lastError="Authorization: Bearer hunter2hunter2"))
    checks = prometheus(rules=rules)
    assert "hunter2" not in said(checks) + repr(checks)
