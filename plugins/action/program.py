# SPDX-License-Identifier: GPL-3.0-or-later
"""Passes the program of this controller to the module of this name, which always runs as an ordinary module."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.aurora.runbook.plugins.plugin_utils import _program


class ActionModule(ActionBase):
    def run(self, tmp: None = None, task_vars: dict | None = None) -> dict:
        result = super().run(tmp, task_vars)
        absent = self._task.args.get("state") == "absent"
        options = {**({} if absent else _program.options()), **self._task.args}
        return {**result, **self._execute_module("aurora.runbook.program", options, task_vars=task_vars)}
