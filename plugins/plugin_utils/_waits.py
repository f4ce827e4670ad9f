# SPDX-License-Identifier: GPL-3.0-or-later
"""While a module waits on a host, say every 15 s for what, and for how long at most. Private to aurora.runbook."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators
from ansible_collections.aurora.runbook.plugins.plugin_utils import _texts

EVERY_SECONDS = 15.0


@contextlib.contextmanager
def told(line: Callable[[float], str], say: Callable[[str], object]) -> Iterator[None]:
    """Say the line from a thread while the block runs. ``line`` gets the seconds since the block began."""
    over = threading.Event()
    began = time.monotonic()

    def tell() -> None:
        while not over.wait(EVERY_SECONDS):
            say(line(time.monotonic() - began))

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def line(language: str, host: str, module: str, options: Mapping, limit: float, seconds: float) -> str:
    """On which host, for what and for how long at most a run waits. ``limit`` is 0 if nothing limits it."""
    recovery = options if module == "wait_for_recovery" else options.get("recovery")
    named = recovery.get("indicator") if isinstance(recovery, Mapping) else None
    what = module
    if named in _indicators.INDICATORS:
        key = "waits_alone" if module == "wait_for_recovery" else "waits_recovery"
        what = _texts.say(language, key, module=module, metric=_indicators.INDICATORS[named].metric)
    values = {"host": host, "what": what, "seconds": round(seconds)}
    return (
        _texts.say(language, "waits", **values, most=round(limit))
        if limit
        else _texts.say(language, "waits_open", **values)
    )
