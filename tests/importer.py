# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the tarball of the collection as Ansible Galaxy does when it is uploaded: without a warning.

galaxy-importer wants an older attrs than the project's other tools, and so has a virtual environment of its own.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pythons

CHECKOUT = Path(__file__).resolve().parents[1]
HOME = CHECKOUT / ".dev" / "galaxy-importer"
PYTHONS = (12, 14)  # of the newest ansible-core
PACKAGES = ["galaxy-importer==0.4.44", "ansible-core==2.21.*", "ansible-lint==26.*"]
DONE = "Importer processing completed successfully"


def complaints(said: str) -> list[str]:
    """Return the lines of galaxy-importer's output that are no part of a clean import.

    Its exit status is 0 where it warns, and where its ansible-lint fails.
    """
    lines = said.splitlines()
    wrong = [line for line in lines if line.startswith(("WARNING", "ERROR", "Traceback"))]
    return wrong if DONE in lines else [*wrong, f"it did not say: {DONE}"]


def main() -> int:
    pythons.venv(HOME / "venv", *PYTHONS, PACKAGES)
    environment = pythons.first(HOME / "venv")
    built = HOME / "built"
    shutil.rmtree(built, ignore_errors=True)
    build = ["ansible-galaxy", "collection", "build", str(CHECKOUT), "--output-path", str(built)]
    subprocess.run(build, env=environment, check=True)
    checked = subprocess.run(
        [str(HOME / "venv" / "bin" / "python"), "-m", "galaxy_importer.main", str(next(built.glob("*.tar.gz")))],
        cwd=built, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    print(checked.stdout)
    return 1 if checked.returncode or complaints(checked.stdout) else 0


if __name__ == "__main__":
    sys.exit(main())
