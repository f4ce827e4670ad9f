# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import lab
import pytest


@pytest.fixture
def created(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the networks made so far; the newest one is there unless ``network rm`` took it away."""
    names: list[str] = []
    present: list[str] = []

    def podman(_network: str, command: str, *arguments: str) -> str:
        if command == "create":
            names.append(arguments[-1])
            present.append(arguments[-1])
        elif command == "rm":
            present.remove(arguments[0])
        elif command == "inspect":
            assert list(arguments) == present
            return json.dumps([{"subnets": [{"gateway": "10.89.7.1"}]}])
        return "\n".join(present)

    monkeypatch.setattr(lab, "podman", podman)
    return names


def test_a_lab_that_is_up_keeps_its_network(created: list[str]) -> None:
    addresses = [lab.make_network(["exchange1", "aurora2"]) for _ in range(2)]
    assert addresses == [{"exchange1": "10.89.7.10", "aurora2": "10.89.7.22"}] * 2
    assert len(created) == 1


def test_rules_of_a_killed_lab_do_not_apply_to_the_next_one(created: list[str]) -> None:
    """netavark's chains go by the network's name; with an old one the exchange saw every host as this machine."""
    lab.make_network(["aurora1"])
    lab.podman("network", "rm", *lab.networks())
    lab.make_network(["aurora1"])
    first, second = created
    assert first != second
    assert all(name.startswith(lab.NAME) for name in created)
