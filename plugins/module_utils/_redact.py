# SPDX-License-Identifier: GPL-3.0-or-later
"""Make text from hosts fit for output: no secrets, no control characters, bounded. Private to aurora.runbook."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SECRET = re.compile(
    r"(?<![\w-])(?=[\w-]*(?:token|secret|passw|passphrase|pwd|pgpass|api[_-]?key|private[_-]?key|credential"
    r"|authorization|cookie|signature))([\w-]+[\"']?\s*[:=]\s*(?:bearer\s+|basic\s+)?)"
    r"(?:\"[^\"]*\"?|'[^']*'?|[^\s,;&}]+)|(?<=://)[^\s/@]*:[^\s/@]*@",
    re.IGNORECASE,
)
# Control characters, and those that break or turn a line.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def redact(text: str, secrets: Iterable[str] = (), limit: int = 500) -> str:
    """One line for people, ``limit`` characters at most: secrets, known or behind a telling name, are replaced."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    text = _SECRET.sub(lambda found: f"{found[1] or ''}***", _CONTROL.sub(" ", text[: 4 * limit]))
    return text if len(text) <= limit else f"{text[:limit]}…"


def redact_data(data: object, secrets: Iterable[str] = ()) -> object:
    """The same for every text inside lists and dicts, where a text may have several lines."""
    if isinstance(data, str):
        return redact_text(data, secrets)
    if isinstance(data, dict):
        return {redact(key): _behind(key, redact_data(value, secrets)) for key, value in data.items()}
    return [redact_data(value, secrets) for value in data] if isinstance(data, (list, tuple)) else data


def _behind(name: str, value: object) -> object:
    return "***" if value and isinstance(value, str) and _SECRET.search(f"{name}=-") else value


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """The same for a text of several lines."""
    return "\n".join(redact_lines(text.split("\n"), secrets))


def redact_lines(lines: Iterable[str], secrets: Iterable[str] = (), limit: int = 500) -> list[str]:
    secrets = tuple(secrets)
    return [redact(line, secrets, limit) for line in lines]
