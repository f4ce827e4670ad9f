# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a clone of today installs other versions in a year, or none on another Python."""

from __future__ import annotations

import re
from pathlib import Path

import lock
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).resolve().parents[3]


def versions(lines: list[str], minor: int) -> dict[str, str]:
    """What pip holds packages to with a minor version of Python."""
    asked = [Requirement(line) for line in lines]
    environment = {"python_version": f"3.{minor}"}
    return {one.name: str(one.specifier) for one in asked if not one.marker or one.marker.evaluate(environment)}


def test_each_python_is_held_to_what_was_found_for_it() -> None:
    resolved = {
        9: {"same": "1", "grows": "1"},
        10: {"same": "1", "grows": "2", "late": "5"},
        11: {"same": "1", "grows": "3", "late": "5"},
    }
    lines = lock.constraints(resolved)
    for minor, found in resolved.items():
        assert {**versions(lines, minor), "late": "==5"} == {n: f"=={v}" for n, v in {**found, "late": "5"}.items()}


def test_a_python_that_was_not_here_is_held_to_what_its_neighbour_is() -> None:
    lines = lock.constraints({9: {"a": "1"}, 12: {"a": "2"}})
    assert [versions(lines, minor)["a"] for minor in (8, 9, 11, 12, 13)] == ["==1", "==1", "==1", "==2", "==2"]


def test_all_that_is_asked_for_is_held_to_one_version() -> None:
    lines = lock.CONSTRAINTS.read_text(encoding="ascii").splitlines()[1:]
    asked = [Requirement(line) for line in lock.REQUIREMENTS.read_text(encoding="utf-8").splitlines()[1:]]
    for minor in (11, 12, 13, 14):
        held = versions(lines, minor)
        for one in asked:
            version = held[lock.canonical(one.name)]
            assert re.fullmatch(r"==[\w.]+", version)
            assert one.specifier.contains(version.removeprefix("=="), prereleases=True), one
