# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides which pages are due, and whether each is sent. Documented in plugins/modules/escalation.py.

The answers of hosts are read as they were registered and never templated. The pure functions of _pages.py decide.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping

from ansible.errors import AnsibleActionFail
from ansible_collections.aurora.runbook.plugins.plugin_utils import _pages
from ansible_collections.aurora.runbook.plugins.plugin_utils._answers_action import AnswersAction

FACT = "aurora_escalation"  # a fact of localhost that the following plays use
SPEC = {
    "phase": {
        "type": "str",
        "required": True,
        "choices": ["due", "tick", "send", "told", "end", "overview", "waiting"],
    },
    "contacts": {"type": "bool", "default": True},
    "key": {"type": "str", "no_log": False},
    "incident": {"type": "str"},
    "knobs": {"type": "list", "elements": "str", "default": []},
}
REQUIRED_IF = [("phase", "send", ["key"]), ("phase", "told", ["key"]), ("phase", "waiting", ["incident"])]


class ActionModule(AnswersAction):
    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        _checked, asked = self.validate_argument_spec(argument_spec=SPEC, required_if=REQUIRED_IF)
        self.hostvars = task_vars["hostvars"]
        self.hosts = sorted(task_vars["ansible_play_hosts_all"])
        self.language = self.language_of(task_vars)
        return {"changed": False, **getattr(self, f"{asked['phase']}_phase")(asked)}

    def due_phase(self, asked: Mapping) -> dict:
        """Which pages are due, and on which hosts there is something to do."""
        records = self.records()
        pages, missed = _pages.due(self.language, records, time.time()), _pages.missed(records)
        hosts = _pages.concerned(pages if asked["contacts"] else [], missed)
        course = {"pages": pages, "hosts": hosts, "contacts": asked["contacts"], "told": []}
        sent = pages if asked["contacts"] else []
        return {
            "pages": sent,
            "missed": missed,
            "hosts": hosts,
            "key": secrets.token_hex(8),
            "ansible_facts": {FACT: course},
        }

    def tick_phase(self, _asked: Mapping) -> dict:
        """Whether this tick goes on, or leaves the work to another one."""
        goes_on, message = _pages.goes_on([self.answer(name, "__incident_tick") for name in self.hosts])
        return {"goes_on": goes_on, "message": message}

    def send_phase(self, asked: Mapping) -> dict:
        """Whether a page is sent, after its records were asked."""
        page = self.page(asked["key"])
        answers = [self.answer(name, "__incident_asked") for name in page["hosts"]]
        return {"send": _pages.to_be_sent(answers, os.path.isdir(marker(page)))}

    def told_phase(self, asked: Mapping) -> dict:
        """Who got a page, for the records and for people."""
        course, page = self.course(), self.page(asked["key"])
        told = _pages.told(page, self.answer(page["owner"], "__incident_paged"))
        course["told"] = [*course["told"], told]
        remembered = marker(page) if told["sent"] and not page["hosts"] else ""
        return {**told, "remembered": remembered, "ansible_facts": {FACT: course}}

    def end_phase(self, _asked: Mapping) -> dict:
        """What is open and who was paged, and which hosts fail."""
        course, records = self.course(), self.records()
        to_be_sent = course["told"] if course["contacts"] else course["pages"]
        in_vain = [] if self._task.check_mode and course["contacts"] else to_be_sent
        course["unwell"] = _pages.unwell(self.language, records, in_vain)
        lines = _pages.overview(self.language, records, course["told"])
        return {"overview": lines, "unwell": course["unwell"], "ansible_facts": {FACT: course}}

    def overview_phase(self, _asked: Mapping) -> dict:
        """What is open and leased, in a run that pages nobody."""
        return {"overview": _pages.overview(self.language, self.records(), [])}

    def waiting_phase(self, asked: Mapping) -> dict:
        """What waits for the approval of a person."""
        return {"waiting": _pages.waiting(self.records(), asked["incident"], asked["knobs"])}

    def records(self) -> dict[str, Mapping]:
        return _pages.readable({name: self.answer(name, "__incident_open") for name in self.hosts})

    def course(self) -> dict:
        """What was decided before in this playbook."""
        return self.fact(FACT, "due")

    def page(self, key: str) -> Mapping:
        """One of the pages that are due."""
        found = [page for page in self.course()["pages"] if page["key"] == key]
        if not found:
            raise AnsibleActionFail(f"no page {key!r} is due")
        return found[0]


def marker(page: Mapping) -> str:
    """The directory on the controller that remembers that a page was sent, if no record can."""
    return os.path.expanduser(f"~/.ansible/aurora-runbook/{page['id']}")
