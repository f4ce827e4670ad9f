# SPDX-License-Identifier: GPL-3.0-or-later
"""What the program on a host does for its callers: the controller, the timer of leases, a person. Private.

Each start answers and ends; there is no daemon.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import traceback

from ansible_collections.aurora.runbook.plugins.module_utils.base import _caller, _redact, _start
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.program import _basic

MODULES = "ansible_collections.aurora.runbook.plugins.modules"
LEASES = ("service_override", "tcp_tuning")  # the modules whose changes the timer may end
USAGE = "usage: aurora-runbook status | ends | --version"


def main(arguments: list[str], path: str) -> int:
    """Handle the arguments of the command line. ``path`` is where this program is."""
    try:
        _start.use(path)
        why = _start.fault(path)
    except OSError as error:
        why = str(error)
    if why:
        sys.stderr.write(f"the program in {path} is not run: {why}\n")
        return 1
    if arguments in (["--version"], ["ends"]):
        # Imported late to save time in each call of a module. The version proves that this host's Python can end
        # leases.
        from ansible_collections.aurora.runbook.plugins.module_utils.act import _lease_ends  # noqa: PLC0415

        if arguments == ["ends"]:
            return _lease_ends.main()
        sys.stdout.write(f"{_start.VERSION}\n")
        return 0
    if arguments == ["status"]:
        from ansible_collections.aurora.runbook.plugins.module_utils.program import _status  # noqa: PLC0415

        return _status.main()
    sys.stderr.write(f"{USAGE}\n")
    return 2


def serve(request: bytes, name: str) -> None:
    """Run the module that a request of the controller asks for, and answer with one line of JSON.

    A request is JSON with ``module``, ``params`` and ``check_mode``, see plugins/plugin_utils/_on_host.py. ``name`` is
    this program's name.
    """
    sys.stdout = sys.stderr  # only the answer goes to the controller
    try:
        _basic.REQUEST.update(json.loads(request))
        if _basic.REQUEST["module"] in LEASES and not _basic.REQUEST["check_mode"]:
            with contextlib.suppress(RunbookError):  # a module that needs the timer reports what is wrong
                _keep_current(name)
        importlib.import_module(f"{MODULES}.{_basic.REQUEST['module']}").main()
    except SystemExit:
        raise
    except Exception as error:  # any error is reported to the controller
        told = _redact.redact_text(traceback.format_exc())
        _basic.answer({"failed": True, "msg": f"{type(error).__name__} in the program on the host", "exception": told})
        raise SystemExit(1) from None


def _keep_current(name: str) -> None:
    # Imported late to save time in each call that changes nothing.
    from ansible_collections.aurora.runbook.plugins.module_utils.program import _install  # noqa: PLC0415

    _install.keep_current(name)


def serve_account(request: bytes, name: str) -> None:
    """The same for an account that can only send requests, each of which has to be allowed, see _allowed.

    ``name`` is this program's name. A request says which program its controller has; another one may know other
    options.
    """
    # Imported late to save time in each call of a controller that has all rights.
    from ansible_collections.aurora.runbook.plugins.module_utils.program import _allowed  # noqa: PLC0415

    try:
        asked = _allowed.request(request)
        if asked.pop("program") != name:
            _basic.answer({"aurora_program": f"it is {name}, not the one of this controller"})
            return
        _allowed.check(asked)
    except Exception as error:  # after any error the request is not allowed
        why = _redact.redact(str(error), limit=500) or type(error).__name__
        _note(why)
        _basic.answer({"failed": True, "msg": f"refused by the program on the host: {why}"})
        raise SystemExit(1) from None
    _caller.has_all_rights = False
    serve(json.dumps(asked).encode(), name)


def _note(why: str) -> None:
    """Write a refusal to the host's log, because it may be reported nowhere else."""
    import syslog  # noqa: PLC0415

    syslog.openlog("aurora-runbook", 0, syslog.LOG_AUTH)
    syslog.syslog(syslog.LOG_WARNING, f"refused {os.environ.get('SUDO_USER', 'root')}: {why!a}")
