# SPDX-License-Identifier: GPL-3.0-or-later
"""When to page whom about an incident, and what the page says. Private to aurora.runbook; controller only.

Source: "Ескалація" of the runbook. What hosts report is hostile text, so a page contains no markup from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _knobs, _verdicts
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record
from ansible_collections.aurora.runbook.plugins.plugin_utils import _texts
from ansible_collections.aurora.runbook.plugins.plugin_utils._texts import say

LEVELS = {"L1": 0, "L2": 1800, "L3": 7200, "L4": 14400}  # seconds after which a level takes over an unresolved incident
MAX_TITLE, MAX_BODY, MAX_HOSTS = 120, 3500, 3


@dataclass(frozen=True)
class Incident:
    """One incident, put together from all of its hosts that could be read."""

    id: str
    incident: str
    open: bool
    severity: str
    age_seconds: float
    acknowledged: Mapping | None  # who, at, after_seconds since the trouble began, automatic
    levels: Mapping[str, Mapping]
    hosts: tuple[str, ...]  # where it is open, or all that have it if it is over; the first one owns it
    responded: Mapping | None = None  # the first answer, a person's or the first action of automation: as above


def due(age_seconds: float) -> list[str]:
    """The levels that an incident concerns that has been unresolved for so long."""
    return [level for level, after in LEVELS.items() if age_seconds > after or not after]


def to_page(age_seconds: float, levels: Mapping[str, Mapping]) -> list[str]:
    """The levels that are due, were not paged, and are not being paged now."""
    return [level for level in due(age_seconds) if not _record.handled(levels.get(level) or {})]


def key(incident_id: str, level: str) -> str:
    """The key by which a service recognises a repeated page."""
    return f"{incident_id}-{level}"


def merge(records: Mapping[str, Iterable[Mapping]]) -> list[Incident]:
    """The incidents that hosts report (``incidents`` of incident_info by host), each once by its id."""
    known: dict[str, dict[str, Mapping]] = {}
    for host, incidents in sorted(records.items()):
        for incident in incidents:
            known.setdefault(str(incident["id"]), {})[host] = incident
    return [_merge(name, by_host) for name, by_host in sorted(known.items())]


def _merge(incident_id: str, by_host: Mapping[str, Mapping]) -> Incident:
    told = list(by_host.values())
    severities = sorted(one["severity"] for one in told if one["severity"] in _indicators.SEVERITIES)
    return Incident(
        incident_id,
        told[0]["incident"],
        any(one["open"] for one in told),
        severities[0] if severities else "",
        max(float(one["age_seconds"]) for one in told),
        _first(one["acknowledged"] for one in told),
        {level: _furthest([one["levels"][level] for one in told if level in one["levels"]]) for level in _levels(told)},
        tuple(name for name, one in by_host.items() if one["open"]) or tuple(by_host),
        _first(one["responded"] for one in told),
    )


def _first(answers: Iterable[Mapping | None]) -> Mapping | None:
    given = (answer for answer in answers if answer)
    return min(given, key=lambda answer: float(answer["after_seconds"]), default=None)


def _levels(told: Iterable[Mapping]) -> list[str]:
    return sorted({level for one in told for level in one["levels"]})


def _furthest(pages: Sequence[Mapping]) -> Mapping:
    """The most advanced state: paged on one host counts as paged, otherwise the latest attempt counts."""
    return min(pages, key=lambda page: (page["state"] != "paged", float(page["age_seconds"])))


def page(language: str, level: str, facts: Mapping) -> tuple[str, str]:
    """Title and body of a page, from plain facts, which may be incomplete: a poor page is better than none.

    ``id``, ``incident``, ``severity``, ``age_seconds``, ``acknowledged``, ``responded`` are as in Incident; ``hosts``
    is a list with ``host``, ``verdict``, ``seen`` and ``done`` (sentences), ``causes`` (``cause``, ``evidence``),
    ``proposed`` (knobs) and ``leased`` (``name``, ``written``, ``until``) of each.
    """
    hosts = facts.get("hosts") or []
    names = [str(host.get("host", "")) for host in hosts]
    values = {
        "id": facts.get("id", ""),
        "incident": facts.get("incident", ""),
        "level": level,
        "severity": facts.get("severity") or "P?",
        "age": span(language, facts.get("age_seconds") or 0, LEVELS.get(level)),
        "limit": span(language, LEVELS.get(level, 0)),
        "hosts": _few(language, names),
    }
    head = [say(language, f"page_head_{'later' if LEVELS.get(level) else 'first'}", **values), *clock(language, facts)]
    middle = [line for host in hosts for line in _about(language, values["incident"], host)]
    tail = [say(language, "next", text=say(language, f"page_next_{level}"))] if level in LEVELS else []
    if hosts:
        limit = ",".join(names)
        tail += [say(language, "next", text=say(language, "page_look", incident=values["incident"], hosts=limit))]
    return _cut(_plain(say(language, "page_title", **values)), MAX_TITLE), _body(language, head, middle, tail)


def unread(language: str, host: str, problem: str) -> tuple[str, str]:
    """Title and body of a page about a host whose record cannot be read."""
    told = [say(language, "not_read", host=host, problem=problem), say(language, "page_unread_why")]
    tail = [say(language, "next", text=say(language, "page_unread_next", host=host))]
    return _cut(_plain(say(language, "page_unread_title", host=host)), MAX_TITLE), _body(language, [], told, tail)


def clock(language: str, facts: Mapping) -> list[str]:
    """Whether the deadlines are met or missed, or how much time is left, and whether a person knows of the incident."""
    limits, age = _indicators.deadlines(facts.get("severity", "")), facts.get("age_seconds") or 0
    person = facts.get("acknowledged")
    first = facts.get("responded") or person
    if first:
        took, limit = first.get("after_seconds") or 0, limits.respond
        words = {"who": first.get("who", "?"), "took": span(language, took, limit), "limit": span(language, limit)}
        key = "acted" if first.get("automatic") else "answered"
        answered = [say(language, key if took <= limit else f"{key}_late", **words)]
    else:
        answered = [_deadline(language, "answer", limits.respond, age)]
    if first and first.get("automatic") and person:
        took = span(language, person.get("after_seconds") or 0)
        answered.append(say(language, "answered_then", who=person.get("who", "?"), took=took))
    elif first and first.get("automatic"):
        answered.append(say(language, "answer_none"))
    return [*answered, _deadline(language, "resolve", limits.resolve, age)]


def _few(language: str, names: Sequence[str]) -> str:
    shown, more = ", ".join(names[:MAX_HOSTS]) or "–", len(names) - MAX_HOSTS
    return say(language, "and_more", list=shown, count=more) if more > 0 else shown


def _deadline(language: str, what: str, limit: float, age: float) -> str:
    text = "due" if age <= limit else "missed"
    return say(language, f"{what}_{text}", limit=span(language, limit), time=span(language, abs(limit - age)))


def span(language: str, seconds: float, limit: float | None = None) -> str:
    """A length of time as people say it: 40 s, 5 min, 1 h 5 min, 2 d 3 h. It shows if it is beyond its limit."""
    if limit is None or seconds <= limit:
        return _span(language, seconds)
    most, beyond = _span(language, limit), max(seconds, int(limit) + 1)
    return next(text for more in range(4) if (text := _span(language, beyond, more)) != most or more == 3)


def _span(language: str, seconds: float, more: int = 0) -> str:
    """The largest unit, hours and days with the next smaller one, and ``more`` of them."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [("days", days), ("hours", hours), ("minutes", minutes), ("seconds", rest)]
    first = next((place for place, (_unit, count) in enumerate(parts) if count), 3)
    told = parts[first : first + (2 if first < 2 else 1) + more]
    return " ".join(say(language, f"span_{unit}", count=count) for unit, count in told if count or len(told) == 1)


def _about(language: str, incident: object, host: Mapping) -> Iterator[str]:
    name, verdict = str(host.get("host", "")), str(host.get("verdict") or "unknown")
    known = say(language, verdict) if verdict in _verdicts.VERDICTS else verdict
    yield say(language, "host", host=name, verdict=known)
    for sentence in host.get("seen") or ():
        yield say(language, "was", text=_told(language, sentence))
    for cause in host.get("causes") or ():
        evidence = "; ".join(_told(language, sentence) for sentence in cause.get("evidence") or ())
        yield say(language, "was", text=say(language, "cause_is", cause=cause.get("cause", "?"), evidence=evidence))
    for sentence in host.get("done") or ():
        yield say(language, "done", text=_told(language, sentence))
    for lease in host.get("leased") or ():
        stands = _texts.overridden(language, lease.get("name", "?"), lease.get("written") or {}, lease.get("until"))
        yield say(language, "left", text=stands)
    knobs = ",".join(map(str, host.get("proposed") or ()))
    if knobs:
        yield say(language, "next", text=say(language, "next_approve", knobs=knobs, host=name, incident=incident))
    for cause in (host.get("causes") or [])[:1]:
        advice = f"mend_{cause.get('cause')}"
        if advice in _texts.CATALOGUE:
            yield say(language, "next", text=say(language, advice))


def _told(language: str, sentence: Mapping) -> str:
    """A sentence of a record; if a newer version wrote it and it is unknown here, in the words it came with."""
    try:
        return say(language, sentence["message"], **_known(language, sentence["values"]))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return str(sentence.get("text") or sentence.get("message") or "?")


def _known(language: str, values: Mapping) -> dict:
    """Values, with our own words for outcomes and effects on exposure in the page's language."""
    words = {
        name: say(language, key) for name, value in values.items() if (key := _WORDS.get(name, {}).get(str(value)))
    }
    return {**values, **words}


_WORDS = {
    "ended": {
        **{verdict: verdict for verdict in _verdicts.VERDICTS},
        **{outcome: f"pm_outcome_{outcome}" for outcome in _verdicts.OUTCOMES if outcome not in _verdicts.VERDICTS},
        "no_result": "no_result",
    },
    "direction": {word: word for word in _knobs.DIRECTIONS},
}


def _body(language: str, head: Sequence[str], middle: Sequence[str], tail: Sequence[str]) -> str:
    """All lines, or as many of the middle as fit."""
    head, middle, tail = ([_plain(line) for line in lines] for lines in (head, middle, tail))
    whole = "\n".join([*head, *middle, *tail])
    if len(whole) <= MAX_BODY:
        return whole
    kept, room = [], MAX_BODY - sum(len(line) + 1 for line in [*head, *tail]) - 100
    for line in middle:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    more = [say(language, "page_more", count=len(middle) - len(kept))]
    return _cut("\n".join([*head, *kept, *more, *tail]), MAX_BODY)


def _plain(text: str) -> str:
    """A line without secrets and control characters, in which no service finds a mention, a link or a tag."""
    text = _redact.redact(text.encode("utf-8", "replace").decode("utf-8"))
    return text.replace("@", "@\u200b").replace("<", "‹").replace(">", "›").replace("](", "] (")


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
