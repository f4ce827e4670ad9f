# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of every module that runs on hosts: the installed program answers the call if it can.

Shipping, unpacking and compiling a module anew costs more than most of ours do. If the program is missing, an acting
module installs it first, because the end of its change needs it. A module that only looks leaves nothing on the host
and runs as an ordinary module, and so does every module if the connection cannot pipeline or the task is asynchronous.

With aurora_least_privilege, the account on the hosts may only start that program with sudo. Then only the request is
sent, and the host decides whether it is allowed, see module_utils/program/_allowed.

A step of a remediation also gets the options that _acting adds to its task.

Each module has an action plugin of its own name. If all were redirected to one, Ansible would apply the module_defaults
of any of them to all. Ansible loads it before it forks a worker for each host, so its imports, and values computed at
import, are there in every worker, which saves each a tenth of its time.
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
NO_PYTHON = 127  # the shell's status for a command that is missing
BY_SUDO = "sudo -n /usr/local/sbin/aurora-runbook"
WITHOUT_ROOT = ("public_way_info",)  # looks from outside, as any account
WHY = "aurora_program"  # a key in an answer: why the program did not run
# Keys that our results never have, and that Ansible would act upon.
NOT_OURS = ("ansible_facts", "ansible_stats", "add_host", "add_group", _decision.MARK)
PROGRAM = _program.name()  # the name, which has a digest of all sources of the program
display = Display()
# The main process has loaded this, and nearly all else, before it forks a worker for each task on each host. Workers
# need not search these objects for garbage, which would copy their memory and cost an eighth of the CPU time of a run.
gc.freeze()


class ActionModule(OrdinaryModule):
    MODULE: ModuleType  # the module whose options these are

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
                # Ansible-core before 2.19 would template what a host said if it were in the text of a raised error.
                return {"failed": True, "msg": str(error)}
            return ours(super().run(tmp, self._vars)) if answer is None else answer

    def _has_least_privilege(self) -> bool:
        asked = self._templar.template(self._vars.get("aurora_least_privilege", False))
        return boolean(asked) and self._module not in WITHOUT_ROOT

    def _answer_by_sudo(self, tmp: None) -> dict:
        """The answer of the program that the account may start. There is no other way, and nothing is installed."""
        if self._task.async_val or not self._connection.has_pipelining:
            raise AnsibleActionFail(
                "aurora_least_privilege needs a connection with pipelining and a task without async"
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
        """The answer of the program on the host, None if an ordinary module has to run."""
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
        """What the task returns, without keys that no host may set, and without secrets."""
        return remove_values({**result, **ours(without_internal(answer))}, hidden)

    def _request(self) -> tuple[dict, set]:
        """The request to the program, with all options of the module, and the values that must not come back."""
        arguments = dict(self.MODULE.ARGUMENTS)
        arguments.pop("supports_check_mode")
        spec = _program.unexpanded(arguments.pop("argument_spec"))
        given = without_internal(self._task.args)  # an earlier attempt of the task may have left internal ones
        found = ArgumentSpecValidator(spec, **arguments).validate(given)
        if found.error_messages:
            unknown = any(isinstance(error, UnsupportedError) for error in found.errors)
            what = "Unsupported parameters for" if unknown else "Wrong parameters for"
            raise AnsibleActionFail(f"{what} ({self._task.action}) module: {'; '.join(found.error_messages)}")
        params = found.validated_parameters
        return {"module": self._module, "params": params, "check_mode": self._task.check_mode}, found._no_log_values

    def _ask(self, request: Mapping, installs: bool) -> dict:
        """One call of the program. Raises AnsibleActionFail for an unreadable answer."""
        environment = self._compute_environment_string()
        command = " ".join(map(shlex.quote, [self._python(), *_program.arguments(installs)]))
        sent = _program.sent(json.dumps(request, default=str).encode(), installs)
        done = self._low_level_execute_command(f"{environment} {command}".strip(), in_data=sent)
        answer = answer_of(done)
        if answer is None and done["rc"] == NO_PYTHON:
            return {WHY: _start.MISSING}  # an ordinary module then finds another Python, or reports that there is none
        if answer is None:
            raise AnsibleActionFail(f"{self._host()} gave no answer that can be read: {said(done)}")
        return answer

    def _leave_program(self) -> None:
        """Have an ordinary module install the program. If that fails, the acting module says what it means."""
        done = self._execute_module("aurora.runbook.program", _program.options(), task_vars=self._vars)
        if done.get("failed"):
            display.warning(f"{self._host()}: {_redact.redact(str(done.get('msg')))}")

    def _python(self) -> str:
        """The Python that the host's variables name. No search is made, which would take another call."""
        delegate = self._task.delegate_to
        variables = self._vars.get("ansible_delegated_vars", {}).get(delegate, {}) if delegate else self._vars
        named = self._templar.template(variables.get("ansible_python_interpreter") or "")
        return named if str(named).startswith("/") else PYTHON

    def _host(self) -> str:
        return self._task.delegate_to or self._vars.get("inventory_hostname", "")


def ours(result: Mapping) -> dict:
    """A result without the keys that Ansible acts upon, because no host decides about another one's variables."""
    return {key: value for key, value in result.items() if key not in NOT_OURS}


def without_internal(values: Mapping) -> dict:
    """Options or results without Ansible's internal keys."""
    return {key: value for key, value in values.items() if not key.startswith("_ansible_")}


def answer_of(done: Mapping) -> dict | None:
    """The program's answer, None if it gave none. If the call was cut off, a line may come from something else."""
    answer = _program.read(done["stdout"])
    return None if answer is not None and done["rc"] != 0 and not answer.get("failed") else answer


def said(done: Mapping) -> str:
    """The output of a command that gave no answer."""
    words = _redact.redact(done["stderr"].strip() or done["stdout"].strip() or "it said nothing", limit=500)
    return f"exit status {done['rc']}: {words}"
