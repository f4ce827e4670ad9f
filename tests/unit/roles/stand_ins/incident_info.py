# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for incident_info: answers what the host's ``answer`` says, without entries unless they are asked for.

Braces in an answer are written as « and », since those in an inventory would be templates of its owner.
"""

from __future__ import annotations

import json

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

HOST = {"leases": [], "claim": None, "paused": None, "cut_off": [], "timer": "", "timer_works": True}
INCIDENT = {"severity": "P0", "age_seconds": 60.0, "acknowledged": None, "responded": None, "levels": {}}
INCIDENT |= {"chain": {"whole": True, "problem": ""}}


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        answer = json.loads(json.dumps(task_vars["answer"], ensure_ascii=False).translate({171: "{", 187: "}"}))
        if "problem" in answer:
            raise AnsibleConnectionFailure(answer["problem"])
        asked = self._task.args
        known = ({**INCIDENT, **found} for found in answer["incidents"])
        incidents = [found for found in known if asked.get("id", found["id"]) == found["id"]]
        for found in incidents:
            if not asked.get("entries"):
                found.pop("entries")
        return {"changed": False, **HOST, **answer, "incidents": incidents}
