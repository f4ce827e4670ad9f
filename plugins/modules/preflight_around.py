# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action plugin of this name; Ansible looks for it here."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_around
short_description: See whether what a remediation needs beside the hosts is ready
version_added: 0.2.0
author: Aurora runbook authors (@aurora)
description:
  - Asks Alertmanager, the webhook that alerts go to, the services of contacts, AWX and the EDA controller, and judges
    what Prometheus answered one of the hosts. The role C(preflight) calls it; M(aurora.runbook.preflight) reports.
  - It sends no alert and no message, unless O(heartbeat) or O(test_page) is true. The webhook gets two requests without
    a body, one of them with its token.
  - AWX is asked where C(CONTROLLER_HOST) and C(CONTROLLER_OAUTH_TOKEN) are in the environment, ansible-rulebook for
    its version where it is installed beside Ansible.
  - It runs on the controller. Give the task C(no_log), since O(contacts) has secrets.
options:
  hosts:
    description: How the label of metrics and alerts may name each host, by host.
    type: dict
    required: true
  label:
    description: The label that names hosts in metrics and alerts.
    type: str
    default: instance
  prometheus_url:
    description: Whether Prometheus was asked; what it answered stands in C(__preflight_prometheus) of a host.
    type: str
    default: ""
  alertmanager_url:
    description: Base URL of Alertmanager; V("") for none.
    type: str
    default: ""
  alertmanager_token:
    description: Bearer token for it.
    type: str
    default: ""
  webhook_url:
    description: Where Alertmanager sends the alerts of the runbook; V("") for nowhere.
    type: str
    default: ""
  webhook_token:
    description: What the webhook wants.
    type: str
    default: ""
  webhook_ca:
    description: Certificate authority of the webhook in PEM, where the system does not know it.
    type: str
    default: ""
  contacts:
    description: Whom to tell, by level, each a list of C(name) and C(url).
    type: dict
  fallback_contacts:
    description: Whom to tell when none of a level could be told.
    type: list
    elements: raw
  test_page:
    description: Whether each contact gets one message, marked as a test. Not in check mode.
    type: bool
    default: false
  heartbeat:
    description:
      - Whether one alert, C(AuroraHeartbeat), is sent through Alertmanager, to see that the rulebook starts a look for
        it. The look ends it, and it ends in any case. Not in check mode.
    type: bool
    default: false
  heartbeat_seconds:
    description: How long the look may take to answer, in seconds.
    type: float
    default: 120.0
  awx:
    description: What the role C(awx) defines, C(templates), C(workflows) and C(schedules).
    type: dict
  eda_url:
    description: Base URL of the EDA controller; V("") for none.
    type: str
    default: ""
  eda_token:
    description: Bearer token for it.
    type: str
    default: ""
  eda_activation:
    description: Name of the rulebook activation that takes the alerts.
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
  description: A dict for each thing, as M(aurora.runbook.preflight) returns them.
  returned: always
  type: list
  elements: dict
unconfigured:
  description: What there is none of by the variables and the environment.
  returned: always
  type: list
  elements: str
  sample: [AWX, EDA]
"""
