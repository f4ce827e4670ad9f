# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, nobody gets a review, or one that lacks a host without saying so.

The real playbook and role run; a stand-in answers for incident_info.
"""

from __future__ import annotations

import re
import stat
import sys
from datetime import datetime, timezone
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(CHECKOUT / "tests"))

import reviewed  # the path above is what makes it importable

GONE = {"problem": "no route to host"}


def names(days=30):
    today = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    return [f"review-{today}-{days}d.html", f"review-{today}-{days}d.md"]


def test_it_is_written_from_the_hosts_that_are_left_and_again_nothing_changes(report):
    """Otherwise a host that is down keeps the lessons of all others from being written, or goes missing in silence."""
    answers = {**reviewed.many(12), "aurora9": GONE}
    status, said, files = report("review", answers)
    assert status == 0
    assert list(files) == names()
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o640}
    assert all(str(path) in said for path in files.values())
    for path in files.values():
        text = path.read_text(encoding="utf-8")
        assert "aurora9 could not be read" in text
        assert "no route to host" in text
        assert "DECISIONS" in text
    before = {name: path.read_bytes() for name, path in files.items()}
    status, said, files = report("review", answers)
    assert status == 0
    assert re.search(r"changed=0 ", said)
    assert {name: path.read_bytes() for name, path in files.items()} == before


def test_check_mode_writes_nothing_and_shows_the_difference(report):
    answers = reviewed.many(3)
    status, _said, files = report("review", answers, "--check")
    assert (status, files) == (0, {})
    _status, _said, files = report("review", answers)
    before = {name: path.read_bytes() for name, path in files.items()}
    status, said, files = report("review", answers, "--check", "--diff", "-e", "aurora_language=uk")
    assert status == 0
    assert re.search(r"^-# Review of 30 days.*\n\+# Огляд за 30 дн\.", said, re.MULTILINE)
    assert {name: path.read_bytes() for name, path in files.items()} == before


def test_the_days_name_the_files_and_are_what_hosts_are_asked_for(report):
    """Otherwise a review of a quarter is one of a month. AWX leaves empty what nobody answers."""
    status, said, files = report("review", {"aurora1": reviewed.host()}, "-e", "aurora_review_days=90")
    assert (status, list(files)) == (0, names(90))
    assert "so many days back, 90" in said
    for days, reason in (("0", "expected 1 to 3660"), ("4000", "expected 1 to 3660"), ("a week", "int")):
        status, said, files = report("review", {"aurora1": reviewed.host()}, "-e", f"aurora_review_days='{days}'")
        assert status != 0
        assert reason in " ".join(said.split())
        assert list(files) == names(90)
    status, _said, files = report("review", {"aurora1": reviewed.host()}, "-e", "aurora_review_days=")
    assert (status, list(files)) == (0, [*names(), *names(90)])


def test_where_no_host_could_be_read_it_fails_and_writes_nothing(report):
    status, said, files = report("review", {"aurora1": GONE, "aurora2": GONE})
    assert status != 0
    assert "no host could be read" in " ".join(said.split())
    assert files == {}


def test_nothing_that_a_host_says_is_a_template(report, tmp_path):
    """Otherwise whoever owns one host runs commands on the controller, with the credentials of all the others."""
    hostile = f"«« lookup('pipe', 'touch {tmp_path / 'ran'}') »»"
    one = reviewed.incident(reviewed.opening(), (5, "refused", {"guard": hostile}), chain={"problem": hostile})
    answers = {"aurora1": reviewed.host(one, leases=[{"name": hostile}], msg=hostile)}
    status, _said, files = report("review", answers, "-v")
    assert status == 0
    assert all("{{ lookup" in path.read_text(encoding="utf-8") for name, path in files.items() if name[-2:] == "md")
    assert not (tmp_path / "ran").exists()
