# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what the incidents of some weeks teach, from all hosts. Documented in plugins/modules/review.py.

What hosts answered is read as it was registered and never templated. plugin_utils/review has the figures.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages, _options
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.plugin_utils._report_action import ReportAction
from ansible_collections.aurora.runbook.plugins.plugin_utils.review import _figures, _render

SPEC = {
    "days": {"type": "int", "required": True},
    "directory": {"type": "str", "required": True},
    "language": {"type": "str", "choices": list(_messages.LANGUAGES), "default": "en"},
}


class ActionModule(ReportAction):
    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        _checked, asked = self.validate_argument_spec(argument_spec=SPEC)
        self.hostvars = task_vars["hostvars"]
        self.names = task_vars["ansible_play_hosts_all"]
        now = time.time()
        try:
            _options.check_ranges({"aurora_review_days": asked["days"]}, {"aurora_review_days": _options.REVIEW_DAYS})
            review = _figures.review(self.answers("incident_reviewed"), asked["days"], now)
            report = os.path.realpath(Path(asked["directory"], f"review-{_render.date_of(now)}-{asked['days']}d"))
            written = self.write(report, _render.render(review, asked["language"]), task_vars)
        except RunbookError as error:
            # Returned: of a failure that is raised, ansible-core 2.16 takes what a host worded for a template.
            return {"failed": True, "changed": False, "msg": _redact.redact_text(str(error))}
        return {**written, "incidents": len(review.cases), "hosts": review.hosts, "read": review.read}
