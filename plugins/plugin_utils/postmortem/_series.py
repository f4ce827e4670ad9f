# SPDX-License-Identifier: GPL-3.0-or-later
"""An indicator over time, and the impact on a host. Private to aurora.runbook; controller only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._accounts import (
    Entry,
    Record,
    finite,
    list_of,
    map_of,
    number_of,
    seen_in,
    text_of,
    time_of,
)

MAX_POINTS = 240
SPOKEN_FOR = 60.0  # seconds for which a sample of a record holds if no other follows: the longest interval of a wait
UNITS = {"ratio": ("%·min", 100 / 60), "p99": ("ms·min", 1 / 60), "gauge": ("min", 1 / 60), "increase": ("min", 1 / 60)}
Points = Sequence[tuple[float, "float | None"]]


@dataclass(frozen=True)
class Impact:
    """The impact on a host, in seconds; ``integral`` is in ``unit``. None means unknown."""

    host: str
    source: str  # key of a message
    seconds: float
    known: float
    breached: float | None
    integral: float | None
    unit: str
    denied: int | None
    at_least: bool  # whether they were counted only while steps were watched
    dropped: float | None


@dataclass(frozen=True)
class Series:
    """The indicator of a host over time; None if there is no value."""

    host: str
    points: tuple[tuple[float, float | None], ...]

    @property
    def values(self) -> list[float]:
        return [value for _at, value in self.points if value is not None]


# Figures


def from_prometheus(asked: Mapping) -> dict[str, dict[str, tuple[tuple[float, float | None], ...]]]:
    """Series by host and kind, from Prometheus' answer; a step without a value is a gap."""
    found: dict[str, dict] = {}
    twice = set()
    for series in list_of(map_of(asked, "data"), "result"):
        labels, values = map_of(series, "metric"), series.get("values")
        points = []
        for pair in values[: 2 * MAX_POINTS] if isinstance(values, list) else ():
            at = time_of(finite(pair[0])) if isinstance(pair, (list, tuple)) and len(pair) == 2 else None
            if at is not None:
                points.append((at, finite(pair[1])))
        step = min((b[0] - a[0] for a, b in zip(points, points[1:])), default=1.0)
        host, what = _redact.redact(text_of(labels, "host")), text_of(labels, "what")
        if what in found.setdefault(host, {}):
            twice.add((host, what))
        found[host][what] = _gaps(points, step)
    for host, what in twice:  # it is unknown which of them is true
        del found[host][what]
    return found


def from_records(records: Sequence[Record]) -> dict[str, tuple[tuple[float, float | None], ...]]:
    """The indicator by host, from looks and from the samples of waits; a long silence is a gap."""
    found: dict[str, dict[float, float | None]] = {}
    for record in records:
        looks = (entry for entry in record.entries if entry.what == "seen" and entry.at)
        points = found.setdefault(record.host, {})
        points.update((entry.at, number_of(seen_in(entry), "value")) for entry in looks)
        for entry in record.entries:
            samples = entry.data.get("samples") if entry.what == "result" else None
            for pair in samples[:MAX_POINTS] if isinstance(samples, list) else ():
                if isinstance(pair, list) and len(pair) == 2 and (at := time_of(finite(pair[0]))) is not None:
                    points[at] = finite(pair[1])
    return {host: _gaps(sorted(points.items()), SPOKEN_FOR) for host, points in found.items() if points}


def _gaps(points: Sequence[tuple[float, float | None]], step: float) -> tuple[tuple[float, float | None], ...]:
    """The points, with a gap where nothing follows within one and a half steps: a value holds for one step at most."""
    whole = []
    for point, (after, _value) in zip(points, [*points[1:], (math.inf, None)]):
        whole.append(point)
        if after - point[0] > 1.5 * step:
            whole.append((point[0] + step, None))
    return tuple(whole)


def thin(
    points: Sequence[tuple[float, float | None]], indicator: _indicators.Indicator
) -> tuple[tuple[float, float | None], ...]:
    """At most MAX_POINTS of them: the worst value of each stretch, and gaps where there was none."""
    size = math.ceil(len(points) / MAX_POINTS)
    worst = min if indicator.breach == "<" else max
    stretches = [points[start : start + size] for start in range(0, len(points), size or 1)]
    chosen = [worst([p for p in s if p[1] is not None] or [s[0]], key=lambda p: p[1] or 0.0) for s in stretches]
    return tuple(chosen)


def exposure(
    points: Sequence[tuple[float, float | None]],
    indicator: _indicators.Indicator,
    threshold: float,
    start: float,
    end: float,
) -> tuple[float, float, float]:
    """Seconds known, seconds beyond the threshold, and value-seconds beyond it, between two times.

    A value holds until the next point; the last one holds for no time.
    """
    known = breached = beyond = 0.0
    for (at, value), (after, _value) in zip(points, points[1:]):
        held = min(after, end) - max(at, start)
        if value is not None and held > 0:
            known += held
            if indicator.breached(value, threshold):
                breached += held
                beyond += held * abs(value - threshold)
    return known, breached, beyond


def impact_of(
    host: str,
    indicator: _indicators.Indicator,
    threshold: float,
    began: float,
    ended: float,
    asked: Mapping[str, tuple],
    told: Sequence[tuple[float, float | None]],
    entries: Sequence[Entry],
) -> Impact:
    points = asked.get("indicator") or told
    known, breached, beyond = exposure(points, indicator, threshold, began, ended)
    unit, scale = UNITS.get(indicator.kind, ("", 0.0))
    own = [entry for entry in entries if entry.host == host]
    asked_denied = [value for _at, value in asked.get("denied", ()) if value is not None]
    denied = asked_denied[-1] if asked_denied else _denied(own)
    clients = [v for at, v in asked.get("clients", ()) if v is not None and began - SPOKEN_FOR <= at <= ended]
    return Impact(
        host,
        "pm_from_prometheus" if asked.get("indicator") else "pm_from_record" if points else "pm_unknown",
        ended - began,
        known,
        breached if known else None,
        beyond * scale if known and unit else None,
        unit,
        None if denied is None else round(denied),  # Prometheus extrapolates
        denied is not None and not asked_denied,
        _most(_fall(clients) if clients else None, _dropped(own)),
    )


def _most(*counts: float | None) -> float | None:
    """The larger count: a client that is back before the next scrape was never away for Prometheus."""
    return max((count for count in counts if count is not None), default=None)


def _fall(values: Sequence[float]) -> float:
    """The deepest fall from a peak."""
    peak, deepest = values[0], 0.0
    for value in values:
        peak = max(peak, value)
        deepest = max(deepest, peak - value)
    return deepest


def _denied(entries: Iterable[Entry]) -> float | None:
    """Orders denied while steps were watched, as their results say; None if none says."""
    counts = [number_of(map_of(entry.data, "recovery"), "denied") for entry in entries if entry.what == "result"]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _dropped(entries: Iterable[Entry]) -> float | None:
    """Clients that our own restarts dropped, as their results say; None if none says."""
    counts = [
        count
        for entry in entries
        if entry.what == "result"
        for said in list_of(entry.data, "sentences")
        if said.get("message") in ("clients_back", "clients_unknown")
        and (count := number_of(map_of(said, "values"), "before")) is not None
    ]
    return sum(counts) if counts else None
