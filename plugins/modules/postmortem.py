# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action plugin of this name; Ansible looks for it here."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postmortem
short_description: Write the post-mortem of an incident on the controller
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - The source is "Post-Mortem Template" of the runbook.
  - The playbook C(postmortem) calls it with C(run_once). It reads the results that earlier tasks registered for the
    hosts of the play, never through a template.
  - Everything that hosts say is escaped in HTML, neutralised in Markdown, stripped of control characters and of
    anything that looks like a secret, and limited in size. Whatever is not known is reported as unknown.
  - Texts are in the language of the variable C(aurora_language), V(en) or V(uk).
options:
  phase:
    description:
      - V(choose) decides which incident the report is about, from what M(aurora.runbook.incident_info) returned in
        C(__incident_open). It fails if O(incident) is not the id of an incident, or if no host knows of an incident.
      - V(query) returns what Prometheus has to be asked about the time of the incident, once for all hosts and for at
        most 240 steps. It needs what M(aurora.runbook.incident_info) returned with C(entries) in C(__incident_read).
      - V(write) writes the report, from C(__incident_read) and, if Prometheus was asked, from its answer in
        C(__incident_series). A host that could not be read becomes a warning at the top. It fails if no host has the
        incident. Delegate it to localhost.
    type: str
    required: true
    choices: [choose, query, write]
  incident:
    description: The incident's id. With O(phase=choose) it may be empty, which means the latest incident.
    type: str
    default: ''
  directory:
    description:
      - Directory on the controller in which the report is written, as O(incident) with C(.html) and C(.md). It is
        created if it is missing.
      - If the Markdown file exists already, what people wrote between its marks is kept in both files.
    type: str
  timezone:
    description: Time zone of local times, such as V(Europe/Kyiv). If it is empty, the controller's time zone is used.
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
  description: The incident's id, which is safe as the name of a file.
  returned: with O(phase=choose)
  type: str
query:
  description: Parameters of C(/api/v1/query_range) for the indicator, the denied orders and the SSE clients of each
    host.
  returned: with O(phase=query)
  type: dict
host:
  description: The first host whose record could be read. Empty if there is none.
  returned: with O(phase=query)
  type: str
files:
  description: Paths of the report, first the HTML and then the Markdown file.
  returned: with O(phase=write)
  type: list
  elements: str
"""
