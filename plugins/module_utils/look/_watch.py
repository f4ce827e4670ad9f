# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting on a host for an indicator, which every acting module does with its ``recovery`` option. Private."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _options
from ansible_collections.aurora.runbook.plugins.module_utils.base import _http
from ansible_collections.aurora.runbook.plugins.module_utils.look import _recovery

METRICS_URLS = {"runner": "http://localhost:9000/metrics", "feed": "http://localhost:8001/metrics"}


def rule(options: Mapping[str, object]) -> tuple[_recovery.Rule, str]:
    """The rule and the metrics URL of recovery options. Raises RunbookError for a number out of range."""
    _options.check_ranges(options, _options.RECOVERY_RANGES)
    indicator = _indicators.INDICATORS[options["indicator"]]
    asked = _recovery.Rule(
        indicator,
        indicator.threshold if options["threshold"] is None else options["threshold"],
        options["hold_seconds"],
        indicator.min_count if options["min_count"] is None else options["min_count"],
    )
    return asked, options["url"] or METRICS_URLS[indicator.service]


def leased(options: Mapping[str, object]) -> dict[str, object]:
    """The recovery options that a lease keeps, in order to judge the indicator when it expires."""
    asked, url = rule(options)
    return {"indicator": asked.indicator.incident, "url": url, "threshold": asked.threshold}


def watch(options: Mapping[str, object], check_mode: bool = False, process: Callable[[], str] = str) -> dict:
    """Verdict, sentence and evidence, as modules return them. Check mode takes one sample and does not wait.

    ``process`` names the process that is watched (``_systemd.started``), so that its end makes the answer unknown.
    """
    asked, url = rule(options)
    read = _recovery.reader(asked, lambda: _http.fetch_metrics(url), process)
    timeout = 0 if check_mode else options["timeout_seconds"]
    outcome = _recovery.wait(asked, read, time.monotonic, time.sleep, timeout, options["interval_seconds"])
    return _recovery.describe(outcome, asked)
