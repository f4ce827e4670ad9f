# SPDX-License-Identifier: GPL-3.0-or-later
"""Which silence in Alertmanager belongs to an incident, and what to do with it. Private to aurora.runbook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

from ansible_collections.aurora.runbook.plugins.module_utils.base import _names, _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError

ALERT, KEY = r"[A-Za-z_][\w:.-]{0,199}", r"[\w.:-]{1,200}"
MAX_HOSTS = 1000
SLACK = 0.1  # of the wanted time; a silence whose end differs by less is good enough


@dataclass(frozen=True)
class Wanted:
    """The silence an incident should have."""

    matchers: tuple[tuple[str, str, bool], ...]  # name, value, whether that is a regular expression
    comment: str
    created_by: str
    ends_seconds: float


@dataclass(frozen=True)
class Silence:
    """A silence that Alertmanager has and that has not ended."""

    id: str
    matchers: tuple[tuple[str, str, bool], ...]
    starts: str
    ends: datetime
    comment: str


@dataclass(frozen=True)
class Plan:
    """What to do: set ``wanted`` (in place of ``renewed``, if any), and end the silences in ``expired``."""

    wanted: Wanted | None = None
    stands: Silence | None = None
    renewed: Silence | None = None
    expired: tuple[Silence, ...] = field(default=())

    @property
    def changed(self) -> bool:
        return bool(self.expired) or bool(self.wanted and not self.stands)


def marker(key: str) -> str:
    """The end of the comment by which a silence of ours is recognised. Raises RunbookError for a bad key."""
    return f"[aurora.runbook {_fit('key', key, KEY)}]"


def matchers(alert: str, hosts: Sequence[str], label: str = _names.INSTANCE) -> tuple[tuple[str, str, bool], ...]:
    """Exactly this alert on exactly these hosts, in whatever form the label names them. Raises RunbookError."""
    if not 1 <= len(hosts) <= MAX_HOSTS:
        raise RunbookError(f"hosts: {len(hosts)} hosts are refused; expected 1 to {MAX_HOSTS}")
    for host in hosts:
        if not (_names.host_of(host) or _names.TEXT.fullmatch(host)):
            raise RunbookError(f"hosts: {host[:80]!r} is refused; expected a name or an address, as the label has it")
    named = _fit("label", label, _names.LABEL.pattern)
    return (("alertname", _fit("alert", alert, ALERT), False), (named, _names.pattern(sorted(set(hosts))), True))


def filters(matching: Iterable[tuple[str, str, bool]]) -> str:
    """Matchers as a query of Alertmanager's API, for the alerts that a silence with them would keep quiet."""
    written = (
        f"{name}{'=~' if regex else '='}{json.dumps(value, ensure_ascii=False)}" for name, value, regex in matching
    )
    return "&".join(f"filter={quote(one, safe='')}" for one in written)


def instances(answer: object, label: str) -> list[str]:
    """The value of the label in each of these alerts. Raises RunbookError if the answer is no list of alerts."""
    try:
        return sorted(str(one["labels"].get(label, "")) for one in answer)
    except (TypeError, KeyError, AttributeError) as error:
        raise RunbookError(
            f"the answer is not a list of alerts in the form of Alertmanager's API v2 ({error!r:.80})"
        ) from None


def _fit(option: str, value: str, pattern: str) -> str:
    if not re.fullmatch(pattern, value, re.ASCII):
        raise RunbookError(f"{option}: {value[:80]!r} is refused; expected to match {pattern}")
    return value


def ours(answer: object, mark: str, created_by: str) -> list[Silence]:
    """The active silences with this mark that we created. Raises RunbookError if the answer is no list of silences."""
    try:
        found = [
            _parse(one)
            for one in answer
            if one["status"]["state"] != "expired" and one["comment"].endswith(mark) and one["createdBy"] == created_by
        ]
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise RunbookError(
            f"the answer is not a list of silences in the form of Alertmanager's API v2 ({error!r:.80})"
        ) from None
    return sorted(found, key=lambda silence: (silence.ends, silence.id), reverse=True)


def _parse(one: Mapping) -> Silence:
    if not re.fullmatch(r"[0-9A-Za-z-]{1,64}", one["id"]):
        raise ValueError("id")
    # A matcher that compares by "not equal" would silence everything else. It equals no wanted matcher, so it is
    # replaced.
    kept = tuple(
        (one["name"] if one.get("isEqual", True) else f"{one['name']}!", one["value"], one["isRegex"])
        for one in one["matchers"]
    )
    ends = datetime.fromtimestamp(_stamps.seconds(one["endsAt"]), tz=timezone.utc)
    return Silence(one["id"], kept, one["startsAt"], ends, one["comment"])


def plan(current: Sequence[Silence], wanted: Wanted | None, now: datetime) -> Plan:
    """Keep or renew the longest of our silences and end the others; end all of them if none is wanted."""
    if wanted is None:
        return Plan(expired=tuple(current))
    first, rest = (current[0], tuple(current[1:])) if current else (None, ())
    if first and _as_wanted(first, wanted, now):
        return Plan(wanted, stands=first, expired=rest)
    return Plan(wanted, renewed=first, expired=rest)


def _as_wanted(silence: Silence, wanted: Wanted, now: datetime) -> bool:
    left = (silence.ends - now).total_seconds()
    same = set(silence.matchers) == set(wanted.matchers) and silence.comment == wanted.comment
    return same and abs(left - wanted.ends_seconds) <= SLACK * wanted.ends_seconds


def request(planned: Plan, now: datetime) -> dict:
    """The request to Alertmanager. Renewing keeps the id and the start; Alertmanager makes a new one where it must."""
    wanted, renewed = planned.wanted, planned.renewed
    body = {
        "matchers": [{"name": n, "value": v, "isRegex": regex, "isEqual": True} for n, v, regex in wanted.matchers],
        "startsAt": renewed.starts if renewed else stamp(now),
        "endsAt": stamp(until(planned, now)),
        "createdBy": wanted.created_by,
        "comment": wanted.comment,
    }
    return {"id": renewed.id, **body} if renewed else body


def until(planned: Plan, now: datetime) -> datetime | None:
    """When the silence of this plan ends."""
    if planned.stands or not planned.wanted:
        return planned.stands and planned.stands.ends
    return now + timedelta(seconds=planned.wanted.ends_seconds)


def stamp(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def diff(planned: Plan, now: datetime) -> dict[str, str]:
    old = [*filter(None, [planned.stands or planned.renewed]), *planned.expired]
    before = "".join(_shown(one.matchers, one.comment, stamp(one.ends)) for one in old)
    if not planned.wanted:
        return {"before": before, "after": ""}
    kept = planned.stands or planned.wanted
    return {"before": before, "after": _shown(kept.matchers, kept.comment, stamp(until(planned, now)))}


def _shown(matching: Iterable[tuple[str, str, bool]], comment: str, ends: str) -> str:
    lines = [f"{name}{'=~' if regex else '='}{value}" for name, value, regex in matching]
    return "\n".join([*lines, f"until {ends}", comment, ""])
