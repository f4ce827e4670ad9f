# SPDX-License-Identifier: GPL-3.0-or-later
"""What this collection keeps on a host: open incidents, leases, who works here. Private to aurora.runbook."""

from __future__ import annotations

from dataclasses import asdict

from ansible_collections.aurora.runbook.plugins.module_utils import _claim, _lease, _pause, _record


def overview(now: _record.Clock) -> dict:
    """As incident_info and triage_info return it. Raises RunbookError when something cannot be read."""
    claim, pause = _claim.held(now), _pause.load(now)
    return {
        "incidents": [_record.describe(_record.read(name), now) for name in _record.open_names()],
        "leases": [asdict(lease) for lease in _lease.load_all()],
        "claim": {"holder": claim.holder, "incident": claim.incident, "since": claim.since} if claim else None,
        "paused": pause.until if pause else None,
        "now": now.stamp,
    }
