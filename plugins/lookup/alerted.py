# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The target of an alert. It reads the variable itself, because a template would execute what the labels say."""

from __future__ import annotations

DOCUMENTATION = r"""
name: alerted
short_description: Find the incident and the host that the alert in C(aurora_alert) is about
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - Compares the name of the alert with the runbook's alerts, and its labels with the hosts of the inventory, their
    C(ansible_host) and their C(aurora_prometheus_instance). The labels that may name a host are C(instance), or the one
    in C(aurora_prometheus_label), and those that proxies and relabelling leave, such as C(exported_instance) or
    C(hostname).
  - An unknown name or status of the alert is an error, and so are labels that fit no host, or several. If
    C(aurora_alert) is not set, for example in a syntax check, nothing is returned.
  - Reads the variable C(aurora_alert) without templating it, so that no text of an alert is ever used as a template.
options:
  _terms:
    description: Name of the group whose hosts the alert may be about.
    required: true
"""

EXAMPLES = r"""
- ansible.builtin.debug:
    msg: "{{ (query('aurora.runbook.alerted', 'aurora') | first).incident }}"
"""

RETURN = r"""
_raw:
  description:
    - One target, with C(incident); C(host); C(firing), whether the alert fires; C(name), C(fingerprint) and
      C(starts_at); C(key), which is the same for the same alert; C(age_seconds); C(labels), those that may name a host;
      C(label), the one that does; and C(instance), the host as that label names it. A field that the alert has in an
      unreadable form is empty.
  type: list
  elements: dict
"""

import time
from dataclasses import asdict

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.aurora.runbook.plugins.module_utils.base import _names, _redact
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.plugin_utils import _alert


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **_options):
        if "aurora_alert" not in variables:
            return []
        hostvars, names = variables.get("hostvars", {}), variables["groups"].get(terms[0], [])
        known = {name: hostvars.get(name, {}) for name in names}  # read once, because each read costs milliseconds
        addresses, declared = _names.inventory(known, names)
        label = _names.label_in(known, names)
        try:
            return [asdict(_alert.target(variables["aurora_alert"], addresses, time.time(), declared, label))]
        except RunbookError as error:
            raise AnsibleLookupError(_redact.redact_text(str(error))) from None
