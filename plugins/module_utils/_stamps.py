# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as Aurora's logs write them. Private to aurora.runbook."""

from __future__ import annotations

from datetime import datetime


def seconds(stamp: object) -> float:
    """A log's time as seconds since the epoch; seconds, milliseconds or ISO 8601. Raises TypeError or ValueError."""
    if isinstance(stamp, str):
        return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
    return stamp / 1000 if stamp > 1e11 else float(stamp)
