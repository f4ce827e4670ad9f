# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action plugin of this name; Ansible looks for it here."""

from __future__ import annotations

DOCUMENTATION = r"""
module: decision
short_description: Decide which hosts a remediation repairs, whether the rest follows the canary, and how it ended
version_added: 0.2.0
author: Aurora runbook authors (@aurora)
description:
  - The playbooks of this collection call it with C(run_once), after a look, after each batch and at the end. It reads
    what tasks before it registered for the hosts of the play, never through a template, and connects to no host.
    With C(-v) a person sees what was decided and why.
  - Texts are in the language of the variable C(aurora_language), V(en) or V(uk).
  - Leaves the fact C(aurora_decision), from which later plays take their hosts. Delegate it to localhost, with
    C(delegate_facts).
options:
  phase:
    description:
      - V(names) says what labels of metrics and alerts call each of O(hosts).
      - V(table) says what a person sees of a look at all incidents. It decides nothing.
      - V(look) says which incident it is, where each host stands and which are repaired. With O(incident=revert) it
        says what is leased.
      - V(ladder) says how the hosts of a batch ended, whether the rest follows, and what is to be put on record.
      - V(end) says how the run ended on every host.
      - V(report) says what a person reads of it, last of all, so that no text keeps a page from its way.
    type: str
    required: true
    choices: [names, table, look, ladder, end, report]
  incident:
    description: The incident of the run, or V(revert). Required with O(phase=look).
    type: str
  hosts:
    description:
      - The hosts that the run is about. Other hosts of the play are peers, which are counted where they are healthy.
      - Required with O(phase=names), O(phase=table) and O(phase=look).
    type: list
    elements: str
  neighbours:
    description: Hosts from which the labels of O(hosts) are told apart, for O(phase=names).
    type: list
    elements: str
    default: []
  alert:
    description: What P(aurora.runbook.alerted#lookup) returned of the alert that started the run, if one did.
    type: dict
    default: {}
  instances:
    description: What O(phase=names) returned, where the alert is to be silenced; for O(phase=look).
    type: dict
    default: {}
  label:
    description: The label that names hosts in metrics and alerts, for O(phase=look).
    type: str
    default: instance
extends_documentation_fragment: aurora.runbook.attributes.controller
attributes:
  check_mode:
    details: Then nothing is to be put on record.
  diff_mode:
    support: none
  platform:
    details: Runs on the controller and connects to no host.
"""

EXAMPLES = r"""
- name: Decide which incident it is, where each host stands, and which hosts are repaired
  aurora.runbook.decision:
    phase: look
    incident: circuit_breaker
    hosts: "{{ ansible_play_hosts_all }}"
  delegate_to: localhost
  delegate_facts: true
  become: false
  run_once: true
  register: __incident_decision
"""

RETURN = r"""
instances:
  description: What labels of metrics and alerts call each host.
  returned: with O(phase=names)
  type: dict
id:
  description: The incident, the one that is open on a host or a new one.
  returned: with O(phase=look)
  type: str
run:
  description: The token of this run.
  returned: with O(phase=look)
  type: str
hosts:
  description:
    - "By host: C(standing), V(breached), V(healthy), V(unknown) or V(unhandled); C(reason), a sentence; C(breached),
      also apart from what is unfinished; C(unfinished), the leases that a run left half done; C(cause), what its ladder
      goes by; C(lossy), whether its network loses packets; C(last), whether the action that cures it may end the run
      there; C(seen), what is put on record of the look."
  returned: with O(phase=look)
  type: dict
peers:
  description: The standing of each peer.
  returned: with O(phase=look)
  type: dict
repaired:
  description: The hosts that are repaired, in their order.
  returned: with O(phase=look)
  type: list
  elements: str
canary:
  description: The first of them, which the others follow once it is well.
  returned: with O(phase=look)
  type: str
observed:
  description: Hosts that would be repaired, if their variable C(aurora_autonomy) did not say V(observe).
  returned: with O(phase=look)
  type: list
  elements: str
members:
  description: The hosts that are not healthy or could not be looked at.
  returned: with O(phase=look)
  type: list
  elements: str
healthy_peers:
  description: How many hosts of the play are healthy.
  returned: with O(phase=look)
  type: int
guards:
  description: The limits of the guards as one host has them. The variables of each host hold for what is done on it.
  returned: with O(phase=look)
  type: dict
silence:
  description: C(alert), C(label) and C(hosts) to be silenced, empty where nothing is.
  returned: with O(phase=look)
  type: dict
unfinished:
  description: By host, the leases that a run left half done.
  returned: with O(phase=look)
  type: dict
age_seconds:
  description: For how long the trouble lasts, as the alert or a record has it.
  returned: with O(phase=look)
  type: float
verdicts:
  description: The verdict of each host of the batch.
  returned: with O(phase=ladder)
  type: dict
stop:
  description: Whether the rest is left as it is, since a host of the batch is not well.
  returned: with O(phase=ladder)
  type: bool
unended:
  description: The verdict to be put on record by host, empty where only what was cut off is to be settled.
  returned: with O(phase=ladder)
  type: dict
unwell:
  description: The hosts that are not well.
  returned: with O(phase=end)
  type: list
  elements: str
open:
  description: Whether the incident stays open on a host.
  returned: with O(phase=end)
  type: bool
sound:
  description: Whether the alert was silenced and may sound again.
  returned: with O(phase=end)
  type: bool
handed_on:
  description: What comes next is told, C(aurora_outcome) and, where the incident is on record, C(aurora_incident_id).
  returned: with O(phase=end)
  type: dict
table:
  description: A row a host with every indicator, C(!) behind a breach and C(?) where it is not known, then what each
    host says.
  returned: with O(phase=table)
  type: list
  elements: str
lines:
  description: The verdict of each host, for people.
  returned: with O(phase=report)
  type: dict
report:
  description: What was wrong, done and left, for people.
  returned: with O(phase=report)
  type: list
  elements: str
"""
