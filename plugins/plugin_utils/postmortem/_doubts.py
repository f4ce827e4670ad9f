# SPDX-License-Identifier: GPL-3.0-or-later
"""Reasons why a post-mortem may not be the whole truth. Private to aurora.runbook; controller only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._accounts import (
    MAX_HOSTS,
    MAX_TEXT,
    Entry,
    Record,
    map_of,
    number_of,
    text_of,
    time_of,
)
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._story import Page
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._words import Words

SKEW = 20.0  # difference between two clocks that a reader would notice (s); hosts are not read at the same instant
JUMP = 5.0  # seconds by which a clock moved against the uptime of its host


def warnings(
    words: Words,
    records: Sequence[Record],
    missing: Sequence[tuple[str, str]],
    answers: Mapping[str, Mapping],
    asked: Mapping | None,
    pages: Sequence[Page],
) -> Iterator[str]:
    """The warnings at the top of a report."""
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


def missing(
    words: Words, answers: Mapping[str, Mapping], records: Sequence[Record], entries: Sequence[Entry]
) -> Iterator[tuple[str, str]]:
    """Hosts whose record is not in the report, and why: of those that were asked, and of those that others name."""
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
    """Clocks that were set while the incident went on, found from the uptime."""
    for old, new in zip(record.entries, record.entries[1:]):
        if old.boot and old.boot == new.boot and None not in (old.at, new.at, old.up, new.up):
            moved = (new.at - old.at) - (new.up - old.up)
            if abs(moved) > JUMP:
                key = "pm_clock_ahead" if moved > 0 else "pm_clock_back"
                yield words.say(key, host=record.host, span=words.span(abs(moved)), seq=new.seq)


def chains(words: Words, records: Sequence[Record]) -> Iterator[tuple[str, int, str, str]]:
    """Each record: its host, how many lines it has, the hash of the last one, and whether its chain is unbroken."""
    for record in records:
        chain = map_of(record.info, "chain")
        state = words.say("pm_whole") if chain.get("whole") is True else words.say("pm_broken")
        yield record.host, len(record.entries), text_of(record.info, "head")[:64], state
