# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of the model, and whether a new fit is due and good enough. Private to aurora.runbook.

Source: runbook, "Дії для вирішення" 1 of section 5, and 2 of section 4.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from ansible_collections.aurora.runbook.plugins.module_utils.base import _files
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease

TOLERANCE = 0.005  # how much a calibration error changes from one day's trades to the next
LARGEST_MODEL = 512 << 10
RECORD = os.path.join(_lease.STATE_DIRECTORY, "recalibration.json")
# Python code that puts a file of the service's user back in one step, run by that user: path, mode, time of change
# (ns).
PUT_BACK = """\
import os, sys
path, mode, changed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
new = path + ".restored"
with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
    file.write(sys.stdin.buffer.read())
    file.flush()
    os.fchmod(file.fileno(), mode)
    os.utime(file.fileno(), ns=(changed, changed))
    os.fsync(file.fileno())
os.replace(new, path)
"""


@dataclass(frozen=True)
class Model:
    """A model's file; ``content`` is None for one too large to be kept."""

    sha256: str
    content: bytes | None
    changed_ns: int
    mode: int


@dataclass(frozen=True)
class Replaced:
    """The model before a refit, its error and validity, and its content, to be put back if the new one is worse."""

    model: Model | None
    ece: float | None
    valid: bool | None

    def is_other(self, model: Model | None) -> bool:
        return sha_of(model) != sha_of(self.model)


@dataclass(frozen=True)
class Record:
    """What our refits did: when, on how many days of trades, and the hash of the model they left.

    ``replaced`` is set before a refit and cleared once the refit was judged. After a crash in between the next run
    finds it.
    """

    left: str = ""
    attempts: dict[str, float] = field(default_factory=dict)
    replaced: Replaced | None = None


@dataclass(frozen=True)
class Plan:
    """``refuse``, ``leave``, ``finish`` (judge what a killed run left) or ``refit``, and the message that says why."""

    action: str
    message: str
    values: dict
    cause: str | None = None


def read_model(path: str, owner: str) -> Model | None:
    """The model's file, None when there is none. Raises RunbookError for one that is not a file of the owner's."""
    if not os.path.lexists(path):
        return None
    raw, status = _files.read_owned(path, owner, 16 << 20)
    whole = raw if status.st_size <= LARGEST_MODEL else None
    return Model(hashlib.sha256(raw).hexdigest(), whole, status.st_mtime_ns, status.st_mode & 0o777)


def sha_of(model: Model | None) -> str:
    return model.sha256 if model else ""


def reported(text: str) -> tuple[float, float] | None:
    """ECE before and after as calibrate.py prints them, in the last JSON object of its output; None without."""
    for line in [text, *reversed(text.splitlines())]:
        with contextlib.suppress(ValueError, TypeError, KeyError, OverflowError, RecursionError):
            found = json.loads(line)
            pair = (found["ece_before"], found["ece_after"])
            if all(type(value) in (int, float) and 0 <= value <= 1 for value in pair):
                return pair
    return None


def worse(before: Replaced, ece: tuple[float | None, float | None], valid: bool | None) -> bool:
    """Whether the new model is worse. Both errors must have been measured in the same way."""
    if before.valid and valid is False:
        return True
    return None not in ece and ece[1] > ece[0] + TOLERANCE


def moved(before: float | None, now: float | None) -> bool:
    """Whether a figure changed by more than it does by itself. One that was unknown before cannot have changed."""
    return before is None or (now is not None and abs(now - before) > TOLERANCE)


def fine(valid: bool | None, ece: float | None, limit: float) -> bool:
    """Whether the model is known to be good: nothing speaks against it, and at least one check speaks for it."""
    within = None if ece is None else ece <= limit
    return False not in (valid, within) and True in (valid, within)


def plan(
    model: Model | None,
    record: Record,
    refusal: tuple[str, str, dict] | None,
    is_fine: bool,
    now: float,
    wanted: Mapping[str, float],
) -> Plan:
    """What to do; ``wanted`` holds ``days`` of trades and ``max_age`` of a model in seconds."""
    sha = sha_of(model)
    if record.replaced and record.replaced.is_other(model):
        return Plan("finish", "would_judge", {})
    if refusal:
        return Plan("refuse", refusal[1], refusal[2], refusal[0])
    age = now - model.changed_ns / 1e9 if model else math.inf
    since = now - record.attempts.get(f"{wanted['days']:g}", -math.inf) if sha == record.left else math.inf
    tried = 0 <= since < wanted["max_age"]
    if is_fine and (tried or age < wanted["max_age"]):
        return Plan("leave", "model_fresh", {"age": round(max(min(age, since), 0) / 3600, 1)})
    if tried:
        return Plan("refuse", "refit_tried", {"age": round(since / 3600, 1), "days": wanted["days"]}, "recently_refit")
    return Plan("refit", "would_refit", {"days": wanted["days"]})


def begin(record: Record, replaced: Replaced) -> Record:
    """The record while a refit is under way. Earlier attempts on another model say nothing about this one."""
    same = record.left == sha_of(replaced.model)
    return replace(record, attempts=record.attempts if same else {}, replaced=replaced)


def close(record: Record, left: Model | None, tried: Mapping[float, float]) -> Record:
    """The record after a refit, with the times of attempts by days in ``tried``. A refit that failed does not count."""
    return Record(sha_of(left), {**record.attempts, **{f"{days:g}": at for days, at in tried.items()}})


def load() -> Record:
    """The record of this host. Raises RunbookError when the file is not one of ours."""
    _files.check_private(os.path.dirname(RECORD))
    text = _files.read(RECORD)
    if text is None:
        return Record()
    try:
        return _decode(json.loads(text))
    except (TypeError, ValueError, KeyError, AttributeError):
        raise RunbookError(f"{RECORD} is not one this version can read; look at it, then remove it") from None


def save(record: Record) -> None:
    _files.make_private(_lease.STATE_DIRECTORY)
    _files.write(RECORD, json.dumps({"version": 1, **_encode(asdict(record))}, indent=1) + "\n", 0o600)


def _encode(data: object) -> object:
    if isinstance(data, dict):
        return {key: _encode(value) for key, value in data.items()}
    return base64.b64encode(data).decode("ascii") if isinstance(data, bytes) else data


def _decode(data: dict) -> Record:
    replaced = data["replaced"]
    if replaced:
        model = replaced["model"]
        if model and model["content"] is not None:
            model = {**model, "content": base64.b64decode(model["content"], validate=True)}
        replaced = Replaced(Model(**model) if model else None, replaced["ece"], replaced["valid"])
    if data["version"] != 1:
        raise ValueError(data["version"])
    return Record(str(data["left"]), {str(days): float(at) for days, at in data["attempts"].items()}, replaced)
