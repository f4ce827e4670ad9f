# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a preflight does not see what will keep a remediation from working on a host."""

from __future__ import annotations

import os
import pwd

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base import _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.look import _fitness

ME = pwd.getpwuid(os.getuid()).pw_name
GOOD, BAD = b'{"ts": 1, "why": "X"}\n', b'{"ts": 1, "wh\n'


@pytest.mark.parametrize(
    ("content", "lines", "malformed"), [(GOOD * 3, 3, 0), (GOOD + BAD + b"[1]\n", 3, 2), (b"", 0, 0)]
)
def test_lines_of_a_log_that_are_no_objects_are_counted(tmp_path, content, lines, malformed):
    path = tmp_path / "events.jsonl"
    path.write_bytes(content)
    found = _fitness.log(str(path), ME)
    assert (found["lines"], found["malformed"], found["problem"]) == (lines, malformed, "")


def test_a_log_that_is_missing_or_somebody_elses_is_a_problem(tmp_path):
    assert _fitness.log(str(tmp_path / "none.jsonl"), ME)["problem"]
    (tmp_path / "link.jsonl").symlink_to("/etc/shadow")
    assert _fitness.log(str(tmp_path / "link.jsonl"), ME)["problem"]
    assert _fitness.log("/etc/hostname", "nobody")["problem"]


@pytest.mark.parametrize(
    ("content", "mode", "sound"),
    [
        ("a-token-of-the-feed\n", 0o600, True),
        ("a-token-of-the-feed\n", 0o604, False),
        ("", 0o600, False),
        ("short\n", 0o600, False),
        ("with blanks in it\n", 0o640, False),
    ],
)
def test_a_token_is_usable_and_never_shown(tmp_path, content, mode, sound):
    path = tmp_path / "auth_token"
    path.write_text(content, encoding="ascii")
    path.chmod(mode)
    found = _fitness.token(str(path), ME)
    assert (found["problem"] == "") is sound
    assert not content.strip() or content.strip() not in str(found)


def test_without_a_token_there_is_a_problem(tmp_path):
    assert _fitness.token(str(tmp_path / "none"), ME)["problem"]


def test_who_else_can_change_a_part_of_a_path_is_found(tmp_path):
    inner = tmp_path / "open" / "inner"
    inner.mkdir(parents=True)
    owners, groups = (0, os.getuid()), (0, os.getgid())
    assert _fitness.exposed(str(inner / "later.py"), owners, groups) == ""
    (tmp_path / "open").chmod(0o777)
    assert _fitness.exposed(str(inner / "later.py"), owners, groups) == str(tmp_path / "open")
    (tmp_path / "open").chmod(0o775)
    assert _fitness.exposed(str(inner), owners, groups) == ""
    assert _fitness.exposed(str(inner), owners, ()) == str(tmp_path / "open")


@pytest.fixture
def home(tmp_path):
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "calibrate.py").write_text("", encoding="ascii")
    (tmp_path / "calibration.py").write_text("", encoding="ascii")
    return tmp_path


def problems(home):
    return {os.path.basename(one["path"]): one["problem"] for one in _fitness.refit_code(str(home), ME)}


def test_the_code_of_a_refit_is_there_and_nobody_elses(home):
    assert problems(home) == {"calibrate.py": "", "calibration.py": ""}
    (home / "tools" / "calibrate.py").chmod(0o666)
    (home / "calibration.py").unlink()
    assert all(problems(home).values())


def test_a_package_is_looked_into(home):
    (home / "calibration.py").unlink()
    (home / "calibration").mkdir()
    (home / "calibration" / "__init__.py").write_text("", encoding="ascii")
    assert problems(home)["calibration"] == ""
    (home / "calibration" / "__init__.py").chmod(0o666)
    assert "__init__.py" in problems(home)["calibration"]


def test_room_is_that_of_the_directory_or_of_where_it_would_be_made(tmp_path):
    assert _fitness.room(str(tmp_path / "not" / "there"))["free_bytes"] == pytest.approx(
        _fitness.room(str(tmp_path))["free_bytes"], rel=0.1
    )
    assert _fitness.room(str(tmp_path))["read_only"] is False


@pytest.mark.parametrize(
    ("environment", "files", "value"),
    [
        ("", [], None),
        ("KELLY_MULTIPLIER=1.0 OTHER=x", [], "1.0"),
        ('"OTHER=with blank" KELLY_MULTIPLIER=0.8', [], "0.8"),
        ("KELLY_MULTIPLIER=1.0", ["# a comment\nKELLY_MULTIPLIER=0.7\n"], "0.7"),
        ("KELLY_MULTIPLIER=1.0", ['KELLY_MULTIPLIER="0.7"\n', " export KELLY_MULTIPLIER='0.6'\n"], "0.6"),
        ("KELLY_MULTIPLIER=1.0", ["#KELLY_MULTIPLIER=0.7\n;KELLY_MULTIPLIER=0.7"], "1.0"),
        ("OTHER=it's KELLY_MULTIPLIER=1.0", [], "1.0"),
    ],
)
def test_what_a_unit_sets_is_read_as_systemd_does(environment, files, value):
    assert _fitness.configured(environment, files).get("KELLY_MULTIPLIER") == value


def knob(processes):
    unit = _systemd.Unit("x", {"MainPID": "7", "Environment": "KELLY_MULTIPLIER=1.0"})
    found = _fitness.knobs(unit, processes, [])
    return next(({k: one[k] for k in ("running", "configured", "reached")} for one in found), None)


def test_a_knob_as_it_runs_and_as_it_is_set():
    own = {"INVOCATION_ID": "x", "KELLY_MULTIPLIER": "0.8"}
    assert knob({7: own}) == {"running": "0.8", "configured": "1.0", "reached": True}
    assert knob({7: {}, 8: own}) == {"running": "0.8", "configured": "1.0", "reached": True}
    assert knob({7: {"KELLY_MULTIPLIER": "0.8"}}) == {"running": None, "configured": "1.0", "reached": False}
    assert knob({}) is None
