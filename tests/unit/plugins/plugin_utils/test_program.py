# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, hosts run something else than this controller's modules, or nothing when a lease is over."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from ansible_collections.aurora.runbook.plugins.module_utils.base import _start
from ansible_collections.aurora.runbook.plugins.plugin_utils import _program

CHECKOUT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    """The program in a directory."""
    folder = tmp_path_factory.mktemp("program")
    zipfile.ZipFile(io.BytesIO(_program.archive())).extractall(folder)
    return folder


def test_the_version_is_the_collections() -> None:
    assert yaml.safe_load((CHECKOUT / "galaxy.yml").read_text(encoding="utf-8"))["version"] == _start.VERSION


def test_its_name_says_the_version() -> None:
    assert _start.version(_program.name()) == tuple(map(int, _start.VERSION.split(".")))
    assert _start.version("none") == _start.version("current") == ()


@pytest.mark.parametrize("module", sorted(path.stem for path in CHECKOUT.glob("plugins/modules/*.py")))
def test_every_module_for_hosts_is_in_it_and_needs_nothing_else(program: Path, module: str) -> None:
    if module in _program.ELSEWHERE:
        pytest.skip("it does not run on hosts")
    code = f"""
import sys
sys.path.insert(0, {str(program)!r})
from ansible_collections.aurora.runbook.plugins.modules import {module}
print(sorted({module}.ARGUMENTS["argument_spec"]))
"""
    argv = [sys.executable, "-IS", "-c", code]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/")
    assert (done.returncode, done.stderr) == (0, "")


def test_every_module_for_hosts_has_an_action_plugin() -> None:
    modules = {path.stem for path in CHECKOUT.glob("plugins/modules/*.py")} - set(_program.ELSEWHERE)
    assert modules <= {path.stem for path in CHECKOUT.glob("plugins/action/*.py")}


def test_it_is_the_same_wherever_it_is_made() -> None:
    first = (_program.name(), _program.archive())
    for made in (_program.sources, _program.name, _program.archive):
        made.cache_clear()
    assert (_program.name(), _program.archive()) == first


@pytest.mark.parametrize(
    ("output", "answer"),
    [
        ('{"changed": false}\n', {"changed": False}),
        ('Welcome!\n{"changed": false}\nLogged.\n', {"changed": False}),
        ("", None),
        ("Welcome!\n", None),
        ('{"changed": fal', None),
        ("[1]\n", None),
    ],
)
def test_the_answer_is_found_among_other_lines(output: str, answer: dict | None) -> None:
    assert _program.read(output) == answer


def test_a_call_is_small() -> None:
    request = json.dumps({"module": "service_override", "params": {}, "check_mode": False}).encode()
    assert len(_program.sent(request, installs=False)) < 5000
