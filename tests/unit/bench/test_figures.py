# SPDX-License-Identifier: GPL-3.0-or-later
"""If this breaks, ./dev bench calls a goal met that is not."""

from __future__ import annotations

import pytest
from figures import Contender, HostCost, Run, goals, rounded, rows, table

SECONDS = {"ours_first": 12.0, "ours": 9.0, "builtin": 81.0, "pyinfra": 10.0, "escalate": 8.0}
FURTHER = {"ours_further": 14.0, "pyinfra_further": 14.0}
COST = HostCost(cpu=[0.4, 0.45, 2.0], empty_cpu=[0.3], memory=[40.0, 39.0, 41.0], sent=[2000, 10_000, 3000])


def measured(seconds: dict[str, float]) -> list[Contender]:
    """Three rounds each, of which one took long: medians are not moved by it."""
    return [
        Contender(what, 8, [Run(took, took / 3), Run(10 * took, 4 * took), Run(took, took / 3)])
        for what, took in seconds.items()
    ]


def verdicts(seconds: dict[str, float], cost: HostCost = COST) -> list[str]:
    return [line.rpartition("  ")[2] for line in goals(rows(measured(seconds), cost))[1:]]


def test_goals_are_met_up_to_their_limits():
    assert verdicts({**SECONDS, **FURTHER}) == ["met"] * 9


@pytest.mark.parametrize(
    ("worse", "missed"),
    [
        ({"ours": 9.1}, {0, 2}),
        ({"ours_first": 16.1}, {1}),
        ({"builtin": 80.0}, {2}),
        ({"ours": 12.1, "builtin": 200.0, "ours_further": 17.0}, {0, 5}),
        ({"ours_further": 14.1}, {6}),
        ({"pyinfra_further": 13.9}, {6}),
        ({"escalate": 8.1}, {7}),
    ],
)
def test_one_figure_beyond_its_limit_is_missed(worse, missed):
    found = verdicts({**SECONDS, **FURTHER, **worse})
    assert {number for number, verdict in enumerate(found) if verdict != "met"} == missed


@pytest.mark.parametrize(
    ("cost", "missed"),
    [
        (HostCost([0.4, 0.46, 0.5], [0.3], [40.0], [10_000]), 3),
        (HostCost([0.45], [0.3], [39.0, 40.1, 40.2], [10_000]), 4),
        (HostCost([0.45], [0.3], [40.0], [2000, 2000, 10_001]), 8),
    ],
)
def test_a_host_that_pays_too_much_is_missed(cost, missed):
    found = verdicts({**SECONDS, **FURTHER}, cost)
    assert [number for number, verdict in enumerate(found) if verdict != "met"] == [missed]


def test_what_was_not_measured_is_never_met():
    assert verdicts(SECONDS)[6] == "not measured"


def test_rows_are_medians_and_only_ours_has_what_hosts_paid():
    found = {row["what"]: rounded(row) for row in rows(measured(SECONDS), COST)}
    assert found["ours"] == {
        "hosts": 8,
        "what": "ours",
        "seconds": 9.0,
        "controller_cpu": 3.0,
        "host_cpu": 0.45,
        "host_memory_mb": 40.0,
        "bytes_per_call": 3000,
        "bytes_per_call_max": 10_000,
    }
    assert found["pyinfra"] == {"hosts": 8, "what": "pyinfra", "seconds": 10.0, "controller_cpu": 3.33}


def test_the_table_has_a_line_for_each_contender():
    assert [line.split()[0] for line in table(measured(SECONDS))[1:]] == list(SECONDS)
