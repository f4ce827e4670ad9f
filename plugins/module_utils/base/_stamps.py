# SPDX-License-Identifier: GPL-3.0-or-later
"""What time it is on a host, and times as logs and records write them. Private to aurora.runbook."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from ansible_collections.aurora.runbook.plugins.module_utils.base import _systemd

ISO = re.compile(
    r"(?P<year>\d{4})(?P<dash>-?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d)"
    r"(?:[Tt_ ](?P<hour>\d\d)(?::?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?)?"
    r" ?(?P<zone>[Zz]|(?P<sign>[+-])(?P<hours>\d\d)(?::?(?P<minutes>\d\d)(?::?(?P<seconds>\d\d))?)?)?)?",
    re.ASCII,
)
# Numbers above these cannot be seconds, which would be thousands of years ahead, and what they have to be divided by.
FRACTIONS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))


@dataclass(frozen=True)
class Clock:
    """The host's clock (seconds since 1970), which may be wrong, and the boot with the seconds since then."""

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
    """A written time as seconds since the epoch. Raises TypeError or ValueError.

    It is ISO 8601, or a number of seconds or of a smaller unit, from milliseconds to nanoseconds. A text without an
    offset is local time.
    """
    if isinstance(stamp, str):
        try:
            return parse(stamp).timestamp()
        except OverflowError:  # for local time in the year 1
            raise ValueError(f"{stamp[:40]!r} is out of range") from None
    if not math.isfinite(stamp):
        raise ValueError(f"{stamp!r} is not a time")
    return next((stamp / parts for least, parts in FRACTIONS if stamp > least), float(stamp))


def parse(text: str) -> datetime:
    """Parse an ISO 8601 time alike on every Python; ``datetime.fromisoformat`` refuses most forms before 3.11.

    Six digits after the second count, so a time is cut to the microsecond. Raises TypeError or ValueError.
    """
    found = ISO.fullmatch(text)
    if not found:
        raise ValueError(f"{text[:40]!r} is not a time in ISO 8601 format")
    parts = found.groupdict(default="0")
    numbers = [int(parts[name]) for name in ("year", "month", "day", "hour", "minute", "second")]
    return datetime(*numbers, int(f"{parts['fraction'][:6]:0<6}"), _zone(found))


def _zone(found: re.Match) -> timezone | None:
    if found["zone"] is None:
        return None
    if not found["sign"]:
        return timezone.utc
    hours, minutes, seconds = (int(found[name] or 0) for name in ("hours", "minutes", "seconds"))
    if max(minutes, seconds) > 59:
        raise ValueError(f"{found['zone']} is not an offset from UTC")
    ahead = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timezone(-ahead if found["sign"] == "-" else ahead)
