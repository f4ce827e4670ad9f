# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus text format 0.0.4 and the arithmetic that Prometheus does on it. Private to aurora.runbook.

Tests compare it with prometheus_client's parser and with Prometheus' own functions. It also reads what real exporters
add: names in quotes (Prometheus 3), and the exemplars and ``# EOF`` of OpenMetrics.

A line that is not text format, a duplicate series and a duplicate label make the names on that line unknown. The rest
of the page counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import MetricsError

# Each alternative begins differently, so that no line, however hostile, takes more than one pass.
_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_DECIMAL = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_VALUE = rf"(?:{_DECIMAL}|[+-]?(?i:inf|infinity|nan))"
_BEGIN = re.compile(rf"({_NAME})[ \t]*(\{{)?|(\{{)")
_LABEL = re.compile(rf"[ \t]*(?:([a-zA-Z_][a-zA-Z0-9_]*)|({_QUOTED}))[ \t]*(?:=[ \t]*({_QUOTED})[ \t]*)?(?:,|(?=\}}))")
_LABELS_END = re.compile(r"[ \t]*\}[ \t]*")
_EXEMPLAR = rf'[ \t]+#[ \t]*\{{(?:[^"}}]|{_QUOTED})*\}}[ \t]+{_VALUE}(?:[ \t]+{_DECIMAL})?'
_END = re.compile(rf"({_VALUE})(?:[ \t]+{_DECIMAL})?(?:{_EXEMPLAR})?")
_NUMBER = re.compile(_VALUE)
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Page:
    """One scrape: series by name, and the names that TYPE lines declare, since a counter never raised has no series.

    A ``broken`` name, whose lines contradict each other or are not text format, counts as unknown.
    """

    series: dict[str, dict[Labels, float]] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()

    def has(self, name: str) -> bool:
        return (name in self.series or name in self.declared) and name not in self.broken

    def only(self, names: set[str]) -> Page:
        """The page with these names and nothing else."""
        kept = {name: series for name, series in self.series.items() if name in names}
        return Page(kept, self.declared & names, self.broken & names)

    def counts(self, name: str) -> dict[Labels, float] | None:
        """The series of a counter, empty for a declared one without series; None if it is missing or is no count."""
        series = self.series.get(name, {})
        counted = self.has(name) and all(math.isfinite(value) and value >= 0 for value in series.values())
        return series if counted else None

    def total(self, name: str) -> float | None:
        """The sum over all series of a name; 0 for a declared family without series, None where counts() has None."""
        series = self.counts(name)
        return None if series is None else sum(series.values(), 0.0)

    def highest(self, name: str) -> float | None:
        """The largest value of a gauge; NaN if any series is NaN, None if there is no series."""
        values = list(self.series.get(name, {}).values()) if self.has(name) else []
        if not values:
            return None
        return math.nan if any(math.isnan(v) for v in values) else max(values)


def parse(text: str) -> Page:
    """Read a metrics page. Raises MetricsError with the first line if no line is text format."""
    series: dict[str, dict[Labels, float]] = {}
    types: dict[str, str] = {}
    seen: set[tuple[str, Labels]] = set()
    broken, cut = set(), []
    first_bad, openmetrics = "", False
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip(" \t")
        if line.startswith("#"):
            words = line.split(None, 3)
            if len(words) == 4 and words[1] == "TYPE":
                types[words[2]] = words[3]
            openmetrics = openmetrics or words == ["#", "EOF"]
        elif line:
            try:
                name, labels, value = _sample(line)
            except ValueError:
                first_bad = first_bad or f"line {number} is not Prometheus text format: {line[:80]!r}"
                words = re.findall(_NAME, line)
                broken.update(words)
                cut += [line] if [line] == words else []  # the last line may be only the beginning of a name
                continue
            series.setdefault(name, {})[labels] = value
            same = name, tuple(label for label in labels if label[1])  # an empty label means the same as none
            if same in seen:
                broken.add(name)
            seen.add(same)
    if first_bad and not series and not types:
        raise MetricsError(first_bad)
    # A histogram is declared without the suffixes of its series, in OpenMetrics a counter too.
    suffixes = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",) if openmetrics else ("",)}
    declared = {name + suffix for name, kind in types.items() for suffix in suffixes.get(kind, ("",))}
    broken.update(name for name in declared | series.keys() if name.startswith(tuple(cut)))
    return Page(series, frozenset(declared), frozenset(broken))


def _sample(line: str) -> tuple[str, Labels, float]:
    """Name, labels and value of a line. Raises ValueError if it is not text format."""
    begin = _BEGIN.match(line)
    if not begin:
        raise ValueError(line)
    names, labels, at = [begin[1]] if begin[1] else [], {}, begin.end()
    if begin[2] or begin[3]:
        while label := _LABEL.match(line, at):
            name, at = label[1] or _unquoted(label[2]), label.end()
            if label[3] is None and label[2]:
                names.append(name)
            elif label[3] is None or name in labels:
                raise ValueError(line)
            else:
                labels[name] = _unquoted(label[3])
        end = _LABELS_END.match(line, at)
        if not end:
            raise ValueError(line)
        at = end.end()
    value = _END.fullmatch(line, at)
    if not value or len(names) != 1:
        raise ValueError(line)
    return names[0], tuple(sorted(labels.items())), float(value[1])


def _unquoted(text: str) -> str:
    return re.sub(r'\\[\\"n]', lambda match: _ESCAPES[match[0]], text[1:-1])


def increases(before: Page, after: Page, name: str, label: str | None = None) -> dict[str, float] | None:
    """How much a counter rose between two scrapes, by the value of a label (or as a total, under "").

    None if it is not a counter on both sides, or if a series fell: after a restart nothing is known about the window.
    """
    old, new = before.counts(name), after.counts(name)
    if old is None or new is None or any(key not in new or new[key] < value for key, value in old.items()):
        return None
    risen: dict[str, float] = {}
    for labels, value in new.items():
        key = dict(labels).get(label, "") if label else ""
        risen[key] = risen.get(key, 0.0) + value - old.get(labels, 0.0)
    return risen


def increase(before: Page, after: Page, name: str) -> float | None:
    """How much a counter rose in total, or None as in increases()."""
    risen = increases(before, after, name)
    return None if risen is None else sum(risen.values())


def histogram_quantile(q: float, buckets: Mapping[str, float]) -> float:
    """Prometheus' histogram_quantile over cumulative counts by "le"; counts of one bound ("100", "100.0") are added.

    NaN without observations or without +Inf. Unlike in Prometheus, it is also NaN if a bound is no number or counts
    fall, because such buckets are no histogram.
    """
    counts: dict[float, float] = {}
    for le, count in buckets.items():
        bound = float(le) if _NUMBER.fullmatch(le) else math.nan
        if math.isnan(bound):
            return math.nan
        counts[bound] = counts.get(bound, 0.0) + count
    ordered = sorted(counts.items())
    if len(ordered) < 2 or not math.isinf(ordered[-1][0]) or not ordered[-1][1] > 0:
        return math.nan
    if any(count < below for (_low, below), (_high, count) in zip(ordered, ordered[1:])):
        return math.nan
    rank = q * ordered[-1][1]
    index = next(i for i, (_le, count) in enumerate(ordered) if count >= rank)
    if index == len(ordered) - 1:
        return ordered[-2][0]
    upper, count = ordered[index]
    lower, below = ordered[index - 1] if index else (0.0, 0.0)
    if index == 0 and upper <= 0:
        return upper
    if count == below:
        return lower
    return lower + (upper - lower) * (rank - below) / (count - below)
