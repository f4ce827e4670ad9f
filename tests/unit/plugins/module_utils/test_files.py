# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, root follows a link that the service user made, or trusts a file that others can write."""

from __future__ import annotations

import errno
import os
import pwd

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils import _files
from ansible_collections.aurora.runbook.plugins.module_utils._errors import RunbookError

ME = pwd.getpwuid(os.getuid()).pw_name


def test_a_directory_is_the_one_that_was_opened_however_its_name_moves(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "mine").touch()
    with _files.owned_directory(str(tmp_path / "logs"), ME) as directory:
        (tmp_path / "logs").rename(tmp_path / "away")
        (tmp_path / "logs").symlink_to("/etc")
        assert os.listdir(directory) == ["mine"]


@pytest.mark.parametrize("path", ["link", "link/below", "real/link", "file", "missing"])
def test_a_link_in_any_part_of_a_path_is_not_followed(tmp_path, path):
    (tmp_path / "real" / "below").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real" / "link").symlink_to("below")
    (tmp_path / "file").touch()
    with pytest.raises(RunbookError, match="is not opened"), _files.owned_directory(str(tmp_path / path), ME):
        pass


def test_a_directory_of_somebody_else_is_not_touched(tmp_path):
    other = next(entry.pw_name for entry in pwd.getpwall() if entry.pw_uid != os.getuid())
    refused = pytest.raises(RunbookError, match=f"does not belong to the user {other}")
    with refused, _files.owned_directory(str(tmp_path), other):
        pass


def test_a_file_below_a_directory_that_others_can_write_is_not_trusted(tmp_path):
    (tmp_path / "config").write_text("daily\n")
    (tmp_path / "config").chmod(0o644)
    with pytest.raises(RunbookError, match="others than root can write"):
        _files.read_trusted(str(tmp_path / "config"))


def test_a_file_of_root_alone_is_read_under_its_real_path(tmp_path):
    (tmp_path / "link").symlink_to("/etc/passwd")
    real, text = _files.read_trusted(str(tmp_path / "link"))
    assert real == os.path.realpath("/etc/passwd")
    assert text.startswith("root:")


def test_a_directory_that_somebody_made_by_hand_is_closed_to_others(tmp_path):
    (tmp_path / "state").mkdir(mode=0o755)
    for _time in range(2):
        _files.make_private(str(tmp_path / "state"))
        assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").touch()
    with pytest.raises(RunbookError, match="made"):
        _files.make_private(str(tmp_path / "file" / "below"))


@pytest.mark.parametrize(("number", "step"), [(errno.ENOSPC, "free some space"), (errno.EROFS, "read-write again")])
def test_a_disk_that_refuses_leaves_the_old_file_and_says_what_to_do(tmp_path, monkeypatch, number, step):
    (tmp_path / "file").write_text("old")

    def refuse(_descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(RunbookError, match=f"file cannot be written: {os.strerror(number)}; .*{step}.* again"):
        _files.write(str(tmp_path / "file"), "new", 0o600)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "old")]
