# SPDX-License-Identifier: GPL-3.0-or-later
"""The runbook's commands as a pyinfra deploy, an operation each."""

from __future__ import annotations

from pathlib import Path

from pyinfra.operations import server

for line in Path(__file__).with_name("runbook.sh").read_text(encoding="utf-8").splitlines():
    if not line.startswith("#"):
        server.shell(name=line, commands=[line], _ignore_errors=True)
