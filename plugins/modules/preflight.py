# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action plugin of this name; Ansible looks for it here."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Say whether a remediation would work, from what hosts and services answered
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - The playbook C(aurora.runbook.preflight) calls it, first on each host and then once for all. It reads the results
    that tasks registered for the hosts of the play, never through a template.
  - Texts are in the language of the variable C(aurora_language), V(en) or V(uk).
  - The runbook has no section for this. It finds by day what would make a remediation fail at night.
options:
  phase:
    description:
      - V(reach) connects to the host, becomes root and starts Python as modules do, and returns which of these works.
      - V(report) judges what all hosts answered. Call it with C(run_once).
    type: str
    required: true
    choices: [reach, report]
  report_directory:
    description:
      - Directory in which C(preflight.json) is written with all checks. It is created if it is missing. If it is empty,
        no file is written. Delegate the task to localhost, so that the directory is on the controller.
    type: str
    default: ""
attributes:
  check_mode:
    description: Can run in C(check_mode) and tell what it would change without changing it.
    support: full
    details:
      - Writes no report in check mode.
  diff_mode:
    description: Tells in diff mode what it changed or would change.
    support: N/A
    details:
      - Changes nothing on hosts.
  platform:
    description: Managed hosts it runs on. They need Python 3.9 or later and nothing else.
    platforms: all
    support: full
    details:
      - V(report) connects to no host.
seealso:
  - module: aurora.runbook.preflight_info
"""

EXAMPLES = r"""
- name: Reach each host, become root without a question, find Python
  aurora.runbook.preflight:
    phase: reach
  register: __preflight_reached

- name: Judge all that was found
  aurora.runbook.preflight:
    phase: report
  register: __preflight_found
  run_once: true
"""

RETURN = r"""
reached:
  description: Whether the host can be reached. If not, C(connection) says why.
  returned: with O(phase=reach)
  type: bool
goes_on:
  description: Whether more of the host can be checked.
  returned: with O(phase=reach)
  type: bool
least_privilege:
  description: Whether the account has least rights, so that only the program on the host answers it.
  returned: with O(phase=reach)
  type: bool
pipelining:
  description: Whether modules are pipelined.
  returned: with O(phase=reach), when it is reached
  type: bool
become:
  description: Why the account cannot become root. Empty if it can, or if it has least rights.
  returned: with O(phase=reach), when it is reached
  type: str
python:
  description: The C(path) and C(version) of Python on the host, or the C(problem) with it.
  returned: with O(phase=reach), when the host gives root
  type: dict
clock_off_seconds:
  description: By how many seconds, at least, the host's clock differs from the controller's.
  returned: with O(phase=reach), when Python answers
  type: float
ready:
  description: Whether everything is ready. Something that could not be checked is not ready.
  returned: with O(phase=report)
  type: bool
checks:
  description:
    - All checks, each with C(host) (empty if it is not about one host), C(what), C(about), C(state) (V(ready),
      V(not_ready) or V(unchecked)), C(why) and C(next). The last two are a C(message), a key in the catalogue of
      messages, with its C(values).
  returned: with O(phase=report)
  type: list
  elements: dict
handed_on:
  description: C(aurora_ready) and C(aurora_checks) for the next step of a workflow, without any text from a host or a
    service.
  returned: with O(phase=report)
  type: dict
lines:
  description: What a person reads, which is one line for each host, followed by everything that is not ready, why, and
    what to do.
  returned: with O(phase=report)
  type: list
  elements: str
unready:
  description: The hosts that are not ready. These are all hosts if something around them is not ready.
  returned: with O(phase=report)
  type: list
  elements: str
"""
