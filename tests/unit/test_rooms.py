# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a reader can no longer tell from the tree what code may be used where, or code travels to hosts."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
OURS = "ansible_collections.aurora.runbook.plugins"
# A room may import from itself and from the rooms named here.
BELOW = {
    "module_utils/base": set(),
    "module_utils/aurora": {"module_utils/base"},
    "module_utils/look": {"module_utils/base", "module_utils/aurora"},
    "module_utils/record": {"module_utils/base", "module_utils/aurora"},
}
BELOW["module_utils/act"] = {*BELOW, "module_utils/act"} - {"module_utils/act"}
BELOW["module_utils"] = {*BELOW, "module_utils"}
BELOW["module_utils/program"] = {*BELOW}
BELOW["modules"] = {*BELOW}
BELOW["plugin_utils"] = {*BELOW, "plugin_utils"} - {"modules"}
BELOW["plugin_utils/postmortem"] = {*BELOW} - {"modules"}
BELOW["plugin_utils/review"] = {*BELOW} - {"modules"}
# What hosts start; nothing imports it.
ENTRIES = {f"{OURS}.module_utils.program._call"}
SOURCES = sorted(path for path in PLUGINS.rglob("*.py") if path.stat().st_size)
PARTS = {f"{OURS}.{path.relative_to(PLUGINS).with_suffix('').as_posix().replace('/', '.')}": path for path in SOURCES}


def room(path: Path) -> str:
    return path.parent.relative_to(PLUGINS).as_posix()


def imports(path: Path) -> set[str]:
    """The modules that a file imports, at its top and within functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = node.module or ""
            inner = {f"{package}.{name.name}" for name in node.names}
            found |= {name if (PLUGINS / f"{tail(name)}.py").is_file() else package for name in inner}
    return found


def tail(name: str) -> str:
    return name[len(OURS) + 1 :].replace(".", "/")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PLUGINS).as_posix())
def test_no_room_reaches_upwards(path: Path) -> None:
    rooms = {Path(tail(name)).parent.as_posix() for name in imports(path) if name.startswith(OURS)}
    allowed = BELOW.get(room(path), set(BELOW))
    assert rooms - allowed - {room(path)} == set()


def test_every_room_is_known() -> None:
    rooms = {room(path) for path in SOURCES if "utils" in path.as_posix()}
    assert rooms <= set(BELOW)


def test_nothing_lies_about_that_no_plugin_needs() -> None:
    needed = {name for path in SOURCES for name in imports(path)}
    events = (PLUGINS.parent / "extensions").rglob("*.py")
    needed |= {name for path in events for name in imports(path)}
    assert {part for part in PARTS if "utils" in part} - needed - ENTRIES == set()


def reached(parts: set[str]) -> set[str]:
    """These parts and all that they import, directly or not."""
    found = set()
    while parts:
        found |= parts
        parts = {name for part in parts for name in imports(PARTS[part]) if name in PARTS} - found
    return found


def test_what_only_the_controller_uses_does_not_lie_among_the_code_of_hosts() -> None:
    on_hosts = reached({part for part, path in PARTS.items() if room(path) == "modules"} | ENTRIES)
    assert {part for part, path in PARTS.items() if room(path).startswith("module_utils")} - on_hosts == set()
