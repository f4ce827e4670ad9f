# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of an incident: append-only JSON lines on the host it is about, each with the hash of the one before.

Private to aurora.runbook. What is in a line, by ``what`` it is about:

========== =============================================================================================
opened     id, incident, severity, alert, age_seconds (of the trouble by then), moved_from, hosts
joined     alert, hosts: another run, or the same alert again; ``reopened`` after it was closed
seen       severity, indicator, causes, indicators: what a look found
intent     action, target, change, restart, forced, cause (what its run took for the cause of the incident): before
           a change
result     intent (its seq), outcome, changed, verdict, sentences, problem, recovery, samples: after it
refused    action, target, guard, sentence, allowed_in
verdict    verdict: how a run ended on this host
paging     level, key: before a page is sent; ``paged`` with sent and failed channels and the seconds it
           took after, and paged_at where the record missed it and was told later
others     severity, acknowledged (who, text; after_seconds where it was an incident that moved here), note, paused,
           resumed, silenced, lease_ended, closed, moved (to: the id that it goes on as),
           lease_renewed (name, written, until, sentence: nothing but the end of a lease moved)
========== =============================================================================================
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import secrets
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from ansible_collections.aurora.runbook.plugins.module_utils.base import _files, _redact, _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease

STATE_DIRECTORY = _lease.STATE_DIRECTORY
MEMORY = "/run/aurora-runbook"  # where pages are remembered, in the form of records, while a record cannot be written
ID = re.compile(r"([a-z]+(?:_[a-z]+)*)-([0-9]{8}T[0-9]{6}Z)-([0-9a-f]{8})")
MAX_LINE, MAX_FILE = 16 << 10, 4 << 20
# Bytes of a file that are kept for results and ends: an intent is refused before there is no space for its result. The
# last quarter of them is only for ENDS, so that a record can be closed and settled whatever else was written to it.
RESERVE = 256 << 10
WINDOW = 2 * (MAX_LINE + 2)  # bytes at the end that hold a complete line, also before a torn one
LOCK_SECONDS = 10  # writing a line takes milliseconds; a process that holds the lock for longer is stuck
PAGING_SECONDS = 120  # a sender that was silent for so long died before it had sent, or before it could say so
CUT_OFF_SECONDS = 7 * 86400.0  # how far back actions may have been cut off, beside open incidents
KEPT = 200  # finished incidents; older ones are removed when another one opens, unless guards still count them
ENDS = ("result", "lease_ended", "closed", "moved")
KEEPS_ROOM = ("opened", "reopened", "joined", "seen", "intent", "refused", "note", "lease_renewed", "paging")
RESPONSES = ("acknowledged", "intent")  # the first of these meets the deadline of response
NOBODY = "none"  # the class of what was done outside any incident


@dataclass(frozen=True)
class Entry:
    """A line. ``at`` is by the host's clock; ``boot`` and ``up`` (seconds) are right even if that clock is wrong."""

    seq: int
    prev: str
    at: str
    boot: str
    up: float
    by: str
    run: str
    open: bool
    what: str
    data: Mapping
    torn: str = ""


@dataclass(frozen=True)
class Record:
    """An incident on this host. ``problem``: where its chain is broken; ``torn``: its last line is incomplete.

    ``remembered`` is what MEMORY holds because the record could not be written.
    """

    id: str
    entries: tuple[Entry, ...] = ()
    head: str = ""
    problem: str = ""
    torn: bool = False
    remembered: tuple[Entry, ...] = ()

    @property
    def incident(self) -> str:
        return incident_of(self.id)

    @property
    def open(self) -> bool:
        return bool(self.entries) and self.entries[-1].open

    @property
    def unfinished(self) -> list[Entry]:
        """Intents without a result: their module was killed in between, or is still at work."""
        settled = {entry.data.get("intent") for entry in self.entries if entry.what == "result"}
        return [entry for entry in self.entries if entry.what == "intent" and entry.seq not in settled]

    @property
    def home(self) -> str:
        """The id under which the incident goes on: its own, or that of the incident of its class that it moved to."""
        moved = self.last("moved", "reopened", "opened")
        to = moved.data.get("to") if moved and moved.what == "moved" else None
        return to if isinstance(to, str) and ID.fullmatch(to) else self.id

    def last(self, *whats: str) -> Entry | None:
        return next((entry for entry in reversed(self.entries) if entry.what in whats), None)


@dataclass(frozen=True)
class Opening:
    """What a run knows of an incident: severity, alert, seconds since it began, what was seen, its silence.

    ``seen["open"]`` are the incidents of the class that were open then, ``hosts`` those that are not healthy.
    """

    severity: str | None = None
    alert: Mapping | None = None
    age_seconds: float = 0.0
    seen: Mapping = field(default_factory=dict)
    silence: Mapping | None = None
    hosts: Sequence[str] = field(default_factory=list)


def incident_of(identity: str) -> str:
    """The class in an incident's id. Raises RunbookError for an invalid id."""
    found = ID.fullmatch(identity)
    if not found:
        raise RunbookError(
            f"{identity[:80]!r} is not the id of an incident; expected <class>-<YYYYMMDDTHHMMSSZ>-<8 hex digits>"
        )
    return found[1]


def make_id(incident: str, opened: float, key: str = "") -> str:
    """The id of a new incident, the same for the same ``key`` (an alert's fingerprint and start), else a random one."""
    moment = datetime.fromtimestamp(opened, timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    tail = hashlib.sha256(key.encode()).hexdigest()[:8] if key else secrets.token_hex(4)
    return f"{incident}-{moment}-{tail}"


def outside(now: _stamps.Clock) -> str:
    """The id under which actions outside any incident are recorded, one for each day."""
    return f"{NOBODY}-{now.stamp[:10].replace('-', '')}T000000Z-00000000"


def age(entry: Entry, now: _stamps.Clock) -> float:
    """Seconds since a line was written, right within a boot; across boots, at least the time since this boot."""
    if entry.boot == now.boot:
        return max(0.0, now.up - entry.up)
    return max(now.up, now.wall - _stamps.seconds(entry.at))


def directory(state: str = STATE_DIRECTORY) -> str:
    return os.path.join(state, "incidents")


def path(identity: str, state: str = STATE_DIRECTORY) -> str:
    incident_of(identity)
    return os.path.join(directory(state), f"{identity}.jsonl")


def parse(identity: str, raw: bytes) -> Record:
    """Read a record and check its chain. Lines that cannot be read are left out and reported in ``problem``."""
    whole, tail, _ending = _cut(raw)
    entries: list[Entry] = []
    head, problem = "", ""
    objects = [_decode(line) for line in whole]
    for index, (line, entry) in enumerate(zip(whole, objects)):
        torn = next((e.torn for e in objects[index + 1 : index + 2] if e), "")
        if torn and torn == _sha(line):
            continue
        if entry is None:
            problem = problem or f"line {index + 1} was not written by aurora.runbook"
            continue
        if entry.prev != head or entry.seq != len(entries) + 1:
            after = entries[-1].seq if entries else 0
            problem = problem or f"entry {entry.seq} does not follow entry {after}: it was edited, or a line is missing"
        entries.append(entry)
        head = _sha(line)
    if len(raw) > MAX_FILE:
        problem = problem or f"it is larger than {MAX_FILE} bytes, which no record is"
    return Record(identity, tuple(entries), head, problem, bool(tail))


def _cut(raw: bytes) -> tuple[list[bytes], bytes, bytes]:
    """The lines of a record, the torn bytes after the last of them, and what ends these.

    A power loss leaves a last line without its newline, or with parts of it never written.
    """
    *lines, tail = raw.split(b"\n")
    if tail or not lines or _decode(lines[-1]):
        return lines, tail, b"\n" if tail else b""
    return lines[:-1], lines[-1], b""


def _decode(line: bytes) -> Entry | None:
    try:
        entry = Entry(**json.loads(line))
        sound = (
            all(isinstance(text, str) for text in (entry.prev, entry.at, entry.boot, entry.by, entry.run, entry.torn))
            and isinstance(entry.what, str)
            and isinstance(entry.seq, int)
            and isinstance(entry.up, (int, float))
            and isinstance(entry.open, bool)
            and isinstance(entry.data, dict)
        )
        _stamps.seconds(entry.at)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None
    return entry if sound else None


def _sha(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def read(identity: str, state: str = STATE_DIRECTORY) -> Record:
    """The record of an incident on this host; without entries if there is none. Raises RunbookError."""
    record = parse(identity, _read(path(identity, state), 0))
    return replace(record, remembered=parse(identity, _remembered(identity)).entries)


def _remembered(identity: str) -> bytes:
    try:
        return _read(path(identity, MEMORY), 0)
    except RunbookError:  # the record is read without it, because paging twice is better than never
        return b""


def _read(place: str, start: int) -> bytes:
    _files.check_private(os.path.dirname(os.path.dirname(place)), os.path.dirname(place))
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise RunbookError(f"{place} cannot be read: {error.strerror}; look at it before running again") from error
    try:
        _check_regular(descriptor, place)
        return os.pread(descriptor, MAX_FILE + 1, start)
    finally:
        os.close(descriptor)


def _check_regular(descriptor: int, place: str) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise RunbookError(f"{place} is not a regular file; look at it before running again")


def names(state: str = STATE_DIRECTORY) -> list[str]:
    """The ids of all records on this host, the oldest first."""
    _files.check_private(state, directory(state))
    try:
        files = os.listdir(directory(state))
    except FileNotFoundError:
        return []
    found = (name[: -len(".jsonl")] for name in files if name.endswith(".jsonl"))
    return sorted((name for name in found if ID.fullmatch(name)), key=lambda name: (name.split("-")[1:], name))


def open_names(state: str = STATE_DIRECTORY) -> list[str]:
    """The ids of the incidents that are open on this host, the oldest first. Reads only the end of each record."""
    ends = {name: _end(path(name, state)) for name in names(state)}
    return [name for name, end in ends.items() if end and end.open]


def _end(place: str) -> Entry | None:
    """The last complete line of a record."""
    try:
        size = os.lstat(place).st_size
    except FileNotFoundError:
        return None
    return _last(_cut(_read(place, max(0, size - WINDOW)))[0])[1]


def _last(lines: Sequence[bytes]) -> tuple[bytes, Entry | None]:
    """The last complete line of ours, as bytes and parsed."""
    return next(((line, entry) for line in reversed(lines) if (entry := _decode(line))), (b"", None))


def append(
    identity: str,
    what: str,
    data: Mapping,
    run: str = "",
    by: str = "",
    state: str = STATE_DIRECTORY,
) -> Entry:
    """Write a line durably. Raises RunbookError if that is not possible; then nothing of it is in the record."""
    with _locked(identity, state) as descriptor:
        return _append(descriptor, path(identity, state), what, data, run, by)


@contextlib.contextmanager
def _locked(identity: str, state: str) -> Iterator[int]:
    """A descriptor of a record to which nobody else writes meanwhile."""
    place = path(identity, state)
    _files.make_private(state, directory(state))
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(place, flags, 0o600)
    except OSError as error:
        raise RunbookError(f"{place} cannot be written: {error.strerror}") from error
    try:
        _check_regular(descriptor, place)
        if not _files.lock(descriptor, LOCK_SECONDS):
            raise RunbookError(f"{place} is locked by another process for 10 s; look at `fuser {place}`")
        yield descriptor
    finally:
        os.close(descriptor)


def _append(descriptor: int, place: str, what: str, data: Mapping, run: str, by: str) -> Entry:
    now = _stamps.clock()
    size = os.fstat(descriptor).st_size
    lines, tail, ending = _cut(os.pread(descriptor, WINDOW, max(0, size - WINDOW)))
    line, last = _last(lines)
    if last is None and (lines or size > WINDOW):  # otherwise at most the first line was begun
        raise RunbookError(f"{place} does not end with a line of aurora.runbook; look at it before running again")
    entry = Entry(
        seq=last.seq + 1 if last else 1,
        prev=_sha(line) if last else "",
        at=now.stamp,
        boot=now.boot,
        up=round(now.up, 3),
        by=_redact.redact(by or os.environ.get("SUDO_USER", "root"), limit=100),
        run=run,
        open=_stays_open(what, last is not None and last.open),
        what=what,
        data=_redact.redact_data(dict(data)),
        torn=_sha(tail) if tail else "",
    )
    text = ending + _encode(entry) + b"\n"
    if size + len(text) > MAX_FILE - _kept_back(what, last is not None and last.open):
        raise RunbookError(f"{place} is full ({size} bytes): close this incident (incident, state=closed) and go on")
    try:
        if os.write(descriptor, text) < len(text):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
        if not size:
            _files.sync_directory(place)
    except OSError as error:
        with contextlib.suppress(OSError):  # a torn line stays, which the next run recognises
            os.ftruncate(descriptor, size)
        raise RunbookError(f"{place} cannot be written: {error.strerror}") from error
    return entry


def _kept_back(what: str, was_open: bool) -> int:
    """How many bytes of a file a line has to leave free for others.

    Closing an incident that is closed already ends nothing, so it may not use the bytes that are kept for ends.
    """
    if what in KEEPS_ROOM:
        return RESERVE
    return 0 if what in ENDS and (was_open or what not in ("closed", "moved")) else RESERVE // 4


def _stays_open(what: str, before: bool) -> bool:
    if what in ("opened", "reopened"):
        return True
    return before and what not in ("closed", "moved")


def _encode(entry: Entry) -> bytes:
    """A line of at most MAX_LINE bytes; the largest parts of its data are dropped first."""
    fields = {**entry.__dict__, "data": dict(entry.data)}
    if not entry.torn:
        del fields["torn"]
    sizes = {name: len(json.dumps(value, default=str)) for name, value in entry.data.items()}
    for largest in sorted(sizes, key=lambda name: sizes[name], reverse=True):
        line = json.dumps(fields, sort_keys=True, separators=(",", ":"), default=str).encode()
        if len(line) <= MAX_LINE:
            return line
        del fields["data"][largest]
        fields["data"]["cut"] = True
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), default=str).encode()


def join(identity: str, opening: Opening, run: str, by: str = "", state: str = STATE_DIRECTORY) -> str:
    """Open an incident on this host, or join the open one of its class; returns its id on this host from then on.

    The smaller of two ids wins, so that all hosts arrive at the same one. A run joins once, with what it saw. Raises
    RunbookError.
    """
    incident = incident_of(identity)
    alike = {name for name in open_names(state) if incident_of(name) == incident}
    identity = min({identity} | alike)
    moved = sorted(alike - {identity})
    with _locked(identity, state) as descriptor:
        known = read(identity, state)
        for what, data in _joining(identity, known, opening, run, moved):
            _append(descriptor, path(identity, state), what, data, run, by)
        if not known.last("acknowledged"):  # an acknowledgement stays valid
            for data in _acknowledged(moved, identity, state):
                _append(descriptor, path(identity, state), "acknowledged", data, run, by)
    for name in moved:
        append(name, "moved", {"to": identity}, run, by, state)
    if not known.entries:
        _prune(state)
    return identity


def _acknowledged(moved: Sequence[str], identity: str, state: str) -> Iterator[Mapping]:
    """Who acknowledged incidents that merge into this one, and how soon after its trouble began."""
    now = _stamps.clock()
    for answer in filter(None, (read(name, state).last("acknowledged") for name in moved)):
        after = max(0.0, age_of(read(identity, state), now) - age(answer, now))
        yield {**answer.data, "who": answer.data.get("who") or answer.by, "after_seconds": round(after, 1)}


def homes(records: Sequence[Record]) -> dict[str, str]:
    """For each record's id, the id under which its incident goes on in the end."""
    found: dict[str, str] = {}
    for record in sorted(records, key=lambda one: one.id):  # an incident only moves to a smaller id
        found[record.id] = found.get(record.home, record.home)
    return found


def _joining(
    identity: str, known: Record, opening: Opening, run: str, moved: Sequence[str]
) -> Iterator[tuple[str, dict]]:
    """The lines by which a run joins an incident, or opens it."""
    if run and any(entry.run == run for entry in known.entries if entry.what in ("opened", "reopened", "joined")):
        over = known.last("closed")
        if over and over.run == run and not known.open:  # the run had closed it, but goes on after all
            yield "reopened", {"alert": opening.alert}
        return
    seen = dict(opening.seen)
    if not known.entries:
        yield (
            "opened",
            {
                "id": identity,
                "incident": known.incident,
                "severity": opening.severity,
                "alert": opening.alert,
                "age_seconds": opening.age_seconds,
                "moved_from": moved[0] if moved else None,
                "hosts": opening.hosts,
            },
        )
    elif known.open or identity in seen.get("open", ()):  # another run closed it after this one had looked
        yield "joined", {"alert": opening.alert, "hosts": opening.hosts}
    else:
        yield "reopened", {"alert": opening.alert, "hosts": opening.hosts}
    if seen:
        yield "seen", seen
    if opening.silence:
        yield "silenced", dict(opening.silence)
    if known.entries and (risen := worse(known, opening.severity)):
        yield "severity", risen


def begin_page(identity: str, level: str, key: str, run: str = "", by: str = "", state: str = STATE_DIRECTORY) -> bool:
    """Record that a level is about to be paged; False if it was paged already, or somebody else is doing it.

    If the record cannot be written, MEMORY is used, so that it is not paged every minute. Raises RunbookError if
    neither can be written.
    """
    page = {"level": level, "key": key}
    try:
        return _begin_page(identity, page, run, by, state, state)
    except RunbookError:
        return _begin_page(identity, page, run, by, state, MEMORY)


def may_begin_page(identity: str, level: str, state: str = STATE_DIRECTORY) -> bool:
    """Whether begin_page() would allow a page of a level now, without writing anything."""
    return not handled(_page(identity, level, state))


def _begin_page(identity: str, page: Mapping, run: str, by: str, state: str, into: str) -> bool:
    with _locked(identity, into) as descriptor:
        if not may_begin_page(identity, page["level"], state):
            return False
        _append(descriptor, path(identity, into), "paging", page, run, by)
    return True


def news_of_page(identity: str, page: Mapping, state: str = STATE_DIRECTORY) -> bool:
    """Whether end_page() has something to record. That no channel took a page is recorded only once."""
    return bool(page.get("sent")) or _failed(page) != _failed(_last_page(identity, page["level"], state))


def end_page(identity: str, page: Mapping, run: str = "", by: str = "", state: str = STATE_DIRECTORY) -> None:
    """Record who got a page (``level``, ``key``, ``sent``, ``failed``, ``took``).

    It is written where begin_page() writes. That no channel took it is recorded once, until other channels fail.
    """
    if not news_of_page(identity, page, state):
        return
    try:
        append(identity, "paged", page, run, by, state)
    except RunbookError:
        if _page(identity, page["level"], state).get("state") != "paged":
            append(identity, "paged", page, run, by, MEMORY)
        return
    levels = describe(read(identity, state), _stamps.clock())["levels"]
    if not any(known.get("remembered") for known in levels.values()):  # from here on only the record counts
        with contextlib.suppress(RunbookError):
            _files.remove(path(identity, MEMORY))


def _last_page(identity: str, level: str, state: str) -> Mapping:
    """What was last recorded about the end of a page of a level; empty if nothing was."""
    lines = [entry.data for entry in read(identity, state).entries if entry.what == "paged"]
    return next((data for data in reversed(lines) if data.get("level") == level), {})


def _failed(page: Mapping) -> object:
    """The channels that did not take the page, None if nothing was recorded of them."""
    failed = page.get("failed")
    return [one.get("channel") for one in failed if isinstance(one, dict)] if isinstance(failed, list) else None


def _page(identity: str, level: str, state: str) -> Mapping:
    """What is known of a level, from the record or MEMORY."""
    return describe(read(identity, state), _stamps.clock())["levels"].get(level, {})


def handled(page: Mapping) -> bool:
    """Whether a level was paged, or is being paged. ``page`` is what describe() returns of a level."""
    return page.get("state") == "paged" or (page.get("state") == "paging" and page["age_seconds"] < PAGING_SECONDS)


def severity(record: Record) -> str | None:
    """The worst severity that the incident ever had."""
    found = [entry.data.get("severity") for entry in record.entries if entry.what == "opened"]
    found += [entry.data.get("to") for entry in record.entries if entry.what == "severity"]
    return min((each for each in found if isinstance(each, str)), default=None)


def worse(record: Record, seen: str | None) -> dict | None:
    """What to record if a severity is worse than any before; None if it is not."""
    before = severity(record)
    return {"from": before, "to": seen} if seen and seen < (before or "P9") else None


def opened(record: Record) -> Entry | None:
    return next((entry for entry in record.entries if entry.what == "opened"), None)


def age_of(record: Record, now: _stamps.Clock) -> float:
    """Seconds since the trouble began, by the clock of this host and by what was known at the opening."""
    first = opened(record)
    if first is None:
        return 0.0
    before = first.data.get("age_seconds")
    return age(first, now) + (before if isinstance(before, (int, float)) else 0.0)


def _prune(state: str) -> None:
    """Remove finished incidents but the KEPT that were written to last, and likewise what was done outside them.

    Whoever opens an incident chooses its id, so the age of the last line counts. Records that guards may count stay.
    """
    now = _stamps.clock()
    ends = {name: _end(path(name, state)) for name in names(state)}
    ages = {name: age(end, now) for name, end in ends.items() if end and not end.open}
    for outside_of_all in (True, False):
        alike = [name for name in ages if (incident_of(name) == NOBODY) is outside_of_all]
        for name in sorted(alike, key=lambda name: ages[name])[KEPT:]:
            if ages[name] >= CUT_OFF_SECONDS:
                _files.remove(path(name, state))


def recent(seconds: float, now: _stamps.Clock, state: str = STATE_DIRECTORY) -> list[Record]:
    """The records written to within that many seconds, those that are open, and those whose end cannot be read."""
    found = (if_recent(name, seconds, now, state) for name in names(state))
    return [record for record in found if record]


def if_recent(identity: str, seconds: float, now: _stamps.Clock, state: str = STATE_DIRECTORY) -> Record | None:
    """The record, if it is one of those that recent() returns."""
    end = _end(path(identity, state))
    return read(identity, state) if end is None or end.open or age(end, now) < seconds else None


def describe(record: Record, now: _stamps.Clock) -> dict:
    """An incident as incident_info and triage_info return it, without its entries."""
    first, over = opened(record), record.last("closed", "reopened", "opened")
    verdict = record.last("verdict")
    return {
        "id": record.id,
        "incident": record.incident,
        "open": record.open,
        "opened": first.at if first else None,
        "age_seconds": round(age_of(record, now), 1),
        "severity": severity(record),
        "acknowledged": _answer(record, record.last("acknowledged")),
        "responded": _answer(record, next((entry for entry in record.entries if entry.what in RESPONSES), None)),
        "levels": _levels(record, now),
        "closed": over.at if over and over.what == "closed" and not record.open else None,
        "moved_to": record.home if record.home != record.id else None,
        "verdict": verdict.data.get("verdict") if verdict else None,
        "chain": {"whole": not record.problem, "problem": record.problem},
        "torn": record.torn,
        "head": record.head,
        "unfinished": [entry.seq for entry in record.unfinished],
    }


def _answer(record: Record, entry: Entry | None) -> dict | None:
    """Who answered, a person or automation, and how many seconds after the trouble began, by the record's own host."""
    if entry is None:
        return None
    after = entry.data.get("after_seconds")  # as recorded in an incident that was merged into this one
    if not isinstance(after, (int, float)):
        after = age_of(record, _stamps.Clock(_stamps.seconds(entry.at), entry.boot, entry.up))
    who, automatic = entry.data.get("who") or entry.by, entry.what == "intent"
    return {"who": who, "at": entry.at, "after_seconds": round(after, 1), "automatic": automatic}


def _levels(record: Record, now: _stamps.Clock) -> dict:
    """The levels that were paged, or are being paged, each once; ``remembered`` is what the record does not know."""
    levels = _pages(record.entries, now)
    for level, page in _pages(record.remembered, now).items():
        known = levels.get(level)
        if known is None or (known["state"] != "paged" and _furthest(page) < _furthest(known)):
            levels[level] = {**page, "remembered": True}
    return levels


def _furthest(page: Mapping) -> tuple[bool, float]:
    return page["state"] != "paged", page["age_seconds"]


def _pages(entries: Sequence[Entry], now: _stamps.Clock) -> dict:
    """The levels in lines of a record. A page that no channel took is tried again."""
    levels: dict[str, dict] = {}
    for entry in entries:
        level = entry.data.get("level")
        known = levels.get(level, {}).get("state") if isinstance(level, str) else "paged"
        if entry.what in ("paging", "paged") and known != "paged":
            state = "paged" if entry.what == "paged" and entry.data.get("sent") else "paging"
            at = entry.data.get("paged_at") or entry.at
            channels = {name: entry.data.get(name) for name in ("key", "sent", "failed")} if state == "paged" else {}
            levels[level] = {"state": state, "at": at, "age_seconds": round(age(entry, now), 1), **channels}
    return levels
