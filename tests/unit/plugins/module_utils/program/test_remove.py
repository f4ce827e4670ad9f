# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, taking the collection off a host takes what is somebody's own, or what only it can give back.

tests/integration/one_host/test_remove.py has a real host.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _override
from ansible_collections.aurora.runbook.plugins.module_utils.base import _command, _start
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.program import _install, _remove
from ansible_collections.aurora.runbook.plugins.module_utils.record import _claim, _lease, _lease_timer, _record

UNIT = "aurora-runner.service"
NAME = "0.2.0-0123456789abcdef"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host's files below a directory, with all that this collection may have left there."""
    places = {name: tmp_path / name for name in ("units", "etc", "lib", "state", "sudoers")}
    for place in places.values():
        place.mkdir(mode=0o700)
    monkeypatch.setattr(_override, "UNIT_DIRECTORY", str(places["units"]))
    monkeypatch.setattr(_override, "ENVIRONMENT_DIRECTORY", str(places["etc"]))
    monkeypatch.setattr(_start, "BASE", str(places["lib"]))
    monkeypatch.setattr(_record, "STATE_DIRECTORY", str(places["state"]))
    monkeypatch.setattr(_lease_timer, "UNITS", {})
    monkeypatch.setattr(_remove, "ENABLED", str(places["units"] / "enabled"))
    prepared = (places["sudoers"] / "aurora-runbook", places["etc"] / "allowed")
    monkeypatch.setattr(_remove, "PREPARED", tuple(map(str, prepared)))
    monkeypatch.setattr(_remove, "PASSING", ())
    monkeypatch.setattr(_lease, "load_all", list)
    monkeypatch.setattr(_claim, "held", lambda _now: None)
    monkeypatch.setattr(_record, "open_names", list)
    guard = str(tmp_path / "guard")
    monkeypatch.setattr(_remove._lease, "exclusive", lambda holder, real=_lease.exclusive: real(holder, guard=guard))
    monkeypatch.setattr(_command, "run", lambda _argv: SimpleNamespace(out="active\n", rc=0))
    ours = {
        f"units/{UNIT}.d/zzz-aurora-runbook.conf": f"{_override.HEADER}[Service]\n",
        f"etc/{UNIT}.env": f'{_override.HEADER}KELLY_MULTIPLIER="0.5"\n',
        "etc/allowed": "{}",
        "sudoers/aurora-runbook": "rule",
        f"lib/{NAME}/__main__.py": "",
        "lib/.new-0123/__main__.py": "",
        "state/incidents/one.jsonl": "{}",
    }
    for path, text in ours.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    (tmp_path / "lib" / "current").symlink_to(NAME)
    return tmp_path


def there(host: Path) -> set[str]:
    return {path.relative_to(host).as_posix() for path in host.rglob("*") if not path.is_dir() and path.name != "guard"}


def test_everything_goes_but_the_records(host: Path) -> None:
    result = _remove.remove(records=False, check_mode=False)
    assert (result["changed"], there(host)) == (True, {"state/incidents/one.jsonl"})
    assert not (host / "lib").exists()
    assert not (host / "units" / f"{UNIT}.d").exists()
    assert [line.split(" ")[0].rstrip(":") for line in result["left"]] == [str(host / "state"), UNIT]
    again = _remove.remove(records=False, check_mode=False)
    assert (again["changed"], again["removed"], len(again["left"])) == (False, [], 1)


def test_the_records_go_too_when_asked_for(host: Path) -> None:
    _remove.remove(records=True, check_mode=False)
    assert there(host) == set()
    assert _remove.remove(records=True, check_mode=False) == {"changed": False, "removed": [], "left": []}


def test_check_mode_says_the_same_and_removes_nothing(host: Path) -> None:
    before = there(host)
    said = _remove.remove(records=True, check_mode=True)
    assert there(host) == before
    assert said["removed"] == _remove.remove(records=True, check_mode=False)["removed"]


@pytest.mark.parametrize("check_mode", [False, True])
def test_nothing_goes_while_a_lease_stands(host: Path, monkeypatch: pytest.MonkeyPatch, check_mode: bool) -> None:
    before = there(host)
    monkeypatch.setattr(_lease, "load_all", lambda: [SimpleNamespace(name=UNIT)])
    with pytest.raises(RunbookError, match=rf"{UNIT}.*aurora\.runbook\.revert"):
        _remove.remove(records=True, check_mode=check_mode)
    assert there(host) == before


def test_nothing_goes_where_a_lease_cannot_be_read(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable() -> None:
        raise RunbookError("it is not a lease")

    before = there(host)
    monkeypatch.setattr(_lease, "load_all", unreadable)
    with pytest.raises(RunbookError, match="not a lease"):
        _remove.remove(records=True, check_mode=False)
    assert there(host) == before


def test_nothing_goes_while_a_run_works_there(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = there(host)
    claim = SimpleNamespace(holder="olena", incident="", since="2026-11-29T20:00:00Z")
    monkeypatch.setattr(_claim, "held", lambda _now: claim)
    with pytest.raises(RunbookError, match="olena"):
        _remove.remove(records=False, check_mode=False)
    assert there(host) == before


def test_what_is_somebodys_own_stays_and_is_said(host: Path) -> None:
    own = {
        host / "units" / "x.service.d" / "zzz-aurora-runbook.conf": "[Service]\n",
        host / "units" / f"{UNIT}.d" / "own.conf": "[Service]\n",
        host / "etc" / "x.service.env": "A=1\n",
        host / "etc" / "notes": "mine\n",
        host / "lib" / "mine": "mine\n",
    }
    for path, text in own.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    said = _remove.remove(records=True, check_mode=False)["left"]
    assert there(host) == {path.relative_to(host).as_posix() for path in own}
    for path in own:
        assert path.name == "own.conf" or any(line.startswith(f"{path}:") for line in said)


def test_a_link_is_removed_and_not_followed(host: Path) -> None:
    (host / "kept").mkdir()
    (host / "kept" / "file").write_text("x", encoding="utf-8")
    (host / "lib" / "0.1.0-0123456789abcdef").symlink_to(host / "kept")
    _remove.remove(records=False, check_mode=False)
    assert (host / "kept" / "file").exists()
    assert not (host / "lib").exists()


def test_a_program_that_runs_right_now_stays_and_is_said(host: Path) -> None:
    descriptor = os.open(host / "lib" / NAME, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    result = _remove.remove(records=False, check_mode=False)
    assert any(NAME in line for line in result["left"])
    assert (host / "lib" / NAME / "__main__.py").exists()
    os.close(descriptor)
    assert _remove.remove(records=False, check_mode=False)["changed"]
    assert not (host / "lib").exists()


@pytest.mark.parametrize("name", ["mine", "0.2.0", "../x", ".newer", "0.2.0-0123456789abcdefa"])
def test_what_nobody_of_us_puts_among_the_programs(name: str) -> None:
    assert not _install.is_ours(name)
