# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, people are given more time for an incident than the runbook gives them."""

from __future__ import annotations

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators


@pytest.mark.parametrize(
    ("severity", "respond", "resolve"),
    [
        ("P0", 5 * 60, 3600),
        ("P1", 15 * 60, 4 * 3600),
        ("P2", 3600, 24 * 3600),
        ("P3", 4 * 3600, 7 * 24 * 3600),
        ("", 5 * 60, 3600),  # nobody could look: that is no reason to take time
    ],
)
def test_deadlines_are_those_of_the_runbook(severity, respond, resolve):
    assert _indicators.deadlines(severity) == _indicators.Deadlines(respond, resolve)
