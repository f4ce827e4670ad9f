# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a remediation of tonight would work on a host, from what it answered by day. Pure; private to aurora.runbook.

A check is a dict. ``host`` is a host's name, "" for what is no host's; ``what`` one of WHATS; ``about`` which one of
them; ``state`` READY, NOT_READY or UNCHECKED; ``why`` and ``next`` a ``message`` of the texts with its ``values``. What
is not known is UNCHECKED, and never READY. What hosts say is hostile: it becomes one line without secrets, and is never
a template.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.plugin_utils import _texts

READY, NOT_READY, UNCHECKED = "ready", "not_ready", "unchecked"
WHATS = (
    *("connection", "become", "python", "systemd", "units", "knob", "metrics", "logs", "token", "rotation"),
    *("calibration", "kernel", "records", "clock", "timer", "leases", "pause", "program", "public_way", "exchange"),
    *("prometheus", "rules", "scrape", "alertmanager", "route", "silence", "webhook", "contact", "awx", "eda"),
    *("rulebook", "heartbeat", "around"),
)
NOTHING = {"message": "", "values": {}}
LONGEST = 300  # characters kept of a text from a host


def check(state: str, host: str, what: str, about: str, message: str, /, **values: object) -> dict:
    """A check with its reason, and what to do if it is not ready: the text ``ready_next_<what>``."""
    return {
        "host": host,
        "what": what,
        "about": clean(about),
        "state": state,
        "why": {"message": message, "values": {name: clean(value) for name, value in values.items()}},
        "next": NOTHING if state == READY else {"message": f"ready_next_{what}", "values": {}},
    }


def ready(host: str, what: str, about: str = "") -> dict:
    return {**check(READY, host, what, about, ""), "why": NOTHING}


def not_ready(host: str, what: str, about: str, message: str, /, **values: object) -> dict:
    return check(NOT_READY, host, what, about, message, **values)


def unchecked(host: str, what: str, about: str, problem: object) -> dict:
    """Something that could not be checked, and why; "" if nobody said why."""
    return check(UNCHECKED, host, what, about, "ready_unchecked", text=problem or "–")


def clean(value: object) -> object:
    """A number unchanged, anything else as one short line without secrets."""
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return value
    return _redact.redact(str(value), limit=LONGEST)


def all_ready(checks: Iterable[Mapping]) -> bool:
    """Whether everything is ready; False if there are no checks at all."""
    states = {one["state"] for one in checks}
    return states == {READY}


def handed_on(checks: Iterable[Mapping]) -> list[dict]:
    """The checks without any text from a host or a service, because they become extra variables of the next step."""
    return [{**{key: one[key] for key in ("host", "what", "state")}, "why": one["why"]["message"]} for one in checks]


def lines(language: str, hosts: Sequence[str], checks: Sequence[Mapping], unconfigured: Sequence[str]) -> list[str]:
    """What a person reads: one line for each host, then what is not ready with why and what to do."""
    places = [*hosts, *([""] if any(not one["host"] for one in checks) else [])]
    told = [_summary(language, place, [one for one in checks if one["host"] == place]) for place in places]
    if unconfigured:
        told.append(_texts.say(language, "ready_unconfigured", names=", ".join(unconfigured)))
    return told + [line for alike in _alike(checks) for line in _details(language, alike)]


def _summary(language: str, place: str, checks: Sequence[Mapping]) -> str:
    host = place or _texts.say(language, "ready_around")
    if all_ready(checks):
        return _texts.say(language, "ready_all", host=host, count=len(checks))
    bad, unknown = (_whats(checks, state) for state in (NOT_READY, UNCHECKED))
    key = "ready_not_and_unchecked" if bad and unknown else "ready_not" if bad else "ready_only_unchecked"
    return _texts.say(language, key, host=host, bad=bad, unknown=unknown or "–")


def _whats(checks: Iterable[Mapping], state: str) -> str:
    return ", ".join(dict.fromkeys(one["what"] for one in checks if one["state"] == state))


def _alike(checks: Iterable[Mapping]) -> list[list[Mapping]]:
    """What is not ready, grouped by the same reason."""
    found: dict[str, list[Mapping]] = {}
    for one in checks:
        if one["state"] != READY:
            found.setdefault(repr([one[key] for key in ("what", "state", "why", "next")]), []).append(one)
    return list(found.values())


def _details(language: str, alike: Sequence[Mapping]) -> list[str]:
    first = alike[0]
    hosts = ",".join(dict.fromkeys(one["host"] for one in alike if one["host"]))
    about = ", ".join(dict.fromkeys(one["about"] for one in alike if one["about"]))
    where = " ".join(text for text in (hosts or _texts.say(language, "ready_around"), first["what"], about) if text)
    why = _texts.say(language, first["why"]["message"], **first["why"]["values"])
    key = "ready_is_not" if first["state"] == NOT_READY else "ready_is_unchecked"
    told = [_texts.say(language, key, where=where, why=why)]
    if first["next"]["message"]:
        values = {"host": hosts or "all", **first["next"]["values"]}
        told.append(_texts.say(language, "next", text=_texts.say(language, first["next"]["message"], **values)))
    return told
