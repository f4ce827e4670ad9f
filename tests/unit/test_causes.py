# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, the text of a file or an answer gets to an operator as the cause of an error, past all redaction.

Ansible-core 2.19 and later append the texts of causes to an error, and every version shows them in its tracebacks.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for folder in ("plugins", "extensions", "roles") for path in (ROOT / folder).rglob("*.py"))
ON_THE_CONTROLLER = ("plugins/filter", "plugins/lookup", "plugins/action", "plugins/plugin_utils", "extensions")
# What these say is a path, the name of a user, a command of ours, or a message of ours.
QUOTES_NOTHING = {
    *("OSError", "FileNotFoundError", "FileExistsError", "KeyError", "subprocess.TimeoutExpired"),
    *("RunbookError", "FetchError", "NoAnswerError", "CommandError", "ConflictError"),
}


def raising(tree: ast.AST) -> Iterator[tuple[ast.ExceptHandler, ast.Raise]]:
    """Every new error that is raised while another one is handled."""
    for handler in ast.walk(tree):
        if isinstance(handler, ast.ExceptHandler):
            yield from ((handler, node) for node in ast.walk(handler) if isinstance(node, ast.Raise) and node.exc)


def caught(handler: ast.ExceptHandler) -> set[str]:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {ast.unparse(kind) if kind else "everything" for kind in kinds}


def shows_its_cause(handler: ast.ExceptHandler, node: ast.Raise, on_the_controller: bool) -> bool:
    if isinstance(node.cause, ast.Constant) and node.cause.value is None:
        return False
    return on_the_controller or not caught(handler) <= QUOTES_NOTHING


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_error_has_a_cause_that_quotes_what_was_read(path):
    place = str(path.relative_to(ROOT))
    pairs = raising(ast.parse(path.read_text(encoding="utf-8")))
    wrong = [
        f"{place}:{node.lineno}: raise … from None, and say in the message what is needed of the cause"
        for handler, node in pairs
        if shows_its_cause(handler, node, place.startswith(ON_THE_CONTROLLER))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("source", "shows"),
    [
        ("try: f()\nexcept ValueError as e: raise X('a') from e", True),
        ("try: f()\nexcept ValueError: raise X('a')", True),
        ("try: f()\nexcept (OSError, ValueError) as e: raise X('a') from e", True),
        ("try: f()\nexcept ValueError: raise X('a') from None", False),
        ("try: f()\nexcept OSError as e: raise X('a') from e", False),
        ("try: f()\nexcept: raise X('a')", True),
    ],
)
def test_what_counts_as_showing_a_cause(source, shows):
    ((handler, node),) = raising(ast.parse(source))
    assert shows_its_cause(handler, node, on_the_controller=False) is shows
