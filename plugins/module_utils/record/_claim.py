# SPDX-License-Identifier: GPL-3.0-or-later
"""The claim of a run on a host: one works on it, others see who does. Private to aurora.runbook.

A claim has a token that the run made and an end by the boot clock. Every changing call takes or renews it, and goes on
renewing it while it lasts, since a module goes on when its controller is killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from ansible_collections.aurora.runbook.plugins.module_utils.base import _files, _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record

TTL = 120.0  # seconds between two calls of a run, and that a killed one keeps others out
PERSONAL_TTL = 15.0  # of a person's single call
REMEMBERED = 16  # tokens whose claim was taken over


@dataclass(frozen=True)
class Claim:
    """Who works on this host: ``since`` by its clock, ``until`` in seconds of the boot ``boot``."""

    token: str
    holder: str
    incident: str
    since: str
    boot: str
    until: float
    gen: int = 1
    lost: tuple[str, ...] = ()
    released: bool = False

    def holds(self, now: _stamps.Clock) -> bool:
        return not self.released and self.boot == now.boot and now.up < self.until


class HeldError(RunbookError):
    """Another run works on this host, or took it over."""

    def __init__(self, claim: Claim):
        super().__init__(f"{claim.holder} works on {claim.incident or 'this host'} here since {claim.since}")
        self.claim = claim


def path(state: str) -> str:
    return os.path.join(state, "claim.json")


def take(
    token: str, holder: str, incident: str, now: _stamps.Clock, state: str = _record.STATE_DIRECTORY, ttl: float = TTL
) -> Claim:
    """Take or renew the claim on this host. Raises HeldError when another run has it, or took it from this one."""
    with _alone(state):
        old = load(state)
        if old and old.token != token and (old.holds(now) or token in old.lost):
            raise HeldError(old)
        if old and old.token == token and not old.released:
            new = replace(old, incident=incident, boot=now.boot, until=now.up + ttl)
        else:
            expired = (old.token,) if old and not old.released else ()
            lost = ((*old.lost, *expired) if old else ())[-REMEMBERED:]
            new = Claim(token, holder, incident, now.stamp, now.boot, now.up + ttl, old.gen + 1 if old else 1, lost)
        _save(new, state)
    return new


def renew_if_ours(token: str, now: _stamps.Clock, state: str = _record.STATE_DIRECTORY, ttl: float = TTL) -> None:
    """Put off the end of a run's claim; one that was given up or taken over stays so."""
    with _alone(state):
        old = load(state)
        if old and old.token == token and not old.released:
            _save(replace(old, boot=now.boot, until=now.up + ttl), state)


def release(token: str, state: str = _record.STATE_DIRECTORY) -> None:
    """Give up the claim of a run, if it has it."""
    with _alone(state):
        old = load(state)
        if old and old.token == token:
            _save(replace(old, released=True), state)


def held(now: _stamps.Clock, state: str = _record.STATE_DIRECTORY) -> Claim | None:
    """The claim that holds now."""
    claim = load(state)
    return claim if claim and claim.holds(now) else None


@contextlib.contextmanager
def kept(
    token: str, holder: str, incident: str, state: str = _record.STATE_DIRECTORY, ttl: float = TTL
) -> Iterator[Claim]:
    """Take the claim, and renew it until the end of the block. Raises HeldError."""
    claim = take(token, holder, incident, _stamps.clock(), state, ttl)
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(ttl / 6):
            with contextlib.suppress(RunbookError):  # the block goes on: it alone changes anything while it lasts
                renew_if_ours(token, _stamps.clock(), state, ttl)

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield claim
    finally:
        over.set()
        thread.join()


def load(state: str = _record.STATE_DIRECTORY) -> Claim | None:
    """The claim as it stands, None when there never was one. What cannot be read stands for none."""
    _files.check_private(state)
    text = _files.read(path(state))
    try:
        fields = json.loads(text or "null")
        claim = Claim(**{**fields, "lost": tuple(fields["lost"])}) if fields else None
        sound = claim is None or (
            isinstance(claim.until, (int, float)) and isinstance(claim.token, str) and isinstance(claim.gen, int)
        )
    except (TypeError, ValueError, KeyError, RecursionError):
        sound = False
    return claim if sound else None


def _save(claim: Claim, state: str) -> None:
    _files.write(path(state), json.dumps(asdict(claim), sort_keys=True) + "\n", 0o600)


@contextlib.contextmanager
def _alone(state: str) -> Iterator[None]:
    """Nobody else looks at or writes the claim meanwhile; it takes no longer than two small files."""
    _files.make_private(state)
    guard = path(state) + ".guard"
    try:
        descriptor = os.open(guard, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise RunbookError(f"{guard} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
