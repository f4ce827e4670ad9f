# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action plugin of this name; Ansible looks for it here."""

from __future__ import annotations

DOCUMENTATION = r"""
module: review
short_description: Write what the incidents of some weeks teach, on the controller
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - The playbook C(review) calls it with C(run_once). It reads what M(aurora.runbook.incident_info) returned with
    C(days) and C(entries) in C(__incident_reviewed) for the hosts of the play, never through a template. Delegate it to
    localhost.
  - The runbook has no section for this. It sums up the lessons for which "Post-Mortem Template" asks after each
    incident.
  - An incident counts once, however many hosts have a record of it. Hosts that could not be read and records whose
    chain is broken are named at the top. The task fails if no host could be read.
  - Everything that hosts say is escaped in HTML, neutralised in Markdown, stripped of control characters and of
    anything that looks like a secret, and limited in size. Whatever is not known is reported as unknown.
  - Texts are in the language of the variable C(aurora_language), V(en) or V(uk).
  - If the order of a ladder contradicts what helped, the review proposes another order. It changes nothing itself.
requirements:
  - matplotlib >= 3.9 on the controller
options:
  days:
    description: How many days the records cover, for the heading and the names of the files.
    type: int
    required: true
  directory:
    description:
      - Directory on the controller in which the review is written, as C(review-<date>-<days>d) with C(.html) and
        C(.md). It is created if it is missing.
    type: str
    required: true
extends_documentation_fragment: aurora.runbook.attributes.controller
attributes:
  diff_mode:
    support: full
seealso:
  - module: aurora.runbook.incident_info
  - module: aurora.runbook.postmortem
"""

EXAMPLES = r"""
- name: Read the records of a quarter
  aurora.runbook.incident_info:
    days: 90
    entries: true
  become: true
  register: __incident_reviewed
  ignore_errors: true
  ignore_unreachable: true

- name: Write what they teach
  aurora.runbook.review:
    days: 90
    directory: /srv/reports
  delegate_to: localhost
  become: false
  run_once: true
"""

RETURN = r"""
files:
  description: Paths of the review, first the HTML and then the Markdown file.
  returned: success
  type: list
  elements: str
  sample: [/srv/reports/review-2026-11-29-90d.html, /srv/reports/review-2026-11-29-90d.md]
incidents:
  description: How many incidents the review is about.
  returned: success
  type: int
hosts:
  description: How many hosts were asked for their records.
  returned: success
  type: int
read:
  description: How many of the hosts could be read.
  returned: success
  type: int
"""
