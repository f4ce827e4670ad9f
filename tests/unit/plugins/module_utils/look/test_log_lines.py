# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a log that was just rotated looks empty, or a hostile file has root read or unpack without end."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import pwd
import sys

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _log_lines, _log_names, _probes, _trades

ME = pwd.getpwuid(os.getuid()).pw_name
SIZE = 1 << 20


def same(raw):
    return raw


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "trades.jsonl"
    path.write_bytes(b"new\n")
    return path


def read(log, size=SIZE):
    return _log_lines.read(str(log), ME, size)


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("trades.jsonl.1", same),
        ("trades.jsonl-20261129", same),
        ("trades.jsonl.2026-11-28.1764400000.xz", lzma.compress),
        ("trades.jsonl.1.gz", gzip.compress),
        ("trades.jsonl.2.bz2", bz2.compress),
        ("trades.1.jsonl", same),
        ("trades-20261129.jsonl.gz", gzip.compress),
        ("trades.jsonl.3.lzma", lambda raw: lzma.compress(raw, format=lzma.FORMAT_ALONE)),
        ("trades.jsonl.1.gz", lambda raw: gzip.compress(raw[:3]) + gzip.compress(raw[3:])),
        ("trades.jsonl.1.bz2", lambda raw: bz2.compress(raw[:3]) + bz2.compress(raw[3:])),
    ],
)
def test_the_log_rotated_last_is_read_whatever_its_name(log, name, pack):
    log.with_name(name).write_bytes(pack(b"one\ntwo\nthree\n"))
    log.with_name("trades.jsonl.9").write_bytes(b"older\n")
    os.utime(log.with_name("trades.jsonl.9"), (1, 1))
    assert read(log) == _log_lines.Tail([b"one", b"two", b"three", b"new"], 4, log.stat().st_mtime)
    assert read(log, 15).lines == [b"two", b"three", b"new"], "no more bytes than asked for, and whole lines"
    assert _trades.read_log(str(log), ME, SIZE, 4) == [b"one", b"two", b"three", b"new"]
    assert _probes.log_tail(str(log), ME)["lines"] == ["one", "two", "three", "new"]
    log.unlink()
    assert read(log).lines == [b"one", b"two", b"three"], "its writer has not opened it anew yet"


def test_a_rotated_log_without_a_line_is_passed_over(log):
    log.with_name("trades.jsonl.1").touch()
    log.with_name("trades.jsonl.2.gz").write_bytes(gzip.compress(b""))
    log.with_name("trades.jsonl.3.gz").write_bytes(gzip.compress(b"old\n"))
    assert read(log).lines == [b"old", b"new"]


def test_what_is_not_asked_for_is_not_unpacked(log):
    log.with_name("trades.jsonl.1.gz").write_bytes(b"broken")
    assert read(log, 4) == _log_lines.Tail([b"new"], 4, log.stat().st_mtime)
    assert _log_lines.read(str(log), ME, SIZE, 1).unread == ""
    log.with_name("trades.jsonl.1.gz").unlink()
    log.unlink()
    with pytest.raises(FileNotFoundError):
        read(log)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("trades.jsonl.1.gz", gzip.compress(b"x\n" * 10_000, mtime=0)[:-20]),
        ("trades.jsonl.1.xz", lzma.compress(b"x\n" * 10_000)[:-20]),
        ("trades.jsonl.1.bz2", bz2.compress(b"x\n" * 10_000)[:-20]),
        ("trades.jsonl.1.gz", b"no gzip at all"),
        ("trades.jsonl.1.xz", b"no xz at all"),
        ("trades.jsonl.1.lz4", b"whatever"),
        pytest.param(
            "trades.jsonl.1.zst",
            b"whatever",
            marks=pytest.mark.skipif(sys.version_info >= (3, 14), reason="the standard library has it"),
        ),
    ],
)
def test_what_cannot_be_unpacked_is_said_and_is_not_few_trades(log, name, content):
    log.with_name(name).write_bytes(content)
    found = read(log)
    assert (found.lines, name in found.unread) == ([b"new"], True)
    assert name in _probes.log_tail(str(log), ME)["unread"]
    assert _trades.read_log(str(log), ME, SIZE, 1) == [b"new"], "what is needed is there"
    with pytest.raises(RunbookError, match=name):
        _trades.read_log(str(log), ME, SIZE, 2)


def test_what_unpacks_without_end_is_given_up(log, monkeypatch):
    """A file of 1 MB can hold 1 GB, and its owner may not be trusted."""
    monkeypatch.setattr(_log_lines, "MOST_UNPACKED", 1 << 20)
    log.with_name("trades.jsonl.1.gz").write_bytes(gzip.compress(b"x\n" * (1 << 20)))
    assert "takes too long" in read(log).unread
    monkeypatch.setattr(_log_lines, "MOST_UNPACKED", 1 << 30)
    assert read(log, 100).lines == [*[b"x"] * 47, b"new"]
    monkeypatch.setattr(_log_lines, "MOST_SECONDS", 0.0)
    assert "takes too long" in read(log).unread


def test_a_file_that_asks_for_much_memory_is_not_unpacked(log, monkeypatch):
    monkeypatch.setattr(_log_lines, "MOST_MEMORY", 1 << 20)
    log.with_name("trades.jsonl.1.xz").write_bytes(lzma.compress(b"x\n", preset=9))
    assert "LZMAError" in read(log).unread


def test_links_pipes_directories_and_files_of_others_are_no_rotated_logs(log, tmp_path):
    (tmp_path / "secret").write_text("secret\n")
    log.with_name("trades.jsonl.1").symlink_to(tmp_path / "secret")
    os.mkfifo(log.with_name("trades.jsonl.2"))
    log.with_name("trades.jsonl.3").mkdir()
    log.with_name("trades.jsonl.4").write_bytes(b"old\n")
    assert read(log).lines == [b"old", b"new"]
    with pytest.raises(RunbookError):
        _log_lines.read(str(log), "nobody" if ME != "nobody" else "root", SIZE)


def test_a_directory_with_too_many_names_is_given_up(log, monkeypatch):
    monkeypatch.setattr(_log_names, "MOST_ENTRIES", 1)
    log.with_name("trades.jsonl.1").write_bytes(b"old\n")
    assert "more than 1 files" in read(log).unread
