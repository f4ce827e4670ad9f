# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account may ask for whose only right is to start this program by sudo. Private to aurora.runbook.

Whoever owns that account sends any request that he likes, so the controller's checks count for nothing here. A request
names a module and options that the module knows. Each option has to have its default, unless PATH says which values or
ranges it may have, or CHOSEN says that it may have any that the module itself takes. What PATH does not say, or
says in a file that others than root can change, is not allowed.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _knobs
from ansible_collections.aurora.runbook.plugins.module_utils.base import _files
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.program import _basic

PATH = "/etc/aurora-runbook/allowed.json"
MODULES = "ansible_collections.aurora.runbook.plugins.modules"
REQUEST = {"module": str, "params": dict, "check_mode": bool, "program": str}
RANGE = {"from", "to"}
# Modules whose guards, such as the number of actions an hour, hold only for a call that names its incident. What gives
# back or settles is never held up by them.
GUARDED = ("log_rotation", "recalibration", "service_override", "service_restart", "tcp_tuning")
UNGUARDED_STATES = ("absent", "settled")
# What is told of the incident goes into its record and nowhere else. The numbers that guards hold to, and the reason to
# act against them, are not here.
_INCIDENT = tuple(
    f"incident.{name}"
    for name in (
        *("id", "run", "by", "severity", "age_seconds", "alert", "cause", "seen", "silence", "hosts"),
        *("healthy_peers", "last"),
    )
)
_RECOVERY = ("indicator", "timeout_seconds", "interval_seconds")  # choices, and times within the module's ranges
_WATCHED = tuple(f"recovery.{name}" for name in _RECOVERY)
_WAITS = ("start_seconds", "hold_seconds")  # within the module's ranges: how long it waits for a service
# The options of each module that may have any value its module takes. What is not here is held against PATH.
CHOSEN = {
    # Words and figures for the record. An id is checked before it names a file.
    "incident": (
        *("id", "verdict", "who", "text", "minutes", "level", "key", "sent", "failed", "took", "at"),
        *_INCIDENT,
    ),
    "incident_info": ("id", "days", "entries"),
    "log_rotation": (*_INCIDENT, *_WATCHED),
    "recalibration": (*_INCIDENT, *_WATCHED),
    "service_override": ("state", "direction", *_WAITS, *_INCIDENT, *_WATCHED),
    "service_restart": ("state", "config_test", "mended", *_WAITS, *_INCIDENT, *_WATCHED),
    "tcp_tuning": ("state", "profile", *_INCIDENT, *_WATCHED),
    # How long is looked, what was seen from outside, and what Prometheus calls this host.
    "triage_info": (
        *("sample_seconds", "enough_seconds", "min_decisions", "probe_seconds", "incident", "outside"),
        *("prometheus_instance", "prometheus_label"),
    ),
    "wait_for_recovery": _RECOVERY,
}


def check(asked: Mapping) -> None:
    """Raise RunbookError for a request that is not allowed."""
    module, params = asked["module"], asked["params"]
    if module not in CHOSEN:
        raise RunbookError(f"{module[:80]!r} is no module that this account may ask for")
    spec = importlib.import_module(f"{MODULES}.{module}").ARGUMENTS["argument_spec"]
    try:
        _basic.checked(spec, params)
    except _basic.OptionsError as error:
        raise RunbookError(f"{module}: {str(error)[:300]}") from None
    refused = list(refusals(module, spec, params, load()))
    if refused:
        raise RunbookError(f"{module}: {PATH} does not allow {', '.join(refused)[:300]}")


def request(raw: bytes) -> dict:
    """A request as JSON. Raises RunbookError for what is none."""
    try:
        asked = json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise RunbookError("the request is not JSON") from None
    if not isinstance(asked, dict) or set(asked) != set(REQUEST):
        raise RunbookError(f"the request has to have {', '.join(REQUEST)}, and nothing else")
    wrong = [name for name, kind in REQUEST.items() if not isinstance(asked[name], kind)]
    if wrong:
        raise RunbookError(f"in the request {', '.join(wrong)} is of another type")
    return asked


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def load(path: str = PATH) -> dict:
    """What is allowed, by module and option. Raises RunbookError for a file that cannot be relied upon."""
    if os.path.realpath(path) != path:
        raise RunbookError(f"{path} is a link, or lies behind one, so nothing is allowed")
    try:
        allowed = json.loads(_files.read_trusted(path)[1], parse_constant=_no_number)
    except RunbookError as error:
        raise RunbookError(f"{error}; nothing is allowed until aurora.runbook.prepare has put it right") from None
    except (ValueError, RecursionError):
        allowed = None
    if not isinstance(allowed, dict) or not all(isinstance(rules, dict) for rules in allowed.values()):
        raise RunbookError(f"{path} is not what aurora.runbook.prepare writes, so nothing is allowed")
    return allowed


def refusals(module: str, spec: Mapping, params: Mapping, allowed: Mapping) -> Iterator[str]:
    """The options of a call that are not allowed; none where the call is. ``params`` fit the specification."""
    if module not in allowed:
        yield "this module"
        return
    state = params.get("state")
    if module in GUARDED and params.get("incident") is None and state not in UNGUARDED_STATES:
        yield "a call without an incident"
    yield from _refused(spec, params, allowed[module], CHOSEN[module])


def _refused(spec: Mapping, params: Mapping, rules: Mapping, chosen: Iterable[str], above: str = "") -> Iterator[str]:
    for name, one in spec.items():
        value, where = params.get(name), f"{above}{name}"
        if value is None:  # not given, which the controller does only where there is no default
            yield from [where] if one.get("default") is not None else []
        elif where in chosen:
            continue
        elif "options" in one and one["type"] == "dict":
            inner = rules.get(name)
            yield from _refused(one["options"], value, inner if isinstance(inner, dict) else {}, chosen, f"{where}.")
        elif name not in rules:
            if not _same(value, one.get("default")):
                yield where
        elif isinstance(value, dict) and not isinstance(rules[name], list):
            yield from (f"{where}.{key[:64]}" for key in value if not _fits(value[key], _rule(rules[name], key)))
        elif one.get("type") == "list":
            yield from ([] if all(_fits(element, rules[name]) for element in value) else [where])
        elif not _fits(value, rules[name]):
            yield where


def _rule(rules: object, key: str) -> object:
    return rules.get(key) if isinstance(rules, dict) else None


def _fits(value: object, rule: object) -> bool:
    """Is this one of the values of a list, or a number within a range? Anything else is no rule, and allows nothing."""
    if isinstance(rule, list):
        return any(_same(value, one) for one in rule)
    if not isinstance(rule, dict) or set(rule) != RANGE:
        return False
    number, lowest, highest = (_number(one) for one in (value, rule["from"], rule["to"]))
    return None not in (number, lowest, highest) and lowest <= number <= highest


def _number(value: object) -> float | None:
    if isinstance(value, str):
        return _knobs.number(value)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _same(value: object, other: object) -> bool:
    """Equal, where true is not 1."""
    return value == other and isinstance(value, bool) == isinstance(other, bool)
