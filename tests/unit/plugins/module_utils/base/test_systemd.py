# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a service that runs is called down, or a crash loop is told by what happened a week ago."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _override
from ansible_collections.aurora.runbook.plugins.module_utils.base import _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._command import Completed
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import CommandError, RunbookError

# Every state of a service in systemd's source (state_translation_table, and the other one for Type=idle), version 258.
ACTIVE_OF = {
    "dead": "inactive", "condition": "activating", "start-pre": "activating", "start": "activating",
    "start-post": "activating", "running": "active", "exited": "active", "refresh-extensions": "refreshing",
    "refresh-credentials": "refreshing", "reload": "reloading", "reload-signal": "reloading",
    "reload-notify": "reloading", "reload-post": "reloading", "mounting": "refreshing", "stop": "deactivating",
    "stop-watchdog": "deactivating", "stop-sigterm": "deactivating", "stop-sigkill": "deactivating",
    "stop-post": "deactivating", "final-watchdog": "deactivating", "final-sigterm": "deactivating",
    "final-sigkill": "deactivating", "failed": "failed", "dead-before-auto-restart": "inactive",
    "failed-before-auto-restart": "failed", "dead-resources-pinned": "inactive", "auto-restart": "activating",
    "auto-restart-queued": "activating", "cleaning": "maintenance",
}  # fmt: skip
IDLE = [("active", sub) for sub in ("condition", "start-pre", "start", "start-post")]


def unit(active, sub, **properties):
    loaded = {"Id": "x.service", "LoadState": "loaded", "NRestarts": "0"}
    return _systemd.Unit("x.service", {**loaded, "ActiveState": active, "SubState": sub, **properties})


def test_every_state_of_a_service_is_decided_and_no_other():
    assert set(_systemd.PHASES) == {*((active, sub) for sub, active in ACTIVE_OF.items()), *IDLE}


@pytest.mark.skipif(not shutil.which("systemctl"), reason="systemd is the oracle")
def test_this_machines_systemd_has_no_state_of_a_service_that_is_not_decided():
    said = subprocess.run(["systemctl", "--state=help"], capture_output=True, text=True, check=True).stdout
    listed = re.search(r"^Available service unit substates:\n(.*?)\n\n", f"{said}\n\n", re.DOTALL | re.MULTILINE)[1]
    assert set(listed.split()) <= set(ACTIVE_OF)
    assert len(listed.split()) > 10


@pytest.mark.parametrize(
    ("active", "sub", "phase"),
    [
        ("active", "running", "runs"),
        ("reloading", "reload", "runs"),
        ("reloading", "reload-notify", "runs"),
        ("reloading", "reload-signal", "runs"),
        ("refreshing", "refresh-extensions", "runs"),
        ("activating", "start-pre", "starts"),
        ("active", "start-pre", "starts"),
        ("activating", "auto-restart", "restarts"),
        ("failed", "failed-before-auto-restart", "restarts"),
        ("deactivating", "stop-sigterm", "stops"),
        ("deactivating", "final-sigkill", "stops"),
        ("inactive", "dead", "ended"),
        ("active", "exited", "ended"),
        ("failed", "failed", "failed"),
        ("active", "reload", "unknown"),
        ("inactive", "running", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_what_a_service_is_doing(active, sub, phase):
    seen = unit(active, sub)
    assert (seen.phase, seen.running, seen.over) == (phase, phase == "runs", phase in ("ended", "failed"))


@pytest.mark.parametrize("states", sorted(_systemd.PHASES))
def test_an_override_is_allowed_on_what_runs_and_on_nothing_that_is_on_its_way(states):
    current = _override.Current(unit(*states), None, None, None, {})
    phase = _systemd.PHASES[states]
    if phase == _systemd.RUNS:
        _override.check_unit(current, "present", {"A": "1"})
    else:
        with pytest.raises(RunbookError, match="start it first"):
            _override.check_unit(current, "present", {"A": "1"})
    if phase in (_systemd.FAILED, _systemd.RESTARTS):
        _override.check_unit(current, "present", {"MemoryMax": "1G"})  # more memory may help it


# Crashes, from what the journal has


class Journal:
    """Lines of systemd about x.service as its journal has them, each ``ago`` seconds."""

    def __init__(self):
        self.now, self.entries, self.number = time.monotonic(), [], 0

    def say(self, ago, message, **fields):
        at = str(int((self.now - ago) * 1e6))
        entry = {"MESSAGE_ID": message, "INVOCATION_ID": f"run{self.number}", "__MONOTONIC_TIMESTAMP": at, **fields}
        self.entries.append(entry)
        return self

    def start(self, ago):
        self.number += 1
        return self.say(ago, _systemd.STARTED)

    def crash(self, ago, result="exit-code", code="exited", status="1", restart=True):
        self.say(ago, _systemd.PROCESS_EXIT, EXIT_CODE=code, EXIT_STATUS=status)
        self.say(ago, _systemd.FAILURE, UNIT_RESULT=result)
        return self.say(ago - 0.1, _systemd.RESTART_SCHEDULED) if restart else self

    def stop(self, ago):
        return self.say(ago, _systemd.STOPPING)

    def signal(self, ago, name="KILL"):
        said = f"x.service: Sent signal SIG{name} to main process 7 (python3) on client request."
        return self.say(ago, None, MESSAGE=said)

    def judged(self, seen=None):
        out = "".join(json.dumps(entry) + "\n" for entry in self.entries)
        return _systemd.crashes(lambda _argv: Completed(0, out, ""), seen or unit("activating", "auto-restart"))


def loop(journal, first, count, every=4, life=1, left=False):
    """So many crashes; systemd starts it anew after each, unless after the last one it is ``left`` to somebody."""
    for number in range(count):
        again = not left or number < count - 1
        journal.start(first - number * every).crash(first - number * every - life, restart=again)
    return journal


def test_a_service_that_ends_again_and_again_is_in_a_loop_and_out_of_it_when_its_crashes_are_long_ago():
    found = loop(Journal(), 13, 3).judged()
    assert [round(age) for age in found.ages] == [4, 8, 12]
    assert round(found.loop_left) == 288
    assert loop(Journal(), 7 * 86400, 3).judged(unit("activating", "start-pre", NRestarts="3")).count == 0
    assert loop(Journal(), 13, 2).judged().loop_left == 0


def test_a_service_that_stayed_up_needs_no_journal():
    since = str(int((time.monotonic() - 301) * 1e6))
    seen = unit("active", "running", ActiveEnterTimestampMonotonic=since, NRestarts="3")
    assert loop(Journal(), 13, 3).judged(seen) == _systemd.Crashes()


def test_a_manual_restart_in_a_loop_that_goes_on_is_part_of_it():
    """Otherwise it would be called down and be started again, on a systemd that counts restarts anew from there."""
    journal = loop(Journal(), 30, 3, left=True)
    loop(journal, 10, 1)  # nobody scheduled that: a person started it
    assert journal.judged(unit("activating", "auto-restart", NRestarts="1")).count == 4
    between = loop(Journal(), 30, 3).start(20).stop(19.5)  # it was up for a moment when the person came
    loop(between, 10, 1)
    assert between.judged().count == 4


def test_what_a_person_restarted_and_stayed_up_left_its_loop_behind():
    journal = loop(Journal(), 100, 4, left=True).start(60)
    assert journal.judged(unit("active", "running")).count == 0
    assert journal.crash(40).judged().count == 1
    since = loop(Journal(), 100, 4, left=True).start(60).stop(30).start(29)
    assert since.judged(unit("active", "running")).count == 0


def test_what_systemd_restarts_belongs_to_the_loop_however_long_it_ran():
    assert loop(Journal(), 250, 4, every=60, life=50).judged().count == 4


@pytest.mark.parametrize("signal", ["KILL", "TERM"])
def test_what_somebody_ended_is_no_crash(signal):
    journal = Journal()
    for ago in (50, 40, 30, 20):
        journal.start(ago).signal(ago - 1, signal).crash(ago - 1, "signal", "killed", "9")
    for ago in (10, 6):
        journal.start(ago).stop(ago - 1).crash(ago - 1, restart=False)  # it ends with a status of its own then
    assert journal.judged().count == 0


def test_what_somebody_told_to_reopen_its_logs_may_crash_all_the_same():
    journal = Journal()
    for ago in (50, 40, 30):
        journal.start(ago).signal(ago - 1, "HUP").crash(ago - 2)
    assert journal.judged().count == 3


def test_what_others_restart_after_each_crash_is_in_a_loop_although_systemd_counts_none():
    journal = Journal()
    for ago in (50, 40, 30):
        journal.start(ago).crash(ago - 5, restart=False)
    found = journal.judged(unit("failed", "failed"))
    assert found.count == 3


def test_a_start_that_systemd_refuses_for_their_number_is_no_crash_of_its_own():
    journal = loop(Journal(), 20, 2).say(10, _systemd.FAILURE, UNIT_RESULT="exit-code")
    assert journal.judged(unit("failed", "failed")).count == 2


def test_what_was_killed_is_told_from_what_was_killed_for_its_memory_and_from_what_did_not_stop():
    journal = Journal().start(60).crash(55, "oom-kill", "killed", "9").start(50).crash(45, "signal", "killed", "9")
    journal.start(40).crash(35, "timeout", "killed", "9").start(30).crash(25, "signal", "killed", "11")
    found = journal.judged()
    assert (found.count, found.killed, found.memory) == (4, 2, 1)


@pytest.mark.parametrize(
    ("seen", "count"),
    [
        (unit("activating", "auto-restart", NRestarts="5"), 5),
        (unit("failed", "failed", NRestarts="5"), 0),
        (unit("inactive", "dead", NRestarts="5"), 0),
    ],
)
def test_where_the_journal_tells_nothing_systemds_count_stands_for_what_restarts_right_now(seen, count):
    for out in ("", "no json\n", "[]\n{}\n"):
        assert _systemd.crashes(lambda _argv, out=out: Completed(0, out, ""), seen).count == count

    def late(_argv):
        raise CommandError("journalctl did not finish within 2.5 s")

    assert _systemd.crashes(late, seen).count == count


def test_an_alias_has_the_name_of_its_unit():
    """By which leases, control groups and the journal know it."""
    asked = []

    def run(argv):
        asked.append(argv[argv.index("--") + 1 :])
        return Completed(0, "Id=aurora-runner.service\n\nId=gone.service\nLoadState=not-found\n", "")

    names = _systemd.own_names(run, ["trader", "gone.service"])
    assert names == {"trader": "aurora-runner.service", "gone.service": "gone.service"}
    assert asked == [["trader.service", "gone.service"]]
    assert _systemd.own_names(run, []) == {}
    with pytest.raises(RunbookError, match="not a service"):
        _systemd.own_names(run, ["x.timer"])


def test_who_listens_on_a_port_is_told_from_who_is_connected_to_it():
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as other:
        ports = [one.getsockname()[1] for one in (listener, other)]
        assert [_systemd.listeners(port) for port in ports] == [[os.getpid()], []]
    assert _systemd.listeners(ports[0]) == []


def test_a_port_of_ipv6_is_listened_on_too(tmp_path):
    row = (
        "   0: 00000000000000000000000000000000:2328 00000000000000000000000000000000:0000 0A 0:0 00:0 0 997 0 4711 1 0"
    )
    (tmp_path / "net").mkdir()
    (tmp_path / "net/tcp6").write_text(f"  sl  local_address rem_address st\n{row}\n")
    for pid, inode in ((7, 4711), (8, 4712)):
        (tmp_path / f"{pid}/fd").mkdir(parents=True)
        (tmp_path / f"{pid}/fd/3").symlink_to(f"socket:[{inode}]")
    assert (_systemd.listeners(9000, str(tmp_path)), _systemd.listeners(8001, str(tmp_path))) == ([7], [])
