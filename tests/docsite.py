# SPDX-License-Identifier: GPL-3.0-or-later
"""Make HTML pages in ``.dev/docs/html`` of what the collection carries: its documentation, modules, roles, playbooks.

Every warning is an error. The tools have a virtual environment of their own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pythons
from controller import CHECKOUT, install_collection

HOME = CHECKOUT / ".dev" / "docs"
SETTINGS = CHECKOUT / ".config" / "docs"
PYTHONS = (11, 14)
PACKAGES = [
    *("--requirement", str(CHECKOUT / "tests" / "docs-requirements.txt")),
    *("--constraint", str(CHECKOUT / "tests" / "constraints.txt")),
]
NOT_FOR_USERS = {"incident"}  # other playbooks import it


def playbooks(folder: Path) -> str:
    """A page of the playbooks in a folder, each with the comment at its beginning."""
    sections = ["# Playbooks", "Run each as `ansible-playbook aurora.runbook.NAME -i inventory`."]
    for path in sorted(folder.glob("*.yml")):
        if path.stem not in NOT_FOR_USERS:
            comment = re.match(r"---\n((?:#.*\n)+)", path.read_text(encoding="utf-8"))
            if comment is None:
                sys.exit(f"{path.name} does not begin with a comment that says what it does")
            sections += [f"## {path.stem}", re.sub(r"^# ?", "", comment[1], flags=re.MULTILINE)]
    return "\n\n".join(sections) + "\n"


def main() -> int:
    pythons.venv(HOME / "venv", *PYTHONS, PACKAGES)
    environment = {**pythons.first(HOME / "venv"), "ANSIBLE_COLLECTIONS_PATH": str(HOME / "collections")}
    install_collection(HOME / "collections", environment)
    source, html = HOME / "source", HOME / "html"
    for folder in (source, html):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HOME / "collections" / "ansible_collections" / "aurora" / "runbook", source)
    shutil.copy(SETTINGS / "index.md", source)
    (source / "playbooks.md").write_text(playbooks(source / "playbooks"), encoding="utf-8")
    reference = source / "reference"
    reference.mkdir()
    antsibull = ["antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error"]
    subprocess.run([*antsibull, "--dest-dir", str(reference), "aurora.runbook"], env=environment, check=True)
    sphinx = ["sphinx-build", "--quiet", "--fail-on-warning", "--keep-going", "--conf-dir", str(SETTINGS)]
    made = subprocess.run([*sphinx, "--jobs", "2", str(source), str(html)], env=environment, check=False)
    if made.returncode == 0:
        print(f"to read: {(html / 'index.html').as_uri()}")
    return made.returncode


if __name__ == "__main__":
    sys.exit(main())
