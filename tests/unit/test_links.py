# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a reader follows a link of the documentation to a page or a heading that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import CHECKOUT, SOURCE, anchors, broken, links

PAGES = [
    *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted(CHECKOUT.glob("docs/**/*.md")),
    *sorted(CHECKOUT.glob("roles/*/README.md")),
]
NAMES = [str(page.relative_to(CHECKOUT)) for page in PAGES if page.exists()]


@pytest.mark.parametrize("name", NAMES)
def test_every_link_within_the_repository_leads_somewhere(name: str) -> None:
    assert broken(CHECKOUT / name) == []


def test_what_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    headings = "# `A` heading, twice\n\n## A heading, twice\n\n"
    there, nowhere = (
        ["#a-heading-twice-1", f"{SOURCE}CONTRIBUTING.md#tests"],
        ["no.md", "#other", "..", f"{SOURCE}no.md"],
    )
    page.write_text(f"{headings}![d](no.png) {' '.join(f'[a]({link})' for link in there + nowhere)}\n", "utf-8")
    assert anchors(page) == {"a-heading-twice", "a-heading-twice-1"}
    assert broken(page, tmp_path) == ["no.png", *nowhere]


def test_links_are_read_in_tables_and_lists_too() -> None:
    targets = {target for name in NAMES for target in links(CHECKOUT / name)}
    assert {"docs/preflight.md", "meta/argument_specs.yml"} <= targets
