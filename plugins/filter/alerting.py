# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the alerting role, documented in the YAML files beside this one."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _prometheus
from ansible_collections.aurora.runbook.plugins.plugin_utils import _scrapes

try:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    MISSING = ""
except ImportError:
    MISSING = "ruamel.yaml is missing on the controller; install what meta/ee-requirements.txt of aurora.runbook lists"


def alertmanager_routed(text: str, ours: Mapping) -> str:
    """The text of an Alertmanager configuration with our receiver, and our routes before all others.

    Alerts reach everybody whom they reached before, and everything else stays as it is. Raises AnsibleFilterError if
    the text is no such configuration.
    """
    if MISSING:
        raise AnsibleFilterError(MISSING)
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    try:
        configuration = yaml.load(text)
    except (YAMLError, ValueError, TypeError, RecursionError) as error:
        # The error's own text quotes the file, which may hold secrets, and Ansible also shows the texts of causes.
        raise AnsibleFilterError(_refused(error)) from None
    if not isinstance(configuration, dict) or not isinstance(configuration.get("route"), dict):
        raise AnsibleFilterError("the configuration of Alertmanager has no route; see amtool check-config")
    if not isinstance(configuration["route"].get("receiver"), str):
        raise AnsibleFilterError("the route of Alertmanager has no receiver; see amtool check-config")
    before = _plain(configuration)
    _route(configuration, _plain(ours))
    if _plain(configuration) == before:
        return text
    written = io.StringIO()
    yaml.dump(configuration, written)
    return written.getvalue()


def _refused(error: Exception) -> str:
    """Where the text is not YAML, without quoting it."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return "the configuration of Alertmanager is not YAML; see amtool check-config"
    return (
        f"the configuration of Alertmanager cannot be read at line {mark.line + 1}, column {mark.column + 1}; correct"
        " it there (a tab has to be spaces), even if amtool check-config accepts it"
    )


def indicator_promql(incident: str) -> str:
    if incident not in _indicators.INDICATORS:
        known = ", ".join(_indicators.INDICATORS)
        raise AnsibleFilterError(f"{incident!r} is not an incident; expected one of {known}")
    return _indicators.INDICATORS[incident].expression()


def rarely_scraped(every: Mapping[str, float]) -> list[str]:
    """The targets that are scraped too rarely for a window of the rules, each with its interval and the one needed."""
    most = min(i.over_seconds for i in _indicators.INDICATORS.values() if i.over) / _prometheus.FEW_SCRAPES
    return [f"{name} every {seconds:g} s, needed {most:g} s" for name, seconds in every.items() if seconds > most]


def widened(window: str, every: Mapping[str, float]) -> str:
    """A window of a rule, in Prometheus' notation, long enough for several scrapes of each target."""
    needed = _prometheus.FEW_SCRAPES * max(every.values(), default=0.0)
    seconds = _scrapes.seconds(window)
    return f"{math.ceil(needed)}s" if seconds is not None and seconds < needed else window


def _route(configuration: dict, ours: dict) -> None:
    name = ours["receiver"]["name"]
    receivers, root = _list(configuration, "receivers"), configuration["route"]
    _put(receivers, [one.get("name") == name for one in receivers], ours["receiver"])
    own = [one.get("receiver") == name for one in _list(root, "routes")]
    if True not in own:
        # The receiver of the root gets nothing once a route below it matches. So the other routes go into one of their
        # own, which matches all alerts and delivers them as before.
        others = {"receiver": root["receiver"], **({"routes": root["routes"]} if root["routes"] else {})}
        root["routes"] = [*ours["routes"], others]
    elif [_plain(route) for route, mine in zip(root["routes"], own) if mine] != ours["routes"]:
        _replace(root["routes"], own, ours["routes"])


def _list(section: dict, key: str) -> list:
    if not section.get(key):
        section[key] = []
    return section[key]


def _put(entries: list, own: list[bool], entry: dict) -> None:
    """Replace our entry, or add it."""
    if True not in own:
        entries.append(entry)
    elif _plain(entries[own.index(True)]) != entry:
        entries[own.index(True)] = entry


def _replace(routes: list, own: list[bool], wanted: list[dict]) -> None:
    """Replace all our routes at the place of the first one, so that comments between other routes stay."""
    first = own.index(True)
    for place in reversed(range(len(own))):
        if own[place]:
            del routes[place]
    for place, route in enumerate(wanted, first):
        routes.insert(place, route)


def _plain(value: object) -> object:
    """The value without YAML's and Ansible's own types, which a dump would show, and without empty parts."""
    if isinstance(value, Mapping):
        plain = {str(key): _plain(one) for key, one in value.items()}
        return {key: one for key, one in plain.items() if one != {}}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, str) else value


class FilterModule:
    def filters(self) -> dict:
        return {
            "alertmanager_routed": alertmanager_routed,
            "indicator_promql": indicator_promql,
            "rarely_scraped": rarely_scraped,
            "scraped_every": _scrapes.scraped_every,
            "widened": widened,
        }
