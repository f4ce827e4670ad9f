# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, the release notes, the version of the collection and what it carries disagree."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
FRAGMENTS = sorted((CHECKOUT / "changelogs" / "fragments").glob("*.yml"))
VERSION = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
RELEASES = yaml.safe_load((CHECKOUT / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))["releases"]
PLAYBOOKS = [path.stem for path in sorted((CHECKOUT / "playbooks").glob("*.yml")) if path.stem != "incident"]


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def told(kind: str) -> set[str]:
    """The playbooks or roles that release notes name, of earlier releases and of the next one."""
    earlier = [one.get("objects", {}).get(kind, []) for one in RELEASES.values()]
    following = [yaml.safe_load(path.read_text(encoding="utf-8")).get(f"add object.{kind}", []) for path in FRAGMENTS]
    return {each["name"] for group in (*earlier, *following) for each in group}


def test_the_release_notes_are_what_the_tool_makes_of_the_changelog(tmp_path: Path) -> None:
    for name in ("galaxy.yml", "changelogs/config.yaml", "changelogs/changelog.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(CHECKOUT / name, tmp_path / name)
    (tmp_path / "changelogs" / "fragments").mkdir()
    done = subprocess.run(
        ["antsibull-changelog", "generate"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made = (tmp_path / "CHANGELOG.rst").read_text(encoding="utf-8")
    assert made == (CHECKOUT / "CHANGELOG.rst").read_text(encoding="utf-8")


def test_what_is_not_released_yet_has_a_version_of_its_own() -> None:
    newest = max(RELEASES, key=numbers)
    assert numbers(VERSION) > numbers(newest) if FRAGMENTS else newest == VERSION


def test_the_image_is_made_of_the_tarball_of_this_version() -> None:
    definition = (CHECKOUT / "execution-environment.yml").read_text(encoding="utf-8")
    assert re.findall(r"aurora-runbook-(.+?)\.tar\.gz", definition) == [VERSION, VERSION]


def test_no_page_names_a_version_that_would_have_to_be_raised() -> None:
    """But the release notes, of course."""
    pages = [*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.*"), *CHECKOUT.glob("roles/*/README.md")]
    assert len(pages) > 20
    named = re.compile(r"aurora[.-]runbook\W{1,3}v?\d+\.\d+|version: .*\d+\.\d+\.\d+")
    assert {str(page): found for page in pages if (found := named.findall(page.read_text(encoding="utf-8")))} == {}


def test_what_is_new_was_added_in_a_version_of_the_release_notes() -> None:
    sources = [path for path in CHECKOUT.glob("plugins/**/*.*") if path.suffix in (".py", ".yml")]
    added = {found for path in sources for found in re.findall(r"version_added: (.*)", path.read_text("utf-8"))}
    assert VERSION in added
    assert added - {VERSION, *RELEASES} == set()


@pytest.mark.parametrize(
    ("kind", "there"),
    [("playbook", PLAYBOOKS), ("role", sorted(path.name for path in (CHECKOUT / "roles").iterdir()))],
)
def test_the_release_notes_name_every_playbook_and_role(kind: str, there: list[str]) -> None:
    assert sorted(told(kind)) == there
