# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a command of the documentation names a playbook, a variable or an option that is not there."""

from __future__ import annotations

import ast
import functools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
import yaml
from pages import tokens

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(CHECKOUT.glob("*.md")), *sorted(CHECKOUT.glob("docs/**/*.md"))]
PLAYBOOKS = {path.stem for path in CHECKOUT.glob("playbooks/*.yml")}
MODULES = {path.stem: path for path in CHECKOUT.glob("plugins/modules/*.py")}
APPROVE = "aurora_approve"


@functools.cache
def variables() -> dict[str, object]:
    """The variables that users set, each with its default, from the argument specs and defaults of the roles.

    A few are of a playbook alone, and stand in the comment above it; their defaults are not read.
    """
    playbooks = "\n".join(path.read_text("utf-8") for path in CHECKOUT.glob("playbooks/*.yml"))
    comments = "\n".join(re.findall(r"^#.*", playbooks, re.MULTILINE))
    known: dict[str, object] = dict.fromkeys(re.findall(r"\baurora_\w+", comments))
    for path in CHECKOUT.glob("roles/*/meta/argument_specs.yml"):
        for entry in yaml.safe_load(path.read_text("utf-8"))["argument_specs"].values():
            known |= {name: option.get("default") for name, option in entry.get("options", {}).items()}
    for path in CHECKOUT.glob("roles/*/defaults/main.yml"):
        for own, value in yaml.safe_load(path.read_text("utf-8")).items():
            names = set(re.findall(r"\baurora_\w+", str(value)))
            if len(names) == 1 and own in known:
                known[names.pop()] = jinja2.Environment(autoescape=True).from_string(str(value)).render()
    return {name: default for name, default in known.items() if name.startswith("aurora_")}


def options(module: str) -> dict[str, dict]:
    """The options that the documentation of a module has, without those of its fragments."""
    body = ast.parse(MODULES[module].read_text("utf-8")).body
    written = {target.id: node.value for node in body if isinstance(node, ast.Assign) for target in node.targets}
    return yaml.safe_load(ast.literal_eval(written["DOCUMENTATION"]))["options"]


def code(page: Path) -> Iterator[str]:
    """Every line of a page that is code, in a block or within a sentence."""
    for token in tokens(page):
        if token.type == "fence":
            yield from token.content.splitlines()
        yield from (child.content for child in token.children or () if child.type == "code_inline")


def commands(page: Path, program: str) -> list[list[str]]:
    """The commands of a page that start a program, each as its words."""
    found = (re.search(rf"(?:^|\$ )({program} .*)", line.split("  #")[0]) for line in code(page))
    return [shlex.split(command[1]) for command in found if command]


def values(words: list[str]) -> list[tuple[str, str]]:
    """The variables that a command sets with -e, each with its value."""
    given = [after for word, after in zip(words, words[1:], strict=False) if word == "-e"]
    return [(name, value) for name, has, value in (text.partition("=") for text in given) if has]


def wrong_in_playbook(words: list[str]) -> list[str]:
    """What a command that runs a playbook names and is not there."""
    playbook = re.fullmatch(r"aurora\.runbook\.(\w+)|playbooks/(\w+)\.yml", words[1])
    wrong = [] if playbook and playbook[1 if playbook[1] else 2] in PLAYBOOKS else [words[1]]
    known = variables()
    wrong += [name for name, _value in values(words) if name.startswith("aurora_") and name not in known]
    approved = [value for name, value in values(words) if name == APPROVE]
    return wrong + [value for value in approved if value not in known["aurora_approvable"]]


def wrong_in_call(words: list[str]) -> list[str]:
    """What a command that calls a module of this collection names and is not there."""
    module = next((after for word, after in zip(words, words[1:], strict=False) if word == "-m"), "")
    if not module.startswith("aurora.runbook."):
        return []
    if module.rpartition(".")[2] not in MODULES:
        return [module]
    known = options(module.rpartition(".")[2])
    given = [word.partition("=") for word in shlex.split(words[words.index("-a") + 1])] if "-a" in words else []
    unknown = [name for name, _is, _value in given if name not in known]
    return unknown + [
        f"{name}={value}" for name, _is, value in given if value not in known.get(name, {}).get("choices", [value])
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_every_command_names_what_is_there(page: Path) -> None:
    playbooks = [wrong for words in commands(page, "ansible-playbook") for wrong in wrong_in_playbook(words)]
    assert [*playbooks, *(wrong for words in commands(page, "ansible") for wrong in wrong_in_call(words))] == []


def test_commands_are_found_in_blocks_and_in_sentences() -> None:
    found = [words[1] for page in PAGES for words in commands(page, "ansible-playbook")]
    assert {"aurora.runbook.remediate_circuit_breaker", "aurora.runbook.remove"} <= set(found)
    assert sum(1 for page in PAGES for words in commands(page, "ansible") if "-m" in words) > 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_every_verb_of_dev_is_there(page: Path) -> None:
    verbs = set(re.findall(r'verb\(\s*"(\w+)"', (CHECKOUT / "dev").read_text("utf-8")))
    assert "bench" in verbs
    assert {verb for line in code(page) for verb in re.findall(r"\./dev (\w+)", line)} - verbs == set()


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("ansible-playbook aurora.runbook.no_such -i inventory", ["aurora.runbook.no_such"]),
        ("ansible-playbook playbooks/triage.yml -e aurora_no_such=1", ["aurora_no_such"]),
        ("ansible-playbook aurora.runbook.triage -e aurora_kelly_multiplier=0.4 -e ansible_user=admin", []),
        ("ansible-playbook aurora.runbook.remediate -e aurora_approve=kelly_multiplier", ["kelly_multiplier"]),
        ("ansible a -m aurora.runbook.incident -a 'state=asleep whom=olena'", ["whom", "state=asleep"]),
        ("ansible a -m aurora.runbook.accident", ["aurora.runbook.accident"]),
        ("ansible a -m ansible.builtin.ping", []),
    ],
)
def test_what_is_not_there_is_found(command: str, wrong: list[str]) -> None:
    words = shlex.split(command)
    assert (wrong_in_call if words[0] == "ansible" else wrong_in_playbook)(words) == wrong
