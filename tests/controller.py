# SPDX-License-Identifier: GPL-3.0-or-later
"""Run tests with another ansible-core as the controller, and with the collection as its users install it.

``python tests/controller.py 2.16 tests/unit/roles`` builds the collection, installs its tarball into an empty place,
and runs pytest with the rest of the arguments. pytest itself stays the project's; what the tests start is
``ansible-playbook`` and its like of that version, which find the installed collection and no other.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT / "tests" / "lab"))

import lock  # the path above is what makes what it imports importable
import pythons

NEEDED = CHECKOUT / "meta" / "ee-requirements.txt"


class Controller(NamedTuple):
    """``pythons`` are the minor versions of Python that it supports, lowest and highest; ``asked`` is for pip."""

    pythons: tuple[int, int]
    asked: str


# The oldest one that the collection claims, one in between, the newest one, and the next one from its first release
# candidate on: "~=2.22.0rc0" takes rc1 and later 2.22.0 and its updates. Move the last two when 2.22.0 is out.
CONTROLLERS = {
    "2.16": Controller((11, 12), "==2.16.*"),
    "2.19": Controller((11, 13), "==2.19.*"),
    "2.21": Controller((12, 14), "==2.21.*"),
    "2.22": Controller((13, 14), "~=2.22.0rc0"),
}
OLDEST, *_BETWEEN, NEWEST, NEXT = CONTROLLERS


def constraints(version: str) -> str:
    """Return the project's exact versions, without those that each ansible-core chooses; none for the next one."""
    lines = [] if version == NEXT else lock.CONSTRAINTS.read_text(encoding="ascii").splitlines()
    return "".join(f"{line}\n" for line in lines if not line.startswith(("ansible-core==", "resolvelib==")))


def home(version: str) -> Path:
    """The folder with what is installed for a controller."""
    return CHECKOUT / ".dev" / f"ansible-core-{version}"


def exact(version: str) -> str:
    """Return which ansible-core a controller that was made has exactly, such as 2.16.18."""
    ask = "import importlib.metadata as installed; print(installed.version('ansible-core'))"
    python = str(home(version) / "venv" / "bin" / "python")
    return subprocess.run([python, "-c", ask], check=True, capture_output=True, text=True).stdout.strip()


def make_venv(version: str) -> None:
    """Install ansible-core and what the collection wants on a controller, unless that was done before."""
    held = home(version) / "constraints.txt"
    held.parent.mkdir(parents=True, exist_ok=True)
    held.write_text(constraints(version), encoding="ascii")
    wanted = ["--requirement", str(NEEDED), "--constraint", str(held)]
    asked, (lowest, highest) = CONTROLLERS[version].asked, CONTROLLERS[version].pythons
    pythons.venv(home(version) / "venv", lowest, highest, [f"ansible-core{asked}", *wanted])


def install_collection(collections: Path, environment: dict[str, str]) -> None:
    """Build the collection and install it into an empty directory."""
    shutil.rmtree(collections, ignore_errors=True)
    collections.mkdir(parents=True)
    galaxy = ["ansible-galaxy", "collection"]
    quiet = {"env": environment, "stdout": subprocess.DEVNULL}
    subprocess.run([*galaxy, "build", str(CHECKOUT), "--output-path", str(collections)], check=True, **quiet)
    tarball = str(next(collections.glob("*.tar.gz")))
    subprocess.run([*galaxy, "install", "--offline", "-p", str(collections), tarball], check=True, **quiet)


def main() -> int:
    version, *pytest = sys.argv[1:]
    if version not in CONTROLLERS:
        sys.exit(f"ansible-core {version} is refused; expected {', '.join(CONTROLLERS)}")
    make_venv(version)
    collections = home(version) / "collections"
    environment = {
        **pythons.first(home(version) / "venv"),
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false",
    }
    install_collection(collections, environment)
    return subprocess.run(
        [sys.executable, "-m", "pytest", *pytest], cwd=CHECKOUT, env=environment, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
