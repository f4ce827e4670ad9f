# SPDX-License-Identifier: GPL-3.0-or-later
"""What the callback brief shows of what tasks returned, as pure functions. Private to aurora.runbook; controller only.

Most of it comes from hosts: it is shown without secrets, and says nothing to the terminal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact

MAX_LINES = 1000
# What a terminal takes for an order: with its parameters, with a text up to its end, or alone.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)


def lines(text: str) -> list[str]:
    """A text of several lines as it may be shown; neither a line nor the text is without end."""
    found = _SEQUENCE.sub("", text).splitlines()
    return [*_redact.redact_lines(found[:MAX_LINES]), *(["…"] if len(found) > MAX_LINES else [])]


def one_line(value: object) -> str:
    """A text, or data, as it may be shown within a line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return _redact.redact(" ".join(_SEQUENCE.sub("", text).split()))


def cleaned(value: object) -> object:
    """Data with every text in it as it may be shown, on as many lines as it had."""
    if isinstance(value, str):
        return "".join(f"{line}\n" for line in lines(value))
    if isinstance(value, Mapping):
        return {key: cleaned(one) for key, one in value.items()}
    return [cleaned(one) for one in value] if isinstance(value, (list, tuple)) else value


def report(said: Mapping | Sequence) -> list[str]:
    """The lines of what a debug task says in a list or a dictionary."""
    if not isinstance(said, Mapping):
        return lines("\n".join(one if isinstance(one, str) else one_line(one) for one in said))
    named = {key: ", ".join(map(str, one)) if isinstance(one, list) else one for key, one in said.items()}
    return lines("\n".join(f"{key}: {'–' if one == '' else one}" for key, one in named.items()))


def hidden(found: Mapping) -> bool:
    """Whether no_log hides what a task returned."""
    return "censored" in found or bool(found.get("_ansible_no_log"))


def problem(found: Mapping) -> str:
    """Why a step failed: its message, and the last line that a command or a module wrote."""
    written = (str(found.get(name) or "").strip() for name in ("stderr", "module_stderr", "stdout", "module_stdout"))
    last = one_line(next(filter(None, written), "").rpartition("\n")[2])
    told = one_line(found.get("msg", "")).rstrip(".")
    return told if last in told else ": ".join(filter(None, [told, last]))


def ended(failures: Sequence[tuple[str, str]], counts: Mapping[str, int]) -> list[str]:
    """The lines of the failures that ended the run on a host: its last ones, since the run went on after the others.

    ``counts`` is how many they are on each host, and ``failures`` are hosts with their lines, rescued ones too.
    """
    left, kept = dict(counts), []
    for host, line in reversed(failures):
        if left.get(host, 0) > 0:
            left[host] -= 1
            kept.append(line)
    return kept[::-1]
