# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes numbered lines to a log at a steady rate until SIGTERM; goes on counting after a restart.

Arguments: log, file that remembers the number, lines a second, what SIGHUP does (reopen or ignore).
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path


def main() -> None:
    log, remembered, rate, on_hup = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
    asked = set()
    signal.signal(signal.SIGTERM, lambda *_: asked.add("end"))
    signal.signal(signal.SIGHUP, lambda *_: asked.add(on_hup))

    def open_log() -> int:
        return os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)

    descriptor = open_log()
    first = number = int(remembered.read_text(encoding="ascii")) if remembered.exists() else 0
    started = time.monotonic()
    while "end" not in asked:
        if "reopen" in asked:
            asked.discard("reopen")
            os.close(descriptor)
            descriptor = open_log()
        while number - first < (time.monotonic() - started) * rate:
            number += 1
            os.write(descriptor, b'{"n": %d}\n' % number)
        time.sleep(0.002)
    remembered.write_text(str(number), encoding="ascii")


if __name__ == "__main__":
    main()
