# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, the limits of guards and of a recovery are not those that people read about them."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.aurora.runbook.plugins.doc_fragments import incident, recovery
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _options

WITHIN_A_MODULE = yaml.safe_load(recovery.ModuleDocFragment.OPTION)["options"]["recovery"]["suboptions"]
DOCUMENTED = {
    "incident": yaml.safe_load(incident.ModuleDocFragment.OPTION)["options"]["incident"]["suboptions"],
    "recovery": yaml.safe_load(recovery.ModuleDocFragment.DOCUMENTATION)["options"],
}
SPECS = {"incident": _options.INCIDENT, "recovery": _options.RECOVERY}
RANGES = {"incident": _options.INCIDENT_RANGES, "recovery": _options.RECOVERY_RANGES}
OPTIONS = [(kind, name) for kind, spec in SPECS.items() for name in {**spec, **DOCUMENTED[kind]}]


@pytest.mark.parametrize(("kind", "name"), OPTIONS)
def test_an_option_is_as_it_is_documented(kind, name):
    spec, documented = SPECS[kind][name], {**DOCUMENTED[kind][name]}
    documented.pop("description")
    assert documented == spec


def test_a_recovery_is_the_same_on_its_own_and_within_a_module():
    assert DOCUMENTED["recovery"] == WITHIN_A_MODULE


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, ranges in RANGES.items() for name in ranges])
def test_the_range_of_a_number_is_documented(kind, name):
    lowest, highest = RANGES[kind][name]
    said = DOCUMENTED[kind][name]["description"]
    assert f"{lowest} to {highest}" in (said if isinstance(said, str) else " ".join(said))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("circuit_breaker", "decisions (breaker)"),
        ("sse_availability", "events (ratios)"),
        ("policy_deny_rate", "events (ratios)"),
        ("execution_latency", "executions (latency)"),
        ("calibration_ece", "(calibration)"),
    ],
)
def test_how_many_events_stand_behind_an_answer_is_documented(name, words):
    said = " ".join(DOCUMENTED["recovery"]["min_count"]["description"])
    assert f"{_indicators.INDICATORS[name].min_count} {words}" in said
