# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a host forgets what it has to give back, or gives back what a restart has taken already."""

from __future__ import annotations

import json

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils import _lease
from ansible_collections.aurora.runbook.plugins.module_utils._errors import RunbookError

FIRST = {
    "attempts": [],
    "before": {"KELLY_MULTIPLIER": "1.0"},
    "by": "oncall",
    "granted": "2026-11-23T00:00:00+00:00",
    "kind": "service_override",
    "made": ["/etc/aurora-runbook"],
    "phase": "active",
    "previous": {},
    "unit": "x.service",
    "version": 1,
    "written": {"KELLY_MULTIPLIER": "0.5"},
}


def lease(name="x.service", kind="service_override", boot=""):
    return _lease.Lease(kind, name, "active", {"A": None}, {"A": "1"}, "2026-11-23T00:00:00+00:00", "oncall", boot=boot)


@pytest.fixture
def written(tmp_path):
    """Write a lease file as some version left it."""
    (tmp_path / "leases").mkdir()

    def write(fields, name="x.service"):
        (tmp_path / "leases" / f"override-{name}.json").write_text(json.dumps(fields), encoding="ascii")
        return str(tmp_path)

    return write


def test_a_lease_of_the_first_version_is_still_read(written):
    found = _lease.load("x.service", written(FIRST))
    assert (found.name, found.kind, found.written) == ("x.service", "service_override", {"KELLY_MULTIPLIER": "0.5"})


def test_a_lease_reads_back_as_it_was_written(tmp_path):
    for one in (lease(), lease("tcp_tuning", "tcp_tuning", _lease.boot())):
        _lease.save(one, str(tmp_path))
        assert _lease.load(one.name, str(tmp_path)) == one
    assert [one.name for one in _lease.load_all(str(tmp_path))] == ["tcp_tuning", "x.service"]


def test_a_lease_that_ended_with_its_boot_no_longer_stands(tmp_path):
    _lease.save(lease("tcp_tuning", "tcp_tuning", "an-earlier-boot"), str(tmp_path))
    assert _lease.load("tcp_tuning", str(tmp_path)).gone
    assert _lease.load_all(str(tmp_path)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 3},
        {"kind": "other"},
        {"phase": "?"},
        {"written": {"A": 1}},
        {"before": []},
        {"more": 1},
        {"by": ...},
    ],
)
def test_what_is_no_lease_is_not_guessed_at(written, changes):
    fields = {name: value for name, value in {**FIRST, **changes}.items() if value is not ...}
    with pytest.raises(RunbookError, match="not a lease this version can read"):
        _lease.load("x.service", written(fields))


@pytest.mark.parametrize("text", ["[]", "null", "{}", "", "{"])
def test_a_broken_file_is_not_guessed_at(written, text):
    directory = written(FIRST)
    with open(_lease.path("x.service", directory), "w", encoding="ascii") as file:
        file.write(text)
    with pytest.raises(RunbookError, match="not a lease"):
        _lease.load("x.service", directory)
