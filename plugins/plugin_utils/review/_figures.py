# SPDX-License-Identifier: GPL-3.0-or-later
"""What the incidents of some weeks teach, from the records of all hosts. Private to aurora.runbook; controller only.

Pure functions from what hosts answered to figures. Unknown values are None, never 0.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _knobs
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._accounts import (
    Record,
    finite,
    list_of,
    map_of,
    text_of,
    time_of,
)
from ansible_collections.aurora.runbook.plugins.plugin_utils.review._cases import (
    Case,
    Page,
    Rung,
    Try,
    cases_of,
    has_opening,
    records_of,
    taken,
)

DAY = 86400
WEEK = 7 * DAY  # the time within which the fixes of a post-mortem are due
MAX_STRETCHES = 12  # most parts into which the period is divided
OTHER_CLOCK = 900.0  # seconds; hosts are read one after another, which may explain a smaller difference
LEAST_KNOWN = 5  # in how many incidents the effect of a rung must be known before its place is doubted
Z95 = 1.96  # for the range that holds a share with 95 % certainty
UNKNOWN_SEVERITY = "?"

_RAISES = _knobs.DIRECTIONS[-1]
# Rungs whose place no figure changes: a smaller Kelly protects while the rest is tried, and cures nothing; the others
# prepare what follows them.
STAYS = ("service_override KELLY_MULTIPLIER", "service_override CALIBRATION_DAYS", "log_rotation")


@dataclass(frozen=True)
class Spread:
    """Times of incidents, of which ``known`` of ``of`` are known."""

    median: float | None
    worst: float | None
    worst_id: str
    known: int
    of: int


@dataclass(frozen=True)
class Against:
    """Times compared with the deadline of a severity, None if the severity is unknown."""

    spread: Spread
    limit: float | None
    states: Mapping[str, int]  # by the key of a message, see standing()


@dataclass(frozen=True)
class Times:
    severity: str
    response: Against
    recovery: Against


@dataclass(frozen=True)
class Counted:
    """Incidents of a class, or of a cause of it, by severity."""

    incident: str
    cause: str | None
    severities: Mapping[str, int]
    open: int

    @property
    def total(self) -> int:
        return sum(self.severities.values())


@dataclass(frozen=True)
class Stretch:
    """Incidents that were opened within some days."""

    start: float
    end: float
    count: int


@dataclass(frozen=True)
class Tally:
    """In how many incidents a rung was tried for a cause, and with which results."""

    incident: str
    cause: str
    rung: Rung
    direction: str
    helped: int
    not_helped: int
    unknown: int

    @property
    def tried(self) -> int:
        return self.helped + self.not_helped + self.unknown

    @property
    def known(self) -> int:
        return self.helped + self.not_helped


@dataclass(frozen=True)
class Repeat:
    """A cause of more than one incident; ``late`` of them came after the fix of the first was due."""

    incident: str
    cause: str
    count: int
    late: int | None
    first: float | None
    last: float | None
    host: str  # the host that had most of them
    on_host: int


@dataclass(frozen=True)
class Refused:
    guard: str
    count: int
    incidents: int
    hosts: int


@dataclass(frozen=True)
class Paged:
    level: str
    sent: int
    taken: int
    failed: int
    unknown: int


@dataclass(frozen=True)
class Lease:
    host: str
    name: str
    written: Mapping
    since: float | None
    until: float | None
    endless: bool


@dataclass(frozen=True)
class Proposal:
    """A later rung that helped clearly more often than an earlier one."""

    later: Tally
    earlier: Tally


@dataclass(frozen=True)
class Doubt:
    """Why the figures may not be the whole truth: the key of a message, and its values."""

    key: str
    values: Mapping[str, object]


@dataclass(frozen=True)
class Review:
    """All figures. Texts of hosts in it are cleaned, but still have to be escaped."""

    days: int
    now: float
    hosts: int
    read: int
    doubts: tuple[Doubt, ...]
    cases: tuple[Case, ...]
    by_class: tuple[Counted, ...]
    by_cause: tuple[Counted, ...]
    stretches: tuple[Stretch, ...]
    elsewhen: int  # opened before the period, or at an unknown time
    times: tuple[Times, ...]
    rungs: tuple[Tally, ...]
    others: int  # actions that were no rungs
    repeats: tuple[Repeat, ...]
    refused: tuple[Refused, ...]
    paged: tuple[Paged, ...]
    channels: tuple[tuple[str, int], ...]
    nobody: tuple[str, ...]  # incidents that were paged but never acknowledged
    leases: tuple[Lease, ...]
    proposals: tuple[Proposal, ...]


def review(answers: Mapping[str, Mapping], days: int, now: float) -> Review:
    """The figures for ``days`` days up to ``now``.

    ``answers`` is by host what incident_info returned with ``days`` and ``entries``, or ``{"problem": …}``. Raises
    RunbookError if no host could be read, because a review would then claim that nothing happened.
    """
    told = {str(host): taken(answer) for host, answer in sorted(answers.items())}
    if all(answer.get("problem") for answer in told.values()):
        said = "; ".join(f"{host}: {text_of(answer, 'problem')}" for host, answer in list(told.items())[:10])
        raise RunbookError(f"there is nothing to review: no host could be read ({said or 'no host was asked'})")
    records = [record for host, answer in told.items() for record in records_of(host, answer)]
    cases = tuple(cases_of(records))
    rungs = tuple(tallies(cases))
    stretches = tuple(over_time(cases, days, now))
    return Review(
        days=days,
        now=now,
        hosts=len(told),
        read=sum(not answer.get("problem") for answer in told.values()),
        doubts=tuple(doubts(told, records, now)),
        cases=cases,
        by_class=tuple(counted(cases, by_cause=False)),
        by_cause=tuple(counted(cases, by_cause=True)),
        stretches=stretches,
        elsewhen=len(cases) - sum(stretch.count for stretch in stretches),
        times=tuple(times(cases)),
        rungs=rungs,
        others=sum(case.others for case in cases),
        repeats=tuple(repeats(cases)),
        refused=tuple(refusals(cases)),
        paged=tuple(pages(cases)),
        channels=tuple(Counter(channel for c in cases for page in c.pages for channel in page.failed).most_common()),
        nobody=tuple(c.id for c in cases if any(page.sent for page in c.pages) and not any(p.taken for p in c.pages)),
        leases=tuple(sorted(leases(told), key=lambda lease: (lease.since is None, lease.since or 0.0, lease.host))),
        proposals=tuple(proposals(rungs, cases)),
    )


# Rungs


def tallies(cases: Iterable[Case]) -> list[Tally]:
    """The results of each rung, by class and cause, sorted by how often it was tried."""
    found: dict[tuple[str, str, Rung], list[Try]] = {}
    for one in cases:
        for tried in one.tries:
            found.setdefault((one.incident, tried.cause, tried.rung), []).append(tried)
    rows = [
        Tally(
            incident, cause, rung, max((t.direction for t in alike), key=_knobs.DIRECTIONS.index),
            *(sum(t.helped is value for t in alike) for value in (True, False, None)),
        )
        for (incident, cause, rung), alike in found.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row.incident, row.cause, -row.tried, row.rung.name, row.rung.again))


def proposals(rungs: Iterable[Tally], cases: Iterable[Case]) -> Iterator[Proposal]:
    """Where a later rung helped clearly more often than an earlier one, for the same cause.

    A rung that builds on another one, or raises exposure, is never proposed to come earlier.
    """
    before: dict[str, set[tuple[Rung, Rung]]] = {}
    for one in cases:
        for order in one.orders:
            before.setdefault(one.incident, set()).update(itertools.combinations(order, 2))
    known = [row for row in rungs if row.known >= LEAST_KNOWN]
    for earlier, later in itertools.permutations(known, 2):
        order, told = (earlier.rung, later.rung), before.get(earlier.incident, set())
        alike = (earlier.incident, earlier.cause) == (later.incident, later.cause)
        ordered = order in told and order[::-1] not in told
        if alike and ordered and may_change_places(earlier, later) and clearly_better(earlier, later):
            yield Proposal(later, earlier)


def may_change_places(earlier: Tally, later: Tally) -> bool:
    raises = later.direction == _RAISES and earlier.direction != _RAISES
    return earlier.rung.name not in STAYS and not later.rung.again and not raises


def clearly_better(earlier: Tally, later: Tally) -> bool:
    """Whether the ranges that hold their true shares with 95 % certainty do not overlap.

    Unknown results count as help of the earlier rung, and as no help of the later one.
    """
    return share(later.helped, later.tried)[0] > share(earlier.helped + earlier.unknown, earlier.tried)[1]


def share(count: int, of: int) -> tuple[float, float]:
    """The range that holds the true share with 95 % certainty (Wilson); 0 to 1 if nothing is known."""
    if not of:
        return 0.0, 1.0
    seen, spread = count / of, Z95**2 / of
    middle = (seen + spread / 2) / (1 + spread)
    half = Z95 / (1 + spread) * math.sqrt(seen * (1 - seen) / of + spread / (4 * of))
    return max(0.0, middle - half), min(1.0, middle + half)


# Counting


def counted(cases: Iterable[Case], by_cause: bool) -> list[Counted]:
    """Incidents by class, or by class and cause, the most frequent first."""
    found: dict[tuple[str, str | None], list[Case]] = {}
    for one in cases:
        found.setdefault((one.incident, one.cause if by_cause else None), []).append(one)
    rows = [
        Counted(incident, cause, Counter(c.severity for c in alike), sum(c.open is not False for c in alike))
        for (incident, cause), alike in found.items()
    ]
    return sorted(rows, key=lambda row: (-row.total, row.incident, row.cause or ""))


def over_time(cases: Iterable[Case], days: int, now: float) -> Iterator[Stretch]:
    """How many incidents were opened when, in at most MAX_STRETCHES parts of whole days; the last one has today."""
    length, midnight = math.ceil(days / MAX_STRETCHES) * DAY, (now // DAY + 1) * DAY
    opened = [one.opened for one in cases if one.opened is not None]
    for number in range(math.ceil(days * DAY / length), 0, -1):
        start, end = midnight - number * length, midnight - (number - 1) * length
        yield Stretch(start, end, sum(start <= at < end for at in opened))


def times(cases: Sequence[Case]) -> Iterator[Times]:
    """How soon somebody answered and the incident recovered, by severity, the worst first."""
    for severity in (*_indicators.SEVERITIES, UNKNOWN_SEVERITY):
        alike = [one for one in cases if one.severity == severity]
        limits = _indicators.DEADLINES.get(severity)
        respond, resolve = (limits.respond, limits.resolve) if limits else (None, None)
        if alike:
            yield Times(
                severity,
                _against([(one, one.responded) for one in alike], respond, answered=True),
                _against([(one, one.recovered) for one in alike], resolve, answered=False),
            )


def _against(pairs: Sequence[tuple[Case, float | None]], limit: float | None, answered: bool) -> Against:
    states = Counter(standing(one, after, limit, answered) for one, after in pairs)
    known = [(after, one.id) for one, after in pairs if after is not None]
    worst, worst_id = max(known, default=(None, ""))
    median = statistics.median(after for after, _id in known) if known else None
    return Against(Spread(median, worst, worst_id, len(known), len(pairs)), limit, states)


def standing(one: Case, after: float | None, limit: float | None, answer: bool) -> str:
    """How an incident compares with a deadline, as the key of a message.

    An incident that ended by itself before anybody had to answer needed no answer. One that a person closed before it
    had recovered is unknown, or missed if even that was late.
    """
    if limit is None:
        return "pm_unknown"
    if after is not None:
        return "pm_met" if after <= limit else "pm_missed"
    if one.open:
        return "pm_unknown" if one.age is None else "pm_missed" if one.age > limit else "pm_running"
    if one.ended is None:
        return "pm_unknown"
    return "pm_missed" if one.ended > limit else "rv_not_needed" if answer else "pm_unknown"


def repeats(cases: Iterable[Case]) -> list[Repeat]:
    """Causes of more than one incident, the most frequent first."""
    found: dict[tuple[str, str], list[Case]] = {}
    for one in cases:
        if one.cause:
            found.setdefault((one.incident, one.cause), []).append(one)
    rows = [_repeat(*key, alike) for key, alike in found.items() if len(alike) > 1]
    return sorted(rows, key=lambda row: (-row.count, row.incident, row.cause))


def _repeat(incident: str, cause: str, alike: Sequence[Case]) -> Repeat:
    opened = sorted(one.opened for one in alike if one.opened is not None)
    hosts = Counter(host for one in alike for host in one.hosts)
    host, on_host = min(hosts.items(), key=lambda pair: (-pair[1], pair[0]))
    late = sum(at > opened[0] + WEEK for at in opened) if len(opened) == len(alike) else None
    return Repeat(incident, cause, len(alike), late, *(opened[n] if opened else None for n in (0, -1)), host, on_host)


def refusals(cases: Iterable[Case]) -> list[Refused]:
    """What guards refused, the guard that refused most first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in cases:
        for host, guard in one.refusals:
            found.setdefault(guard, []).append((one.id, host))
    rows = [
        Refused(guard, len(said), len({identity for identity, _host in said}), len({host for _identity, host in said}))
        for guard, said in found.items()
    ]
    return sorted(rows, key=lambda row: (-row.count, row.guard))


def pages(cases: Iterable[Case]) -> Iterator[Paged]:
    """How many pages of each level were sent, acknowledged, taken by no channel, or are unknown."""
    found: dict[str, list[Page]] = {}
    for page in (page for one in cases for page in one.pages):
        found.setdefault(page.level, []).append(page)
    for level, alike in sorted(found.items()):
        sent = [page for page in alike if page.sent]
        failed = sum(page.sent is False for page in alike)
        yield Paged(level, len(sent), sum(p.taken for p in sent), failed, sum(page.sent is None for page in alike))


def leases(answers: Mapping[str, Mapping]) -> Iterator[Lease]:
    """What still stands on hosts, for whichever incident."""
    for host, answer in answers.items():
        for lease in list_of(answer, "leases"):
            until = time_of(lease.get("until"))
            endless = until is None and not finite(lease.get("seconds"))
            yield Lease(
                host, text_of(lease, "name"), map_of(lease, "written"), time_of(lease.get("granted")), until, endless
            )


# What the figures do not know


def doubts(answers: Mapping[str, Mapping], records: Iterable[Record], now: float) -> Iterator[Doubt]:
    """Why the figures may not be the whole truth: hosts first, then records."""
    for host, answer in answers.items():
        if answer.get("problem"):
            yield Doubt("pm_missing", {"host": host, "problem": text_of(answer, "problem")})
        elif answer.get("failed") is True:
            yield Doubt("pm_not_all", {"host": host, "problem": text_of(answer, "msg") or "?"})
    for record in records:
        chain, identity = map_of(record.info, "chain"), text_of(record.info, "id")
        if chain.get("whole") is not True:
            problem = text_of(chain, "problem") or "?"
            yield Doubt("rv_chain_broken", {"host": record.host, "id": identity, "problem": problem})
        if record.lost:
            yield Doubt("rv_lost_lines", {"host": record.host, "id": identity, "count": record.lost})
        if not has_opening(record):
            yield Doubt("rv_no_opening", {"host": record.host, "id": identity})
    for host, answer in answers.items():
        clock = time_of(answer.get("now"))
        if clock is not None and abs(clock - now) > OTHER_CLOCK:
            key = "rv_clock_ahead" if clock > now else "rv_clock_behind"
            yield Doubt(key, {"host": host, "seconds": OTHER_CLOCK * round(abs(clock - now) / OTHER_CLOCK)})
        if answer.get("cut"):
            yield Doubt("rv_cut", {"host": host, "count": answer["cut"]})
        over = sum(info.get("open") is False for info in list_of(answer, "incidents"))
        if over >= _record.KEPT:
            yield Doubt("rv_pruned", {"host": host, "count": _record.KEPT})
