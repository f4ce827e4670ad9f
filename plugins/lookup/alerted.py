# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The target of an alert. It reads the variable itself, since using it in a template would run what its labels say."""

from __future__ import annotations

DOCUMENTATION = r"""
name: alerted
short_description: Which incident on which host the alert in C(aurora_alert) is about
version_added: 0.2.0
author: Aurora runbook authors (@aurora)
description:
  - Compares the name of the alert with the runbook's alerts, and the labels that may name its host (C(instance), or
    C(aurora_prometheus_label), and what proxies and relabelling leave, as C(exported_instance) or C(hostname)) with the
    inventory's hosts, their C(ansible_host) and their C(aurora_prometheus_instance). A name or status that is not known
    is an error, and so are labels that fit no host, or several. Where C(aurora_alert) is not given, as in a syntax
    check, nothing is found.
  - Reads the variable C(aurora_alert) past the templating, so that nothing an alert says is ever a template.
options:
  _terms:
    description: Name of the group whose hosts it may be about.
    required: true
"""

EXAMPLES = r"""
- ansible.builtin.debug:
    msg: "{{ (query('aurora.runbook.alerted', 'aurora') | first).incident }}"
"""

RETURN = r"""
_raw:
  description:
    - One target, with C(incident), C(host), whether it is C(firing), C(name), C(fingerprint), C(starts_at), C(key) (the
      same for the same alert), C(age_seconds), the C(labels) that may name a host, the C(label) that does, and
      C(instance), the host as that label has it. What an alert says in a form that nobody can read is empty.
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
        known = {name: hostvars.get(name, {}) for name in names}  # once, since each read costs milliseconds
        addresses, declared = _names.inventory(known, names)
        label = _names.label_in(known, names)
        try:
            return [asdict(_alert.target(variables["aurora_alert"], addresses, time.time(), declared, label))]
        except RunbookError as error:
            raise AnsibleLookupError(_redact.redact_text(str(error))) from None
