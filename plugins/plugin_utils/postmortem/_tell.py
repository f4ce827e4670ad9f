# SPDX-License-Identifier: GPL-3.0-or-later
"""The story of an incident from the records of its hosts. Private to aurora.runbook; controller only.

Source: runbook, "Post-Mortem". All that hosts say is hostile: it is cleaned and cut once, before any code looks at it,
and put into a report by templates that escape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _prometheus
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem import (
    _doubts,
    _parts,
    _query,
    _series,
    _short,
    _timeline,
)
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._accounts import (
    ID,
    MAX_HOSTS,
    Entry,
    Record,
    bounds,
    clean,
    earliest,
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
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._story import Deadline, Story
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._words import Words

MAX_LINES = 300
WEEK = 7 * 86400


def tell(
    incident: str, answers: Mapping[str, Mapping], now: float, language: str = "en", asked: Mapping | None = None
) -> Story:
    """The story of an incident.

    ``answers`` is by host what incident_info returned with ``entries``, or ``{"problem": …}``. ``asked`` is what
    Prometheus answered to the range query, or ``{"problem": …}``, or None if it was not asked. ``now`` is used if a
    host does not report its own clock. Raises RunbookError if no host has the incident.
    """
    _query.checked(incident)
    words = Words(language)
    answers = {str(host): clean(answer) for host, answer in sorted(answers.items())[:MAX_HOSTS]}
    records = records_of(incident, answers)
    if not records:
        raise RunbookError(_query.nothing(incident, answers))
    entries = merge(records)
    now = max((at for answer in answers.values() if (at := time_of(answer.get("now"))) is not None), default=now)
    began, opened, ended = bounds(records, now)
    closed = None if any(record.info.get("open") is not False for record in records) else ended
    if asked and not asked.get("problem") and (doubt := _prometheus.objection(asked)):
        asked = {"doubt": doubt}
    indicator = _indicators.INDICATORS[ID.fullmatch(incident)[1]]
    threshold = _threshold(entries, indicator)
    samples, told = _series.from_prometheus(asked or {}), _series.from_records(records)
    missing = tuple(_doubts.missing(words, answers, records, entries))
    actions = tuple(_parts.actions(words, records))
    pages = tuple(_parts.pages(entries))
    lines = _timeline.lines(words, entries)
    story = Story(
        id=incident,
        incident=indicator.incident,
        metric=indicator.metric,
        threshold=threshold,
        indicator=indicator,
        severity=min(map(severity_of, records), key=rank),
        worst_severity=min([*_severities(entries), *map(severity_of, records)], key=rank),
        hosts=tuple(dict.fromkeys(record.host for record in records)),
        missing=missing,
        began=began,
        opened=opened,
        closed=closed,
        now=now,
        timeline=(*lines[: MAX_LINES // 2], *lines[MAX_LINES // 2 :][-MAX_LINES // 2 :]),
        left_out=max(0, len(lines) - MAX_LINES),
        impacts=tuple(
            _series.impact_of(
                host, indicator, threshold, began, ended, samples.get(host, {}), told.get(host, ()), entries
            )
            for host in sorted({*samples, *told, *(record.host for record in records)})
        ),
        series=tuple(
            _series.Series(host, _series.thin(points, indicator))
            for host in sorted({*samples, *told})
            if (points := samples.get(host, {}).get("indicator") or told.get(host))
        ),
        marks=tuple(_parts.marks(words, actions, pages)),
        causes=tuple(_parts.causes(words, entries))[: _parts.MAX_ROWS],
        seen=tuple(_parts.first_look(words, records)),
        actions=actions[: _parts.MAX_ROWS],
        refusals=tuple(_parts.refusals(words, entries))[: _parts.MAX_ROWS],
        pages=pages[: _parts.MAX_ROWS],
        acknowledged=_acknowledged(entries),
        deadlines=tuple(_deadlines(records, entries, closed, now)),
        leases=tuple(_parts.leases({text_of(record.info, "id") for record in records}, answers)),
        due=opened + WEEK,
        records=tuple(_doubts.chains(words, records)),
        warnings=tuple(_doubts.warnings(words, records, missing, answers, asked, pages)),
        owner=next((who_in(entry) for entry in reversed(entries) if entry.what == "acknowledged"), ""),
    )
    return replace(
        story, summary=tuple(_short.summary(words, story)), follow_ups=tuple(_short.follow_ups(words, story))
    )


def _threshold(entries: Sequence[Entry], indicator: _indicators.Indicator) -> float:
    """The limit of the last look, or the indicator's own if no record has one."""
    said = (number_of(seen_in(entry), "threshold") for entry in reversed(entries))
    return next((limit for limit in said if limit is not None), indicator.threshold)


def _severities(entries: Sequence[Entry]) -> Iterator[str]:
    """Every severity that the incident had."""
    for entry in entries:
        said = (text_of(entry.data, "severity"), text_of(entry.data, "to"))
        yield from (severity for severity in said if severity in _indicators.SEVERITIES)


def _acknowledged(entries: Sequence[Entry]) -> tuple[str, float | None, str] | None:
    """Who acknowledged first, when, and in which words."""
    first = next((entry for entry in entries if entry.what == "acknowledged"), None)
    return None if first is None else (who_in(first), first.at, text_of(first.data, "text"))


def _deadlines(
    records: Sequence[Record], entries: Sequence[Entry], closed: float | None, now: float
) -> Iterator[Deadline]:
    responses = (entry.at for entry in entries if entry.what in _record.RESPONSES and entry.at is not None)
    yield _parts.deadline("pm_respond", earliest(records, "respond_by"), min(responses, default=None), now)
    yield _parts.deadline("pm_resolve", earliest(records, "resolve_by"), closed, now)
