# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the post-mortem of an incident, from what the hosts answered. Documented in plugins/modules/postmortem.py.

The answers of hosts are read as they were registered and never templated. plugin_utils/postmortem tells the story.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ansible_collections.aurora.runbook.plugins.module_utils.base import _names, _redact
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.plugin_utils._report_action import ReportAction
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem import _query, _render, _tell, _written

SPEC = {
    "phase": {"type": "str", "required": True, "choices": ["choose", "query", "write"]},
    "incident": {"type": "str", "default": ""},
    "directory": {"type": "str"},
    "timezone": {"type": "str", "default": ""},
}
REQUIRED_IF = [("phase", "write", ["directory"])]


class ActionModule(ReportAction):
    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        _checked, asked = self.validate_argument_spec(argument_spec=SPEC, required_if=REQUIRED_IF)
        return self.told(getattr(self, f"{asked['phase']}_phase"), asked, task_vars)

    def choose_phase(self, asked: Mapping, _task_vars: Mapping) -> dict:
        """Which incident it is about: the one that was asked for, or the latest one that a host knows of."""
        incident = asked["incident"]
        return {"id": _query.checked(incident) if incident else _query.latest(self.answers("__incident_open"))}

    def query_phase(self, asked: Mapping, _task_vars: Mapping) -> dict:
        """What to ask Prometheus about that time, and the first host that answered, which is to ask it."""
        incident, answers = _query.checked(asked["incident"]), self.answers("__incident_read")
        known = _names.inventory(self.hostvars, self.names)
        instances = {name: _names.labels_of(name, *known) for name in self.names}
        label = _names.label_in(self.hostvars, self.names) or _names.INSTANCE
        return {
            "query": _query.range_query(incident, answers, instances, time.time(), label),
            "host": next((name for name, answer in answers.items() if "incidents" in answer), ""),
        }

    def write_phase(self, asked: Mapping, task_vars: Mapping) -> dict:
        """Write the report in both forms, and keep what people wrote into the existing one."""
        incident, language = _query.checked(asked["incident"]), self.language_of(task_vars)
        report, zone = os.path.realpath(Path(asked["directory"], incident)), _render.zone_of(asked["timezone"])
        written = _written.read(text_in(f"{report}.md"))
        story = _tell.tell(incident, self.answers("__incident_read"), time.time(), language, self.series())
        story = replace(story, owner=story.owner or self.first_contact())
        texts = {form: _render.render(story, form, language, written, zone) for form in _render.FORMS}
        return self.write(report, texts, task_vars)

    def series(self) -> Mapping | None:
        """What Prometheus answered, or why it did not; None if it was not asked."""
        results = (self.answer(name, "__incident_series") for name in self.names)
        asked = next((result for result in results if result and not result.get("skipped")), None)
        return None if asked is None else asked.get("json") or {"problem": str(asked.get("msg") or "no answer")}

    def first_contact(self) -> str:
        """The name of the first contact of L1, never its URL; "" if there is none."""
        for name in self.names:
            try:
                return _redact.redact(str(self.hostvars[name]["aurora_contacts"]["L1"][0]["name"]), limit=80)
            except (LookupError, TypeError):
                continue
        return ""


def text_in(path: str) -> str:
    """The text of a file, "" if there is none. A file that cannot be read is never overwritten."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise RunbookError(f"what people wrote into {path} could not be read: {error}") from None
