# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, preflight calls a route good that sends no alert. In the lab they are held against amtool."""

from __future__ import annotations

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.plugin_utils import _routes

BREAKER = {"alertname": "CircuitBreakerOpen", "severity": "P0", "instance": "aurora1:9000"}


def receivers(route: str, labels: dict | None = None) -> list[str]:
    found = _routes.configuration(f"route:\n{route}")
    return [one.receiver for one in _routes.sent(found, BREAKER if labels is None else labels)]


@pytest.mark.parametrize(
    ("route", "told"),
    [
        ("  {receiver: team}", ["team"]),
        ("  {receiver: team, routes: [{receiver: a, matchers: ['severity=\"P0\"']}]}", ["a"]),
        ("  {receiver: team, routes: [{receiver: a, matchers: ['severity=\"P1\"']}]}", ["team"]),
        ("  {receiver: team, routes: [{receiver: a, continue: true}, {receiver: b}, {receiver: c}]}", ["a", "b"]),
        ("  {receiver: team, routes: [{receiver: a}, {receiver: b}]}", ["a"]),
        ("  {receiver: team, routes: [{routes: [{matchers: ['severity=P9']}]}]}", ["team"]),
        ("  {receiver: team, routes: [{receiver: a, match: {severity: P0}, routes: [{receiver: b}]}]}", ["b"]),
        ("  {receiver: team, routes: [{receiver: a, match_re: {alertname: 'Circuit.*'}}]}", ["a"]),
        ("  {receiver: team, routes: [{receiver: a, match_re: {alertname: 'Circuit'}}]}", ["team"]),
        ("  {receiver: team, routes: [{receiver: a, matchers: ['alertname=~\"A|CircuitBreakerOpen\"']}]}", ["a"]),
        ("  {receiver: team, routes: [{receiver: a, matchers: ['severity!=P0']}]}", ["team"]),
        ("  {receiver: team, routes: [{receiver: a, matchers: ['team!~\"db|web\"']}]}", ["a"]),
        ("  {receiver: team, routes: [{receiver: a, matchers: ['team=\"\"']}]}", ["a"]),
        ('  {receiver: team, routes: [{receiver: a, matchers: [\'{severity="P0",instance=~"aurora1:.+"}\']}]}', ["a"]),
        ('  {receiver: team, routes: [{receiver: a, matchers: [\'severity="P0", instance="x,y"\']}]}', ["team"]),
    ],
)
def test_an_alert_goes_where_alertmanager_would_send_it(route: str, told: list[str]) -> None:
    assert receivers(route) == told


@pytest.mark.parametrize(
    "route",
    [
        "  {receiver: team, routes: [{receiver: a, matchers: ['severity']}]}",
        "  {receiver: team, routes: [{receiver: a, matchers: ['severity=\"P0']}]}",
        '  {receiver: team, routes: [{receiver: a, matchers: [\'severity="P"0"\']}]}',
        "  {receiver: team, routes: [{receiver: a, matchers: ['severity=~\"(\"']}]}",
        '  {receiver: team, routes: [{receiver: a, matchers: [\'"a b"="P0"\']}]}',
        "  {receiver: team, routes: [{receiver: a, matchers: [7]}]}",
        "  {receiver: team, routes: [7]}",
        "  {receiver: team, routes: 7}",
    ],
)
def test_what_is_not_understood_is_no_answer(route: str) -> None:
    with pytest.raises(RunbookError):
        receivers(route)


@pytest.mark.parametrize("text", [None, 7, "", "[", "route: x", "a: &a [*a]", "\t"])
def test_a_text_that_is_no_configuration_is_refused_without_a_word_of_it(text: object) -> None:
    with pytest.raises(RunbookError, match="configuration has no route") as raised:
        _routes.configuration(text)
    assert str(raised.value) == "its configuration has no route that can be read"


def test_a_route_that_is_quiet_at_times_says_so() -> None:
    found = _routes.configuration("route: {receiver: a, routes: [{receiver: b, mute_time_intervals: [nights]}]}")
    assert _routes.sent(found, BREAKER) == [_routes.Sent("b", timed=True)]


def test_escapes_in_a_matcher_are_alertmanagers() -> None:
    assert _routes.matchers('name=~"a\\\\.b",other="x\\"y\\nz"') == [("name", "=~", "a\\.b"), ("other", "=", 'x"y\nz')]
