# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the program of this collection lies on a host, and whether it may be run. Private to aurora.runbook.

The controller sends this source with each call and runs it there, so it imports the standard library alone.
"""

import importlib
import json
import os
import re
import stat
import sys

VERSION = "0.2.0"  # galaxy.yml's
BASE = "/usr/local/lib/aurora-runbook"
CURRENT = BASE + "/current"  # a link to the newest, for whoever does not know which is there
NAME = re.compile(r"([0-9]+)\.([0-9]+)\.([0-9]+)-[0-9a-f]{16}")
MISSING = "missing"
CALL = "ansible_collections.aurora.runbook.plugins.module_utils.program._call"  # of the program, not of this file


def version(name):
    """The version of a program as numbers, from the name of its directory; () for what is no such name."""
    found = NAME.fullmatch(name)
    return tuple(map(int, found.groups())) if found else ()


def fault(path):
    """What speaks against running the program in this directory, "" for nothing.

    Root runs it, so nobody else may own or write to it, to a part of it, or to a directory above it.
    """
    if not os.path.lexists(path):
        return MISSING
    above = [path]
    while above[-1] != "/":
        above.append(os.path.dirname(above[-1]))
    inside = [os.path.join(where, name) for where, folders, files in os.walk(path) for name in folders + files]
    for part in above + inside:
        status = os.lstat(part)
        if status.st_uid != 0 or status.st_mode & 0o022:
            return f"others than root can change {part}"
        if not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
            return f"{part} is neither a file nor a directory"
    return ""


def start(name, request):
    """Answer one request with the program of that name, or say why it cannot be run. Prints one line of JSON."""
    path = f"{BASE}/{name}"
    try:
        why = fault(path)
        if not why:
            sys.path.insert(0, path)
            call = importlib.import_module(CALL)
    except (OSError, ImportError):  # somebody removes it right now
        why = MISSING
    if why:
        print(json.dumps({"aurora_program": why}))
    else:
        call.serve(request, path)
