# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a message crashes in the middle of an incident, or says less in one language than in the other."""

from __future__ import annotations

import string

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils import _messages


def fields(text):
    return {name for _literal, name, _spec, _conversion in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", _messages.CATALOGUE)
def test_both_languages_tell_the_same(key):
    english, ukrainian = _messages.CATALOGUE[key]
    assert fields(english) == fields(ukrainian)
    assert english.strip()
    assert ukrainian.strip()


def test_a_hostile_value_is_data_and_not_a_template():
    said = _messages.say("en", "nginx_says", message="{0.__class__} {{ 1 }} %s")
    assert said == "nginx -t: {0.__class__} {{ 1 }} %s"
