# SPDX-License-Identifier: GPL-3.0-or-later
"""If this breaks, what a role documents is not what it does."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jinja2.nativetypes import NativeEnvironment

ROLES = sorted((Path(__file__).resolve().parents[3] / "roles").iterdir())


def load(role, place):
    return yaml.safe_load((role / place).read_text(encoding="utf-8"))


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_documented_defaults_are_the_defaults(role):
    values = {"inventory_hostname": None}
    defaults = load(role, "defaults/main.yml")
    for name, text in defaults.items():
        values[name] = NativeEnvironment().from_string(text).render(values) if "{{" in str(text) else text
    options = next(iter(load(role, "meta/argument_specs.yml")["argument_specs"].values()))["options"]
    documented = {name: option.get("default") for name, option in options.items()}
    assert documented == {name: _as(options[name]["type"], values[name]) for name in defaults}


def _as(kind, value):
    return {"str": lambda: value if value is None else str(value), "float": lambda: float(value)}.get(
        kind, lambda: value
    )()


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_variable_is_set_by_users_under_the_aurora_prefix(role):
    for name, text in load(role, "defaults/main.yml").items():
        as_it_is = name.startswith("aurora_")
        assert as_it_is or (name.startswith(f"{role.name}_") and "aurora_" in text), f"{name} cannot be set as aurora_…"
