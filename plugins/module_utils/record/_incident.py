# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ``incident`` option of acting modules means to a record. Private to aurora.runbook."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _options
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record

# What the options say of an incident. Post-mortems and pages read it, and it can keep an incident closed.
SHAPES = {
    "seen": {"severity": str, "indicator": dict, "causes": list, "indicators": dict, "open": list},
    "alert": {"name": str, "fingerprint": str, "starts_at": str},
    "silence": {"silence": str, "until": str, "matched": int},
}


def check(options: Mapping[str, object]) -> None:
    """Raise RunbookError for an invalid incident id, token of a run, number, or description of them."""
    _record.incident_of(options["id"])
    for option, shape in SHAPES.items():
        _check_shape(f"incident.{option}", options[option] or {}, shape)
    for identity in options["seen"].get("open") or () if options["seen"] else ():
        _record.incident_of(identity if isinstance(identity, str) else "")
    _options.check_ranges(options, _options.INCIDENT_RANGES)
    if not re.fullmatch(r"[0-9A-Za-z-]{8,64}", options["run"]):
        raise RunbookError("incident.run is refused; expected 8 to 64 letters, digits or hyphens")


def _check_shape(option: str, told: Mapping[str, object], shape: Mapping[str, type]) -> None:
    """Raise RunbookError for an unknown name or a wrong type."""
    for name, value in told.items():
        kind = shape.get(name)
        if kind is None or not isinstance(value, (kind, type(None))):
            raise RunbookError(
                f"{option}.{name[:40]} is refused; expected {', '.join(sorted(shape))}, each of its type"
            )


def opening(options: Mapping[str, object]) -> _record.Opening:
    """What the incident options say about an incident that opens with them."""
    alert, silence = options["alert"] or None, options["silence"] or None
    seen, hosts = options["seen"], options["hosts"]
    return _record.Opening(options["severity"], alert, options["age_seconds"], seen, silence, hosts)
