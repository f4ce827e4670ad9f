# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person reads while a playbook runs: a line for each step, the report, and what failed, in this order.

The names with an underscore of a result are the ones that ansible-core has from 2.16 to 2.22, and warns about in none.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: brief
type: stdout
short_description: Show a line for each step, then the report as plain text, then what failed
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - While a playbook runs, it shows a line when a step ends on a host, with the time, the host, the name of the step and
    its result. Steps that reach no host (such as C(ansible.builtin.set_fact)) and steps that are skipped are shown only
    with C(-v), and so is what a step returned.
  - A single text from C(ansible.builtin.debug) is such a line. A list or a dictionary from it is a report, which is
    shown once, at the end of the run, as plain text.
  - A failure is shown where it happens, and once more with its reason in the last lines of the run, unless it was
    rescued or ignored. There is no recap.
  - Texts of hosts are shown without control characters and secrets, and shortened. What C(no_log) hides stays hidden.
  - It uses the language in C(aurora_language).
  - Ansible's own output stays the default, and is better for debugging a playbook.
extends_documentation_fragment: ansible.builtin.result_format_callback
requirements:
  - Set as the stdout callback, with C(ANSIBLE_STDOUT_CALLBACK=aurora.runbook.brief) in the environment, or with
    C(stdout_callback = aurora.runbook.brief) in the section C([defaults]) of C(ansible.cfg).
"""

import atexit
import functools
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping

from ansible import constants
from ansible.errors import AnsibleError
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import action_loader
from ansible.template import Templar
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages, _verdicts
from ansible_collections.aurora.runbook.plugins.plugin_utils import _brief, _texts, _variables

DEBUG = ("debug", "ansible.builtin.debug", "ansible.legacy.debug")


def of_items(result) -> list:
    """What each item of a loop returned; nothing where no loop is."""
    found = result._result.get("results", []) if result._task.loop else []
    return [one for one in found if isinstance(one, Mapping)]


@functools.cache
def connects(action: str) -> bool:
    """Whether a step reaches a host. The others only compute."""
    return getattr(action_loader.get(action, class_only=True), "_requires_connection", True)


def language_of(play, host, task) -> str:
    """The language of the texts; one that nobody knows is for the tasks to refuse."""
    variables = play.get_variable_manager().get_vars(play=play, host=host, task=task)
    template = Templar(loader=play.get_loader(), variables=variables).template
    try:
        return _variables.language(_variables.reader(template, variables), variables)
    except AnsibleError:
        return _messages.LANGUAGES[0]


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "aurora.runbook.brief"

    def __init__(self):
        super().__init__()
        self._language, self._playing = _messages.LANGUAGES[0], None
        self._report, self._failures, self._failed_items = [], [], defaultdict(list)
        atexit.register(self._end)  # a run that is cut off says what it has to say

    def v2_playbook_on_play_start(self, play):
        self._playing = play

    def v2_runner_on_start(self, host, task):
        if self._playing:  # with the first step, since a host decides, and a play may have none
            self._language, self._playing = language_of(self._playing, host, task), None

    def v2_runner_on_ok(self, result):
        self._handle_warnings(result._result)
        if isinstance(result._task, TaskInclude):
            return
        if result._task.action in DEBUG and not _brief.hidden(result._result):
            if not of_items(result):
                self._tell(result)
        elif self._display.verbosity or connects(result._task.resolved_action or result._task.action):
            self._step(result, *self._came_of(result))

    def v2_runner_item_on_ok(self, result):
        self._handle_warnings(result._result)
        if result._task.action in DEBUG and not _brief.hidden(result._result):
            self._tell(result)
        elif self._display.verbosity and not isinstance(result._task, TaskInclude):
            outcome, color = self._came_of(result)
            self._step(result, self._of_item(result, outcome), color)

    def v2_runner_on_skipped(self, result):
        self._handle_warnings(result._result)
        if self._display.verbosity:
            self._step(result, self._say("step_skipped"), constants.COLOR_SKIP)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._failed(result, "step_ignored" if ignore_errors else "failed", constants.COLOR_ERROR, ignore_errors)

    def v2_runner_item_on_failed(self, result):
        self._handle_warnings(result._result)
        told = self._of_item(result, self._problem(result._result))
        self._failed_items[result._host.name, result._task._uuid].append(told)

    def v2_runner_on_unreachable(self, result):
        ignored = result._task_fields.get("ignore_unreachable")
        self._failed(result, "unreachable", constants.COLOR_UNREACHABLE, ignored)

    def v2_runner_retry(self, result):
        self._step(result, self._say("step_again"), constants.COLOR_DEBUG)

    def v2_runner_on_async_poll(self, result):
        self._step(result, self._say("step_runs"), constants.COLOR_DEBUG)

    def v2_on_file_diff(self, result):
        for found in of_items(result) or [result._result]:
            if found.get("changed") and found.get("diff") and not _brief.hidden(found):
                self._print(self._get_diff(_brief.cleaned(found["diff"])).splitlines()[: _brief.MAX_LINES])

    def v2_playbook_on_stats(self, stats):
        summaries = {host: stats.summarize(host) for host in stats.processed}
        self._end({host: one["failures"] + one["unreachable"] for host, one in summaries.items()})
        if not summaries:
            self._print([self._say("run_of_none")], constants.COLOR_ERROR)

    def _end(self, counts=None):
        """The report, and below it what failed. Without ``counts`` nobody knows what was rescued, and all is told."""
        report, failures = self._report, self._failures
        self._report, self._failures = [], []
        told = [line for _host, line in failures] if counts is None else _brief.ended(failures, counts)
        self._print(["", *report] if report else [])
        self._print(["", self._say("run_failed"), *told] if told else [], constants.COLOR_ERROR)

    def _say(self, key: str, **values: object) -> str:
        return _texts.say(self._language, key, **values)

    def _of_item(self, result, outcome: str) -> str:
        hidden = _brief.hidden(result._result)
        return outcome if hidden else f"{_brief.one_line(self._get_item_label(result._result))}: {outcome}"

    def _problem(self, found: Mapping) -> str:
        return self._say("step_hidden") if _brief.hidden(found) else _brief.problem(found)

    def _came_of(self, result) -> tuple[str, str]:
        """What came of a step that did not fail, with the verdict of a module of ours, and its color."""
        changed, verdict = result._result.get("changed"), result._result.get("verdict")
        tries = result._task_fields.get("check_mode")
        key = ("would_change" if tries else "step_changed") if changed else "step_ok"
        served = verdict == "recovered" and result._task.action.endswith("_info")  # nothing was ill: it only looked
        known = [verdict] if verdict in _verdicts.VERDICTS and verdict != key and not served else []
        color = constants.COLOR_CHANGED if changed else constants.COLOR_OK
        return ", ".join(self._say(one) for one in [key, *known]), color

    def _tell(self, result) -> None:
        """What a debug task says: a text where it is said, anything else at the end."""
        found = {key: value for key, value in result._result.items() if not key.startswith("_ansible_")}
        said = found.get("msg", {key: value for key, value in found.items() if key not in self._hide_in_debug})
        if isinstance(said, (list, tuple, Mapping)):
            once = result._task_fields.get("run_once")
            self._report += [line if once else f"{result._host.name}: {line}" for line in _brief.report(said)]
        else:
            self._step(result, _brief.one_line(said), constants.COLOR_OK)

    def _failed(self, result, key: str, color: str, ignored: object) -> None:
        """Where it failed: a line, which is kept for the end where nothing says to ignore it."""
        self._handle_warnings(result._result)
        items = self._failed_items.pop((result._host.name, result._task._uuid), [])
        outcome = self._say(key, problem="; ".join(items) or self._problem(result._result))
        if not ignored:
            self._failures.append((result._host.name, self._line(result, outcome)))
        self._step(result, outcome, color)

    def _line(self, result, outcome: str) -> str:
        name = result._task_fields.get("name") or result._task.action
        return f"{_brief.one_line(self.host_label(result))}: {_brief.one_line(name)}: {outcome}"

    def _step(self, result, outcome: str, color: str) -> None:
        self._print([f"{time.strftime('%H:%M:%S')} {self._line(result, outcome)}"], color)
        secret = _brief.hidden(result._result) or of_items(result)  # an item may be hidden of a result that is not
        if self._run_is_verbose(result) and result._task.action not in DEBUG and not secret:
            self._print(_brief.lines(self._dump_results(result._result, indent=2).lstrip("\n")))

    def _print(self, shown: Iterable[str], color: str | None = None) -> None:
        for line in shown:
            self._display.display(line, color=color)
