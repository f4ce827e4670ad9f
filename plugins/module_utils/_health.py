# SPDX-License-Identifier: GPL-3.0-or-later
"""Did a service come up healthy and stay so? Private to aurora.runbook.

``systemctl restart`` says nothing about that: a missing binary gives 0, and with RestartSec a crash loop never reaches
"failed". InvocationID changes at every start, so it and the hold decide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils._systemd import FAILED, Unit

START_INTERVAL, HOLD_INTERVAL = 0.25, 5.0


@dataclass(frozen=True)
class Observation:
    """The unit now, and what keeps it from being healthy although it runs ("" when nothing does)."""

    unit: Unit
    objection: str = ""


@dataclass(frozen=True)
class Health:
    """Whether the service is healthy, why not, and the unit as last seen."""

    healthy: bool
    reason: str
    unit: Unit


def wait_healthy(
    observe: Callable[[], Observation],
    previous: str,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    start: float,
    hold: float,
) -> Health:
    """Wait until what replaces invocation ``previous`` is up, ``start`` seconds at most, and stays for ``hold``."""
    deadline, up_since, current = clock() + start, None, ""
    while True:
        seen = observe()
        unit, invocation = seen.unit, seen.unit["InvocationID"]
        if unit.phase == FAILED:
            return Health(False, f"it failed (Result={unit['Result']}, status {unit['ExecMainStatus']})", unit)
        if invocation and invocation not in (previous, current):
            if current:
                return Health(False, "it keeps crashing: systemd started it twice", unit)
            current = invocation
        if current and invocation == current and unit.running and not seen.objection:
            up_since = clock() if up_since is None else up_since
            if clock() - up_since >= hold:
                return Health(True, "", unit)
        elif up_since is not None and not unit.running:
            return Health(False, f"it came up and then did not stay: {unit.state}", unit)
        elif clock() >= deadline:
            return Health(False, f"not healthy within {start:g} s: {seen.objection or unit.state}", unit)
        if seen.objection:  # one slow answer is no reason to undo a change, only to hold longer
            up_since = None
        sleep(START_INTERVAL if up_since is None else min(HOLD_INTERVAL, max(up_since + hold - clock(), 0.05)))
