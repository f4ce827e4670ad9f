# SPDX-License-Identifier: GPL-3.0-or-later
"""Which incident on which host an alert is about. Private to aurora.runbook; controller only.

An alert comes from outside: its labels are compared with what is known, and never become part of a name or a template.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.aurora.runbook.plugins.module_utils import _indicators
from ansible_collections.aurora.runbook.plugins.module_utils._errors import RunbookError

INCIDENTS = {indicator.alert: name for name, indicator in _indicators.INDICATORS.items()}
FIRING, RESOLVED = "firing", "resolved"


@dataclass(frozen=True)
class Target:
    """What to remediate where; nothing when ``firing`` is false."""

    incident: str
    host: str
    firing: bool


def target(alert: object, hosts: Mapping[str, str]) -> Target:
    """The target of an Alertmanager alert among ``hosts`` (address by inventory name). Raises RunbookError."""
    if not isinstance(alert, Mapping) or not isinstance(alert.get("labels"), Mapping):
        raise RunbookError("aurora_alert is not an alert; expected a dict with name, labels, status and startsAt")
    status = alert.get("status")
    if status not in (FIRING, RESOLVED):
        raise RunbookError(f"aurora_alert: status {_shown(status)} is refused; expected {FIRING} or {RESOLVED}")
    name = alert.get("name") or alert["labels"].get("alertname")
    if not isinstance(name, str) or name not in INCIDENTS:
        raise RunbookError(f"aurora_alert: {_shown(name)} is no alert of the runbook; expected {', '.join(INCIDENTS)}")
    return Target(INCIDENTS[name], _host(alert["labels"].get("instance"), hosts), status == FIRING)


def _host(instance: object, hosts: Mapping[str, str]) -> str:
    address = _without_port(instance) if isinstance(instance, str) else ""
    found = [name for name, known in hosts.items() if address and address in (name, known)]
    if not found and address and not re.fullmatch(r"[\d.]+", address):
        found = [name for name in hosts if _alike(name, address)]
    if len(found) != 1:
        what = "stands for several hosts" if found else "is no host of this inventory"
        raise RunbookError(f"aurora_alert: instance {_shown(instance)} {what}; expected one of {', '.join(hosts)}")
    return found[0]


def _alike(name: str, other: str) -> bool:
    """Is one the short form of the other?"""
    return name.partition(".")[0] == other.partition(".")[0] and ("." not in name or "." not in other)


def _without_port(instance: str) -> str:
    """The host of "host", "host:port", "[v6]:port", a bare IPv6 address or a URL; "" for what is none of them."""
    if re.fullmatch(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*", instance):
        return instance.lower()
    try:
        return urlsplit(instance if "://" in instance else f"//{instance}").hostname or ""
    except ValueError:
        return ""


def _shown(value: object) -> str:
    return repr(value)[:80]
