# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the program of this collection is on a host, and whether it may be run. Private to aurora.runbook.

The controller sends this source with each call and runs it there, so it imports only the standard library.
"""

import fcntl
import importlib
import json
import os
import re
import stat
import sys

VERSION = "1.0.0"  # the version in galaxy.yml
BASE = "/usr/local/lib/aurora-runbook"
CURRENT = BASE + "/current"  # a link to the newest program, for callers that do not know which one is there
NAME = re.compile(r"([0-9]+)\.([0-9]+)\.([0-9]+)-[0-9a-f]{16}")
MANIFEST = "manifest.json"  # a file in a program with the size of each other file
MISSING = "missing"
NOT_WHOLE = "parts of it are missing or cut off"
CALL = "ansible_collections.aurora.runbook.plugins.module_utils.program._call"  # a module of the program, not this file


def version(name):
    """The version of a program as numbers, from the name of its directory; () if that is no such name."""
    found = NAME.fullmatch(name)
    return tuple(map(int, found.groups())) if found else ()


def fault(path):
    """Why the program in this directory must not be run, "" if it may be.

    Root runs it, so nobody else may own or write to it, to a part of it, or to a directory above it. It must be exactly
    as it was installed, because a part that is cut off or missing would only show in the middle of a repair.
    """
    if not os.path.lexists(path):
        return MISSING
    above = [path]
    while above[-1] != "/":
        above.append(os.path.dirname(above[-1]))
    inside = [os.path.join(where, name) for where, folders, files in os.walk(path) for name in folders + files]
    sizes = {}  # another Python may add its own compiled __main__.py by itself
    for part in above + inside:
        status = os.lstat(part)
        if not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
            return f"{part} is neither a file nor a directory"
        if status.st_uid != 0 or status.st_mode & 0o022:
            return f"others than root can change {part}"
        if stat.S_ISREG(status.st_mode):
            sizes[os.path.relpath(part, path)] = status.st_size
    return "" if _manifest(path).items() <= sizes.items() else NOT_WHOLE


def _manifest(path):
    """The size of each file as it was installed; if that cannot be read, of a file that does not exist."""
    try:
        with open(os.path.join(path, MANIFEST), encoding="utf-8") as file:
            return dict(json.load(file))
    except (OSError, ValueError, TypeError):
        return {MANIFEST: None}


def use(path):
    """Keep a program from being removed while this process runs; see program/_install. Raises OSError."""
    fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_SH)


def start(name, request, account=False):
    """Answer one request with the program of that name, or say why it cannot be run. Prints one line of JSON.

    ``account`` means that the request comes from an account that may only send allowed requests.
    """
    path = f"{BASE}/{name}"
    sys.dont_write_bytecode = True  # the program must stay as it was installed
    try:
        use(path)  # first, so that the files found are not removed later
        why = fault(path)
        if not why:
            sys.path.insert(0, path)
            call = importlib.import_module(CALL)
    except (OSError, ImportError):  # it is missing, or somebody is removing it right now
        why = MISSING
    if why:
        sys.stdout.write(json.dumps({"aurora_program": why}) + "\n")
    elif account:
        call.serve_account(request, name)
    else:
        call.serve(request, name)
