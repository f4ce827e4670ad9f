# SPDX-License-Identifier: GPL-3.0-or-later
"""What triage_info found, in the few lines that a tired person reads first. Private to aurora.runbook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators
from ansible_collections.aurora.runbook.plugins.module_utils.aurora._messages import number, say

OUTSIDE = "outside_"  # the prefix of the names of an observer's probes
NO_WAY = "outside_way"  # the probe that stands for a look from outside that could not be made
_REASONS = {
    "silent": "silent",
    "malformed": "malformed",
    "no_data": "no_data",
    "nan": "nan",
    "reset": "reset",
    "too_few": "few_events",
    "in_doubt": "in_doubt",
    "stale": "stale_samples",
    "unclear": "unclear_answer",
}


def summary(language: str, triage: Mapping) -> list[str]:
    """What is breached, why, what could not be seen, and what is overridden, from what triage_info returns."""
    timer = triage["probes"].get("leases", {}).get("data", {})
    known = [
        *state(language, triage),
        *causes(language, triage["causes"]),
        *outside(language, triage, triage["causes"]),
        *standing(language, triage),
        *leases(language, triage["leases"], timer),
    ]
    blind_spots = blind(language, triage, _indicators.INCIDENTS)
    return [*known, *blind_spots, *failed(language, triage, triage["probes"])]


def failed(language: str, triage: Mapping, names: Iterable[str]) -> list[str]:
    """A line for each of these probes that could not look."""
    probes = ((name, triage["probes"].get(name, {"status": "ok"})) for name in names)
    return [
        say(language, "probe_failed", probe=name, problem=probe["problem"])
        for name, probe in probes
        if probe["status"] != "ok"
    ]


def state(language: str, triage: Mapping) -> list[str]:
    """A line for each breached indicator, and for a breaker that is HALF_OPEN."""
    lines = []
    for entry in triage["indicators"].values():
        limit = entry["threshold"]
        values = {"metric": entry["metric"], "value": number(entry["value"], limit), "limit": number(limit, limit)}
        if entry["breached"]:
            lines.append(say(language, "breached", severity=triage["severity"], **values))
        elif entry["breached"] is None and entry["value"] is not None:
            lines.append(say(language, "half_open", **values))
    return lines or [say(language, "nothing_breached")]


def causes(language: str, found: Iterable[Mapping]) -> list[str]:
    """A line for each cause, with the evidence for it."""
    return [
        say(
            language,
            "cause_is",
            cause=cause["cause"],
            evidence="; ".join(say(language, e["message"], **e["values"]) for e in cause["evidence"]),
        )
        for cause in found
    ]


def outside(language: str, triage: Mapping, shown: Iterable[Mapping]) -> list[str]:
    """A line for each broken link that was seen from outside, unless one of the ``shown`` causes covers it."""
    told = [e["values"] for cause in shown for e in cause["evidence"] if e["message"] == "outside_says"]
    lines = []
    for name, probe in triage["probes"].items():
        if not name.startswith(OUTSIDE) or name == NO_WAY or probe["status"] == "ok":
            continue
        values = {"link": probe["data"].get("broken") or name[len(OUTSIDE) :], "problem": probe["problem"]}
        if values["problem"] not in [known["problem"] for known in told]:
            lines.append(say(language, "outside_says", **values))
    return lines


def blind(language: str, triage: Mapping, incidents: Iterable[str]) -> list[str]:
    """A line for each indicator that has no value, with the reason."""
    lines = []
    for entry in (triage["indicators"][name] for name in incidents):
        if entry["value"] is None:
            words = {"metric": entry["metric"], "reason": entry.get("reason", "")}
            reason = say(language, _REASONS[entry["problem"]], **words)
            lines.append(say(language, "not_known", metric=entry["metric"], reason=reason))
    return lines


def standing(language: str, found: Mapping) -> list[str]:
    """A line for each open incident and for whatever else is going on, from triage_info or incident_info."""
    lines = []
    for incident in (one for one in found["incidents"] if one["open"]):
        by = incident["acknowledged"]["who"] if incident["acknowledged"] else say(language, "nobody")
        values = {"id": incident["id"], "severity": incident["severity"], "minutes": int(incident["age_seconds"] // 60)}
        lines.append(say(language, "incident_open", by=by, **values))
        if not incident["chain"]["whole"]:
            lines.append(say(language, "chain_broken", id=incident["id"], problem=incident["chain"]["problem"]))
    return [*lines, *going_on(language, found)]


def going_on(language: str, found: Mapping) -> list[str]:
    """A line for each action that was cut off, for a run that works here, and for a pause."""
    lines = [say(language, "cut_off", **action) for action in found["cut_off"]]
    if found["claim"]:
        claim = found["claim"]
        lines.append(
            say(language, "claimed", by=claim["holder"], incident=claim["incident"] or "–", since=claim["since"])
        )
    if found["paused"] is not None:
        lines.append(say(language, "paused_until" if found["paused"] else "paused_for_good", until=found["paused"]))
    return lines


def leases(language: str, standing: Iterable[Mapping], timer: Mapping) -> list[str]:
    """A line for each lease and what is wrong with it; ``timer`` has ``timer`` and ``timer_works`` of a host."""
    lines = []
    for lease in standing:
        unit, ends = lease["name"], lease.get("ends", {})
        changes = ", ".join(_leased(language, *item, ends) for item in lease["written"].items())
        key = "leased" if lease["phase"] == "active" else "lease_unfinished"
        lines.append(say(language, key, unit=unit, by=lease["by"], granted=lease["granted"], changes=changes))
        if lease.get("lost"):
            lines.append(say(language, "lease_lost", unit=unit, path=lease["lost"]))
        if ends and not timer.get("timer_works", True):
            lines.append(say(language, "lease_no_timer", unit=unit, state=timer["timer"]))
    return lines


def _leased(language: str, name: str, value: str, ends: Mapping) -> str:
    change = f"{name}={value}"
    return say(language, "until", change=change, until=ends[name]["until"]) if name in ends else change
