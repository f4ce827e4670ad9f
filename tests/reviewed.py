# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents of some weeks as incident_info returns them, made by hand for the review."""

from __future__ import annotations

from datetime import datetime, timezone

import recorded
from recorded import BEGAN

NOW = BEGAN + 5 * 86400
DAY = 86400
KELLY, SLOWER = "KELLY_MULTIPLIER", "DECISIONS_PER_MINUTE"
CHANGES = {
    KELLY: {"name": KELLY, "before": "1.0", "after": "0.5", "direction": "reduces"},
    SLOWER: {"name": SLOWER, "before": "30", "after": "10", "direction": "reduces"},
    "SPREAD_THRESHOLD": {"name": "SPREAD_THRESHOLD", "before": "1.5", "after": "2.0", "direction": "increases"},
}


def identity(began: float = BEGAN, kind: str = "circuit_breaker", tail: str = "1a2b3c4d") -> str:
    return f"{kind}-{datetime.fromtimestamp(began, timezone.utc):%Y%m%dT%H%M%SZ}-{tail}"


def opening(age: float = 0.0, **more) -> tuple[float, str, dict]:
    return 0, "opened", {"severity": "P0", "alert": None, "age_seconds": age, "moved_from": None, **more}


def rung(action: str, cause: str = "wide_spreads", target: str = "aurora-runner.service", **more) -> dict:
    """An intent: of a module, or of service_override with the knob of that name."""
    if action in CHANGES:
        return {"action": "service_override", "target": target, "change": [CHANGES[action]], "cause": cause, **more}
    return {"action": action, "target": target, "change": [], "cause": cause, **more}


def end(intent: int, verdict: str | None) -> dict:
    return {"intent": intent, "outcome": "done", "changed": True, "verdict": verdict, "sentences": [], "samples": []}


def incident(*events: tuple[float, str, dict], began: float = BEGAN, kind: str = "circuit_breaker", **more) -> dict:
    """A record from its lines, of (seconds since it was opened, what, data). It is over where it was closed last."""
    entries = recorded.lines(*((began - BEGAN + at, what, data) for at, what, data in events))
    over = bool(events) and events[-1][1] in ("closed", "moved")
    return {
        "id": identity(began, kind),
        "incident": kind,
        "open": not over,
        "opened": recorded.at(began - BEGAN) if events and events[0][1] == "opened" else None,
        "closed": entries[-1]["at"] if over else None,
        "age_seconds": 0.0 if over else NOW - began,
        "severity": "P0",
        "moved_to": None,
        "chain": {"whole": True, "problem": ""},
        "entries": entries,
        **more,
    }


def climbed(*rungs: tuple[dict, str | None], began: float = BEGAN, **more) -> dict:
    """An incident in which rungs were climbed a minute after each other, recovered where the last of them helped."""
    events = [opening()]
    for intent, verdict in rungs:
        events.append((60 * len(events), "intent", intent))
        events.append((60 * len(events), "result", end(len(events), verdict)))
    if rungs and rungs[-1][1] == "recovered":
        events.append((60 * len(events), "closed", {"verdict": "recovered"}))
    return incident(*events, began=began, **more)


def host(*incidents: dict, **more) -> dict:
    return {"incidents": list(incidents), "leases": [], "now": recorded.at(NOW - BEGAN), **more}


def many(count: int = 40, hosts: int = 3) -> dict[str, dict]:
    """By host what it returned: incidents of three classes; in one a later rung cures what an earlier one does not."""
    tcp, slower = rung("tcp_tuning", "exchange_latency", "host"), rung(SLOWER, "exchange_latency")
    told = {f"aurora{number + 1}": host() for number in range(hosts)}
    for number in range(count):
        began = NOW - 29 * DAY + number * 0.7 * DAY % (28 * DAY)
        made = (
            climbed(
                (tcp, "not_recovered"), (slower, "recovered"), began=began, kind="execution_latency", severity="P1"
            ),
            climbed((rung(KELLY), "recovered" if number % 8 else "not_recovered"), began=began),
            climbed((rung("recalibration", "miscalibration", "model.json"), None), began=began, kind="calibration_ece"),
        )[number % 3]
        for place in range(1 + number % hosts):
            told[f"aurora{place + 1}"]["incidents"].append(made)
    return told
