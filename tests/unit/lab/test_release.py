# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a tarball that Galaxy complains of passes, or a playbook is missing from the documentation."""

from __future__ import annotations

from pathlib import Path

import docsite
import importer
import pytest


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        (["Loading module x", importer.DONE], 0),
        (
            [
                "WARNING: playbooks/x.yml:2:3: name[play]",
                "WARNING: ERROR    Failed to find a.b.c playbook.",
                importer.DONE,
            ],
            2,
        ),
        (["ERROR: Timeout on call to ansible-lint", importer.DONE], 1),
        (["Loading module x"], 1),
        ([], 1),
    ],
)
def test_what_the_importer_complains_of_is_found(said: list[str], wrong: int) -> None:
    assert len(importer.complaints("\n".join(said))) == wrong


def test_each_playbook_is_documented_by_the_comment_at_its_beginning(tmp_path: Path) -> None:
    (tmp_path / "b.yml").write_text("---\n# Does b.\n#\n# With c.\n- name: B # no\n  hosts: all\n", encoding="utf-8")
    (tmp_path / "a.yml").write_text("---\n# Does a.\n- name: A\n  # not this\n", encoding="utf-8")
    (tmp_path / "incident.yml").write_text("---\n# Is imported.\n", encoding="utf-8")
    page = docsite.playbooks(tmp_path)
    assert page.partition("## a")[2].split() == ["Does", "a.", "##", "b", "Does", "b.", "With", "c."]
    (tmp_path / "c.yml").write_text("---\n- name: C\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"c\.yml"):
        docsite.playbooks(tmp_path)
