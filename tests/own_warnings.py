# SPDX-License-Identifier: GPL-3.0-or-later
"""The warnings of ansible-core that are about this collection. Standard library only."""

from __future__ import annotations

import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
MESSAGE = re.compile(
    r"^(?=\[(?:DEPRECATION )?WARNING\]|\[ERROR\]|ERROR! |(?:fatal|failed|changed|ok|skipping): |(?:PLAY|TASK) )",
    re.MULTILINE,
)
EXCERPT = re.compile(r"^ *(?:\d+ .*|\^ column \d+)$", re.MULTILINE)  # the lines of a file below its name
# The collection by its name, or a file of it by its path.
OURS = re.compile(rf"aurora\.runbook|aurora/runbook/|{re.escape(str(CHECKOUT))}/(?:meta|playbooks|plugins|roles)/")


def own_warnings(said: str) -> list[str]:
    """Return each warning and deprecation in what a command said that names the collection or one of its files.

    A warning goes on until the next message. ansible-core before 2.19 breaks its lines at a fixed width, and later
    versions show some lines of the file: what stands in them is not what the warning is about.
    """
    warnings = [
        message for message in MESSAGE.split(said) if message.startswith(("[WARNING]", "[DEPRECATION WARNING]"))
    ]
    return [warning for warning in warnings if OURS.search(re.sub(r"\s", "", EXCERPT.sub("", warning)))]
