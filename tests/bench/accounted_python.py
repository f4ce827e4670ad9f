# SPDX-License-Identifier: GPL-3.0-or-later
"""A Python for Ansible that notes what each call cost the host: CPU seconds and peak memory of it and its commands."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

COSTS = "/run/aurora-bench-costs"
SAMPLING = 0.02


def memory(group: int) -> int:
    """Bytes of a process group: what each process has to itself, and once the libraries, as the largest maps them."""
    own, libraries = [0], [0]
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getpgid(int(pid)) == group:
                with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in list(file)[1:]}
                own.append(sizes["Anonymous"])
                libraries.append(sizes["Rss"] - sizes["Anonymous"])
        except (OSError, KeyError):  # it ended meanwhile
            continue
    return sum(own) + max(libraries)


def main() -> int:
    peak = 0
    with subprocess.Popen(["/usr/bin/python3", *sys.argv[1:]], start_new_session=True) as called:
        while True:
            try:
                status = called.wait(SAMPLING)
                break
            except subprocess.TimeoutExpired:
                peak = max(peak, memory(called.pid))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(COSTS, "a", encoding="ascii") as file:
        print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "memory": peak}), file=file)
    return status


if __name__ == "__main__":
    sys.exit(main())
