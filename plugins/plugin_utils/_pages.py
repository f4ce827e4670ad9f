# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages that are due, from the records of the hosts. Private to aurora.runbook; controller only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.module_utils.look import _summary
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record
from ansible_collections.aurora.runbook.plugins.plugin_utils import _escalation, _report
from ansible_collections.aurora.runbook.plugins.plugin_utils._texts import say

MAX_PROBLEM = 200  # characters of the reason why an action failed
REMEMBER = 3  # how many hosts remember a page about another host; each tick asks them while that one is away


def due(language: str, hosts: Mapping[str, Mapping], now: float) -> list[dict]:
    """A page for each level that is due in each open incident, and one for each host whose record cannot be read.

    ``hosts`` is what incident_info returned by host, empty for one that was not asked, ``now`` is in seconds since
    1970. Each page has ``id``, ``level``, ``key``, ``title``, ``body``, ``hosts``, whose records are asked whether it
    was sent, ``owner``, which sends it, and ``unread``, the host that could not be read, if it is about one.
    """
    unread = {name: result for name, result in hosts.items() if result and _problem(result)}
    asked = [name for name, result in hosts.items() if "incidents" in result]
    return [*_due(language, hosts), *(_unread(language, *one, asked, now) for one in unread.items())]


def readable(hosts: Mapping[str, Mapping]) -> dict[str, Mapping]:
    """What hosts answered, each judged by itself: one with senseless records keeps no page from the others.

    No answer is trusted: a senseless one becomes one that could not be read, which is paged as such.
    """
    problems = {name: _nonsense(name, result) for name, result in hosts.items()}
    return {name: {"msg": problems[name]} if problems[name] else result for name, result in hosts.items()}


def _nonsense(name: str, result: Mapping) -> str:
    """Why no page can be made from a host's answer, "" if one can."""
    alone = {name: result}
    try:
        for incident in _escalation.merge({name: result.get("incidents", ())}):
            _record.incident_of(incident.id)
            _escalation.page("en", "L1", _facts(incident, alone))
            _escalation.to_page(max(_escalation.LEVELS.values()) + 1, incident.levels)
        missed(alone)
        overview("en", alone, ())
    except Exception as error:  # a host may answer anything; the page about it says what is wrong
        return f"this version cannot read its record ({type(error).__name__}: {error})"
    return ""


def _unread(language: str, host: str, result: Mapping, asked: Sequence[str], now: float) -> dict:
    """The page about a host that cannot be read, which some other hosts remember for a day."""
    identity = _record.make_id(_record.NOBODY, now - now % 86400, host)
    title, body = _escalation.unread(language, host, _problem(result))
    return {**_page(identity, "L1", title, body, asked[:REMEMBER], asked[0] if asked else host), "unread": host}


def _problem(result: Mapping) -> str:
    """Why not all records of a host could be read, "" if they could."""
    unread = "incidents" not in result or result.get("failed")
    return (_report.first_line(result) or "?")[: 2 * MAX_PROBLEM] if unread else ""


def _page(identity: str, level: str, title: str, body: str, hosts: Sequence[str], owner: str) -> dict:
    page = {"id": identity, "level": level, "key": _escalation.key(identity, level), "title": title, "body": body}
    return {**page, "hosts": list(hosts), "owner": owner, "unread": ""}


def _due(language: str, hosts: Mapping[str, Mapping]) -> list[dict]:
    read = {name: result["incidents"] for name, result in hosts.items() if "incidents" in result}
    pages = []
    for incident in _escalation.merge(read):
        if not incident.open:
            continue
        for level in _escalation.to_page(incident.age_seconds, incident.levels):
            title, body = _escalation.page(language, level, _facts(incident, hosts))
            pages.append(_page(incident.id, level, title, body, incident.hosts, incident.hosts[0]))
    return pages


def _facts(incident: _escalation.Incident, hosts: Mapping[str, Mapping]) -> dict:
    return {**incident.__dict__, "hosts": [about(name, hosts[name], incident.id) for name in incident.hosts]}


def missed(hosts: Mapping[str, Mapping]) -> list[dict]:
    """Pages that one record of an open incident has and another one lacks: what to add, and on which host.

    A host that was away when a level was paged would otherwise page it again once the other hosts are away.
    """
    read = {name: result["incidents"] for name, result in hosts.items() if "incidents" in result}
    lacking = []
    for incident in (one for one in _escalation.merge(read) if one.open):
        levels = {name: _levels_of(read[name], incident.id) for name in incident.hosts}
        for level, page in incident.levels.items():
            if page["state"] != "paged" or not page.get("sent"):
                continue
            line = {"id": incident.id, "level": level, "key": page.get("key") or "", "sent": page["sent"]}
            line.update(failed=page.get("failed") or [], at=page["at"])
            lacking += [{"host": name, **line} for name in incident.hosts if _lacks(levels[name].get(level) or {})]
    return lacking


def _levels_of(incidents: Sequence[Mapping], identity: str) -> Mapping:
    return next(one["levels"] for one in incidents if one["id"] == identity)


def _lacks(page: Mapping) -> bool:
    return page.get("state") != "paged" or bool(page.get("remembered"))


def concerned(pages: Sequence[Mapping], missed: Sequence[Mapping]) -> list[str]:
    """The hosts on which a tick has something to do: those of pages that are due, and those that missed one."""
    paged = {name for page in pages for name in (*page["hosts"], page["owner"])}
    return sorted(paged.union(line["host"] for line in missed))


def goes_on(answers: Sequence[Mapping]) -> tuple[bool, str]:
    """Whether a tick goes on, and what the host says if it does not.

    ``answers`` are those of the hosts that were asked for the claim, in order. The first host that answered decides, so
    that of two ticks over the same hosts only one goes on; if none answered, nobody works there.
    """
    said = [answer for answer in answers if isinstance(answer.get("tick"), bool)]
    stops = bool(said) and not said[0]["tick"]
    return not stops, str(said[0].get("message") or "another tick is still running") if stops else ""


def to_be_sent(answers: Sequence[Mapping], remembered: bool) -> bool:
    """Whether a page is sent, from the answers of its records, in the order of the hosts.

    The first record that can be written decides, whatever was read before, because it says yes to only one of two that
    ask at the same time. If none can, the page is sent all the same: twice is better than never. ``remembered`` is
    whether the controller knows that it was sent, which counts if there is no record to ask.
    """
    said = [answer["send"] for answer in answers if isinstance(answer.get("send"), bool)]
    return said[0] if said else bool(answers) or not remembered


def told(page: Mapping, answer: Mapping) -> dict:
    """Who got a page, from the result of the module notification."""
    said = {name: answer.get(name) or [] for name in ("sent", "unsent")}
    return {"key": page["key"], "owner": page["owner"], **said, "took": answer.get("took") or {}}


def unwell(language: str, hosts: Mapping[str, Mapping], sent: Sequence[Mapping]) -> dict[str, str]:
    """The hosts for which a tick fails, and why: an incident may be open there unseen, or nobody could be paged.

    ``sent`` are the pages that had to be sent, each with its owner, and the channels that took it.
    """
    unread = {name: problem for name, result in hosts.items() if (problem := _problem(result))}
    in_vain = [one["owner"] for one in sent if not one.get("sent")]
    return {**dict.fromkeys(in_vain, say(language, "nobody_told")), **unread}


def about(host: str, read: Mapping, identity: str) -> dict:
    """What a page says of one host: what was found, tried and proposed there, and what is leased."""
    entries = next(one.get("entries", []) for one in read["incidents"] if one["id"] == identity)
    seen = _last(entries, "seen")
    return {
        "host": host,
        "verdict": _last(entries, "verdict").get("verdict"),
        "seen": [_breach(seen)] if seen else [],
        "causes": seen.get("causes", [])[:2],
        "done": tried(entries),
        "proposed": _proposed(entries),
        "leased": [{"name": e["name"], "written": e["written"], "until": e.get("until")} for e in read["leases"]],
    }


def _last(entries: Sequence[Mapping], what: str) -> Mapping:
    return next((entry["data"] for entry in reversed(entries) if entry["what"] == what), {})


def _breach(seen: Mapping) -> dict:
    indicator = seen.get("indicator", {})
    value, limit = (_number(indicator.get(name)) for name in ("value", "threshold"))
    values = {
        "severity": seen.get("severity"),
        "metric": indicator.get("metric"),
        "value": _messages.number(value, limit),
        "limit": _messages.number(limit, limit),
    }
    return {"message": "breached", "values": values}


def _number(value: object) -> float | None:
    return value if isinstance(value, (int, float)) else None


def tried(entries: Sequence[Mapping]) -> list[dict]:
    """A sentence for each action with how it ended, each refusal and each end of a lease, in order."""
    results = {entry["data"].get("intent"): entry["data"] for entry in entries if entry["what"] == "result"}
    said = []
    for entry in entries:
        data = entry["data"]
        if entry["what"] in ("refused", "lease_ended"):
            said.append(data.get("sentence", {}))
        elif entry["what"] == "intent":
            result = results.get(entry["seq"], {})
            changes = _messages.changes(data.get("change", ())) or "–"
            ended = result.get("verdict") or result.get("outcome") or "no_result"
            values = {"action": data.get("action"), "target": data.get("target"), "changes": changes, "ended": ended}
            problem = _redact.redact(str(result.get("problem") or ""), limit=MAX_PROBLEM)
            key, why = ("tried_in_vain", {"problem": problem}) if problem else ("tried", {})
            said += [{"message": key, "values": {**values, **why}}, *result.get("sentences", ())]
    return said


def waiting(hosts: Mapping[str, Mapping], incident: str, knobs: Sequence[str]) -> dict[str, list[str]]:
    """By host, those of ``knobs`` that the last run of an open incident of that class wanted approved.

    The result becomes a variable of AWX's next job, so it holds no text of hosts that is not known here.
    """
    found = {}
    for name, result in sorted(hosts.items()):
        for one in result.get("incidents", ()):
            if one["open"] and one["incident"] == incident and one["verdict"] == "approval_needed":
                proposed = {knob for several in _proposed(one["entries"]) for knob in several.split(",")}
                found[name] = sorted(proposed.intersection(knobs))
    return {name: asked for name, asked in found.items() if asked}


def _proposed(entries: Sequence[Mapping]) -> list[str]:
    """The knobs that the last run wanted approved."""
    run = next((entry["run"] for entry in reversed(entries) if entry["what"] == "verdict"), "")
    refused = (entry["data"] for entry in entries if entry["what"] == "refused" and entry["run"] == run)
    asked = (data for data in refused if data.get("guard") == "approval")
    return sorted({str(data.get("sentence", {}).get("values", {}).get("knobs")) for data in asked})


def overview(language: str, hosts: Mapping[str, Mapping], sent: Sequence[Mapping]) -> list[str]:
    """What is open and who knows of it, what is going on and leased on each host, then hosts that could not be read.

    ``sent`` are this run's pages, each with ``key`` and what the module notification returned.
    """
    read = {name: result["incidents"] for name, result in hosts.items() if "incidents" in result}
    lines = []
    for incident in (one for one in _escalation.merge(read) if one.open):
        who = incident.acknowledged["who"] if incident.acknowledged else say(language, "nobody")
        values = {"id": incident.id, "severity": incident.severity, "by": who}
        lines.append(say(language, "incident_open", minutes=int(incident.age_seconds // 60), **values))
        lines.append(say(language, "on_hosts", hosts=", ".join(incident.hosts)))
        lines += [f"  {text}" for text in _escalation.clock(language, incident.__dict__)]
        paged = [(level, page) for level, page in sorted(incident.levels.items()) if page["state"] == "paged"]
        told = ", ".join(f"{level} {page['at']}" for level, page in paged)
        lines += [say(language, "paged_before", levels=told)] if told else []
    unread = [(name, problem) for name, result in hosts.items() if (problem := _problem(result))]
    if not lines and not unread:
        lines = [say(language, "nothing_open")]
    for page in sent:
        took = ", ".join(page.get("sent", ())) or say(language, "nobody")
        lines.append(say(language, "paged_now", page=page["key"], who=took))
        for channel in page.get("unsent", ()):
            lines.append(say(language, "not_paged", **{name: channel.get(name) for name in ("channel", "problem")}))
    for name, result in hosts.items():
        lines += [f"{name}: {line}" for line in _stands(language, result)] if name in read else []
    lines += [say(language, "not_read", host=name, problem=problem) for name, problem in unread]
    return _redact.redact_lines(lines)


def _stands(language: str, result: Mapping) -> list[str]:
    """What is going on and what is leased on a host."""
    return [*_summary.going_on(language, result), *_summary.leases(language, result["leases"], result)]
