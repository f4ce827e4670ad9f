# SPDX-License-Identifier: GPL-3.0-or-later
"""What this collection keeps on a host: open incidents, leases, who works here. Private to aurora.runbook."""

from __future__ import annotations

from dataclasses import asdict

from ansible_collections.aurora.runbook.plugins.module_utils import (
    _claim,
    _lease,
    _lease_timer,
    _pause,
    _record,
    _stamps,
)

NAMED = ("action", "target")  # of an intent


def overview(now: _stamps.Clock) -> dict:
    """As incident_info and triage_info return it beside incidents. Raises RunbookError when something cannot be read.

    ``timer`` is how the timer is that ends leases, where one has an end.
    """
    claim, pause = _claim.held(now), _pause.load(now)
    leases = _lease.load_all()
    timer = _lease_timer.state() if any(lease.ends for lease in leases) else ""
    return {
        "leases": [_shown(lease) for lease in leases],
        "timer": timer,
        "timer_works": timer in ("", _lease_timer.WELL),
        "claim": {"holder": claim.holder, "incident": claim.incident, "since": claim.since} if claim else None,
        "paused": pause.until if pause else None,
        "cut_off": [] if claim else _cut_off(now),
        "now": now.stamp,
    }


def open_incidents(now: _stamps.Clock) -> list[dict]:
    return [_record.describe(_record.read(name), now) for name in _record.open_names()]


def _cut_off(now: _stamps.Clock) -> list[dict]:
    """Actions that nobody said the end of; while a run works here they may be its own."""
    return [
        {"id": record.id, "at": intent.at, "by": intent.by, **{key: intent.data.get(key) for key in NAMED}}
        for record in _record.recent(_record.CUT_OFF_SECONDS, now)
        for intent in record.unfinished
    ]


def _shown(lease: _lease.Lease) -> dict:
    # A look at a host without leases is spared a sixth of what its imports take.
    from ansible_collections.aurora.runbook.plugins.module_utils import _override, _override_steps  # noqa: PLC0415

    tuning = lease.kind == _lease.TCP_TUNING
    return {
        **asdict(lease),
        "until": lease.until,
        "seconds": min((end.seconds for end in lease.ends.values()), default=0),
        "direction": "neutral" if tuning else _override.worst(lease),
        "lost": _override_steps.lost(lease),
    }
