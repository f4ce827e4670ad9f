# SPDX-License-Identifier: GPL-3.0-or-later
"""The timeline of an incident, a line for each of its records. Private to aurora.runbook; controller only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _verdicts
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._accounts import (
    MAX_HOSTS,
    MAX_TEXT,
    Entry,
    flat,
    list_of,
    map_of,
    number_of,
    seen_in,
    text_of,
    who_in,
)
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._story import Line
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._words import Words

SAME = 5.0  # seconds within which the same words from several hosts become one line
_BAD = (_verdicts.NOT_RECOVERED, _verdicts.ESCALATED, _verdicts.FAILED)
TONES = {**dict.fromkeys(_verdicts.OVER, "good"), **dict.fromkeys(_BAD, "bad")}


def lines(words: Words, entries: Sequence[Entry]) -> list[Line]:
    """The lines for the entries of all hosts, which are in the order of their time."""
    return _together(_each(words, entries))


def _each(words: Words, entries: Sequence[Entry]) -> Iterator[Line]:
    """A line for each entry that says something new."""
    told = [entry for entry in entries if entry.what == "paged"]
    paged = {(entry.host, text_of(entry.data, "level")) for entry in told}
    sent = {text_of(entry.data, "level") for entry in told if not entry.data.get("paged_at")}
    ends: dict[tuple[str, str], float] = {}
    for entry in entries:
        if entry.what == "paging" and (entry.host, text_of(entry.data, "level")) in paged:
            continue
        if entry.what == "paged" and entry.data.get("paged_at") and text_of(entry.data, "level") in sent:
            continue  # nothing was sent then: the page was added to a record that had missed it
        if entry.what == "acknowledged" and number_of(entry.data, "after_seconds") is not None:
            continue  # the record that was merged into this one has it
        tone, text = _event(words, entry)
        if entry.what == "lease_ended":  # recorded in both the merged record and this one
            before = ends.get((entry.host, text), -SAME)
            ends[entry.host, text] = entry.order
            if entry.order - before < SAME:
                continue
        yield Line(entry.at, (entry.host,), tone, _redact.redact(text, limit=2 * MAX_TEXT))


def _together(each: Iterable[Line]) -> list[Line]:
    """The lines, in which the same words from several hosts at the same time are one line."""
    told: list[Line] = []
    for line in each:
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
    """The tone and the words for a line of a record."""
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
        return tone, "; ".join([words.state(seen), *likely])
    if entry.what == "intent":
        values = {"action": text_of(data, "action"), "target": text_of(data, "target"), "who": entry.by}
        parts = [say("pm_intent", **values), words.changes(data), words.forced(data)]
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
