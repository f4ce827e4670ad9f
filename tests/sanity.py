# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test sanity on a copy of the checkout.

ansible-test wants a real directory …/ansible_collections/aurora/runbook outside every git repository: in a link or an
ignored directory it passes without testing anything. It fetches pip from a host of its own unless a bootstrap script
lies in its cache; Python brings one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import distribution
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
SHIPPED = ["plugins/", "roles/", "playbooks/", "meta/"]
BOOTSTRAP = "import ensurepip\nensurepip.bootstrap(default_pip=True)\n"


def copy(target: Path) -> None:
    """Copy what git tracks, or would."""
    listed = ["git", "-C", str(CHECKOUT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split("\0"):
        if name and (CHECKOUT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, target / name)


def pip_version() -> str:
    """The pip that this ansible-core's ansible-test wants, as it names the cached script."""
    source = distribution("ansible-core").locate_file("ansible_test/_internal/python_requirements.py")
    found = re.search(r"pip='([\d.]+)'", Path(str(source)).read_text(encoding="utf-8"))
    if not found:
        sys.exit("ansible-test no longer says which pip it wants; see tests/sanity.py")
    return found[1].replace(".", "_")


def main() -> int:
    home = CHECKOUT / ".dev" / "sanity"  # ansible-test's environments are worth keeping
    with tempfile.TemporaryDirectory() as name:
        cache = home / ".ansible" / "test" / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        (cache / f"get_pip_{pip_version()}.py").write_text(BOOTSTRAP, encoding="ascii")
        collection = Path(name, "ansible_collections", "aurora", "runbook")
        copy(collection)
        python = f"{sys.version_info[0]}.{sys.version_info[1]}"
        command = ["ansible-test", "sanity", "--local", "--python", python, *SHIPPED]
        environment = {**os.environ, "HOME": str(home)}
        return subprocess.run([*command, *sys.argv[1:]], cwd=collection, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
