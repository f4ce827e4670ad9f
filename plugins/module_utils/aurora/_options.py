# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specs that modules share, and their ranges. Private to aurora.runbook.

Documented by the doc fragments of the same names.
"""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError

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
INCIDENT = {
    "id": {"type": "str", "required": True},
    "run": {"type": "str", "required": True},
    "by": {"type": "str", "default": ""},
    "severity": {"type": "str", "choices": list(_indicators.SEVERITIES)},
    "age_seconds": {"type": "float", "default": 0.0},
    "alert": {"type": "dict", "default": {}},
    "cause": {"type": "str", "default": ""},
    "seen": {"type": "dict", "default": {}},
    "silence": {"type": "dict", "default": {}},
    "hosts": {"type": "list", "elements": "str", "default": []},
    "healthy_peers": {"type": "int"},
    "min_healthy": {"type": "int", "default": 0},
    "cooldown_seconds": {"type": "float", "default": 1500.0},
    "max_per_hour": {"type": "int", "default": 6},
    "max_per_day": {"type": "int", "default": 20},
    "max_ineffective": {"type": "int", "default": 3},
    "max_same_cure": {"type": "int", "default": 3},
    "force": {"type": "str", "default": ""},
    "last": {"type": "bool", "default": False},
}
INCIDENT_RANGES = {
    "age_seconds": (0, 31 * 86400),
    "healthy_peers": (0, 10000),
    "min_healthy": (0, 10000),
    "cooldown_seconds": (0, 86400),
    "max_per_hour": (1, 1000),
    "max_per_day": (1, 1000),
    "max_ineffective": (1, 100),
    "max_same_cure": (1, 1000),
}
REVIEW_DAYS = (1, 3660)  # how far incident_info can read back
LEASE_SECONDS = (60, 604800)  # or 0, for no end


def check_ranges(values: Mapping[str, object], ranges: Mapping[str, tuple[float, float]]) -> None:
    """Raise RunbookError for a number outside its range. None means that the option was not given."""
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
    """Limits by incident as numbers. Raises RunbookError for an unknown incident or a value that is no number."""
    for name, value in values.items():
        if name not in _indicators.INDICATORS or isinstance(value, bool) or not isinstance(value, (int, float)):
            known = ", ".join(_indicators.INDICATORS)
            raise RunbookError(f"{option}: {name}={value!r} is refused; expected a number for one of {known}")
    return dict(values)
