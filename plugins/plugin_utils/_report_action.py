# SPDX-License-Identifier: GPL-3.0-or-later
"""The shared base of actions that write a report of what hosts answered. Private to aurora.runbook; controller only."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.plugin_utils._answers_action import AnswersAction


class ReportAction(AnswersAction):
    _requires_connection = True  # the copy that writes needs it
    _supports_diff = True

    def told(self, tell: Callable[[Mapping, Mapping], Mapping], asked: Mapping, task_vars: Mapping) -> dict:
        """What ``tell`` returns about ``names``, the hosts of the play, or why it cannot."""
        self.hostvars, self.names = task_vars["hostvars"], task_vars["ansible_play_hosts_all"]
        try:
            return {"changed": False, **tell(asked, task_vars)}
        except RunbookError as error:
            # Returned instead of raised, because ansible-core 2.16 would template a host's words in a raised failure.
            return {"failed": True, "changed": False, "msg": _redact.redact_text(str(error))}

    def answers(self, what: str) -> dict[str, Mapping]:
        """What each host answered, or why it did not."""
        results = {name: self.answer(name, what) for name in self.names}
        return {
            name: result
            if isinstance(result.get("incidents"), list)
            else {"problem": str(result.get("msg") or "it did not answer")}
            for name, result in results.items()
        }

    def write(self, report: str, texts: Mapping[str, str], task_vars: Mapping) -> dict:
        """Write each form of a report, and return what that changed. The directory is created if it is missing."""
        if not self._task.check_mode:
            _make(os.path.dirname(report))
        files = {f"{report}.{form}": text for form, text in texts.items()}
        done = [self._put(path, text, task_vars) for path, text in files.items()]
        changed = [one for one in done if one.get("changed")]
        diffs = [diff for one in changed for diff in _as_list(one.get("diff"))]
        return {"changed": bool(changed), "files": list(files), "diff": diffs}

    def _put(self, path: str, text: str, task_vars: Mapping) -> Mapping:
        """Write a file as ansible.builtin.copy does, also in check mode and with a diff."""
        task = self._task.copy()
        task.args = {"content": text, "dest": path, "mode": "0640"}
        copy = self._shared_loader_obj.action_loader.get(
            "ansible.builtin.copy",
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        result = copy.run(task_vars=task_vars)
        if result.get("failed"):
            raise RunbookError(f"{path} could not be written: {result.get('msg')}")
        return result


def _make(directory: str) -> None:
    try:
        os.makedirs(directory, mode=0o750, exist_ok=True)
    except OSError as error:
        raise RunbookError(f"the directory {directory} could not be made: {error.strerror}") from None


def _as_list(value: object) -> list:
    return value if isinstance(value, list) else [value] if value else []
