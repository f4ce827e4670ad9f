# SPDX-License-Identifier: GPL-3.0-or-later
"""While a module waits on a host, say every 15 s for what, and for how long at most. Private to aurora.runbook."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators

EVERY_SECONDS = 15.0


@contextlib.contextmanager
def told(host: str, module: str, options: Mapping, limit: float, say: Callable[[str], object]) -> Iterator[None]:
    """Say it from a thread while the block runs. ``limit`` are the seconds the task may take, 0 for no limit."""
    over = threading.Event()
    began = time.monotonic()

    def tell() -> None:
        while not over.wait(EVERY_SECONDS):
            say(line(host, module, options, limit, time.monotonic() - began))

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def line(host: str, module: str, options: Mapping, limit: float, seconds: float) -> str:
    """Where, for what and for how long at most a run waits, after so many seconds."""
    most = f", at most {limit:.0f} s" if limit else ""
    return f"{host}: {awaited(module, options)}, for {seconds:.0f} s now{most}"


def awaited(module: str, options: Mapping) -> str:
    """What a module with these options waits for."""
    recovery = options if module == "wait_for_recovery" else options.get("recovery") or {}
    indicator = _indicators.INDICATORS.get(recovery.get("indicator"))
    if indicator is None:
        return f"waiting for {module}"
    return f"waiting for {module}, until {indicator.metric} has recovered"
