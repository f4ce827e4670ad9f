# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests of an account whose only right is to start this program with sudo. Private to aurora.runbook.

The owner of that account can send any request, so the controller's checks count for nothing here. A request names a
module and options that the module knows. Each option must have its default, unless PATH says which values or ranges it
may have, or CHOSEN says that it may have any value that the module itself takes. Anything that PATH does not allow, or
allows in a file that others than root can change, is refused.

PATH has one or several sets of rules for each module, and a call has to fit one of them completely: values for the
runner must not be given to the feed. NEEDS in a set names options that have to be given. A rule with BY has one value
for each value of another option.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NoReturn

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _knobs
from ansible_collections.aurora.runbook.plugins.module_utils.base import _files, _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.program import _basic
from ansible_collections.aurora.runbook.plugins.module_utils.record import _pause, _record

PATH = "/etc/aurora-runbook/allowed.json"
MODULES = "ansible_collections.aurora.runbook.plugins.modules"
REQUEST = {"module": str, "params": dict, "check_mode": bool, "program": str}
RANGE = {"from", "to"}
BY = {"by", "values"}
NEEDS = "needs"
MOST_DEPTH = 16  # nesting of lists and dicts in a request; ours have nine levels
FUTURE_SECONDS = 300.0  # how far a controller's clock may be ahead of this host's
# Modules whose guards, such as the number of actions an hour, apply only to a call that names its incident. Giving back
# and settling are never refused by them.
GUARDED = ("log_rotation", "recalibration", "service_override", "service_restart", "tcp_tuning")
UNGUARDED_STATES = ("absent", "settled")
# Beyond these, only ends are written for the account. Normal use is far below, see _record.KEPT.
MOST_RECORDS, MOST_BYTES = 1000, 128 << 20
ENDS = ("closed", "settled", "ticked", "ticking")  # states of the incident module that need no space, or free some
# What these options say of the incident goes only into its record. The limits of guards, and the reason to act against
# them, are not here.
_INCIDENT = tuple(
    f"incident.{name}"
    for name in (
        *("id", "run", "by", "severity", "age_seconds", "alert", "cause", "seen", "silence", "hosts"),
        *("healthy_peers", "last"),
    )
)
_RECOVERY = ("indicator", "interval_seconds")  # a choice, and a time within the range of the module
_WATCHED = tuple(f"recovery.{name}" for name in _RECOVERY)
# The options of each module that may have any value which the module takes. All others are checked against PATH.
CHOSEN = {
    # Words and figures for the record. An id is checked before it names a file.
    "incident": (
        *("id", "verdict", "who", "text", "minutes", "level", "key", "sent", "failed", "took", "at"),
        *_INCIDENT,
    ),
    "incident_info": ("id", "days", "entries"),
    "log_rotation": (*_INCIDENT, *_WATCHED),
    "preflight_info": (),
    "recalibration": (*_INCIDENT, *_WATCHED),
    "service_override": ("state", *_INCIDENT, *_WATCHED),
    "service_restart": ("mended", *_INCIDENT, *_WATCHED),
    "tcp_tuning": ("state", "profile", *_INCIDENT, *_WATCHED),
    # How long to look, what was seen from outside, and what Prometheus calls this host.
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
        raise RunbookError(f"{module[:80]!r} is not a module that this account may use")
    spec = importlib.import_module(f"{MODULES}.{module}").ARGUMENTS["argument_spec"]
    try:
        _basic.checked(spec, params)
    except _basic.OptionsError as error:
        raise RunbookError(f"{module}: {str(error)[:300]}") from None
    refused = refusals(module, spec, params, load())
    if refused:
        raise RunbookError(f"{module}: {PATH} does not allow {', '.join(refused)[:300]}")
    _check_incidents(params, time.time())
    if _acts(module, params) and not params["incident"]["cause"].strip():
        raise RunbookError(f"{module}: incident.cause is empty, so that no guard could count this cure")
    if module in GUARDED and params.get("incident") is None and _pause.load(_stamps.clock()):
        raise RunbookError(f"{module}: automation is paused here, and this call names no incident")
    if _acts(module, params) or (module == "incident" and params["state"] not in ENDS):
        _check_room()


def _acts(module: str, params: Mapping) -> bool:
    """Whether it changes something and does not only give back or settle. Then it needs an incident, see refusals()."""
    return module in GUARDED and params.get("state") not in UNGUARDED_STATES


def _check_room(state: str = _record.STATE_DIRECTORY) -> None:
    """Raise RunbookError if records take more space than anybody but this account can have filled."""
    sizes = [_size(_record.path(name, state)) for name in _record.names(state)]
    if len(sizes) > MOST_RECORDS or sum(sizes) > MOST_BYTES:
        raise RunbookError(
            f"{len(sizes)} records of {sum(sizes)} bytes in {_record.directory(state)} are more than {MOST_RECORDS} or"
            f" {MOST_BYTES}: this account can only look, give back and close until an administrator has looked at them"
        )


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except FileNotFoundError:  # it was just removed
        return 0


def request(raw: bytes) -> dict:
    """A request as JSON. Raises RunbookError for anything else."""
    try:
        asked = json.loads(raw, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError):
        raise RunbookError("the request is not JSON") from None
    if not isinstance(asked, dict) or set(asked) != set(REQUEST):
        raise RunbookError(f"the request has to have {', '.join(REQUEST)}, and nothing else")
    wrong = [name for name, kind in REQUEST.items() if not isinstance(asked[name], kind)]
    if wrong:
        raise RunbookError(f"in the request {', '.join(wrong)} is of another type")
    if _too_deep(asked):
        raise RunbookError(f"the request has {MOST_DEPTH} lists and dicts within each other, or more")
    return asked


def _too_deep(value: object) -> bool:
    level = [value]
    for _depth in range(MOST_DEPTH):
        within = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, (dict, list))]
        level = [inner for ones in within for inner in ones]
    return bool(level)


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _check_incidents(params: Mapping, now: float) -> None:
    """Raise RunbookError for an incident of no known class, or from the future.

    The date in its id decides when a finished record is removed, the oldest first, and guards count what is left.
    """
    told = params.get("incident")  # a module that only looks takes the name of an incident
    for identity in filter(None, (params.get("id"), told.get("id") if isinstance(told, dict) else None)):
        if _record.incident_of(identity) not in (*_indicators.INDICATORS, _record.NOBODY):
            raise RunbookError(f"{identity[:80]!r} is not an incident of a known class")
        try:
            began = datetime.strptime(f"{_record.ID.fullmatch(identity)[2]}+0000", "%Y%m%dT%H%M%SZ%z").timestamp()
        except ValueError:
            began = math.inf
        if began > now + FUTURE_SECONDS:
            raise RunbookError(f"{identity[:80]!r} begins later than now by this host's clock")


def load(path: str = PATH) -> dict:
    """What is allowed, by module and option. Raises RunbookError for a file that cannot be trusted."""
    if os.path.realpath(path) != path:
        raise RunbookError(f"{path} is a link, or lies behind one, so nothing is allowed")
    try:
        allowed = json.loads(_files.read_trusted(path)[1], parse_constant=_no_number)
    except RunbookError as error:
        raise RunbookError(f"{error}; nothing is allowed until aurora.runbook.prepare has put it right") from None
    except (ValueError, RecursionError):
        allowed = None
    sets = [_sets(one) for one in allowed.values()] if isinstance(allowed, dict) else [[]]
    if not all(one and all(isinstance(rules, dict) for rules in one) for one in sets):
        raise RunbookError(f"{path} is not what aurora.runbook.prepare writes, so nothing is allowed")
    return allowed


def _sets(rules: object) -> list:
    """The sets of rules of a module."""
    return rules if isinstance(rules, list) else [rules]


def refusals(module: str, spec: Mapping, params: Mapping, allowed: Mapping) -> list[str]:
    """The options of a call that are not allowed; none if it is allowed. ``params`` already fit the specification.

    If the call fits no set of rules, these are the refusals of the set that fits it best.
    """
    if not _sets(allowed.get(module, [])):
        return ["this module"]
    found = [list(_refused(spec, params, rules, CHOSEN[module])) for rules in _sets(allowed[module])]
    unguarded = module in GUARDED and params.get("incident") is None and params.get("state") not in UNGUARDED_STATES
    return [*(["a call without an incident"] if unguarded else []), *min(found, key=len)]


def _refused(spec: Mapping, params: Mapping, rules: Mapping, chosen: Iterable[str], above: str = "") -> Iterator[str]:
    yield from (f"a call without {name}" for name in rules.get(NEEDS, ()) if params.get(name) is None)
    for name, one in spec.items():
        value, where = params.get(name), f"{above}{name}"
        if value is None:  # not given; the controller omits only options without a default
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
        elif not _fits(value, _of_another(rules[name], params)):
            yield where


def _of_another(rule: object, params: Mapping) -> object:
    """A rule with the one value that belongs to the value of another option, if it says so."""
    if not isinstance(rule, dict) or set(rule) != BY or not isinstance(rule["values"], dict):
        return rule
    value = rule["values"].get(params.get(rule["by"]))
    return [] if value is None else [value]


def _rule(rules: object, key: str) -> object:
    return rules.get(key) if isinstance(rules, dict) else None


def _fits(value: object, rule: object) -> bool:
    """Whether this is one of the values of a list, or a number within a range. Any other rule allows nothing."""
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
    """Whether two values are equal; true does not equal 1."""
    return value == other and isinstance(value, bool) == isinstance(other, bool)
