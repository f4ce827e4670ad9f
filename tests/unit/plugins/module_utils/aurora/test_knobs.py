# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a wrong or hostile value reaches a trading process, or exposure rises without a person."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _knobs
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.modules import service_override


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KELLY_MULTIPLIER", "5"),
        ("KELLY_MULTIPLIER", "0"),
        ("KELLY_MULTIPLIER", "-0.5"),
        ("KELLY_MULTIPLIER", "nan"),
        ("KELLY_MULTIPLIER", "1e-1"),
        ("KELLY_MULTIPLIER", "0.5\nLD_PRELOAD=/tmp/x"),
        ("DECISIONS_PER_MINUTE", "10.5"),
        ("DECISIONS_PER_MINUTE", "0"),
        ("SPREAD_THRESHOLD", "50"),
        ("X", "a b"),
        ("X", 'a"'),
        ("X", "a\\"),
        ("X", "$(id)"),
        ("X", "{{ 1 }}"),
        ("X", "%n"),
        ("X", ""),
        ("X", "é"),
        ("X", "a" * 257),
        ("X\n", "1"),
        ("1X", "1"),
        ("X Y", "1"),
        ("LD_PRELOAD", "/tmp/x.so"),
        ("PYTHONPATH", "/tmp"),
        ("PATH", "/tmp"),
    ],
)
def test_refused(name, value):
    with pytest.raises(RunbookError):
        _knobs.check({name: value})


@pytest.mark.parametrize("name", ["API_KEY", "AUTH_TOKEN", "DB_PASSWORD", "exchange_secret"])
def test_a_secret_is_refused_and_its_value_is_not_repeated(name):
    with pytest.raises(RunbookError) as refused:
        _knobs.check({name: "hunter2"})
    assert "hunter2" not in str(refused.value)


def test_the_runbooks_own_values_are_accepted():
    _knobs.check(
        {"KELLY_MULTIPLIER": "0.3", "DECISIONS_PER_MINUTE": "10", "SPREAD_THRESHOLD": "2.0", "P_THRESHOLD": "0.5"}
    )
    _knobs.check({"CONFIDENCE_THRESHOLD": "0.8", "CALIBRATION_DAYS": "90"})


@pytest.mark.parametrize(
    ("name", "before", "after", "direction"),
    [
        ("KELLY_MULTIPLIER", "1.0", "0.5", "reduces"),
        ("KELLY_MULTIPLIER", None, "0.5", "reduces"),
        ("KELLY_MULTIPLIER", "0.3", "0.5", "increases"),
        ("KELLY_MULTIPLIER", "0.5", "0.50", "neutral"),
        ("KELLY_MULTIPLIER", "garbage", "0.5", "increases"),
        ("KELLY_MULTIPLIER", "0.5", None, "increases"),
        ("SPREAD_THRESHOLD", "1.5", "2.0", "increases"),
        ("SPREAD_THRESHOLD", "2.5", "2.0", "reduces"),
        ("P_THRESHOLD", "0.7", "0.5", "increases"),
        ("CONFIDENCE_THRESHOLD", "0.9", "0.8", "increases"),
        ("CALIBRATION_DAYS", "30", "90", "neutral"),
        ("SOMETHING_ELSE", "1", "2", "increases"),
        ("SOMETHING_ELSE", "1", "1", "neutral"),
    ],
)
def test_direction_is_judged_against_the_running_value(name, before, after, direction):
    assert _knobs.direction(name, before, after) == direction


@pytest.mark.parametrize("value", [True, None, [1], {"a": 1}])
def test_only_text_and_numbers_are_values(value):
    with pytest.raises(RunbookError):
        _knobs.strings({"KELLY_MULTIPLIER": value})


@pytest.mark.parametrize(("name", "knob"), _knobs.KNOBS.items())
def test_the_range_of_a_knob_is_documented_and_its_normal_value_within(name, knob):
    options = yaml.safe_load(service_override.DOCUMENTATION)["options"]
    said = " ".join(options["environment"]["description"])
    assert f"C({name}) {knob.lowest:g} to {knob.highest:g}" in said
    assert knob.lowest <= knob.normal <= knob.highest
