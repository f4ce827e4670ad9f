# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for incident_info: answers what the host's ``answer`` says, without entries unless they are asked for."""

from __future__ import annotations

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        answer = task_vars["answer"]
        if "problem" in answer:
            raise AnsibleConnectionFailure(answer["problem"])
        asked = self._task.args
        incidents = [dict(found) for found in answer["incidents"] if asked.get("id", found["id"]) == found["id"]]
        for found in incidents:
            if not asked.get("entries"):
                found.pop("entries")
        return {"changed": False, **answer, "incidents": incidents}
