# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import re
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType

import pytest
from conftest import LAB
from faults import FAULTS
from unready import UNREADY


def program(host: str) -> str:
    return (LAB / "hosts" / host / "fault").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def on_host() -> ModuleType:
    """The program that breaks an Aurora host."""
    loader = SourceFileLoader("fault", str(LAB / "hosts/aurora/fault"))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def test_every_fault_is_known_where_it_acts(on_host: ModuleType) -> None:
    """A fault of the list that its host does not know is found here, not at night in a rehearsal."""
    exchange = (LAB / "hosts/exchange/exchange.py").read_text(encoding="utf-8")
    conditions = set(re.findall(r'^    "(\w+)": Condition\(', exchange, re.MULTILINE))
    for fault in FAULTS.values():
        verb, *condition = fault.command
        if fault.where == "aurora":
            assert fault.command[0] in on_host.FAULTS
        else:
            assert re.search(rf"^    \d:{verb}\)", program(fault.where), re.MULTILINE), fault.name
        assert set(condition) <= conditions, fault.name


def test_no_fault_of_an_aurora_host_is_without_use(on_host: ModuleType) -> None:
    assert set(on_host.FAULTS) == {fault.command[0] for fault in FAULTS.values() if fault.where == "aurora"}


def test_each_way_to_be_unready_is_known_on_the_host_and_is_no_fault_of_an_incident(on_host: ModuleType) -> None:
    assert set(on_host.UNREADY) == set(UNREADY)
    assert not set(UNREADY) & set(FAULTS)


def test_what_is_expected_and_what_cures_agree() -> None:
    """Nothing to try and yet recovered, or something that cures and yet a page at night: one of both is wrong."""
    for fault in FAULTS.values():
        assert bool(fault.cure) == (fault.expect in ("recovered", "approval")), fault.name


@pytest.mark.parametrize("outcome", [0, 1])
def test_a_damaged_line_is_no_trade(on_host: ModuleType, outcome: int) -> None:
    whole = json.dumps({"ts": 1764000000.125, "symbol": "BTCUSDT", "score": 0.25, "outcome": outcome})
    line = on_host.damaged(whole, outcome)
    assert line.endswith("\n")
    with pytest.raises(ValueError, match=r".+"):
        json.loads(line)
