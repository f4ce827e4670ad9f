# SPDX-License-Identifier: GPL-3.0-or-later
"""The trades a model is fitted to, the model's file, and whether a new fit is due and any good. Private.

Source: runbook, "Тріаж кроки" 2 and 3 and "Дії для вирішення" 1 of section 5, and 2 of section 4.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace

from ansible_collections.aurora.runbook.plugins.module_utils import (
    _command,
    _files,
    _lease,
    _log_lines,
    _messages,
    _stamps,
    _systemd,
)
from ansible_collections.aurora.runbook.plugins.module_utils._errors import CommandError, RunbookError

DAYS = 30.0  # of trades that Aurora fits its model to unless CALIBRATION_DAYS says otherwise
FUTURE_SECONDS = 300.0
TOLERANCE = 0.005  # what a calibration error moves by from one day's trades to the next
LARGEST_MODEL = 512 << 10
RECORD = os.path.join(_lease.STATE_DIRECTORY, "recalibration.json")
VALIDATE = "import calibration; calibration.validate()"
VALIDATE_SECONDS = 60.0
# Python that the service's user runs, to put a file of that user's back in one step: path, mode, time of change (ns).
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
class Site:
    """How Aurora's own code runs on this host: user, directory, Python, and days of trades that a fit is made to."""

    user: str
    home: str
    python: str
    days: float


@dataclass(frozen=True)
class Trades:
    """What the end of the log of trades holds.

    ``looked_at`` are lines, ``recent`` whole trades within the days of the fit, ``future`` lie ahead of this host's
    clock, ``newest_age`` is in seconds.
    """

    looked_at: int
    malformed: int
    future: int
    recent: int
    newest_age: float | None

    @property
    def malformed_percent(self) -> float:
        return round(100 * self.malformed / self.looked_at, 1) if self.looked_at else 0.0

    @property
    def future_percent(self) -> float:
        return round(100 * self.future / self.looked_at, 1) if self.looked_at else 0.0


@dataclass(frozen=True)
class Limits:
    """What trades must be like before a model is fitted to them."""

    min_trades: int = 500
    max_malformed_percent: float = 5.0
    max_stale_seconds: float = 86400.0


@dataclass(frozen=True)
class Model:
    """A model's file; ``content`` is None for one too large to be kept."""

    sha256: str
    content: bytes | None
    changed_ns: int
    mode: int


@dataclass(frozen=True)
class Replaced:
    """The model before a refit, what it was worth, and itself, to be put back if the new one is worse."""

    model: Model | None
    ece: float | None
    valid: bool | None

    def is_other(self, model: Model | None) -> bool:
        return sha_of(model) != sha_of(self.model)


@dataclass(frozen=True)
class Record:
    """What our refits did: when, by the days of trades they were fitted to, and the hash of the model they left.

    ``replaced`` stands from before a refit until it was judged; a crash in between leaves it for the next run.
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


def site(user: str, home: str, runner: str, days: int | None = None) -> Site:
    """As the running processes of the runner's unit show it. Raises RunbookError for root and for odd paths."""
    _command.check_user(user)
    _command.plain_path("home", home)
    unit = _systemd.show(_command.run, [_systemd.check_name(runner)])[0]
    environments = (_systemd.environment(pid) or {} for pid in _systemd.processes(unit["ControlGroup"]))
    wanted = float(days or days_of(environments))
    return Site(user, home, interpreter(_systemd.arguments(unit.pid)), wanted)


def run_python(
    at: Site, arguments: list[str], seconds: float, properties: Mapping[str, str], unit: str = ""
) -> _command.Completed:
    """Run Aurora's own code as its user, the way its services do. Raises CommandError."""
    environment = {
        "PYTHONPATH": at.home,
        "PYTHONDONTWRITEBYTECODE": "1",
        "CALIBRATION_DAYS": f"{at.days:g}",
        "LC_ALL": "C.UTF-8",
    }
    properties = {"WorkingDirectory": at.home, **properties}
    return _command.as_user(at.user, [at.python, *arguments], environment, seconds, properties, unit=unit)


def validate(at: Site, seconds: float = VALIDATE_SECONDS) -> tuple[bool | None, str]:
    """What calibration.validate() makes of the model, and its last words; None when it cannot be asked.

    It runs where it can write nowhere.
    """
    properties = {"ProtectSystem": "strict", "ProtectHome": "read-only"}
    try:
        done = run_python(at, ["-c", VALIDATE], seconds, properties)
    except CommandError as error:
        return None, str(error)
    absent = re.match(r"(ModuleNotFoundError|ImportError|AttributeError): .*calibration", done.last_line)
    return None if absent else done.rc == 0, done.last_line


def read_log(path: str, owner: str, size: int, needed: int = 0) -> list[bytes]:
    """The last whole lines of a log of at most ``size`` bytes together, also from the log rotated last.

    Without a log there are no lines. Raises RunbookError for a file that is not the owner's, and where a rotated file
    cannot be read and there are fewer lines than ``needed`` without it: nobody knows then whether there are enough.
    """
    try:
        tail = _log_lines.read(path, owner, size)
    except FileNotFoundError:
        return []
    if tail.unread and len(tail.lines) < needed:
        raise RunbookError(tail.unread)
    return tail.lines


def log_size(min_trades: int) -> int:
    """How many bytes of the log are looked at: enough for trades of 1 KiB, 16 MiB at the most."""
    return min(max(min_trades << 10, 1 << 19), 16 << 20)


def examine(lines: Iterable[bytes], days: float, now: float) -> Trades:
    """Count what a fit would see. A trade is an object with ``ts``, a number ``outcome`` and one ``score`` or ``p``."""
    count = malformed = future = recent = 0
    newest = None
    for line in lines:
        count += 1
        age = _age(line, now)
        if age is None:
            malformed += 1
        elif age < -FUTURE_SECONDS:
            future += 1
        else:
            recent += age <= days * 86400
            newest = age if newest is None else min(newest, age)
    return Trades(count, malformed, future, recent, None if newest is None else max(0.0, round(newest, 1)))


def _age(line: bytes, now: float) -> float | None:
    """Seconds since a trade; None for what is no trade."""
    try:
        trade = json.loads(line)
        numbers = [_stamps.seconds(trade["ts"]), trade["outcome"], trade["score"] if "score" in trade else trade["p"]]
        sound = all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers)
        return now - numbers[0] if sound else None
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return None


def objection(trades: Trades, days: float, limits: Limits) -> tuple[str, str, dict] | None:
    """Why a model must not be fitted to these trades: cause, message key and values; None when it may."""
    if trades.future_percent > limits.max_malformed_percent:
        values = {"percent": trades.future_percent, "lines": trades.looked_at, "limit": limits.max_malformed_percent}
        return "clock", "trades_ahead", values
    if trades.malformed_percent > limits.max_malformed_percent:
        values = {"percent": trades.malformed_percent, "lines": trades.looked_at, "limit": limits.max_malformed_percent}
        return "malformed_trades", "trades_malformed", values
    if trades.newest_age is not None and trades.newest_age > limits.max_stale_seconds:
        age, limit = trades.newest_age / 3600, limits.max_stale_seconds / 3600
        hours = {"age": _messages.number(age, limit), "limit": _messages.number(limit, limit)}
        return "stale_trades", "trades_stale", hours
    if trades.recent < limits.min_trades:
        return "few_trades", "trades_few", {"count": trades.recent, "days": days, "needed": limits.min_trades}
    return None


def days_of(environments: Iterable[Mapping[str, str]]) -> float:
    """CALIBRATION_DAYS as the runner's processes have it, 30 when they have none that makes sense."""
    for environment in environments:
        with contextlib.suppress(ValueError):
            days = float(environment.get("CALIBRATION_DAYS", ""))
            if 1 <= days <= 365:
                return days
    return DAYS


def interpreter(arguments: list[str]) -> str:
    """The Python that a process with these arguments runs in, which may be one of a virtual environment."""
    found = re.fullmatch(r"/[A-Za-z0-9._/@+-]*/python3?(\.\d+)?", arguments[0]) if arguments else None
    return found[0] if found else "/usr/bin/python3"


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
    """Is the new model worse? Both errors must have been measured in the same way."""
    if before.valid and valid is False:
        return True
    return None not in ece and ece[1] > ece[0] + TOLERANCE


def moved(before: float | None, now: float | None) -> bool:
    """Has a figure moved by more than it does by itself? One that was not known has nothing to move from."""
    return before is None or (now is not None and abs(now - before) > TOLERANCE)


def fine(valid: bool | None, ece: float | None, limit: float) -> bool:
    """Nothing speaks against this model, and something for it."""
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
    """The record while a refit is under way. What was tried on another model says nothing about this one."""
    same = record.left == sha_of(replaced.model)
    return replace(record, attempts=record.attempts if same else {}, replaced=replaced)


def close(record: Record, left: Model | None, tried: Mapping[float, float]) -> Record:
    """The record after a refit, with when it was ``tried`` by days; one that failed does not count."""
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
