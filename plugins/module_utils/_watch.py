# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting on a host for an indicator: what every acting module does with its ``recovery`` option. Private."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from ansible_collections.aurora.runbook.plugins.module_utils import _http, _options, _recovery


def watch(options: Mapping[str, object], check_mode: bool = False, process: Callable[[], str] = str) -> dict:
    """Verdict, sentence and evidence, as modules return them. Check mode takes one sample and does not wait.

    ``process`` names the process that is watched (``_systemd.started``), so that its end makes the answer unknown.
    """
    rule, url = _options.recovery_rule(options)
    read = _recovery.reader(rule, lambda: _http.fetch_page(url), process)
    timeout = 0 if check_mode else options["timeout_seconds"]
    outcome = _recovery.wait(rule, read, time.monotonic, time.sleep, timeout, options["interval_seconds"])
    return _recovery.describe(outcome, rule)
