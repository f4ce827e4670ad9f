# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a host writes to the terminal of an engineer what it likes, or a failure is missed at the end."""

from __future__ import annotations

import re

import pytest
from ansible_collections.aurora.runbook.plugins.plugin_utils import _brief
from hypothesis import given
from hypothesis import strategies as st

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
ORDERS = st.text("\x1b\x9b\x9d\x07\\[];mP01a\r\n \x85\u2028\u202e")


@given(ORDERS | st.text())
def test_nothing_of_a_text_orders_a_terminal(text):
    assert not CONTROL.search("".join(_brief.lines(text)))
    assert not CONTROL.search(_brief.one_line(text))
    assert not CONTROL.search(_brief.one_line({text: [text]}))
    assert not CONTROL.search(str(_brief.cleaned({"a": [text]})["a"][0]).replace("\n", ""))


@pytest.mark.parametrize(
    "order", ["\x1b[1;31m", "\x9b2J", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\", "\x1bP1$r\x1b\\", "\x1bc", "\x1b(B"]
)
def test_an_order_is_gone_with_its_parameters_and_the_text_around_it_stays(order):
    assert _brief.one_line(f"be{order}fore") == "before"


def test_an_order_that_does_not_end_hides_nothing():
    assert "it broke" in _brief.one_line("\x1b]0;it broke")


def test_no_text_is_without_end():
    assert len(_brief.lines("x\n" * 10 * _brief.MAX_LINES)) == _brief.MAX_LINES + 1
    assert max(map(len, [_brief.one_line("x y " * 10**6), *_brief.lines("x y " * 10**6)])) < 1000


def test_the_last_failures_of_a_host_ended_it_and_the_earlier_ones_were_rescued():
    failures = [("a", "1"), ("b", "2"), ("a", "3"), ("c", "4"), ("a", "5")]
    assert _brief.ended(failures, {"a": 1, "b": 1, "c": 0}) == ["2", "5"]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({"msg": "it broke"}, "it broke"),
        ({"msg": "non-zero return code", "stderr": "first\nlast\n"}, "non-zero return code: last"),
        ({"msg": "it broke: last", "stderr": "first\nlast\n"}, "it broke: last"),
        ({"msg": "", "stdout": "said"}, "said"),
        ({"msg": ["one", {"two": 2}], "stderr": None}, '["one", {"two": 2}]'),
        ({"msg": "password=hunter2"}, "password=***"),
    ],
)
def test_a_failure_says_why_in_one_line(found, why):
    assert _brief.problem(found) == why
