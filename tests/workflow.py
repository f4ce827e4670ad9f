# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the workflow of GitHub Actions against the schema of workflows, in a virtual environment of its own.

actionlint sees more, but its Python package downloads a program from GitHub while it is installed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pythons

CHECKOUT = Path(__file__).resolve().parents[1]
VENV = CHECKOUT / ".dev" / "workflow-venv"
PYTHONS = (11, 14)
PACKAGES = ["check-jsonschema==0.39.0"]


def main() -> int:
    pythons.venv(VENV, *PYTHONS, PACKAGES)
    workflows = map(str, sorted((CHECKOUT / ".github" / "workflows").glob("*.yml")))
    check = [str(VENV / "bin" / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows", *workflows]
    return subprocess.run(check, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
