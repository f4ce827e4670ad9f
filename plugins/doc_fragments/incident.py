# SPDX-License-Identifier: GPL-3.0-or-later
"""The incident that automation acts for, with the limits of its guards."""

from __future__ import annotations


class ModuleDocFragment:
    OPTION = r"""
options:
  incident:
    description:
      - The incident that this is done for, as the playbooks pass it. Opens it on the host or joins it, and keeps the
        guards. Without it a person acts, who is on record all the same and to whom only the claim of a run says no.
      - A refusal is a verdict, V(refused), with the guard, its numbers and when it would allow in RV(ignore:done).
    type: dict
    suboptions:
      id:
        description: C(<class>-<YYYYMMDDTHHMMSSZ>-<8 hex digits>); the host's own open incident of that class is joined.
        type: str
        required: true
      run:
        description: Token of this run, 8 to 64 letters, digits or hyphens; two runs never work on one host at once.
        type: str
        required: true
      by:
        description: Who runs it, for the record and for others who find the host claimed.
        type: str
        default: ""
      severity:
        description: Severity as seen by this run.
        type: str
        choices: [P0, P1, P2, P3]
      age_seconds:
        description: How long the trouble lasts already, in seconds, 0 to 2678400.
        type: float
        default: 0.0
      alert:
        description: The alert behind it, with C(name), C(fingerprint) and C(starts_at).
        type: dict
        default: {}
      cause:
        description:
          - What this run takes for the cause of the incident, in the words of M(aurora.runbook.triage_info); it stands
            on record with each action. Without it O(incident.max_same_cure) holds nothing back.
        type: str
        default: ""
      seen:
        description: What the look found, for the record; C(open) are the incidents of the class that were open then.
        type: dict
        default: {}
      silence:
        description: The silence of its alert, for the record, with C(silence), C(until) and C(matched).
        type: dict
        default: {}
      hosts:
        description: The hosts that the run found not healthy or could not look at, for the record.
        type: list
        elements: str
        default: []
      healthy_peers:
        description: Other hosts of the group that are healthy, 0 to 10000; unknown ones do not count.
        type: int
      min_healthy:
        description: Healthy peers without which nothing is restarted, 0 to 10000.
        type: int
        default: 0
      cooldown_seconds:
        description:
          - Seconds between two actions alike on a target, 0 to 86400. Longer than the window of the alert and its
            C(for), or the alert of what is cured already would start it again.
        type: float
        default: 1500.0
      max_per_hour:
        description: Actions on this host within an hour, 1 to 1000.
        type: int
        default: 6
      max_per_day:
        description: Actions on this host within a day, 1 to 1000.
        type: int
        default: 20
      max_ineffective:
        description:
          - Actions of this incident in a row that may not have helped, 1 to 100; where nobody knows whether one did,
            it did not. A raise that a person approved is taken all the same.
        type: int
        default: 3
      max_same_cure:
        description:
          - How often within a day an action alike may be done on this host for the same O(incident.cause), in this
            incident and others, 1 to 1000. What has to be cured again and again needs a person. A raise that a person
            approved is taken all the same.
        type: int
        default: 3
      force:
        description:
          - Reason to act against the guards, for the record. It takes the host over from another run that works there,
            which stays out from then on. A pause still holds.
        type: str
        default: ""
      last:
        description:
          - Whether the run has nothing more to do on this host once the indicator recovered. Then the action that cured
            it puts the end on record too, closes the incident and gives up the claim; RV(ignore:closed) says so.
        type: bool
        default: false
"""
