# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a host runs a program that is cut off or somebody else's, or none where one could be.

Everything runs as it does on a host, by a Python of its own, from what the controller sends; only the directory is
another one, and everything in it counts as root's. tests/integration/one_host/test_program.py has a real host.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base import _start
from ansible_collections.aurora.runbook.plugins.plugin_utils import _program

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

import pythons  # the path above is what makes it importable

START = f"{_program.PACKAGE}/module_utils/base/_start.py"
AS_ROOTS = """\
import os

def _lstat(path, real=os.lstat, **options):
    status = list(real(path, **options))
    mode = status[0] if os.path.basename(path) == "open to others" else status[0] & ~0o022
    return os.stat_result([mode, *status[1:4], 0, *status[5:10]])

os.lstat = _lstat
"""
OLDER, NEWER = "0.0.1-0123456789abcdef", "9.0.0-0123456789abcdef"


class Host:
    """A directory for programs, and a Python that runs them."""

    def __init__(self, base: Path):
        self.base, self.python = base, sys.executable

    def call(self, installs: bool) -> dict:
        """What is answered to a request that names no module."""
        argv = [self.python, *_program.arguments(installs)]
        done = subprocess.run(argv, input=_program.sent(b"{}", installs), capture_output=True, check=False, cwd="/")
        assert done.stderr == b"", done.stderr.decode()
        return _program.read(done.stdout.decode())

    def runs(self, installs: bool) -> bool:
        return self.call(installs).get("msg") == "KeyError in the program on the host"

    def why(self, installs: bool = False) -> str:
        return self.call(installs)["aurora_program"]

    def current(self) -> subprocess.CompletedProcess:
        argv = [self.python, "-IS", str(self.base / "current"), "--version"]
        return subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/")

    @property
    def programs(self) -> set[str]:
        return set(os.listdir(self.base))


@pytest.fixture
def above() -> str:
    """The directory above that of all programs; "open to others" is one that others can write."""
    return "lib"


@pytest.fixture
def host(above: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    base = tmp_path / above / "aurora-runbook"
    base.parent.mkdir()
    base.parent.chmod(0o775)
    text = _program.sources()[START].decode().replace(f'"{_start.BASE}"', repr(str(base)))
    sources = {**_program.sources(), START: f"{AS_ROOTS}{text}".encode()}
    monkeypatch.setattr(_program, "sources", lambda: sources)
    archive = _program.archive.__wrapped__()
    monkeypatch.setattr(_program, "archive", lambda: archive)
    monkeypatch.setattr(_program, "name", _program.name.__wrapped__)  # which keeps what it found otherwise
    return Host(base)


@pytest.mark.parametrize("minor", [9, 10, 13])  # RHEL 9 and Debian 11, Ubuntu 22.04, Debian 13
def test_it_is_installed_and_runs_with_the_pythons_of_hosts(host: Host, minor: int) -> None:
    host.python = pythons.newest(minor, minor)
    if not host.python:
        pytest.skip(f"no Python 3.{minor} is here; install one, for example with pyenv")
    assert host.why() == _start.MISSING
    assert host.runs(installs=True)
    assert host.runs(installs=False)
    assert host.programs == {_program.name(), "current"}
    assert (host.current().returncode, host.current().stdout) == (0, f"{_start.VERSION}\n")
    assert list(host.base.glob(f"*/**/_triage.cpython-3{minor}.pyc"))


def test_it_runs_with_another_python_than_it_was_installed_with(host: Host) -> None:
    assert host.runs(installs=True)
    before = sorted(host.base.rglob("*_triage*.pyc"))
    others = (pythons.newest(minor, minor) for minor in (9, 10, 11, 12, 13) if minor != sys.version_info.minor)
    host.python = next(filter(None, others), None)
    if not host.python:
        pytest.skip("no second Python is here; install one, for example with pyenv")
    for _call in range(2):
        assert host.current().returncode == 0
        assert host.runs(installs=False)
    assert sorted(host.base.rglob("*_triage*.pyc")) == before  # who only looks adds nothing


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("harm", [cut, Path.unlink])
@pytest.mark.parametrize("part", ["**/act/_override.py", "**/_override.cpython-*.pyc", "manifest.json"])
def test_one_that_is_not_whole_is_not_run_and_is_replaced(host: Host, harm, part: str) -> None:
    assert host.runs(installs=True)
    harm(next((host.base / _program.name()).glob(part)))
    assert host.why() == _start.NOT_WHOLE
    assert (host.current().returncode, _start.NOT_WHOLE in host.current().stderr) == (1, True)
    assert host.runs(installs=True)
    assert host.programs == {_program.name(), "current"}
    assert host.current().returncode == 0


def test_what_a_kill_left_is_removed(host: Host) -> None:
    assert host.runs(installs=True)
    (host.base / ".new-0123" / "x").mkdir(parents=True)
    (host.base / "current.new").symlink_to("nowhere")
    (host.base / "current").unlink()
    assert host.runs(installs=True)
    assert host.programs == {_program.name(), "current"}


def test_a_link_in_its_place_is_not_run(host: Host, tmp_path: Path) -> None:
    assert host.runs(installs=True)
    place = host.base / _program.name()
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    for installs in (False, True):
        assert "neither a file nor a directory" in host.why(installs)
    assert place.is_symlink()


def test_an_older_one_goes_unless_something_runs_in_it(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(_program, "name", lambda: OLDER)
        assert host.runs(installs=True)
    descriptor = os.open(host.base / OLDER, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    assert host.runs(installs=True)
    assert host.programs == {OLDER, _program.name(), "current"}
    assert os.readlink(host.base / "current") == _program.name()
    os.close(descriptor)
    assert host.runs(installs=True)
    assert host.programs == {_program.name(), "current"}


def test_a_newer_one_stays_current_and_each_controller_runs_its_own(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(_program, "name", lambda: NEWER)
        assert host.runs(installs=True)
    assert host.runs(installs=True)
    assert host.programs == {NEWER, _program.name(), "current"}
    assert os.readlink(host.base / "current") == NEWER
    cut(host.base / NEWER / "manifest.json")
    assert host.runs(installs=True)  # the timer of leases needs one that runs
    assert os.readlink(host.base / "current") == _program.name()


def test_only_root_can_open_it_and_so_lock_it(host: Host) -> None:
    assert host.runs(installs=True)
    assert host.base.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="who is not root gets no further than the directory")
def test_what_keeps_it_from_being_installed_is_told(host: Host) -> None:
    host.base.parent.joinpath("target").mkdir()
    host.base.symlink_to("target")
    assert "is a link" in host.why(installs=True)


@pytest.mark.parametrize("above", ["open to others"])
def test_below_a_directory_that_others_can_write_none_is_put_there(host: Host) -> None:
    why = host.why(installs=True)
    assert f"others than root can change {host.base.parent}" in why
    assert host.programs == set()


def test_two_installs_at_once_leave_one_program(host: Host) -> None:
    argv, sent = [host.python, *_program.arguments(True)], _program.sent(b"{}", True)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "cwd": "/"}
    both = [subprocess.Popen(argv, **pipes) for _ in range(2)]
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda process: process.communicate(sent)[0].decode(), both))
    assert all("KeyError in the program on the host" in answer for answer in answers)
    assert host.programs == {_program.name(), "current"}
