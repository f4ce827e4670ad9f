# SPDX-License-Identifier: GPL-3.0-or-later
"""Inject each fault of the lab into one host, look with triage.yml, and write the causes found into docs/runbook.md.

``./dev up``, then ``./dev run python tests/confusion.py``. The exit status is 1 if a cause was not named first.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "integration"))

import helpers  # the path above is what makes it importable

PAGE = HERE.parent / "docs" / "runbook.md"
START, END = "<!-- confusion -->\n", "<!-- /confusion -->\n"


def main() -> int:
    host = helpers.HOSTS[0]
    found = {name: causes(name, host) for name in helpers.lab.FAULTS}
    text = PAGE.read_text(encoding="utf-8")
    head, tail = text.partition(START)[0], text.partition(END)[2]
    PAGE.write_text(f"{head}{START}{table(found)}{END}{tail}", encoding="utf-8")
    return int(any(names[:1] != [helpers.lab.FAULTS[fault].cause] for fault, names in found.items()))


def causes(fault: str, host: str) -> list[str]:
    """The causes that triage names for a fault, the likeliest first."""
    try:
        helpers.lab.break_(fault, [host])
        said = helpers.playbook("triage", "--limit", host).report
    finally:
        helpers.lab.mend()
    marks = (line.partition(f"{host}: likely cause: ")[2].partition(":")[0] for line in said)
    return [mark for mark in marks if mark]


def table(found: dict[str, list[str]]) -> str:
    """Injected against found, as Markdown."""
    lines = ["| fault | its cause | found first | found besides |", "|---|---|---|---|"]
    right = 0
    for fault, (first, *others) in ((fault, names or ["none"]) for fault, names in found.items()):
        cause = helpers.lab.FAULTS[fault].cause
        right += first == cause
        lines.append(f"| `{fault}` | {cause} | {first} | {', '.join(others)} |")
    return "\n".join([*lines, "", f"Named first: {right} of {len(found)}.", ""])


if __name__ == "__main__":
    sys.exit(main())
