# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a service came up healthy and stayed so. Private to aurora.runbook.

``systemctl restart`` does not tell: a missing binary gives 0, and with RestartSec a crash loop never reaches "failed".
InvocationID changes at every start, so it and the time to hold decide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils.base import _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._systemd import FAILED, STARTS, STOPS, Unit

START_INTERVAL, HOLD_INTERVAL = 0.25, 5.0
# Seconds that a unit gets to stop, and to be started by systemd, whatever its own timeouts say. The time limits of a
# step in the roles and of an end in the timer rely on them.
LONGEST_STOP, LONGEST_START = 150.0, 100.0
MARGIN = 5.0  # for systemd to act after its own timeout


@dataclass(frozen=True)
class Observation:
    """The unit now, and why it is not healthy although it runs ("" if it is).

    ``final`` means that waiting cannot change it, because the environment of a process stays as it is.
    """

    unit: Unit
    objection: str = ""
    final: bool = False


@dataclass(frozen=True)
class Health:
    """Whether the service is healthy, why not, and the unit as last seen.

    ``alive`` means that it neither failed nor crashed, but runs, or is still being stopped or started.
    """

    healthy: bool
    reason: str
    unit: Unit
    alive: bool = False


def wait_healthy(
    observe: Callable[[], Observation],
    previous: str,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    start: float,
    hold: float,
) -> Health:
    """Wait until what replaces invocation ``previous`` is up, for at most ``start`` seconds, and stays up for ``hold``.

    The time to come up begins with the new invocation. Before that, the old one may take its own timeout to stop, and
    systemd the unit's timeout to start the new one (ExecStartPre=, Type=notify); then ``start`` counts from there.
    """
    patience, up_since, current, final = Patience(clock(), start), None, "", ""
    while True:
        seen = observe()
        unit, invocation, now = seen.unit, seen.unit["InvocationID"], clock()
        if unit.phase == FAILED:
            return Health(False, f"it failed (Result={unit['Result']}, status {unit['ExecMainStatus']})", unit)
        if invocation and invocation not in (previous, current):
            if current:
                return Health(False, "it keeps crashing: systemd started it twice", unit)
            current = invocation
        patience.see(unit, current, now)
        if current and invocation == current and unit.running and not seen.objection:
            up_since = now if up_since is None else up_since
            if now - up_since >= hold:
                return Health(True, "", unit)
        elif up_since is not None and not unit.running:
            return Health(False, f"it came up but did not stay up: {unit.state}", unit)
        elif current and seen.final and seen.objection == final:  # seen twice, so it is no process that just ended
            return Health(False, seen.objection, unit, alive=True)
        elif now >= patience.deadline:
            reason = f"not healthy within {patience.seconds:g} s: {seen.objection or unit.state}"
            return Health(False, reason, unit, alive=unit.running or on_its_way(unit, bool(current)))
        final = seen.objection if current and seen.final else ""
        if seen.objection:  # one slow answer is no reason to undo a change, only to watch for longer
            up_since = None
        sleep(START_INTERVAL if up_since is None else min(HOLD_INTERVAL, max(up_since + hold - clock(), 0.05)))


class Patience:
    """How long a unit may take to stop, to be started by systemd, and then to come up."""

    def __init__(self, now: float, start: float):
        self.since, self.seconds, self.start, self.began, self.starts = now, start, start, "", False

    @property
    def deadline(self) -> float:
        return self.since + self.seconds

    def see(self, unit: Unit, begun: str, now: float) -> None:
        """``begun`` is the new invocation, "" as long as there is none."""
        if begun != self.began or (self.starts and unit.phase != STARTS):
            self.since, self.seconds = now, self.start
        self.began, self.starts = begun, bool(begun) and unit.phase == STARTS
        if self.starts:
            self.seconds = max(self.start, start_seconds(unit))
        elif not begun and unit.phase == STOPS:
            self.seconds = max(self.start, stop_seconds(unit))


def on_its_way(unit: Unit, begun: bool) -> bool:
    """Whether a unit is being started, or the previous run of it is still being stopped."""
    return unit.phase == STARTS or (unit.phase == STOPS and not begun)


def stop_seconds(unit: Unit) -> float:
    """How long a unit may take to stop: TimeoutStopSec applies to ExecStop= and again to the signal."""
    return _bounded(unit["TimeoutStopUSec"], 2, LONGEST_STOP)


def start_seconds(unit: Unit) -> float:
    """How long systemd itself waits for the start of a unit."""
    return _bounded(unit["TimeoutStartUSec"], 1, LONGEST_START)


def _bounded(text: str, times: int, longest: float) -> float:
    if not text:
        return 0.0
    seconds = _systemd.timespan(text)
    return longest if seconds is None else min(times * seconds + MARGIN, longest)
