# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, what a host says is taken for a template, or a figure shows on the wrong side of its limit."""

from __future__ import annotations

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages
from hypothesis import example, given
from hypothesis import strategies as st


def test_a_hostile_value_is_data_and_not_a_template():
    said = _messages.say("en", "nginx_says", message="{0.__class__} {{ 1 }} %s")
    assert said == "nginx -t: {0.__class__} {{ 1 }} %s"


FIGURES = st.floats(-1e6, 1e6) | st.sampled_from([0.99896, 0.9989999999, 300.04, 0.35000001, 0.0500001, 12345.6])
LIMITS = st.sampled_from([0.999, 300.0, 0.35, 0.05, 5.0, 2.0, 0.99995, 12345.5]) | st.floats(-1e6, 1e6)


@given(FIGURES, LIMITS)
@example(0.99896, 0.999)
@example(0.99899999, 0.999)
@example(300.04, 300.0)
@example(300.0, 300.0)
def test_a_value_is_shown_on_its_own_side_of_its_limit(value, limit):
    """Otherwise an alert says that 0.999 is below the limit of 0.999."""
    shown, edge = float(_messages.number(value, limit)), float(_messages.number(limit, limit))
    assert edge == limit
    assert (shown > edge, shown < edge) == (value > limit, value < limit)


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [
        (0.031249, None, "0.03125"),
        (0.5, 0.999, "0.5"),
        (0.99896, 0.999, "0.99896"),
        (0.999, 0.999, "0.999"),
        (300.4, 300, "300.4"),
        (12345, None, "12345"),
        (12345, 30, "12345"),
        (None, 1.0, "–"),
        (float("nan"), 1.0, "nan"),
    ],
)
def test_a_figure_has_no_more_digits_than_it_needs(value, limit, text):
    assert _messages.number(value, limit) == text
