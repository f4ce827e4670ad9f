# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ``incident`` option of acting modules means to a record. Private to aurora.runbook."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _options
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record


def check(options: Mapping[str, object]) -> None:
    """Raise RunbookError for what cannot be an incident's id, a run's token or a number of them."""
    _record.incident_of(options["id"])
    _options.check_ranges(options, _options.INCIDENT_RANGES)
    if not re.fullmatch(r"[0-9A-Za-z-]{8,64}", options["run"]):
        raise RunbookError("incident.run is refused; expected 8 to 64 letters, digits or hyphens")


def opening(options: Mapping[str, object]) -> _record.Opening:
    """What incident options say about an incident that opens with them."""
    alert, silence = options["alert"] or None, options["silence"] or None
    seen, hosts = options["seen"], options["hosts"]
    return _record.Opening(options["severity"], alert, options["age_seconds"], seen, silence, hosts)
