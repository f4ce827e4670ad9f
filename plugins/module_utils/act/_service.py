# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarting a service and proving that it came up as wanted. Private to aurora.runbook."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils.act import _override
from ansible_collections.aurora.runbook.plugins.module_utils.base import (
    _command,
    _files,
    _health,
    _http,
    _redact,
    _systemd,
)
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import FetchError, RunbookError

RANGES = {"start_seconds": (1, 600), "hold_seconds": (0, 600)}


@dataclass(frozen=True)
class Healthy:
    """When a service counts as healthy: URL that answers 2xx ("" for none), seconds to come up, seconds to stay up."""

    url: str
    start: float
    hold: float


def observe(name: str) -> _systemd.Unit:
    return _systemd.show(_command.run, [name])[0]


class UnhealthyError(RunbookError):
    """A service did not come up as wanted. ``alive``: it neither failed nor crashed, see _health.Health."""

    def __init__(self, text: str, alive: bool):
        super().__init__(text)
        self.alive = alive


def systemctl(*arguments: str) -> None:
    done = _command.run(["systemctl", *arguments])
    if done.rc != 0:
        raise RunbookError(f"systemctl {' '.join(arguments)} failed: {done.last_line}")


def environments(unit: _systemd.Unit) -> dict[int, dict[str, str]]:
    """The environment of each process of a unit by pid."""
    found = {pid: _systemd.environment(pid) for pid in _systemd.processes(unit["ControlGroup"])}
    return {pid: own for pid, own in found.items() if own is not None}


def environment_files(unit: _systemd.Unit) -> Iterator[str]:
    """The texts of those of a unit's EnvironmentFiles that can be read."""
    for path in _systemd.environment_files(unit):
        with contextlib.suppress(RunbookError):
            yield _files.read(path) or ""


def commands(unit: _systemd.Unit) -> dict[int, tuple[str, ...]]:
    """The command line of each process of a unit by pid."""
    return {pid: tuple(_systemd.arguments(pid)) for pid in _systemd.processes(unit["ControlGroup"])}


def goes_on(unit: _systemd.Unit, hold: float) -> bool:
    """Whether a running service stays up for ``hold`` seconds without a new start."""
    deadline = time.monotonic() + hold
    while True:
        now = observe(unit.id)
        if not now.running or now["InvocationID"] != unit["InvocationID"]:
            return False
        left = deadline - time.monotonic()
        if left <= 0:
            return True
        time.sleep(min(1.0, left))


def restart(
    unit: _systemd.Unit,
    environment: Mapping[str, str],
    healthy: Healthy,
    before: _override.Current | None = None,
    gone: Collection[tuple[str, str]] = (),
) -> None:
    """Restart a service; RunbookError with its journal unless it comes up with the environment and stays healthy.

    ``before`` is what its processes ran with, ``gone`` are values that none of them may have any more.
    """
    begin(unit, "restart")
    prove(unit, environment, healthy, before, gone)


def begin(unit: _systemd.Unit, verb: str) -> None:
    """Ask systemd to start or restart a service, without waiting for it."""
    # Our own restarts count against the unit's start limit, so it is reset. A unit that systemd has not loaded has no
    # limit, and the reset fails.
    _command.run(["systemctl", "reset-failed", "--", unit.id])
    systemctl(verb, "--no-block", "--", unit.id)


def prove(
    unit: _systemd.Unit,
    environment: Mapping[str, str],
    healthy: Healthy,
    before: _override.Current | None = None,
    gone: Collection[tuple[str, str]] = (),
) -> None:
    """Raise UnhealthyError with the journal unless a service comes up anew with the environment and stays healthy."""
    health = judge(unit.id, unit["InvocationID"], environment, healthy, before, gone)
    if not health.healthy:
        try:
            lines = _redact.redact_lines(_systemd.journal(_command.run, unit.id, 10))
        except RunbookError as error:  # a journal that hangs must not hide that the service crashed
            lines = [str(error)]
        text = f"{unit.id} did not become healthy: {health.reason}. Its journal:\n" + "\n".join(lines)
        raise UnhealthyError(text, health.alive)


def judge(
    name: str,
    previous: str,
    environment: Mapping[str, str],
    healthy: Healthy,
    before: _override.Current | None = None,
    gone: Collection[tuple[str, str]] = (),
) -> _health.Health:
    """Wait until what replaces invocation ``previous`` of a service is up with the environment and stays, or fails."""

    def look() -> _health.Observation:
        now = observe(name)
        if not now.running:
            return _health.Observation(now)
        running = _override.Current(now, None, None, None, environments(now), commands=commands(now))
        if found := _override.wrong(running, environment, before, gone):
            worst = next((one for one in found if one.final), found[0])
            return _health.Observation(now, worst.text, worst.final)
        return _health.Observation(now, objection(healthy.url))

    return _health.wait_healthy(look, previous, time.monotonic, time.sleep, healthy.start, healthy.hold)


def objection(url: str) -> str:
    """Why a running service is not well: its URL, if it has one, does not answer 2xx."""
    try:
        if url:
            _http.fetch_page(url, timeout=3.0)
    except FetchError as error:
        return str(error)
    return ""
