# SPDX-License-Identifier: GPL-3.0-or-later
"""How tests read a page of the documentation: its parts as Markdown has them, its sections and its tables."""

from __future__ import annotations

import functools
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token


@functools.cache
def tokens(page: Path) -> list[Token]:
    return MarkdownIt().enable("table").parse(page.read_text(encoding="utf-8"))


def section(text: str, heading: str) -> str:
    """What stands below a heading of a page, up to the next heading of its rank."""
    rank = heading.partition(" ")[0]
    return text.partition(f"\n{heading}\n")[2].partition(f"\n{rank} ")[0]


def rows(text: str) -> list[list[str]]:
    """The rows of the tables in a text, with those that head them."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line] for line in lines]
