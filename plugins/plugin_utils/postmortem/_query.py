# SPDX-License-Identifier: GPL-3.0-or-later
"""Which incident a post-mortem is about, and what to ask Prometheus about that time. Private to aurora.runbook."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _probes
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._accounts import (
    ID,
    MAX_HOSTS,
    bounds,
    list_of,
    records_of,
    text_of,
)
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._series import MAX_POINTS


def latest(answers: Mapping[str, Mapping]) -> str:
    """The incident opened last, of those that were not merged into another one. Raises RunbookError without one."""
    every = [entry for answer in answers.values() for entry in list_of(answer, "incidents")]
    known = {str(entry.get("id")) for entry in every if not entry.get("moved_to")}
    ids = [found for found in map(ID.fullmatch, known) if found and found[1] in _indicators.INDICATORS]
    if not ids:
        raise RunbookError(nothing("an incident", answers))
    return max(ids, key=lambda found: (found[2], found[0]))[0]


def nothing(what: str, answers: Mapping[str, Mapping]) -> str:
    """Why there is nothing to write."""
    problems = [f"{host}: {text_of(a, 'problem')}" for host, a in sorted(answers.items()) if a.get("problem")]
    known = "no host that could be read has a record of it" if len(problems) < len(answers) else "no host could be read"
    unread = f" ({_redact.redact('; '.join(problems))})" if problems else ""
    return f"there is nothing to write about {what}: {known}{unread}; see the incidents with triage"


def checked(incident: str) -> str:
    """An incident's id, safe as the name of a file. Raises RunbookError for anything else."""
    found = ID.fullmatch(incident)
    if not found or found[1] not in _indicators.INDICATORS:
        raise RunbookError(
            f"aurora_incident_id={_redact.redact(incident, limit=80)} is not the id of an incident; expected <class>-"
            "<UTC as 20261124T180000Z>-<8 hex digits>, as triage shows it"
        )
    return incident


def range_query(
    incident: str,
    answers: Mapping[str, Mapping],
    instances: Mapping[str, str | Sequence[str]],
    now: float,
    label: str = "instance",
) -> dict:
    """One bounded range query for all hosts: the indicator, denied orders and SSE clients, labelled host and what."""
    records = records_of(incident, answers)
    began, _opened, ended = bounds(records, now)
    margin = max(60.0, (ended - began) / 10)
    seconds = math.ceil(ended - began + 2 * margin)
    span = max(60, math.ceil(ended - began))
    every = max(15, span // 1000)  # seconds between the samples of a sum, more in a long incident to limit their number
    parts = []
    for host in sorted(instances)[:MAX_HOSTS]:
        at = _probes.instance_matcher(instances[host], label)
        expressions = {
            "indicator": _indicators.INDICATORS[ID.fullmatch(incident)[1]].course(at),
            "denied": f"sum(increase({_indicators.DENIED % {'at': at}}[{span}s:{every}s] @ {ended:.3f}))",
            "clients": f"sum(sse_clients_connected{{{at}}})",
        }
        for what, expression in expressions.items():
            labelled = f'label_replace({expression}, "what", "{what}", "", "")'
            name = host.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
            parts.append(f'label_replace({labelled}, "host", "{name}", "", "")')
    step = max(1, math.ceil(seconds / MAX_POINTS))
    return {"query": " or ".join(parts), "start": began - margin, "end": began - margin + seconds, "step": step}
