# SPDX-License-Identifier: GPL-3.0-or-later
"""How tests read a page of the documentation: its parts as Markdown has them, its sections, tables and links."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

CHECKOUT = Path(__file__).resolve().parents[2]
# What the collection does not carry is linked to there.
SOURCE = f"{yaml.safe_load((CHECKOUT / 'galaxy.yml').read_text(encoding='utf-8'))['repository']}/blob/main/"


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


def links(page: Path) -> Iterator[str]:
    """Where the links and pictures of a page lead."""
    for inline in (token for token in tokens(page) if token.type == "inline"):
        for token in inline.children or ():
            target = token.attrGet("href" if token.type == "link_open" else "src")
            if target:
                yield str(target)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    found: list[str] = []
    every = tokens(page)
    for heading, inline in zip(every, every[1:], strict=False):
        if heading.type == "heading_open":
            text = "".join(child.content for child in inline.children or ())
            found.append(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-"))
    before = [found[:place].count(name) for place, name in enumerate(found)]
    return {f"{name}-{count}" if count else name for name, count in zip(found, before, strict=True)}


def broken(page: Path, root: Path = CHECKOUT) -> list[str]:
    """The links of a page that lead nowhere, of those to what is below ``root`` and to the source on GitHub."""
    wrong = []
    for link in links(page):
        parts = urlsplit(link.removeprefix(SOURCE))
        if parts.scheme or parts.netloc:
            continue
        start, top = (CHECKOUT, CHECKOUT) if link.startswith(SOURCE) else (page.parent, root)
        target = (start / unquote(parts.path)).resolve() if parts.path else page
        anchor = unquote(parts.fragment)
        inside = target.is_relative_to(top) and target.exists()
        if not inside or (anchor and (target.suffix != ".md" or anchor not in anchors(target))):
            wrong.append(link)
    return wrong
