# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what a run needs beside the hosts is ready for one. Private to aurora.runbook; controller only.

Pure functions from what Prometheus, Alertmanager, the webhook, contacts, AWX and EDA answered to checks: one check says
of one thing that it is ready, that it is not and why, or that nobody could see. What is not known is never ready.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _prometheus
from ansible_collections.aurora.runbook.plugins.module_utils.base import _names, _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.plugin_utils import _ready, _routes, _scrapes, _workflow
from ansible_collections.aurora.runbook.plugins.plugin_utils._ready import NOT_READY, UNCHECKED

MISSING = "AuroraMetricsMissing"  # the alert for a host without metrics
RECEIVER = "aurora-runbook"  # the receiver that the role alerting adds
MOST_SHOWN = 5  # most names shown in a sentence
HIDDEN = "<secret>"  # what Alertmanager shows instead of a URL
OURS = "aurora.runbook"  # the creator of our own silences
# The first ansible-rulebook, and the first rules engine, that do not leak memory (pull request 824).
RULEBOOK, ENGINE = (1, 2, 0), (0, 3, 12)


def check(what: str, state: str, why: str, do: str, host: str = "", about: str = "", **values: object) -> dict:
    """A check that is not ready: why, and what to do, as keys of texts without their prefix."""
    shown = {name: _names_of(value) if isinstance(value, (list, tuple)) else value for name, value in values.items()}
    found = _ready.check(state, host, what, about, f"ready_{why}", **shown)
    return {**found, "next": {"message": f"ready_do_{do}", "values": found["why"]["values"]}}


def unchecked(what: str, problem: str) -> dict:
    """A part that did not finish, so that its state is unknown."""
    return check(what, UNCHECKED, "unchecked", "again", text=problem or "–")


def _names_of(values: Sequence[object]) -> str:
    """Some names in a sentence, and how many more there are."""
    more = f" (+{len(values) - MOST_SHOWN})" if len(values) > MOST_SHOWN else ""
    return ", ".join(str(one) for one in values[:MOST_SHOWN]) + more


# Prometheus


def prometheus(answers: Mapping[str, object], hosts: Mapping[str, Sequence[str]], label: str) -> list[dict]:
    """Whether Prometheus has what the rules need, from ``answers`` to the questions rules, targets, now and known.

    ``hosts`` is how the label may name each host.
    """
    problems = [problem for problem in map(_objection, answers.values()) if problem]
    if problems:
        return [check("prometheus", UNCHECKED, "no_prometheus", "prometheus", problem=problems[0])]
    groups = answers["rules"]["data"]["groups"]
    now, known = (_values(answers[name], label) for name in ("now", "known"))
    found = [rule for group in groups for rule in group["rules"]]
    return [
        _ready.ready("", "prometheus"),
        *series(now, known, hosts, label),
        *rules(found),
        *scrapes(answers["targets"], answers["known"], found),
    ]


def _objection(answer: object) -> str:
    """Why an answer of Prometheus cannot be used; "" for one in the form that these functions read."""
    if not isinstance(answer, Mapping):
        return str(answer)[:200]
    data = answer.get("data")
    if answer.get("status") != "success" or not isinstance(data, Mapping) or "result" in data:
        return _prometheus.objection(answer) or _malformed(data["result"], {"metric": Mapping})
    if "groups" in data:
        lists = _malformed(data["groups"], {"rules": list})
        return lists or _malformed([rule for group in data["groups"] for rule in group["rules"]], {"name": str})
    return _malformed(data.get("activeTargets"), {"labels": Mapping})


def _malformed(things: object, wanted: Mapping[str, type]) -> str:
    right = isinstance(things, list) and all(
        isinstance(one, Mapping) and all(isinstance(one.get(name), kind) for name, kind in wanted.items())
        for one in things
    )
    return "" if right else "it did not answer like Prometheus"


def _values(answer: Mapping, label: str) -> list[str]:
    """The values of a label in the series of an answer."""
    return sorted({str(one["metric"].get(label, "")) for one in answer["data"]["result"]} - {""})


def instances(answers: Mapping[str, object], hosts: Mapping[str, Sequence[str]], label: str) -> dict[str, list[str]]:
    """How the series that Prometheus has now name each host; empty if it did not answer."""
    answer = answers.get("now")
    values = [] if answer is None or _objection(answer) else _values(answer, label)
    return {host: meant(labels, values) for host, labels in hosts.items()}


def meant(labels: Sequence[str], values: Iterable[str]) -> list[str]:
    """The values of a label that a query and a silence for these names match."""
    pattern = re.compile(_names.pattern(labels))
    return [value for value in values if pattern.fullmatch(value)]


def series(now: Sequence[str], known: Sequence[str], hosts: Mapping[str, Sequence[str]], label: str) -> list[dict]:
    """Whether every host has a series under the label that rules, queries and silences use."""
    found = []
    for host, labels in hosts.items():
        current = meant(labels, now)
        told = {"host": host, "about": ", ".join(current or labels), "label": label}
        if current:
            found.append(_ready.ready(host, "prometheus", told["about"]))
        elif meant(labels, known):
            found.append(check("prometheus", NOT_READY, "series_ended", "series_ended", **told))
        else:
            found.append(check("prometheus", NOT_READY, "no_series", "no_series", values=now or ["-"], **told))
    return found


def rules(found: Sequence[Mapping]) -> list[dict]:
    """Whether Prometheus has every rule of ours, and evaluates it."""
    indicators = _indicators.INDICATORS.values()
    wanted = [MISSING, *(one.alert for one in indicators), *(one.metric for one in indicators if ":" in one.metric)]
    ours = [rule for rule in found if rule["name"] in wanted]
    missing = sorted(set(wanted) - {rule["name"] for rule in ours})
    checks = [check("rules", NOT_READY, "no_rules", "rules", names=missing)] if missing else []
    for rule in ours:
        if rule.get("health") == "err":
            problem = rule.get("lastError") or "-"
            checks.append(check("rules", NOT_READY, "rule_fails", "rules", about=rule["name"], problem=problem))
        elif rule.get("health") != "ok":
            checks.append(check("rules", UNCHECKED, "rule_unknown", "rule_unknown", about=rule["name"]))
    return checks or [_ready.ready("", "rules")]


def scrapes(targets: Mapping, known: Mapping, found: Sequence[Mapping]) -> list[dict]:
    """Whether Prometheus scrapes each page of Aurora, and often enough for the windows of its rules."""
    ours = _scrapes.aurora(targets, known)
    every = _scrapes.scraped_every(targets, known)
    shortest = _shortest(found)
    most = shortest / _prometheus.FEW_SCRAPES
    checks = []
    for target in ours:
        name = _scrapes.name_of(target)
        seconds = every.get(name)
        told = {"about": name, "seconds": f"{seconds or 0:g}", "most": f"{most:g}", "window": f"{shortest:g}"}
        if target.get("health") == "down":
            problem = target.get("lastError") or "-"
            checks.append(check("scrape", NOT_READY, "scrape_fails", "scrape_fails", problem=problem, **told))
        elif seconds is not None and seconds > most:
            checks.append(check("scrape", NOT_READY, "scraped_rarely", "scraped_rarely", **told))
        elif seconds is None or target.get("health") != "up":  # as until the first scrape after a reload
            checks.append(check("scrape", UNCHECKED, "scrape_unknown", "scrape_unknown", **told))
        else:
            checks.append(_ready.ready("", "scrape", name))
    return checks


def _shortest(found: Sequence[Mapping]) -> float:
    """The shortest window, in seconds, of rules as Prometheus has them and of the indicators."""
    ours = {one.alert for one in _indicators.INDICATORS.values()}
    texts = [str(rule.get("query", "")) for rule in found if rule["name"] in ours]
    written = [_scrapes.seconds(window) for text in texts for window in re.findall(r"\[(\w+)(?::\w*)?\]", text)]
    own = [one.over_seconds for one in _indicators.INDICATORS.values() if one.over]
    return min([one for one in written if one] + own)


# Alertmanager


def alertmanager(status: object) -> list[dict]:
    """Whether it was Alertmanager that answered."""
    if not isinstance(status, Mapping) or not isinstance(status.get("versionInfo"), Mapping):
        problem = "it did not answer like Alertmanager"
        return [check("alertmanager", UNCHECKED, "no_alertmanager", "alertmanager", problem=problem)]
    return [_ready.ready("", "alertmanager")]


def alerts(
    answers: Mapping[str, object], named: Mapping[str, Sequence[str]], hosts: Mapping[str, Sequence[str]], label: str
) -> list[dict[str, str]]:
    """The labels of every alert that starts something, for each host, with the severities that the rules give them.

    ``named`` is how series name each host. If Prometheus did not answer, a host goes by one of its own names, and every
    severity counts.
    """
    ours = [one.alert for one in _indicators.INDICATORS.values()]
    answer = answers.get("rules")
    groups = [] if answer is None or _objection(answer) else answer["data"]["groups"]
    known = [
        (rule["name"], str((rule.get("labels") or {}).get("severity", "")))
        for group in groups
        for rule in group["rules"]
        if rule["name"] in ours
    ]
    wanted = known or [(name, severity) for name in ours for severity in _indicators.SEVERITIES]
    return [
        {"alertname": name, "severity": severity, label: instance}
        for name, severity in dict.fromkeys(wanted)
        for host, labels in hosts.items()
        for instance in named.get(host) or labels[:1]
    ]


def route(status: object, url: str, labels: Sequence[Mapping[str, str]]) -> list[dict]:
    """Whether alerts with these labels go to the webhook, by the configuration that Alertmanager reports."""
    try:
        found = _routes.configuration(_original(status))
        ours, elsewhere = _webhooks(found, url)
        told = [(one, _routes.sent(found, one)) for one in labels]
    except RunbookError as error:
        return [check("route", UNCHECKED, "route_unknown", "route_unknown", problem=error)]
    if not (ours or url or elsewhere):
        return []  # there is no webhook to reach
    if not ours:
        return [check("route", NOT_READY, "route_elsewhere" if elsewhere else "no_receiver", "route")]
    lost = sorted({one["alertname"] for one, sent in told if not any(each.receiver in ours for each in sent)})
    timed = sorted({each.receiver for _one, sent in told for each in sent if each.receiver in ours and each.timed})
    if lost:
        return [check("route", NOT_READY, "no_route", "route", names=lost)]
    if timed:
        return [check("route", UNCHECKED, "route_timed", "route_timed", names=timed)]
    return [_ready.ready("", "route", ", ".join(sorted(ours)))]


def _original(status: object) -> object:
    """The text of the configuration in an answer of Alertmanager; None if there is none."""
    try:
        return status["config"]["original"]
    except (TypeError, KeyError, IndexError):
        return None


def _webhooks(found: Mapping, url: str) -> tuple[set[str], bool]:
    """The receivers that are the webhook, and whether the one of our role leads to another URL."""
    ours, elsewhere = set(), False
    for receiver in found.get("receivers") or ():
        if not isinstance(receiver, Mapping):
            raise RunbookError("its receivers are not understood")
        urls = {str(one.get("url")) for one in receiver.get("webhook_configs") or () if isinstance(one, Mapping)}
        if url in urls or (receiver.get("name") == RECEIVER and (not url or HIDDEN in urls)):
            ours.add(str(receiver.get("name")))
        elif receiver.get("name") == RECEIVER and urls:
            elsewhere = True
    return ours, elsewhere


def silences(found: object, labels: Sequence[Mapping[str, str]]) -> list[dict]:
    """Whether somebody else's silence keeps alerts with these labels from the webhook."""
    try:
        active = [one for one in found if one["status"]["state"] == "active" and one["createdBy"] != OURS]
        quiet = [one for one in active if any(_routes.matched(_wanted(one), each) for each in labels)]
        told = [(str(one["createdBy"]), str(one["endsAt"]), str(one["id"])) for one in quiet]
    except (TypeError, KeyError, AttributeError, RunbookError):
        return [check("silence", UNCHECKED, "silences_unknown", "alertmanager")]
    return [
        check("silence", NOT_READY, "silenced", "silenced", about=name, who=who, until=until[:19])
        for who, until, name in told
    ]


def _wanted(silence: Mapping) -> list[tuple[str, str, str]]:
    operators = {(True, False): "=", (True, True): "=~", (False, False): "!=", (False, True): "!~"}
    return [
        (one["name"], operators[bool(one.get("isEqual", True)), bool(one["isRegex"])], one["value"])
        for one in silence["matchers"]
    ]


def silence(
    firing: object, named: Mapping[str, Sequence[str]], hosts: Mapping[str, Sequence[str]], label: str
) -> list[dict]:
    """Whether a silence of ours would match a host's alerts: those that fire now, otherwise those that could.

    ``named`` is how series name each host; without Prometheus it is unknown how an alert would be labelled.
    """
    try:
        ours = {one.alert for one in _indicators.INDICATORS.values()}
        seen = [one["labels"] for one in firing if one["labels"].get("alertname") in ours]
        told = [(str(one.get(label, "")), [str(one.get(name, "")) for name in _names.LABELS]) for one in seen]
    except (TypeError, KeyError, AttributeError):
        return [check("silence", UNCHECKED, "alerts_unknown", "alertmanager")]
    return [_silence_of(host, labels, told, named.get(host) or [], label) for host, labels in hosts.items()]


def _silence_of(
    host: str, labels: Sequence[str], told: Sequence[tuple[str, Sequence[str]]], named: Sequence[str], label: str
) -> dict:
    """``told`` is of each alert what its label says, and what all labels say that may name a host."""
    about = ", ".join(labels)
    missed = [value or "-" for value, others in told if not meant(labels, [value]) and meant(labels, others)]
    if missed:
        return check("silence", NOT_READY, "silence_misses", "no_series", host, about, label=label, values=missed)
    if named or meant(labels, [value for value, _others in told]):
        return _ready.ready(host, "silence", about)
    return check("silence", UNCHECKED, "silence_unknown", "silence_unknown", host, about, label=label)


# The webhook


def webhook(without: int | str, with_token: int | str | None) -> list[dict]:
    """Whether the webhook refuses a request without its token, and takes one with it: statuses, or why there is none.

    Neither request has a body, so that neither is an alert. None if there is no token to send.
    """
    if isinstance(without, str):
        return [check("webhook", UNCHECKED, "no_webhook", "webhook", problem=without)]
    if without not in (401, 403):
        key = "webhook_open" if without < 300 or without == 400 else "webhook_strange"
        state = NOT_READY if key == "webhook_open" else UNCHECKED
        return [check("webhook", state, key, "webhook_token" if key == "webhook_open" else "webhook", status=without)]
    if with_token is None:
        return [check("webhook", NOT_READY, "webhook_no_token", "webhook_token")]
    if isinstance(with_token, str):
        return [check("webhook", UNCHECKED, "no_webhook", "webhook", problem=with_token)]
    if with_token in (401, 403):
        return [check("webhook", NOT_READY, "webhook_refuses", "webhook_token", status=with_token)]
    # An empty request is no alert: a webhook that accepts the token refuses it because it has no JSON.
    if with_token < 300 or with_token == 400:
        return [_ready.ready("", "webhook")]
    return [check("webhook", UNCHECKED, "webhook_strange", "webhook", status=with_token)]


# Contacts


def contact(name: str, levels: Sequence[str], found: Mapping) -> dict:
    """The check of a contact, from the ``problem`` with its URL, or the ``services`` behind it and why they failed."""
    about = f"{name} ({', '.join(levels)})"
    problem, services = found.get("problem"), found.get("services") or {}
    if problem:
        return check("contact", NOT_READY, f"contact_{problem}", "contact", about=about)
    if not services:
        return check("contact", UNCHECKED, "contact_nowhere", "test_page", about=about)
    lost = [why for why in services.values() if why]
    if not lost:
        return _ready.check(_ready.READY, "", "contact", about, "ready_contact_unproven")
    if len(lost) < len(services) or any(why == "timeout" for why in lost):
        return check("contact", UNCHECKED, "contact_some", "test_page", about=about)
    return check("contact", NOT_READY, "contact_down", "contact_down", about=about, problem=lost[0])


def page(name: str, levels: Sequence[str], problem: str) -> dict:
    """Whether a contact took the test message that was sent to it."""
    about = f"{name} ({', '.join(levels)})"
    if problem:
        return check("contact", NOT_READY, "page_failed", "contact", about=about, problem=problem)
    return _ready.ready("", "contact", about)


# ansible-rulebook


def rulebook(said: str) -> list[dict]:
    """Whether this ansible-rulebook does not leak memory, from the output of ``ansible-rulebook --version``."""
    own = re.search(r"ansible-rulebook \[(\d+)\.(\d+)\.(\d+)", said)
    engine = re.search(r"[Dd]rools_jpy version\s*=\s*(\d+)\.(\d+)\.(\d+)", said)
    if not own:
        return [check("rulebook", UNCHECKED, "rulebook_unknown", "rulebook")]
    version, least = tuple(map(int, own.groups())), RULEBOOK
    about = ".".join(own.groups())
    leaks = version < least or (engine is not None and tuple(map(int, engine.groups())) < ENGINE)
    told = {"about": about, "least": ".".join(map(str, least))}
    if leaks:
        return [check("rulebook", NOT_READY, "rulebook_leaks", "rulebook", **told)]
    return [_ready.ready("", "rulebook", about)]


# AWX and EDA

TEMPLATE_FIELDS = (
    "job_type",
    "limit",
    "job_tags",
    "skip_tags",
    "start_at_task",
    "scm_branch",
    "timeout",
    "diff_mode",
    "become_enabled",
    "allow_simultaneous",
    "survey_enabled",
    "ask_limit_on_launch",
    "ask_variables_on_launch",
    "ask_inventory_on_launch",
    "ask_tags_on_launch",
    "ask_skip_tags_on_launch",
)
WORKFLOW_FIELDS = ("limit", "job_tags", "skip_tags", "scm_branch", "survey_enabled", "ask_variables_on_launch")


def awx(defined: Mapping[str, Sequence[Mapping]], found: Mapping[str, object]) -> list[dict]:
    """Whether AWX has what the role awx defines, and as it defines it. ``found`` has lists, or why there is none."""
    problems = [one for one in found.values() if isinstance(one, str)]
    if problems:
        return [check("awx", UNCHECKED, "no_awx", "awx", problem=problems[0])]
    try:
        return [*_things(defined, found), *_workflows(defined, found), *_schedules(defined, found), *_hosts(found)]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        return [check("awx", UNCHECKED, "no_awx", "awx", problem=f"it did not answer like AWX ({error!r:.60})")]


def _things(defined: Mapping, found: Mapping) -> list[dict]:
    checks = []
    for kind, fields in (("templates", TEMPLATE_FIELDS), ("workflows", WORKFLOW_FIELDS)):
        there = {one["name"]: one for one in found[kind]}
        missing = [one["name"] for one in defined[kind] if one["name"] not in there]
        if missing:
            checks.append(check("awx", NOT_READY, "awx_missing", "awx", about=kind, names=missing))
        for one in defined[kind]:
            other = _differences(one, there.get(one["name"]), fields)
            if other:
                checks.append(check("awx", NOT_READY, "awx_differs", "awx", about=one["name"], names=other))
    return checks or [_ready.ready("", "awx", "templates")]


def _differences(defined: Mapping, there: Mapping | None, fields: Sequence[str]) -> list[str]:
    if there is None:
        return []
    own = {name: defined[name] for name in fields if name in defined}
    other = [name for name, value in own.items() if str(there.get(name) or value) != str(value)]
    other += [name for name, value in own.items() if value and name not in other and not there.get(name)]
    if _approved(there.get("extra_vars")) != _approved(defined.get("extra_vars")):
        other.append("extra_vars.aurora_approve")
    if "playbook" in defined and _base(there.get("playbook")) != _base(defined["playbook"]):
        other.append("playbook")
    names = there.get("summary_fields") or {}
    for name in ("project", "inventory", "execution_environment"):
        if name in defined and name in names and names[name].get("name") != defined[name]:
            other.append(name)
    return other


def _approved(given: object) -> list:
    """The variables that a template approves. A template that approves unasked would raise exposure."""
    if isinstance(given, str):
        given = json.loads(given) if given.strip() else {}
    return list((given or {}).get("aurora_approve") or [])


def _base(path: object) -> str:
    return str(path).rpartition("/")[2]


def _workflows(defined: Mapping, found: Mapping) -> list[dict]:
    strays = _workflow.strays(defined["workflows"], found["nodes"])
    names = [one["name"] for one in strays if one["remove"] or one["unlink"]]
    known = {(one["summary_fields"]["workflow_job_template"]["name"], one["identifier"]) for one in found["nodes"]}
    names += [
        workflow["name"]
        for workflow in defined["workflows"]
        if workflow["name"] not in names
        and {(workflow["name"], node["identifier"]) for node in workflow["simplified_workflow_nodes"]} - known
    ]
    if names:
        return [check("awx", NOT_READY, "awx_nodes", "awx", names=names)]
    return [_ready.ready("", "awx", "workflows")]


def _schedules(defined: Mapping, found: Mapping) -> list[dict]:
    there = {one["name"]: one for one in found["schedules"]}
    checks = []
    for one in defined["schedules"]:
        known = there.get(one["name"])
        if not known:
            checks.append(check("awx", NOT_READY, "awx_missing", "awx", about="schedules", names=[one["name"]]))
        elif not known.get("enabled") or ("next_run" in known and not known["next_run"]):
            checks.append(check("awx", NOT_READY, "awx_schedule", "awx_schedule", about=one["name"]))
    return checks or [_ready.ready("", "awx", "schedules")]


def _hosts(found: Mapping) -> list[dict]:
    """Whether the inventory has hosts, and whether the credentials got into them when they were last used."""
    if not found["hosts"]:
        return [check("awx", NOT_READY, "awx_no_hosts", "awx", about="aurora")]
    last = next((one for one in found["jobs"]), None)
    if last is None:
        return [check("awx", UNCHECKED, "awx_no_job", "awx_job")]
    if last.get("status") != "successful":
        return [check("awx", NOT_READY, "awx_job", "awx_job", about=last.get("name", "-"), status=last.get("status"))]
    return [_ready.ready("", "awx", "credential, inventory")]


def eda(name: str, found: object) -> list[dict]:
    """Whether the activation of this name runs, by what the EDA controller reports of activations."""
    if isinstance(found, str):
        return [check("eda", UNCHECKED, "no_eda", "eda", about=name, problem=found)]
    try:
        known = [one for one in found if one["name"] == name]
        state, enabled = (known[0]["status"], known[0]["is_enabled"]) if known else ("missing", False)
    except (KeyError, TypeError):
        return [check("eda", UNCHECKED, "no_eda", "eda", about=name, problem="it did not answer like EDA")]
    if state == "running" and enabled is True:
        return [_ready.ready("", "eda", name)]
    return [check("eda", NOT_READY, "eda_stands", "eda", about=name, status=state if enabled else f"{state}, disabled")]


# Alerts that nothing followed


def unanswered(host: str, read: Mapping) -> list[dict]:
    """Open incidents of a host that an alert opened and no verdict followed, although their deadline is over.

    While a run works on the host its verdict may still come.
    """
    try:
        clock, incidents = _stamps.seconds(read["now"]), [] if read["claim"] else read["incidents"]
        late = [
            one
            for one in incidents
            if one["open"]
            and not one["verdict"]
            and any(entry["what"] == "opened" and entry["data"].get("alert") for entry in one["entries"])
            and _stamps.seconds(one["deadlines"]["respond_by"]) < clock
        ]
        told = [(str(one["id"]), str(one["opened"])) for one in late]
    except (TypeError, KeyError, AttributeError, ValueError):
        return [check("heartbeat", UNCHECKED, "unanswered_unknown", "unanswered", host)]
    return [check("heartbeat", NOT_READY, "unanswered", "unanswered", host, name, opened=at) for name, at in told]


def heartbeat(answered: bool | None, seconds: float, problem: str = "") -> list[dict]:
    """Whether the alert that was sent for this came back as a look; None if it could not be sent."""
    if answered is None:
        return [check("heartbeat", UNCHECKED, "heartbeat_unsent", "alertmanager", problem=problem)]
    if not answered:
        return [check("heartbeat", NOT_READY, "heartbeat_lost", "heartbeat", seconds=f"{seconds:.0f}")]
    return [_ready.ready("", "heartbeat")]
