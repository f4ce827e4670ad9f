# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action plugin of this name; Ansible looks for it here."""

from __future__ import annotations

DOCUMENTATION = r"""
module: decision
short_description: Decide which hosts a remediation repairs, whether the others follow the canary, and how it ended
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - The playbooks of this collection call it with C(run_once) after looking at the hosts, after each batch and at the
    end. It reads the results that earlier tasks registered for the hosts of the play, never through a template, and
    connects to no host. With C(-v) Ansible shows what was decided and why.
  - The runbook has no section for this. It decides for the remediations of all its sections, 1 to 5.
  - Texts are in the language of the variable C(aurora_language), V(en) or V(uk).
  - It sets the fact C(aurora_decision), from which later plays take their hosts. Delegate the task to localhost, with
    C(delegate_facts).
options:
  phase:
    description:
      - V(names) returns what the labels of metrics and alerts call each of O(hosts).
      - V(table) returns a table of all incidents for a person. It decides nothing.
      - V(look) decides which incident it is, the standing of each host, and which hosts are repaired. With
        O(incident=revert) it returns what is leased.
      - V(ladder) returns how the hosts of a batch ended, whether the others follow, and what has to be recorded.
      - V(end) returns how the run ended on every host.
      - V(report) returns the report that a person reads. It comes last, so that an error in a text cannot prevent a
        page.
    type: str
    required: true
    choices: [names, table, look, ladder, end, report]
  incident:
    description: The incident of the run, or V(revert). Required with O(phase=look).
    type: str
  hosts:
    description:
      - The hosts that the run is about. Other hosts of the play are peers, and are only counted if they are healthy.
      - Required with O(phase=names), O(phase=table) and O(phase=look).
    type: list
    elements: str
  neighbours:
    description: Hosts that a label must not mean as well when it is to mean one of O(hosts), for O(phase=names).
    type: list
    elements: str
    default: []
  alert:
    description: What P(aurora.runbook.alerted#lookup) returned for the alert that started the run. Empty if no alert
      did.
    type: dict
    default: {}
  instances:
    description: What O(phase=names) returned, for O(phase=look). Empty if no alert is to be silenced.
    type: dict
    default: {}
  label:
    description: The label that names hosts in metrics and alerts, for O(phase=look).
    type: str
    default: instance
extends_documentation_fragment: aurora.runbook.attributes.controller
attributes:
  check_mode:
    details: In check mode nothing is returned to be recorded.
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
  description: What the labels of metrics and alerts call each host, by host.
  returned: with O(phase=names)
  type: dict
id:
  description: The id of the incident, which is either the one that is open on a host or a new one.
  returned: with O(phase=look)
  type: str
run:
  description: The token of this run.
  returned: with O(phase=look)
  type: str
hosts:
  description:
    - "By host: C(standing), which is V(breached), V(healthy), V(unknown) or V(unhandled); C(reason), a sentence;
      C(breached), whether the indicator is breached apart from anything unfinished; C(unfinished), the leases that a
      run left half done; C(cause), the cause that its ladder follows; C(lossy), whether its network loses packets;
      C(last), whether the action that cures it may end the run there; C(seen), what is recorded of the look."
  returned: with O(phase=look)
  type: dict
peers:
  description: The standing of each peer, by host.
  returned: with O(phase=look)
  type: dict
repaired:
  description: The hosts that are repaired, in that order.
  returned: with O(phase=look)
  type: list
  elements: str
canary:
  description: The first of the repaired hosts. The others follow once it is well.
  returned: with O(phase=look)
  type: str
observed:
  description: Hosts that would be repaired if their variable C(aurora_autonomy) were not V(observe).
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
  description: The limits of the guards, as one host has them. On each host its own variables apply.
  returned: with O(phase=look)
  type: dict
silence:
  description: C(alert), C(label) and C(hosts) to be silenced. Empty if nothing is.
  returned: with O(phase=look)
  type: dict
unfinished:
  description: The leases that a run left half done, by host.
  returned: with O(phase=look)
  type: dict
age_seconds:
  description: How long the incident has lasted, in seconds, according to the alert or a record.
  returned: with O(phase=look)
  type: float
verdicts:
  description: The verdict of each host of the batch, by host.
  returned: with O(phase=ladder)
  type: dict
stop:
  description: Whether the remaining hosts are left as they are, because a host of the batch is not well.
  returned: with O(phase=ladder)
  type: bool
unended:
  description: The verdict to be recorded, by host. Empty for a host where only actions that were cut off have to be
    settled.
  returned: with O(phase=ladder)
  type: dict
unwell:
  description: The hosts that did not end well.
  returned: with O(phase=end)
  type: list
  elements: str
open:
  description: Whether the incident stays open on any host.
  returned: with O(phase=end)
  type: bool
sound:
  description: Whether the alert was silenced and may sound again.
  returned: with O(phase=end)
  type: bool
handed_on:
  description: What the next step of a workflow is told, namely C(aurora_outcome) and, if the incident is recorded,
    C(aurora_incident_id).
  returned: with O(phase=end)
  type: dict
table:
  description: One row for each host with every indicator, followed by what each host reports. C(!) marks a breach, and
    C(?) a value that is not known.
  returned: with O(phase=table)
  type: list
  elements: str
lines:
  description: The verdict of each host as a sentence for people, by host.
  returned: with O(phase=report)
  type: dict
report:
  description: What was wrong, what was done and what is left, for people.
  returned: with O(phase=report)
  type: list
  elements: str
"""
