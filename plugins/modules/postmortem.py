# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action plugin of this name; Ansible looks for it here."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postmortem
short_description: Write the post-mortem of an incident on the controller
version_added: 0.2.0
author: Aurora runbook authors (@aurora)
description:
  - The playbook C(postmortem) calls it with C(run_once). It reads what tasks before it registered for the hosts of the
    play, never through a template.
  - Everything that hosts say is escaped in HTML and neutralised in Markdown, without control characters and what looks
    like a secret, and bounded in size. What is not known is said to be unknown.
  - Texts are in the language of the variable C(aurora_language), V(en) or V(uk).
options:
  phase:
    description:
      - V(choose) says which incident it is about, from what M(aurora.runbook.incident_info) returned in
        C(__incident_open). Fails where O(incident) is no incident's id, or no host knows of an incident.
      - V(query) says what Prometheus is asked about its time, once for all hosts and for 240 steps at most. It needs
        what M(aurora.runbook.incident_info) returned with C(entries) in C(__incident_read).
      - V(write) writes the report, from C(__incident_read) and, where Prometheus was asked, from its answer in
        C(__incident_series). A host that could not be read is a warning at the top. Fails where no host has the
        incident. Delegate it to localhost.
    type: str
    required: true
    choices: [choose, query, write]
  incident:
    description: The incident's id. Empty with O(phase=choose) for the latest.
    type: str
    default: ''
  directory:
    description:
      - Where the report is written to on the controller, as O(incident) with C(.html) and C(.md). It is made
        where it is missing.
      - What people wrote between the marks of the Markdown that is there is kept, in both files.
    type: str
  timezone:
    description: Time zone of local times, such as V(Europe/Kyiv); the controller's when empty.
    type: str
    default: ''
extends_documentation_fragment: aurora.runbook.attributes.controller
attributes:
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Settle which incident it is about
  aurora.runbook.postmortem:
    phase: choose
  register: __incident_chosen
  run_once: true

- name: Write the report
  aurora.runbook.postmortem:
    phase: write
    incident: "{{ __incident_chosen.id }}"
    directory: /srv/reports
    timezone: Europe/Kyiv
  delegate_to: localhost
  become: false
  run_once: true
"""

RETURN = r"""
id:
  description: The incident's id, fit to name a file.
  returned: with O(phase=choose)
  type: str
query:
  description: Parameters of C(/api/v1/query_range), for the indicator, orders denied and SSE clients of each host.
  returned: with O(phase=query)
  type: dict
host:
  description: The first host whose record could be read, empty where there is none.
  returned: with O(phase=query)
  type: str
files:
  description: Paths of the report, the HTML and the Markdown.
  returned: with O(phase=write)
  type: list
  elements: str
"""
