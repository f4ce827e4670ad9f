# SPDX-License-Identifier: GPL-3.0-or-later
"""What this collection keeps on a host: open incidents, leases, the run at work. Private to aurora.runbook."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict

from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _claim, _lease, _lease_timer, _pause, _record

NAMED = ("action", "target")  # of an intent


def overview(now: _stamps.Clock) -> dict:
    """What incident_info and triage_info return of a host, beside its incidents.

    ``timer`` is the state of the timer that ends leases, if any lease has an end. ``unread`` lists what could not be
    read and why; everything else is returned all the same.
    """
    unread: list[str] = []
    claim, pause, leases = None, None, []
    with noting(unread):
        claim = _claim.held(now)
    with noting(unread):
        pause = _pause.load(now)
    names: list[str] = []
    with noting(unread):
        names = _lease.names()
    for name in names:
        with noting(unread):
            lease = _lease.load(name)
            leases += [lease] if lease and not lease.gone else []
    timer = _lease_timer.state() if any(lease.ends for lease in leases) else ""
    return {
        "leases": [_shown(lease) for lease in leases],
        "timer": timer,
        "timer_works": timer in ("", _lease_timer.WELL),
        "claim": {"holder": claim.holder, "incident": claim.incident, "since": claim.since} if claim else None,
        "paused": pause.until if pause else None,
        "cut_off": [] if claim else _cut_off(records(_record.CUT_OFF_SECONDS, now, unread)),
        "unread": list(dict.fromkeys(unread)),
        "now": now.stamp,
    }


def open_incidents(now: _stamps.Clock) -> list[dict]:
    return [_record.describe(_record.read(name), now) for name in _record.open_names()]


@contextlib.contextmanager
def noting(unread: list[str]) -> Iterator[None]:
    """Note what cannot be read, and go on with everything else."""
    try:
        yield
    except RunbookError as error:
        unread.append(str(error))


def records(seconds: float, now: _stamps.Clock, unread: list[str]) -> list[_record.Record]:
    """Return what _record.recent() does, for callers that only look."""
    found, names = [], []
    with noting(unread):
        names = _record.names()
    for name in names:
        with noting(unread):
            record = _record.if_recent(name, seconds, now)
            found += [record] if record else []
    return found


def _cut_off(recent: list[_record.Record]) -> list[dict]:
    """Actions without a recorded end. Empty while a run works here, because they may be its own."""
    return [
        {"id": record.id, "at": intent.at, "by": intent.by, **{key: intent.data.get(key) for key in NAMED}}
        for record in recent
        for intent in record.unfinished
    ]


def _shown(lease: _lease.Lease) -> dict:
    # Imported late: a look at a host without leases then saves a sixth of the time that its imports take.
    from ansible_collections.aurora.runbook.plugins.module_utils.act import _override, _override_steps  # noqa: PLC0415

    tuning = lease.kind == _lease.TCP_TUNING
    return {
        **asdict(lease),
        "until": lease.until,
        "seconds": min((end.seconds for end in lease.ends.values()), default=0),
        "direction": "neutral" if tuning else _override.worst(lease),
        "lost": _override_steps.lost(lease),
    }
