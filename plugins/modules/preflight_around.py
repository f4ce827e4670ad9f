# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action plugin of this name; Ansible looks for it here."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_around
short_description: Check whether the services that a remediation needs beside the hosts are ready
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - Asks Alertmanager, the webhook that receives alerts, the services of contacts, AWX and the EDA controller, and
    judges what Prometheus answered to one of the hosts. The role C(preflight) calls it, and M(aurora.runbook.preflight)
    reports the result.
  - The runbook has no section for this. It finds by day what would make a remediation fail at night.
  - It sends no alert and no message, unless O(heartbeat) or O(test_page) is true. The webhook gets two requests without
    a body, one of them with its token.
  - AWX is asked if C(CONTROLLER_HOST) and C(CONTROLLER_OAUTH_TOKEN) are in the environment. ansible-rulebook is asked
    for its version if it is installed beside Ansible.
  - It runs on the controller. Set C(no_log) for the task, because O(contacts) holds secrets.
options:
  hosts:
    description: What the label of metrics and alerts may call each host, by host.
    type: dict
    required: true
  label:
    description: The label that names hosts in metrics and alerts.
    type: str
    default: instance
  prometheus_url:
    description: Base URL of Prometheus; V("") if there is none. The module does not ask it itself, but judges the
      answers that the variable C(__preflight_prometheus) of a host has.
    type: str
    default: ""
  alertmanager_url:
    description: Base URL of Alertmanager; V("") if there is none.
    type: str
    default: ""
  alertmanager_token:
    description: Bearer token for Alertmanager, a secret.
    type: str
    default: ""
  webhook_url:
    description: URL to which Alertmanager sends the runbook's alerts; V("") if it sends them nowhere.
    type: str
    default: ""
  webhook_token:
    description: Bearer token that the webhook expects, a secret.
    type: str
    default: ""
  webhook_ca:
    description: Certificate authority of the webhook as PEM text, if the system does not know it.
    type: str
    default: ""
  contacts:
    description: Whom to tell at each level, as lists of C(name) and C(url). The URLs are secrets.
    type: dict
  fallback_contacts:
    description: Whom to tell if no contact of a level could be told, in the same form.
    type: list
    elements: raw
  test_page:
    description: Whether each contact gets one message that is marked as a test. None is sent in check mode.
    type: bool
    default: false
  heartbeat:
    description:
      - Whether to send one alert, C(AuroraHeartbeat), through Alertmanager, to see whether the rulebook starts a look
        for it. The look ends the alert, which would also end by itself. Not sent in check mode.
    type: bool
    default: false
  heartbeat_seconds:
    description: How long the look may take to answer, in seconds.
    type: float
    default: 120.0
  awx:
    description: What the role C(awx) defines, as C(templates), C(workflows) and C(schedules).
    type: dict
  eda_url:
    description: Base URL of the EDA controller; V("") if there is none.
    type: str
    default: ""
  eda_token:
    description: Bearer token for the EDA controller, a secret.
    type: str
    default: ""
  eda_activation:
    description: Name of the rulebook activation that receives the alerts.
    type: str
    default: aurora.runbook
  timeout_seconds:
    description: How long each answer may take, in seconds.
    type: float
    default: 10.0
"""

EXAMPLES = r"""
- name: See whether pages would arrive
  aurora.runbook.preflight_around:
    hosts: {}
    contacts: "{{ aurora_contacts }}"
  no_log: true
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
checks:
  description: A list of dicts, one for each thing that was checked, in the form of
    RV(aurora.runbook.preflight#module:checks).
  returned: always
  type: list
  elements: dict
unconfigured:
  description: The services that are not configured in the variables or the environment.
  returned: always
  type: list
  elements: str
  sample: [AWX, EDA]
"""
