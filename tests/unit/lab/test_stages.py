# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, ./dev test passes though a check failed, hides what failed, or leaves processes behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
PROGRAM = """
import os, pathlib, sys
sys.path[:0] = [{tests!r}, {lab!r}]
import stages
stages.FOLDER = pathlib.Path({folder!r})
stages.SAY_SECONDS, stages.END_SECONDS = 0.2, 1
{before}
sys.exit(stages.run({lanes!r}, os.environ))
"""
HELD = """
import time
def say(text):
    while not os.path.exists("go"):
        time.sleep(0.02)
stages.lab.say = say
"""  # a stage has begun, and it is not noted yet


def start(folder: Path, *lanes: list[tuple[str, str]], before: str = "") -> subprocess.Popen:
    """Lanes of stages, each a name and a script of the shell; ``before`` is Python to run first."""
    named = [[(name, ["sh", "-c", script]) for name, script in lane] for lane in lanes]
    places = {"tests": str(CHECKOUT / "tests"), "lab": str(CHECKOUT / "tests" / "lab"), "folder": str(folder / "out")}
    argv = [sys.executable, "-c", PROGRAM.format(lanes=named, before=before, **places)]
    return subprocess.Popen(argv, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> tuple[int, str]:
    output = "".join(process.communicate(timeout=60))
    return process.returncode, output


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False


def number(path: Path) -> int:
    wait_until(lambda: path.exists() and path.read_text(encoding="ascii").endswith("\n"))
    return int(path.read_text(encoding="ascii"))


def test_lanes_run_at_once_and_the_stages_of_a_lane_in_order(tmp_path: Path) -> None:
    meets = "touch {}; until [ -e {} ]; do sleep 0.02; done"
    first = [("one", meets.format("a", "b")), ("two", "echo second of $PWD >>order")]
    second = [("three", meets.format("b", "a")), ("four", "[ -e a ] && echo said by four")]
    status, output = finish(start(tmp_path, first, second))
    assert (status, output.splitlines()[-1]) == (0, "stages: 4 passed, 0 failed")
    assert "said by four" in output


def test_what_a_stage_prints_is_shown_in_one_piece_though_another_prints_too(tmp_path: Path) -> None:
    count = "for i in 1 2 3 4 5 6 7 8; do echo {} $i; echo {} $i >&2; sleep 0.02; done"
    _status, output = finish(start(tmp_path, [("one", count.format("a", "a"))], [("two", count.format("b", "b"))]))
    for mark in "ab":
        assert "".join(f"{mark} {i}\n" * 2 for i in range(1, 9)) in output


def test_the_first_failure_ends_all_and_is_the_status(tmp_path: Path) -> None:
    other = [("long", "sleep 1000 & echo $! >child; wait"), ("never", "touch never")]
    failing = [("bad", "until [ -e child ]; do sleep 0.02; done; echo why; exit 3"), ("later", "touch never")]
    status, output = finish(start(tmp_path, other, failing))
    assert (status, output.splitlines()[-1]) == (1, "stages: 0 passed, 1 failed")
    assert "why\n" in output
    assert "FAILED: bad: " in output
    assert not (tmp_path / "never").exists()
    assert not is_alive(number(tmp_path / "child"))


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda sent: sent.name)
def test_an_interrupt_leaves_nothing_behind_not_even_what_ignores_it_in_a_session_of_its_own(
    tmp_path: Path, sent: signal.Signals
) -> None:
    stubborn = "trap '' INT TERM; setsid sh -c 'echo $$ >hidden; exec sleep 1000' & echo $$ >stage; wait"
    process = start(tmp_path, [("stubborn", stubborn)], [("tidy", "echo $$ >tidy; exec sleep 1000")])
    pids = [number(tmp_path / name) for name in ("hidden", "stage", "tidy")]
    os.kill(process.pid, sent)
    status, _output = finish(process)
    assert status != 0
    assert [pid for pid in pids if is_alive(pid)] == []


def test_an_interrupt_while_a_stage_begins_ends_that_stage(tmp_path: Path) -> None:
    process = start(tmp_path, [("slow to begin", "echo $$ >stage; exec sleep 1000")], before=HELD)
    pid = number(tmp_path / "stage")
    os.kill(process.pid, signal.SIGTERM)
    (tmp_path / "go").touch()
    status, _output = finish(process)
    assert status != 0
    assert not is_alive(pid)


def test_it_is_said_what_still_runs(tmp_path: Path) -> None:
    process = start(tmp_path, [("slow one", "until [ -e go ]; do sleep 0.02; done")])
    said = iter(process.stdout.readline, "")
    assert any(line.startswith("[lab] still running: slow one") for line in said)
    (tmp_path / "go").touch()
    status, _output = finish(process)
    assert status == 0
