# SPDX-License-Identifier: GPL-3.0-or-later
"""The claim of a run on a host: one run works on it, and others see which one. Private to aurora.runbook.

A claim has a token that the run made, and an end by the boot clock. Every changing call takes or renews it, and keeps
renewing it while it lasts, since a module goes on when its controller is killed. However often it is renewed, it keeps
others out for LONGEST at most, and a person may take it over with a reason.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from ansible_collections.aurora.runbook.plugins.module_utils.base import _files, _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease, _record

TTL = 120.0  # longest time between two calls of a run, for which a killed run keeps others out (s)
PERSONAL_TTL = 15.0  # for a single manual call
LONGEST = 4 * 3600.0  # seconds that a run keeps others out, however often it renews its claim
LOCK_SECONDS = 10.0  # reading and writing the claim takes milliseconds; who holds the lock for longer is stuck
REMEMBERED = 16  # tokens whose claim was taken over


@dataclass(frozen=True)
class Claim:
    """The run at work on this host: ``since`` by its clock, ``began`` and ``until`` in seconds of the boot ``boot``."""

    token: str
    holder: str
    incident: str
    since: str
    boot: str
    until: float
    gen: int = 1
    lost: tuple[str, ...] = ()
    released: bool = False
    began: float | None = None

    def holds(self, now: _stamps.Clock) -> bool:
        until = self.until if self.began is None else min(self.until, self.began + LONGEST)
        return not self.released and self.boot == now.boot and now.up < until


class HeldError(RunbookError):
    """Another run works on this host, or took it over."""

    def __init__(self, claim: Claim):
        super().__init__(f"{claim.holder} works on {claim.incident or 'this host'} here since {claim.since}")
        self.claim = claim


def path(state: str) -> str:
    return os.path.join(state, "claim.json")


def take(
    token: str,
    holder: str,
    incident: str,
    now: _stamps.Clock,
    state: str = _record.STATE_DIRECTORY,
    ttl: float = TTL,
    force: bool = False,
) -> Claim:
    """Take or renew the claim on this host. Raises HeldError if another run has it, or took it from this one.

    With ``force`` the claim of another run is taken over, and that run stays out from then on.
    """
    with _alone(state):
        old = load(state)
        if old and old.token != token and (token in old.lost or (old.holds(now) and not force)):
            raise HeldError(old)
        if old and old.token == token and not old.released:
            new = replace(_renewed(old, now, ttl), incident=incident)
        else:
            expired = (old.token,) if old and not old.released else ()
            lost = ((*old.lost, *expired) if old else ())[-REMEMBERED:]
            gen = old.gen + 1 if old else 1
            new = Claim(token, holder, incident, now.stamp, now.boot, now.up + ttl, gen, lost, began=now.up)
        _save(new, state)
    return new


def _renewed(old: Claim, now: _stamps.Clock, ttl: float) -> Claim:
    """A claim with a later end. After a reboot it counts as begun anew."""
    return replace(old, boot=now.boot, until=now.up + ttl, began=old.began if old.boot == now.boot else now.up)


def renew_if_ours(token: str, now: _stamps.Clock, state: str = _record.STATE_DIRECTORY, ttl: float = TTL) -> None:
    """Extend a run's claim, unless it was given up or taken over."""
    with _alone(state):
        old = load(state)
        if old and old.token == token and not old.released:
            _save(_renewed(old, now, ttl), state)


def release(token: str, state: str = _record.STATE_DIRECTORY) -> None:
    """Give up the claim of a run, if it has one."""
    with _alone(state):
        old = load(state)
        if old and old.token == token:
            _save(replace(old, released=True), state)


def held(now: _stamps.Clock, state: str = _record.STATE_DIRECTORY) -> Claim | None:
    """The claim that is valid now, if there is one."""
    claim = load(state)
    return claim if claim and claim.holds(now) else None


@contextlib.contextmanager
def kept(
    token: str,
    holder: str,
    incident: str,
    state: str = _record.STATE_DIRECTORY,
    ttl: float = TTL,
    force: bool = False,
) -> Iterator[Claim]:
    """Take the claim, and renew it until the end of the block. Raises HeldError."""
    claim = take(token, holder, incident, _stamps.clock(), state, ttl, force)
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(ttl / 6):
            with contextlib.suppress(RunbookError):  # the block goes on, since only it changes anything while it lasts
                renew_if_ours(token, _stamps.clock(), state, ttl)

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield claim
    finally:
        over.set()
        thread.join()


def load(state: str = _record.STATE_DIRECTORY) -> Claim | None:
    """The claim in the file, None if there never was one. An unreadable claim counts as none."""
    _files.check_private(state)
    text = _files.read(path(state))
    try:
        fields = json.loads(text or "null")
        claim = Claim(**{**fields, "lost": tuple(fields["lost"])}) if fields else None
        sound = claim is None or (
            isinstance(claim.until, (int, float))
            and isinstance(claim.token, str)
            and isinstance(claim.gen, int)
            and isinstance(claim.began, (int, float, type(None)))
        )
    except (TypeError, ValueError, KeyError, RecursionError):
        sound = False
    return claim if sound else None


def _save(claim: Claim, state: str) -> None:
    _files.write(path(state), json.dumps(asdict(claim), sort_keys=True) + "\n", 0o600)


@contextlib.contextmanager
def _alone(state: str) -> Iterator[None]:
    """Keep others from reading or writing the claim. Raises BusyError, which names the process with the lock."""
    _files.make_private(state)
    with _lease.exclusive(f"process {os.getpid()}", LOCK_SECONDS, path(state) + ".guard"):
        yield
