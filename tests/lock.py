# SPDX-License-Identifier: GPL-3.0-or-later
"""Exact versions of everything that ./dev installs, in ``tests/constraints.txt``. Standard library only.

A person edits ``tests/requirements.txt``, which has lower bounds. ``./dev lock`` looks up the newest versions that go
together, for each Python that may run the project and is installed here, and writes them down.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

import lab
import pythons

REQUIREMENTS = lab.CHECKOUT / "tests" / "requirements.txt"
CONSTRAINTS = lab.CHECKOUT / "tests" / "constraints.txt"
HEADER = (
    "# Made by ./dev lock: the exact versions of what tests/requirements.txt asks for. Edit that file, not this one."
)


def renew(lowest: int, highest: int) -> None:
    """Write the constraints for Pythons from 3.lowest to 3.highest."""
    here = [(minor, pythons.newest(minor, minor)) for minor in range(lowest, highest + 1)]
    resolved = {minor: resolve(python, REQUIREMENTS) for minor, python in here if python}
    if not resolved:
        raise lab.LabError(
            f"no Python from 3.{lowest} to 3.{highest} with venv is here; install one and run this again"
        )
    CONSTRAINTS.write_text("\n".join([HEADER, *constraints(resolved), ""]), encoding="ascii")
    lab.say(f"tests/constraints.txt is for Python {', '.join(f'3.{minor}' for minor in resolved)}")


def resolve(python: str, requirements: Path) -> dict[str, str]:
    """Return the version of each package that pip would install today into an empty place, without installing it."""
    with lab.step(f"looking up versions for {Path(python).name}"), tempfile.TemporaryDirectory() as place:
        lab.run([python, "-m", "venv", place])
        found = Path(place, "found.json")
        asked = ["--dry-run", "--report", str(found), "--requirement", str(requirements)]
        try:
            lab.run([f"{place}/bin/pip", "install", "--quiet", "--ignore-installed", *asked])
        except lab.LabError as error:
            raise lab.LabError(f"nothing was changed: {error}") from None
        packages = [package["metadata"] for package in json.loads(found.read_text(encoding="utf-8"))["install"]]
    return {canonical(package["name"]): package["version"] for package in packages}


def canonical(name: str) -> str:
    """A package's name as pip compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def constraints(resolved: Mapping[int, Mapping[str, str]]) -> list[str]:
    """Return the lines of a constraints file, from the versions of packages by the minor version of Python.

    Where Pythons differ, the lowest and the highest one stand for those below and above them too.
    """
    names = sorted({name for versions in resolved.values() for name in versions})
    return [line for name in names for line in _lines(name, resolved)]


def _lines(name: str, resolved: Mapping[int, Mapping[str, str]]) -> Iterable[str]:
    having = [(minor, versions[name]) for minor, versions in sorted(resolved.items()) if name in versions]
    runs = [(version, [minor for minor, _ in same]) for version, same in groupby(having, key=lambda pair: pair[1])]
    for number, (version, minors) in enumerate(runs):
        first = [f'python_version >= "3.{minors[0]}"'] if number else []
        last = [f'python_version < "3.{runs[number + 1][1][0]}"'] if number + 1 < len(runs) else []
        yield f"{name}=={version}" + " ; ".join(["", " and ".join([*first, *last])] if first or last else [])
