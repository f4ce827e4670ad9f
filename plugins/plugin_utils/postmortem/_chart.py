# SPDX-License-Identifier: GPL-3.0-or-later
"""Positions of lines in a chart over time, as numbers for a template. Private to aurora.runbook; controller only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

LEFT, RIGHT, TOP, BOTTOM = 80, 14, 26, 40  # space for the ticks and for the numbers of the marks
SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    """Pixels of the box, of an SVG path, of ticks, of the limit and of the area beyond it."""

    width: int
    height: int
    left: float
    right: float
    top: float
    bottom: float
    path: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    limit: float
    beyond: tuple[float, float]  # the upper edge of the side that is a breach, and its height
    marks: tuple[Tick, ...]  # marks that are too close to each other share one text


def chart(
    points: Sequence[tuple[float, float | None]],
    window: tuple[float, float],
    limit: float,
    low_is_bad: bool,
    marks: Sequence[tuple[float, str]],
    width: int,
    height: int,
    states: Mapping[float, str] | None = None,
) -> Chart | None:
    """A line over ``window`` with gaps where there is no value; None if there are no values.

    ``states`` names the values of an indicator that has only a few; it is drawn in steps.
    """
    values = [value for _at, value in points if value is not None]
    if not values:
        return None
    start, end = window[0], max(window[1], window[0] + 1)
    lowest, highest = min([*values, limit, *(states or ())]), max([*values, limit, *(states or ())])
    room = (highest - lowest) * 0.08 or abs(highest) * 0.1 or 1.0
    low, high = (0.0 if not states and 0 <= lowest < highest / 2 else lowest - room), highest + room
    right, bottom = width - RIGHT, height - BOTTOM

    def x(at: float) -> float:
        return round(LEFT + (min(max(at, start), end) - start) / (end - start) * (right - LEFT), 1)

    def y(value: float) -> float:
        return round(bottom - (value - low) / (high - low) * (bottom - TOP), 1)

    line = y(limit)
    return Chart(
        width,
        height,
        LEFT,
        right,
        TOP,
        bottom,
        " ".join(_path([(x(at), None if value is None else y(value)) for at, value in points], bool(states))),
        tuple(Tick(x(at), text) for at, text in _times(start, end, max(2, width // 110))),
        tuple(Tick(y(value), text) for value, text in (states or _values(low, high)).items()),
        line,
        (line, bottom - line) if low_is_bad else (TOP, line - TOP),
        tuple(_apart([Tick(x(at), text) for at, text in marks])),
    )


def _path(points: Sequence[tuple[float, float | None]], steps: bool) -> Iterator[str]:
    """SVG path commands; a single value becomes a short line, so that it can be seen."""
    pen = False
    for index, (x, y) in enumerate(points):
        if y is None:
            if steps and pen:
                yield f"H{x}"
            pen = False
            continue
        yield f"{'L' if pen else 'M'}{x} {y}" if not (steps and pen) else f"H{x}V{y}"
        follows = index + 1 < len(points) and (steps or points[index + 1][1] is not None)
        if not pen and not follows:
            yield "h2"
        pen = True


def _times(start: float, end: float, count: int) -> Iterator[tuple[float, str]]:
    """Round times between the two, at most ``count``."""
    step = next((s for s in SECONDS if (end - start) / s <= count), 86400 * math.ceil((end - start) / count / 86400))
    shape = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86400 else "%m-%d"
    for number in range(math.ceil(start / step), math.floor(end / step) + 1):
        yield number * step, datetime.fromtimestamp(number * step, timezone.utc).strftime(shape)


def _values(low: float, high: float) -> dict[float, str]:
    """Round figures between the two, three or four of them."""
    raw = (high - low) / 4
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * unit for factor in (1, 2, 2.5, 5, 10) if factor * unit >= raw)
    found = [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return {value: f"{value:.4g}" for value in found}


def _apart(ticks: Sequence[Tick]) -> Iterator[Tick]:
    """Numbers that would be drawn over each other share the first one's place: "1 2"."""
    groups: list[list[Tick]] = []
    for tick in ticks:
        if groups and tick.at - groups[-1][0].at < 8 * (1 + len(" ".join(t.text for t in groups[-1]))):
            groups[-1].append(tick)
        else:
            groups.append([tick])
    for group in groups:
        for number, tick in enumerate(group):
            yield Tick(tick.at, "" if number else " ".join(t.text for t in group))
