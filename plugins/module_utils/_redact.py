# SPDX-License-Identifier: GPL-3.0-or-later
"""Make text from hosts fit for output: no secrets, no control characters, bounded. Private to aurora.runbook."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SECRET = re.compile(
    r"((?:[a-z0-9_-]*(?:token|secret|passwd|password|api[_-]?key|credential)[a-z0-9_-]*|authorization|cookie)"
    r"[\"']?\s*[:=]\s*[\"']?(?:bearer\s+|basic\s+)?)[^\s\"',;&}]+",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def redact(text: str, secrets: Iterable[str] = (), limit: int = 500) -> str:
    """Text for people: known secrets and what stands behind a secret's name replaced, cut at ``limit`` characters."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    text = _SECRET.sub(r"\1***", _CONTROL.sub("?", text[: 4 * limit]))
    return text if len(text) <= limit else f"{text[:limit]}…"


def redact_data(data: object, secrets: Iterable[str] = ()) -> object:
    """The same for every text inside lists and dicts."""
    if isinstance(data, str):
        return redact(data, secrets)
    if isinstance(data, dict):
        return {redact(key, secrets): redact_data(value, secrets) for key, value in data.items()}
    return [redact_data(value, secrets) for value in data] if isinstance(data, (list, tuple)) else data


def redact_lines(lines: Iterable[str], secrets: Iterable[str] = (), limit: int = 500) -> list[str]:
    secrets = tuple(secrets)
    return [redact(line, secrets, limit) for line in lines]
