# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts say of an incident, read as if each of them lied. Private to aurora.runbook; controller only.

Everything is cleaned and cut once, before any code looks at it; parts that are missing or of a wrong type are None or
empty.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timezone
from functools import lru_cache

from ansible_collections.aurora.runbook.plugins.module_utils.aurora._indicators import SEVERITIES
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact, _stamps

ID = re.compile(r"([a-z_]{1,40})-(\d{8}T\d{6}Z)-[0-9a-f]{8}")
MAX_HOSTS, MAX_TEXT, MAX_NAME, MAX_AGE = 32, 400, 80, 7 * 86400
MAX_MOVED = 10  # incidents of a host that were merged into one
MAX_ITEMS, MAX_DEPTH = 20000, 20  # limits for a list or dict from a host


@dataclass(frozen=True)
class Entry:
    """A line of a record; ``order`` is its time, but never earlier than that of the line before it."""

    host: str
    seq: int
    at: float | None
    order: float
    boot: str
    up: float | None
    by: str
    what: str
    data: Mapping
    torn: bool


@dataclass(frozen=True)
class Record:
    """A host's record of the incident, or of one that was merged into it: what incident_info says, and its lines."""

    host: str
    info: Mapping
    entries: Sequence[Entry]
    lost: int  # lines that could not be read


# Reading what hosts say


def clean(data: object, depth: int = 0) -> object:
    """Data of a host without control characters and anything that looks like a secret, with every text and list cut."""
    if isinstance(data, str):
        return _clean_text(data, MAX_TEXT)
    if isinstance(data, Mapping) and depth < MAX_DEPTH:
        items = list(data.items())[:MAX_ITEMS]
        return {(name := _clean_text(str(key), MAX_NAME)): hide(name, clean(value, depth + 1)) for key, value in items}
    if isinstance(data, (list, tuple)) and depth < MAX_DEPTH:
        return [clean(value, depth + 1) for value in data[:MAX_ITEMS]]
    return data if isinstance(data, (int, float)) or data is None else None


def _clean_text(text: str, limit: int) -> str:
    """A text without what has no place in a report. Records say the same again and again: a short one is read once."""
    return _known_text(text, limit) if len(text) <= limit else _redact.redact(text, limit=limit)


@lru_cache(maxsize=20000)
def _known_text(text: str, limit: int) -> str:
    return _redact.redact(text, limit=limit)


def hide(name: str, value: object) -> object:
    """A text, hidden if its name tells that it is a secret."""
    return _redact.HIDDEN if value and isinstance(value, str) and _redact.secret_name(name) else value


def flat(values: Mapping) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())


def list_of(data: Mapping, name: str) -> list[Mapping]:
    value = data.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def map_of(data: Mapping, name: str) -> Mapping:
    value = data.get(name)
    return value if isinstance(value, Mapping) else {}


def text_of(data: Mapping, name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else "" if value is None else str(value)[:MAX_TEXT]


def number_of(data: Mapping, name: str) -> float | None:
    return finite(data.get(name))


def finite(value: object) -> float | None:
    try:
        return float(value) if not isinstance(value, bool) and math.isfinite(float(value)) else None
    except (TypeError, ValueError, OverflowError):
        return None


def time_of(value: object) -> float | None:
    """Seconds since 1970 of a time in a record; None if it is none, or is after 2100."""
    if isinstance(value, str):
        try:
            parsed = _stamps.parse(value)
            value = (parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)).timestamp()
        except (ValueError, OverflowError):
            return None
    seconds = finite(value)
    return seconds if seconds is not None and 0 <= seconds < 4102444800 else None


def records_of(incident: str, answers: Mapping[str, Mapping]) -> list[Record]:
    found = []
    for host in sorted(answers)[:MAX_HOSTS]:
        mine: list[str] = []
        for info in list_of(answers[host], "incidents"):
            identity, home = text_of(info, "id"), text_of(info, "moved_to")
            if identity in mine or len(mine) > MAX_MOVED:
                continue
            if identity == incident or home in (incident, *mine):
                entries, lost = entries_of(host, info.get("entries"))
                found.append(Record(host, info, entries, lost))
                mine.append(identity)
    return found


def entries_of(host: str, raw: object) -> tuple[list[Entry], int]:
    entries, lost, order = [], 0, 0.0
    for line in raw if isinstance(raw, list) else []:
        if not isinstance(line, Mapping) or not isinstance(line.get("what"), str):
            lost += 1
            continue
        at, seq = time_of(line.get("at")), number_of(line, "seq")
        order = max(order, at or 0.0)
        up, by, torn = number_of(line, "up"), text_of(line, "by"), bool(line.get("torn"))
        data = map_of(line, "data")
        entries.append(Entry(host, int(seq or 0), at, order, text_of(line, "boot"), up, by, line["what"], data, torn))
    return entries, lost


def merge(records: Sequence[Record]) -> list[Entry]:
    """The lines of all hosts by time; the lines of one host stay in order whatever its clock did."""
    return sorted((entry for record in records for entry in record.entries), key=lambda entry: entry.order)


def bounds(records: Sequence[Record], now: float) -> tuple[float, float, float]:
    """When the trouble began, when the incident was opened, and when it ended, or now."""
    openings = [
        (entry.at, entry) for record in records for entry in record.entries if entry.what == "opened" and entry.at
    ]
    opened = min(
        [at for at, _entry in openings] or [at for r in records if (at := time_of(r.info.get("opened")))], default=now
    )
    ages = [at - min(max(number_of(e.data, "age_seconds") or 0.0, 0.0), MAX_AGE) for at, e in openings]
    if all(record.info.get("open") is False for record in records):
        ends = [at for record in records if (at := time_of(record.info.get("closed"))) is not None]
        now = max(ends, default=max((e.order for record in records for e in record.entries), default=now))
    return min([opened, *ages]), opened, max(opened, now)


def rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def severity_of(record: Record) -> str:
    said = text_of(record.info, "severity")
    return said if said in SEVERITIES else "?"


def earliest(records: Sequence[Record], name: str) -> float | None:
    times = (time_of(map_of(record.info, "deadlines").get(name)) for record in records)
    return min((at for at in times if at is not None), default=None)


def seen_in(entry: Entry) -> Mapping:
    return map_of(entry.data, "indicator") if entry.what == "seen" else {}


def who_in(entry: Entry) -> str:
    return text_of(entry.data, "who") or entry.by
