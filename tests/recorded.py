# SPDX-License-Identifier: GPL-3.0-or-later
"""An incident as incident_info returns it from three hosts: one whole, one whose chain is broken, one that is gone."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime, timezone

ID = "circuit_breaker-20261124T180000Z-1a2b3c4d"
BEGAN = datetime(2026, 11, 24, 18, 0, tzinfo=timezone.utc).timestamp()
KELLY = {"name": "KELLY_MULTIPLIER", "before": "1.0", "after": "0.5", "direction": "reduces"}
SPREADS = {"message": "why_share", "values": {"percent": 95, "denials": 19, "code": "SPREAD_GUARD_TRIP"}}
ECE = {"message": "ece_high", "values": {"value": 0.081, "limit": 0.05}}
SET = {"unit": "aurora-runner.service", "changes": "KELLY_MULTIPLIER 1.0 → 0.5", "direction": "reduces"}
SAMPLES = [2, 2, 2, 1, 2, 2, None, None, 1, 1, 0, 0, 0, 0, 0, 0]


def at(seconds: float) -> str:
    return (
        datetime.fromtimestamp(BEGAN + seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def indicator(value, threshold=2, name="circuit_breaker", metric="circuit_breaker_state", **more):
    breached = None if value is None else value >= threshold
    base = {"name": name, "metric": metric, "value": value, "threshold": threshold, "breached": breached}
    return {**base, "count": 19, "source": "runner", "problem": "", **more}


def look(value=2, causes=(("wide_spreads", 0.95, [SPREADS]),)):
    found = [{"cause": cause, "weight": weight, "evidence": evidence} for cause, weight, evidence in causes]
    others = {"sse_availability": 1.0, "execution_latency": 48.0, "policy_deny_rate": 0.61, "calibration_ece": 0.031}
    return {
        "severity": "P0" if value == 2 else None,
        "indicator": indicator(value),
        "causes": found,
        "indicators": others,
    }


def samples(start: float, values=SAMPLES, step: float = 5) -> list:
    return [[BEGAN + start + step * number, value] for number, value in enumerate(values)]


def lines(*events: tuple[float, str, dict], boot: str = "b", by: str = "alice") -> list[dict]:
    """Entries of a record, of (seconds since the beginning, what, data), numbered from 1."""
    return [
        {
            "seq": n,
            "prev": "",
            "at": at(t),
            "boot": boot,
            "up": 1000 + t,
            "by": by,
            "run": "r1",
            "what": what,
            "data": data,
        }
        for n, (t, what, data) in enumerate(events, 1)
    ]


def result(intent: int, verdict="recovered", **more) -> dict:
    base = {"intent": intent, "outcome": "done", "changed": True, "verdict": verdict, "sentences": [], "problem": ""}
    return {**base, "recovery": {"value": 0 if verdict == "recovered" else 2}, "samples": [], **more}


def incident(entries: list[dict], closed: float | None, **more) -> dict:
    base = {"id": ID, "incident": "circuit_breaker", "open": closed is None, "opened": at(60), "severity": "P0"}
    deadlines = {"respond_by": at(360), "resolve_by": at(3660)}
    rest = {"acknowledged": None, "levels": {}, "closed": None if closed is None else at(closed), "unfinished": []}
    chain = {"whole": True, "problem": ""}
    return {
        **base,
        **rest,
        "age_seconds": 900,
        "deadlines": deadlines,
        "chain": chain,
        "head": "c0ffee" * 10 + "c0ff",
        "entries": entries,
        **more,
    }


ALERT = {"name": "CircuitBreakerOpen", "fingerprint": "f00d", "starts_at": at(0)}
OPENED = {
    "id": ID,
    "incident": "circuit_breaker",
    "severity": "P0",
    "alert": ALERT,
    "age_seconds": 60,
    "moved_from": None,
}
PAGE = {"level": "L1", "key": f"{ID}/L1"}
SLACK_DOWN = {"channel": "Slack #aurora-incidents", "problem": "connection refused"}
HALVE = {
    "action": "service_override", "target": "aurora-runner.service", "change": [KELLY], "restart": True, "forced": "",
}  # fmt: skip

AURORA1 = [
    (60, "opened", OPENED),
    (61, "seen", look()),
    (62, "paging", PAGE),
    (63, "paged", {**PAGE, "sent": ["mail on call"], "failed": [SLACK_DOWN]}),
    (150, "acknowledged", {"who": "bob", "text": "on it"}),
    (180, "intent", HALVE),
    (265, "result", result(
        6, "not_recovered", samples=samples(185, [2, 2, 1, 2, 2, 2, None, None, None, 2, 1, 2, 2, 2, 2, 2]),
        sentences=[{"message": "set", "values": SET}],
    )),
    (270, "refused", {
        "action": "service_restart", "target": "aurora-runner.service", "guard": "cooldown", "allowed_in": 540,
        "sentence": {"message": "restarted_lately", "values": {"unit": "aurora-runner.service", "seconds": 60}},
    }),
    (300, "intent", {"action": "tcp_tuning", "target": "host", "restart": False, "forced": "exchange moved",
        "change": [{"name": "net.ipv4.tcp_autocorking", "before": "1", "after": "0", "direction": "neutral"}]}),
    (310, "result", result(9, "not_recovered", samples=samples(300, [2, 2]))),
    (320, "intent", {"action": "service_override", "target": "aurora-runner.service", "restart": True, "forced": "",
        "change": [{"name": "DECISIONS_PER_MINUTE", "before": "30", "after": "10", "direction": "reduces"}]}),
    (405, "result", result(11, samples=samples(325))),
    (406, "seen", look(0, [])),
    (407, "verdict", {"verdict": "recovered"}),
    (408, "note", {"who": "bob", "text": "the exchange widened spreads at 18:00, their status page says so"}),
    (420, "closed", {"verdict": "recovered", "sentence": {"message": "within", "values": {
        "metric": "circuit_breaker_state", "value": 0, "limit": 2, "hold": 60, "count": 41}}}),
]  # fmt: skip
AURORA2 = [
    (60.4, "opened", OPENED),
    (61.5, "seen", look(causes=(("wide_spreads", 0.8, [SPREADS]), ("miscalibration", 0.4, [ECE])))),
    (62.1, "paging", PAGE),
    (63.1, "paged", {**PAGE, "sent": ["mail on call"], "failed": [SLACK_DOWN]}),
    (
        410,
        "intent",
        {
            "action": "service_override",
            "target": "aurora-runner.service",
            "change": [KELLY],
            "restart": True,
            "forced": "",
        },
    ),
]
LEASE = {
    "kind": "service_override", "name": "aurora-runner.service", "phase": "active", "by": "alice", "granted": at(180),
    "before": {"KELLY_MULTIPLIER": "1.0"}, "written": {"KELLY_MULTIPLIER": "0.5"},
    "incident": ID, "seconds": 7200, "until": at(7380),
}  # fmt: skip


def answers() -> dict[str, dict]:
    """By host what it returned, or why it did not."""
    broken = lines(*AURORA2, by="carol")
    broken[3]["torn"] = "d00d" * 16
    chain = {"whole": False, "problem": "line 3 does not follow line 2"}
    return deepcopy(
        {
            "aurora1": {"incidents": [incident(lines(*AURORA1), 420)], "leases": [LEASE], "now": at(1000)},
            "aurora2": {
                "incidents": [incident(broken, None, chain=chain, unfinished=[5])],
                "leases": [],
                "now": at(1095),
            },
            "aurora3": {"problem": "no route to host"},
        }
    )


def ranges(hosts=("aurora1", "aurora2", "aurora3"), step=5) -> dict:
    """What Prometheus answers: aurora3 is seen by it alone, and aurora2 was not scraped for a while."""
    found = []
    for number, host in enumerate(hosts):
        times = [BEGAN - 60 + step * n for n in range(120)]
        opens = BEGAN + 20 * number, BEGAN + 400 + 30 * number
        state = [[t, str(0 if not opens[0] <= t < opens[1] else 1 + (t % 30 >= 5))] for t in times]
        if host == "aurora2":
            state = [pair for pair in state if not 150 <= pair[0] - BEGAN <= 210]
        for what, values in (
            ("indicator", state),
            ("denied", [[t, f"{412 + number}.0"] for t in times]),
            ("clients", [[t, "12" if t < BEGAN + 200 else "5"] for t in times]),
        ):
            found.append({"metric": {"host": host, "what": what}, "values": values})
    return {"status": "success", "data": {"resultType": "matrix", "result": found}}
