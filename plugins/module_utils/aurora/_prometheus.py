# SPDX-License-Identifier: GPL-3.0-or-later
"""What Prometheus answers, and how far it can be believed. Private to aurora.runbook; pure functions.

A window of old data looks like a good one, so a value counts only while its service is still scraped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import FetchError

FEW_SCRAPES = 4  # scrapes that may be missed before a sample is too old, and that a rate needs to be reliable
SLACK = 10.0  # seconds that a sample may be late, whatever the interval
USUAL_INTERVAL = 60.0  # Prometheus' default, used if a single sample does not show the interval


@dataclass(frozen=True)
class Doubt:
    """Why a value of Prometheus cannot be believed: a ``problem`` of an indicator, and the reason in words."""

    problem: str  # "" | stale | too_few | unclear
    reason: str = ""


def data(text: str) -> dict:
    """The data of an answer. Raises FetchError for an error, and for an answer that is partial or has a warning."""
    try:
        answer = json.loads(text)
    except ValueError:
        raise FetchError("it did not answer like Prometheus") from None
    problem = objection(answer)
    if problem:
        raise FetchError(problem)
    return answer["data"]


def objection(answer: object) -> str:
    """Why an answer of Prometheus' HTTP API must not be used; empty for a complete one."""
    if not isinstance(answer, Mapping) or answer.get("status") not in ("success", "error"):
        return "it did not answer like Prometheus"
    if answer["status"] == "error":
        return f"{answer.get('errorType', 'error')}: {str(answer.get('error', ''))[:200]}"
    if answer.get("warnings"):
        return f"it warns: {str(answer['warnings'])[:200]}"
    if answer.get("isPartial") or answer.get("partial"):
        return "its answer is partial"
    known = answer.get("data")
    if not isinstance(known, Mapping) or not isinstance(known.get("result"), list):
        return "it did not answer like Prometheus"
    return ""


def single(found: Mapping) -> tuple[float, float] | None:
    """When a query for one value was evaluated, and the value; None for no result. Raises FetchError for any other."""
    kind, result = found.get("resultType"), found["result"]
    if kind == "vector" and len(result) > 1:
        raise FetchError(f"{len(result)} results instead of one")
    try:
        at, value = result if kind == "scalar" else result[0]["value"] if result else (0.0, None)
        return None if value is None else (float(at), float(value))
    except (KeyError, TypeError, ValueError):
        raise FetchError("its result is not one number") from None


def doubt(indicator: _indicators.Indicator, found: Mapping, now: float) -> Doubt:
    """Whether the value of an indicator can be believed.

    ``found`` has the samples of its service's activity within its window, on every page of the host. Pages on which
    nothing was ever counted belong to another service, unless there are no others.
    """
    try:
        pages = [[(float(at), float(value)) for at, value in series["values"]] for series in found["result"]]
    except (KeyError, TypeError, ValueError):
        raise FetchError("its samples are not numbers") from None
    pages = [page for page in pages if page]
    serving = [page for page in pages if page[-1][1] > 0] or pages
    if not serving:
        return Doubt("stale", f"it has no sample of {indicator.activity} in the last {indicator.over}")
    for page in serving:
        times = [at for at, _value in page]
        interval = _interval(times)
        late = max(FEW_SCRAPES * interval, SLACK)
        if now - times[-1] > late:
            return Doubt(
                "stale", f"its newest sample is {now - times[-1]:.0f} s old, although one came every {interval:.0f} s"
            )
        if indicator.kind == "increase" and now - times[0] < indicator.over_seconds - late:
            return Doubt("too_few", f"it has known the host for only {now - times[0]:.0f} s")
    return Doubt("")


def _interval(times: Sequence[float]) -> float:
    """The usual number of seconds between two scrapes; a gap does not count as one."""
    gaps = sorted(after - before for before, after in zip(times, times[1:]))
    return gaps[len(gaps) // 2] if gaps else USUAL_INTERVAL
