# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action plugin of this name; Ansible looks for it here."""

from __future__ import annotations

DOCUMENTATION = r"""
module: escalation
short_description: Decide which pages are due, whether each is sent, and say what is open
version_added: 0.2.0
author: Aurora runbook authors (@aurora)
description:
  - Source is "Ескалація" of the runbook.
  - The playbooks of this collection call it with C(run_once). It reads what M(aurora.runbook.incident_info),
    M(aurora.runbook.incident) and M(aurora.runbook.notification) returned for the hosts of the play, never through a
    template, and connects to no host. With C(-v) a person sees what was decided.
  - Leaves the fact C(aurora_escalation), from which later plays take their hosts. Delegate it to localhost, with
    C(delegate_facts), for V(due), V(told) and V(end).
  - Texts are in the language of the variable C(aurora_language), V(en) or V(uk).
options:
  phase:
    description:
      - V(due) says which pages are due, and on which hosts there is something to do. It reads C(__incident_open), what
        M(aurora.runbook.incident_info) returned.
      - V(tick) says whether a tick goes on, once each host in C(__incident_tick) said whether another one is at work.
      - V(send) says whether the page O(key) is sent, once each record in C(__incident_asked) said whether it is known.
      - V(told) says who got it, from C(__incident_paged), what M(aurora.runbook.notification) returned.
      - V(end) says what is open, who was paged, and which hosts fail.
      - V(overview) says what is open, in a run that pages nobody.
      - V(waiting) says what waits for the approval of a person.
    type: str
    required: true
    choices: [due, tick, send, told, end, overview, waiting]
  contacts:
    description: Whether there is somebody to page, for V(due).
    type: bool
    default: true
  key:
    description: Which page. Required with O(phase=send) and O(phase=told).
    type: str
  incident:
    description: The class of the incident. Required with O(phase=waiting).
    type: str
  knobs:
    description: Knobs that can be approved, in lower case, for V(waiting). Others do not count.
    type: list
    elements: str
    default: []
extends_documentation_fragment: aurora.runbook.attributes.controller
attributes:
  check_mode:
    details: Then no host fails since nobody was told.
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
    - "The pages to be sent, none where there is nobody to page. Each has C(id), C(level), C(key), C(title), C(body);
      C(hosts), whose records are asked whether it is sent; C(owner), the host that sends it; C(unread), the host that
      could not be read, if it is about one."
  returned: with O(phase=due)
  type: list
  elements: dict
missed:
  description: What to put on records that miss a page that was sent, each with its C(host).
  returned: with O(phase=due)
  type: list
  elements: dict
hosts:
  description: The hosts on which there is something to do.
  returned: with O(phase=due)
  type: list
  elements: str
key:
  description: What tells this tick from others; with O(phase=told) the page.
  returned: with O(phase=due) and O(phase=told)
  type: str
goes_on:
  description: Whether this tick goes on.
  returned: with O(phase=tick)
  type: bool
message:
  description: Who is at work where it does not.
  returned: with O(phase=tick)
  type: str
send:
  description: Whether the page is sent.
  returned: with O(phase=send)
  type: bool
owner:
  description: The host that sent it.
  returned: with O(phase=told)
  type: str
sent:
  description: The channels that took it.
  returned: with O(phase=told)
  type: list
  elements: str
unsent:
  description: Those that did not, each with the C(problem).
  returned: with O(phase=told)
  type: list
  elements: dict
took:
  description: How long sending took, as RV(aurora.runbook.notification#module:took) says.
  returned: with O(phase=told)
  type: dict
remembered:
  description: The directory on the controller that says that it was sent, where there is no record to say so.
  returned: with O(phase=told)
  type: str
unwell:
  description: Why a host fails, by host.
  returned: with O(phase=end)
  type: dict
overview:
  description:
    - A line for each open incident, its deadlines and pages, for each lease, run, pause and action cut off of a host,
      and for each host whose record could not be read.
  returned: with O(phase=end) and O(phase=overview)
  type: list
  elements: str
waiting:
  description: Knobs that wait for an approval by host; hosts where nothing waits are left out.
  returned: with O(phase=waiting)
  type: dict
"""
