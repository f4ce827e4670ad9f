# SPDX-License-Identifier: GPL-3.0-or-later
"""Says whether a remediation would work, from what hosts and services answered. See plugins/modules/preflight.py.

The answers are read as they were registered and never templated. The pure functions of _ready.py judge the hosts.
"""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Mapping

from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.plugin_utils import (
    _program,
    _ready,
    _ready_around,
    _ready_hosts,
)
from ansible_collections.aurora.runbook.plugins.plugin_utils._report_action import ReportAction

SPEC = {
    "phase": {"type": "str", "required": True, "choices": ["reach", "report"]},
    "report_directory": {"type": "str", "default": ""},
}
AROUND = "__preflight_around"  # what the checks around the hosts registered: the checks, and what is not configured
PYTHON = "/usr/bin/python3"
ROOT = "id -u"
ASKS = "import sys, time; print(*sys.version_info[:2], time.time())"


class ActionModule(ReportAction):
    _supports_diff = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        _checked, asked = self.validate_argument_spec(argument_spec=SPEC)
        return self.told(getattr(self, f"{asked['phase']}_phase"), asked, task_vars)

    def reach_phase(self, _asked: Mapping, task_vars: Mapping) -> dict:
        """Whether this host can be reached, and gives root and Python without a prompt. Never fails.

        With least rights the account never becomes root, and the program on the host answers later.
        """
        least = boolean(self._templar.template(task_vars.get("aurora_least_privilege", False)))
        found = {"reached": False, "goes_on": False, "least_privilege": least}
        rc, out, err = self._command("true", root=False)
        if rc != 0:
            return {**found, "connection": _said(err or out or f"exit status {rc}")}
        found.update(reached=True, connection="", pipelining=bool(self._is_pipelining_enabled("new")), become="")
        if not least:
            rc, out, err = self._command(ROOT, root=True)
            if rc != 0 or out.strip() != "0":
                return {**found, "become": _said(err or out or f"exit status {rc}")}
        found.update(self._python_and_clock(task_vars, root=not least))
        return {**found, "goes_on": not found["python"]["problem"]}

    def _python_and_clock(self, task_vars: Mapping, root: bool) -> dict:
        path = str(self._templar.template(task_vars.get("ansible_python_interpreter") or PYTHON))
        before = time.time()
        rc, out, err = self._command(f"{shlex.quote(path)} -IS -c {shlex.quote(ASKS)}", root)
        after = time.time()
        try:
            major, minor, clock = out.split()[-3:]
            version, now = [int(major), int(minor)], float(clock)
        except ValueError:
            return {"python": {"path": path, "problem": _said(err or out) or f"exit status {rc}"}}
        # How far the host's clock differs from ours at least, because the call itself took a while.
        off = now - after if now > after else now - before if now < before else 0.0
        return {"python": {"path": path, "problem": "", "version": version}, "clock_off_seconds": round(off, 1)}

    def _command(self, command: str, root: bool) -> tuple[int, str, str]:
        """Run a command as modules are run: with input if they are pipelined, which not every sudo allows."""
        sent = b"\n" if self._is_pipelining_enabled("new") else None
        try:
            done = self._low_level_execute_command(command, in_data=sent, sudoable=root)
        except AnsibleError as error:
            return 1, "", str(error)
        return done["rc"], done["stdout"], done["stderr"]

    def report_phase(self, asked: Mapping, task_vars: Mapping) -> dict:
        """All checks, whether everything is ready, and what a person reads."""
        hosts, language = sorted(self.names), self.language_of(task_vars)
        checks = [one for name in hosts for one in self._of_host(name)]
        around = self._around(hosts)
        checks += around["checks"] if "checks" in around else [_ready_around.unchecked("around", _why(around))]
        ready = _ready.all_ready(checks)
        bad = {one["host"] for one in checks if one["state"] != _ready.READY}
        found = {
            "ready": ready,
            "checks": checks,
            "handed_on": {"aurora_ready": ready, "aurora_checks": _ready.handed_on(checks)},
            "lines": _ready.lines(language, hosts, checks, around.get("unconfigured") or []),
            "unready": hosts if "" in bad else sorted(bad),
        }
        if asked["report_directory"]:
            report = os.path.realpath(os.path.expanduser(os.path.join(asked["report_directory"], "preflight")))
            self.write(report, {"json": json.dumps({"ready": ready, "checks": checks}, indent=1) + "\n"}, task_vars)
        return found

    def _of_host(self, name: str) -> list[dict]:
        """The checks of one host. A host may answer anything, and the other hosts still need theirs."""
        try:
            return _ready_hosts.checks(name, self.hostvars.raw_get(name), _program.name())
        except Exception as error:  # whatever the host answered
            return [_ready.unchecked(name, "systemd", "", f"its answer cannot be understood: {error!r}")]

    def _around(self, hosts: list[str]) -> Mapping:
        """What was registered once, on whichever host of the play came first."""
        found = (self.answer(name, AROUND) for name in hosts)
        return next((one for one in found if one), {})


def _why(result: Mapping) -> str:
    """Why a task has no answer, without the arguments that the result may show."""
    return "the task that looks there failed" if result else "no task looked there"


def _said(text: str) -> str:
    return _redact.redact(text.strip(), limit=_ready.LONGEST)
