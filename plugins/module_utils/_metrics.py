# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus text format 0.0.4 and the arithmetic Prometheus does on it. Private to aurora.runbook.

Held in tests against prometheus_client's parser and Prometheus' own functions.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from ansible_collections.aurora.runbook.plugins.module_utils._errors import MetricsError

# Each alternative begins differently, so that no line, however hostile, takes more than one pass.
_LINE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\s*\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\}\s*|\s+)(\S+)(?:\s+-?\d+)?')
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Page:
    """One scrape: series by name, and the names that TYPE lines declare, since a counter never raised has no series."""

    series: dict[str, dict[Labels, float]] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()

    def has(self, name: str) -> bool:
        return name in self.series or name in self.declared

    def only(self, names: set[str]) -> Page:
        """The page without everything else, to keep."""
        kept = {name: series for name, series in self.series.items() if name in names}
        return Page(kept, self.declared & names)

    def total(self, name: str) -> float | None:
        """Sum over all series of a name; 0 for a declared family without series, None for a missing one."""
        return sum(self.series.get(name, {}).values(), 0.0) if self.has(name) else None

    def highest(self, name: str) -> float | None:
        """The largest value of a gauge; NaN when any series is NaN, None when there is none."""
        values = list(self.series.get(name, {}).values())
        if not values:
            return None
        return math.nan if any(math.isnan(v) for v in values) else max(values)


def parse(text: str) -> Page:
    """Read a metrics page. Raises MetricsError with the line that is not text format."""
    series: dict[str, dict[Labels, float]] = {}
    declared = set()
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if line.startswith("#"):
            words = line.split(None, 3)
            if len(words) > 2 and words[1] == "TYPE":
                declared.add(words[2])
        elif line:
            name, labels, value = _sample(line, number)
            series.setdefault(name, {})[labels] = value
    return Page(series, frozenset(declared))


def _sample(line: str, number: int) -> tuple[str, Labels, float]:
    match = _LINE.fullmatch(line)
    if not match:
        raise MetricsError(f"line {number} is not Prometheus text format: {line[:80]!r}")
    try:
        return match[1], _labels(match[2] or ""), float(match[3])
    except ValueError:
        raise MetricsError(f"line {number} is not Prometheus text format: {line[:80]!r}") from None


def _labels(text: str) -> Labels:
    text, found, at = text.strip(), [], 0
    while at < len(text):
        match = _LABEL.match(text, at)
        if not match:
            raise ValueError(text)
        found.append((match[1], re.sub(r'\\[\\"n]', lambda m: _ESCAPES[m[0]], match[2])))
        at = match.end()
    return tuple(sorted(found))


def increases(before: Page, after: Page, name: str, label: str | None = None) -> dict[str, float] | None:
    """How much a counter rose between two scrapes, by the value of a label (or in all, under "").

    None when the family is missing on either side or a series fell: after a restart nothing is known about the window.
    """
    if not (before.has(name) and after.has(name)):
        return None
    old, new = before.series.get(name, {}), after.series.get(name, {})
    if any(key not in new or not new[key] >= value for key, value in old.items()):
        return None
    risen: dict[str, float] = {}
    for labels, value in new.items():
        key = dict(labels).get(label, "") if label else ""
        risen[key] = risen.get(key, 0.0) + value - old.get(labels, 0.0)
    return risen


def increase(before: Page, after: Page, name: str) -> float | None:
    """How much a counter rose in all, or None as in increases()."""
    risen = increases(before, after, name)
    return None if risen is None else sum(risen.values())


def histogram_quantile(q: float, buckets: dict[str, float]) -> float:
    """Prometheus' histogram_quantile over cumulative counts by "le"; NaN without observations or without +Inf."""
    ordered = sorted((float(le), count) for le, count in buckets.items())
    if len(ordered) < 2 or not math.isinf(ordered[-1][0]) or not ordered[-1][1] > 0:
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
