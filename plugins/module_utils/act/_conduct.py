# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that every acting module follows: one run at a time, guards, an intent before and a result after.

Private to aurora.runbook. Guards and pauses apply to automation, which names its incident. What a person does with a
module by hand is recorded too, and only another run's claim can refuse it.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets as random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.aurora.runbook.plugins.module_utils.act import _guards, _unfinished
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _messages, _verdicts
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact, _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import BusyError, FailedError, RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import (
    _claim,
    _incident,
    _lease,
    _lease_timer,
    _pause,
    _record,
)

MAX_SAMPLES = 120  # of an indicator in a result
MAX_CAUSE = 64  # characters of a cause; people may name their own (why_causes)


@dataclass
class Conduct:
    """One call of an acting module. ``incident`` holds its options, and is None for a manual call."""

    action: str
    incident: Mapping | None
    check_mode: bool
    secrets: Sequence[str] = ()
    state: str = _record.STATE_DIRECTORY
    id: str = ""
    run: str = field(default_factory=lambda: random.token_hex(8))
    by: str = field(default_factory=lambda: os.environ.get("SUDO_USER", "root"))
    intent: _record.Entry | None = None
    said: list[dict] = field(default_factory=list)
    over: bool = False

    def __post_init__(self) -> None:
        if self.incident:
            _incident.check(self.incident)
            self.id, self.run = self.incident["id"], self.incident["run"]
            self.by = _redact.redact(self.incident["by"], limit=100) or self.by

    def begin(
        self,
        target: str,
        change: Sequence[Mapping],
        restart: bool = False,
        lease: str = "",
        approved: bool = False,
        own: _guards.Refusal | None = None,
    ) -> dict | None:
        """Ask the guards, then record the intent; returns a sentence if they refuse. Nothing is changed before this.

        ``lease`` is the incident for which the value that is given back was set, ``approved`` says that a person
        approved this action, ``own`` is the refusal of a guard of the module itself. Raises RunbookError if nothing can
        be recorded.
        """
        records = self.recent()
        settled = [] if self.check_mode else self.settle(records)
        if settled:  # the guards count it
            self.said += settled
            records = self.recent()
        wanted = _guards.Action(self.action, target, _guards.what(change), self.id, cause=self.cause)
        refusal = self._objection(wanted, restart, approved, own, records)
        if self.check_mode:
            return refusal.sentence if refusal else None
        self.id = self.id or lease or _record.outside(_stamps.clock())
        if refusal:
            data = {"action": self.action, "target": target, "guard": refusal.guard, "sentence": refusal.sentence}
            self.write("refused", {**data, "allowed_in": refusal.allowed_in})
            return refusal.sentence
        self._reopen(records)
        forced = self.incident["force"] if self.incident else ""
        data = {"action": self.action, "target": target, "change": list(change), "restart": restart, "forced": forced}
        self.intent = self.write("intent", {**data, "cause": self.cause})
        return None

    @property
    def cause(self) -> str:
        """What this run takes for the cause of the incident, "" for a manual call."""
        return self.incident["cause"][:MAX_CAUSE] if self.incident else ""

    def _reopen(self, records: Sequence[_record.Record]) -> None:
        """Reopen the incident if another run closed it meanwhile: actions and proposals belong to an open incident."""
        if self.incident and not self._own(records).open:
            self.write("reopened", {"alert": None})

    def _own(self, records: Sequence[_record.Record]) -> _record.Record:
        """The record of the incident, among those that were read."""
        return next((record for record in records if record.id == self.id), _record.Record(self.id))

    def may_restart(self) -> bool:
        """Whether enough peers are healthy for a restart as the last resort. begin() asks all other guards."""
        if not self.incident or self.incident["force"]:
            return True
        return not _guards.too_few(self.incident["min_healthy"], self.incident["healthy_peers"])

    def propose(self, target: str, steps: Sequence[Mapping]) -> None:
        """Record what waits for a person's approval."""
        if self.check_mode or not self.id:
            return
        values = {
            "unit": target,
            "changes": _messages.changes(steps),
            "knobs": ",".join(step["name"].lower() for step in steps),
        }
        sentence = {"message": "needs_approval", "values": values}
        data = {"action": self.action, "target": target, "guard": "approval", "sentence": sentence}
        self._reopen([_record.read(self.id, self.state)])
        self.write("refused", {**data, "allowed_in": None})

    def recent(self) -> list[_record.Record]:
        """The records that may have a cut-off action in them, or that count for a guard."""
        return _record.recent(_record.CUT_OFF_SECONDS, _stamps.clock(), self.state)

    def settle(self, records: Sequence[_record.Record]) -> list[dict]:
        """Record what became of the actions of runs that were killed; returns a sentence for each."""
        return _unfinished.settle_all(records, self.run, self.by, self.state)

    def _objection(
        self,
        wanted: _guards.Action,
        restart: bool,
        approved: bool,
        own: _guards.Refusal | None,
        records: Sequence[_record.Record],
    ) -> _guards.Refusal | None:
        if self.incident is None:
            return own
        now = _stamps.clock()
        pause = _pause.load(now, self.state)
        if pause:
            key = "paused" if pause.until else "paused_open"
            return _guards.Refusal("pause", _messages.sentence(key, until=pause.until, text=pause.text or "–"), None)
        if self.incident["force"]:
            return None
        limits = _guards.Limits(**{name: self.incident[name] for name in _guards.Limits.__dataclass_fields__})
        past, peers = _guards.history(records, now), self.incident["healthy_peers"]
        return own or _guards.objection(limits, past, wanted, restart, peers, approved)

    def write(self, what: str, data: Mapping) -> _record.Entry:
        """A line in the record of the incident."""
        return _record.append(self.id, what, _redact.redact_data(data, self.secrets), self.run, self.by, self.state)

    def renew(self, lease: _lease.Lease, ends: Mapping[str, _lease.End]) -> None:
        """Give an existing lease other ends and change nothing else. This is recorded, also for a manual call."""
        moved = {name: one for name, one in ends.items() if one != lease.ends.get(name)}
        changes = ", ".join(f"{name}={lease.written.get(name)}" for name in sorted(moved)) or "–"
        until = _lease.earliest(moved)
        sentence = _messages.sentence("lease_renewed", unit=lease.name, changes=changes, until=until or "–")
        data = {"name": lease.name, "written": lease.written, "until": until, "sentence": _messages.bare(sentence)}
        self.id = self.id or lease.incident or _record.outside(_stamps.clock())
        self.write("lease_renewed", data)
        _lease.renew(lease, ends)

    def end(self, result: Mapping) -> None:
        """Record what came of the intent."""
        if self.intent:
            recovery = result.get("recovery")
            data = {
                "outcome": _verdicts.DONE,
                "changed": result["changed"],
                "verdict": result.get("verdict"),
                "sentences": [_messages.bare(said) for said in result.get("done", ())],
                "recovery": {k: v for k, v in recovery.items() if k != "samples"} if recovery else None,
                "samples": _samples(recovery, time.time()) if recovery else [],
            }
            try:
                self.write("result", {"intent": self.intent.seq, **data})
            except RunbookError as error:
                raise RunbookError(f"{self._done(data)}, but that could not be put on record: {error}") from error
            self._rise(_severity(self.id, recovery or {}))

    def _rise(self, seen: str | None) -> None:
        """Record that the incident is worse than it was at any time before."""
        with contextlib.suppress(RunbookError):  # the next look finds it again
            risen = _record.worse(_record.read(self.id, self.state), seen) if seen else None
            if risen:
                self.write("severity", risen)

    def _done(self, data: Mapping) -> str:
        """The outcome of the intent, for when the record has no room for its result."""
        changes = _messages.changes(self.intent.data["change"]) or "–"
        done = f"was done and stays in effect, verdict {data['verdict'] or '–'}"
        how = done if data["changed"] else "changed nothing"
        return f"{self.action} of {self.intent.data['target']} ({changes}) {how}"

    def fail(self, problem: str, changed: bool = False) -> None:
        if self.intent:
            data = {"intent": self.intent.seq, "outcome": _verdicts.FAILED, "changed": changed, "problem": problem}
            self.write("result", data)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Claim the host for this run, and join its incident. Raises HeldError and RunbookError.

        With a reason to act against the guards, the claim of another run is taken over, which is recorded.
        """
        ttl = _claim.TTL if self.incident else _claim.PERSONAL_TTL
        forced = self.incident["force"] if self.incident else ""
        other = _claim.held(_stamps.clock(), self.state) if forced else None
        with _claim.kept(self.run, self.by, self.id, self.state, ttl, bool(forced)):
            try:
                with _lease_timer.changing(self.by):
                    if self.incident:
                        self.id = _record.join(self.id, _incident.opening(self.incident), self.run, self.by, self.state)
                    if other and other.token != self.run:
                        said = _messages.sentence("taken_over", by=other.holder, since=other.since, reason=forced)
                        self.write("note", {"who": self.by, "text": said["text"]})
                        self.said.append(said)
                    yield
            finally:
                if self.over or not self.incident:
                    with contextlib.suppress(RunbookError):  # the claim expires by itself; the first error is reported
                        _claim.release(self.run, self.state)

    def kept_out(self, claim: _claim.Claim, sentence: Mapping, verdict: str | None) -> dict:
        """Open this incident although a run on another incident works here, so that its deadlines run and it pages.

        Writes only to the incident's own record, to which no other run writes. ``verdict`` is the run's verdict if this
        is its end, otherwise None. Returns what the module returns of it.
        """
        other = claim.incident.partition("-")[0] != _record.incident_of(self.id) if self.incident else False
        if not other or self.check_mode:
            return {}
        self.id = _record.join(self.id, _incident.opening(self.incident), self.run, self.by, self.state)
        if verdict:
            self.write("verdict", {"verdict": verdict})
            return {"incidents": [_record.describe(_record.read(self.id, self.state), _stamps.clock())]}
        refused = {"action": self.action, "target": "host", "guard": "held", "sentence": _messages.bare(sentence)}
        self.write("refused", {**refused, "allowed_in": None})
        return {}

    def _stays(self, record: _record.Record) -> list[str]:
        """Leases in this incident that failed to end and still stand. They keep the incident open."""
        ends = [entry.data for entry in record.entries if entry.what == "lease_ended"]
        last = {end.get("name"): (end.get("sentence") or {}).get("message") for end in ends}  # what was too long is cut
        standing = _lease.names(self.state)
        return [name for name, message in last.items() if message in _lease.STUCK and name in standing]

    def close(self, verdict: str) -> tuple[dict, list[dict]]:
        """End the run: record its verdict, give up its claim, and close the incident if the verdict is one of OVER.

        The incident stays open while a lease stands that failed to end, because somebody was paged for it.

        Returns the incident as it is then, and sentences on what became of cut-off actions. If that is unknown, a
        person has to look. Raises RunbookError.
        """
        records = self.recent()
        said = self.settle(records)
        verdict = _verdicts.ESCALATED if _unfinished.unknown(said) else verdict
        self.write("verdict", {"verdict": verdict})
        if verdict in _verdicts.OVER and not self._stays(self._own(records)):
            sentence = _messages.bare(_messages.sentence("closed_by_run"))
            self.write("closed", {"verdict": verdict, "sentence": sentence})
        self.over = True
        return _record.describe(_record.read(self.id, self.state), _stamps.clock()), said


def _severity(identity: str, recovery: Mapping) -> str | None:
    """The severity of the incident's indicator at the end of a wait, None if it was within its limit."""
    indicator, value = _indicators.INDICATORS.get(_record.incident_of(identity)), recovery.get("value")
    if indicator is None or value is None or indicator.metric != recovery["metric"]:
        return None
    if not indicator.breached(value, recovery["threshold"]):
        return None
    return _indicators.severity({indicator.incident: value}, {indicator.incident})


def _samples(recovery: Mapping, now: float) -> list[list[float]]:
    """The indicator while it was watched, as [seconds since 1970, value], thinned out to MAX_SAMPLES up to the last."""
    last = recovery.get("seconds") or 0.0
    seen = [sample for sample in recovery.get("samples", ()) if sample["value"] is not None]
    step = max(1, math.ceil(len(seen) / MAX_SAMPLES))
    return [[round(now - last + sample["at"], 1), sample["value"]] for sample in seen[::-step][::-1]]


def conducted(module: object, action: str, work: Callable, secrets: Sequence[str] = ()) -> None:
    """The rest of ``main()`` of an acting module. ``work(params, conduct)`` returns what the module returns."""
    try:
        conduct = Conduct(action, module.params["incident"], module.check_mode, secrets)
        result = _unless_held(module.params, conduct, work)
    except BusyError as error:
        result = _held(error.holder, "–", error.since)
    except RunbookError as error:
        stands = {**error.left, "done": error.said} if isinstance(error, FailedError) else {}
        module.fail_json(msg=_redact.redact_text(str(error), secrets), **_redact.redact_data(stands, secrets))
    module.exit_json(**_redact.redact_data(result, secrets))


def _unless_held(params: Mapping, conduct: Conduct, work: Callable) -> dict:
    try:
        return _conducted(params, conduct, work)
    except _claim.HeldError as error:
        result = _held(error.claim.holder, error.claim.incident or "–", error.claim.since)
        (held,) = result["done"]
        try:
            return {**result, **conduct.kept_out(error.claim, held, params.get("verdict"))}
        except RunbookError as problem:
            return {**result, "done": [_messages.sentence("not_on_record", problem=str(problem)), held]}


def _held(holder: str, incident: str, since: str) -> dict:
    """What a module returns if another run is at work."""
    said = _messages.sentence("held", by=holder, incident=incident, since=since)
    return {"changed": False, "verdict": _verdicts.REFUSED, "message": said["text"], "done": [said]}


def _conducted(params: Mapping, conduct: Conduct, work: Callable) -> dict:
    if conduct.check_mode:
        return work(params, conduct)
    with conduct.alone():
        try:
            result = work(params, conduct)
        except RunbookError as error:
            try:
                conduct.fail(str(error), isinstance(error, FailedError) and bool(error.left.get("changed")))
            except RunbookError as second:
                raise RunbookError(f"{error}; that could not be put on record: {second}") from error
            raise
        if conduct.said:
            result = {**result, "done": [*conduct.said, *result.get("done", ())]}
        conduct.end(result)
        cured = result.get("verdict") == _verdicts.RECOVERED and not _unfinished.unknown(conduct.said)
        if conduct.incident and conduct.incident["last"] and cured:
            with contextlib.suppress(RunbookError):  # the end of the run reports what is missing in the record
                closed, said = conduct.close(_verdicts.RECOVERED)
                result = {**result, "closed": closed, "done": [*result.get("done", ()), *said]}
    return result
