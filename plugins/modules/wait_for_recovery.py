#!/usr/bin/python
# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: wait_for_recovery
short_description: Wait until an indicator of Aurora has recovered, and return one of three answers
version_added: 0.1.0
author: Aurora runbook authors (@aurora)
description:
  - Samples an indicator of the runbook on the host itself, and returns the answer in RV(verdict).
  - The source is the symptom ("Симптоми") of each section of the runbook.
  - V(recovered) means that the indicator stayed within its limit for O(hold_seconds), on samples taken since the task
    started, with at least O(min_count) events behind it. V(not_recovered) means that it was seen beyond its limit.
    Everything else is V(unknown), such as too few events, a service that restarts meanwhile, a missing metric, NaN and
    silence.
  - An answer is data. The task does not fail on V(not_recovered) or V(unknown). It fails on options out of range.
extends_documentation_fragment:
  - aurora.runbook.attributes
  - aurora.runbook.attributes.reads
  - aurora.runbook.recovery
attributes:
  check_mode:
    details:
      - Takes one sample and does not wait.
seealso:
  - module: aurora.runbook.service_override
"""

EXAMPLES = r"""
- name: Prove that the breaker closed and stays closed
  aurora.runbook.wait_for_recovery:
    indicator: circuit_breaker
  register: breaker

- name: Stop when it did not
  ansible.builtin.assert:
    that: breaker.verdict == 'recovered'
    fail_msg: "{{ breaker.message }}"
"""

RETURN = r"""
verdict:
  description: The answer, V(recovered), V(not_recovered) or V(unknown).
  returned: always
  type: str
  sample: recovered
message:
  description: One sentence that explains the verdict with its numbers.
  returned: always
  type: str
  sample: circuit_breaker_state is 0, within its limit of 2 for 60 s with 41 events
recovery:
  description: The evidence of the verdict.
  returned: always
  type: dict
  contains:
    metric:
      description: The indicator's name in Prometheus.
      type: str
    reason:
      description:
        - Why the verdict is what it is, V(within), V(reopened), V(still_breached), V(half_open), V(silent),
          V(malformed), V(no_data), V(nan), V(reset), V(too_few) or V(too_short).
      type: str
    value:
      description: Last value in the indicator's unit. Null if there was none.
      type: float
    denied:
      description: Orders denied while the indicator was watched, as the runner counts them. Null if that is not known.
      type: float
    count:
      description: Number of events behind the value. Null if none are counted.
      type: float
    threshold:
      description: The limit of the indicator.
      type: float
    min_count:
      description: How many events were required.
      type: int
    hold_seconds:
      description: How long the indicator had to be within its limit, in seconds.
      type: float
    seconds:
      description: How long the module waited, in seconds.
      type: float
    samples:
      description: The last 50 samples, the oldest first. C(at) is in seconds since the start, and C(count) is the value
        of the counter.
      type: list
      elements: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _options
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _watch

ARGUMENTS = {"argument_spec": _options.RECOVERY, "supports_check_mode": True}


def main():
    module = AnsibleModule(**ARGUMENTS)
    try:
        result = _watch.watch(module.params, module.check_mode)
    except RunbookError as error:
        module.fail_json(msg=_redact.redact_text(str(error)))
    module.exit_json(changed=False, **_redact.redact_data(result))


if __name__ == "__main__":
    main()
