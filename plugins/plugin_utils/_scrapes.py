# SPDX-License-Identifier: GPL-3.0-or-later
"""How often Prometheus scrapes the pages of Aurora. Private to aurora.runbook; controller only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}


def aurora(targets: Mapping, pages: Mapping) -> list[Mapping]:
    """The targets that have served a page of Aurora, according to Prometheus."""
    known = [one.get("metric") or {} for one in _data(pages, "result")]
    ours = {(one.get("job"), one.get("instance")) for one in known}
    labelled = [(target, target.get("labels") or {}) for target in _data(targets, "activeTargets")]
    return [target for target, labels in labelled if (labels.get("job"), labels.get("instance")) in ours]


def name_of(target: Mapping) -> str:
    labels = target.get("labels") or {}
    return f"{labels.get('instance')} (job {labels.get('job')})"


def scraped_every(targets: Mapping, pages: Mapping) -> dict[str, float]:
    """Seconds between two scrapes of each target that has served a page of Aurora, according to Prometheus."""
    every = {name_of(target): seconds(target.get("scrapeInterval")) for target in aurora(targets, pages)}
    return {name: interval for name, interval in every.items() if interval is not None}


def seconds(text: object) -> float | None:
    """A duration in Prometheus' notation such as 1m30s; None for anything else, which promtool refuses."""
    parts: Sequence[tuple[str, str]] = re.findall(r"(\d+)(ms|[smhdwy])", str(text))
    if not parts or "".join(number + unit for number, unit in parts) != str(text):
        return None
    return sum(int(number) * UNITS[unit] for number, unit in parts)


def _data(answer: Mapping, name: str) -> list:
    return ((answer or {}).get("data") or {}).get(name) or []
