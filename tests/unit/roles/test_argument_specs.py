# SPDX-License-Identifier: GPL-3.0-or-later
"""If this breaks, what a role documents is not what it does."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _options
from jinja2.nativetypes import NativeEnvironment

CHECKOUT = Path(__file__).resolve().parents[3]
ROLES = sorted((CHECKOUT / "roles").iterdir())


def load(role, place):
    return yaml.safe_load((role / place).read_text(encoding="utf-8"))


def defaults_of(role):
    """The defaults of a role as they are where nobody sets anything."""
    values = {"inventory_hostname": None}
    defaults = load(role, "defaults/main.yml")
    for name, text in defaults.items():
        values[name] = NativeEnvironment().from_string(text).render(values) if "{{" in str(text) else text
    return {name: values[name] for name in defaults}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_documented_defaults_are_the_defaults(role):
    options = next(iter(load(role, "meta/argument_specs.yml")["argument_specs"].values()))["options"]
    documented = {name: option["default"] for name, option in options.items() if "default" in option}
    found = {as_users_say(role, name): value for name, value in defaults_of(role).items()}
    assert documented == {name: _as(options[name]["type"], value) for name, value in found.items()}


def as_users_say(role, name):
    """The name by which users set what the defaults of a role have under a private one."""
    return name if name.startswith("aurora_") else re.search(r"aurora_\w+", load(role, "defaults/main.yml")[name])[0]


def _as(kind, value):
    return {"str": lambda: value if value is None else str(value), "float": lambda: float(value)}.get(
        kind, lambda: value
    )()


def documented(module):
    text = (CHECKOUT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8")
    return yaml.safe_load(re.search(r'DOCUMENTATION = r"""(.*?)"""', text, re.DOTALL)[1])["options"]


OF_MODULES = {
    "guards": _options.INCIDENT,
    "recovery": _options.RECOVERY,
    **{module: documented(module) for module in ("triage_info", "service_override", "service_restart")},
}
OF_INCIDENTS = defaults_of(CHECKOUT / "roles" / "incident")
# The incident's variables for a service that comes up again, where hold_seconds is that of a recovery.
RENAMED = {"hold_seconds": "aurora_healthy_seconds", "min_interval_seconds": "aurora_restart_interval_seconds"}


def set_by_incidents():
    """Defaults of options of modules that an incident sets, each with the default of the variable that sets it."""
    for place, options in OF_MODULES.items():
        renamed = RENAMED if place.startswith("service_") else {}
        for name, option in options.items():
            for variable in {renamed.get(name, f"aurora_{name}")} & set(OF_INCIDENTS):
                if "default" in option:
                    yield pytest.param(option["default"], OF_INCIDENTS[variable], id=f"{place}-{variable}")


@pytest.mark.parametrize(("of_the_module", "of_the_incident"), list(set_by_incidents()))
def test_a_module_alone_does_what_it_does_in_an_incident(of_the_module, of_the_incident):
    assert of_the_module == of_the_incident


def test_an_answer_that_nobody_gave_means_the_default():
    """As a survey of AWX sends it, empty."""
    variables = load(CHECKOUT / "roles" / "incident", "vars/main.yml")
    answered = {}
    for text in map(str, variables.values()):
        if found := re.search(r"aurora_\w+(?= \| default\(.*, true\) \}\})", text):
            answered[found[0]] = NativeEnvironment().from_string(text).render({found[0]: ""})
    assert len(answered) > 5
    directory = answered.pop("aurora_report_directory")
    assert (answered, directory) == ({name: OF_INCIDENTS[name] for name in answered}, "./reports")


def test_decisions_that_close_a_breaker_are_counted_alike():
    assert OF_INCIDENTS["aurora_min_decisions"] == _indicators.INDICATORS["circuit_breaker"].min_count


def test_the_readme_has_the_defaults():
    page = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `aurora_(\w+)` \| `?([^|`]+?)`? \|", page, re.MULTILINE))
    nothing = ("", [], {})
    defaults = {name.partition("_")[2]: "none" if v in nothing else str(v) for name, v in OF_INCIDENTS.items()}
    known = {name: said for name, said in rows.items() if name in defaults and " " not in said}
    assert len(known) > 5
    assert known == {name: defaults[name] for name in known}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_variable_is_set_by_users_under_the_aurora_prefix(role):
    for name, text in load(role, "defaults/main.yml").items():
        as_it_is = name.startswith("aurora_")
        assert as_it_is or (name.startswith(f"__{role.name}_") and "aurora_" in text), (
            f"{name} cannot be set as aurora_…"
        )


# What Ansible itself documents, of all that roles and playbooks set.
OF_ANSIBLE = {"ansible_connection", "ansible_pipelining", "ansible_python_interpreter", "ansible_ssh_retries"}


def set_in(part):
    """The variables that a part of a file with tasks or plays sets or registers."""
    if isinstance(part, list):
        for one in part:
            yield from set_in(one)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key in ("register", "loop_var", "index_var"):
                yield value
            elif key in ("vars", "ansible.builtin.set_fact"):
                yield from value
            else:
                yield from set_in(value)


def variables_of(path):
    """The variables that a file of a role or a playbook sets or registers."""
    content = DataLoader().load_from_file(str(path))
    of_variables = {"defaults", "vars"} & set(path.relative_to(CHECKOUT).parts)
    return set(content or {}) if of_variables else set(set_in(content))


def documented_variables():
    for role in ROLES:
        for options in load(role, "meta/argument_specs.yml")["argument_specs"].values():
            yield from options["options"]


SETTING = [
    path
    for folder in ("roles", "playbooks")
    for path in sorted((CHECKOUT / folder).rglob("*.yml"))
    if path.parent.name != "meta"
]


@pytest.mark.parametrize("path", SETTING, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_variable_that_is_set_is_documented_or_private(path):
    """Otherwise a user's variable of that name changes what a run does, or a run what the user has in it."""
    public = {name for name in variables_of(path) if not name.startswith("__")}
    if "awx" in path.relative_to(CHECKOUT).parts:
        public = {name for name in public if not name.startswith("controller_")}  # of infra.aap_configuration
    assert public <= {*documented_variables(), *OF_ANSIBLE}


def test_all_ways_to_set_a_variable_are_seen():
    tasks = [
        {"block": [{"ansible.builtin.set_fact": {"a": 1}}], "rescue": [{"debug": {}, "register": "b"}]},
        {"debug": {}, "vars": {"c": 1}, "loop": [], "loop_control": {"loop_var": "d", "index_var": "e", "label": "f"}},
    ]
    assert set(set_in([{"hosts": "all", "vars": {"g": 1}, "tasks": tasks}])) == set("abcdeg")


# Of ``-e x=false`` and ``-e x=5`` comes a text. Argument specs check it and leave it a text, and before ansible-core
# 2.19 a variable that is a template is one too: "false" is true, and "10" is less than "9".
TEXTS = [
    path
    for folder in (*ROLES, CHECKOUT / "playbooks")
    for path in (*folder.rglob("*.yml"), *folder.rglob("*.j2"))
    if path.name != "argument_specs.yml"
]


def named(*kinds):
    """The variables of these kinds, by the names that roles and users have for them."""
    for role in ROLES:
        called = {as_users_say(role, name): name for name in load(role, "defaults/main.yml")}
        for options in load(role, "meta/argument_specs.yml")["argument_specs"].values():
            for name, option in options["options"].items():
                if option["type"] in kinds:
                    yield from {name, called.get(name, name)}


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
