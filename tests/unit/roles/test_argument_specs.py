# SPDX-License-Identifier: GPL-3.0-or-later
"""If this breaks, what a role documents is not what it does."""

from __future__ import annotations

import re
import sys
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


# Of ``-e x=false`` and ``-e x=5`` comes a text. Argument specs check it and leave it a text, and before ansible-core
# 2.19 a variable that is a template is one too: "false" is true, and "10" is less than "9".
CHECKOUT = ROLES[0].parents[1]
TEXTS = [
    path
    for folder in (*ROLES, CHECKOUT / "playbooks")
    for path in (*folder.rglob("*.yml"), *folder.rglob("*.j2"))
    if path.name != "argument_specs.yml"
]


def named(*kinds):
    """The variables of these kinds, by the names that roles and users have for them."""
    for role in ROLES:
        defaults = load(role, "defaults/main.yml")
        for options in load(role, "meta/argument_specs.yml")["argument_specs"].values():
            for name, option in options["options"].items():
                if option["type"] in kinds:
                    yield from {name, *re.findall(r"^\{\{ (aurora_\w+) \|", str(defaults.get(name, "")))}


def uses(name, wrong):
    """Where a file uses a variable in a way that is wrong of a text."""
    pattern = re.compile(wrong.replace("NAME", rf"(?<![\w.'\"]){name}\b"), re.MULTILINE)
    return [
        f"{path.relative_to(CHECKOUT)}: {match[0]}"
        for path in TEXTS
        for match in pattern.finditer(re.sub(r"(?m)(^|\s)#.*$", "", path.read_text(encoding="utf-8")))
    ]


PIPED = r"(?:\s*\|\s*default\([^()]*\))?\s*\|\s*"


@pytest.mark.parametrize("name", sorted(set(named("bool"))))
def test_a_boolean_in_a_condition_is_made_one(name):
    assert uses(name, rf"\b(?:if|not|and|or|when:|that:|-) NAME(?!{PIPED}bool\b)(?!:)") == []
    assert uses(name, r"(?<!\{ )NAME(?! *[|:}])") == []


@pytest.mark.parametrize("name", sorted(set(named("int", "float"))))
def test_a_number_is_made_one_before_it_is_compared_or_counted_with(name):
    sign = r"(?:[-+*/%<>]|[<>=!]=)"
    assert uses(name, rf"NAME(?:\s*\|\s*default\([^()]*\))? {sign} ") == []
    assert uses(name, rf" {sign} NAME(?!{PIPED}(?:int|float)\b)(?!:)") == []
    assert uses(name, rf"\b(?:if|not|and|or|when:|that:) NAME(?!{PIPED}(?:int|float)\b)(?!:)") == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("when: x_on", 1),
        ("when: x_on | bool", 0),
        ("a if x_on else b", 1),
        ("a if x_on | default(false) | bool else b", 0),
    ],
)
def test_the_search_for_booleans_finds_what_it_should(text, wrong, tmp_path, monkeypatch):
    (tmp_path / "x.yml").write_text(text, encoding="ascii")
    monkeypatch.setattr(sys.modules[__name__], "TEXTS", [tmp_path / "x.yml"])
    monkeypatch.setattr(sys.modules[__name__], "CHECKOUT", tmp_path)
    assert len(uses("x_on", rf"\b(?:if|not|and|or|when:|that:|-) NAME(?!{PIPED}bool\b)(?!:)")) == wrong
