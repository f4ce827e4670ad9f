# SPDX-License-Identifier: GPL-3.0-or-later
"""The trades that a model is fitted to, and how Aurora's own code runs and judges its model. Private to aurora.runbook.

Source: runbook, "Тріаж кроки" 2 and 3 of section 5.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _knobs, _messages
from ansible_collections.aurora.runbook.plugins.module_utils.base import _command, _stamps, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import CommandError, RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _log_lines

DAYS = float(_knobs.KNOBS["CALIBRATION_DAYS"].normal)  # days of trades to which Aurora fits its model
FUTURE_SECONDS = 300.0
VALIDATE = "import calibration; calibration.validate()"
VALIDATE_SECONDS = 60.0


@dataclass(frozen=True)
class Site:
    """How Aurora's own code runs on this host: user, directory, Python, and the days of trades for a fit."""

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
    """The conditions that trades have to meet before a model is fitted to them."""

    min_trades: int = 500
    max_malformed_percent: float = 5.0
    max_stale_seconds: float = 86400.0


def site(user: str, home: str, runner: str, days: int | None = None) -> Site:
    """The site as the running processes of the runner's unit show it. Raises RunbookError for root and odd paths."""
    _command.check_user(user)
    _command.plain_path("home", home)
    unit = _systemd.show(_command.run, [_systemd.check_name(runner)])[0]
    environments = (_systemd.environment(pid) or {} for pid in _systemd.processes(unit["ControlGroup"]))
    wanted = float(days or days_of(environments))
    return Site(user, home, interpreter(_systemd.arguments(unit.pid)), wanted)


def run_python(
    at: Site, arguments: list[str], seconds: float, properties: Mapping[str, str], unit: str = ""
) -> _command.Completed:
    """Run Aurora's own code as its user, as its services do. Raises CommandError."""
    environment = {
        "PYTHONPATH": at.home,
        "PYTHONDONTWRITEBYTECODE": "1",
        "CALIBRATION_DAYS": f"{at.days:g}",
        "LC_ALL": "C.UTF-8",
    }
    properties = {"WorkingDirectory": at.home, **properties}
    return _command.as_user(at.user, [at.python, *arguments], environment, seconds, properties, unit=unit)


def validate(at: Site, seconds: float = VALIDATE_SECONDS) -> tuple[bool | None, str]:
    """Whether calibration.validate() accepts the model, and its last words; None if it cannot be asked.

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
    """The last complete lines of a log, of at most ``size`` bytes together, also from the log rotated last.

    If there is no log there are no lines. Raises RunbookError for a file that is not the owner's, and if a rotated file
    cannot be read while there are fewer lines than ``needed`` without it, because it is then unknown whether there are
    enough.
    """
    try:
        tail = _log_lines.read(path, owner, size)
    except FileNotFoundError:
        return []
    if tail.unread and len(tail.lines) < needed:
        raise RunbookError(tail.unread)
    return tail.lines


def log_size(min_trades: int) -> int:
    """How many bytes of the log are read: enough for trades of 1 KiB each, but at most 16 MiB."""
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
    """Seconds since a trade; None for a line that is no trade."""
    try:
        trade = json.loads(line)
        numbers = [_stamps.seconds(trade["ts"]), trade["outcome"], trade["score"] if "score" in trade else trade["p"]]
        sound = all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers)
        return now - numbers[0] if sound else None
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return None


def objection(trades: Trades, days: float, limits: Limits) -> tuple[str, str, dict] | None:
    """Why a model must not be fitted to these trades: cause, message key and values; None if it may."""
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
    """CALIBRATION_DAYS of the runner's processes, 30 if they have no valid value."""
    for environment in environments:
        with contextlib.suppress(ValueError):
            days = float(environment.get("CALIBRATION_DAYS", ""))
            if 1 <= days <= 365:
                return days
    return DAYS


def interpreter(arguments: list[str]) -> str:
    """The Python in which a process with these arguments runs, possibly that of a virtual environment."""
    found = re.fullmatch(r"/[A-Za-z0-9._/@+-]*/python3?(\.\d+)?", arguments[0]) if arguments else None
    return found[0] if found else "/usr/bin/python3"
