# SPDX-License-Identifier: GPL-3.0-or-later
"""A post-mortem in the language of its reader. Private to aurora.runbook; controller only."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.plugin_utils import _texts
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._accounts import (
    MAX_TEXT,
    flat,
    hide,
    list_of,
    number_of,
    text_of,
)


class Words:
    """The catalogue in one language, also for words that hosts send."""

    def __init__(self, language: str) -> None:
        self.language = language

    def say(self, key: str, **values: object) -> str:
        return _texts.say(self.language, key, **values)

    def known(self, key: str) -> str:
        """A word from a host, translated if it is one of ours."""
        return self.say(key) if key in _texts.CATALOGUE and "{" not in _texts.CATALOGUE[key][0] else key

    def sentence(self, said: object) -> str:
        """A sentence from a record; if this version does not know it, it is shown as it is."""
        if not isinstance(said, Mapping):
            return ""
        key, values = text_of(said, "message"), said.get("values")
        values = values if isinstance(values, Mapping) else {}
        try:
            text = _texts.say(self.language, key, **values)
        except (LookupError, TypeError, ValueError, AttributeError):
            text = text_of(said, "text") or f"{key} {flat(values)}"
        return _redact.redact(text, limit=MAX_TEXT)

    def span(self, seconds: float | None) -> str:
        if seconds is None:
            return self.say("pm_unknown")
        for limit, unit, key in ((90, 1, "pm_seconds"), (5400, 60, "pm_minutes"), (math.inf, 3600, "pm_hours")):
            if seconds < limit:
                return self.say(key, n=f"{seconds / unit:.1f}".removesuffix(".0"))
        return self.say("pm_unknown")

    def state(self, seen: Mapping) -> str:
        """The indicator as a look found it."""
        if number_of(seen, "value") is None:
            return self.say(
                "pm_not_seen", metric=text_of(seen, "metric") or "–", problem=text_of(seen, "problem") or "–"
            )
        limit = number_of(seen, "threshold")
        value, limit = (_messages.number(figure, limit) for figure in (number_of(seen, "value"), limit))
        return self.say("pm_seen", metric=text_of(seen, "metric"), value=value, limit=limit)

    def changes(self, data: Mapping) -> str:
        """The steps of an action, without the values of secrets."""
        steps = [
            {"name": name, "before": hide(name, step.get("before")), "after": hide(name, step.get("after"))}
            for step in list_of(data, "change")
            for name in [text_of(step, "name")]
        ]
        return _redact.redact(_texts.changes(self.language, steps), limit=MAX_TEXT)

    def forced(self, data: Mapping) -> str:
        return self.say("pm_forced", reason=text_of(data, "forced")) if text_of(data, "forced") else ""
