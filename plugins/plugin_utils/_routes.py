# SPDX-License-Identifier: GPL-3.0-or-later
"""To whom Alertmanager sends an alert, by its own configuration. Private to aurora.runbook; controller only.

Alertmanager's API does not tell for an alert that does not fire, so its routes are walked here as it walks them.
Anything that is not understood is an error, because a guess could approve a route that sends nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import yaml
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError

MATCHER = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)
PART = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^,"])+', re.DOTALL)
ESCAPED = {"n": "\n", '"': '"', "\\": "\\"}


@dataclass(frozen=True)
class Sent:
    """A receiver that gets an alert, and whether its route is quiet at certain times."""

    receiver: str
    timed: bool


def configuration(text: object) -> Mapping:
    """The configuration as Alertmanager shows it, without secrets. Raises RunbookError, without quoting the text."""
    try:
        found = yaml.safe_load(text) if isinstance(text, str) else None
    except (yaml.YAMLError, ValueError, RecursionError):
        found = None
    if not isinstance(found, Mapping) or not isinstance(found.get("route"), Mapping):
        raise RunbookError("its configuration has no route that can be read")
    return found


def sent(found: Mapping, labels: Mapping[str, str]) -> list[Sent]:
    """Who gets an alert with these labels. Raises RunbookError for a configuration that is not understood."""
    try:
        return _sent(found["route"], labels, "") or []
    except (TypeError, AttributeError, ValueError, RecursionError) as error:
        raise RunbookError(f"its routes are not understood ({type(error).__name__})") from None


def _sent(route: Mapping, labels: Mapping[str, str], above: str) -> list[Sent] | None:
    """None if the route does not match. The deepest matching routes get the alert, or the route itself if none does."""
    if not _matches(route, labels):
        return None
    receiver, found = str(route.get("receiver") or above), []
    for inner in route.get("routes") or ():
        told = _sent(inner, labels, receiver)
        found += told or []
        if told and not inner.get("continue"):
            break
    return found or [Sent(receiver, bool(route.get("mute_time_intervals") or route.get("active_time_intervals")))]


def _matches(route: Mapping, labels: Mapping[str, str]) -> bool:
    wanted = [(name, "=", str(value)) for name, value in (route.get("match") or {}).items()]
    wanted += [(name, "=~", str(value)) for name, value in (route.get("match_re") or {}).items()]
    wanted += [one for text in route.get("matchers") or () for one in matchers(text)]
    return matched(wanted, labels)


def matched(wanted: Iterable[tuple[str, str, str]], labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy all of these matchers; a missing label counts as empty."""
    return all(_compares(operator, labels.get(name, ""), value) for name, operator, value in wanted)


def _compares(operator: str, label: str, value: str) -> bool:
    if operator in ("=", "!="):
        return (label == value) == (operator == "=")
    try:
        return bool(re.fullmatch(value, label)) == (operator == "=~")
    except re.error:
        raise RunbookError("it has a regular expression that is not understood here") from None


def matchers(text: str) -> Sequence[tuple[str, str, str]]:
    """Name, operator and value of each matcher in a text such as 'alertname=~"A|B", severity!=P3'."""
    bare = text.strip()
    bare = bare[1:-1] if bare[:1] == "{" and bare[-1:] == "}" else bare
    parts = PART.findall(bare)
    if sum(map(len, parts)) + bare.count(",") < len(bare) or not all(part.strip() for part in parts[:-1]):
        raise RunbookError("it has a matcher that is not understood here")
    return [_matcher(part) for part in parts if part.strip()]


def _matcher(text: str) -> tuple[str, str, str]:
    found = MATCHER.fullmatch(text)
    value = found[3] if found else '"'
    inner = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    if not found or re.search(r'(?<!\\)(?:\\\\)*"', inner):
        raise RunbookError("it has a matcher that is not understood here")
    return found[1], found[2], re.sub(r"\\(.)", lambda one: ESCAPED.get(one[1], one[0]), inner, flags=re.DOTALL)
