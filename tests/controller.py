# SPDX-License-Identifier: GPL-3.0-or-later
"""Run tests with another ansible-core as the controller, and with the collection as its users install it.

``python tests/controller.py 2.16 tests/unit/roles`` builds the collection, installs its tarball into an empty place,
and runs pytest with the rest of the arguments. pytest itself stays the project's; what the tests start is
``ansible-playbook`` and its like of that version, which find the installed collection and no other.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pythons

CHECKOUT = Path(__file__).resolve().parents[1]
# The minor versions of Python that a controller of each ansible-core supports, lowest and highest.
PYTHONS = {"2.16": (10, 12)}


def install_collection(collections: Path, environment: dict[str, str]) -> None:
    """Build the collection and install it into an empty folder, in which its tarball stays."""
    shutil.rmtree(collections, ignore_errors=True)
    collections.mkdir(parents=True)
    galaxy = ["ansible-galaxy", "collection"]
    quiet = {"env": environment, "stdout": subprocess.DEVNULL}
    subprocess.run([*galaxy, "build", str(CHECKOUT), "--output-path", str(collections)], check=True, **quiet)
    tarball = str(next(collections.glob("*.tar.gz")))
    subprocess.run([*galaxy, "install", "--offline", "-p", str(collections), tarball], check=True, **quiet)


def main() -> int:
    version, *pytest = sys.argv[1:]
    home = CHECKOUT / ".dev" / f"ansible-core-{version}"
    # What the collection wants on a controller comes along.
    wanted = ["--requirement", str(CHECKOUT / "meta" / "ee-requirements.txt")]
    pythons.venv(home / "venv", *PYTHONS[version], [f"ansible-core=={version}.*", *wanted])
    environment = {
        **os.environ,
        "PATH": f"{home / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(home / "collections"),
        "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false",
    }
    install_collection(home / "collections", environment)
    return subprocess.run(
        [sys.executable, "-m", "pytest", *pytest], cwd=CHECKOUT, env=environment, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
