# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a game day cannot be compared with the one before, or has faults that hide each other."""

from __future__ import annotations

from itertools import islice

import plan
import pytest
from faults import FAULTS

HOSTS = ["aurora1", "aurora2", "aurora3"]


def played(seed: int, number: int = 60) -> list[plan.Round]:
    return list(islice(plan.rounds(seed, HOSTS, FAULTS), number))


def test_the_same_seed_is_the_same_game_and_another_one_is_not() -> None:
    assert played(7) == played(7)
    assert played(7) != played(8)


def test_every_fault_has_its_turn_and_every_block_all_kinds() -> None:
    assert {one.fault for found in played(1) for one in found.injections} == set(FAULTS)
    kinds = [one.kind for one in played(1)]
    for start in range(0, len(kinds), len(plan.BLOCK)):
        assert sorted(kinds[start : start + len(plan.BLOCK)]) == sorted(plan.BLOCK)


@pytest.mark.parametrize("seed", range(20))
def test_rounds_are_what_their_kind_says_and_faults_on_one_host_do_not_hide_each_other(seed: int) -> None:
    for found in played(seed):
        hosts = [one.host for one in found.injections]
        shared = [one.fault for one in found.injections if one.fault == plan.OF_ALL_HOSTS]
        assert not shared or (found.kind == plan.ONE and sorted(hosts) == HOSTS)
        assert [one.cured_after is not None for one in found.injections] == [found.kind == plan.CURED] * len(hosts)
        if found.kind == plan.ONE_HOST:
            assert len(set(hosts)) == 1
            assert [plan.is_of_feed(FAULTS[one.fault]) for one in found.injections] == [True, False]
            assert not {one.fault for one in found.injections} & set(plan.NEVER_BESIDE)
        else:
            assert len(set(hosts)) == len(hosts)
        if not shared:
            sizes = {plan.ONE: 1, plan.TWO_HOSTS: 2, plan.ONE_HOST: 2, plan.NONE: 0, plan.CURED: 1}
            assert len(hosts) == sizes[found.kind]


def test_a_game_of_ten_faults_has_ten_or_one_more() -> None:
    for seed in range(20):
        found = list(plan.until(plan.rounds(seed, HOSTS[:2], FAULTS), 10))
        assert 10 <= sum(len(one.injections) for one in found) <= 11
