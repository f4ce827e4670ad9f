# SPDX-License-Identifier: GPL-3.0-or-later
"""The standing of each host, which hosts are repaired, and how a run ended. Private to aurora.runbook; controller only.

These functions decide which host is changed. They are pure: the action plugin ``decision`` passes in what the hosts
answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _messages
from ansible_collections.aurora.runbook.plugins.module_utils.aurora._verdicts import GOOD
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.module_utils.look import _summary, _triage
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record
from ansible_collections.aurora.runbook.plugins.plugin_utils._texts import say

REVERT = "revert"
NO_WAY = _summary.NO_WAY
_RUNNER = (*_triage.RUNNER_OUT, *_triage.RUNNER_MOVES)
_SEEN = ("metric", "value", "threshold", "breached", "count", "source", "problem")
MARK = "aurora_step"  # the key in a step's result with its run, its module, and when it ended
# The causes that may pick a rung of a ladder, if not every cause of a look may.
_TRADING = (
    *("wide_spreads", "exchange_latency", "local_cpu", "rate_limit", "exchange_down", "miscalibration"),
    *("tight_thresholds", "partition", "packet_loss"),
)
_CAUSES = {
    "circuit_breaker": _TRADING,
    "policy_deny_rate": _TRADING,
    "execution_latency": (
        *("queueing", "exchange_latency", "local_cpu", "local_disk"),
        *("exchange_down", "partition", "packet_loss"),
    ),
    "sse_availability": (*_triage.SERVING, "unknown"),
}
# Added after a step that helped while the network loses packets.
_LOSS_STAYS = {"verdict": "escalated", "done": [{"message": "loss_stays", "values": {}}]}
_OF_ALERT = ("name", "fingerprint", "starts_at")  # what is recorded of an alert


@dataclass(frozen=True)
class Host:
    """What a run knows of a host: the result of triage_info, those of the rungs, the verdict, what is recorded.

    ``info`` is the result of incident_info if nobody looked, ``silence`` that of alertmanager_silence.
    """

    name: str
    look: Mapping = field(default_factory=dict)
    actions: Sequence[Mapping] = ()
    verdict: str = "unknown"
    ended: Mapping = field(default_factory=dict)
    info: Mapping = field(default_factory=dict)
    silence: Mapping = field(default_factory=dict)

    @property
    def found(self) -> Mapping:
        """The incidents and leases that were there before the run."""
        return self.look or self.info


def decide(
    language: str,
    incident: str,
    hosts: Sequence[str],
    looks: Mapping[str, Mapping],
    observed: Sequence[str],
    alert: Mapping,
    now: float,
) -> dict:
    """The decision after a look: which incident it is, the standing of each host, and which hosts are repaired.

    ``looks`` is what triage_info returned in this run, by host. It also has peers beside the ``hosts`` that the run is
    about, and lacks hosts that were not reached. ``observed`` are the hosts whose variables say that they are only
    observed.
    """
    judged = {name: judgement(language, looks.get(name, {}), incident) for name in sorted({*hosts, *looks})}
    healthy = {name for name, host in judged.items() if host["standing"] == "healthy"}
    breached = [name for name in sorted(hosts) if judged[name]["standing"] == "breached"]
    repaired = [name for name in breached if name not in observed]
    ours = [looks[name] for name in hosts if name in looks]
    return {
        "incident": incident,
        "id": incident_id(ours, incident, alert, now),
        "alert": {name: alert[name] for name in _OF_ALERT if name in alert},
        "looked_at": now,
        "age_seconds": max([float(alert.get("age_seconds") or 0.0), *_ages(ours, incident)]),
        "hosts": {name: judged[name] for name in sorted(hosts)},
        "peers": {name: host["standing"] for name, host in judged.items() if name not in hosts},
        "members": sorted(set(hosts) - healthy),
        "healthy_peers": len(healthy),
        "observed": [name for name in breached if name in observed],
        "repaired": repaired,
        "canary": repaired[0] if repaired else "",
        "unfinished": {name: judged[name]["unfinished"] for name in sorted(hosts) if judged[name]["unfinished"]},
    }


def judgement(language: str, look: Mapping, incident: str) -> dict:
    """The standing of a host and its reason, and what an action on it has to know of the look."""
    stands, ground = _judge(look, incident)
    unfinished = [lease["name"] for lease in look.get("leases", ()) if lease["phase"] != "active"]
    lossy = any(cause["cause"] == "packet_loss" for cause in look.get("causes", ()))
    return {
        "standing": stands,
        "reason": _redact.redact_lines([_reason(language, look, incident, ground)])[0],
        "breached": standing(look, incident, unfinished=False) == "breached",
        "unfinished": unfinished,
        "cause": cause(look, incident),
        "lossy": lossy,
        # Whether the action that cures it may end the run there. It may not if half-done changes are settled beside the
        # ladder, if the public path has the last word about the feed, or if a person has it because the network loses
        # packets.
        "last": not unfinished and not lossy and incident != "sse_availability",
        "seen": seen(look, incident),
    }


def standing(look: Mapping, incident: str, unfinished: bool = True) -> str:
    """The standing of a host after a look: ``breached``, ``healthy``, ``unknown``, or ``unhandled`` by the runbook.

    An ``unfinished`` override, of whatever service, comes before "nothing breached", and a HALF_OPEN breaker still
    needs something. A half-set profile of TCP settings does no harm until a run that repairs something settles it. The
    values of a runner that is down, hangs or keeps crashing are no indicator, and no rung is safe for it.
    """
    return _judge(look, incident, unfinished)[0]


def _judge(look: Mapping, incident: str, unfinished: bool = True) -> tuple[str, str]:
    """The standing of a host and its ground: the look itself, its leases, the runner, the public path, or the value."""
    entry = look.get("indicators", {}).get(incident)
    if not entry:
        return "unknown", "look"
    if look["probes"]["leases"]["status"] != "ok":
        return "unknown", "leases"
    if unfinished and incident in _indicators.INCIDENTS and any(map(_unfinished, look["leases"])):
        return "breached", "unfinished"
    if runner_ill(look, incident, _triage.RUNNER_OUT):
        return "unhandled", "runner"
    if runner_ill(look, incident, _triage.RUNNER_MOVES):
        return "unknown", "runner"
    if entry["value"] is None:
        return "unknown", "indicator"
    if entry["breached"] is False:
        blind = incident == "sse_availability" and NO_WAY in look["probes"]
        return ("unknown", "way") if blind else ("healthy", "indicator")
    return ("breached" if incident in _indicators.INCIDENTS else "unhandled"), "indicator"


def _reason(language: str, look: Mapping, incident: str, ground: str) -> str:
    """Why a host has its standing, as a sentence for the ground that _judge found."""
    if ground == "look":
        return (not_looked(language, look) or [say(language, "not_reached")])[0]
    if ground == "unfinished":
        halves = [lease["name"] for lease in look["leases"] if _unfinished(lease)]
        return say(language, "why_unfinished", units=", ".join(halves))
    if ground == "runner":
        return _summary.causes(language, causes(look, incident)[:1])[0]
    if ground in ("leases", "way"):
        return _summary.failed(language, look, ["leases" if ground == "leases" else NO_WAY])[0]
    entry = look["indicators"][incident]
    if entry["value"] is None:
        return _summary.blind(language, look, [incident])[0]
    if entry["breached"] is False:
        value, limit = (_messages.number(entry[name], entry["threshold"]) for name in ("value", "threshold"))
        return say(language, "why_healthy", metric=entry["metric"], value=value, limit=limit)
    return _summary.state(language, {"indicators": {incident: entry}, "severity": look["severity"]})[0]


def not_looked(language: str, result: Mapping) -> list[str]:
    """Why a look at a host failed, if that is known."""
    if not result:
        return []
    return [say(language, "unreachable" if result.get("unreachable") else "looked_badly", problem=first_line(result))]


def runner_ill(look: Mapping, incident: str, names: Sequence[str] = _RUNNER) -> bool:
    """Whether the indicator cannot be judged because the runner is out of order, or is starting or stopping."""
    ours = incident in _indicators.INDICATORS and _indicators.INDICATORS[incident].service == "runner"
    return ours and any(cause["cause"] in names for cause in look.get("causes", []))


def causes(look: Mapping, incident: str) -> list[Mapping]:
    """The causes that a look found, first those that prevent a judgement of the incident's indicator.

    Those that cannot belong to the incident come last: a host may have two faults at once.
    """
    first = _RUNNER if runner_ill(look, incident) else ()

    def order(found: Mapping) -> tuple[bool, bool]:
        return found["cause"] not in first, not concerns(found["cause"], incident)

    return sorted(look.get("causes", []), key=order)


def concerns(name: str, incident: str) -> bool:
    """Whether a cause can belong to an incident: what keeps clients away, what trading suffers from, or the unknown.

    Otherwise a slow exchange would be reported to somebody whose clients are led elsewhere.
    """
    if incident == "sse_availability":
        return name in _CAUSES[incident]
    of_runner = incident in _indicators.INDICATORS and _indicators.INDICATORS[incident].service == "runner"
    return not (of_runner and name in _triage.CLIENTS_ONLY)


def cause(look: Mapping, incident: str) -> str:
    """The cause that the ladder follows: the likeliest one that it knows. A side finding picks no rung."""
    found = [each["cause"] for each in causes(look, incident)]
    return next((name for name in found if name in _CAUSES.get(incident, found)), "unknown")


def seen(look: Mapping, incident: str) -> dict:
    """What a look found, in the form of a record: the incident's severity and indicator, causes, all values."""
    read = look.get("indicators", {})
    entry = read.get(incident, {})
    breached = set() if entry.get("breached") is False else {incident}  # an unknown value may be as bad as a breach
    values = {} if entry.get("value") is None else {incident: entry["value"]}
    return {
        "severity": _indicators.severity(values, breached),
        "indicator": {
            "name": incident,
            "alert": _indicators.INDICATORS[incident].alert,
            **{name: entry[name] for name in _SEEN if name in entry},
        },
        "causes": [
            {**cause, "evidence": [_messages.bare(said) for said in cause["evidence"]]}
            for cause in causes(look, incident)[:5]
        ],
        "indicators": {name: each["value"] for name, each in read.items()},
        "open": _open(look, incident),
    }


def incident_id(looks: Sequence[Mapping], incident: str, alert: Mapping, now: float) -> str:
    """The smallest id of that class that is open on a host, otherwise a new one, the same for the same alert."""
    known = [identity for look in looks for identity in _open(look, incident) if _record.ID.fullmatch(identity)]
    made = _record.make_id(incident, now - alert.get("age_seconds", 0.0), alert.get("key", ""))
    return min(known, default=made)


def _open(look: Mapping, incident: str) -> list[str]:
    """The incidents of that class that a look found open."""
    return [each["id"] for each in look.get("incidents", ()) if each["incident"] == incident]


def _unfinished(lease: Mapping) -> bool:
    """Whether this is an override that a run left half done, which the next run of any incident settles first."""
    return lease["phase"] != "active" and lease["kind"] == "service_override"


def unended(incident: str, host: Host) -> bool:
    """Whether the host's record lacks something of this run: an end that no action wrote, or a cut-off action."""
    if "indicators" not in host.look or host.ended.get("incidents"):
        return False
    return host.verdict != "healthy" or bool(_open(host.look, incident) or host.look.get("cut_off"))


def steps(known: Mapping, run: str) -> list[Mapping]:
    """What the steps of a run returned on a host, in order, from what its tasks registered.

    A half-set profile of TCP settings is settled last but placed first, because it must not be the last word on the
    incident. A failure is registered twice.
    """
    registered = [value for value in known.values() if isinstance(value, Mapping)]
    results = [one for value in registered for one in (value, *_of_loop(value)) if isinstance(one, Mapping)]
    ours = [one for one in results if isinstance(one.get(MARK), Mapping) and one[MARK].get("run") == run]
    once = {one[MARK]["at"]: one for one in ours}
    return sorted(once.values(), key=lambda one: (not _half_tcp(one[MARK]), one[MARK]["at"]))


def _half_tcp(mark: Mapping) -> bool:
    return bool(mark["settles"]) and mark["module"] == "tcp_tuning"


def _of_loop(value: Mapping) -> Sequence:
    results = value.get("results")
    return results if isinstance(results, list) else ()


def climb(incident: str, look: Mapping, returned: Sequence[Mapping], failure: Mapping) -> list[Mapping]:
    """What was tried on a host, from what its steps returned; ``failure`` is what ended the climb, if anything did."""
    told = not failure or any(step.get("failed") or step.get("unreachable") for step in returned)
    known = [*returned] if told else [*returned, failure]
    return [*known, *_loss_stays(incident, look, known)]


def _loss_stays(incident: str, look: Mapping, known: Sequence[Mapping]) -> list[Mapping]:
    """The note beside a step that helped although the network loses packets, which continues."""
    if incident not in _CAUSES or not known or cause(look, incident) != "packet_loss":
        return []
    helped = known[-1].get("verdict") == "recovered" and known[-1].get(MARK, {}).get("module") != "wait_for_recovery"
    return [_LOSS_STAYS] if helped else []


def verdict(tried: Sequence[Mapping]) -> str:
    """The verdict of a ladder from what was tried. If the runbook has no safe step left, a person is needed."""
    if not tried:
        return "escalated"
    if any(result.get("unreachable") for result in tried):  # the result of that step is unknown
        return "unknown"
    if any(result.get("failed") or result.get("verdict") == "escalated" for result in tried):
        return "escalated"
    if any(unsettled(result) for result in tried):
        return "escalated"
    last = "refused" if _held(tried) else tried[-1].get("verdict", "unknown")
    if last == "refused" and any(result.get("changed") for result in tried):  # "refused" would say that nothing changed
        return "escalated"
    return "escalated" if last == "not_recovered" else last


def unsettled(result: Mapping) -> bool:
    """Whether it found a cut-off action that a person has to look at."""
    return any(sentence["message"] in ("left_unknown", "left_open") for sentence in result.get("done", ()))


def held(tried: Iterable[Mapping], identity: str) -> bool:
    """Whether an action found another run at work on this incident."""
    return identity in _held(tried)


def _held(tried: Iterable[Mapping]) -> list[str]:
    """The incidents on which others were at work when something was tried; a dash for none."""
    told = (sentence for result in tried for sentence in result.get("done", ()))
    return [sentence["values"]["incident"] for sentence in told if sentence["message"] == "held"]


def first_line(result: Mapping) -> str:
    """What went wrong with a task, in one line."""
    return (str(result.get("msg") or "").strip().splitlines() or [""])[0]


def host(
    name: str,
    incident: str,
    look: Mapping,
    tried: Sequence[Mapping] | None,
    ended: Mapping | None = None,
    info: Mapping | None = None,
    silence: Mapping | None = None,
) -> Host:
    """A host with its verdict. ``tried`` is the result of climb(), None for a host on which nothing was tried."""
    said = _unrepaired(look, incident) if tried is None else verdict(tried)
    closed = [action["closed"] for action in tried or () if "closed" in action] if said == "recovered" else []
    on_record = {"incidents": closed} if closed else ended or {}
    said = "escalated" if unsettled(on_record) else said
    return Host(name, look, tried or (), said, on_record, info or {}, silence or {})


def _unrepaired(look: Mapping, incident: str) -> str:
    """The verdict of a host that no rung touched."""
    if incident == REVERT:
        return "refused"
    found = standing(look, incident)
    return {"breached": "not_recovered", "unhandled": "escalated"}.get(found, found)


def lacking(incident: str, identity: str, hosts: Iterable[Host]) -> dict[str, str]:
    """The hosts whose record lacks something of this run, each with the verdict that ends the run there.

    The verdict is "" if there is no end to record and only cut-off actions have to be settled. A host on which another
    run works on this incident is left to that run.
    """
    left = [one for one in hosts if unended(incident, one) and not held(one.actions, identity)]
    return {one.name: one.verdict if one.verdict != "healthy" or _open(one.look, incident) else "" for one in left}


def outcome(identity: str, hosts: Sequence[Host]) -> dict:
    """How a run ended: which hosts are not well, whether pages are due, whether the alert may sound, what is handed on.

    Pages are due while the incident stays open on a host. If another run works on the incident, the silence stays,
    because that run ends it.
    """
    recorded = [incident for one in hosts for incident in one.ended.get("incidents", ())]
    silenced = any(one.silence and not one.silence.get("skipped") for one in hosts)
    handed_on: dict = {"aurora_outcome": {one.name: one.verdict for one in hosts}}
    return {
        "unwell": [one.name for one in hosts if one.verdict not in GOOD],
        "open": any(incident["open"] for incident in recorded),
        "sound": silenced and not any(held(one.actions, identity) for one in hosts),
        "handed_on": {**handed_on, "aurora_incident_id": identity} if recorded else handed_on,
    }


def _ages(looks: Iterable[Mapping], incident: str) -> list[float]:
    """How long each open incident of that class has been recorded, in seconds."""
    known = (one for look in looks for one in look.get("incidents", ()) if one["incident"] == incident)
    return [float(one["age_seconds"]) for one in known]


def readable(language: str, look: Mapping, incident: str) -> Mapping:
    """What a host answered, or an error that it makes no sense, so that the other hosts are still repaired."""
    try:
        judgement(language, look, incident)
        incident_id([look], incident, {}, 0.0)
        _ages([look], incident)
        if "indicators" in look:
            _summary.summary(language, look)
    except Exception as error:  # a host may answer anything; the report says what went wrong
        return nonsense(error)
    return look


def nonsense(error: Exception) -> dict:
    """What replaces an answer of a host that makes no sense."""
    return {"failed": True, "msg": f"this version cannot read its answer ({type(error).__name__}: {error})"}
