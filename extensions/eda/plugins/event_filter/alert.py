# SPDX-License-Identifier: GPL-3.0-or-later
"""An event filter for ansible-rulebook: it picks the runbook's alerts out of what Alertmanager or EDA sends.

It runs in ansible-rulebook's own Python, without Ansible's importer, so it finds the collection by its own path.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).absolute().parents[7]
sys.path.append(str(ROOT))

import ansible_collections

# The package "ansible" has an ansible_collections of its own, to which sys.path does not add.
if isinstance(ansible_collections.__path__, list):
    ansible_collections.__path__.append(str(ROOT / "ansible_collections"))

from ansible_collections.aurora.runbook.plugins.module_utils.base import _names, _redact
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.plugin_utils import _alert

DOCUMENTATION = r"""
---
short_description: Alerts of the Aurora runbook, checked, one event each
description:
  - Takes an event with one alert or many, as C(ansible.eda.alertmanager) gives them (per alert, and the payload as it
    was), as C(eda.builtin.webhook) does, split by C(eda.builtin.event_splitter) or not, and as an event stream does.
  - Gives one event for each alert that fires and is known to the runbook. What is resolved, unknown or malformed is
    dropped, and why is logged; nothing that a sender wrote raises an error, since Alertmanager would send it for ever.
  - Of an alert only what was checked is passed on, so that no label of it is ever a template.
  - "Gives C(aurora.incident); C(aurora.host), from the C(instance) label or what stands in for it; C(aurora.key), the
    same for the same alert delivered again; and C(aurora.alert), what C(aurora.runbook.remediate) takes as
    C(aurora_alert)."
  - "A heartbeat, the alert by which C(aurora.runbook.preflight) sees that alerts arrive, gives C(aurora.heartbeat)."
options:
  hosts:
    description: Inventory names by C(instance) label, for labels that are neither a host's name nor its address. A port
      does not tell two hosts apart. C(aurora_prometheus_instance) in the inventory says the same to every part of the
      runbook.
    type: dict
    default: {}
  label:
    description: The label that names a host where it is not C(instance). The filter does not see the inventory, which
      says the same in C(aurora_prometheus_label).
    type: str
    default: ""
"""

EXAMPLES = r"""
- eda.builtin.webhook:
    port: 5000
  filters:
    - aurora.runbook.alert:
"""

LOGGER = logging.getLogger(__name__)


def main(event: object, hosts: Mapping[str, str] | None = None, label: str = "") -> list[dict]:
    """Events of the alerts in an event, none if it holds no alert of the runbook."""
    found = []
    for alert in _alerts(event):
        beat = _alert.heartbeat(alert)
        if beat:
            found.append({"aurora": {"heartbeat": beat}})
            continue
        try:
            checked = _alert.checked(alert, time.time(), label)
            if checked.firing:
                found.append({"aurora": _normal(checked, hosts or {})})
        except RunbookError as error:
            LOGGER.warning("an alert is dropped: %s", _redact.redact(str(error)))
    return found


def _alerts(event: object) -> list:
    if not isinstance(event, Mapping):
        return [event]
    if "alert" in event:
        return [event["alert"]]
    payload = event.get("payload", event)
    alerts = payload.get("alerts") if isinstance(payload, Mapping) else None
    return alerts if isinstance(alerts, list) else [payload]


def _named(labels: Mapping[str, str], hosts: Mapping[str, str]) -> str:
    """The host that ``hosts`` names for the first label it knows, "" for none. Raises RunbookError for several."""
    own: dict[str, set[str]] = {}
    for label, name in hosts.items():
        own.setdefault(_names.host_of(label) or label, set()).add(name)
    found = next((own[label] for label in labels.values() if label in own), set())
    if len(found) > 1:
        several = ", ".join(sorted(found))
        raise RunbookError(f"hosts names {several} for one label; expected labels that differ in more than their port")
    return next(iter(found), "")


def _normal(alert: _alert.Alert, hosts: Mapping[str, str]) -> dict:
    labels = alert.labels
    if not labels:
        raise RunbookError("none of its labels names a host; expected a name or an address")
    # The label of a scrape through a proxy or a federation is the proxy's; the original one is in exported_instance.
    host = labels.get("exported_instance") or next(iter(labels.values()))
    named = _named(labels, hosts)
    said = {
        "name": alert.name,
        "status": _alert.FIRING,
        "host": named,
        "labels": {"alertname": alert.name, **labels},
        "fingerprint": alert.fingerprint,
        "startsAt": alert.starts_at,
    }
    return {
        "incident": alert.incident,
        "host": named or host,
        "key": alert.key or f"{alert.name} {named or host}",
        "alert": {name: value for name, value in said.items() if value},
    }
