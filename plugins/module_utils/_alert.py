# SPDX-License-Identifier: GPL-3.0-or-later
"""Which incident on which host an alert is about. Private to aurora.runbook; controller only.

An alert comes from outside: its labels are compared with what is known, and never become part of a name or a template.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import urlsplit

from ansible_collections.aurora.runbook.plugins.module_utils import _indicators
from ansible_collections.aurora.runbook.plugins.module_utils._errors import RunbookError

INCIDENTS = {indicator.alert: name for name, indicator in _indicators.INDICATORS.items()}
OLDEST = 31 * 86400.0  # seconds that an alert may fire already
FIRING, RESOLVED = "firing", "resolved"


@dataclass(frozen=True)
class Alert:
    """An alert of the runbook, each of its parts checked.

    ``address`` is its ``instance`` label without scheme, port and path. ``key`` is the same for the same alert,
    delivered again; ``age_seconds`` how long it fires. Empty and 0 for an alert that does not say.
    """

    incident: str
    address: str
    firing: bool
    name: str
    fingerprint: str = ""
    starts_at: str = ""
    key: str = ""
    age_seconds: float = 0.0


@dataclass(frozen=True)
class Target(Alert):
    """An alert and the ``host`` of the inventory that it is about; nothing to remediate when ``firing`` is false."""

    host: str = ""


def target(alert: object, hosts: Mapping[str, str], now: float) -> Target:
    """The target of an Alertmanager alert among ``hosts`` (address by inventory name). Raises RunbookError."""
    known = checked(alert, now)
    return Target(**vars(known), host=_host(alert["labels"].get("instance"), known.address, hosts))


def checked(alert: object, now: float) -> Alert:
    """An alert as Alertmanager sends it, ``now`` in seconds since 1970. Raises RunbookError."""
    if not isinstance(alert, Mapping) or not isinstance(alert.get("labels"), Mapping):
        raise RunbookError("aurora_alert is not an alert; expected a dict with name, labels, status and startsAt")
    status = alert.get("status")
    if status not in (FIRING, RESOLVED):
        raise RunbookError(f"aurora_alert: status {_shown(status)} is refused; expected {FIRING} or {RESOLVED}")
    name = alert.get("name") or alert["labels"].get("alertname")
    if not isinstance(name, str) or name not in INCIDENTS:
        raise RunbookError(f"aurora_alert: {_shown(name)} is no alert of the runbook; expected {', '.join(INCIDENTS)}")
    instance = alert["labels"].get("instance")
    fingerprint, starts_at = _fingerprint(alert.get("fingerprint")), _starts_at(alert.get("startsAt"))
    return Alert(
        INCIDENTS[name],
        _without_port(instance) if isinstance(instance, str) else "",
        status == FIRING,
        name,
        fingerprint,
        starts_at.isoformat() if starts_at else "",
        f"{fingerprint} {starts_at.isoformat()}" if fingerprint and starts_at else "",
        min(max(0.0, now - starts_at.timestamp()), OLDEST) if starts_at else 0.0,
    )


def _fingerprint(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9A-Za-z]{1,64}", value):
        raise RunbookError(f"aurora_alert: fingerprint {_shown(value)} is refused; expected 1 to 64 letters or digits")
    return value


def _starts_at(value: object) -> datetime | None:
    """An RFC 3339 time to the second, UTC."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)", str(value)[:40])
    try:
        return datetime.fromisoformat(found[1] + found[2].replace("Z", "+00:00")).astimezone(timezone.utc)
    except (TypeError, ValueError, OverflowError):
        raise RunbookError(f"aurora_alert: startsAt {_shown(value)} is refused; expected an RFC 3339 time") from None


def _host(instance: object, address: str, hosts: Mapping[str, str]) -> str:
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
