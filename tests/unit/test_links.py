# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a reader follows a link of the documentation to a page or a heading that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from pages import tokens

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = [
    *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted(CHECKOUT.glob("docs/**/*.md")),
    *sorted(CHECKOUT.glob("roles/*/README.md")),
]
NAMES = [str(page.relative_to(CHECKOUT)) for page in PAGES if page.exists()]


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
    """The links within the repository below ``root`` that lead nowhere."""
    wrong = []
    for link in links(page):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        anchor = unquote(parts.fragment)
        inside = target.is_relative_to(root) and target.exists()
        if not inside or (anchor and (target.suffix != ".md" or anchor not in anchors(target))):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("name", NAMES)
def test_every_link_within_the_repository_leads_somewhere(name: str) -> None:
    assert broken(CHECKOUT / name) == []


def test_what_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    headings = "# `A` heading, twice\n\n## A heading, twice\n\n"
    page.write_text(f"{headings}[a](no.md) [b](#a-heading-twice-1) [c](#other) ![d](no.png) [e](..)\n", "utf-8")
    assert anchors(page) == {"a-heading-twice", "a-heading-twice-1"}
    assert broken(page, tmp_path) == ["no.md", "#other", "no.png", ".."]


def test_links_are_read_in_tables_and_lists_too() -> None:
    targets = {target for name in NAMES for target in links(CHECKOUT / name)}
    assert {"docs/preflight.md", "meta/argument_specs.yml"} <= targets
