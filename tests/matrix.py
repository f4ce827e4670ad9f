# SPDX-License-Identifier: GPL-3.0-or-later
"""Every incident once on every pair of a controller and a Debian that the collection claims.

``./dev test --all`` runs this, and ``./dev test`` a short piece of it. ``./dev run python tests/matrix.py trixie``
tries the pairs of one Debian again. What came of each pair is kept in ``.dev/matrix.json``, and ``./dev matrix`` writes
it into README.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET

os.environ["AURORA_LAB"] = "2"  # the lab of a person at work stays as it is

import controller

sys.path.insert(0, str(controller.CHECKOUT / "tests" / "lab"))

import lab
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators

KEPT = controller.CHECKOUT / ".dev" / "matrix.json"
PAGE = controller.CHECKOUT / "README.md"
START, END = "<!-- matrix -->\n", "<!-- /matrix -->\n"
INCIDENTS = tuple(_indicators.INDICATORS)
HOSTS = 4  # incidents that are tried at once; what failed is run once more, for they take the machine from each other
A_HOST_EACH = ["-n", str(HOSTS), "--dist", "worksteal", "--reruns", "1", "-rR"]
OTHER_DEBIAN, SHORT = (
    "trixie",
    "circuit_breaker",
)  # what each ./dev test tries, with the oldest and the newest controller
# What a host says of itself, for the head of its column.
ABOUT = "systemctl --version | sed -n '1s/^systemd \\([0-9]*\\).*/systemd \\1/p'; python3 --version | cut -d. -f1,2"


def run(debians: list[str]) -> int:
    """Try the pairs of some Debians, and show what is known of all; 1 where an incident was not answered."""
    found = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    for debian in debians:
        lab.down([lab.LAB])
        lab.up(HOSTS, debian)
        about = lab.inside("aurora1", "sh", "-c", ABOUT).splitlines()
        found[debian] = {"about": about, "pairs": {}}
        for version in controller.CONTROLLERS:
            answered = answered_on(version, *A_HOST_EACH)
            found[debian]["pairs"][version] = {"exact": controller.exact(version), "answered": answered}
            KEPT.write_text(json.dumps(found, indent=1), encoding="utf-8")
    lab.down([lab.LAB])
    print(table(found), flush=True)
    tried = [found[debian]["pairs"][version] for debian in debians for version in controller.CONTROLLERS]
    return int(any(set(pair["answered"]) != set(INCIDENTS) for pair in tried))


def run_short() -> int:
    """Try one incident on one other Debian than the usual one, with the oldest and the newest controller."""
    lab.down([lab.LAB])
    lab.up(1, OTHER_DEBIAN)
    answered = [answered_on(version, "-k", SHORT) for version in (controller.OLDEST, controller.NEWEST)]
    return int(answered != [[SHORT], [SHORT]])


def answered_on(version: str, *pytest: str) -> list[str]:
    """Return the incidents that were answered as they should with a controller on the lab that is up."""
    report = controller.home(version) / "report.xml"
    report.unlink(missing_ok=True)
    flags = ["-q", f"--junit-xml={report}", *pytest]
    script = str(controller.CHECKOUT / "tests" / "controller.py")
    subprocess.run([sys.executable, script, version, *flags, "tests/integration/each_incident"], check=False)
    return passed(report.read_text(encoding="utf-8")) if report.exists() else []


def passed(report: str) -> list[str]:
    """Return the parameters of the tests that passed, from a report of pytest's in JUnit's form.

    A test that failed and was run again has an entry for each time, and only the last one says how it ended: an entry
    that was followed by another run names no failure (pytest-rerunfailures 16).
    """
    cases = ET.fromstring(report).iter("testcase")  # noqa: S314 pytest of this checkout wrote it
    ended = {case.get("name", "").partition("[")[2].rstrip("]"): case.find("*") is None for case in cases}
    return sorted(name for name, is_passed in ended.items() if is_passed)


def table(found: dict) -> str:
    """A row for each controller and a column for each Debian, as Markdown."""
    debians = [debian for debian in lab.DEBIANS if debian in found]
    columns = [f"Debian {lab.DEBIANS[debian]} ({', '.join(found[debian]['about'])})" for debian in debians]
    rows = ["| ansible-core | " + " | ".join(columns) + " |", "|---" * (len(debians) + 1) + "|"]
    for version in controller.CONTROLLERS:
        pairs = [found[debian]["pairs"].get(version) for debian in debians]
        exact = next((pair["exact"] for pair in pairs if pair), version)
        rows.append(f"| {exact} | " + " | ".join(cell(pair) for pair in pairs) + " |")
    return "\n".join(rows)


def cell(pair: dict | None) -> str:
    """Say in a cell of the table which incidents were answered."""
    if pair is None:
        return "not tried"
    missing = [incident for incident in INCIDENTS if incident not in pair["answered"]]
    answered = f"{len(INCIDENTS) - len(missing)} of {len(INCIDENTS)}"
    return f"{answered}: not {', '.join(missing)}" if missing else answered


def paste() -> int:
    """Write what the last run found into README.md."""
    if not KEPT.exists():
        sys.exit("no pair was tried yet: ./dev test --all")
    text = PAGE.read_text(encoding="utf-8")
    head, tail = text.partition(START)[0], text.partition(END)[2]
    found = table(json.loads(KEPT.read_text(encoding="utf-8")))
    PAGE.write_text(f"{head}{START}{found}\n{END}{tail}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    asked = sys.argv[1:]
    whole = {"paste": paste, "short": run_short}
    sys.exit(whole[asked[0]]() if asked and asked[0] in whole else run(asked or list(lab.DEBIANS)))
