# SPDX-License-Identifier: GPL-3.0-or-later
"""If this breaks, a module ends with a word that no report knows, and that counts neither as good nor as bad."""

from __future__ import annotations

import ast
from pathlib import Path

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _verdicts

PLUGINS = Path(__file__).resolve().parents[5] / "plugins"
BY_A_PERSON = "closed"  # how the record calls the end of an incident that a person closed


def written(tree):
    """The texts that are written as they are for a verdict."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for name, value in zip(node.keys, node.values, strict=True):
                if isinstance(name, ast.Constant) and name.value == "verdict":
                    branches = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
                    yield from (branch.value for branch in branches if isinstance(branch, ast.Constant))


def test_every_verdict_that_a_module_ends_with_is_known():
    sources = [path for room in ("modules", "module_utils") for path in (PLUGINS / room).rglob("*.py")]
    found = {word for path in sources for word in written(ast.parse(path.read_text(encoding="utf-8")))}
    assert _verdicts.REFUSED in found
    assert found - {*_verdicts.VERDICTS, BY_A_PERSON, None} == set()
