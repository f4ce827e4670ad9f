# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python interpreters this machine has. Standard library only, since ./dev asks before anything is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

WORKS = "import ensurepip, ssl, sys; sys.exit(sys.version_info[1] != {minor})"


def newest(lowest: int, highest: int) -> str | None:
    """Return the newest Python from 3.lowest to 3.highest that can make a virtual environment, or None."""
    folders = [*os.environ["PATH"].split(os.pathsep), *map(str, Path.home().glob(".pyenv/versions/*/bin"))]
    candidates = (
        (minor, f"{folder}/python3.{minor}") for minor in range(highest, lowest - 1, -1) for folder in folders
    )
    return next((python for minor, python in candidates if _works(python, minor)), None)


def venv(folder: Path, lowest: int, highest: int, packages: Sequence[str]) -> None:
    """Make a virtual environment for what does not go together with the project's, anew when its packages changed.

    ``packages`` are arguments of pip. A file that they name may change too.
    """
    files = [Path(name).read_text(encoding="utf-8") for name in packages if Path(name).is_file()]
    wanted, stamp = "\n".join([*packages, *files]), folder / "requirements"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    python = newest(lowest, highest)
    if python is None:
        sys.exit(f"{folder} needs a Python from 3.{lowest} to 3.{highest} with venv; install one")
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", *packages], check=True)
    stamp.write_text(wanted, encoding="utf-8")


def first(folder: Path) -> dict[str, str]:
    """Return this process's environment with the programs of a virtual environment before all others."""
    return {**os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def _works(python: str, minor: int) -> bool:
    try:
        argv = [python, "-c", WORKS.format(minor=minor)]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
