# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
# This checkout, or what a controller of another version installed of it.
INSTALLED = Path(os.environ["ANSIBLE_COLLECTIONS_PATH"], "ansible_collections", "aurora", "runbook").resolve()
REAL = ("decision.py", "escalation.py", "preflight.py")  # what judges on the controller
MODULES = sorted(path.stem for path in (CHECKOUT / "plugins" / "modules").glob("*.py") if path.name not in REAL)


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """The collection with stand-ins in place of its modules."""
    root = tmp_path_factory.mktemp("collections")
    ours = root / "ansible_collections" / "aurora" / "runbook"
    (ours / "plugins" / "action").mkdir(parents=True)
    for name in ("roles", "playbooks", "meta"):
        (ours / name).symlink_to(INSTALLED / name)
    for name in ("filter", "lookup", "module_utils", "plugin_utils", "doc_fragments"):
        (ours / "plugins" / name).symlink_to(INSTALLED / "plugins" / name)
    for name in REAL:
        (ours / "plugins" / "action" / name).symlink_to(INSTALLED / "plugins" / "action" / name)
    for name in MODULES:
        stand_in = CHECKOUT / "tests" / "unit" / "roles" / "stand_ins" / "stand_in.py"
        (ours / "plugins" / "action" / f"{name}.py").symlink_to(stand_in)
    return root
