# SPDX-License-Identifier: GPL-3.0-or-later
"""AnsibleModule as this collection's modules need it, for a host that has no Ansible. Private to aurora.runbook.

Importing the real one costs a host more than most of our modules do, and ``typing`` alone costs a seventh of a look at
the records, so code that every call imports does without. The controller has checked all options against the same
specification and filled in the defaults; here they are checked again, strictly, and nothing is converted.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence

REQUEST: dict = {}  # the request of this process: module, params, check_mode
ANSWER = sys.stdout
TYPES = {
    "str": str, "path": str, "int": int, "float": (int, float), "bool": bool, "dict": dict, "list": list,
}  # fmt: skip


class OptionsError(ValueError):
    """Options that do not fit the specification."""


class AnsibleModule:
    """Takes the keywords of the real class that our modules use. Any other keyword is an error."""

    def __init__(
        self,
        argument_spec: Mapping,
        required_if: Sequence = (),
        required_together: Sequence = (),
        supports_check_mode: bool = False,
    ) -> None:
        self.check_mode = bool(REQUEST["check_mode"])
        self.warnings: list[str] = []
        self.params: dict = {}
        try:
            self.params = checked(argument_spec, REQUEST["params"])
            check_required(self.params, required_if, required_together)
        except OptionsError as error:
            self.fail_json(msg=str(error))
        if self.check_mode and not supports_check_mode:
            self.exit_json(skipped=True, msg="this module does not support check mode")

    def warn(self, warning: str) -> None:
        self.warnings.append(warning)

    def exit_json(self, **result: object) -> None:
        answer({"changed": False, **result, **({"warnings": self.warnings} if self.warnings else {})})
        raise SystemExit(0)

    def fail_json(self, msg: str, **result: object) -> None:
        answer({**result, "failed": True, "msg": msg})
        raise SystemExit(1)


def answer(result: Mapping) -> None:
    ANSWER.write(json.dumps(result, default=_plain) + "\n")
    ANSWER.flush()


def _plain(value: object) -> object:
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    raise TypeError(type(value).__name__)


def checked(spec: Mapping, given: object, where: str = "") -> dict:
    """The options unchanged, but with paths expanded. Raises OptionsError for all that the specification refuses."""
    if not isinstance(given, dict) or set(given) - set(spec):
        raise OptionsError(f"{where or 'the options'}: only {', '.join(sorted(spec))} are known")
    return {name: _checked(one, given.get(name), f"{where}.{name}".lstrip(".")) for name, one in spec.items()}


def _checked(spec: Mapping, value: object, where: str) -> object:
    if value is None:
        if spec.get("required"):
            raise OptionsError(f"{where} is required")
        return None
    kind = spec.get("type", "str")
    if kind != "raw" and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "bool")):
        raise OptionsError(f"{where} is not of the type {kind}")
    choices = spec.get("choices")
    if choices and any(one not in choices for one in (value if isinstance(value, list) else [value])):
        raise OptionsError(f"{where}={value!r} is refused; expected one of {', '.join(map(str, choices))}")
    if kind == "dict" and "options" in spec:
        return checked(spec["options"], value, where)
    if kind == "list" and "elements" in spec:
        element = {key: spec[key] for key in ("options",) if key in spec}
        return [_checked({"type": spec["elements"], **element}, one, f"{where}[{n}]") for n, one in enumerate(value)]
    return os.path.expanduser(os.path.expandvars(value)) if kind == "path" else value


def check_required(params: Mapping, required_if: Sequence, required_together: Sequence) -> None:
    """Raise OptionsError if options are missing that other options require, as Ansible documents it."""
    for name, wanted, needed, *any_of in required_if:
        missing = [one for one in needed if params[one] is None]
        if params[name] == wanted and missing and (not any_of or not any_of[0] or len(missing) == len(needed)):
            raise OptionsError(f"{name}={wanted} needs {', '.join(missing)}")
    for names in required_together:
        if len({params[name] is None for name in names}) > 1:
            raise OptionsError(f"{', '.join(names)} are only given together")
