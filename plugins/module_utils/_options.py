# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specs that modules share, and their ranges. Private to aurora.runbook.

Documented by the doc fragments of the same names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.aurora.runbook.plugins.module_utils import _indicators, _record
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
INCIDENT = {
    "id": {"type": "str", "required": True},
    "run": {"type": "str", "required": True},
    "by": {"type": "str", "default": ""},
    "severity": {"type": "str", "choices": ["P0", "P1", "P2", "P3"]},
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
LEASE_SECONDS = (60, 604800)  # or 0, for no end


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


def check_incident(options: Mapping[str, object]) -> None:
    """Raise RunbookError for what cannot be an incident's id, a run's token or a number of them."""
    _record.incident_of(options["id"])
    check_ranges(options, INCIDENT_RANGES)
    if not re.fullmatch(r"[0-9A-Za-z-]{8,64}", options["run"]):
        raise RunbookError("incident.run is refused; expected 8 to 64 letters, digits or hyphens")


def opening(options: Mapping[str, object]) -> _record.Opening:
    """What incident options say about an incident that opens with them."""
    alert, silence = options["alert"] or None, options["silence"] or None
    seen, hosts = options["seen"], options["hosts"]
    return _record.Opening(options["severity"], alert, options["age_seconds"], seen, silence, hosts)
