# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions of AWX surveys, with the ranges that modules accept for the answers. Private to aurora.runbook.

AWX takes only whole numbers for the ends of a range, and refuses a survey with others after it made the template. So
such an end is widened to the next whole number here, and the module still refuses what is beyond the real one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _knobs, _messages, _options
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError


@dataclass(frozen=True)
class Question:
    """What a person is asked; nobody has to answer. ``span``: lowest and highest number, or length of a text."""

    text: str
    kind: str  # multiplechoice | text | integer | float
    span: tuple[float, float] = (0, 200)
    choices: tuple[str, ...] = ()


def _of_knob(name: str) -> Question:
    knob = _knobs.KNOBS[name]
    return Question(f"{name} {knob.asked}", "integer" if knob.whole else "float", (knob.lowest, knob.highest))


def _of_range(text: str, span: tuple[float, float]) -> Question:
    return Question(text, "integer", span)


QUESTIONS = {
    "aurora_language": Question("Language of the report", "multiplechoice", choices=tuple(_messages.LANGUAGES)),
    "aurora_force": Question("Reason to act against the guards of a host; it goes into the record", "text"),
    "aurora_incident_id": Question("Incident; leave empty for the latest", "text", (0, 80)),
    "aurora_review_days": _of_range("Days that the review covers", _options.REVIEW_DAYS),
    "aurora_timeout_seconds": _of_range(
        "Seconds to wait for the indicator after a step", _options.RECOVERY_RANGES["timeout_seconds"]
    ),
    "aurora_min_healthy": _of_range(
        "Other healthy hosts that are needed before a restart", _options.INCIDENT_RANGES["min_healthy"]
    ),
    **{f"aurora_{name.lower()}": _of_knob(name) for name, knob in _knobs.KNOBS.items() if knob.asked},
    "aurora_deny_rate_kelly_multiplier": _of_knob("KELLY_MULTIPLIER"),
}


def spec(names: Sequence[str]) -> dict:
    """A survey with these questions, as AWX has it. Raises RunbookError for an unknown question."""
    for name in names:
        if name not in QUESTIONS:
            raise RunbookError(f"{name!r} is not a question; expected one of {', '.join(QUESTIONS)}")
    asked = [_item(name, QUESTIONS[name]) for name in names]
    return {"name": "", "description": "", "spec": asked}


def _item(name: str, question: Question) -> dict:
    """One question, without a default, because a default would take precedence over the inventory."""
    item = {"variable": name, "question_name": question.text, "type": question.kind, "required": False}
    if question.choices:
        return {**item, "question_description": "", "choices": list(question.choices)}
    lowest, highest = question.span
    said = "" if question.kind == "text" else f"{lowest:g} to {highest:g}; leave empty for the runbook's own"
    return {**item, "question_description": said, "min": math.floor(lowest), "max": math.ceil(highest)}
