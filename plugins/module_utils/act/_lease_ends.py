# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host does by itself when a lease expires: the code that the timer starts. Private to aurora.runbook.

It needs no controller, no network beyond the host's own metrics, and no correct clock.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from ansible_collections.aurora.runbook.plugins.module_utils.act import (
    _limits,
    _override,
    _override_steps,
    _service,
    _sysctl,
)
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _knobs, _messages, _metrics
from ansible_collections.aurora.runbook.plugins.module_utils.base import _files, _http, _redact, _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import (
    BusyError,
    ConflictError,
    FetchError,
    MetricsError,
    RunbookError,
)
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease, _lease_timer, _pause, _record

MEMORY = "/run/aurora-runbook-leases.json"  # what earlier ticks of this boot reported and read
RETRY_SECONDS = 900  # after an end failed, perhaps with a restart, or somebody else was changing the host
# Long enough that an end and its undoing, with the time that a unit may take to stop and start (see _health), are done
# before systemd stops the program.
LONGEST = {"start": 90.0, "hold": 30.0}
ABOUT = {
    **dict.fromkeys(_limits.NAMES, "sse_availability"),
    **{name: knob.incident for name, knob in _knobs.KNOBS.items() if knob.incident},
}
TAKEN_BACK, LEFT_ALONE, KEPT, LOST = "taken_back", "left_alone", "kept", "lost"
STAYS = ("lease_kept", "lease_kept_breaker", *_lease.STUCK)  # outcomes for which somebody has to be paged


class WaitsError(Exception):
    """A lease must not end yet. Holds the sentence that says why."""

    def __init__(self, sentence: Mapping):
        super().__init__(sentence["text"])
        self.sentence = sentence


Report = Callable[[_lease.Lease, str, Mapping], None]
Ended = tuple[list[tuple[str, dict]], Callable[[], None]]  # what to record, and the function that then closes the lease


def main() -> int:
    memory = _remembered()
    try:
        return tick(_stamps.clock(), memory, say)
    except BusyError as error:
        _line(f"{error}; the next tick tries again")
        return 0
    except RunbookError as error:  # none of our files can be trusted or read
        _line(_redact.redact(str(error)))
        return 1
    finally:
        if memory:
            _files.write(MEMORY, json.dumps(memory), 0o600)
        else:
            _files.remove(MEMORY)


def say(lease: _lease.Lease, outcome: str, sentence: Mapping, state: str = _record.STATE_DIRECTORY) -> None:
    """Write a line to the journal, and to a record in which somebody will see it."""
    _line(_redact.redact(f"{outcome}: {sentence['text']}"))
    told = _messages.bare(sentence)
    data = {"name": lease.name, "written": lease.written, "outcome": outcome, "sentence": told}
    for identity in places(lease, sentence["message"] in STAYS, _stamps.clock(), state):
        _record.append(identity, "lease_ended", data, by="host", state=state)


def places(lease: _lease.Lease, stays: bool, now: _stamps.Clock, state: str = _record.STATE_DIRECTORY) -> Iterator[str]:
    """The incidents that record an end: the one for which the lease was granted, and the open one of its class.

    A lease that failed to end is recorded in the open incident, which is created if necessary, so that somebody is
    paged.
    """
    home, kind = lease.incident or _record.outside(now), incident_of(lease)
    if stays:
        yield next(_open(kind, state), None) or _opened(lease, kind, state)
        return
    yield home
    with contextlib.suppress(RunbookError):  # an unreadable record of another incident does not prevent this end
        yield from (name for name in _open(kind, state) if name != home)


def _open(kind: str, state: str) -> Iterator[str]:
    return (name for name in _record.open_names(state) if _record.incident_of(name) == kind)


def incident_of(lease: _lease.Lease) -> str:
    """The class of incidents that a lease belongs to. If a person granted it, that is the class of what it changes."""
    granted_for = _record.incident_of(lease.incident) if lease.incident else _record.NOBODY
    if granted_for != _record.NOBODY:
        return granted_for
    watched = sorted(str(end.watch["indicator"]) for end in lease.ends.values() if end.watch)
    about = [*watched, *(ABOUT[name] for name in sorted(lease.written) if name in ABOUT)]
    return about[0] if about else "execution_latency" if lease.kind == _lease.TCP_TUNING else "circuit_breaker"


def _opened(lease: _lease.Lease, kind: str, state: str) -> str:
    """Open a new incident with the severity of the one for which the lease was granted. A retry uses the same id."""
    earlier = _record.severity(_record.read(lease.incident, state)) if lease.incident else None
    since = _stamps.seconds(lease.until or lease.granted)
    identity = _record.make_id(kind, since, f"{lease.name} {lease.granted}")
    return _record.join(identity, _record.Opening(severity=earlier or "P2"), "", "host", state)


def _line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def tick(clock: _stamps.Clock, memory: dict, report: Report) -> int:
    """End what is due. Returns 1 if a lease could not be handled; the other leases are handled all the same."""
    failed: set[str] = set()
    due: dict[str, set[str]] = {}
    leases = _leases(failed)
    broken = bool(failed)
    for lease in leases:
        notes = memory.setdefault(lease.name, {})
        with _apart(lease.name, failed):
            due[lease.name] = ready(lease, clock, notes, _once(report, notes))
    if any(due.values()) or not (broken or any(lease.ends for lease in leases)):
        with _lease.exclusive(_lease_timer.SERVICE):
            for name in (name for name, names in due.items() if names):
                with _apart(name, failed):
                    end(_lease.load(name), due[name], clock, memory[name], _once(report, memory[name]))
            if not broken:
                _lease_timer.retire()
    for gone in set(memory) - set(_lease.names()):
        del memory[gone]
    return 1 if failed else 0


@contextlib.contextmanager
def _apart(name: str, failed: set[str]) -> Iterator[None]:
    """Report an error with one lease without keeping the others from their ends."""
    try:
        yield
    except Exception as error:  # any error at all
        failed.add(name)
        _line(_redact.redact(f"{name}: {type(error).__name__}: {error}"))


def _leases(failed: set[str]) -> list[_lease.Lease]:
    """Every lease that can be read."""
    found = []
    for name in _lease.names():
        with _apart(name, failed):
            lease = _lease.load(name)
            found += [lease] if lease else []
    return found


def ready(lease: _lease.Lease, clock: _stamps.Clock, notes: dict, report: Report) -> set[str]:
    """The names whose end is due and may come. A value that reduces exposure waits for a healthy indicator.

    While a person has paused the host, only values that raise exposure end.
    """
    if lease.gone:
        return {lease.name}
    names = {name for name, one in lease.ends.items() if _lease.due(one, clock)}
    if _paused(clock):
        names = {name for name in names if lease.ends[name].direction == "increases"}
    if path := _override_steps.lost(lease):
        report(lease, LOST, _messages.sentence("lease_lost", unit=lease.name, path=path))
    elif not names:
        notes.clear()
    if "tried" in notes and clock.up - notes["tried"] < RETRY_SECONDS:
        return set()
    waiting = {name for name in names if lease.ends[name].direction == "reduces" and not _given_back(lease, name)}
    for name in sorted(waiting):
        objection = unhealthy(lease.ends[name].watch, clock, notes)
        if objection:
            changes = f"{name}={lease.settled.get(name)}"
            report(lease, KEPT, _messages.sentence("lease_kept", unit=lease.name, changes=changes, **objection))
            names.discard(name)
    return names


def _given_back(lease: _lease.Lease, name: str) -> bool:
    """Whether an earlier tick gave the value back already, and only the record of its end is missing."""
    if lease.whole or name in lease.written:
        return False
    return _override_steps.observe(lease.name).running(name) != lease.previous.get(name)


def _paused(clock: _stamps.Clock) -> bool:
    """Whether a person has paused the host. A pause that cannot be read counts as one."""
    try:
        return _pause.load(clock) is not None
    except RunbookError:
        return True


def unhealthy(watch: Mapping, clock: _stamps.Clock, notes: dict) -> dict:
    """The reasons why an indicator is not healthy, {} if it is. A ratio is counted from an earlier tick on."""
    indicator = _indicators.INDICATORS[watch["indicator"]]
    pages = notes.setdefault("pages", {})
    earlier = pages.get(indicator.incident)
    try:
        text = _http.fetch_metrics(str(watch["url"]))
        page = _metrics.parse(text)
        before = _metrics.parse(earlier["text"]) if earlier else None
        seen = _indicators.measure(indicator, before, page, clock.up - earlier["up"] if earlier else 0)
    except FetchError:
        seen = _indicators.Value(None, problem="silent")
    except MetricsError:
        seen = _indicators.Value(None, problem="malformed")
    else:
        readable = all(page.has(name) for name in indicator.names)
        if readable and (earlier is None or seen.problem != "too_few"):
            counted = [name for name in (indicator.family, indicator.divisor) if name]
            series = [line for line in text.splitlines() if any(name in line for name in counted)]
            pages[indicator.incident] = {"up": clock.up, "text": "\n".join(series)}
    if _indicators.verdict(indicator, seen, watch["threshold"]) is False:
        return {}
    limit = watch["threshold"]
    value = seen.problem if seen.value is None else _messages.number(seen.value, limit)
    return {"metric": indicator.metric, "value": value, "limit": _messages.number(limit, limit)}


def end(lease: _lease.Lease | None, names: set[str], clock: _stamps.Clock, notes: dict, report: Report) -> None:
    """Take back what is due of a lease, as ``state: absent`` would, unless somebody else has changed it since."""
    if lease is None:
        return
    tuning = lease.kind == _lease.TCP_TUNING
    now_due = {name for name in names & set(lease.ends) if _lease.due(lease.ends[name], clock)}
    if not (now_due or lease.gone):  # the lease was renewed meanwhile
        return
    try:
        ended, close = _tuning_ended(lease) if tuning else _override_ended(lease, now_due)
        for outcome, sentence in ended:
            report(lease, outcome, sentence)
        close()  # last: until its end is recorded the lease stands, and a later tick does everything again
        notes.clear()
        return
    except WaitsError as error:
        report(lease, KEPT, error.sentence)
        return
    except ConflictError as error:
        key, outcome, problem = "lease_stays", LOST if _override_steps.lost(lease) else LEFT_ALONE, str(error)
    except RunbookError as error:
        key, outcome, problem = "lease_end_failed", KEPT, str(error)
    notes["tried"] = clock.up
    report(lease, outcome, _messages.sentence(key, unit=lease.name, problem=problem))


def _tuning_ended(lease: _lease.Lease) -> Ended:
    current = _sysctl.observe(())
    planned = _sysctl.plan_absent(current.running, current.lease, current.ended)
    given_back = [(TAKEN_BACK, _sysctl.told(planned, "absent", False)[0])]
    if current.lease is None:  # the lease ended with its boot
        return given_back, partial(_lease.drop, lease.name)
    working = _sysctl.apply(current, planned)
    done = planned.steps or not lease.whole  # done by an earlier tick that could not record it
    told = [*((LEFT_ALONE, one) for one in planned.left_out), *(given_back if done else [])]
    return told, partial(_lease.close, working, planned.written)


def _override_ended(lease: _lease.Lease, names: set[str]) -> Ended:
    current = _override_steps.observe(lease.name)
    planned = _override.plan_end(current, names)
    lost = _override_steps.lost(lease)
    if _override.unit_gone(current) and current.unit.running:
        raise RunbookError(
            f"{lease.name} is {current.unit['LoadState']} and still runs with the override: stop or repair it"
        )
    _override.check_unit(current, "absent", {})
    _override.check_files(current, missing=not planned.written)
    _await_breaker(current, planned, lease)
    working, _restarted = _override_steps.apply(current, planned, healthy(lease))
    close = partial(_lease.close, working, planned.written)
    if told := _override.told_gone(current, planned):
        return [(TAKEN_BACK, told[0])], close
    outcome, key = (LOST, "lease_was_lost") if lost else (TAKEN_BACK, "lease_over")
    # An end that an earlier tick could not record is reported with the values it had then.
    steps = [
        replace(s, before=lease.previous.get(s.name, s.before)) if s.before == s.after else s for s in planned.steps
    ]
    return [(outcome, _messages.sentence(key, unit=lease.name, changes=_override.changes(steps)))], close


def _await_breaker(current: _override.Current, planned: _override.Plan, lease: _lease.Lease) -> None:
    """Raise WaitsError if the restart would close an open breaker, as the guard of service_override would.

    If nobody can read the breaker, a value that reduces exposure stays, but a raise ends, because it would stand for
    ever.
    """
    if not _override.bare(current, planned):
        return
    urls = dict.fromkeys([healthy(lease).url, *(str(end.watch.get("url", "")) for end in lease.ends.values())])
    states = (_override_steps.breaker(url) for url in urls if url)
    state = next((state for state in states if state is not None), None)
    raises = any(step.direction == "increases" for step in planned.steps)
    if state == _indicators.CLOSED or (state is None and not raises):
        return
    said = ", ".join(f"{step.name}={step.before}" for step in planned.steps)
    values = {"unit": lease.name, "changes": said, "state": "?" if state is None else _messages.number(state)}
    raise WaitsError(_messages.sentence("lease_kept_breaker", **values))


def healthy(lease: _lease.Lease) -> _service.Healthy:
    """How the service is checked after a restart: as when the lease was granted, within the time that a tick has."""
    granted = _service.Healthy(**{"url": "", "start": 30.0, "hold": 5.0, **lease.health})
    return replace(granted, start=min(granted.start, LONGEST["start"]), hold=min(granted.hold, LONGEST["hold"]))


def _once(report: Report, notes: dict) -> Report:
    """Report a state that does not change once, not at every tick."""

    def tell(lease: _lease.Lease, outcome: str, sentence: Mapping) -> None:
        what = [outcome, sentence["message"], sentence["values"].get("name")]
        if what not in notes.setdefault("told", []):
            report(lease, outcome, sentence)
            notes["told"].append(what)

    return tell


def _remembered() -> dict:
    try:
        memory = json.loads(_files.read(MEMORY) or "{}")
    except (ValueError, RunbookError):
        return {}
    return memory if isinstance(memory, dict) else {}
