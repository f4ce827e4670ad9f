# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases: what was there before a change, what was written, and by whom. Private to aurora.runbook.

One JSON file a lease under /var/lib/aurora-runbook/leases, so that all controllers and the host share one truth.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field

from ansible_collections.aurora.runbook.plugins.module_utils import _files
from ansible_collections.aurora.runbook.plugins.module_utils._errors import RunbookError

STATE_DIRECTORY = "/var/lib/aurora-runbook"
APPLYING, ACTIVE, REMOVING = "applying", "active", "removing"


@dataclass(frozen=True)
class Lease:
    """An override of one unit's environment.

    ``phase`` is ``applying`` or ``removing`` from before the first change until after the last: a crash in between
    leaves it so, and the next run does the whole again. ``before`` holds the values of the running process when the
    lease was first granted (null: unset), ``written`` what the override says, ``previous`` what it said before the last
    change, ``made`` the directories made for it.
    """

    unit: str
    phase: str
    before: dict[str, str | None]
    written: dict[str, str]
    granted: str
    by: str
    previous: dict[str, str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    kind: str = "service_override"
    version: int = 1

    @property
    def whole(self) -> bool:
        return self.phase == ACTIVE

    @property
    def settled(self) -> dict[str, str]:
        """What the override said when it was last whole; an unfinished change is not built upon."""
        return self.written if self.whole else self.previous


def path(unit: str, directory: str = STATE_DIRECTORY) -> str:
    return os.path.join(directory, "leases", f"override-{unit}.json")


def load(unit: str, directory: str = STATE_DIRECTORY) -> Lease | None:
    """The lease on a unit, None when there is none. Raises RunbookError when the file is not one of ours."""
    text = _files.read(path(unit, directory))
    return None if text is None else _decode(text, path(unit, directory))


def load_all(directory: str = STATE_DIRECTORY) -> list[Lease]:
    """Every lease of this host, by unit."""
    folder = os.path.join(directory, "leases")
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    except FileNotFoundError:
        return []
    texts = ((os.path.join(folder, name), _files.read(os.path.join(folder, name))) for name in names)
    return [_decode(text, place) for place, text in texts if text is not None]


def save(lease: Lease, directory: str = STATE_DIRECTORY) -> None:
    """Write a lease durably; its directories are for root alone."""
    _files.make_directory(directory, 0o700)
    _files.make_directory(os.path.join(directory, "leases"), 0o700)
    _files.write(path(lease.unit, directory), json.dumps(asdict(lease), indent=1, sort_keys=True) + "\n", 0o600)


def drop(unit: str, directory: str = STATE_DIRECTORY) -> None:
    _files.remove(path(unit, directory))


def _decode(text: str, place: str) -> Lease:
    try:
        lease = Lease(**json.loads(text))
        sound = (
            lease.version == 1
            and lease.kind == "service_override"
            and lease.phase in (APPLYING, ACTIVE, REMOVING)
            and isinstance(lease.made, list)
            and all(isinstance(v, (str, type(None))) for v in lease.before.values())
            and all(isinstance(v, str) for v in [*lease.written.values(), *lease.previous.values()])
        )
    except (TypeError, ValueError, AttributeError):
        sound = False
    if not sound:
        raise RunbookError(f"{place} is not a lease this version can read; look at it before running again")
    return lease
