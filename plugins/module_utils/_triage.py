# SPDX-License-Identifier: GPL-3.0-or-later
"""From what the probes found to indicators, causes and severity: pure functions. Private to aurora.runbook."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils import _indicators, _messages, _metrics, _stamps
from ansible_collections.aurora.runbook.plugins.module_utils._parallel import Finding

# WHY codes of Aurora's source by the cause they point at. "model" is told apart by the calibration error.
WHY_CAUSES = {
    "wide_spreads": ["SPREAD_*", "VOLATILITY_*"],
    "exchange_latency": ["LATENCY_*", "WHY_SLA_LATENCY", "WHY_LATENCY_*"],
    "rate_limit": ["WHY_RATE_LIMIT*"],
    "partition": ["WHY_CONN_ERR"],
    "model": ["WHY_UNATTRACTIVE", "WHY_NEGATIVE_EDGE", "WHY_LOW_PFILL"],
}
FEW_DENIALS, LAST_DENIALS = 10, 20
FULL_PERCENT = 95.0
NEAR_LIMIT = 0.95
TRADE_CAUSES = ("stale_trades", "malformed_trades", "few_trades")


@dataclass(frozen=True)
class Why:
    """WHY codes of recent denials by share, and where they were counted: window, denied_log or since_start."""

    source: str
    denials: float
    shares: dict[str, float]


@dataclass(frozen=True)
class Cause:
    """A likely cause, its weight from 0 to 1, and the evidence as messages: (key of the catalogue, values)."""

    name: str
    weight: float
    evidence: tuple[tuple[str, dict], ...]


def indicators(
    findings: Mapping[str, Finding], windows: Mapping[str, float | None] | None, thresholds: Mapping[str, float]
) -> dict[str, dict]:
    """Every indicator by incident: value, threshold, breached (true, false, null), events behind it, why it is null.

    ``windows`` holds what Prometheus answered; without it rates come from the two scrapes.
    """
    read = {}
    for name, indicator in _indicators.INDICATORS.items():
        limit = thresholds.get(name, indicator.threshold)
        level = indicator.kind in ("state", "gauge")
        if windows is not None and not level:
            seen = _indicators.known(windows.get(name))
        else:
            seen = _scraped(indicator, findings[f"{indicator.service}_metrics"])
        read[name] = {
            "metric": indicator.metric,
            "value": seen.value,
            "threshold": limit,
            "breached": _indicators.verdict(indicator, seen, limit),
            "count": seen.count,
            "problem": seen.problem,
            "source": "scrape" if windows is None or level else "prometheus",
        }
    return read


def _scraped(indicator: _indicators.Indicator, finding: Finding) -> _indicators.Value:
    if finding.status != "ok":
        return _indicators.Value(None, problem="silent")
    before, after = finding.data["before"], finding.data["after"]
    seen = _indicators.measure(indicator, before, after, finding.data["seconds"])
    if indicator.kind != "state" or seen.value != _indicators.CLOSED:
        return seen
    # A breaker is CLOSED for a moment when its process just started, or between two openings.
    worst = before.highest(indicator.family)
    if worst is None or worst > seen.value:
        return _indicators.known(worst, seen.count)
    few = seen.count is None or seen.count < indicator.min_count
    return _indicators.Value(None, seen.count, "too_few") if few else seen


def why(findings: Mapping[str, Finding], now: float) -> Why:
    """WHY codes of the sample window; when it saw few denials (an open breaker decides nothing), of the log of denials;

    when there is none, since the services started. The runner's page is asked first, then the feed's.
    """
    pages = [findings[f"{name}_metrics"].data for name in ("runner", "feed") if findings[f"{name}_metrics"].data]
    for page in pages:
        window = _metrics.increases(page["before"], page["after"], "policy_denied_total", "why") or {}
        if sum(window.values()) >= FEW_DENIALS:
            return _shares("window", window)
    logged = _logged_denials(findings["denied_log"].data.get("lines", [])[-LAST_DENIALS:], now)
    if sum(logged.values()) >= FEW_DENIALS:
        return _shares("denied_log", logged)
    for page in pages:
        counted: dict[str, float] = {}
        for labels, value in page["after"].series.get("policy_denied_total", {}).items():
            code = dict(labels).get("why", "")
            counted[code] = counted.get(code, 0.0) + value
        if sum(counted.values()):
            return _shares("since_start", counted)
    return Why("none", 0, {})


def _logged_denials(lines: Sequence[str], now: float, newer_than: float = 900) -> dict[str, float]:
    """Codes of the denials logged in the last ``newer_than`` seconds; a line that is not ours counts for nothing."""
    found: dict[str, float] = {}
    for line in lines:
        try:
            entry = json.loads(line)
            code = entry.get("why") or entry.get("why_code") or entry.get("reason")
            if isinstance(code, str) and now - _stamps.seconds(entry.get("ts")) <= newer_than:
                found[code] = found.get(code, 0.0) + 1
        except (AttributeError, TypeError, ValueError, OverflowError, RecursionError):
            continue
    return found


def _shares(source: str, counts: Mapping[str, float]) -> Why:
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:20]
    return Why(source, total, {code[:64]: round(count / total, 4) for code, count in ordered if count})


def causes(
    read: Mapping[str, dict], codes: Why, findings: Mapping[str, Finding], why_causes: Mapping[str, Sequence[str]]
) -> list[Cause]:
    """Likely causes with the evidence for each, the likeliest first; ``unknown`` for a breach nothing explains."""
    merged: dict[str, Cause] = {}
    for cause in [*_from_why(read, codes, why_causes), *_from_market(read, findings), *_from_host(read, findings)]:
        old = merged.get(cause.name, Cause(cause.name, 0.0, ()))
        merged[cause.name] = Cause(cause.name, max(old.weight, cause.weight), (*old.evidence, *cause.evidence))
    if not merged and any(entry["breached"] for entry in read.values()):
        return [Cause("unknown", 0.0, (("no_cause", {}),))]
    return sorted(merged.values(), key=lambda cause: (-cause.weight, cause.name))


def _from_why(read: Mapping[str, dict], codes: Why, why_causes: Mapping[str, Sequence[str]]) -> Iterator[Cause]:
    if not _trading_suffers(read):
        return
    for code, share in codes.shares.items():
        name = next((n for n, patterns in why_causes.items() if _matches(code, patterns)), None)
        if name == "model":
            name = "miscalibration" if read["calibration_ece"]["breached"] else "tight_thresholds"
        if name and share >= 0.1:
            values = {"code": code, "percent": round(100 * share), "denials": round(codes.denials)}
            yield Cause(name, share, (("why_share", values),))


def _trading_suffers(read: Mapping[str, dict]) -> bool:
    breaker = read["circuit_breaker"]
    return bool(breaker["value"]) or bool(read["policy_deny_rate"]["breached"])


def _matches(code: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(code, pattern) for pattern in patterns)


def _from_market(read: Mapping[str, dict], findings: Mapping[str, Finding]) -> Iterator[Cause]:
    exchange, limit = findings["exchange"], read["execution_latency"]["threshold"]
    if exchange.status == "ok":
        remaining = exchange.data["rate_limit"].get("x-ratelimit-remaining", "")
        if exchange.data["status"] == 429 or remaining == "0":
            yield Cause("rate_limit", 0.6, (("exchange_limits", {"status": exchange.data["status"]}),))
        milliseconds = 1000 * exchange.data["seconds"]
        if milliseconds > limit:
            yield Cause("exchange_latency", 0.6, (("exchange_slow", {"ms": round(milliseconds), "limit": limit}),))
    elif _trading_suffers(read) and findings["exchange_ping"].data.get("loss_percent") == 100.0:
        yield Cause("partition", 0.9, (("exchange_gone", {"problem": exchange.problem}),))
    if read["calibration_ece"]["breached"]:
        values = {"value": read["calibration_ece"]["value"], "limit": read["calibration_ece"]["threshold"]}
        yield Cause("miscalibration", 0.5, (("ece_high", values),))
    if read["calibration_ece"]["breached"] is not False:
        yield from _from_model(findings)


def _from_model(findings: Mapping[str, Finding]) -> Iterator[Cause]:
    """Trades that no model may be fitted to come before the model itself."""
    trades, model = (findings.get(name, Finding("timeout")).data for name in ("trades", "model_valid"))
    if trades.get("cause") in TRADE_CAUSES:
        yield Cause(trades["cause"], 0.85, ((trades["message"], trades["values"]),))
    elif model.get("valid") is False:
        yield Cause("miscalibration", 0.5, (("model_invalid", {"says": model["says"]}),))


def _from_host(read: Mapping[str, dict], findings: Mapping[str, Finding]) -> Iterator[Cause]:
    for unit in findings["units"].data.values():
        yield from _from_unit(unit, findings)
    nginx = findings["nginx_config"]
    if nginx.status == "ok" and not nginx.data["valid"]:
        yield Cause("nginx_config", 0.95, (("nginx_says", {"message": nginx.data["message"]}),))
    if "expired" in findings["certificate"].problem:
        yield Cause("certificate_expired", 0.95, (("certificate_says", {"problem": findings["certificate"].problem}),))
    if findings["dns"].status != "ok":
        yield Cause("dns", 0.9, (("dns_says", {"problem": findings["dns"].problem}),))
    disk = findings["disk"].data
    for figure in ("used_percent", "inodes_used_percent"):
        if disk.get(figure, 0) >= FULL_PERCENT:
            values = {"path": disk["path"], "what": figure, "percent": disk[figure]}
            yield Cause("disk_full", 0.95, (("disk_says", values),))
    if read["execution_latency"]["breached"]:
        load = findings["load"].data
        if load.get("busy_percent", 0) >= 90 and load["processes"]:
            yield Cause("local_cpu", 0.7, (("cpu_says", {"busy": load["busy_percent"], **load["processes"][0]}),))
        for name, device in findings["iostat"].data.get("devices", {}).items():
            if device["util_percent"] >= 90:
                yield Cause("local_disk", 0.7, (("iostat_says", {"name": name, "util": device["util_percent"]}),))


def _from_unit(unit: Mapping, findings: Mapping[str, Finding]) -> Iterator[Cause]:
    role = unit["role"] if unit["loaded"] == "loaded" else "absent"
    values = {"unit": unit["id"], "state": unit["state"], "restarts": unit["restarts"] or 0}
    if role == "nginx" and not unit["running"]:
        yield Cause("nginx_down", 0.9, (("unit_down", values),))
    if role != "feed":
        return
    if not unit["running"]:
        looping = "auto-restart" in unit["state"] and values["restarts"] >= 3
        yield Cause("feed_crash_loop" if looping else "feed_down", 0.9, (("unit_down", values),))
    elif findings["healthz_local"].status != "ok" or not findings["healthz_local"].data["ok"]:
        problem = findings["healthz_local"].problem or f"HTTP {findings['healthz_local'].data['status']}"
        yield Cause("feed_hung", 0.9, (("healthz_says", {"unit": unit["id"], "problem": problem}),))
    limit = unit["memory_high"] or unit["memory_max"]
    if limit and (unit["memory"] or 0) >= NEAR_LIMIT * limit:
        figures = {"unit": unit["id"], "mib": unit["memory"] >> 20, "limit": limit >> 20}
        yield Cause("memory_limit", 0.8, (("memory_says", figures),))


def describe(causes_found: Sequence[Cause]) -> list[dict]:
    """Causes as triage_info returns them: each piece of evidence with its key, values and English text."""
    return [
        {
            "cause": cause.name,
            "weight": round(cause.weight, 3),
            "evidence": [_messages.sentence(key, **values) for key, values in cause.evidence],
        }
        for cause in causes_found
    ]
