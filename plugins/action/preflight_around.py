# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the services that a run needs beside the hosts. Documented in plugins/modules/preflight_around.py.

Every answer is limited in time and size, never templated, and judged by the pure functions of _ready_around.py.
"""

from __future__ import annotations

import functools
import json
import os
import secrets
import shutil
import ssl
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from ansible_collections.aurora.runbook.plugins.module_utils.act import _notify, _silence
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators
from ansible_collections.aurora.runbook.plugins.module_utils.base import _command, _http, _names, _parallel, _redact
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import FetchError, RunbookError
from ansible_collections.aurora.runbook.plugins.modules import alertmanager_silence
from ansible_collections.aurora.runbook.plugins.plugin_utils import _alert, _ready_around, _texts
from ansible_collections.aurora.runbook.plugins.plugin_utils._answers_action import AnswersAction
from ansible_collections.aurora.runbook.plugins.plugin_utils._ready import NOT_READY, UNCHECKED

try:
    import apprise
    import requests
except ImportError:
    apprise = requests = None

# What earlier tasks registered: what Prometheus answered to one of the hosts, and the open incidents of each host.
ASKED, OPEN = "__preflight_prometheus", "__preflight_open"
SPEC = {
    "hosts": {"type": "dict", "required": True},
    "label": {"type": "str", "default": _names.INSTANCE},
    "prometheus_url": {"type": "str", "default": ""},
    "alertmanager_url": {"type": "str", "default": ""},
    "alertmanager_token": {"type": "str", "default": "", "no_log": True},
    "webhook_url": {"type": "str", "default": "", "no_log": True},
    "webhook_token": {"type": "str", "default": "", "no_log": True},
    "webhook_ca": {"type": "str", "default": ""},
    "contacts": {"type": "dict", "no_log": True},
    "fallback_contacts": {"type": "list", "elements": "raw", "no_log": True},
    "test_page": {"type": "bool", "default": False},
    "heartbeat": {"type": "bool", "default": False},
    "heartbeat_seconds": {"type": "float", "default": 120.0},
    "awx": {"type": "dict"},
    "eda_url": {"type": "str", "default": ""},
    "eda_token": {"type": "str", "default": "", "no_log": True},
    "eda_activation": {"type": "str", "default": "aurora.runbook"},
    "timeout_seconds": {"type": "float", "default": 10.0},
}
REFUSED = (401, 403)
# The key under which each part returns its checks.
WHAT = {
    "Prometheus": "prometheus",
    "Alertmanager": "alertmanager",
    "webhook": "webhook",
    "contacts": "contact",
    "ansible-rulebook": "rulebook",
    "AWX": "awx",
    "EDA": "eda",
    "heartbeat": "heartbeat",
}
# What AWX is asked for, by its name here. The organization has few of each.
AWX = {
    "templates": "job_templates",
    "workflows": "workflow_job_templates",
    "nodes": "workflow_job_template_nodes",
    "schedules": "schedules",
    "hosts": "hosts",
    "jobs": "jobs",
}
PAGES = 20  # of 200 things each
LONGEST = 12  # requests in a row that one part may need


class ActionModule(AnswersAction):
    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        _checked, asked = self.validate_argument_spec(argument_spec=SPEC)
        asked["language"] = self.language_of(task_vars)
        hosts = {name: task_vars["hostvars"].raw_get(name) for name in sorted(task_vars["ansible_play_hosts_all"])}
        answers = registered(hosts)
        parts = {
            "Prometheus": (prometheus, asked["prometheus_url"]),
            "Alertmanager": (alertmanager, asked["alertmanager_url"]),
            "webhook": (webhook, asked["webhook_url"]),
            "contacts": (contacts, asked["contacts"] or asked["fallback_contacts"]),
            "ansible-rulebook": (rulebook, found_rulebook()),
            "AWX": (awx, os.environ.get("CONTROLLER_HOST", "")),
            "EDA": (eda, asked["eda_url"]),
        }
        if self._task.check_mode:
            asked.update(test_page=False, heartbeat=False)
        if asked["heartbeat"]:
            parts["heartbeat"] = heartbeat, asked["alertmanager_url"]
        longest = LONGEST * asked["timeout_seconds"] + (asked["heartbeat_seconds"] if asked["heartbeat"] else 0.0)
        probes = {
            name: (functools.partial(checked, ask, asked, answers, where), longest)
            for name, (ask, where) in parts.items()
            if where
        }
        found = _parallel.run_all(probes)
        return {
            "changed": bool((asked["test_page"] and "contacts" in found) or "heartbeat" in found),
            "checks": [*unanswered(hosts), *(one for name in found for one in of_finding(name, found[name]))],
            "unconfigured": [name for name in parts if name not in probes],
        }


def registered(hosts: Mapping[str, Mapping]) -> dict[str, object]:
    """What Prometheus answered to each question, as it was registered; a text if it gave no answer."""
    found = (host.get(ASKED) or {} for host in hosts.values())
    results = next((one["results"] for one in found if one.get("results")), [])
    return {one["item"]["name"]: one.get("json", _said(one)) for one in results if "item" in one}


def unanswered(hosts: Mapping[str, Mapping]) -> list[dict]:
    """Alerts without a following verdict, for each host whose records were read."""
    found = {name: host[OPEN] for name, host in hosts.items() if (host.get(OPEN) or {}).get("incidents") is not None}
    return [one for name, read in found.items() for one in _ready_around.unanswered(name, read)]


def _said(result: Mapping) -> str:
    return _redact.redact(str(result.get("msg") or "no answer"), limit=200)


def checked(ask, asked: Mapping, answers: Mapping, where: object) -> dict:
    return {"checks": ask(asked, answers, where)}


def of_finding(name: str, finding: _parallel.Finding) -> list[dict]:
    """The checks of a part. A part that did not finish counts as not checked."""
    if finding.status == "ok":
        return finding.data["checks"]
    return [_ready_around.unchecked(WHAT[name], finding.problem)]


def prometheus(asked: Mapping, answers: Mapping, _where: str) -> list[dict]:
    given = answers or {"rules": "no host can be reached to ask it from"}
    return _ready_around.prometheus(given, asked["hosts"], asked["label"])


def alertmanager(asked: Mapping, answers: Mapping, url: str) -> list[dict]:
    """Ask Alertmanager with the client that silences alerts, so that what stops that client is found."""
    alerts = "|".join(one.alert for one in _indicators.INDICATORS.values())
    paths = {
        "status": "/api/v2/status",
        "silences": "/api/v2/silences",
        "alerts": f"/api/v2/alerts?{_silence.filters([('alertname', alerts, True)])}",
    }
    try:
        client = connected(asked, url)
        said = {name: client.ask("GET", path, accept=REFUSED) for name, path in paths.items()}
    except RunbookError as error:
        told = {"problem": without_token(asked, error)}
        return [_ready_around.check("alertmanager", UNCHECKED, "no_alertmanager", "alertmanager", **told)]
    refused = next((one.status for one in said.values() if one.status in REFUSED), 0)
    if refused:
        told = {"problem": f"HTTP {refused}"}
        return [_ready_around.check("alertmanager", NOT_READY, "alertmanager_refuses", "alertmanager", **told)]
    hosts, label = asked["hosts"], asked["label"]
    named = _ready_around.instances(answers, hosts, label)
    labels = _ready_around.alerts(answers, named, hosts, label)
    return [
        *_ready_around.alertmanager(said["status"].data),
        *_ready_around.route(said["status"].data, asked["webhook_url"], labels),
        *_ready_around.silences(said["silences"].data, labels),
        *_ready_around.silence(said["alerts"].data, named, hosts, label),
    ]


def connected(asked: Mapping, url: str) -> alertmanager_silence.Alertmanager:
    params = {"url": url, "token": asked["alertmanager_token"] or None, "username": None, "password": None}
    return alertmanager_silence.connect({**params, "timeout_seconds": asked["timeout_seconds"]})


def without_token(asked: Mapping, error: Exception) -> str:
    return _redact.redact(str(error), filter(None, [asked["alertmanager_token"]]))


def heartbeat(asked: Mapping, _answers: Mapping, url: str) -> list[dict]:
    """Send an alert of our own, and wait until the run that it starts ends it. In any case it is ended here."""
    labels = {"alertname": _alert.HEARTBEAT, _alert.BEAT: secrets.token_hex(8)}
    path = f"/api/v2/alerts?{_silence.filters([(name, value, False) for name, value in labels.items()])}"
    started = time.monotonic()
    try:
        client = connected(asked, url)
        now = client.ask("GET", "/api/v2/status").now
        most = 2 * asked["heartbeat_seconds"] + LONGEST * asked["timeout_seconds"]
        send(client, labels, now, most)
        if not client.ask("GET", path).data:
            raise FetchError("Alertmanager accepted the alert but does not list it")
        try:
            while client.ask("GET", path).data:
                if time.monotonic() - started > asked["heartbeat_seconds"]:
                    return _ready_around.heartbeat(False, asked["heartbeat_seconds"])
                time.sleep(1)  # between two questions
        finally:
            send(client, labels, now, time.monotonic() - started)
    except RunbookError as error:
        return _ready_around.heartbeat(None, 0.0, without_token(asked, error))
    return _ready_around.heartbeat(True, time.monotonic() - started)


def send(
    client: alertmanager_silence.Alertmanager, labels: Mapping[str, str], starts: datetime, seconds: float
) -> None:
    """Send an alert that ends that many seconds after it starts, by Alertmanager's clock."""
    times = {"startsAt": _silence.stamp(starts), "endsAt": _silence.stamp(starts + timedelta(seconds=seconds))}
    client.ask("POST", "/api/v2/alerts", [{"labels": labels, **times}])


def webhook(asked: Mapping, _answers: Mapping, url: str) -> list[dict]:
    token, authority = asked["webhook_token"], asked["webhook_ca"]
    try:
        context = ssl.create_default_context(cadata=authority) if authority else None
    except (ssl.SSLError, ValueError):
        return _ready_around.webhook("aurora_webhook_ca is not a certificate authority in PEM format", None)
    ask = functools.partial(status, url, asked["timeout_seconds"], context, [url, token])
    return _ready_around.webhook(ask({}), ask({"Authorization": f"Bearer {token}"}) if token else None)


def status(
    url: str, seconds: float, context: ssl.SSLContext | None, secrets: Sequence[str], headers: dict[str, str]
) -> int | str:
    """The status of an empty POST, or why there is none."""
    try:
        return _http.fetch(url, seconds, headers, context, method="POST").status
    except FetchError as error:
        return _redact.redact(str(error), filter(None, secrets), 200)


def contacts(asked: Mapping, _answers: Mapping, _where: object) -> list[dict]:
    if apprise is None:
        return [_ready_around.check("contact", NOT_READY, "no_apprise", "apprise")]
    levels = {**(asked["contacts"] or {}), "fallback": asked["fallback_contacts"] or []}
    checks, told = [], {}
    for level, given in levels.items():
        try:
            for one in _notify.channels("contacts", given):
                told.setdefault((one.name, one.url), []).append(str(level))
        except RunbookError as error:
            found = {"about": str(level), "problem": str(error)}
            checks.append(_ready_around.check("contact", NOT_READY, "contact_list", "contact", **found))
    channels = [_notify.Channel(str(number), url) for number, (_name, url) in enumerate(told)]
    reached = _notify.reach(apprise, requests, channels, asked["timeout_seconds"])
    paged = page(asked, [one for one, found in zip(channels, reached) if not found["problem"]])
    for number, ((name, _url), at) in enumerate(told.items()):
        if str(number) in paged:
            checks.append(_ready_around.page(name, at, paged[str(number)]))
        else:
            checks.append(_ready_around.contact(name, at, reached[number]))
    return checks


def page(asked: Mapping, channels: Sequence[_notify.Channel]) -> dict[str, str]:
    """Send a test message if it is wanted; returns the problem with each contact, "" for none."""
    if not asked["test_page"]:
        return {}
    title, body = (_texts.say(asked["language"], f"ready_page_{part}") for part in ("title", "body"))
    text = _notify.message(title, body, "preflight", [one.url for one in channels])
    found = _notify.tell(apprise, channels, text, asked["timeout_seconds"])
    return {**dict.fromkeys(found.sent, ""), **{one["channel"]: one["problem"] for one in found.unsent}}


def found_rulebook() -> str:
    """The path of ansible-rulebook on this controller, beside this Python or in PATH."""
    beside = Path(sys.executable).with_name("ansible-rulebook")
    return str(beside) if beside.exists() else shutil.which("ansible-rulebook") or ""


def rulebook(asked: Mapping, _answers: Mapping, path: str) -> list[dict]:
    said = _command.run([path, "--version"], 6 * asked["timeout_seconds"])
    return _ready_around.rulebook(said.out)


def awx(asked: Mapping, _answers: Mapping, url: str) -> list[dict]:
    token = os.environ.get("CONTROLLER_OAUTH_TOKEN", "")
    if not token:
        return _ready_around.awx({}, {"token": "CONTROLLER_OAUTH_TOKEN is not set"})
    query = {
        "hosts": {"inventory__name": "aurora", "page_size": 1},
        # The schedule runs it every minute, on all hosts.
        "jobs": {
            "unified_job_template__name": "aurora.runbook.escalate",
            "finished__isnull": "false",
            "order_by": "-finished",
            "page_size": 1,
        },
    }
    found: dict[str, object] = {}
    for name, kind in AWX.items():
        wanted = urlencode(query.get(name, {"page_size": 200}))
        base = url if "://" in url else f"https://{url}"
        found[name] = things(base, f"/api/v2/{kind}/?{wanted}", token, asked["timeout_seconds"], name not in query)
    return _ready_around.awx(asked["awx"] or {}, found)


def eda(asked: Mapping, _answers: Mapping, url: str) -> list[dict]:
    path = f"/api/eda/v1/activations/?{urlencode({'page_size': 200})}"
    found = things(url, path, asked["eda_token"], asked["timeout_seconds"], True)
    return _ready_around.eda(asked["eda_activation"], found)


def things(url: str, path: str, token: str, seconds: float, every: bool) -> list | str:
    """The results of a list in an API, of its first page or of ``every`` page, or why there are none."""
    found: list = []
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        for _page in range(PAGES):
            answer = _http.fetch(url.rstrip("/") + path, seconds, headers)
            if not answer.ok:
                return f"HTTP {answer.status} to {path.partition('?')[0]}"
            page = json.loads(answer.text)
            found += page["results"]
            path = page.get("next") if every else None
            if not path:
                return found
            if not path.startswith("/"):
                return "the link to its next page leads to another server"
    except (FetchError, ValueError, TypeError, KeyError, AttributeError) as error:
        return _redact.redact(str(error), [token] if token else [], 200)
    return "it has more pages than this version reads"
