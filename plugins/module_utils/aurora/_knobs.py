# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment variables of aurora-runner that the runbook turns. Private to aurora.runbook.

Source: aurora's knob table and the runbook's "Дії для вирішення" of sections 2 to 5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
VALUE = re.compile(r"[A-Za-z0-9._:/@,+-]{1,256}")
SECRET_NAME = re.compile(r"TOKEN|SECRET|PASS|CREDENTIAL|PRIVATE|API_?KEY|AUTH", re.IGNORECASE)
# Variables that systemd or the loader interprets, that would run other code as the service, and names of limits.
RESERVED_NAME = re.compile(r"LD_.*|PYTHON.*|PATH|HOME|SHELL|IFS|BASH_ENV|ENV|MemoryMax|MemoryHigh|CPUQuota")
DIRECTIONS = ("neutral", "reduces", "increases")  # of exposure, the worst last


@dataclass(frozen=True)
class Knob:
    """Normal value, permitted range, and what a larger value does to exposure: 1 raises it, -1 lowers it, 0 neither.

    ``incident`` is the class of incidents that a person's own change of it belongs to, "" for the breaker, to which all
    activity belongs. ``asked`` is what AWX asks a person to set it for. It is "" if AWX does not ask, because a person
    only approves of a raise or does not.
    """

    normal: float
    lowest: float
    highest: float
    larger: int
    whole: bool = False
    incident: str = ""
    asked: str = ""


KNOBS = {
    "KELLY_MULTIPLIER": Knob(1.0, 0.01, 1.0, larger=1, asked="to reduce activity to"),
    "DECISIONS_PER_MINUTE": Knob(30, 1, 120, larger=1, whole=True, asked="to slow down to"),
    "SPREAD_THRESHOLD": Knob(1.5, 0.1, 5.0, larger=1),
    "P_THRESHOLD": Knob(0.7, 0.3, 0.99, larger=-1, incident="policy_deny_rate"),
    "CONFIDENCE_THRESHOLD": Knob(0.9, 0.5, 0.99, larger=-1, incident="calibration_ece"),
    "CALIBRATION_DAYS": Knob(30, 1, 365, larger=0, whole=True, incident="calibration_ece", asked="to fit the model to"),
}


def strings(environment: dict[str, object]) -> dict[str, str]:
    """Values as a service gets them. Raises RunbookError for a value that is neither text nor number."""
    for name, value in environment.items():
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise RunbookError(f"environment: the value of {name} is {value!r}; expected text or a number, in quotes")
    return {name: str(value) for name, value in environment.items()}


def check(environment: dict[str, str]) -> None:
    """Raise RunbookError for a name or value that systemd would cut, drop or misread, or that is out of range."""
    for name, value in environment.items():
        if not NAME.fullmatch(name) or RESERVED_NAME.fullmatch(name):
            raise RunbookError(f"environment: {name[:64]!r} is not a variable that may be overridden")
        if SECRET_NAME.search(name):
            raise RunbookError(f"environment: {name} looks like a secret; overrides are shown in reports, keep it out")
        if not VALUE.fullmatch(value):
            raise RunbookError(
                f"environment: the value of {name} may hold 1 to 256 of the characters A-Z a-z 0-9 . _ : / @ , + -"
            )
        if name in KNOBS:
            _check_range(name, value, KNOBS[name])


def _check_range(name: str, value: str, knob: Knob) -> None:
    amount = number(value)
    if amount is None or not knob.lowest <= amount <= knob.highest or (knob.whole and not value.isdecimal()):
        kind = "a whole number" if knob.whole else "a number"
        raise RunbookError(
            f"environment: {name}={value} is refused; expected {kind} from {knob.lowest:g} to {knob.highest:g}"
            f" (normal {knob.normal:g})"
        )


def direction(name: str, before: str | None, after: str | None) -> str:
    """The effect on exposure of a change from the running value to another: ``reduces``, ``neutral`` or ``increases``.

    A knob that is not set counts as its normal value. A change that cannot be judged (an unknown name, a value that is
    no number) counts as ``increases``, so that it needs a person.
    """
    knob = KNOBS.get(name)
    if before == after:
        return "neutral"
    if knob is None:
        return "increases"
    if knob.larger == 0:
        return "neutral"
    old, new = (knob.normal if value is None else number(value) for value in (before, after))
    if old is None or new is None:
        return "increases"
    change = (new - old) * knob.larger
    return "increases" if change > 0 else "reduces" if change < 0 else "neutral"


def number(text: str) -> float | None:
    """The number in a plain decimal text, None for any other text."""
    return float(text) if re.fullmatch(r"\d{1,9}\.?\d{0,9}|\.\d{1,9}", text, re.ASCII) else None
