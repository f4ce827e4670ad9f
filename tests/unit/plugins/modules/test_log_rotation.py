# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a rotation restarts a feed though too few others serve, or is held back for nothing."""

from __future__ import annotations

import contextlib
import gzip
import os

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _conduct, _rotation
from ansible_collections.aurora.runbook.plugins.module_utils.base import _files
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.modules import log_rotation

FEED = "aurora-live-feed.service"


@pytest.mark.parametrize(("enough", "may"), [(True, {FEED}), (False, set())])
def test_too_few_healthy_hosts_take_the_restart_away_and_not_the_rotation(enough, may, monkeypatch):
    """Otherwise the feed is restarted though no other serves, or a full disk is not freed where all are full."""
    seen = []

    def observe(_directory, _uid, writers):
        seen.append(writers.restart)
        return _rotation.Current((), (), (), _rotation.Space(1, 1, 1), ())

    for module, name, stand_in in (
        (log_rotation, "service_uid", lambda _user: 1),
        (log_rotation, "writers_of", lambda _params: log_rotation.Writers((), frozenset({FEED}))),
        (log_rotation, "way", lambda *_arguments: log_rotation.Way([])),
        (log_rotation, "observe", observe),
        (log_rotation, "sentences", lambda *_arguments: []),
        (_rotation, "plan", lambda *_arguments: _rotation.Plan((), (), (), None)),
        (_rotation, "space", lambda _directory: _rotation.Space(1, 1, 1)),
        (_files, "owned_directory", lambda *_arguments: contextlib.nullcontext(0)),
        (_conduct.Conduct, "may_restart", lambda _conduct: enough),
    ):
        monkeypatch.setattr(module, name, stand_in)
    params = {name: spec[0] for name, spec in log_rotation.RANGES.items()}
    params |= {"directory": "/logs", "user": "aurora", "method": "script", "recovery": None}
    assert not log_rotation.run(params, _conduct.Conduct("log_rotation", None, False))["changed"]
    assert seen == [may]


def rename(folder):
    os.rename(folder / "a.jsonl", folder / "a.jsonl-20261129")


def compress_at_once(folder):
    (folder / "a.jsonl.1.gz").write_bytes(gzip.compress((folder / "a.jsonl").read_bytes()))
    (folder / "a.jsonl").unlink()


def put_before_the_extension(folder):
    os.rename(folder / "a.jsonl", folder / "a.1.jsonl")


def take_away(folder):
    (folder / "a.jsonl").unlink()


def take_away_and_compress_an_older_one(folder):
    take_away(folder)
    (folder / "a.jsonl.8.gz").write_bytes(gzip.compress(b""))
    os.utime(folder / "a.jsonl.8.gz", (1, 1))


def copy_and_truncate(folder):
    (folder / "a.jsonl.1").write_bytes((folder / "a.jsonl").read_bytes())
    os.truncate(folder / "a.jsonl", 0)


def rotated(tmp_path, monkeypatch, act):
    (tmp_path / "a.jsonl").write_text("line\n")
    (tmp_path / "a.jsonl.7").write_text("old\n")
    monkeypatch.setattr(log_rotation, "holders", lambda *_arguments: ())
    monkeypatch.setattr(log_rotation, "run_rotation", lambda *_arguments: act(tmp_path) or "")
    directory = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        logs, old, odd = _rotation.scan(directory, os.getuid())
        now = _rotation.Current(logs, old, odd, _rotation.space(directory), ())
        params = {"user": "aurora", "directory": str(tmp_path), "reopen_seconds": 1}
        with log_rotation.pinned(directory, logs):
            return log_rotation.rotate(directory, os.getuid(), logs, now, None, ["rotate"], params)[:2]
    finally:
        os.close(directory)


@pytest.mark.parametrize(
    ("act", "file"),
    [
        (rename, "a.jsonl-20261129"),
        (compress_at_once, "a.jsonl.1.gz"),
        (put_before_the_extension, "a.1.jsonl"),
        (take_away, None),
        (take_away_and_compress_an_older_one, None),
    ],
)
def test_a_log_is_rotated_only_where_a_file_has_its_lines(tmp_path, monkeypatch, act, file):
    """Otherwise a rotation that removes the log is told as a success."""
    expected = ([{"log": "a.jsonl", "file": file}], []) if file else ([], ["a.jsonl"])
    assert rotated(tmp_path, monkeypatch, act) == expected


def test_a_log_that_was_copied_and_cut_is_not_rotated(tmp_path, monkeypatch):
    with pytest.raises(RunbookError, match="is not rotated"):
        rotated(tmp_path, monkeypatch, copy_and_truncate)
