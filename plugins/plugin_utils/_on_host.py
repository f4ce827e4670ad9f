# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands before every module that runs on hosts: the program that lies there answers, where it does.

Shipping, unpacking and compiling a module anew costs more than most of ours do. Where the program is missing an acting
module puts it there first, since the end of what it changes needs it; what only looks leaves nothing and goes as an
ordinary module, and so does everything where the connection cannot pipeline, and what is to run in the background.

With aurora_least_privilege the account on the hosts may start that program by sudo, and nothing else. Then nothing is
sent but the request: the host decides whether it is allowed, see module_utils/program/_allowed.

A step of a remediation is given what _acting knows beside what its task says.

Each module has an action plugin of its own name. With one that all are redirected to, Ansible would take the
module_defaults of any of them for all. Ansible loads it before it forks a worker for each host: what it imports, and
what is worked out here when this is imported, is there in all of them, and each worker is spared a tenth of its time.
"""

from __future__ import annotations

import gc
import json
import shlex
from collections.abc import Mapping
from functools import partial
from types import ModuleType

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.plugins.action.normal import ActionModule as OrdinaryModule
from ansible.utils.display import Display
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact, _start
from ansible_collections.aurora.runbook.plugins.plugin_utils import _acting, _decision, _program, _variables, _waits

PYTHON = "/usr/bin/python3"
NO_PYTHON = 127  # what a shell says of a command that is not there
BY_SUDO = "sudo -n /usr/local/sbin/aurora-runbook"
WITHOUT_ROOT = ("public_way_info",)  # looks from outside, as whoever it is
WHY = "aurora_program"  # in an answer: why the program did not run
# What a result of ours never holds, and what Ansible would act upon.
NOT_OURS = ("ansible_facts", "ansible_stats", "add_host", "add_group", _decision.MARK)
PROGRAM = _program.name()  # of all sources of the program
display = Display()
# The main process has loaded this, and nearly all else, before it forks a worker for each task on each host. Workers
# need not look for garbage in what was there by then, which would copy its memory: an eighth of the CPU time of a run.
gc.freeze()


class ActionModule(OrdinaryModule):
    MODULE: ModuleType  # whose options these are

    def run(self, tmp: None = None, task_vars: dict | None = None) -> dict:
        self._module = self._task.action.rpartition(".")[2]
        self._vars = task_vars or {}
        self._read = _variables.reader(self._templar.template, self._vars)
        if _acting.STEP not in self._vars:
            return self._result(tmp)
        try:
            self._task.args = _acting.options(self._module, self._task.args, self._read, self._vars)
            result = self._result(tmp)
        except AnsibleActionFail as error:
            result = {"failed": True, "msg": str(error)}
        except AnsibleConnectionFailure as error:
            result = {"unreachable": True, "msg": str(error)}
        return {**result, **_acting.mark(self._module, self._task.args, self._vars)}

    def _result(self, tmp: None) -> dict:
        try:
            language = _variables.language(self._read, self._vars)
        except AnsibleActionFail as error:
            return {"failed": True, "msg": str(error)}
        about = (language, self._host(), self._module, self._task.args, self._task.timeout or 0)
        with _waits.told(partial(_waits.line, *about), display.display):
            try:
                answer = self._answer_by_sudo(tmp) if self._has_least_privilege() else self._answer(tmp)
            except AnsibleActionFail as error:
                # Ansible-core before 2.19 would take what a host said in an error that is raised for a template.
                return {"failed": True, "msg": str(error)}
            return ours(super().run(tmp, self._vars)) if answer is None else answer

    def _has_least_privilege(self) -> bool:
        asked = self._templar.template(self._vars.get("aurora_least_privilege", False))
        return boolean(asked) and self._module not in WITHOUT_ROOT

    def _answer_by_sudo(self, tmp: None) -> dict:
        """What the program answers that the account may start. There is no other way, and nothing is put there."""
        if self._task.async_val or not self._connection.has_pipelining:
            raise AnsibleActionFail(
                "aurora_least_privilege needs a connection that pipelines, and a task without async"
            )
        result = ActionBase.run(self, tmp, self._vars)
        request, hidden = self._request()
        sent = json.dumps({**request, "program": PROGRAM}, default=str).encode()
        done = self._low_level_execute_command(BY_SUDO, in_data=sent, sudoable=False)
        answer = answer_of(done) or {WHY: said(done)}
        if WHY in answer:
            raise AnsibleActionFail(
                f"This account cannot use the program on the host: {_redact.redact(str(answer[WHY]))}."
                " An administrator has to run aurora.runbook.prepare for this host, with all rights"
            )
        return self._returned(result, answer, hidden)

    def _answer(self, tmp: None) -> dict | None:
        """What the program on the host answers, None where an ordinary module is to do it."""
        acts = self._module in _program.ACTS and not self._task.check_mode
        if self._task.async_val or not self._is_pipelining_enabled("new"):
            if acts:
                self._leave_program()
            return None
        result = ActionBase.run(self, tmp, self._vars)
        request, hidden = self._request()
        answer = self._ask(request, installs=False)
        if acts and WHY in answer:
            answer = self._ask(request, installs=True)
        if WHY not in answer:
            return self._returned(result, answer, hidden)
        if answer[WHY] != _start.MISSING:
            display.warning(f"{self._host()}: {_redact.redact(answer[WHY])}; the module is sent whole instead")
        return None

    def _returned(self, result: Mapping, answer: Mapping, hidden: set) -> dict:
        """What the task returns, without what no host may say, and without secrets."""
        return remove_values({**result, **ours(without_internal(answer))}, hidden)

    def _request(self) -> tuple[dict, set]:
        """What the program is asked, with all options of the module, and values that must not come back."""
        arguments = dict(self.MODULE.ARGUMENTS)
        arguments.pop("supports_check_mode")
        spec = _program.unexpanded(arguments.pop("argument_spec"))
        given = without_internal(self._task.args)  # an earlier attempt of the task left some there
        found = ArgumentSpecValidator(spec, **arguments).validate(given)
        if found.error_messages:
            unknown = any(isinstance(error, UnsupportedError) for error in found.errors)
            what = "Unsupported parameters for" if unknown else "Wrong parameters for"
            raise AnsibleActionFail(f"{what} ({self._task.action}) module: {'; '.join(found.error_messages)}")
        params = found.validated_parameters
        return {"module": self._module, "params": params, "check_mode": self._task.check_mode}, found._no_log_values

    def _ask(self, request: Mapping, installs: bool) -> dict:
        """One call of the program. Raises AnsibleActionFail for an answer that nobody can read."""
        environment = self._compute_environment_string()
        command = " ".join(map(shlex.quote, [self._python(), *_program.arguments(installs)]))
        sent = _program.sent(json.dumps(request, default=str).encode(), installs)
        done = self._low_level_execute_command(f"{environment} {command}".strip(), in_data=sent)
        answer = answer_of(done)
        if answer is None and done["rc"] == NO_PYTHON:
            return {WHY: _start.MISSING}  # how an ordinary module finds another Python, or what it says of none
        if answer is None:
            raise AnsibleActionFail(f"{self._host()} gave no answer that can be read: {said(done)}")
        return answer

    def _leave_program(self) -> None:
        """Have an ordinary module put the program there. Where it cannot, the acting module says what that means."""
        done = self._execute_module("aurora.runbook.program", _program.options(), task_vars=self._vars)
        if done.get("failed"):
            display.warning(f"{self._host()}: {_redact.redact(str(done.get('msg')))}")

    def _python(self) -> str:
        """The Python that the host's variables name. Nothing is searched for: that would take another call."""
        delegate = self._task.delegate_to
        variables = self._vars.get("ansible_delegated_vars", {}).get(delegate, {}) if delegate else self._vars
        named = self._templar.template(variables.get("ansible_python_interpreter") or "")
        return named if str(named).startswith("/") else PYTHON

    def _host(self) -> str:
        return self._task.delegate_to or self._vars.get("inventory_hostname", "")


def ours(result: Mapping) -> dict:
    """A result without what Ansible would act upon: no host decides what another one's variables are."""
    return {key: value for key, value in result.items() if key not in NOT_OURS}


def without_internal(values: Mapping) -> dict:
    """Without what Ansible says to itself in options and results."""
    return {key: value for key, value in values.items() if not key.startswith("_ansible_")}


def answer_of(done: Mapping) -> dict | None:
    """What the program answered, None where it did not: of a call that was cut off, a line is somebody else's."""
    answer = _program.read(done["stdout"])
    return None if answer is not None and done["rc"] != 0 and not answer.get("failed") else answer


def said(done: Mapping) -> str:
    """What a command said that gave no answer."""
    words = _redact.redact(done["stderr"].strip() or done["stdout"].strip() or "it said nothing", limit=500)
    return f"exit status {done['rc']}: {words}"
