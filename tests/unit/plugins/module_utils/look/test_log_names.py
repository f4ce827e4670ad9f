# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, the log rotated last is not read, or a log that somebody still needs is removed."""

from __future__ import annotations

import random
from typing import NamedTuple

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.look import _log_names
from hypothesis import given
from hypothesis import strategies as st

LOG = "trades.jsonl"


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("trades.jsonl.1", ""),
        ("trades.jsonl.14.gz", "gz"),
        ("trades.jsonl-20261124", ""),
        ("trades.jsonl-20261124-1764000000.zst", "zst"),
        ("trades.jsonl.2026-11-24.xz", "xz"),
        ("trades.jsonl.2026-11-28.1764400000.xz", "xz"),
        ("trades.jsonl.2.bz2", "bz2"),
        ("trades.jsonl.3.lz4", "lz4"),
        ("trades.jsonl.4.Z", "Z"),
        ("trades.jsonl_20261129", ""),
        ("trades.jsonl-2026112903.gz", "gz"),
        ("trades.jsonl-2026-11-29T03:00:00", ""),
        ("trades.jsonl-2026-W48", ""),
        ("trades.jsonl-1764400000", ""),
        ("trades.jsonl-1764400000123456789", ""),
        ("trades.1.jsonl", ""),
        ("trades.2.jsonl.gz", "gz"),
        ("trades-20261129.jsonl", ""),
        ("trades-20261129.jsonl.xz", "xz"),
    ],
)
def test_names_that_logrotate_and_scripts_give_are_rotated_files_of_their_log(name, packed):
    assert _log_names.log_of(name, {LOG}) == LOG
    assert _log_names.stamp(name, LOG).packed == packed


@pytest.mark.parametrize(
    "name",
    [
        "trades.jsonl",
        "trades.jsonl.bak",
        "trades.jsonl.gz",
        "trades.jsonl.1.gz.tmp",
        "trades.log.1",
        ".trades.jsonl.1",
        "trades.jsonl.1\n",
        "trades\x1b[2J.jsonl.1",
        "trades-2.jsonl",
        "trades2.jsonl",
        "trades.jsonl.1.jsonl",
        "trades.jsonl-backup-20261129",
        "trades.jsonl.١",
    ],
)
def test_other_names_are_never_removed(name):
    assert _log_names.log_of(name, {LOG, name}) is None


def test_a_number_before_the_extension_is_a_log_of_its_own_without_the_log_beside_it():
    assert _log_names.log_of("trades.1.jsonl", {"trades.1.jsonl"}) is None
    assert _log_names.stamp("events.log.1", "events.log"), "a log of whatever extension"


class File(NamedTuple):
    name: str
    modified: float
    log: str = LOG


def order(*files):
    shuffled = list(files)
    random.Random(3).shuffle(shuffled)
    return [file.name.removeprefix(LOG) for file in _log_names.newest_first(shuffled)[LOG]]


@pytest.mark.parametrize(
    "names",
    [
        [".1", ".2.gz", ".9.gz", ".10.gz", ".100"],
        ["-20261129", "-20261128.gz", "-20261031", "-20251231.xz"],
        ["-2026112903", "-20261129", "-2026-11-28", "-20261127-1764400000"],
        ["-1764400001", "-1764400000123456789", "-1764400000.gz"],
        [".1", ".1.gz"],
    ],
)
def test_names_say_which_is_newer_whatever_the_times_of_the_files(names):
    """A copy or a restored backup has the time of the copy."""
    assert order(*(File(LOG + name, float(age)) for age, name in enumerate(names))) == names


def test_times_decide_between_schemes_and_for_dates_that_begin_with_the_day():
    assert order(File(LOG + ".1", 50), File(LOG + ".2", 40), File(LOG + "-20261129", 90)) == ["-20261129", ".1", ".2"]
    assert order(File(LOG + ".1", 90), File(LOG + ".2", 80), File(LOG + "-20261129", 50)) == [".1", ".2", "-20261129"]
    assert order(File(LOG + "-01-12-2026", 90), File(LOG + "-29-11-2026", 80)) == ["-01-12-2026", "-29-11-2026"]


@given(
    st.lists(
        st.tuples(st.from_regex(_log_names.STAMP, fullmatch=True), st.floats(0, 9)),
        max_size=12,
        unique_by=lambda one: one[0],
    )
)
def test_every_file_is_in_its_order_once(stamps):
    files = [File(f"{LOG}-{stamp}", modified) for stamp, modified in stamps]
    assert sorted(_log_names.newest_first(files).get(LOG, [])) == sorted(files)
