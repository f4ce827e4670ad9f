# SPDX-License-Identifier: GPL-3.0-or-later
"""What people wrote into a post-mortem, kept when it is written again. Private to aurora.runbook; controller only.

No text from a host can look like the marks, because a template puts a backslash before each ``<`` in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ansible_collections.aurora.runbook.plugins.plugin_utils import _texts

PLACES = ("impact", "root", "lessons")
LIMIT = 65536  # longest text of a place, in characters
_PLACE = re.compile(r"<!-- (\w+): begin -->\n(.*?)\n?<!-- \1: end -->", re.DOTALL)


@dataclass(frozen=True)
class FollowUp:
    """Something to do. People fill in its owner and whether it is done."""

    text: str
    due: str
    owner: str = ""
    done: str = ""


@dataclass(frozen=True)
class Written:
    """The places that people filled in, by name, and the rows of the follow-ups."""

    places: dict[str, str] = field(default_factory=dict)
    rows: tuple[FollowUp, ...] = ()


def read(markdown: str) -> Written:
    """What is between the marks of a report; the text that it came with does not count as written."""
    found = {name: text.strip()[:LIMIT] for name, text in _PLACE.findall(markdown)}
    places = {
        name: found[name]
        for name in PLACES
        if found.get(name) and found[name] not in _texts.CATALOGUE[f"pm_write_{name}"]
    }
    rows = [re.split(r"(?<!\\)\|", line.strip())[1:-1] for line in found.get("follow_ups", "").splitlines()[2:]]
    return Written(places, tuple(FollowUp(*map(_plain, (r[0], r[2], r[1], r[3]))) for r in rows if len(r) == 4))


def follow_ups(texts: Sequence[str], due: str, written: Written) -> list[FollowUp]:
    """The incident's follow-ups with what people filled in, then those that people added."""
    kept = {row.text: row for row in written.rows}
    added = [row for row in written.rows if row.text not in texts and (row.owner or row.done or row.due != due)]
    return [*(kept.get(text, FollowUp(text, due)) for text in texts), *added]


def _plain(cell: str) -> str:
    return re.sub(r"\\([^\w\s])", r"\1", cell.strip())
