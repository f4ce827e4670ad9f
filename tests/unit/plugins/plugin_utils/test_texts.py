# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a message crashes in the middle of an incident, or says less in one language than in the other."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _knobs, _messages, _verdicts
from ansible_collections.aurora.runbook.plugins.plugin_utils import _texts

PLUGINS = Path(__file__).resolve().parents[4] / "plugins"
ON_HOSTS = [path for room in ("module_utils", "modules") for path in (PLUGINS / room).rglob("*.py")]
# What the code of hosts has another meaning for, as the verdict that it returns: it is the controller that says them.
MEANT_OTHERWISE = {
    *_verdicts.VERDICTS,
    *_knobs.DIRECTIONS,
    *("done", "failed", "host", "kept", "left", "now", "overridden", "restored", "taken_back", "tried", "unreachable"),
    *("unset", "was"),
}


def fields(text):
    return {name for _literal, name, _spec, _conversion in string.Formatter().parse(text) if name}


def named(paths, keys):
    """The keys that stand in these sources, as a text of their own or made of one: f"guard_{guard}"."""
    found = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant):
                found |= {node.value} & keys
            elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                start = node.values[0].value
                found |= {key for key in keys if key.startswith(start) and re.fullmatch("[a-z_]+_", start)}
    return found


def test_hosts_carry_the_texts_that_their_code_says_and_no_others():
    catalogue = next(path for path in ON_HOSTS if path.name == "_messages.py")
    said = named(set(ON_HOSTS) - {catalogue}, set(_texts.CATALOGUE)) - MEANT_OTHERWISE
    assert set(_messages.CATALOGUE) == said


def test_no_text_stands_in_both_catalogues():
    assert set(_messages.CATALOGUE) & set(_texts.OWN) == set()


@pytest.mark.parametrize("key", _texts.CATALOGUE)
def test_both_languages_tell_the_same(key):
    english, ukrainian = _texts.CATALOGUE[key]
    assert fields(english) == fields(ukrainian)
    assert english.strip()
    assert ukrainian.strip()


@pytest.mark.parametrize("language", _messages.LANGUAGES)
@pytest.mark.parametrize("key", _texts.CATALOGUE)
def test_nobody_on_awx_is_told_to_type_a_command_that_a_template_stands_for(key, language):
    elsewhere, on_awx = (_texts.text_of(f"{language}{place}", key) for place in ("", _messages.ON_AWX))
    assert "ansible-playbook" not in on_awx
    assert "-e aurora_" not in on_awx
    assert fields(elsewhere) <= fields(on_awx) or f"{key}{_messages.ON_AWX}" in _texts.CATALOGUE


@pytest.mark.parametrize(("language", "launch"), [("en", "launch the template"), ("uk", "запустити шаблон")])
def test_on_awx_the_next_step_names_the_template_and_its_limit(language, launch):
    said = _texts.say(f"{language}@awx", "next_revert", host="aurora1")
    assert f"{launch} aurora.runbook.revert" in said
    assert said.endswith("limit aurora1")
    approve = {"knobs": "spread_threshold", "host": "aurora1", "incident": "circuit_breaker"}
    assert "workflow aurora.runbook.circuit_breaker" in _texts.say(f"{language}@awx", "next_approve", **approve)
    assert "aurora_approve=spread_threshold" in _texts.say(language, "next_approve", **approve)


def test_what_a_host_says_is_not_taken_for_a_command():
    said = "ansible-playbook aurora.runbook.revert --limit {host}"
    assert said in _texts.say("en@awx", "failed", problem=said)
