# SPDX-License-Identifier: GPL-3.0-or-later
"""The incident that automation acts for, with the limits of its guards."""

from __future__ import annotations


class ModuleDocFragment:
    OPTION = r"""
options:
  incident:
    version_added: 1.0.0
    description:
      - The incident for which this is done, as the playbooks pass it. The module opens the incident on the host, or
        joins it if it is open, and applies the guards.
      - Omit it for a manual call. The call is recorded too, and only another run's claim can refuse it.
      - A refusal is a verdict, V(refused). RV(ignore:done) then has the guard, its numbers and the time from which it
        would allow the action.
    type: dict
    suboptions:
      id:
        description: The id, in the form C(<class>-<YYYYMMDDTHHMMSSZ>-<8 hex digits>). If the host itself has an open
          incident of that class, that one is joined.
        type: str
        required: true
      run:
        description: Token of this run, 8 to 64 letters, digits or hyphens. Two runs never work on one host at the same
          time.
        type: str
        required: true
      by:
        description: Who runs it, for the record and for others who find the host claimed.
        type: str
        default: ""
      severity:
        description: Severity that this run found.
        type: str
        choices: [P0, P1, P2, P3]
      age_seconds:
        description: How long the trouble has lasted already, in seconds, 0 to 2678400.
        type: float
        default: 0.0
      alert:
        description: The alert that started the run, with C(name), C(fingerprint) and C(starts_at).
        type: dict
        default: {}
      cause:
        description:
          - What this run takes for the cause of the incident, in the words of M(aurora.runbook.triage_info). It is
            recorded with each action. If it is empty, O(incident.max_same_cure) refuses nothing.
        type: str
        default: ""
      seen:
        description: What the look found, for the record. C(open) lists the incidents of the class that were open then.
        type: dict
        default: {}
      silence:
        description: The silence of the alert, for the record, with C(silence), C(until) and C(matched).
        type: dict
        default: {}
      hosts:
        description: The hosts that the run found not healthy or could not look at, for the record.
        type: list
        elements: str
        default: []
      healthy_peers:
        description: How many other hosts of the group are healthy, 0 to 10000. Hosts in an unknown state do not count
          as healthy.
        type: int
      min_healthy:
        description: How many peers must be healthy before a service is restarted, 0 to 10000.
        type: int
        default: 0
      cooldown_seconds:
        description:
          - Seconds that must pass between two equal actions on the same target, 0 to 86400. It should be longer than
            the window of the alert and its C(for) together, because the alert of an incident that is cured already
            would start the action again otherwise.
        type: float
        default: 1500.0
      max_per_hour:
        description: How many actions may be done on this host within an hour, 1 to 1000.
        type: int
        default: 6
      max_per_day:
        description: How many actions may be done on this host within a day, 1 to 1000.
        type: int
        default: 20
      max_ineffective:
        description:
          - How many actions of this incident in a row may have failed to help, 1 to 100. An action counts as not
            helpful if nobody knows whether it helped. A raise of exposure that a person approved is not refused for
            this.
        type: int
        default: 3
      max_same_cure:
        description:
          - How often within a day an equal action may be done on this host for the same O(incident.cause), in this
            incident and others, 1 to 1000. A cause that has to be cured again and again needs a person. A raise of
            exposure that a person approved is not refused for this.
        type: int
        default: 3
      force:
        description:
          - Reason for acting against the guards, for the record. It also takes the host over from another run that
            works there, and that run can do nothing more there. A pause still applies.
        type: str
        default: ""
      last:
        description:
          - Whether the run has nothing more to do on this host once the indicator has recovered. In that case the
            action that cured it also records the end, closes the incident and gives up the claim, and RV(ignore:closed)
            reports it.
        type: bool
        default: false
"""
