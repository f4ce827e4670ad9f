# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what the incidents of some weeks teach, from all hosts. Documented in plugins/modules/review.py.

The answers of hosts are read as they were registered and never templated. plugin_utils/review has the figures.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _options
from ansible_collections.aurora.runbook.plugins.plugin_utils._report_action import ReportAction
from ansible_collections.aurora.runbook.plugins.plugin_utils.review import _figures, _render

SPEC = {
    "days": {"type": "int", "required": True},
    "directory": {"type": "str", "required": True},
}


class ActionModule(ReportAction):
    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        _checked, asked = self.validate_argument_spec(argument_spec=SPEC)
        return self.told(self.review, asked, task_vars)

    def review(self, asked: Mapping, task_vars: Mapping) -> dict:
        """Write what the incidents of these days teach, in both forms."""
        now = time.time()
        _options.check_ranges({"aurora_review_days": asked["days"]}, {"aurora_review_days": _options.REVIEW_DAYS})
        review = _figures.review(self.answers("__incident_reviewed"), asked["days"], now)
        report = os.path.realpath(Path(asked["directory"], f"review-{_render.date_of(now)}-{asked['days']}d"))
        written = self.write(report, _render.render(review, self.language_of(task_vars)), task_vars)
        return {**written, "incidents": len(review.cases), "hosts": review.hosts, "read": review.read}
