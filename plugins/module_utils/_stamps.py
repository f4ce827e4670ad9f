# SPDX-License-Identifier: GPL-3.0-or-later
"""What time it is on a host, and times as logs and records write them. Private to aurora.runbook."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from ansible_collections.aurora.runbook.plugins.module_utils import _systemd


@dataclass(frozen=True)
class Clock:
    """The host's clock (seconds since 1970), which may be wrong; this boot, and seconds since then."""

    wall: float
    boot: str
    up: float

    @property
    def stamp(self) -> str:
        return stamp(self.wall)


def clock() -> Clock:
    return Clock(time.time(), *_systemd.boot())


def stamp(seconds: float) -> str:
    """Seconds since 1970 as a record writes them: UTC, to the millisecond."""
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def seconds(stamp: object) -> float:
    """A written time as seconds since the epoch; seconds, milliseconds or ISO 8601. Raises TypeError or ValueError."""
    if isinstance(stamp, str):
        return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
    return stamp / 1000 if stamp > 1e11 else float(stamp)
