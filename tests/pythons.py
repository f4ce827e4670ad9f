# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python interpreters this machine has. Standard library only, since ./dev asks before anything is installed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

WORKS = "import ensurepip, ssl, sys; sys.exit(sys.version_info[1] != {minor})"


def newest(lowest: int, highest: int) -> str | None:
    """Return the newest Python from 3.lowest to 3.highest that can make a virtual environment, or None."""
    folders = [*os.environ["PATH"].split(os.pathsep), *map(str, Path.home().glob(".pyenv/versions/*/bin"))]
    candidates = (
        (minor, f"{folder}/python3.{minor}") for minor in range(highest, lowest - 1, -1) for folder in folders
    )
    return next((python for minor, python in candidates if _works(python, minor)), None)


def _works(python: str, minor: int) -> bool:
    try:
        argv = [python, "-c", WORKS.format(minor=minor)]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
