# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of the checks, in lanes: lanes run in parallel, the stages of a lane in order. Standard library only.

The output of a stage is in ``.dev/stages`` while it runs, and is shown completely when it ends.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence

import lab

Named = tuple[str, Sequence[str]]  # the name of a stage, and its command
FOLDER = lab.CHECKOUT / ".dev" / "stages"
SAY_SECONDS = 60  # how often to print which stages still run
END_SECONDS = 30  # how long an interrupted stage may take to tidy up before it is killed


class Stage:
    """A running stage, in a process group of its own."""

    def __init__(self, name: str, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name, self.argv, self.started = name, argv, time.monotonic()
        self.path = FOLDER / f"{name.replace(' ', '-').replace('/', '-')}.log"
        with self.path.open("wb") as output:
            self.process = subprocess.Popen(
                argv, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        self.ended = os.pidfd_open(self.process.pid)  # readable when the process has ended
        lab.say(f"== {name} begins")

    @property
    def took(self) -> str:
        return f"{self.name} {time.monotonic() - self.started:.0f} s"

    def finish(self) -> bool:
        """Show what an ended stage printed; whether it passed."""
        os.close(self.ended)
        passed = self.process.wait() == 0
        lab.say(f"== {self.took}:")
        print(self.path.read_text(encoding="utf-8", errors="replace"), end="", flush=True)
        return passed


def run(lanes: Iterable[Sequence[Named]], environment: Mapping[str, str]) -> int:
    """Run lanes until all have ended, or one of their stages failed: then the others are ended too. Exit status."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    asked = asked_to_end()
    waiting = [iter(lane) for lane in lanes]
    running: dict[int, Stage] = {}  # by the number of the lane
    passed: list[str] = []
    failed: list[Stage] = []

    def begin(lane: int) -> None:
        following = next(waiting[lane], None)
        if following:
            running[lane] = Stage(*following, environment)

    try:
        for lane in range(len(waiting)):
            begin(lane)
        while running and not failed:
            for lane in ended(running, asked):
                stage = running.pop(lane)
                if not stage.finish():
                    failed.append(stage)
                    break
                passed.append(stage.took)
                begin(lane)
    finally:
        end(list(running.values()))
    lab.say(", ".join(passed))
    for stage in failed:
        lab.say(f"FAILED: {stage.name}: {' '.join(stage.argv)}")
    print(f"stages: {len(passed)} passed, {len(failed)} failed", flush=True)
    return 1 if failed else 0


def asked_to_end() -> int:
    """A descriptor that is readable once the run is interrupted or cancelled.

    An exception raised by the signal could come between the start of a stage and its entry among those that run, and
    then nobody would end that stage, which is in a group of its own.
    """
    readable, written = os.pipe()
    os.set_blocking(written, False)
    signal.set_wakeup_fd(written, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: None)
    return readable


def ended(running: Mapping[int, Stage], asked: int) -> list[int]:
    """Wait until stages end, and print now and then which still run; returns their lanes. Raises KeyboardInterrupt."""
    while True:
        ready, _, _ = select.select([asked, *(stage.ended for stage in running.values())], [], [], SAY_SECONDS)
        if asked in ready:
            raise KeyboardInterrupt
        if ready:
            return [lane for lane, stage in running.items() if stage.ended in ready]
        lab.say(f"still running: {', '.join(stage.took for stage in running.values())}")


def end(stages: Sequence[Stage]) -> None:
    """Interrupt stages as Ctrl-C does; whatever they started that is there END_SECONDS later is killed."""
    started = list(handles(pid for stage in stages for pid in lab.family(stage.process.pid)))
    for stage in stages:
        lab.say(f"ending {stage.name}; what it printed: {stage.path}")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(stage.process.pid, signal.SIGINT)
    deadline = time.monotonic() + END_SECONDS
    try:
        while started and time.monotonic() < deadline:
            ready, _, _ = select.select(started, [], [], max(0.0, deadline - time.monotonic()))
            started = [handle for handle in started if handle not in ready]
    finally:
        for handle in started:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                select.select([handle], [], [], END_SECONDS)  # until it is gone
        for stage in stages:
            stage.process.wait()


def handles(pids: Iterable[int]) -> Iterable[int]:
    """A descriptor of each process, which means no other process when that one has ended."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            yield os.pidfd_open(pid)
