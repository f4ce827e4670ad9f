# SPDX-License-Identifier: GPL-3.0-or-later
"""The shared base of actions that use what hosts answered. Private to aurora.runbook; controller only."""

from __future__ import annotations

from collections.abc import Mapping

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.aurora.runbook.plugins.plugin_utils import _variables


class AnswersAction(ActionBase):
    """Connects to no host unless a subclass says so. A subclass sets ``hostvars`` before it reads an answer."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def language_of(self, task_vars: Mapping) -> str:
        return _variables.language(_variables.reader(self._templar.template, task_vars), task_vars)

    def answer(self, name: str, what: str) -> Mapping:
        """What a task registered or a play stored for a host, unchanged; empty if there is nothing."""
        return self.hostvars.raw_get(name).get(what) or {}

    def fact(self, name: str, first: str) -> dict:
        """What the phase ``first``, and those after it, stored in a fact of localhost."""
        found = self.hostvars.raw_get("localhost").get("ansible_facts", {}).get(name)
        if not found:
            raise AnsibleActionFail(f"nothing was decided yet: the phase {first} comes first")
        return dict(found)
