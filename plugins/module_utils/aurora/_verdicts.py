# SPDX-License-Identifier: GPL-3.0-or-later
"""The words for how a run or an action ended, in records and in results. Private to aurora.runbook."""

from __future__ import annotations

HEALTHY, RECOVERED, NOT_RECOVERED, UNKNOWN = "healthy", "recovered", "not_recovered", "unknown"
APPROVAL_NEEDED, ESCALATED, REFUSED, WOULD_CHANGE = "approval_needed", "escalated", "refused", "would_change"

# How a run can end on a host; and all verdicts, since a run in check mode does not end anything.
OF_RUNS = (HEALTHY, RECOVERED, NOT_RECOVERED, UNKNOWN, APPROVAL_NEEDED, ESCALATED, REFUSED)
VERDICTS = (*OF_RUNS, WOULD_CHANGE)
# After OVER an incident is over, and after GOOD no person has to look.
OVER = (HEALTHY, RECOVERED)
GOOD = (*OVER, WOULD_CHANGE)
WATCHED = (RECOVERED, NOT_RECOVERED, UNKNOWN)  # the verdicts of an action that was watched

# What became of an action: what its own module reports, and what a later run finds out about one that was cut off.
DONE, FAILED, FINISHED, UNDONE = "done", "failed", "finished", "undone"
OUTCOMES = (DONE, FAILED, FINISHED, UNDONE, UNKNOWN)
