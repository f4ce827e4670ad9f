# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action plugin of this name; Ansible looks for it here."""

from __future__ import annotations

DOCUMENTATION = r"""
module: escalation
short_description: Decide which pages are due and whether each is sent, and list what is open
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - The source is "Ескалація" of the runbook.
  - The playbooks of this collection call it with C(run_once). It reads what M(aurora.runbook.incident_info),
    M(aurora.runbook.incident) and M(aurora.runbook.notification) returned for the hosts of the play, never through a
    template, and connects to no host. With C(-v) Ansible shows what was decided.
  - With V(due), V(told) and V(end) it sets the fact C(aurora_escalation), from which later plays take their hosts.
    Delegate these tasks to localhost, with C(delegate_facts).
  - Texts are in the language of the variable C(aurora_language), V(en) or V(uk).
options:
  phase:
    description:
      - V(due) decides which pages are due, and on which hosts there is something to do. It reads C(__incident_open),
        which is what M(aurora.runbook.incident_info) returned.
      - V(tick) decides whether this tick goes on, after each host reported in C(__incident_tick) whether another tick
        is at work.
      - V(send) decides whether the page O(key) is sent, after each record reported in C(__incident_asked) whether it
        knows the page already.
      - V(told) returns who got the page, from C(__incident_paged), which is what M(aurora.runbook.notification)
        returned.
      - V(end) returns what is open, who was paged, and which hosts fail.
      - V(overview) returns what is open, in a run that pages nobody.
      - V(waiting) returns what waits for the approval of a person.
    type: str
    required: true
    choices: [due, tick, send, told, end, overview, waiting]
  contacts:
    description: Whether any contact is configured, for V(due).
    type: bool
    default: true
  key:
    description: The key of the page. Required with O(phase=send) and O(phase=told).
    type: str
  incident:
    description: The class of the incident. Required with O(phase=waiting).
    type: str
  knobs:
    description: Knobs that can be approved, in lower case, for V(waiting). Other knobs are left out.
    type: list
    elements: str
    default: []
extends_documentation_fragment: aurora.runbook.attributes.controller
attributes:
  check_mode:
    details: In check mode a host does not fail because nobody was told.
  diff_mode:
    support: none
  platform:
    details: Runs on the controller and connects to no host.
"""

EXAMPLES = r"""
- name: See which pages are due
  aurora.runbook.escalation:
    phase: due
    contacts: "{{ aurora_contacts | length > 0 }}"
  delegate_to: localhost
  delegate_facts: true
  become: false
  run_once: true
  register: __incident_escalation
"""

RETURN = r"""
pages:
  description:
    - The pages to be sent. There are none if nobody can be paged. Each has C(id), C(level), C(key), C(title) and
      C(body); C(hosts), whose records are asked whether the page was sent; C(owner), the host that sends it; and
      C(unread), the host that could not be read, if the page is about one.
  returned: with O(phase=due)
  type: list
  elements: dict
missed:
  description: What has to be added to records that lack a page which was sent, each with its C(host).
  returned: with O(phase=due)
  type: list
  elements: dict
hosts:
  description: The hosts on which there is something to do.
  returned: with O(phase=due)
  type: list
  elements: str
key:
  description: The key that tells this tick from others. With O(phase=told) it is the key of the page.
  returned: with O(phase=due) and O(phase=told)
  type: str
goes_on:
  description: Whether this tick goes on.
  returned: with O(phase=tick)
  type: bool
message:
  description: Who is at work, if the tick does not go on.
  returned: with O(phase=tick)
  type: str
send:
  description: Whether the page is sent.
  returned: with O(phase=send)
  type: bool
owner:
  description: The host that sent the page.
  returned: with O(phase=told)
  type: str
sent:
  description: The channels that took the page.
  returned: with O(phase=told)
  type: list
  elements: str
unsent:
  description: The channels that did not take the page, each with the C(problem).
  returned: with O(phase=told)
  type: list
  elements: dict
took:
  description: How long sending took, in the form of RV(aurora.runbook.notification#module:took).
  returned: with O(phase=told)
  type: dict
remembered:
  description: The directory on the controller that remembers that the page was sent, if no record can.
  returned: with O(phase=told)
  type: str
unwell:
  description: Why a host fails, by host.
  returned: with O(phase=end)
  type: dict
overview:
  description:
    - One line for each open incident with its deadlines and pages, for each lease, run, pause and cut-off action of a
      host, and for each host whose record could not be read.
  returned: with O(phase=end) and O(phase=overview)
  type: list
  elements: str
waiting:
  description: Knobs that wait for an approval, by host. Hosts where nothing waits are left out.
  returned: with O(phase=waiting)
  type: dict
"""
