# SPDX-License-Identifier: GPL-3.0-or-later
"""Run probes in parallel, each with its own limit. One that fails or hangs is a finding. Private to aurora.runbook."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError

Probe = Callable[[], dict]


@dataclass(frozen=True)
class Finding:
    """The result of a probe: ``ok`` with data, ``failed`` with the reason, or ``timeout``."""

    status: str
    data: dict = field(default_factory=dict)
    problem: str = ""
    seconds: float = 0.0


def run_all(probes: Mapping[str, tuple[Probe, float]]) -> dict[str, Finding]:
    """Run every probe in a thread of its own, with its limit in seconds. Takes as long as the slowest.

    A probe beyond its limit is abandoned: its thread is a daemon and ends with the process.
    """
    findings: dict[str, Finding] = {}
    started = time.monotonic()
    threads = {name: _start(name, probe, findings) for name, (probe, _limit) in probes.items()}
    for name, (_probe, limit) in probes.items():
        threads[name].join(max(0.0, started + limit - time.monotonic()))
    missing = Finding("timeout", problem="no answer within its limit")
    return {name: findings.get(name, missing) for name in probes}


def _start(name: str, probe: Probe, findings: dict[str, Finding]) -> threading.Thread:
    def work() -> None:
        started = time.monotonic()
        try:
            status, data, problem = "ok", probe(), ""
        except (RunbookError, OSError, ValueError) as error:
            status, data, problem = "failed", {}, str(error) or type(error).__name__
        except Exception as error:  # whatever error the answer of a host causes is a finding too
            status, data, problem = "failed", {}, f"{type(error).__name__}: {error}"
        findings[name] = Finding(status, data, problem, round(time.monotonic() - started, 3))

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
