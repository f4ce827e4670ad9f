# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specs that modules share, and their ranges. Private to aurora.runbook.

Documented by the doc fragments of the same names.
"""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.aurora.runbook.plugins.module_utils import _indicators, _recovery
from ansible_collections.aurora.runbook.plugins.module_utils._errors import RunbookError

RECOVERY = {
    "indicator": {"type": "str", "required": True, "choices": list(_indicators.INCIDENTS)},
    "url": {"type": "str"},
    "threshold": {"type": "float"},
    "hold_seconds": {"type": "float", "default": 60.0},
    "min_count": {"type": "int"},
    "timeout_seconds": {"type": "float", "default": 600.0},
    "interval_seconds": {"type": "float", "default": 2.0},
}
RECOVERY_RANGES = {
    "hold_seconds": (0, 3600),
    "min_count": (0, 100000),
    "timeout_seconds": (1, 7200),
    "interval_seconds": (0.1, 60),
}
LEASE_SECONDS = (60, 604800)  # or 0, for no end
METRICS_URLS = {"runner": "http://localhost:9000/metrics", "feed": "http://localhost:8001/metrics"}


def check_ranges(values: Mapping[str, object], ranges: Mapping[str, tuple[float, float]]) -> None:
    """Raise RunbookError for a number outside its range; None is not given."""
    for name, (lowest, highest) in ranges.items():
        value = values.get(name)
        if value is not None and not lowest <= value <= highest:
            raise RunbookError(f"{name}={value} is refused; expected {lowest:g} to {highest:g}")


def lease_seconds(value: int) -> int:
    """How long a lease is to last, 0 for no end. Raises RunbookError for a number outside its range."""
    if value:
        check_ranges({"lease_seconds": value}, {"lease_seconds": LEASE_SECONDS})
    return value


def numbers(option: str, values: Mapping[str, object]) -> dict[str, float]:
    """Limits by incident as numbers. Raises RunbookError for an unknown incident or what is no number."""
    for name, value in values.items():
        if name not in _indicators.INDICATORS or isinstance(value, bool) or not isinstance(value, (int, float)):
            known = ", ".join(_indicators.INDICATORS)
            raise RunbookError(f"{option}: {name}={value!r} is refused; expected a number for one of {known}")
    return dict(values)


def recovery_rule(options: Mapping[str, object]) -> tuple[_recovery.Rule, str]:
    """The rule and the metrics URL that recovery options ask for. Raises RunbookError for a number out of range."""
    check_ranges(options, RECOVERY_RANGES)
    indicator = _indicators.INDICATORS[options["indicator"]]
    rule = _recovery.Rule(
        indicator,
        indicator.threshold if options["threshold"] is None else options["threshold"],
        options["hold_seconds"],
        indicator.min_count if options["min_count"] is None else options["min_count"],
    )
    return rule, options["url"] or METRICS_URLS[indicator.service]


def watched(options: Mapping[str, object]) -> dict[str, object]:
    """What a lease keeps of recovery options, to judge the indicator when its time is over."""
    rule, url = recovery_rule(options)
    return {"indicator": rule.indicator.incident, "url": url, "threshold": rule.threshold}
