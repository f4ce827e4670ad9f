# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a hostile command fills the host's memory, holds a module up, or runs as root."""

from __future__ import annotations

import sys

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base import _command
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import CommandError, RunbookError


def python(script, timeout=20.0):
    return _command.run([sys.executable, "-c", script], timeout)


def test_endless_output_is_cut_and_does_not_hold_the_command_up():
    done = python(f"import sys; sys.stdout.write('x' * {3 * _command.MAX_OUTPUT}); print('no', file=sys.stderr)")
    assert (done.rc, len(done.out), done.last_line) == (0, _command.MAX_OUTPUT, "no")


def test_a_command_that_does_not_end_is_ended():
    with pytest.raises(CommandError, match="did not finish within"):
        python("import time; time.sleep(60)", 0.5)


def test_what_a_command_left_behind_does_not_hold_it_up():
    """A process in the background keeps the pipes open."""
    left = (
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(8)']); print('done')"
    )
    assert python(left, 2.0).out == "done\n"


def test_a_missing_command_is_named():
    with pytest.raises(CommandError, match="no-such-thing is not installed"):
        _command.run(["no-such-thing"])


@pytest.mark.parametrize("user", ["root", "no-such-user", ""])
def test_no_code_of_the_service_runs_as_root_or_nobody_in_particular(user):
    with pytest.raises(RunbookError):
        _command.check_user(user)


@pytest.mark.parametrize("path", ["/opt/$HOME", "relative", "/a b", "/a\n", "/a%n", "", "/opt/{x}"])
def test_paths_that_mean_something_to_systemd_are_refused(path):
    with pytest.raises(RunbookError):
        _command.plain_path("home", path)
    assert _command.plain_path("home", "/opt/aurora-2_x@1.0/+") == "/opt/aurora-2_x@1.0/+"


def test_code_of_the_service_gets_neither_rights_nor_our_environment(monkeypatch):
    ran = []
    monkeypatch.setattr(_command, "run", lambda argv, *_rest: ran.append(argv) or _command.Completed(0, "", ""))
    _command.as_user("aurora", ["id", "-u"], {"A": "1"}, 5, {"ProtectSystem": "strict"}, unit="x.service")
    options, command = ran[0][: ran[0].index("--")], ran[0][ran[0].index("--") :]
    assert command == ["--", "id", "-u"]
    assert {"--uid=aurora", "--property=NoNewPrivileges=yes", "--property=RuntimeMaxSec=5"} <= set(options)
    assert {"--property=ProtectSystem=strict", "--setenv=A=1", "--unit=x.service", "--wait"} <= set(options)
    assert [option for option in options if "setenv" in option] == ["--setenv=A=1"]
