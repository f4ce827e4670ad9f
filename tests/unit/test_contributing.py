# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, whoever adds an incident, a knob or a probe by CONTRIBUTING.md leaves something out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from ansible_collections.aurora.runbook.plugins.module_utils.aurora._indicators import INCIDENTS, INDICATORS
from ansible_collections.aurora.runbook.plugins.module_utils.aurora._knobs import KNOBS
from ansible_collections.aurora.runbook.plugins.module_utils.look import _probes

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
NEW = PAGE.partition("## What to touch for something new\n")[2].partition("\n## ")[0]
STEP = re.compile(r"^\| `([^`]+)` \| (?:`` (.+?) ``|`([^`]+)`)? ?\| \S.* \|$", re.MULTILINE)
APPROVABLE = yaml.safe_load((CHECKOUT / "roles/incident/defaults/main.yml").read_text(encoding="utf-8"))


def probes() -> Iterator[dict[str, str]]:
    """The probes by the names that triage_info gives them, each with the function that it is."""
    module = ast.parse((CHECKOUT / "plugins/modules/triage_info.py").read_text(encoding="utf-8"))
    tables = [function for function in module.body if getattr(function, "name", "") in ("probes", "model_probes")]
    for table in (node for function in tables for node in ast.walk(function) if isinstance(node, ast.Dict)):
        for name, value in zip(table.keys, table.values, strict=True):
            called = (getattr(node, "attr", getattr(node, "id", "")) for node in ast.walk(value))
            functions = [function for function in called if callable(getattr(_probes, function, None))]
            if isinstance(name, ast.Constant) and functions:
                yield {"probe": name.value, "function": functions[0]}


def incident(name: str) -> dict[str, str]:
    return {"incident": name, "Alert": INDICATORS[name].alert}


def knob(name: str) -> dict[str, str]:
    return {"KNOB": name, "knob": name.lower()}


THINGS = {
    "An incident": [incident(name) for name in INDICATORS],
    "An incident with a ladder": [incident(name) for name in INCIDENTS],
    "A knob": [knob(name) for name in KNOBS],
    "A knob that AWX asks for": [knob(name) for name, row in KNOBS.items() if row.asked],
    "A knob that waits for approval": [knob(name.upper()) for name in APPROVABLE["aurora_approvable"]],
    "A probe": list(probes()),
}


def steps(kind: str) -> list[tuple[str, str]]:
    """The files to touch for something new of a kind, and the text that each has then."""
    section = NEW.partition(f"### {kind}\n")[2].partition("\n### ")[0]
    return [(file, code or text) for file, code, text in STEP.findall(section)]


def lacking(kind: str, thing: Mapping[str, str]) -> list[str]:
    """The steps that were not taken for a thing."""
    asked = [[re.sub(r"<(\w+)>", lambda name: thing[name[1]], part) for part in step] for step in steps(kind)]
    return [f"{file}: {text}" for file, text in asked if not has(file, text)]


def has(file: str, text: str) -> bool:
    return any(text in path.read_text(encoding="utf-8") for path in CHECKOUT.glob(file))


@pytest.mark.parametrize(("kind", "thing"), [(kind, thing) for kind, things in THINGS.items() for thing in things])
def test_every_step_was_taken(kind: str, thing: Mapping[str, str]) -> None:
    assert lacking(kind, thing) == []


@pytest.mark.parametrize("kind", THINGS)
def test_of_something_that_is_not_there_every_step_is_lacking(kind: str) -> None:
    nothing = {name: f"no_{name}_at_all" for name in THINGS[kind][0]}
    assert len(lacking(kind, nothing)) == len(steps(kind)) > 0


def test_every_row_of_the_page_is_read() -> None:
    assert re.findall(r"^### (.+)$", NEW, re.MULTILINE) == list(THINGS)
    rows = [line for line in NEW.splitlines() if line.startswith("| `")]
    assert len(rows) == sum(len(steps(kind)) for kind in THINGS)


def test_every_file_that_the_page_names_is_there() -> None:
    missing = []
    for line in PAGE.replace(NEW, "").splitlines():
        folder = CHECKOUT
        for name in re.findall(r"`(?!\./|\.dev)([\w./]+/[\w./]*|_\w+\.py)`", line):
            path = (CHECKOUT if "/" in name else folder) / name
            folder = path.parent
            missing += [] if path.exists() else [str(path.relative_to(CHECKOUT))]
    assert missing == []
