# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel settings for low TCP latency: planning their change, and making it. Private to aurora.runbook.

Source: runbook, section 3, action 1, ``sysctl -w net.ipv4.tcp_low_latency=1``. That key does nothing since Linux 4.14,
so the profile serves its intent with keys that do. All of them act on open connections at once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease

ROOT = "/proc/sys"
NAME = re.compile(r"net\.(ipv4|core)\.[a-z0-9_]{1,64}")


@dataclass(frozen=True)
class Key:
    """A setting, its lowest and highest value that is good enough, and the kernel since which it has no effect."""

    name: str
    value: int
    lowest: int
    highest: int
    dead_since: tuple[int, int] | None = None


PROFILES = {
    "low_latency": (
        # A connection that was idle sends with its full window, not as if it were new, because orders come in bursts.
        Key("net.ipv4.tcp_slow_start_after_idle", 0, 0, 0),
        # A small request is sent at once, not held until an earlier packet has left the queue.
        Key("net.ipv4.tcp_autocorking", 0, 0, 0),
        # A connection with few packets under way repeats a lost one after constant, not doubling, pauses: the tail of
        # the p99.
        Key("net.ipv4.tcp_thin_linear_timeouts", 1, 1, 1),
        # Data that is not sent yet waits in the program, where an order can overtake it, not in the kernel.
        Key("net.ipv4.tcp_notsent_lowat", 16384, 1, 16384),
        # The runbook's own key.
        Key("net.ipv4.tcp_low_latency", 1, 1, 1, dead_since=(4, 14)),
    ),
}


@dataclass(frozen=True)
class Step:
    """One key with its old and its new value."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Plan:
    """What changes, what the lease says then, and sentences on what is left alone and why."""

    steps: tuple[Step, ...]
    written: dict[str, str]
    before: dict[str, str | None]
    changed: bool
    left_out: tuple[dict, ...] = ()


@dataclass(frozen=True)
class Current:
    """The existing lease, whether one ended with an earlier boot, running values by key, and the kernel's version."""

    lease: _lease.Lease | None
    ended: bool
    running: dict[str, str | None]
    kernel: tuple[int, int]


def read(name: str, root: str = ROOT) -> str | None:
    """The running value of a key, None when this kernel or network namespace has none."""
    try:
        with open(_path(name, root), encoding="ascii") as file:
            return " ".join(file.read().split())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunbookError(f"{name} cannot be read: {error.strerror}") from error


def write(name: str, value: str, root: str = ROOT) -> None:
    """Set the running value of a key and read it back. Raises RunbookError if the kernel does not take it."""
    try:
        with open(_path(name, root), "w", encoding="ascii") as file:
            file.write(f"{value}\n")
    except OSError as error:
        raise RunbookError(f"{name}={value} cannot be set: {error.strerror}") from error
    if (found := read(name, root)) != value:
        raise RunbookError(f"{name}={value} was written, but the kernel says {found}")


def _path(name: str, root: str) -> str:
    if not NAME.fullmatch(name):
        raise RunbookError(f"{name[:80]!r} is not a TCP setting; look at the lease before running again")
    return os.path.join(root, *name.split("."))


def release(text: str) -> tuple[int, int]:
    """Major and minor of ``uname -r``."""
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def plan_present(
    keys: tuple[Key, ...], running: Mapping[str, str | None], kernel: tuple[int, int], lease: _lease.Lease | None
) -> Plan:
    """Set the keys that have an effect here and are not good enough already, and remember the values from before."""
    written = dict(lease.settled) if lease else {}
    before = dict(lease.before) if lease else {}
    steps, left_out = [], []
    for key in keys:
        now, value = running[key.name], str(key.value)
        if key.dead_since and kernel >= key.dead_since:
            since = ".".join(map(str, key.dead_since))
            left_out.append(_messages.sentence("sysctl_dead", name=key.name, since=since))
        elif now is None:
            left_out.append(_messages.sentence("sysctl_absent", name=key.name))
        elif _ours(lease, key.name, now):
            written[key.name] = value
            steps += [Step(key.name, now, value)] if now != value else []
        elif not (now.isdecimal() and key.lowest <= int(now) <= key.highest):
            written[key.name], before[key.name] = value, now
            steps.append(Step(key.name, now, value))
    unfinished = lease is not None and not lease.whole
    return Plan(tuple(steps), written, before, bool(steps) or unfinished, tuple(left_out))


def plan_absent(running: Mapping[str, str | None], lease: _lease.Lease | None, ended: bool) -> Plan:
    """Give back the values that are still as we set them; values that somebody set since stay.

    A lease may have ended with its boot (``ended``).
    """
    if lease is None:
        return Plan((), {}, {}, changed=ended)
    steps, left_out = [], []
    for name, old in sorted(lease.before.items()):
        now = running[name]
        if now == old:
            continue
        if _ours(lease, name, now):
            steps.append(Step(name, now, old))
        else:
            left_out.append(_messages.sentence("sysctl_edited", name=name, now=now or "absent"))
    return Plan(tuple(steps), {}, dict(lease.before), changed=True, left_out=tuple(left_out))


def plan_settled(running: Mapping[str, str | None], lease: _lease.Lease | None) -> Plan:
    """Finish what a killed run began, setting or giving back; values that somebody set since stay."""
    if lease is None or lease.whole:
        return Plan((), dict(lease.written) if lease else {}, {}, changed=False)
    if not lease.written:
        return plan_absent(running, lease, ended=False)
    steps, written, left_out = [], {}, []
    for name, value in sorted(lease.written.items()):
        now = running[name]
        if now is None or not (now == lease.before.get(name) or _ours(lease, name, now)):
            left_out.append(_messages.sentence("sysctl_edited", name=name, now=now or "absent"))
            continue
        written[name] = value
        steps += [Step(name, now, value)] if now != value else []
    before = {name: lease.before.get(name) for name in written}
    return Plan(tuple(steps), written, before, changed=True, left_out=tuple(left_out))


def _ours(lease: _lease.Lease | None, name: str, now: str | None) -> bool:
    return lease is not None and now is not None and any(entry.get(name) == now for entry in lease.claimed)


def told(plan: Plan, state: str, check_mode: bool) -> list[dict]:
    """The change as the report says it."""
    changes = ", ".join(f"{step.name} {step.before} → {step.after}" for step in plan.steps)
    if state == "settled":
        key = ("settle_would_be_finished" if check_mode else "settle_finished") if plan.changed else "settle_nothing"
        return [_messages.sentence(key, unit="TCP", changes=changes or "–")]
    if changes:
        key = {"present": ("tcp_set", "tcp_would_set"), "absent": ("tcp_restored", "tcp_would_restore")}[state]
        return [_messages.sentence(key[check_mode], changes=changes)]
    if state == "present":
        return [_messages.sentence("tcp_stands")]
    return [_messages.sentence("tcp_ended" if plan.changed else "tcp_nothing")]


def diff(plan: Plan) -> dict[str, str]:
    """The change as Ansible shows it with --diff."""
    return {
        "before": "".join(f"{step.name}={step.before}\n" for step in plan.steps),
        "after": "".join(f"{step.name}={step.after}\n" for step in plan.steps),
    }


def observe(keys: tuple[Key, ...]) -> Current:
    """The running values of these keys, and of those of the lease."""
    lease = _lease.load(_lease.TCP_TUNING)
    ended = lease is not None and lease.gone
    standing = None if ended else lease
    names = [*(key.name for key in keys), *(standing.before if standing else ())]
    running = {name: read(name) for name in names}
    return Current(standing, ended, running, release(os.uname().release))


def apply(
    current: Current, planned: Plan, ends: Mapping[str, _lease.End] | None = None, incident: str = ""
) -> _lease.Lease:
    """Apply the plan and return the lease to be closed, or put the old values back and raise RunbookError."""
    kind, boot = _lease.TCP_TUNING, _lease.boot()
    working = _lease.begin(current.lease, kind, kind, planned.written, planned.before, [], boot, incident, ends)
    try:
        for step in planned.steps:
            write(step.name, step.after)
    except RunbookError as error:
        undo(planned)
        if current.lease and not current.lease.whole:
            _lease.save(current.lease)
            raise RunbookError(f"{error}; what an earlier run left half done is still half done") from error
        _lease.close(working, working.previous)
        raise RunbookError(f"{error}; what was there before is back") from error
    return working


def undo(planned: Plan) -> None:
    for step in planned.steps:
        if read(step.name) == step.after:
            write(step.name, step.before)
