# SPDX-License-Identifier: GPL-3.0-or-later
"""Which incident on which host an alert is about. Private to aurora.runbook; controller only.

An alert comes from outside: its labels are compared with known values, and never become part of a name or a template.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators
from ansible_collections.aurora.runbook.plugins.module_utils.base import _names, _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError

INCIDENTS = {indicator.alert: name for name, indicator in _indicators.INDICATORS.items()}
OLDEST = 31 * 86400.0  # longest time that an alert may have been firing, in seconds
LATEST = 4102444800.0  # the year 2100; a later start is a mistake
FIRING, RESOLVED = "firing", "resolved"
# The alert that preflight sends to see whether alerts arrive. Its label of the same name tells one from another.
HEARTBEAT, BEAT = "AuroraHeartbeat", "heartbeat"


@dataclass(frozen=True)
class Alert:
    """An alert of the runbook, each of its parts checked.

    ``labels`` are those that may name its host, reduced to the host without scheme, port and path. ``key`` is the same
    for the same alert if it is delivered again; ``age_seconds`` is how long it has been firing. Parts that the alert
    does not have, or has in an unreadable form, are empty or 0.
    """

    incident: str
    firing: bool
    name: str
    fingerprint: str = ""
    starts_at: str = ""
    key: str = ""
    age_seconds: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Target(Alert):
    """An alert and the ``host`` of the inventory that it is about; nothing to remediate if ``firing`` is false.

    ``label`` is the label that names the host, and ``instance`` the host as that label names it.
    """

    host: str = ""
    label: str = ""
    instance: str = ""


def target(
    alert: object, hosts: Mapping[str, str], now: float, declared: Mapping[str, str] | None = None, label: str = ""
) -> Target:
    """The target of an Alertmanager alert among ``hosts`` (address by inventory name). Raises RunbookError.

    ``declared`` is the label that an inventory names itself, by inventory name, and ``label`` the name of that label.
    """
    known = checked(alert, now, label)
    host, label = _host(alert, known.labels, hosts, declared or {})
    return Target(**vars(known), host=host, label=label, instance=known.labels.get(label, ""))


def checked(alert: object, now: float, label: str = "") -> Alert:
    """An alert as Alertmanager sends it, ``now`` in seconds since 1970. Raises RunbookError."""
    if not isinstance(alert, Mapping) or not isinstance(alert.get("labels"), Mapping):
        raise RunbookError("aurora_alert is not an alert; expected a dict with name, labels, status and startsAt")
    status = alert.get("status")
    if status not in (FIRING, RESOLVED):
        raise RunbookError(f"aurora_alert: status {_shown(status)} is refused; expected {FIRING} or {RESOLVED}")
    name = alert.get("name") or alert["labels"].get("alertname")
    if not isinstance(name, str) or name not in INCIDENTS:
        raise RunbookError(
            f"aurora_alert: {_shown(name)} is not an alert of the runbook; expected {', '.join(INCIDENTS)}"
        )
    fingerprint, started = _fingerprint(alert.get("fingerprint")), _started(alert.get("startsAt"))
    starts_at = started.isoformat() if started else ""
    return Alert(
        INCIDENTS[name],
        status == FIRING,
        name,
        fingerprint,
        starts_at,
        f"{fingerprint} {starts_at}" if fingerprint and starts_at else "",
        min(max(0.0, now - started.timestamp()), OLDEST) if started else 0.0,
        _labels(alert["labels"], label),
    )


def heartbeat(alert: object) -> str:
    """The name of the heartbeat, "" for any other alert, and for one that is over."""
    labels = alert.get("labels") if isinstance(alert, Mapping) else None
    if not isinstance(labels, Mapping) or labels.get("alertname") != HEARTBEAT or alert.get("status") != FIRING:
        return ""
    beat = labels.get(BEAT)
    return beat if isinstance(beat, str) and re.fullmatch(r"[0-9a-f]{16}", beat) else ""


def _fingerprint(value: object) -> str:
    return value if isinstance(value, str) and re.fullmatch(r"[0-9A-Za-z]{1,64}", value) else ""


def _started(value: object) -> datetime | None:
    """When it began, to the second, UTC; None if unknown, as in year 1, which is how Go writes "not set"."""
    try:
        moment = _stamps.parse(value).replace(microsecond=0) if isinstance(value, str) else None
        known = moment is not None and moment.tzinfo is not None and 0 < moment.timestamp() < LATEST
        return moment.astimezone(timezone.utc) if known else None
    except (ValueError, OverflowError):
        return None


def _labels(labels: Mapping, label: str) -> dict[str, str]:
    """The labels that may name its host, in their order of precedence."""
    given = {name: labels.get(name) for name in dict.fromkeys([label or _names.INSTANCE, *_names.LABELS])}
    texts = {name: value for name, value in given.items() if isinstance(value, str)}
    hosts = {
        name: _names.host_of(value) or (value if _names.TEXT.fullmatch(value) else "") for name, value in texts.items()
    }
    return {name: host for name, host in hosts.items() if host}


def _host(
    alert: Mapping, labels: Mapping[str, str], hosts: Mapping[str, str], declared: Mapping[str, str]
) -> tuple[str, str]:
    """The inventory name, and the label that gives it. The event filter may have added ``host`` beside the labels."""
    said = alert.get("host")
    found = {label: _names.meant(text, hosts, declared) for label, text in labels.items()}
    found = {label: names for label, names in found.items() if names}
    if isinstance(said, str) and said:
        found = {next(iter(labels), ""): _names.meant(said, hosts, declared)}
    shared = [name for name in hosts if found and all(name in names for names in found.values())]
    if len(shared) == 1:
        return shared[0], next((label for label, names in found.items() if names == shared), next(iter(found)))
    if not any(found.values()):
        given = said or alert["labels"].get(next(iter(labels), _names.INSTANCE))
        raise RunbookError(
            f"aurora_alert: instance {_shown(given)} is not a host of this inventory; expected one of"
            f" {', '.join(hosts)}, its ansible_host or its aurora_prometheus_instance"
        )
    what = "; ".join(
        f"{label} {_shown(labels.get(label, said))} is {', '.join(names)}" for label, names in found.items()
    )
    raise RunbookError(
        f"aurora_alert: instance {_shown(alert['labels'].get(_names.INSTANCE))} stands for several hosts ({what}); give"
        " each of them its own label, as aurora_prometheus_instance in the inventory"
    )


def _shown(value: object) -> str:
    return repr(value)[:80]
