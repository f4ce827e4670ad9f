# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables as users set them, for action plugins. Private to aurora.runbook; controller only."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ansible.errors import AnsibleActionFail
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages

Read = Callable[[str], object]


def reader(template: Callable[[object], object], variables: Mapping) -> Read:
    """A function that returns a variable's value, None if there is no such variable.

    Text of a host or an alert is never read with it, because ansible-core before 2.19 runs anything that looks like a
    template.
    """
    return lambda name: template(variables.get(name))


def on_awx(variables: Mapping) -> bool:
    return "awx_job_id" in variables or "tower_job_id" in variables


def language(read: Read, variables: Mapping) -> str:
    """The language of a text, and whether AWX runs this: then a person launches templates and types no commands."""
    asked = read("aurora_language") or "en"
    if asked not in _messages.LANGUAGES:
        raise AnsibleActionFail(f"aurora_language={asked!r} is refused; expected {' or '.join(_messages.LANGUAGES)}")
    return f"{asked}{_messages.ON_AWX}" if on_awx(variables) else str(asked)
