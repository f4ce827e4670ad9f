# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for the playbooks: thin, over private functions. Documented in the YAML files beside this one."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from ansible import context
from ansible.errors import AnsibleFilterError
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _messages
from ansible_collections.aurora.runbook.plugins.module_utils.base import _names
from ansible_collections.aurora.runbook.plugins.plugin_utils import _decision, _pages, _report


def within(hosts: Sequence[str], limit: Sequence[str], none: bool = False) -> list[str]:
    left = [host for host in hosts if host in limit]
    if not left and not none and not context.CLIARGS.get("syntax"):  # a syntax check may be without an inventory
        raise AnsibleFilterError("no host of the group aurora (aurora_group) is within --limit")
    return left


def actions(rungs: Sequence[Mapping], failure: Mapping) -> list[Mapping]:
    return _decision.actions(rungs, failure)


def verdict(tried: Sequence[Mapping]) -> str:
    return _decision.verdict(tried)


def standing(look: Mapping, incident: str, unfinished: bool = True) -> str:
    if incident not in _indicators.INDICATORS:
        known = ", ".join(_indicators.INDICATORS)
        raise AnsibleFilterError(f"{incident!r} is not an incident; expected one of {known}")
    return _decision.standing(look, incident, unfinished)


def breached(hostvars: Mapping, hosts: Sequence[str], incident: str) -> list[str]:
    # Before ansible-core 2.19 a fact made by a template is a text, and a host outside of --limit has none.
    looked = {name: float(hostvars[name].get("incident_looked_at") or 0) for name in hosts if name in hostvars}
    newest = max(looked.values(), default=0.0)
    latest = [name for name, at in looked.items() if at == newest]  # the others were not reached this time
    found = _standing(hostvars, latest, incident, "breached")
    return [name for name in found if hostvars[name].get("aurora_autonomy") != "observe"]


def healthy(hostvars: Mapping, hosts: Sequence[str], incident: str) -> list[str]:
    return _standing(hostvars, hosts, incident, "healthy")


def _standing(hostvars: Mapping, hosts: Sequence[str], incident: str, wanted: str) -> list[str]:
    looks = {name: hostvars[name].get("incident_look") or {} for name in sorted(hosts)}
    return [name for name, look in looks.items() if standing(look, incident) == wanted]


def outcome(host: Mapping, incident: str) -> str:
    return _host("", host, incident).verdict


def seen(look: Mapping, incident: str) -> dict:
    return _decision.seen(look, incident)


def incident_id(hostvars: Mapping, hosts: Sequence[str], incident: str, alert: Mapping) -> str:
    looks = [hostvars[name].get("incident_look") or {} for name in hosts]
    return _decision.incident_id(looks, incident, alert, time.time())


def instances(hostvars: Mapping, hosts: Sequence[str], others: Sequence[str], alert: Mapping) -> dict[str, list[str]]:
    addresses, declared = _names.inventory(hostvars, dict.fromkeys([*others, *hosts]))
    seen = {alert["host"]: alert.get("instance", "")} if alert else {}
    return {name: _names.labels_of(name, addresses, declared, seen.get(name, "")) for name in hosts}


def pages(hostvars: Mapping, hosts: Sequence[str], language: str = "en") -> list[dict]:
    return _pages.due(_language(language, hostvars, hosts), _records(hostvars, hosts), time.time())


def missed_pages(hostvars: Mapping, hosts: Sequence[str]) -> list[dict]:
    return _pages.missed(_records(hostvars, hosts))


def overview(hostvars: Mapping, hosts: Sequence[str], language: str = "en") -> list[str]:
    sent = [page for name in sorted(hosts) for page in hostvars[name].get("incident_told") or []]
    return _pages.overview(_language(language, hostvars, hosts), _records(hostvars, hosts), sent)


def waiting(hostvars: Mapping, hosts: Sequence[str], incident: str, knobs: Sequence[str]) -> dict[str, list[str]]:
    return _pages.waiting(_records(hostvars, hosts), incident, knobs)


def _records(hostvars: Mapping, hosts: Sequence[str]) -> dict[str, Mapping]:
    return _pages.readable({name: hostvars[name].get("incident_open") or {} for name in sorted(hosts)})


def report(hostvars: Mapping, hosts: Sequence[str], incident: str, language: str = "en") -> list[str]:
    return _report.report(_language(language, hostvars, hosts), incident, _hosts(hostvars, hosts, incident))


def recorded(hostvars: Mapping, hosts: Sequence[str], incident: str) -> list[Mapping]:
    return [closed for host in _hosts(hostvars, hosts, incident) for closed in host.ended.get("incidents", [])]


def held(hostvars: Mapping, hosts: Sequence[str], identity: str) -> list[str]:
    return [name for name in hosts if _decision.held(hostvars[name].get("aurora_actions") or [], identity)]


def unended(hostvars: Mapping, hosts: Sequence[str], incident: str) -> list[str]:
    return [host.name for host in _hosts(hostvars, hosts, incident) if _decision.unended(incident, host)]


def unwell(hostvars: Mapping, hosts: Sequence[str], incident: str) -> list[str]:
    return [host.name for host in _hosts(hostvars, hosts, incident) if host.verdict not in _decision.GOOD]


def table(hostvars: Mapping, hosts: Sequence[str], language: str = "en") -> list[str]:
    return _report.table(_language(language, hostvars, hosts), _hosts(hostvars, hosts, ""))


def _hosts(hostvars: Mapping, hosts: Sequence[str], incident: str) -> list[_decision.Host]:
    return [_host(name, hostvars[name], incident) for name in sorted(hosts) if name in hostvars]


def _host(name: str, variables: Mapping, incident: str) -> _decision.Host:
    look, acted = variables.get("incident_look") or {}, variables.get("aurora_actions")
    tried, verdict = acted or [], _unrepaired(look, incident) if acted is None else _decision.verdict(acted)
    closed = [action["closed"] for action in tried if "closed" in action] if verdict == "recovered" else []
    ended = {"incidents": closed} if closed else variables.get("incident_ended") or {}
    verdict = "escalated" if _decision.unsettled(ended) else verdict
    found, silence = (variables.get(f"incident_{what}") or {} for what in ("found", "silence"))
    return _decision.Host(name, look, tried, verdict, ended, found, silence)


def _unrepaired(look: Mapping, incident: str) -> str:
    """The verdict of a host that no rung touched."""
    if incident == _decision.REVERT:
        return "refused"
    found = _decision.standing(look, incident)
    return {"breached": "not_recovered", "unhandled": "escalated"}.get(found, found)


def _language(language: str, hostvars: Mapping, hosts: Sequence[str]) -> str:
    """The language of a text, and whether AWX runs this: then a person launches templates and types no commands."""
    if language not in _messages.LANGUAGES:
        raise AnsibleFilterError(
            f"aurora_language={language!r} is refused; expected {' or '.join(_messages.LANGUAGES)}"
        )
    on_awx = any(name in hostvars[host] for host in hosts[:1] for name in ("awx_job_id", "tower_job_id"))
    return f"{language}{_messages.ON_AWX}" if on_awx else language


class FilterModule:
    def filters(self) -> dict:
        return {
            "within": within,
            "actions": actions,
            "verdict": verdict,
            "standing": standing,
            "breached": breached,
            "healthy": healthy,
            "outcome": outcome,
            "seen": seen,
            "incident_id": incident_id,
            "instances": instances,
            "pages": pages,
            "missed_pages": missed_pages,
            "overview": overview,
            "waiting": waiting,
            "report": report,
            "recorded": recorded,
            "held": held,
            "unended": unended,
            "unwell": unwell,
            "table": table,
        }
