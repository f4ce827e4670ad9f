# SPDX-License-Identifier: GPL-3.0-or-later
"""The program with this collection's code for hosts, as the controller builds it. Private to aurora.runbook.

It holds all that modules on hosts need: module_utils, the modules, and a small stand-in for AnsibleModule. The same
sources always give the same bytes and the same name.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.aurora.runbook.plugins.module_utils.base import _start

PLUGINS = Path(__file__).resolve().parents[1]
PACKAGE = "ansible_collections/aurora/runbook/plugins"
# Not part of it: modules that run on the controller, and the module that installs it.
ELSEWHERE = (
    "alertmanager_silence",
    "decision",
    "escalation",
    "notification",
    "postmortem",
    "preflight",
    "preflight_around",
    "program",
    "review",
)
# Modules that change what Aurora does. The host keeps the program to end their changes.
ACTS = ("log_rotation", "recalibration", "service_override", "service_restart", "tcp_tuning")
STAMP = (1980, 1, 1, 0, 0, 0)
MAIN = """\
import os
import sys

# The real directory, since a link to the newest program may come to mean another one meanwhile.
HERE = sys.path[0] = os.path.dirname(os.path.realpath(__file__))
sys.dont_write_bytecode = True  # the program stays as it was installed

from ansible_collections.aurora.runbook.plugins.module_utils.program._call import main

sys.exit(main(sys.argv[1:], HERE))
"""
STAND_IN = """\
from ansible_collections.aurora.runbook.plugins.module_utils.program._basic import AnsibleModule
"""
# Standard input has what starter() makes and then the request; see sent().
START = "import sys; exec(sys.stdin.buffer.read(int(sys.argv[1])))"
# Standard input has the archive, from which this imports _install. Any error is reported, and the module then runs as
# an ordinary one. Imports from the archive are forgotten, so that the program itself runs.
INSTALL = """
import tempfile, zipfile
size, name, why = int(sys.argv[2]), sys.argv[3], ""
try:
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        file.write(sys.stdin.buffer.read(size))
        file.flush()
        sys.path.insert(0, file.name)
        from ansible_collections.aurora.runbook.plugins.module_utils.program import _install
        _install.install(zipfile.ZipFile(file.name), name)
    sys.path.remove(file.name)
except Exception as error:
    why = str(error) or type(error).__name__
for part in [part for part in sys.modules if part.partition(".")[0] == "ansible_collections"]:
    del sys.modules[part]
"""


@functools.cache
def sources() -> dict[str, bytes]:
    """Every file of the program, by its path in it."""
    paths = [*PLUGINS.glob("module_utils/**/*.py"), *PLUGINS.glob("modules/*.py")]
    found = {
        f"{PACKAGE}/{path.relative_to(PLUGINS).as_posix()}": path.read_bytes()
        for path in paths
        if path.stem not in ELSEWHERE
    }
    found["__main__.py"], found["ansible/module_utils/basic.py"] = MAIN.encode(), STAND_IN.encode()
    folders = {parent.as_posix() for path in found for parent in Path(path).parents if parent.name}
    return {**{f"{folder}/__init__.py": b"" for folder in folders}, **found}


@functools.cache
def name() -> str:
    """The name of the program's directory on hosts: the version, and a digest of all sources."""
    digest = hashlib.sha256()
    for path, content in sorted(sources().items()):
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return f"{_start.VERSION}-{digest.hexdigest()[:16]}"


@functools.cache
def archive() -> bytes:
    """The program as a zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for path, content in sorted(sources().items()):
            entry = zipfile.ZipInfo(path, STAMP)
            entry.create_system, entry.external_attr, entry.compress_type = 3, 0o644 << 16, zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return buffer.getvalue()


def options() -> dict[str, str]:
    """The options of the module that installs the program on a host."""
    return {"name": name(), "archive": base64.b64encode(archive()).decode("ascii")}


def arguments(installs: bool) -> list[str]:
    """The arguments of Python on a host, for a call that starts the program, or that installs it first."""
    source = starter(installs)
    return ["-IS", "-c", START, str(len(source)), *([str(len(archive())), name()] if installs else [])]


def starter(installs: bool) -> bytes:
    """The code that runs on the host: it installs the program if asked, starts it, and passes on the other input."""
    text = sources()[f"{PACKAGE}/module_utils/base/_start.py"]
    if installs:
        text += INSTALL.encode() + b"if why:\n    print(json.dumps({'aurora_program': why}))\nelse:\n    "
    return text + f"start({name()!r}, sys.stdin.buffer.read())\n".encode()


def sent(request: bytes, installs: bool) -> bytes:
    """Everything that goes to the standard input of a call."""
    return starter(installs) + (archive() if installs else b"") + request


def unexpanded(spec: Mapping) -> dict:
    """An argument specification whose paths stay as they were given, because they are expanded on the host."""
    return {
        name: {
            key: unexpanded(value) if key == "options" else "str" if value == "path" else value
            for key, value in one.items()
        }
        for name, one in spec.items()
    }


def read(output: str) -> dict | None:
    """The answer in the output of a call, which may have other lines around it; None if there is none."""
    for line in reversed(output.splitlines()):
        if line.startswith("{"):
            with contextlib.suppress(ValueError, RecursionError):
                answer = json.loads(line)
                return answer if isinstance(answer, dict) else None
    return None
