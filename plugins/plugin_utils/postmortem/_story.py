# SPDX-License-Identifier: GPL-3.0-or-later
"""What a post-mortem shows: a story and its parts. Private to aurora.runbook; controller only.

Unknown values are None, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._series import Impact, Series


@dataclass(frozen=True)
class Line:
    """A line of the timeline. ``tone`` is how it is shown."""

    at: float | None
    hosts: tuple[str, ...]
    tone: str
    text: str


@dataclass(frozen=True)
class Action:
    """A change: of what, from which to which value, and what the indicator did."""

    at: float | None
    host: str
    name: str
    target: str
    by: str
    changes: str
    direction: str
    forced: str
    before: float | None
    after: float | None
    outcome: str
    helped: str  # key of a message
    said: tuple[str, ...]


@dataclass(frozen=True)
class Refusal:
    at: float | None
    host: str
    action: str
    target: str
    guard: str
    text: str
    allowed_in: float | None


@dataclass(frozen=True)
class Page:
    """A level that was paged; ``sent`` is None if the record ends between sending it and noting that."""

    at: float | None
    level: str
    sent: tuple[str, ...] | None
    failed: tuple[str, ...]


@dataclass(frozen=True)
class Cause:
    name: str
    hosts: tuple[str, ...]
    evidence: tuple[str, ...]
    advice: str


@dataclass(frozen=True)
class Deadline:
    name: str  # key of a message
    by: float | None
    at: float | None
    state: str  # key of a message


@dataclass(frozen=True)
class Lease:
    host: str
    name: str
    changes: str
    until: float | None
    endless: bool


@dataclass(frozen=True)
class Mark:
    """A numbered line in the chart: an action, a refusal or a page."""

    number: int
    at: float
    host: str  # "" if it concerns all of them
    tone: str
    text: str


@dataclass(frozen=True)
class Story:
    """All that a report shows, in the reader's language, as plain text that still has to be escaped."""

    id: str
    incident: str
    metric: str
    threshold: float
    indicator: _indicators.Indicator
    severity: str
    worst_severity: str
    hosts: tuple[str, ...]
    missing: tuple[tuple[str, str], ...]
    began: float
    opened: float
    closed: float | None
    now: float
    warnings: tuple[str, ...]
    timeline: tuple[Line, ...]
    left_out: int
    impacts: tuple[Impact, ...]
    series: tuple[Series, ...]
    marks: tuple[Mark, ...]
    causes: tuple[Cause, ...]
    seen: tuple[tuple[str, str], ...]
    actions: tuple[Action, ...]
    refusals: tuple[Refusal, ...]
    pages: tuple[Page, ...]
    acknowledged: tuple[str, float | None, str] | None
    deadlines: tuple[Deadline, ...]
    leases: tuple[Lease, ...]
    due: float
    records: tuple[tuple[str, int, str, str], ...]
    summary: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()
    owner: str = ""  # who acknowledged last, proposed as the owner of what is left to do
