# SPDX-License-Identifier: GPL-3.0-or-later
"""The story of an incident from the records of its hosts. Private to aurora.runbook; controller only.

Source: runbook, "Post-Mortem". All that hosts say is hostile: it is cleaned and cut once, before anything looks at it,
and put into a report by templates that escape. What is not known is None, never 0.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import (
    _indicators,
    _messages,
    _prometheus,
    _verdicts,
)
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _probes
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record
from ansible_collections.aurora.runbook.plugins.plugin_utils import _texts
from ansible_collections.aurora.runbook.plugins.plugin_utils._accounts import (
    ID,
    MAX_HOSTS,
    MAX_TEXT,
    Entry,
    Record,
    bounds,
    clean,
    earliest,
    finite,
    flat,
    hide,
    list_of,
    map_of,
    merge,
    number_of,
    rank,
    records_of,
    seen_in,
    severity_of,
    text_of,
    time_of,
    who_in,
)
from ansible_collections.aurora.runbook.plugins.plugin_utils._series import (
    MAX_POINTS,
    Impact,
    Series,
    from_prometheus,
    from_records,
    impact_of,
    thin,
)

MAX_LINES, MAX_ROWS, MAX_MARKS = 300, 50, 30
SKEW = 20.0  # seconds between two clocks that a reader would notice; the hosts are not read at one instant
JUMP = 5.0  # seconds by which a clock moved against the uptime of its host
SAME = 5.0  # what several hosts say in the same words within this time is one line
WEEK = 7 * 86400
HELPED = {**dict.fromkeys(_verdicts.OVER, "pm_helped"), _verdicts.NOT_RECOVERED: "pm_not_helped"}
_BAD = (_verdicts.NOT_RECOVERED, _verdicts.ESCALATED, _verdicts.FAILED)
TONES = {**dict.fromkeys(_verdicts.OVER, "good"), **dict.fromkeys(_BAD, "bad")}


@dataclass(frozen=True)
class Line:
    """A line of the timeline. ``tone`` is how it is shown."""

    at: float | None
    hosts: tuple[str, ...]
    tone: str
    text: str


@dataclass(frozen=True)
class Action:
    """A change: of what, from what to what, and what the indicator did."""

    at: float | None
    host: str
    name: str
    target: str
    by: str
    changes: str
    direction: str
    forced: str
    before: float | None
    after: float | None
    outcome: str
    helped: str  # key of a message
    said: tuple[str, ...]


@dataclass(frozen=True)
class Refusal:
    at: float | None
    host: str
    action: str
    target: str
    guard: str
    text: str
    allowed_in: float | None


@dataclass(frozen=True)
class Page:
    """A level that was paged; ``sent`` is None when the record ends between sending and noting it."""

    at: float | None
    level: str
    sent: tuple[str, ...] | None
    failed: tuple[str, ...]


@dataclass(frozen=True)
class Cause:
    name: str
    hosts: tuple[str, ...]
    evidence: tuple[str, ...]
    advice: str


@dataclass(frozen=True)
class Deadline:
    name: str  # key of a message
    by: float | None
    at: float | None
    state: str  # key of a message


@dataclass(frozen=True)
class Lease:
    host: str
    name: str
    changes: str
    until: float | None
    endless: bool


@dataclass(frozen=True)
class Mark:
    """A numbered line in the chart: an action, a refusal or a page."""

    number: int
    at: float
    host: str  # "" for what concerns them all
    tone: str
    text: str


@dataclass(frozen=True)
class Story:
    """All that a report shows, in the reader's language, as plain text that still has to be escaped."""

    id: str
    incident: str
    metric: str
    threshold: float
    indicator: _indicators.Indicator
    severity: str
    worst_severity: str
    hosts: tuple[str, ...]
    missing: tuple[tuple[str, str], ...]
    began: float
    opened: float
    closed: float | None
    now: float
    warnings: tuple[str, ...]
    timeline: tuple[Line, ...]
    left_out: int
    impacts: tuple[Impact, ...]
    series: tuple[Series, ...]
    marks: tuple[Mark, ...]
    causes: tuple[Cause, ...]
    seen: tuple[tuple[str, str], ...]
    actions: tuple[Action, ...]
    refusals: tuple[Refusal, ...]
    pages: tuple[Page, ...]
    acknowledged: tuple[str, float | None, str] | None
    deadlines: tuple[Deadline, ...]
    leases: tuple[Lease, ...]
    due: float
    records: tuple[tuple[str, int, str, str], ...]
    summary: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()
    owner: str = ""  # who acknowledged last, to be proposed for what is left to do


def latest(answers: Mapping[str, Mapping]) -> str:
    """The incident opened last, of those that hosts know and that go on as no other. RunbookError without one."""
    every = [entry for answer in answers.values() for entry in list_of(answer, "incidents")]
    known = {str(entry.get("id")) for entry in every if not entry.get("moved_to")}
    ids = [found for found in map(ID.fullmatch, known) if found and found[1] in _indicators.INDICATORS]
    if not ids:
        raise RunbookError(_nothing("an incident", answers))
    return max(ids, key=lambda found: (found[2], found[0]))[0]


def _nothing(what: str, answers: Mapping[str, Mapping]) -> str:
    """Why there is nothing to write."""
    problems = [f"{host}: {text_of(a, 'problem')}" for host, a in sorted(answers.items()) if a.get("problem")]
    known = "no host that could be read has a record of it" if len(problems) < len(answers) else "no host could be read"
    unread = f" ({_redact.redact('; '.join(problems))})" if problems else ""
    return f"there is nothing to write about {what}: {known}{unread}; see the incidents with triage"


def checked(incident: str) -> str:
    """An incident's id, fit to name a file. Raises RunbookError for anything else."""
    found = ID.fullmatch(incident)
    if not found or found[1] not in _indicators.INDICATORS:
        raise RunbookError(
            f"aurora_incident_id={_redact.redact(incident, limit=80)} is no incident's id; expected <class>-<UTC as "
            "20261124T180000Z>-<8 hex digits>, as triage shows it"
        )
    return incident


def range_query(
    incident: str,
    answers: Mapping[str, Mapping],
    instances: Mapping[str, str | Sequence[str]],
    now: float,
    label: str = "instance",
) -> dict:
    """One bounded range query for all hosts: the indicator, denied orders and SSE clients, labelled host and what."""
    records = records_of(incident, answers)
    began, _opened, ended = bounds(records, now)
    margin = max(60.0, (ended - began) / 10)
    seconds = math.ceil(ended - began + 2 * margin)
    span = max(60, math.ceil(ended - began))
    every = max(15, span // 1000)  # seconds between the samples of a sum, so that a long incident is not too many
    parts = []
    for host in sorted(instances)[:MAX_HOSTS]:
        at = _probes.instance_matcher(instances[host], label)
        expressions = {
            "indicator": _indicators.INDICATORS[ID.fullmatch(incident)[1]].course(at),
            "denied": f"sum(increase({_indicators.DENIED % {'at': at}}[{span}s:{every}s] @ {ended:.3f}))",
            "clients": f"sum(sse_clients_connected{{{at}}})",
        }
        for what, expression in expressions.items():
            labelled = f'label_replace({expression}, "what", "{what}", "", "")'
            name = host.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
            parts.append(f'label_replace({labelled}, "host", "{name}", "", "")')
    step = max(1, math.ceil(seconds / MAX_POINTS))
    return {"query": " or ".join(parts), "start": began - margin, "end": began - margin + seconds, "step": step}


def tell(
    incident: str, answers: Mapping[str, Mapping], now: float, language: str = "en", asked: Mapping | None = None
) -> Story:
    """The story of an incident.

    ``answers`` is by host what incident_info returned with ``entries``, or ``{"problem": …}``. ``asked`` is what
    Prometheus answered to range_query(), or ``{"problem": …}``, None when it was not asked. ``now`` counts where a host
    does not say what its clock shows. Raises RunbookError when no host has the incident.
    """
    checked(incident)
    words = Words(language)
    answers = {str(host): clean(answer) for host, answer in sorted(answers.items())[:MAX_HOSTS]}
    records = records_of(incident, answers)
    if not records:
        raise RunbookError(_nothing(incident, answers))
    entries = merge(records)
    missing = tuple(_missing(words, answers, records, entries))
    now = max((at for answer in answers.values() if (at := time_of(answer.get("now"))) is not None), default=now)
    indicator = _indicators.INDICATORS[ID.fullmatch(incident)[1]]
    threshold = next((t for e in reversed(entries) if (t := number_of(seen_in(e), "threshold")) is not None), None)
    threshold = indicator.threshold if threshold is None else threshold
    began, opened, ended = bounds(records, now)
    closed = None if any(record.info.get("open") is not False for record in records) else ended
    if asked and not asked.get("problem") and (doubt := _prometheus.objection(asked)):
        asked = {"doubt": doubt}
    samples, told = from_prometheus(asked or {}), from_records(records)
    actions = tuple(_actions(words, records))
    refusals = tuple(_refusals(words, entries))
    pages = tuple(_pages(entries))
    leases = tuple(_leases({text_of(record.info, "id") for record in records}, answers))
    causes = tuple(_causes(words, entries))
    lines = _together(_lines(words, entries))
    acknowledged = next(((who_in(e), e.at, text_of(e.data, "text")) for e in entries if e.what == "acknowledged"), None)
    answered = min((e.at for e in entries if e.what in _record.RESPONSES and e.at is not None), default=None)
    owner = next((who_in(e) for e in reversed(entries) if e.what == "acknowledged"), "")
    deadlines = (
        _deadline("pm_respond", earliest(records, "respond_by"), answered, now),
        _deadline("pm_resolve", earliest(records, "resolve_by"), closed, now),
    )
    impacts = tuple(
        impact_of(host, indicator, threshold, began, ended, samples.get(host, {}), told.get(host, ()), entries)
        for host in sorted({*samples, *told, *(record.host for record in records)})
    )
    series = tuple(
        Series(host, thin(points, indicator))
        for host in sorted({*samples, *told})
        if (points := samples.get(host, {}).get("indicator") or told.get(host))
    )
    severities = [
        s for e in entries for s in (text_of(e.data, "severity"), text_of(e.data, "to")) if s in _indicators.SEVERITIES
    ]
    worst = min([*severities, *(severity_of(record) for record in records)], key=rank)
    story = Story(
        id=incident,
        incident=indicator.incident,
        metric=indicator.metric,
        threshold=threshold,
        indicator=indicator,
        severity=min((severity_of(record) for record in records), key=rank),
        worst_severity=worst,
        hosts=tuple(dict.fromkeys(record.host for record in records)),
        missing=missing,
        began=began,
        opened=opened,
        closed=closed,
        now=now,
        timeline=(*lines[: MAX_LINES // 2], *lines[MAX_LINES // 2 :][-MAX_LINES // 2 :]),
        left_out=max(0, len(lines) - MAX_LINES),
        impacts=impacts,
        series=series,
        marks=tuple(_marks(words, actions, pages)),
        causes=causes[:MAX_ROWS],
        seen=tuple(_first_look(words, records)),
        actions=actions[:MAX_ROWS],
        refusals=refusals[:MAX_ROWS],
        pages=pages[:MAX_ROWS],
        acknowledged=acknowledged,
        deadlines=deadlines,
        leases=leases,
        due=opened + WEEK,
        records=tuple(_chains(words, records)),
        warnings=tuple(_warnings(words, records, missing, answers, asked, pages)),
        owner=owner,
    )
    return replace(story, summary=tuple(_short(words, story)), follow_ups=tuple(_follow_ups(words, story)))


class Words:
    """The catalogue in one language, for words that hosts send too."""

    def __init__(self, language: str) -> None:
        self.language = language

    def say(self, key: str, **values: object) -> str:
        return _texts.say(self.language, key, **values)

    def known(self, key: str) -> str:
        """A word of a host, translated when it is one of ours."""
        return self.say(key) if key in _texts.CATALOGUE and "{" not in _texts.CATALOGUE[key][0] else key

    def sentence(self, said: object) -> str:
        """A sentence from a record; one that this version does not know is shown as it is."""
        if not isinstance(said, Mapping):
            return ""
        key, values = text_of(said, "message"), said.get("values")
        values = values if isinstance(values, Mapping) else {}
        try:
            text = _texts.say(self.language, key, **values)
        except (LookupError, TypeError, ValueError, AttributeError):
            text = text_of(said, "text") or f"{key} {flat(values)}"
        return _redact.redact(text, limit=MAX_TEXT)

    def span(self, seconds: float | None) -> str:
        if seconds is None:
            return self.say("pm_unknown")
        for limit, unit, key in ((90, 1, "pm_seconds"), (5400, 60, "pm_minutes"), (math.inf, 3600, "pm_hours")):
            if seconds < limit:
                return self.say(key, n=f"{seconds / unit:.1f}".removesuffix(".0"))
        return self.say("pm_unknown")


# The timeline


def _lines(words: Words, entries: Sequence[Entry]) -> Iterator[Line]:
    told = [entry for entry in entries if entry.what == "paged"]
    paged = {(entry.host, text_of(entry.data, "level")) for entry in told}
    sent = {text_of(entry.data, "level") for entry in told if not entry.data.get("paged_at")}
    ends: dict[tuple[str, str], float] = {}
    for entry in entries:
        if entry.what == "paging" and (entry.host, text_of(entry.data, "level")) in paged:
            continue
        if entry.what == "paged" and entry.data.get("paged_at") and text_of(entry.data, "level") in sent:
            continue  # nothing was sent then: a record that had missed the page was told of it
        if entry.what == "acknowledged" and number_of(entry.data, "after_seconds") is not None:
            continue  # it was said in the record that moved here
        tone, text = _event(words, entry)
        if entry.what == "lease_ended":  # told in the record that moved here and in the one it moved to
            before = ends.get((entry.host, text), -SAME)
            ends[entry.host, text] = entry.order
            if entry.order - before < SAME:
                continue
        yield Line(entry.at, (entry.host,), tone, _redact.redact(text, limit=2 * MAX_TEXT))


def _together(lines: Iterable[Line]) -> list[Line]:
    """What several hosts say in the same words at the same time is one line."""
    told: list[Line] = []
    for line in lines:
        for index in range(len(told) - 1, max(-1, len(told) - 1 - MAX_HOSTS), -1):
            other = told[index]
            close = abs((line.at or 0.0) - (other.at or 0.0)) <= SAME
            if other.text == line.text and close and line.hosts[0] not in other.hosts:
                told[index] = Line(other.at, (*other.hosts, *line.hosts), other.tone, other.text)
                break
        else:
            told.append(line)
    return told


def _event(words: Words, entry: Entry) -> tuple[str, str]:
    """How a line of a record is told: its tone and its words."""
    data, say = entry.data, words.say
    if entry.what in ("opened", "joined"):
        alert = text_of(map_of(data, "alert"), "name")
        origin = say("pm_by_alert", alert=alert) if alert else say("pm_by_hand", who=entry.by)
        moved = text_of(data, "moved_from")
        text = say(f"pm_{entry.what}", origin=origin, severity=text_of(data, "severity"))
        return "mark", f"{text}; {say('pm_moved_from', id=moved)}" if moved else text
    if entry.what == "seen":
        seen, causes = seen_in(entry), [text_of(cause, "cause") for cause in list_of(data, "causes")[:2]]
        tone = {"True": "bad", "False": "good"}.get(str(seen.get("breached")), "plain")
        likely = [say("pm_cause", cause=", ".join(causes))] if causes else []
        return tone, "; ".join([_state(words, seen), *likely])
    if entry.what == "intent":
        values = {"action": text_of(data, "action"), "target": text_of(data, "target"), "who": entry.by}
        parts = [say("pm_intent", **values), _changes(words, data), _forced(words, data)]
        return "mark", ": ".join(part for part in parts if part)
    if entry.what == "result":
        outcome = words.known(f"pm_outcome_{text_of(data, 'outcome')}")
        said = [*map(words.sentence, list_of(data, "sentences")), text_of(data, "problem")]
        verdict = text_of(data, "verdict") or text_of(data, "outcome")
        return TONES.get(verdict, "plain"), "; ".join(part for part in [outcome, *said, words.known(verdict)] if part)
    if entry.what == "refused":
        values = {"action": text_of(data, "action"), "target": text_of(data, "target"), "guard": text_of(data, "guard")}
        return "bad", say("pm_refused", **values, text=words.sentence(data.get("sentence")))
    if entry.what in ("verdict", "closed"):
        verdict = text_of(data, "verdict")
        text = say(f"pm_{entry.what}", verdict=words.known(verdict))
        return TONES.get(verdict, "plain"), "; ".join(p for p in [text, words.sentence(data.get("sentence"))] if p)
    if entry.what == "paged":
        sent = ", ".join(map(str, data.get("sent") or ())) if isinstance(data.get("sent"), list) else ""
        failed = "; ".join(f"{text_of(f, 'channel')}: {text_of(f, 'problem')}" for f in list_of(data, "failed"))
        text = say("pm_paged", level=text_of(data, "level"), sent=sent or "–")
        return "mark", f"{text}; {say('pm_paging_failed', failed=failed)}" if failed else text
    if entry.what == "lease_ended":
        outcome = words.known(f"pm_lease_{text_of(data, 'outcome')}")
        text = say("pm_lease_ended", name=text_of(data, "name"), outcome=outcome)
        return "plain", "; ".join(part for part in [text, words.sentence(data.get("sentence"))] if part)
    if entry.what == "lease_renewed":
        return "plain", say("pm_lease_renewed", who=entry.by, text=words.sentence(data.get("sentence")))
    names = ("who", "text", "level", "from", "to", "silence", "until", "id")
    values = {name if name != "from" else "before": text_of(data, name) for name in names}
    if entry.what == "silenced" and number_of(data, "matched") == 0:
        return "bad", say("pm_silenced_none", until=values["until"])
    if f"pm_{entry.what}" in _OTHERS:
        text = say(f"pm_{entry.what}", **{**values, "who": who_in(entry), "text": values["text"] or "–"})
        return ("mark" if entry.what in ("acknowledged", "severity", "paging") else "plain"), text
    return "plain", say("pm_other", what=entry.what, text=flat(data))


_OTHERS = {f"pm_{what}" for what in (
    "severity", "acknowledged", "note", "paused", "resumed", "paging", "silenced", "reopened", "moved",
)}  # fmt: skip


def _state(words: Words, seen: Mapping) -> str:
    if number_of(seen, "value") is None:
        return words.say("pm_not_seen", metric=text_of(seen, "metric") or "–", problem=text_of(seen, "problem") or "–")
    limit = number_of(seen, "threshold")
    value, limit = (_messages.number(figure, limit) for figure in (number_of(seen, "value"), limit))
    return words.say("pm_seen", metric=text_of(seen, "metric"), value=value, limit=limit)


def _changes(words: Words, data: Mapping) -> str:
    steps = [
        {"name": name, "before": hide(name, step.get("before")), "after": hide(name, step.get("after"))}
        for step in list_of(data, "change")
        for name in [text_of(step, "name")]
    ]
    return _redact.redact(_texts.changes(words.language, steps), limit=MAX_TEXT)


def _forced(words: Words, data: Mapping) -> str:
    return words.say("pm_forced", reason=text_of(data, "forced")) if text_of(data, "forced") else ""


# Actions, refusals, pages, causes, leases


def _actions(words: Words, records: Sequence[Record]) -> Iterator[Action]:
    found = []
    for record in records:
        results = {int(number_of(e.data, "intent") or 0): e for e in record.entries if e.what == "result"}
        seen: float | None = None
        for entry in record.entries:
            if entry.what == "seen":
                seen = number_of(seen_in(entry), "value")
            elif entry.what == "intent":
                result = results.get(entry.seq)
                found.append((entry.order, _action(words, entry, result, seen)))
                seen = found[-1][1].after if result else seen
    for _order, action in sorted(found, key=lambda pair: pair[0]):
        yield action


def _action(words: Words, intent: Entry, result: Entry | None, seen: float | None) -> Action:
    data = result.data if result else {}
    steps, outcome = list_of(intent.data, "change"), text_of(data, "outcome")
    directions = [d for step in steps if (d := text_of(step, "direction")) in ("neutral", "reduces", "increases")]
    worst = max(directions, key=("neutral", "reduces", "increases").index, default="")
    said = [*map(words.sentence, list_of(data, "sentences")), text_of(data, "problem")]
    helped = HELPED.get(text_of(data, "verdict"), "pm_help_unknown")
    return Action(
        intent.at, intent.host, text_of(intent.data, "action"), text_of(intent.data, "target"), intent.by,
        _changes(words, intent.data) or ("" if not intent.data.get("restart") else words.say("pm_restart")),
        words.say("pm_direction", direction=words.known(worst)) if worst else "", text_of(intent.data, "forced"),
        seen, number_of(map_of(data, "recovery"), "value"),
        words.known(f"pm_outcome_{outcome}") if outcome else words.say("pm_unfinished"),
        helped if result else "pm_help_unknown", tuple(part for part in said if part)[:10],
    )  # fmt: skip


def _refusals(words: Words, entries: Sequence[Entry]) -> Iterator[Refusal]:
    for entry in entries:
        if entry.what == "refused":
            names = (text_of(entry.data, name) for name in ("action", "target", "guard"))
            text = words.sentence(entry.data.get("sentence"))
            yield Refusal(entry.at, entry.host, *names, text, number_of(entry.data, "allowed_in"))


def _pages(entries: Sequence[Entry]) -> Iterator[Page]:
    """Each page once, though every host of the incident has it on record, and it was tried again until one took it."""
    done: dict[str, Entry] = {}
    told = set()
    for entry in (entry for entry in entries if entry.what == "paged"):
        level = text_of(entry.data, "level")
        if level not in done or (entry.data.get("sent") and not done[level].data.get("sent")):
            done[level] = entry
    for entry in entries:
        level = text_of(entry.data, "level")
        if entry.what not in ("paging", "paged") or level in told:
            continue
        told.add(level)
        after = done.get(level)
        sent = after.data.get("sent") if after else None
        failed = tuple(
            f"{text_of(f, 'channel')}: {text_of(f, 'problem')}" for f in list_of(after.data if after else {}, "failed")
        )
        names = tuple(map(str, sent if isinstance(sent, list) else ()))[:10]
        at = (time_of(after.data.get("paged_at")) or after.at) if after else entry.at
        yield Page(at, level, names if after else None, failed[:10])


def _causes(words: Words, entries: Sequence[Entry]) -> list[Cause]:
    """Causes by the weight they had, with where and why; what several looks say alike is said once."""
    weights: dict[str, float] = {}
    found: dict[str, tuple[dict, dict]] = {}
    for entry in entries:
        for cause in list_of(entry.data, "causes") if entry.what == "seen" else ():
            name = text_of(cause, "cause")
            weights[name] = max(weights.get(name, 0.0), number_of(cause, "weight") or 0.0)
            hosts, evidence = found.setdefault(name, ({}, {}))
            hosts[entry.host] = None
            for sentence in list_of(cause, "evidence")[:5]:
                if len(evidence) < 12:
                    evidence[f"{entry.host}: {words.sentence(sentence)}"] = None
    order = sorted(found, key=lambda name: -weights[name])
    advice = {name: words.say(f"mend_{name}") if f"mend_{name}" in _texts.CATALOGUE else "" for name in order}
    return [Cause(name, tuple(found[name][0]), tuple(found[name][1]), advice[name]) for name in order]


def _first_look(words: Words, records: Sequence[Record]) -> Iterator[tuple[str, str]]:
    """What each host's indicators were when it was first looked at."""
    looks = {entry.host: entry for entry in reversed(merge(records)) if entry.what == "seen"}
    for host, first in sorted(looks.items()):
        yield host, _state(words, seen_in(first))
        others = ", ".join(
            f"{name} {_messages.number(finite(value))}" for name, value in map_of(first.data, "indicators").items()
        )
        if others:
            yield host, _redact.redact(others, limit=MAX_TEXT)


def _leases(incidents: Collection[str], answers: Mapping[str, Mapping]) -> Iterator[Lease]:
    """What still stands of this incident, and what was leased before leases named theirs."""
    for host, answer in answers.items():
        for lease in list_of(answer, "leases")[:MAX_ROWS]:
            if text_of(lease, "incident") in (*incidents, ""):
                written = map_of(lease, "written").items()
                changes = _redact.redact(", ".join(f"{name}={value}" for name, value in written), limit=MAX_TEXT)
                until = time_of(lease.get("until"))
                endless = until is None and not number_of(lease, "seconds")
                yield Lease(host, text_of(lease, "name"), changes, until, endless)


def _marks(words: Words, actions: Sequence[Action], pages: Sequence[Page]) -> Iterator[Mark]:
    marks = [
        *((a.at, a.host, "action", f"{a.host}: {a.name} {a.target}: {a.changes or '–'}") for a in actions),
        *((p.at, "", "page", words.say("pm_paged", level=p.level, sent=", ".join(p.sent or ()) or "–")) for p in pages),
    ]
    timed = sorted((mark for mark in marks if mark[0] is not None), key=lambda mark: mark[0])
    for number, (at, host, tone, text) in enumerate(timed[:MAX_MARKS], 1):
        yield Mark(number, at, host, tone, text)


def _deadline(name: str, by: float | None, at: float | None, now: float) -> Deadline:
    if by is None:
        return Deadline(name, None, at, "pm_unknown")
    if at is not None:
        return Deadline(name, by, at, "pm_met" if at <= by else "pm_missed")
    return Deadline(name, by, None, "pm_missed" if now > by else "pm_running")


# What comes first, and what comes last


def _chains(words: Words, records: Sequence[Record]) -> Iterator[tuple[str, int, str, str]]:
    for record in records:
        chain = map_of(record.info, "chain")
        state = words.say("pm_whole") if chain.get("whole") is True else words.say("pm_broken")
        yield record.host, len(record.entries), text_of(record.info, "head")[:64], state


def _warnings(
    words: Words,
    records: Sequence[Record],
    missing: Sequence[tuple[str, str]],
    answers: Mapping[str, Mapping],
    asked: Mapping | None,
    pages: Sequence[Page],
) -> Iterator[str]:
    say = words.say
    for host, problem in missing:
        yield say("pm_missing", host=host, problem=problem)
    for host, answer in answers.items():
        if answer.get("failed") is True and "incidents" in answer:
            yield say("pm_not_all", host=host, problem=text_of(answer, "msg") or say("pm_unknown"))
    for record in records:
        yield from _doubts(words, record)
    for page in pages:
        if page.sent is None:
            yield say("pm_page_open", level=page.level)
        elif not page.sent:
            yield say("pm_page_lost", level=page.level, failed="; ".join(page.failed) or "–")
    clocks = {host: at for host, answer in answers.items() if (at := time_of(answer.get("now"))) is not None}
    if clocks:
        fast, slow = max(clocks, key=clocks.__getitem__), min(clocks, key=clocks.__getitem__)
        if clocks[fast] - clocks[slow] > SKEW:
            yield say("pm_clocks", fast=fast, slow=slow, span=words.span(clocks[fast] - clocks[slow]))
    if asked and asked.get("problem"):
        yield say("pm_no_prometheus", problem=_redact.redact(text_of(asked, "problem"), limit=MAX_TEXT))
    if asked and asked.get("doubt"):
        yield say("pm_prometheus_doubt", problem=_redact.redact(text_of(asked, "doubt"), limit=MAX_TEXT))


def _doubts(words: Words, record: Record) -> Iterator[str]:
    """Why the record of a host may not be the whole truth."""
    say, chain = words.say, map_of(record.info, "chain")
    if chain.get("whole") is not True:
        yield say("pm_chain_broken", host=record.host, problem=text_of(chain, "problem") or say("pm_unknown"))
    if record.lost:
        yield say("pm_lost_lines", host=record.host, count=record.lost)
    if record.info.get("torn") is True:
        yield say("pm_torn_now", host=record.host)
    torn = [str(entry.seq) for entry in record.entries if entry.torn]
    if torn:
        yield say("pm_torn", host=record.host, seq=", ".join(torn[:10]))
    answered = {number_of(entry.data, "intent") for entry in record.entries if entry.what == "result"}
    for entry in record.entries:
        if entry.what == "intent" and entry.seq not in answered:
            action = f"{text_of(entry.data, 'action')} {text_of(entry.data, 'target')}"
            yield say("pm_intent_open", host=record.host, seq=entry.seq, action=action)
    yield from _jumps(words, record)


def _missing(
    words: Words, answers: Mapping[str, Mapping], records: Sequence[Record], entries: Sequence[Entry]
) -> Iterator[tuple[str, str]]:
    """Hosts whose record is not in the report, with why: of those asked, and of those that the others name."""
    for host, answer in answers.items():
        if answer.get("problem"):
            yield host, text_of(answer, "problem")
    lists = (entry.data.get("hosts") for entry in entries if entry.what in ("opened", "joined", "reopened"))
    named = {str(host) for hosts in lists if isinstance(hosts, list) for host in hosts[:MAX_HOSTS]}
    told = {record.host for record in records}
    for host in sorted(named - told)[:MAX_HOSTS]:
        if host not in answers:
            yield host, words.say("pm_not_in_play")
        elif not answers[host].get("problem"):
            yield host, words.say("pm_no_record")


def _jumps(words: Words, record: Record) -> Iterator[str]:
    """Clocks that were set while the incident went on: the uptime tells."""
    for old, new in zip(record.entries, record.entries[1:]):
        if old.boot and old.boot == new.boot and None not in (old.at, new.at, old.up, new.up):
            moved = (new.at - old.at) - (new.up - old.up)
            if abs(moved) > JUMP:
                key = "pm_clock_ahead" if moved > 0 else "pm_clock_back"
                yield words.say(key, host=record.host, span=words.span(abs(moved)), seq=new.seq)


def _short(words: Words, story: Story) -> Iterator[str]:
    say = words.say
    values = [value for series in story.series for value in series.values]
    worst = (min if story.indicator.breach == "<" else max)(values) if values else None
    yield say(
        "pm_short_what",
        severity=story.worst_severity,
        metric=story.metric,
        value=_messages.number(worst, story.threshold),
        limit=_messages.number(story.threshold, story.threshold),
        hosts=", ".join(story.hosts),
    )
    if story.closed is None:
        yield say("pm_short_open", span=words.span(story.now - story.opened))
    else:
        yield say("pm_short_closed", span=words.span(story.closed - story.opened))
    breached = [impact for impact in story.impacts if impact.breached is not None]
    if breached:
        longest = max(breached, key=lambda impact: impact.breached)
        known = f"{math.floor(100 * longest.known / longest.seconds) if longest.seconds else 100}"
        yield say("pm_short_breach", host=longest.host, span=words.span(longest.breached), percent=known)
    else:
        yield say("pm_short_breach_unknown")
    if story.causes and story.causes[0].name != "unknown":
        evidence = "; ".join(story.causes[0].evidence[:2]) or "–"
        yield say("pm_short_cause", cause=story.causes[0].name, evidence=evidence)
    else:
        yield say("pm_short_no_cause")
    counts = {"helped": sum(action.helped == "pm_helped" for action in story.actions), "refused": len(story.refusals)}
    yield say("pm_short_actions", count=len(story.actions), **counts)
    states = (f"{say(deadline.name)}: {say(deadline.state)}" for deadline in story.deadlines)
    yield say("pm_short_deadlines", states="; ".join(states))
    if story.leases:
        yield say("pm_short_leases", names=", ".join(f"{lease.host}: {lease.changes}" for lease in story.leases[:5]))


def _follow_ups(words: Words, story: Story) -> Iterator[str]:
    """What the incident itself leaves to do, then what the runbook asks for after every incident."""
    say = words.say
    yield say("pm_todo_root")
    for cause in story.causes[:1]:
        if cause.advice:
            yield cause.advice
    for lease in story.leases[:10]:
        yield say("pm_todo_lease", host=lease.host, name=lease.name, changes=lease.changes)
    for action in story.actions:
        if action.outcome == say("pm_unfinished"):
            yield say("pm_todo_unfinished", host=action.host, action=f"{action.name} {action.target}")
    for host, _problem in story.missing[:10]:
        yield say("pm_todo_missing", host=host)
    for host, _count, _head, state in story.records:
        if state == say("pm_broken"):
            yield say("pm_todo_chain", host=host)
    for deadline in story.deadlines:
        if deadline.state == "pm_missed":
            yield say("pm_todo_deadline", name=say(deadline.name))
    for channel in sorted({failed for page in story.pages for failed in page.failed})[:5]:
        yield say("pm_todo_channel", channel=channel)
    for key in ("pm_todo_fix", "pm_todo_docs", "pm_todo_alerting", "pm_todo_training"):
        yield say(key)
