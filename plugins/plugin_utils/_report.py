# SPDX-License-Identifier: GPL-3.0-or-later
"""The few lines at the end of a run that a person can paste into a chat. Private to aurora.runbook; controller only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _knobs, _messages, _verdicts
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.module_utils.look import _summary
from ansible_collections.aurora.runbook.plugins.plugin_utils import _decision, _texts
from ansible_collections.aurora.runbook.plugins.plugin_utils._decision import NO_WAY, REVERT, Host, first_line
from ansible_collections.aurora.runbook.plugins.plugin_utils._texts import say

INCIDENT_OF_REVERT = "circuit_breaker"
CLOSER, CLOSER_MS = 0.8, 1.0  # a host is better placed with 80 % of the round trip, and at least a millisecond less


def report(language: str, incident: str, hosts: Sequence[Host]) -> list[str]:
    """What was wrong on which host, what was done, what the indicator was and is, and what is left."""
    counts = Counter(host.verdict for host in hosts)
    verdicts = ", ".join(f"{say(language, name)}: {count}" for name, count in sorted(counts.items()))
    lines = [say(language, "report_head", incident=incident, verdicts=verdicts)]
    acted = any(host.actions for host in hosts)
    for host in hosts:
        lines += about(language, incident, host, acted)
        if incident == "execution_latency" and host.verdict not in _verdicts.GOOD:
            lines += [say(language, "next", text=text) for text in placement(language, host, hosts)]
    return _redact.redact_lines(lines)


def placement(language: str, host: Host, hosts: Sequence[Host]) -> list[str]:
    """Which host is closer to the exchange, by the measured round trips. Source: runbook 3, action 3."""
    trips = {other.name: trip for other in hosts if (trip := _round_trip(other)) is not None}
    own = trips.get(host.name)
    if own is None:
        return []
    best = min(trips, key=lambda name: trips[name])
    if trips[best] > own * CLOSER or own - trips[best] < CLOSER_MS:
        return [say(language, "none_better_placed", own=_messages.number(own))]
    figures = {"best": _messages.number(trips[best]), "own": _messages.number(own)}
    return [say(language, "better_placed", other=best, **figures)]


def _round_trip(host: Host) -> float | None:
    """The shortest round trip to the exchange in a look, in milliseconds; None if ping had no answer."""
    return host.look.get("probes", {}).get("exchange_ping", {}).get("data", {}).get("min_ms")


def about(language: str, incident: str, host: Host, acted: bool) -> Iterator[str]:
    """The lines of one host; ``acted`` says whether this run touched any host."""
    yield say(language, "host", host=host.name, verdict=say(language, host.verdict))
    for key, texts in (
        ("was", _was(language, incident, host)),
        ("was", _summary.standing(language, host.found) if "incidents" in host.found else []),
        ("done", _done(language, incident, host, acted)),
        ("now", _now(language, host)),
        ("left", _left(language, host)),
        ("record", _on_record(language, host)),
        ("next", _next(language, incident, host)),
    ):
        for text in texts:
            yield say(language, key, text=text)


def _was(language: str, incident: str, host: Host) -> list[str]:
    if "indicators" not in host.look:
        return _decision.not_looked(language, host.look)
    seen = _summary.blind(language, host.look, [incident]) or _summary.state(language, host.look)
    # If the indicator is not known, the probes from which it comes say why.
    unknown = host.look["indicators"].get(incident, {}).get("value", 0) is None
    blind = [f"{_indicators.INDICATORS[incident].service}_metrics", "prometheus"] if unknown else []
    causes = _decision.causes(host.look, incident)[:2]
    return [
        *seen,
        *_summary.failed(language, host.look, [*blind, NO_WAY, "leases"]),
        *_summary.causes(language, causes),
        *_summary.outside(language, host.look, causes),
    ]


def _not_silenced(language: str, silence: Mapping) -> Iterator[str]:
    """The line that the alert sounded during the work, or may have. A silence that worked is not mentioned."""
    if silence.get("failed"):
        yield say(language, "silence_failed", problem=first_line(silence))
    elif "matched" in silence and not silence["matched"]:
        yield from (say(language, said["message"], **said["values"]) for said in silence.get("done", ()))


def _done(language: str, incident: str, host: Host, acted: bool) -> Iterator[str]:
    if host.verdict in ("not_recovered", "refused") and not host.actions:
        yield say(language, "not_tried" if acted else "only_looked")
    if host.verdict == "escalated" and not host.actions and incident not in _indicators.INCIDENTS:
        yield say(language, "no_procedure")
    if host.actions:
        yield from _not_silenced(language, host.silence)
    for action in host.actions:
        if action.get("unreachable"):
            yield say(language, "unreachable", problem=first_line(action))
        elif action.get("failed"):
            yield say(language, "failed", problem=action.get("msg", ""))
        elif "environment" in action and "settled" not in action and action.get("verdict") != "refused":
            yield from _override(language, action)
        for sentence in action.get("done", ()):
            text = say(language, sentence["message"], **sentence["values"])
            if not (action.get("failed") and text in action.get("msg", "")):  # its own message has it in English
                yield text


def _override(language: str, action: Mapping) -> Iterator[str]:
    unit, steps = action["unit"], [*action["environment"], *action["limits"]]
    written = ", ".join(f"{step['name']}={step['after']}" for step in steps)
    if action["taken_back"]:
        yield say(language, "taken_back", unit=unit, changes=_texts.changes(language, steps))
    elif action["changed"] and not action["overridden"]:
        key = "would_restore" if action.get("verdict") == "would_change" else "restored"
        yield say(language, key, unit=unit, changes=_texts.changes(language, steps))
    elif action["changed"] and any(step["before"] != step["after"] for step in steps):
        worst = max((step["direction"] for step in steps), key=_knobs.DIRECTIONS.index, default="neutral")
        changes = _texts.changes(language, steps)
        key = "would_set" if action.get("verdict") == "would_change" else "set"
        yield say(language, key, unit=unit, changes=changes, direction=say(language, worst))
    elif action.get("verdict") == "healthy":
        yield say(language, "nothing_leased", unit=unit)
    elif steps:
        yield say(language, "unchanged", unit=unit, changes=written)
    for step in action["kept"]:
        key, none = ("kept", "unset") if step["direction"] == "increases" else ("limit_kept", "unlimited")
        yield say(language, key, unit=unit, **{**step, "before": step["before"] or say(language, none)})
    if action["proposed"]:
        changes = _texts.changes(language, action["proposed"])
        yield say(language, "needs_approval", unit=unit, changes=changes, knobs=_approvals(action))


def _now(language: str, host: Host) -> list[str]:
    watched = [action for action in host.actions if action.get("recovery")]
    if watched:
        return [_messages.recovery(language, watched[-1]["recovery"])]
    return []


def _left(language: str, host: Host) -> list[str]:
    left = {lease["name"]: (lease["written"], lease.get("until")) for lease in host.found.get("leases", [])}
    for action in host.actions:
        if "overridden" in action and action.get("verdict") != "would_change":
            left[action.get("unit", "tcp_tuning")] = action["overridden"], action.get("until")
    return [_texts.overridden(language, unit, *stands) for unit, stands in left.items() if stands[0]]


def _on_record(language: str, host: Host) -> Iterator[str]:
    if host.ended.get("failed") or host.ended.get("unreachable"):
        yield say(language, "not_on_record", problem=first_line(host.ended))
    told = [sentence for action in host.actions for sentence in action.get("done", ())]
    for sentence in host.ended.get("done", ()):
        if sentence not in told:
            yield say(language, sentence["message"], **sentence["values"])
    for incident in host.ended.get("incidents", ()):
        yield say(language, "recorded_open" if incident["open"] else "recorded_closed", id=incident["id"])


def _next(language: str, incident: str, host: Host) -> list[str]:
    waiting = [_approvals(action) for action in host.actions if action.get("proposed")]
    if host.verdict in _verdicts.OVER:
        return [say(language, "next_revert", host=host.name)] if _left(language, host) else []
    if host.verdict == "would_change":
        return [say(language, "next_run")]
    if host.verdict == "approval_needed":
        return [say(language, "next_approve", knobs=",".join(waiting), host=host.name, incident=incident)]
    if incident == REVERT and (host.verdict == "refused" or _any_failed(host)):
        return [say(language, "next_revert_again", host=host.name)]
    if incident == REVERT or (host.verdict == "not_recovered" and not host.actions):
        known = INCIDENT_OF_REVERT if incident == REVERT else incident
        return [say(language, "next_remediate", incident=known, host=host.name)]
    found = [cause["cause"] for cause in _decision.causes(host.look, incident)]
    advice = _advice(language, [name for name in found if _decision.concerns(name, incident)])
    if host.verdict == "unknown":
        return [*(advice if _decision.runner_ill(host.look, incident) else []), say(language, "next_unknown")]
    return [*advice, *_person(language, host)]


_STOPPED = {"held": "next_held", "paused": "next_paused", "paused_open": "next_paused"}


def _person(language: str, host: Host) -> list[str]:
    """Who or what comes next when automation stops. The refusal of the last step may only ask for time."""
    refused = [action for action in host.actions if action.get("verdict") == "refused" and action.get("done")]
    if not refused:
        return [say(language, "next_person")]
    why = refused[-1]["done"][-1]
    if why["message"] in _STOPPED:
        return [say(language, _STOPPED[why["message"]], host=host.name)]
    if minutes := why["values"].get("minutes"):
        return [say(language, "next_later", minutes=minutes)]
    return [say(language, "next_refused")]


def _advice(language: str, causes: Sequence[str]) -> list[str]:
    """What a person can do about the first of these causes that no rung cures."""
    return [say(language, f"mend_{name}") for name in causes[:1] if f"mend_{name}" in _texts.CATALOGUE]


def _any_failed(host: Host) -> bool:
    return any(action.get("failed") or action.get("unreachable") for action in host.actions)


def _approvals(action: Mapping) -> str:
    return ",".join(step["name"].lower() for step in action["proposed"])


def table(language: str, looks: Mapping[str, Mapping]) -> list[str]:
    """A triage of all incidents: one row for each host with every indicator, then what each host reports.

    ``looks`` is what each host answered to a look, by host, empty if it was not looked at.
    """
    readable = {name: _tabulated(language, name, looks[name]) for name in sorted(looks)}
    return _tabular(language, readable)


def _tabulated(language: str, name: str, look: Mapping) -> Mapping:
    """A look from which a table can be made, or why there is none."""
    try:
        _tabular(language, {name: look})
    except Exception as error:  # a host may answer anything, and the others still have to be shown
        return _decision.nonsense(error)
    return look


def _tabular(language: str, looks: Mapping[str, Mapping]) -> list[str]:
    names = _indicators.INCIDENTS
    rows = [["host", "severity", *names, "cause"]]
    for name, look in looks.items():
        read = look.get("indicators", {})
        found = look.get("causes") or [{"cause": "–"}]
        severity = look.get("severity") or ("–" if read else "?")
        rows.append([name, severity, *(_cell(read.get(indicator)) for indicator in names), found[0]["cause"]])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    for name, look in looks.items():
        seen = "indicators" in look
        said = _summary.summary(language, look) if seen else _decision.not_looked(language, look)
        lines += [f"{name}: {line}" for line in said]
    return _redact.redact_lines(lines)


def _cell(entry: Mapping | None) -> str:
    """A value, with "!" if it is a breach and "?" if that is unknown."""
    if entry is None or entry["value"] is None:
        return "?"
    return _messages.number(entry["value"], entry["threshold"]) + {True: " !", False: "", None: " ?"}[entry["breached"]]
