# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents as all hosts together know them, for figures over many. Private to aurora.runbook; controller only.

An incident counts once, however many hosts have a record of it. All that hosts say is hostile: only what the figures
need is taken from it, and is cleaned and cut before any code looks at it. Unknown values are None, never 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils.act._conduct import MAX_CAUSE
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _knobs, _verdicts
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._accounts import (
    ID,
    MAX_AGE,
    MAX_ITEMS,
    Entry,
    Record,
    clean,
    entries_of,
    list_of,
    map_of,
    merge,
    number_of,
    rank,
    severity_of,
    text_of,
    time_of,
)

MAX_RECORDS = 1000  # of a host, which keeps 200 finished incidents and those that are open
MAX_NAME, MAX_RUNGS = 80, 50  # characters of a rung's name, and rungs of a host in an incident whose order counts

# The fields that are read of a record and its lines. The rest is left, because samples and evidence are most of a
# record.
INFO = ("id", "open", "age_seconds", "severity", "moved_to", "chain")
LINES = {
    "opened": ("age_seconds",),
    "seen": ("causes",),
    "intent": ("action", "target", "change", "cause"),
    "result": ("intent", "verdict"),
    "refused": ("guard",),
    "paging": ("level",),
    "paged": ("level", "sent", "failed"),
    "acknowledged": ("after_seconds",),
    "closed": ("verdict",),
    "reopened": (),
}


@dataclass(frozen=True)
class Rung:
    """An action of a ladder; ``again`` if the same was done before on that host in that incident."""

    name: str
    again: bool = False


@dataclass(frozen=True)
class Try:
    """A rung that was tried for a cause, on one host or in one incident. ``helped`` is None if it is unknown."""

    rung: Rung
    cause: str
    direction: str
    helped: bool | None


@dataclass(frozen=True)
class Page:
    """A level that was paged in an incident; ``sent`` is None if the record ends between sending it and noting that."""

    level: str
    sent: bool | None
    taken: bool
    failed: tuple[str, ...]  # channels


@dataclass(frozen=True)
class Case:
    """An incident, as all hosts together know it. Times are seconds since the trouble began."""

    id: str
    incident: str
    severity: str
    cause: str | None
    hosts: tuple[str, ...]
    opened: float | None
    open: bool | None
    age: float | None  # while it is open
    ended: float | None  # once it is over, recovered or not
    responded: float | None
    recovered: float | None
    tries: tuple[Try, ...]
    orders: tuple[tuple[Rung, ...], ...]  # the rungs that were tried on each host, in order
    others: int  # actions without a recorded cause: manual ones, or those of a lease's end
    refusals: tuple[tuple[str, str], ...]  # host and guard
    pages: tuple[Page, ...]


# Reading what hosts say


def taken(answer: Mapping) -> Mapping:
    """The parts of an answer that the figures need, cleaned; ``cut`` is how many records were left out."""
    known = {name: answer.get(name) for name in ("problem", "failed", "msg", "now", "leases")}
    incidents = list_of(answer, "incidents")
    picked = [
        {**{name: info.get(name) for name in INFO}, "entries": list(_lines(info.get("entries")))}
        for info in incidents[:MAX_RECORDS]
    ]
    too_long = sum(len(one["entries"]) > MAX_ITEMS for one in picked)
    return {**clean({**known, "incidents": picked}), "cut": max(0, len(incidents) - MAX_RECORDS) + too_long}


def _lines(raw: object) -> Iterator[object]:
    for line in raw if isinstance(raw, list) else ():
        what = line.get("what") if isinstance(line, Mapping) else None
        if not isinstance(what, str):
            yield None  # counted as a record that could not be read
        elif what in LINES:
            data = map_of(line, "data")
            needed = {name: data.get(name) for name in LINES[what]}
            if what == "seen":
                needed["causes"] = [cause.get("cause") for cause in list_of(data, "causes")[:1]]
            kept = {name: line.get(name) for name in ("seq", "boot", "up", "what")}
            yield {**kept, "at": time_of(line.get("at")), "data": needed}


def records_of(host: str, answer: Mapping) -> list[Record]:
    """The records of a host, each once, without those of actions outside any incident."""
    found: dict[str, Record] = {}
    for info in list_of(answer, "incidents"):
        identity = text_of(info, "id")
        if class_of(identity) and identity not in found:
            found[identity] = Record(host, info, *entries_of(host, info.get("entries")))
    return list(found.values())


def class_of(identity: str) -> str:
    """The class in an incident's id, "" for an invalid id."""
    found = ID.fullmatch(identity)
    return found[1] if found and found[1] in _indicators.INDICATORS else ""


def homes(records: Iterable[Record]) -> dict[str, str]:
    """For each id, the id under which its incident goes on in the end. A record that moved names a smaller id."""
    moved: dict[str, str] = {}
    for record in records:
        identity, to = text_of(record.info, "id"), text_of(record.info, "moved_to")
        if to < identity and class_of(to) == class_of(identity):
            moved[identity] = min(to, moved.get(identity, to))
    found: dict[str, str] = {}
    for identity in sorted({text_of(record.info, "id") for record in records} | set(moved.values())):
        to = moved.get(identity, identity)
        found[identity] = found.get(to, to)
    return found


def cases_of(records: Sequence[Record]) -> Iterator[Case]:
    """Each incident once, the oldest first."""
    home = homes(records)
    grouped: dict[str, list[Record]] = {}
    for record in records:
        grouped.setdefault(home[text_of(record.info, "id")], []).append(record)
    for identity in sorted(grouped, key=lambda one: (one.split("-")[1], one)):
        yield case_of(identity, grouped[identity])


def case_of(identity: str, records: Sequence[Record]) -> Case:
    """An incident from the records that hosts have of it."""
    by_host: dict[str, list[Record]] = {}
    for record in records:
        by_host.setdefault(record.host, []).append(record)
    lines = {host: merge(mine) for host, mine in sorted(by_host.items())}
    climbed = [tries_of(mine) for _host, mine in sorted(by_host.items())]
    stays = [record for record in records if not text_of(record.info, "moved_to")]
    ends = [_end(record) for record in stays]
    ages = [age for record in stays if record.info.get("open") is True and (age := _age(record)) is not None]
    return Case(
        id=identity,
        incident=class_of(identity),
        severity=min((severity_of(record) for record in records), key=rank),
        cause=cause_of(lines),
        hosts=tuple(lines),
        opened=time_of(identity.split("-")[1]),
        open=_open(stays),
        age=max(ages, default=None),
        ended=_latest(after for after, _recovered in ends),
        responded=min((after for record in records if (after := _responded(record)) is not None), default=None),
        recovered=_latest(after if recovered else None for after, recovered in ends),
        tries=tuple(_together(one for found in climbed for one in found)),
        orders=tuple(tuple(one.rung for one in found[:MAX_RUNGS]) for found in climbed if found),
        others=sum(e.what == "intent" and not text_of(e.data, "cause") for found in lines.values() for e in found),
        refusals=tuple(
            (host, text_of(e.data, "guard")) for host, found in lines.items() for e in _only(found, "refused")
        ),
        pages=tuple(pages_of(lines)),
    )


def _only(entries: Iterable[Entry], *whats: str) -> list[Entry]:
    return [entry for entry in entries if entry.what in whats]


def _open(stays: Sequence[Record]) -> bool | None:
    """Whether it is open on a host. None if no host knows."""
    said = [record.info.get("open") for record in stays]
    return True if True in said else False if said and set(said) == {False} else None


def has_opening(record: Record) -> bool:
    """Whether a record has its opening, without which it is unknown when it began, so that its host counts from 0."""
    return _opening(record) is not None


def _opening(record: Record) -> Entry | None:
    return next(iter(_only(record.entries, "opened")), None)


def _positive(data: Mapping, name: str) -> float | None:
    value = number_of(data, name)
    return value if value is not None and value >= 0 else None


def _latest(times_of: Iterable[float | None]) -> float | None:
    """The last of several ends; None if one of them is unknown, or if there is none."""
    every = list(times_of)
    return None if not every or None in every else max(every)


def _age(record: Record) -> float | None:
    return _positive(record.info, "age_seconds") if has_opening(record) else None


def _responded(record: Record) -> float | None:
    """When somebody first answered, automation or a person; a merged incident has that time itself."""
    first = _opening(record)
    answer = next(iter(_only(record.entries, *_record.RESPONSES)), None)
    if first is None or answer is None:
        return None
    said = _positive(answer.data, "after_seconds")
    return _between(first, answer) if said is None else said


def _end(record: Record) -> tuple[float | None, bool]:
    """When a finished record was closed, and whether it had recovered by then, since a person may close it earlier."""
    first = _opening(record)
    last = next(reversed(_only(record.entries, "closed", "reopened")), None)
    if record.info.get("open") is not False or first is None or last is None or last.what != "closed":
        return None, False
    return _between(first, last), text_of(last.data, "verdict") in _verdicts.OVER


def _between(first: Entry, entry: Entry) -> float | None:
    """Seconds since the trouble of a record began; None if neither the uptime nor the clock tells."""
    if first.boot and first.boot == entry.boot and None not in (first.up, entry.up):
        passed = entry.up - first.up
    elif None not in (first.at, entry.at):
        passed = entry.at - first.at
    else:
        return None
    before = min(_positive(first.data, "age_seconds") or 0.0, MAX_AGE)
    return passed + before if passed >= 0 else None


def cause_of(lines: Mapping[str, Sequence[Entry]]) -> str | None:
    """The cause of an incident: that of most actions, else that of most first looks; None if there is neither."""
    acted = Counter(_acted_on(entry) for found in lines.values() for entry in _only(found, "intent"))
    looked = Counter(next(filter(None, map(_seen, _only(found, "seen"))), "") for found in lines.values())
    for causes in (acted, looked):
        del causes[""]
        if causes:
            return causes.most_common(1)[0][0]
    return None


def _acted_on(intent: Entry) -> str:
    """The cause for which an action was done, "" for a manual action and if it is unknown."""
    cause = text_of(intent.data, "cause")[:MAX_CAUSE]
    return "" if cause == _verdicts.UNKNOWN else cause


def _seen(entry: Entry) -> str:
    causes = entry.data.get("causes")
    cause = causes[0] if isinstance(causes, list) and causes else ""
    return cause[:MAX_CAUSE] if isinstance(cause, str) and cause != _verdicts.UNKNOWN else ""


# Rungs


def tries_of(records: Iterable[Record]) -> list[Try]:
    """The rungs that runs tried on one host in an incident, in order.

    An action without a recorded cause was no rung: it was manual, or the end of a lease.
    """
    found: list[tuple[float, Try]] = []
    for record in records:
        results = {number_of(entry.data, "intent"): entry for entry in _only(record.entries, "result")}
        for entry in _only(record.entries, "intent"):
            cause = text_of(entry.data, "cause")[:MAX_CAUSE]
            helped = _helped(results.get(entry.seq))
            if cause:
                found.append((entry.order, Try(Rung(rung_of(entry.data)), cause, direction_of(entry.data), helped)))
    return list(_numbered(one for _order, one in sorted(found, key=lambda pair: pair[0])))


def _helped(result: Entry | None) -> bool | None:
    verdict = text_of(result.data, "verdict") if result else ""
    return True if verdict in _verdicts.OVER else False if verdict == _verdicts.NOT_RECOVERED else None


def rung_of(intent: Mapping) -> str:
    """The name of an action, with the knobs that it turned or the service that it restarted."""
    action = text_of(intent, "action")
    names = sorted({text_of(step, "name") for step in list_of(intent, "change")})
    more = {"service_override": ", ".join(names), "service_restart": text_of(intent, "target")}.get(action, "")
    return f"{action} {more}".strip()[:MAX_NAME]


def direction_of(intent: Mapping) -> str:
    """The effect of an action on exposure, the worse of what its host says and what our own table says."""
    found = ["neutral"]
    for step in list_of(intent, "change"):
        name, said = text_of(step, "name"), text_of(step, "direction")
        found.append(said if said in _knobs.DIRECTIONS else _knobs.DIRECTIONS[-1] if said else "neutral")
        if name in _knobs.KNOBS:
            before, after = (None if step.get(end) is None else text_of(step, end) for end in ("before", "after"))
            found.append(_knobs.direction(name, before, after))
    return max(found, key=_knobs.DIRECTIONS.index)


def _numbered(tries: Iterable[Try]) -> Iterator[Try]:
    """The tries of a host in an incident, with repeated ones marked."""
    seen: set[str] = set()
    for one in tries:
        yield Try(Rung(one.rung.name, one.rung.name in seen), one.cause, one.direction, one.helped)
        seen.add(one.rung.name)


def _together(tries: Iterable[Try]) -> Iterator[Try]:
    """Rungs that were tried on several hosts for one cause are one try, which helped if it helped on all of them."""
    found: dict[tuple[str, Rung], list[Try]] = {}
    for one in tries:
        found.setdefault((one.cause, one.rung), []).append(one)
    for (cause, rung), alike in found.items():
        worst = max((one.direction for one in alike), key=_knobs.DIRECTIONS.index)
        yield Try(rung, cause, worst, all_of([one.helped for one in alike]))


def all_of(helped: Collection[bool | None]) -> bool | None:
    """False if one is False, None if one is unknown, otherwise True."""
    return False if False in helped else None if None in helped else True


# Pages


def pages_of(lines: Mapping[str, Sequence[Entry]]) -> Iterator[Page]:
    """Each level once, although every host of an incident records its page, and it was tried until a channel took it.

    It counts as acknowledged if somebody acknowledged the incident after it, on a host that recorded both.
    """
    paged = {host: _only(found, "paging", "paged") for host, found in lines.items()}
    for level in sorted({text_of(entry.data, "level") for found in paged.values() for entry in found}):
        mine = {host: [e for e in found if text_of(e.data, "level") == level] for host, found in paged.items()}
        ends = [entry for found in mine.values() for entry in _only(found, "paged")]
        failed = {text_of(one, "channel") for entry in ends for one in list_of(entry.data, "failed")}
        answered = any(_follows(lines[host], found[0]) for host, found in mine.items() if found)
        yield Page(level, any(e.data.get("sent") for e in ends) if ends else None, answered, tuple(sorted(failed)))


def _follows(entries: Sequence[Entry], page: Entry) -> bool:
    """Whether an incident was acknowledged on this host after a page."""
    return any(entry.what == "acknowledged" for entry in entries[entries.index(page) + 1 :])
