# SPDX-License-Identifier: GPL-3.0-or-later
"""What was done, refused, paged, found and left in an incident. Private to aurora.runbook; controller only."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages, _verdicts
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.plugin_utils import _texts
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._accounts import (
    MAX_TEXT,
    Entry,
    Record,
    finite,
    list_of,
    map_of,
    merge,
    number_of,
    seen_in,
    text_of,
    time_of,
)
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._story import (
    Action,
    Cause,
    Deadline,
    Lease,
    Mark,
    Page,
    Refusal,
)
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._words import Words

MAX_ROWS, MAX_MARKS = 50, 30
HELPED = {**dict.fromkeys(_verdicts.OVER, "pm_helped"), _verdicts.NOT_RECOVERED: "pm_not_helped"}


def actions(words: Words, records: Sequence[Record]) -> Iterator[Action]:
    """What was done, in the order of the intents, each with the last known value of the indicator before it."""
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
        words.changes(intent.data) or ("" if not intent.data.get("restart") else words.say("pm_restart")),
        words.say("pm_direction", direction=words.known(worst)) if worst else "", text_of(intent.data, "forced"),
        seen, number_of(map_of(data, "recovery"), "value"),
        words.known(f"pm_outcome_{outcome}") if outcome else words.say("pm_unfinished"),
        helped if result else "pm_help_unknown", tuple(part for part in said if part)[:10],
    )  # fmt: skip


def refusals(words: Words, entries: Sequence[Entry]) -> Iterator[Refusal]:
    for entry in entries:
        if entry.what == "refused":
            names = (text_of(entry.data, name) for name in ("action", "target", "guard"))
            text = words.sentence(entry.data.get("sentence"))
            yield Refusal(entry.at, entry.host, *names, text, number_of(entry.data, "allowed_in"))


def pages(entries: Sequence[Entry]) -> Iterator[Page]:
    """Each page once, although every host of the incident records it, and it was tried until a channel took it."""
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


def causes(words: Words, entries: Sequence[Entry]) -> list[Cause]:
    """Causes by their weight, with where and why; what several looks say in the same way is said once."""
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


def first_look(words: Words, records: Sequence[Record]) -> Iterator[tuple[str, str]]:
    """What each host's indicators were when it was first looked at."""
    looks = {entry.host: entry for entry in reversed(merge(records)) if entry.what == "seen"}
    for host, first in sorted(looks.items()):
        yield host, words.state(seen_in(first))
        others = ", ".join(
            f"{name} {_messages.number(finite(value))}" for name, value in map_of(first.data, "indicators").items()
        )
        if others:
            yield host, _redact.redact(others, limit=MAX_TEXT)


def leases(incidents: Collection[str], answers: Mapping[str, Mapping]) -> Iterator[Lease]:
    """What still stands from this incident, and what was leased before leases had an incident."""
    for host, answer in answers.items():
        for lease in list_of(answer, "leases")[:MAX_ROWS]:
            if text_of(lease, "incident") in (*incidents, ""):
                written = map_of(lease, "written").items()
                changed = _redact.redact(", ".join(f"{name}={value}" for name, value in written), limit=MAX_TEXT)
                until = time_of(lease.get("until"))
                endless = until is None and not number_of(lease, "seconds")
                yield Lease(host, text_of(lease, "name"), changed, until, endless)


def marks(words: Words, actions: Sequence[Action], pages: Sequence[Page]) -> Iterator[Mark]:
    marks = [
        *((a.at, a.host, "action", f"{a.host}: {a.name} {a.target}: {a.changes or '–'}") for a in actions),
        *((p.at, "", "page", words.say("pm_paged", level=p.level, sent=", ".join(p.sent or ()) or "–")) for p in pages),
    ]
    timed = sorted((mark for mark in marks if mark[0] is not None), key=lambda mark: mark[0])
    for number, (at, host, tone, text) in enumerate(timed[:MAX_MARKS], 1):
        yield Mark(number, at, host, tone, text)


def deadline(name: str, by: float | None, at: float | None, now: float) -> Deadline:
    if by is None:
        return Deadline(name, None, at, "pm_unknown")
    if at is not None:
        return Deadline(name, by, at, "pm_met" if at <= by else "pm_missed")
    return Deadline(name, by, None, "pm_missed" if now > by else "pm_running")
