# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import sys
from pathlib import Path

LAB = Path(__file__).parents[2] / "lab"
sys.path[:0] = [str(LAB.parent), str(LAB), str(LAB / "hosts/aurora/files/opt/aurora")]
