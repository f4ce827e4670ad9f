# SPDX-License-Identifier: GPL-3.0-or-later
"""From the results of the probes to indicators, causes and severity: pure functions. Private to aurora.runbook."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _messages, _metrics
from ansible_collections.aurora.runbook.plugins.module_utils.aurora._messages import number
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.base._parallel import Finding
from ansible_collections.aurora.runbook.plugins.module_utils.look import _firewall, _public_way

# WHY codes of Aurora's source, by the cause they point to. "model" is resolved by the calibration error.
WHY_CAUSES = {
    "wide_spreads": ["SPREAD_*", "VOLATILITY_*"],
    "exchange_latency": ["LATENCY_*", "WHY_SLA_LATENCY", "WHY_LATENCY_*"],
    "rate_limit": ["WHY_RATE_LIMIT*"],
    "partition": ["WHY_CONN_ERR"],
    "model": ["WHY_UNATTRACTIVE", "WHY_NEGATIVE_EDGE", "WHY_LOW_PFILL"],
}
FEW_DENIALS, LAST_DENIALS = 10, 20
FEW_LOST, LOST_SHARE = 3, 0.2  # one or two of ten pings may be lost by accident
FULL_PERCENT = 95.0
NEAR_LIMIT, NEAR_QUOTA = 0.95, 0.9
UNEXPLAINED = 0.45  # the weight of a breach without a known cause: above the weight of findings beside it
LIMITED = (418, 429)  # Binance sends 418 to clients that went on after 429
HEARD = ("refused", "reset", "closed connection", "ssl")  # errors that show an answer of the other side
# The causes that keep clients from being served and Aurora from nothing else.
CLIENTS_ONLY = {
    *("feed_down", "feed_hung", "feed_crash_loop", "feed_starting", "feed_stopping"),
    *("nginx_down", "nginx_config", "nginx_starting", "nginx_stopping", "certificate_expired", "firewall"),
}
# The causes that explain why clients are not served.
SERVING = {*CLIENTS_ONLY, "memory_limit", "cpu_limit", "disk_full", "dns", "partition"}
BESIDE = 0.4  # the weight of findings beside the breach, which must not pick a rung before its cause
BUSY_PERCENT, WAITING_PERCENT, HOG_PERCENT, THROTTLED_PERCENT = 90, 20, 50, 50
# Causes for which the runner is out of order, or on its way. Its indicators say nothing then.
RUNNER_OUT = ("runner_down", "runner_crash_loop", "runner_hung")
RUNNER_MOVES = ("runner_starting", "runner_stopping")
# The indicators that need a window, which only Prometheus has in full.
WINDOWED = tuple(n for n, indicator in _indicators.INDICATORS.items() if indicator.kind not in ("state", "gauge"))
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
    findings: Mapping[str, Finding],
    windows: Mapping[str, float | None] | None,
    thresholds: Mapping[str, float],
    min_decisions: int = _indicators.INDICATORS["circuit_breaker"].min_count,
    doubts: Mapping[str, Mapping] | None = None,
) -> dict[str, dict]:
    """Every indicator by incident: value, threshold, breached (true, false, null), events behind it, why it is null.

    ``windows`` holds what Prometheus answered, and ``doubts`` why some of it cannot be believed; without windows, rates
    come from the two scrapes. A breaker that is CLOSED needs ``min_decisions`` behind it.
    """
    read = {}
    for name, indicator in _indicators.INDICATORS.items():
        limit = thresholds.get(name, indicator.threshold)
        level = indicator.kind in ("state", "gauge")
        doubt = (doubts or {}).get(name, {})
        if windows is not None and not level:
            seen = _asked(indicator, windows.get(name), limit, doubt.get("problem", ""), findings)
        else:
            seen = _scraped(indicator, findings[f"{indicator.service}_metrics"], min_decisions)
        read[name] = {
            "metric": indicator.metric,
            "value": seen.value,
            "threshold": limit,
            "breached": _indicators.verdict(indicator, seen, limit),
            "count": seen.count,
            "problem": seen.problem,
            "reason": doubt.get("reason", "") if seen.problem == doubt.get("problem") else "",
            "source": "scrape" if windows is None or level else "prometheus",
        }
    if _unserved(findings):
        read["sse_availability"].update(value=0.0, breached=True, count=None, problem="", reason="", source="healthz")
    elif _in_doubt(findings) and not read["sse_availability"]["breached"]:
        read["sse_availability"].update(
            value=None, breached=None, count=None, problem="in_doubt", reason="", source="outside"
        )
    return read


def _unserved(findings: Mapping[str, Finding]) -> bool:
    """Return whether no client can be served.

    That is if the feed is silent and also down, unhealthy or out of CPU, or if no public path reaches it.
    """
    feed = findings["units"].data.get("feed", {})
    silent = findings["feed_metrics"].status != "ok" and feed.get("loaded") == "loaded"
    down = feed.get("phase") not in (_systemd.RUNS, _systemd.UNKNOWN)
    ill = silent and (down or not _healthy(findings) or bool(_at_quota(feed, findings)))
    return ill or (bool(_broken_links(findings)) and not _in_doubt(findings))


def _in_doubt(findings: Mapping[str, Finding]) -> bool:
    """Whether it is rather the observer that is cut off.

    It reaches several hosts at none of their addresses and in the same way, while this one serves clients and its
    firewall closes nothing.
    """
    seen = findings.get("outside_observer", Finding("ok", {"seen": []})).data["seen"]
    links = _broken_links(findings)
    if len(seen) < 2 or any(tuple(others) != links for others in seen) or not any(map(_is_tcp, links)):
        return False
    closed = _decided(findings, _from_outside(findings)["tcp"]).state == _firewall.CLOSED
    return _serves(findings) and _clients(findings) > 0 and not closed


def _is_tcp(link: str) -> bool:
    return link.startswith("tcp")


def _clients(findings: Mapping[str, Finding]) -> float:
    page = findings["feed_metrics"].data.get("after")
    return (_indicators.known(page.highest("sse_clients_connected")).value or 0.0) if page else 0.0


def _at_quota(unit: Mapping, findings: Mapping[str, Finding]) -> dict | None:
    """The figures of a unit that uses (nearly) all of its quota, otherwise None.

    If the quota is too small for a clock tick, the kernel holding the unit back shows it. Waiting for a core says
    nothing about a quota, because on a busy machine everybody waits.
    """
    load, quota = findings["load"].data, unit["cpu_quota_percent"]
    used, held = (load.get(figure, {}).get(unit["role"]) or 0 for figure in ("units", "throttled"))
    figures = {"unit": unit["id"], "percent": used, "quota": quota, "held": held}
    return figures if quota and (used >= NEAR_QUOTA * quota or held >= THROTTLED_PERCENT) else None


def _healthy(findings: Mapping[str, Finding]) -> bool:
    local = findings["healthz_local"]
    return local.status == "ok" and local.data["ok"]


def outside(result: Mapping) -> dict[str, Finding]:
    """The result of public_way_info as findings; none for {}. Raises RunbookError for anything else.

    The result may also have ``observer``: its ``name``, and the broken links that it has ``seen`` of every host of the
    run.
    """
    try:
        probes = result["probes"] if result else {}
        found = {
            f"outside_{name}": Finding(probe["status"], dict(probe["data"]), probe["problem"], float(probe["seconds"]))
            for name, probe in probes.items()
        }
        _broken_links(found)
        observer = result.get("observer") or {"name": "", "seen": []}
        seen = [[str(link) for link in links] for links in observer["seen"]]
        if found:
            found["outside_observer"] = Finding("ok", {"name": str(observer["name"]), "seen": seen})
    except (AttributeError, KeyError, TypeError, ValueError):
        raise RunbookError("outside is not what public_way_info returned; register its result and pass that") from None
    return found


def _from_outside(findings: Mapping[str, Finding]) -> dict[str, Finding]:
    length = len("outside_")
    return {name[length:]: finding for name, finding in findings.items() if name.startswith("outside_")}


def _broken_links(findings: Mapping[str, Finding]) -> tuple[str, ...]:
    return _public_way.judge(_from_outside(findings))


def prometheus(findings: Mapping[str, Finding]) -> tuple[Mapping | None, Mapping]:
    """What Prometheus answered by indicator, None if it was not asked, and why it cannot be believed."""
    asked = findings.get("prometheus")
    if asked is None:
        return None, {}
    if asked.status != "ok":
        return {}, {name: {"problem": "unclear", "reason": asked.problem} for name in WINDOWED}
    return asked.data["values"], asked.data["doubts"]


def _asked(
    indicator: _indicators.Indicator, value: float | None, limit: float, problem: str, findings: Mapping[str, Finding]
) -> _indicators.Value:
    """What Prometheus answered, unless that is old or the service itself does not answer.

    Over a short time only a breach is known, as with two scrapes. A counter without series means 0 only if its page has
    the family.
    """
    seen, beyond = _indicators.known(value), value is not None and indicator.breached(value, limit)
    if problem and not (problem == "too_few" and beyond):
        return _indicators.Value(None, problem=problem)
    if seen.value is None:
        return seen
    metrics = findings[f"{indicator.service}_metrics"]
    # A feed may refuse us its metrics and still answer its health check.
    if metrics.status != "ok" and not (indicator.service == "feed" and _healthy(findings)):
        return _indicators.Value(None, problem="silent")
    if indicator.labelled and not beyond and not metrics.data["after"].has(indicator.family):
        return _indicators.Value(None, problem="no_data")
    return seen


def _scraped(indicator: _indicators.Indicator, finding: Finding, min_decisions: int) -> _indicators.Value:
    if finding.status != "ok":
        return _indicators.Value(None, problem="silent")
    before, after = finding.data["before"], finding.data["after"]
    seen = _indicators.measure(indicator, before, after, finding.data["seconds"])
    if indicator.kind != "state" or seen.value != _indicators.CLOSED:
        return seen
    # A breaker is CLOSED for a moment after its process started, or between two openings.
    worst = before.highest(indicator.family)
    if worst is None or not worst <= seen.value:
        return _indicators.known(worst, seen.count)
    few = seen.count is None or seen.count < min_decisions
    return _indicators.Value(None, seen.count, "too_few") if few else seen


def why(findings: Mapping[str, Finding], now: float) -> Why:
    """WHY codes of the sample window, else of the log of denials, else since the services started.

    The log is used if the window saw few denials, since an open breaker decides nothing. The runner's page is asked
    first, then the feed's.
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
        for labels, value in (page["after"].counts("policy_denied_total") or {}).items():
            code = dict(labels).get("why", "")
            counted[code] = counted.get(code, 0.0) + value
        if sum(counted.values()):
            return _shares("since_start", counted)
    return Why("none", 0, {})


def _logged_denials(lines: Sequence[str], now: float, newer_than: float = 900) -> dict[str, float]:
    """Codes of the denials logged in the last ``newer_than`` seconds; a line in another form is ignored."""
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
    """Likely causes with the evidence for each, the likeliest first; ``unknown`` for a breach that nothing explains."""
    merged: dict[str, Cause] = {}
    for cause in [
        *_from_why(read, codes, findings, why_causes),
        *_from_market(read, findings),
        *_from_host(read, findings),
        *_from_way(findings),
    ]:
        old = merged.get(cause.name, Cause(cause.name, 0.0, ()))
        merged[cause.name] = Cause(cause.name, max(old.weight, cause.weight), (*old.evidence, *cause.evidence))
    if not merged and any(entry["breached"] for entry in read.values()):
        return [Cause("unknown", 0.0, (("no_cause", {}),))]
    if any(cause.name in SERVING and cause.weight > BESIDE for cause in merged.values()):
        merged.pop("unknown", None)  # what was seen from outside follows from that cause; the report mentions it anyway
    return sorted(merged.values(), key=lambda cause: (-cause.weight, cause.name))


def _from_why(
    read: Mapping[str, dict], codes: Why, findings: Mapping[str, Finding], why_causes: Mapping[str, Sequence[str]]
) -> Iterator[Cause]:
    if not _trading_suffers(read):
        return
    for code, share in codes.shares.items():
        name = next((n for n, patterns in why_causes.items() if _matches(code, patterns)), None)
        if name == "model":
            name = _of_the_model(read, findings)
        elif name == "exchange_latency":
            name = _of_latency(read, findings)
        elif name == "partition":
            name = "packet_loss" if _lossy(findings) else _of_connections(findings)
        if name and share >= 0.1:
            values = {"code": code, "percent": round(100 * share), "denials": round(codes.denials)}
            yield Cause(name, share, (("why_share", values),))


def _of_the_model(read: Mapping[str, dict], findings: Mapping[str, Finding]) -> str | None:
    """Whether the model is wrong, or the thresholds are too tight for a good one. None if it is unknown."""
    breached = read["calibration_ece"]["breached"]
    if breached is None:
        valid = findings["model_valid"].data.get("valid") if "model_valid" in findings else None
        return "miscalibration" if valid is False else None
    return "miscalibration" if breached else "tight_thresholds"


def _of_latency(read: Mapping[str, dict], findings: Mapping[str, Finding]) -> str:
    """Whether the exchange is slow, or the network to it, or it answers at once while the runner waits for a core."""
    exchange, limit = findings["exchange"], read["execution_latency"]["threshold"]
    quick = exchange.status == "ok" and 1000 * exchange.data["seconds"] <= limit
    hogged = any(cause.weight > BESIDE for cause in _from_load(findings))
    return "local_cpu" if quick and hogged else "packet_loss" if _lossy(findings) else "exchange_latency"


def _lossy(findings: Mapping[str, Finding]) -> bool:
    """Whether the network loses packets to the exchange. One or two lost of ten prove nothing, nor do all of them.

    Ping goes on until its answers have come or its time is up, so that more are known of a lossy network.
    """
    return _lost(findings, "exchange_ping") is not None


def _lost(findings: Mapping[str, Finding], probe: str) -> dict | None:
    """The lost pings, if they are too many to be an accident."""
    said = findings.get(probe, Finding("timeout")).data
    sent, received = said.get("sent", 0), said.get("received", 0)
    if not received or sent - received < FEW_LOST or sent - received < LOST_SHARE * sent:
        return None
    return {"host": said["host"], "sent": sent, "lost": sent - received}


def _from_loss(findings: Mapping[str, Finding]) -> Iterator[Cause]:
    for probe in ("exchange_ping", "network_ping"):  # losses to the latter are not at the exchange's end of the path
        lost = _lost(findings, probe)
        if lost:
            yield Cause("packet_loss", 0.7, (("packets_lost", lost),))


def _of_connections(findings: Mapping[str, Finding]) -> str:
    """Why connections fail: the network, or an exchange that is out of order or wants fewer of them."""
    exchange = findings["exchange"]
    said = list(_from_answer(exchange.data, 1.0)) if exchange.status == "ok" else []
    named = [cause.name for cause in said if cause.name != "unknown"]
    heard = exchange.status != "ok" and findings["dns"].status == "ok" and _heard_of(findings)
    return named[0] if named else "exchange_down" if heard else "partition"


def _trading_suffers(read: Mapping[str, dict]) -> bool:
    breaker = read["circuit_breaker"]
    return bool(breaker["value"]) or bool(read["policy_deny_rate"]["breached"])


def _matches(code: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(code, pattern) for pattern in patterns)


def _from_market(read: Mapping[str, dict], findings: Mapping[str, Finding]) -> Iterator[Cause]:
    exchange, limit = findings["exchange"], read["execution_latency"]["threshold"]
    weight = 0.6 if _trading_suffers(read) or read["execution_latency"]["breached"] else BESIDE
    lossy = weight > BESIDE and _lossy(findings)
    if lossy:
        yield from _from_loss(findings)
    if exchange.status == "ok":
        yield from _from_answer(exchange.data, weight)
        milliseconds = 1000 * exchange.data["seconds"]
        if milliseconds > limit:
            figures = {"ms": number(milliseconds, limit), "limit": number(limit, limit)}
            yield Cause("packet_loss" if lossy else "exchange_latency", weight, (("exchange_slow", figures),))
        elif read["execution_latency"]["breached"] and exchange.data["status"] < 300:
            p99 = read["execution_latency"]["value"]
            figures = {"p99": number(p99, limit), "ms": number(milliseconds, limit)}
            yield Cause("queueing", 0.5, (("orders_wait", figures),))
        if dead := exchange.data.get("dead"):
            yield Cause("exchange_latency", BESIDE, (("address_dead", {"addresses": ", ".join(dead)}),))
    elif findings["dns"].status == "ok" and not (lossy and not _refuses(findings)):  # else name or network is at fault
        yield from _from_silence(findings, _trading_suffers(read), weight)
    if read["calibration_ece"]["breached"]:
        value, limit = (read["calibration_ece"][name] for name in ("value", "threshold"))
        values = {"value": number(value, limit), "limit": number(limit, limit)}
        yield Cause("miscalibration", 0.5, (("ece_high", values),))
    if read["calibration_ece"]["breached"] is not False:
        yield from _from_model(findings)


def _from_answer(exchange: Mapping, weight: float) -> Iterator[Cause]:
    """What the exchange's answer says about itself, and about how many requests it takes from us."""
    status, limits = exchange["status"], exchange["rate_limit"]
    says = {"status": status, "retry": limits.get("retry-after") or "–"}
    limited = status in LIMITED or (status == 403 and "retry-after" in limits)
    if status >= 500:
        yield Cause("exchange_down", 0.8 if weight > BESIDE else BESIDE, (("exchange_answers", says),))
    elif limited or limits.get("x-ratelimit-remaining", "") == "0":
        yield Cause("rate_limit", weight, (("exchange_limits", says),))
    elif status >= 300 and weight > BESIDE:
        yield Cause("unknown", UNEXPLAINED, (("exchange_answers", says),))


def _from_silence(findings: Mapping[str, Finding], suffers: bool, weight: float) -> Iterator[Cause]:
    """What it means that the exchange does not answer.

    If it refuses or ends a connection, its host has answered. An unanswered ping proves nothing, because many hosts and
    networks answer none. The network is at fault only if no other host answers either, or if there is no route.
    """
    problem = findings["exchange"].problem
    says = {"problem": problem}
    alone = findings.get("network_ping", Finding("timeout")).data.get("loss_percent") == 100.0
    if _heard_of(findings):
        sure = 0.8 if _refuses(findings) else 0.5
        yield Cause("exchange_down", sure if suffers else BESIDE, (("exchange_silent", says),))
    elif "certificate" not in problem and ("unreachable" in problem or (alone and _unpinged(findings))):
        yield Cause("partition", 0.9 if suffers else BESIDE, (("exchange_gone", says),))
    elif "certificate" not in problem and _unpinged(findings) and suffers:
        yield Cause("partition", 0.6, (("exchange_gone", says),))
    elif weight > BESIDE:
        yield Cause("unknown", UNEXPLAINED, (("exchange_unanswered", says),))


def _refuses(findings: Mapping[str, Finding]) -> bool:
    return any(word in findings["exchange"].problem.lower() for word in HEARD)


def _heard_of(findings: Mapping[str, Finding]) -> bool:
    """Whether the exchange's host answered in some way although the exchange did not."""
    if "certificate" in findings["exchange"].problem:  # it answers, but we reject its certificate
        return False
    loss = findings["exchange_ping"].data.get("loss_percent")
    return (loss is not None and loss < 100) or _refuses(findings)


def _unpinged(findings: Mapping[str, Finding]) -> bool:
    return findings["exchange_ping"].data.get("loss_percent") == 100.0


def _from_model(findings: Mapping[str, Finding]) -> Iterator[Cause]:
    """Causes in the trades and the model. Trades that no model may be fitted to come before the model itself."""
    trades, model = (findings.get(name, Finding("timeout")).data for name in ("trades", "model_valid"))
    if trades.get("cause") in TRADE_CAUSES:
        yield Cause(trades["cause"], 0.85, ((trades["message"], trades["values"]),))
    elif model.get("valid") is False:
        yield Cause("miscalibration", 0.5, (("model_invalid", {"says": model["says"]}),))


def _from_host(read: Mapping[str, dict], findings: Mapping[str, Finding]) -> Iterator[Cause]:
    lossy = read["sse_availability"]["breached"] is True and read["sse_availability"]["source"] != "healthz"
    ill = [cause for unit in findings["units"].data.values() for cause in _from_unit(unit, findings, lossy)]
    yield from ill
    nginx = findings["nginx_config"]
    if nginx.status == "ok" and not nginx.data["valid"]:  # an nginx that runs still serves the configuration it loaded
        runs = findings["units"].data.get("nginx", {}).get("running", False)
        yield Cause("nginx_config", BESIDE if runs else 0.95, (("nginx_says", {"message": nginx.data["message"]}),))
    if "expired" in findings["certificate"].problem:
        yield Cause("certificate_expired", 0.95, (("certificate_says", {"problem": findings["certificate"].problem}),))
    if findings["dns"].status != "ok":
        yield Cause("dns", 0.85, (("dns_says", {"problem": findings["dns"].problem}),))
    serving = _healthy(findings) and not lossy and not any(cause.name in RUNNER_OUT for cause in ill)
    for path, figures in findings["disk"].data.get("paths", {}).items():
        for what in ("used_percent", "inodes_used_percent"):
            if figures[what] >= FULL_PERCENT:
                says = {"path": path, "what": what, "percent": figures[what]}
                yield Cause("disk_full", BESIDE if serving else 0.95, (("disk_says", says),))
    if read["execution_latency"]["breached"]:
        most = BESIDE if _trading_suffers(read) else 1.0  # the codes of denials say more then, see _of_latency()
        for cause in _from_load(findings):
            yield replace(cause, weight=min(most, cause.weight))
        for name, device in findings["iostat"].data.get("devices", {}).items():
            if device["util_percent"] >= 90:
                yield Cause("local_disk", 0.7, (("iostat_says", {"name": name, "util": device["util_percent"]}),))


def _from_load(findings: Mapping[str, Finding]) -> Iterator[Cause]:
    """Another process takes the CPU, either the core that the runner waits for or that of the whole host."""
    load, runner = findings["load"].data, findings["units"].data.get("runner", {}).get("pid")
    for busiest in load.get("processes", [])[:1]:
        busy, own, waiting = load["busy_percent"], load["own_percent"], load["waiting"]["runner"]
        if waiting >= WAITING_PERCENT and busiest["pid"] != runner and busiest["cpu_percent"] >= HOG_PERCENT:
            yield Cause("local_cpu", 0.7, (("cpu_waits", {"waiting": waiting, **busiest}),))
        elif busy >= BUSY_PERCENT and own >= busy / 2:
            yield Cause("local_cpu", 0.7, (("cpu_says", {"busy": busy, **busiest}),))
        elif busy >= BUSY_PERCENT:
            yield Cause("local_cpu", BESIDE, (("cpu_says_elsewhere", {"busy": busy, "own": own}),))


def _from_unit(unit: Mapping, findings: Mapping[str, Finding], lossy: bool) -> Iterator[Cause]:
    role, phase = unit["role"], unit["phase"]
    here = unit["loaded"] == "loaded" or (role == "runner" and unit["loaded"] != "not-found")  # masked: it is down too
    # A broken configuration is the cause, and nginx being down only follows from it.
    if not here or (role == "nginx" and not findings["nginx_config"].data.get("valid", True)):
        return
    values = {"unit": unit["id"], "state": unit["state"], "restarts": unit["crashes"]}
    answers = _answers(role, findings)
    if _loops(unit, answers) and role != "nginx":
        yield Cause(f"{role}_crash_loop", 0.9, (("unit_down", values),))
    elif phase in (_systemd.ENDED, _systemd.FAILED):
        yield Cause(f"{role}_down", 0.9, (("unit_down", values),))
    elif phase in (_systemd.STARTS, _systemd.RESTARTS):
        yield Cause(f"{role}_starting", 0.9, (("unit_down", values),))
    elif phase == _systemd.STOPS:
        yield Cause(f"{role}_stopping", 0.9, (("unit_down", values),))
    elif not answers and phase == _systemd.UNKNOWN:
        yield Cause("unknown", 0.0, (("unit_down", values),))
    elif not answers and role == "feed":
        problem = findings["healthz_local"].problem or f"HTTP {findings['healthz_local'].data['status']}"
        yield Cause("feed_hung", 0.9, (("healthz_says", {"unit": unit["id"], "problem": problem}),))
    elif not answers:
        young = (unit["up_seconds"] or 0) < _systemd.YOUNG_SECONDS
        says = {"unit": unit["id"], "problem": findings["runner_metrics"].problem}
        yield Cause("runner_starting" if young else "runner_hung", 0.9, (("page_says", says),))
    if role == "feed":
        silent = findings["feed_metrics"].status != "ok"
        suffers = lossy or silent or not unit["running"] or not answers
        yield from _from_limits(unit, findings, 0.93 if suffers else BESIDE)


def _answers(role: str, findings: Mapping[str, Finding]) -> bool:
    """Whether a running service does its work, as far as it can be asked."""
    if role == "feed":
        return _healthy(findings)
    return role != "runner" or findings["runner_metrics"].status == "ok"


def _loops(unit: Mapping, answers: bool) -> bool:
    """Whether a service keeps ending: it is between two starts, or was just started and has not ended again yet."""
    if unit["crashes"] < _systemd.LOOP_CRASHES:
        return False
    if unit["running"]:
        return (unit["up_seconds"] or 0) < _systemd.YOUNG_SECONDS and not answers
    return unit["phase"] != _systemd.ENDED


def _from_limits(unit: Mapping, findings: Mapping[str, Finding], weight: float) -> Iterator[Cause]:
    """Limits as the cause. A service at its limits hangs or dies from them, so they weigh more than the symptoms."""
    high, most = unit["memory_high"] or unit["memory_max"], unit["memory_max"] or unit["memory_high"]
    kills = _kills(unit)
    if high and unit["memory_own"] >= NEAR_LIMIT * high:
        figures = {"unit": unit["id"], "mib": unit["memory_own"] >> 20, "limit": high >> 20}
        yield Cause("memory_limit", weight, (("memory_says", figures),))
    elif most and kills:
        figures = {"unit": unit["id"], "kills": kills, "limit": most >> 20}
        yield Cause("memory_limit", 0.93, (("memory_killed", figures),))
    figures = _at_quota(unit, findings)
    if figures:
        yield Cause("cpu_limit", weight, (("quota_holds" if figures["held"] else "quota_says", figures),))


def _kills(unit: Mapping) -> int:
    """How often a unit was killed for its memory: systemd says so, or (cgroup v1) nobody sent the repeated kills."""
    if unit["result"] == "oom-kill" or unit["killed_for_memory"]:
        return max(1, unit["killed"])
    return unit["killed"] if unit["killed"] >= 2 else 0


def _from_way(findings: Mapping[str, Finding]) -> Iterator[Cause]:
    """Causes that only the public path shows from outside; "unknown" for what other causes have to explain."""
    way = _from_outside(findings)
    for link in _public_way.judge(way):
        finding = _public_way.finding(way, link)
        says = ("outside_says", {"link": link, "problem": finding.problem})
        if _in_doubt(findings):
            yield Cause("unknown", UNEXPLAINED, (says,))
        elif link == "dns":
            yield Cause(link, 0.9, (says, *_alone(findings)))
        elif link == "certificate_expired":
            yield Cause(link, 0.9, (says,))
        else:
            yield (_blocked(link, finding, findings) if _is_tcp(link) else None) or Cause(
                "unknown", UNEXPLAINED, (says,)
            )
    if _in_doubt(findings):
        observer = findings["outside_observer"].data
        values = {"observer": observer["name"], "hosts": len(observer["seen"]), "clients": round(_clients(findings))}
        yield Cause("unknown", UNEXPLAINED, (("observer_cut_off", values),))
    if dead := way["tcp"].data.get("dead") if "tcp" in way else None:
        yield Cause("dns", BESIDE, (("address_dead", {"addresses": ", ".join(dead)}),))


def _alone(findings: Mapping[str, Finding]) -> tuple[tuple[str, dict], ...]:
    """The note that a single observer saw something of which the host itself shows nothing."""
    observer = findings.get("outside_observer", Finding("ok", {"name": ""})).data["name"]
    return (("one_observer", {"observer": observer}),) if observer and _serves(findings) else ()


def _serves(findings: Mapping[str, Finding]) -> bool:
    """Whether the host would serve a client that reaches it."""
    return findings["units"].data.get("nginx", {}).get("running", False) and _healthy(findings)


def _blocked(link: str, way: Finding, findings: Mapping[str, Finding]) -> Cause | None:
    """Nobody reaches a host that would serve: its own firewall, or the network in between, is at fault."""
    port = way.data["port"]
    if not _serves(findings):
        return None
    decided = _decided(findings, way)
    if decided.state == _firewall.CLOSED:
        return Cause("firewall", 0.9, (("firewall_closed", {"port": port, "rule": decided.rule}),))
    if link == "tcp_refused":
        return None
    says = {"port": port, "problem": way.problem}
    if decided.state == _firewall.OPEN:
        return Cause("partition", 0.9, (("no_way_in", says), *_alone(findings)))
    unsure = ("no_way_in_unsure", {**says, "rule": decided.rule or findings["firewall"].problem or "–"})
    return Cause("partition", 0.6, (unsure, *_alone(findings)))


def _decided(findings: Mapping[str, Finding], way: Finding) -> _firewall.Decision:
    """What this host's firewall does with clients at the port that nobody reaches, on the path that they take."""
    firewall, port = findings["firewall"], way.data["port"]
    if firewall.status != "ok":
        return _firewall.Decision(_firewall.UNDECIDED)
    tried = way.data.get("addresses", [])
    own = firewall.data.get("addresses", [])
    decisions = []
    for version, rules in (("4", firewall.data["rules"]), ("6", firewall.data.get("rules6", []))):
        family = [[address for address in known if (":" in address) == (version == "6")] for known in (tried, own)]
        if family[0] or (version == "4" and not tried):
            at = [address for address in family[0] if address in own] or family[1]
            packet = _firewall.Packet(port, tuple(firewall.data.get("interfaces", [])), tuple(at))
            decisions.append(_firewall.decide(rules, packet))
    states = {each.state for each in decisions}
    return decisions[0] if len(states) == 1 else _firewall.Decision(_firewall.UNDECIDED)


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
