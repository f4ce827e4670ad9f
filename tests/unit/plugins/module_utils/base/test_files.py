# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, root follows a link that the service user made, or trusts a file that others can write."""

from __future__ import annotations

import errno
import os
import pwd
from types import SimpleNamespace

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base import _files, _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _claim, _lease, _pause, _record

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


NOW = _stamps.Clock(1_800_000_000.0, "boot", 100.0)
ID = "circuit_breaker-20261129T100000Z-0123abcd"
LEASE = _lease.Lease("service_override", "x.service", _lease.ACTIVE, {}, {}, "2026-11-29T10:00:00+00:00", "root")
USES = {
    "claim.take": lambda state: _claim.take("token", "me", "", NOW, state),
    "claim.load": _claim.load,
    "claim.release": lambda state: _claim.release("token", state),
    "pause.load": lambda state: _pause.load(NOW, state),
    "pause.begin": lambda state: _pause.begin("2026-11-29T23:00Z", "", state),
    "pause.end": _pause.end,
    "record.append": lambda state: _record.append(ID, "note", {}, state=state),
    "record.read": lambda state: _record.read(ID, state),
    "record.names": _record.names,
    "record.open_names": _record.open_names,
    "lease.load": lambda state: _lease.load("x.service", state),
    "lease.names": _lease.names,
    "lease.save": lambda state: _lease.save(LEASE, state),
    "lease.drop": lambda state: _lease.drop("x.service", state),
}
BELOW = {"record": "incidents", "lease": "leases"}
PLACES = [(use, "") for use in USES] + [(use, BELOW[use.split(".")[0]]) for use in USES if use.split(".")[0] in BELOW]


def link(path):
    (path.parent / "elsewhere").mkdir(mode=0o700)
    path.symlink_to(path.parent / "elsewhere")


def open_to_all(path):
    path.mkdir()
    path.chmod(0o777)


def no_directory(path):
    path.touch()


@pytest.mark.parametrize("make", [link, open_to_all, no_directory])
@pytest.mark.parametrize(("use", "below"), PLACES)
def test_a_directory_that_is_not_ours_alone_is_neither_read_nor_written(tmp_path, make, use, below):
    state = tmp_path / "state"
    if below:
        state.mkdir(mode=0o700)
    wrong = state / below
    make(wrong)
    with pytest.raises(RunbookError, match=f"{wrong} "):
        USES[use](str(state))
    assert not wrong.is_dir() or not list(wrong.iterdir())


@pytest.mark.parametrize(
    ("changes", "right"),
    [
        ({}, True),
        ({"st_mode": 0o40755}, True),
        ({"st_mode": 0o40770}, False),
        ({"st_mode": 0o40702}, False),
        ({"st_mode": 0o41777}, False),
        ({"st_uid": 4711}, False),
        ({"st_mode": 0o100700}, False),
    ],
)
def test_whose_a_directory_of_ours_has_to_be(monkeypatch, changes, right):
    monkeypatch.setattr(_files.os, "geteuid", lambda: 0)
    status = SimpleNamespace(**{"st_mode": 0o40700, "st_uid": 0, **changes})
    assert (_files._not_ours("/var/lib/x", status) is None) is right


@pytest.mark.parametrize(("number", "step"), [(errno.ENOSPC, "free some space"), (errno.EROFS, "read-write again")])
def test_a_disk_that_refuses_leaves_the_old_file_and_says_what_to_do(tmp_path, monkeypatch, number, step):
    (tmp_path / "file").write_text("old")

    def refuse(_descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(RunbookError, match=f"file cannot be written: {os.strerror(number)}; .*{step}.* again"):
        _files.write(str(tmp_path / "file"), "new", 0o600)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "old")]
