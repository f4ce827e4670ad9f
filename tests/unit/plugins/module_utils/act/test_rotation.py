# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a rotation loses lines, the disk stays full, or a link in the log directory leads root astray."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _rotation
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _log_names
from hypothesis import given
from hypothesis import strategies as st

FEED, RUNNER = "aurora-live-feed.service", "aurora-runner.service"
NOW = 1_000_000.0
MIB = 1 << 20
WISH = _rotation.Wish(keep=2, min_free_percent=10, max_age=3600, tellable=frozenset({FEED}))


def log(name="trades.jsonl", size=100, inode=1):
    return _rotation.File(name, name, (1, inode), size, 4096, NOW)


def rotated(number, log="trades.jsonl", size=MIB, age=None, compressed=False):
    name = f"{log}.{number}{'.gz' if compressed else ''}"
    key = (2, number + 1000 * len(log))
    return _rotation.File(name, log, key, size, size, NOW - 86400 * (number if age is None else age), compressed)


LOG = log()


def current(logs=(LOG,), rotated=(), odd=(), free=50 * MIB, inodes=1000, holders=()):
    return _rotation.Current(
        tuple(logs), tuple(rotated), tuple(odd), _rotation.Space(free, 100 * MIB, inodes), tuple(holders)
    )


def holder(file, unit=RUNNER, writes=True):
    return _rotation.Holder(7, unit, "python3", file.key, writes)


def plan(now, wish=WISH):
    return _rotation.plan(now, wish, NOW)


def refusal(now, wish=WISH):
    reason = plan(now, wish).refusal
    return reason and reason[0]


@pytest.fixture
def directory(tmp_path):
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def test_only_plain_files_with_one_name_are_taken_for_logs(tmp_path, directory):
    for name in (
        "a.jsonl",
        "a.jsonl.1",
        "a.jsonl.2.gz",
        "a.jsonl.bak",
        "notes",
        ".hidden.jsonl",
        "x\ny.jsonl",
        "linked",
    ):
        (tmp_path / name).write_text("line\n")
    (tmp_path / "b.jsonl").symlink_to("/etc/shadow")
    (tmp_path / "a.jsonl.3").symlink_to(tmp_path / "notes")
    (tmp_path / "a.jsonl.4").hardlink_to(tmp_path / "linked")
    (tmp_path / "a.jsonl.5").mkdir()
    os.mkfifo(tmp_path / "a.jsonl.6")
    logs, old, odd = _rotation.scan(directory, os.getuid())
    assert [file.name for file in logs] == ["a.jsonl"]
    assert [(file.name, file.log, file.compressed) for file in old] == [
        ("a.jsonl.1", "a.jsonl", False),
        ("a.jsonl.2.gz", "a.jsonl", True),
    ]
    assert {entry.name: entry.reason for entry in odd} == {
        "b.jsonl": "a symbolic link",
        "a.jsonl.3": "a symbolic link",
        "a.jsonl.4": "a hard link",
        "a.jsonl.5": "not a regular file",
        "a.jsonl.6": "not a regular file",
        r"x\ny.jsonl": "an odd name",
        "a.jsonl.bak": "an odd name",
    }
    foreign = _rotation.scan(directory, os.getuid() + 1)
    assert foreign[:2] == ((), ())
    assert "somebody else's file" in {entry.reason for entry in foreign[2]}


def test_a_number_before_the_extension_is_a_rotated_file_of_the_log_beside_it(tmp_path, directory):
    """Otherwise `extension .jsonl` has rotated files rotated again, and nothing ever frees them."""
    for name in ("a.jsonl", "a.1.jsonl", "a-20261129.jsonl", "a.2.jsonl.gz", "a-2.jsonl", "b.1.jsonl"):
        (tmp_path / name).write_text("line\n")
    logs, old, odd = _rotation.scan(directory, os.getuid())
    assert [file.name for file in logs] == ["a-2.jsonl", "a.jsonl", "b.1.jsonl"]
    assert {(file.name, file.log) for file in old} == {
        ("a.1.jsonl", "a.jsonl"),
        ("a-20261129.jsonl", "a.jsonl"),
        ("a.2.jsonl.gz", "a.jsonl"),
    }
    assert odd == ()
    assert "b.1.jsonl" in {file.name for file in _rotation.scan(directory, os.getuid(), ["b.jsonl"])[1]}


def test_a_log_that_was_compressed_at_once_is_found_and_one_that_is_gone_is_not():
    """A file of the log that was there before, or ends before the log did, does not have its lines."""
    before = [rotated(1, age=1), rotated(2, age=2, compressed=True)]
    copy = replace(rotated(1, age=0, compressed=True), key=(9, 9))
    earlier = replace(rotated(2, age=1, compressed=True), key=(9, 8))
    moved = replace(before[0], name="trades.jsonl.2")
    assert _rotation.packed_copy(LOG, before, [copy, moved]) == copy.name
    assert _rotation.packed_copy(LOG, before, [earlier]) is None
    assert _rotation.packed_copy(LOG, before, before) is None
    assert _rotation.packed_copy(LOG, [], []) is None


def test_a_directory_with_too_many_files_is_refused(tmp_path, directory, monkeypatch):
    monkeypatch.setattr(_log_names, "MOST_ENTRIES", 2)
    for name in "abc":
        (tmp_path / name).touch()
    with pytest.raises(RunbookError, match="more than 2 files"):
        _rotation.scan(directory, os.getuid())


def test_who_has_a_file_open_and_whether_for_writing_is_seen_past_its_name(tmp_path):
    path = tmp_path / "a.jsonl"
    with path.open("w") as writing, path.open() as reading:
        path.rename(tmp_path / "a.jsonl.1")
        status = os.fstat(reading.fileno())
        key = (status.st_dev, status.st_ino)
        found = _rotation.holders({key}, {os.getpid(): RUNNER})
        assert {(one.pid, one.unit, one.writes) for one in found} == {
            (os.getpid(), RUNNER, True),
            (os.getpid(), RUNNER, False),
        }
        writing.close()
        assert [one.writes for one in _rotation.holders({key}, {})] == [False]


def test_a_log_with_lines_is_due_unless_it_was_just_rotated():
    assert plan(current()).due == (log(),)
    assert plan(current([log(size=0)])).due == ()
    assert plan(current(rotated=[rotated(1, age=0.01)])).due == ()
    assert plan(current(rotated=[rotated(1)])).due == (log(),)
    assert plan(current(rotated=[rotated(1, log="other.jsonl", age=0.01)])).due == (log(),)
    assert plan(current(rotated=[rotated(1, age=-5)])).due == (log(),), "a file from the future proves nothing"
    assert plan(current(rotated=[rotated(1, age=0.01)]), replace(WISH, max_age=0)).due == (log(),)


files = st.builds(
    lambda number, name, size, age: replace(rotated(number, name, size * MIB, age), key=(3, hash((number, name)))),
    st.integers(1, 30),
    st.sampled_from(["trades.jsonl", "aurora_events.jsonl"]),
    st.integers(1, 9),
    st.integers(0, 30),
)


@given(
    st.lists(files, max_size=25, unique_by=lambda file: file.name),
    st.integers(0, 5),
    st.integers(0, 100),
    st.sets(st.integers(0, 24)),
)
def test_no_more_is_removed_than_needed_and_never_what_retention_keeps_or_somebody_reads(old, keep, free, opened):
    """Held against the definition: the shortest run of the oldest removable files that makes enough room."""
    held = [holder(old[index], writes=False) for index in opened if index < len(old)]
    now = current([], old, free=free * MIB, holders=held)
    removed = plan(now, replace(WISH, keep=keep, min_free_percent=40)).remove
    for name in {file.log for file in old}:
        mine = sorted(int(file.name.split(".")[2]) for file in old if file.log == name)
        left = sorted(int(file.name.split(".")[2]) for file in old if file.log == name and file not in removed)
        assert left[:keep] == mine[:keep], "the lowest numbers are the newest, whatever their times say"
    assert not {file.key for file in removed} & {one.key for one in held}
    assert list(removed) == sorted(removed, key=lambda file: (file.modified, file.name))
    freed = [file.allocated for file in removed]
    if removed:
        assert free * MIB + sum(freed[:-1]) < 40 * MIB, "the last one was not needed"
    if free * MIB + sum(freed) < 40 * MIB:
        spare = [file for file in old if file not in removed and file.key not in {one.key for one in held}]
        assert all(sum(file.log == name for file in spare) <= keep for name in {file.log for file in spare})


def test_a_writer_that_cannot_be_told_keeps_a_log_from_being_rotated():
    assert refusal(current(holders=[holder(log())])) == "log_untellable"
    assert refusal(current(holders=[holder(log(), unit="")])) == "log_untellable"
    assert refusal(current(holders=[holder(log(), unit=FEED)])) is None
    assert refusal(current(holders=[holder(log(), writes=False)])) is None
    assert refusal(current([log(size=0)], holders=[holder(log())])) is None


def test_a_writer_that_an_earlier_rotation_left_behind_is_got_back_first_or_named():
    old = rotated(1)
    assert refusal(current(rotated=[old], holders=[holder(old)])) == "log_behind"
    assert refusal(current([log(size=0)], rotated=[old], holders=[holder(old)])) == "log_behind"
    told = plan(current([log(size=0)], rotated=[old], holders=[holder(old, unit=FEED)]))
    assert (told.refusal, told.changed) == (None, True)


def test_a_live_log_that_is_no_plain_file_keeps_the_rotation_away_a_rotated_one_does_not():
    assert refusal(current(odd=[_rotation.Odd("b.jsonl", "a symbolic link")])) == "log_odd"
    assert refusal(current([], odd=[_rotation.Odd("b.jsonl", "a symbolic link")])) == "log_odd", "nothing else says so"
    assert refusal(current(odd=[_rotation.Odd("b.jsonl.1", "a symbolic link")])) is None


def test_there_must_be_room_for_what_the_rotation_compresses():
    old = [rotated(1, size=20 * MIB), rotated(2, size=30 * MIB, compressed=True)]
    wish = replace(WISH, min_free_percent=0)
    assert refusal(current(rotated=old, free=21 * MIB), wish) is None
    assert refusal(current(rotated=old, free=21 * MIB - 1), wish) == "log_no_room"
    assert refusal(current(rotated=old, inodes=1), wish) == "log_no_room"
    big = [log(size=40 * MIB)]
    assert refusal(current(big, free=30 * MIB), wish) is None
    assert refusal(current(big, free=30 * MIB), replace(wish, compresses_live=True)) == "log_no_room"


def test_room_for_the_rotation_is_made_from_old_files_even_where_enough_is_free():
    old = [rotated(1, size=20 * MIB), rotated(2, size=5 * MIB), rotated(3, size=5 * MIB)]
    planned = plan(current(rotated=old, free=15 * MIB))
    assert ([file.name for file in planned.remove], planned.refusal[0]) == (["trades.jsonl.3"], "log_no_room")
    planned = plan(current(rotated=old, free=16 * MIB))
    assert ([file.name for file in planned.remove], planned.rotates) == (["trades.jsonl.3"], True)


def test_a_unit_with_one_process_still_in_the_rotated_file_is_behind():
    old, new = {(1, 1): "trades.jsonl"}, {(1, 9): "trades.jsonl"}
    runner, feed = (RUNNER, "trades.jsonl"), (FEED, "trades.jsonl")
    held = [
        _rotation.Holder(7, RUNNER, "python3", (1, 1), True),
        _rotation.Holder(8, RUNNER, "python3", (1, 9), True),
        _rotation.Holder(9, FEED, "python3", (1, 1), False),
    ]
    assert _rotation.places([runner, feed], old, new, held) == {runner: "rotated", feed: "closed"}
    assert _rotation.places([runner], old, new, held[1:]) == {runner: "live"}


class Host:
    """A writer that moves ``after`` so many seconds, or once it is told in a way it ``heeds``."""

    def __init__(self, after=None, heeds=(), ways=("reload", "restart")):
        self.time, self.after, self.heeds, self.ways, self.told = 0.0, after, heeds, ways, []

    def look(self):
        moved = (self.after is not None and self.time >= self.after) or set(self.told) & set(self.heeds)
        return {(RUNNER, "trades.jsonl"): "live" if moved else "rotated"}

    def tell(self, how, unit):
        if how in self.ways:
            self.told.append(how)
        return how in self.ways

    def sleep(self, seconds):
        self.time += seconds

    def settle(self):
        (moved,) = _rotation.settle(self.look, self.tell, lambda: self.time, self.sleep, 10)
        return moved.how, moved.now, self.told


@pytest.mark.parametrize(
    ("host", "outcome"),
    [
        (Host(after=0), ("itself", "live", [])),
        (Host(after=0.3), ("itself", "live", [])),
        (Host(heeds=["reload"]), ("reload", "live", ["reload"])),
        (Host(heeds=["restart"]), ("restart", "live", ["reload", "restart"])),
        (Host(heeds=["restart"], ways=["restart"]), ("restart", "live", ["restart"])),
        (Host(heeds=["restart"], ways=["reload"]), ("reload", "rotated", ["reload"])),
        (Host(ways=[]), ("itself", "rotated", [])),
    ],
    ids=["at once", "soon", "on reload", "on restart", "no reload", "may not be restarted", "no way to tell"],
)
def test_a_writer_is_restarted_only_when_nothing_milder_moved_it(host, outcome):
    assert host.settle() == outcome
    assert host.time < 31
