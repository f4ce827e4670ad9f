# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a survey offers what a module refuses, or AWX refuses the survey."""

from __future__ import annotations

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _knobs, _options
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.plugin_utils import _survey


@pytest.mark.parametrize(
    ("variable", "span"),
    [
        ("aurora_timeout_seconds", _options.RECOVERY_RANGES["timeout_seconds"]),
        ("aurora_min_healthy", _options.INCIDENT_RANGES["min_healthy"]),
        (
            "aurora_kelly_multiplier",
            (_knobs.KNOBS["KELLY_MULTIPLIER"].lowest, _knobs.KNOBS["KELLY_MULTIPLIER"].highest),
        ),
    ],
)
def test_every_number_that_a_module_takes_can_be_answered_and_ends_are_whole(variable, span):
    question = _survey.spec([variable])["spec"][0]
    assert isinstance(question["min"], int)
    assert isinstance(question["max"], int)
    assert question["min"] <= span[0] < question["min"] + 1
    assert question["max"] - 1 < span[1] <= question["max"]


def test_nobody_has_to_answer_and_no_answer_is_given_beforehand():
    for question in _survey.spec(list(_survey.QUESTIONS))["spec"]:
        assert question["required"] is False
        assert "default" not in question


def test_a_variable_without_a_question_is_refused_by_name():
    with pytest.raises(RunbookError, match="'aurora_approve' is not a question"):
        _survey.spec(["aurora_approve"])
