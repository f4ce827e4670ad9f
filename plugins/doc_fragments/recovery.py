# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as recovered: the options behind the three answers, on their own and as one option of a module."""

from __future__ import annotations

import textwrap

OPTIONS = r"""
indicator:
  description:
    - The incident whose indicator is watched.
    - V(circuit_breaker) reads RV(ignore:circuit_breaker_state), for which HALF_OPEN is not recovered.
    - V(sse_availability) and V(policy_deny_rate) are ratios of what happened since the action.
    - V(execution_latency) is the p99 of the executions since the action, V(calibration_ece) is a gauge.
  type: str
  required: true
  choices: [sse_availability, circuit_breaker, execution_latency, policy_deny_rate, calibration_ece]
url:
  description:
    - URL of the service's metrics page, as the managed host reaches it.
    - Defaults to C(http://localhost:9000/metrics), and for V(sse_availability) to C(http://localhost:8001/metrics).
  type: str
threshold:
  description: Limit of the indicator in its own unit, milliseconds for latency. Defaults to the runbook's limit.
  type: float
hold_seconds:
  description:
    - How long the indicator must be within its limit without a break, in seconds, 0 to 3600.
    - For the breaker it should be longer than the breaker's own pause, because a breaker that is about to open again
      looks closed meanwhile.
  type: float
  default: 60.0
min_count:
  description:
    - How many events must stand behind the answer, 0 to 100000. With fewer the answer is unknown. For the breaker,
      these are decisions considered while it is CLOSED.
    - Defaults to 30 decisions (breaker), 50 events (ratios), 100 executions (latency), 0 (calibration).
  type: int
timeout_seconds:
  description: How long to wait for an answer, in seconds, 1 to 7200.
  type: float
  default: 600.0
interval_seconds:
  description: Pause between two samples, in seconds, 0.1 to 60.
  type: float
  default: 2.0
"""
RECOVERY = r"""
recovery:
  description:
    - If it is given, the module afterwards waits for an indicator as M(aurora.runbook.wait_for_recovery) does, and
      returns its RV(verdict).
  type: dict
  suboptions:
"""


class ModuleDocFragment:
    # Annotated, since ansible-test reads a plain assignment only when it is one literal.
    DOCUMENTATION: str = "options:" + textwrap.indent(OPTIONS, "  ")
    OPTION: str = "options:" + textwrap.indent(RECOVERY + textwrap.indent(OPTIONS.lstrip(), "    "), "  ")
