# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, installing the route damages an Alertmanager configuration or shows its secrets."""

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.aurora.runbook.plugins.filter.alerting import (
    alertmanager_routed,
    indicator_promql,
    rarely_scraped,
    widened,
)
from ansible_collections.aurora.runbook.plugins.plugin_utils._scrapes import scraped_every

OURS = {
    "receiver": {"name": "aurora-runbook", "webhook_configs": [{"url": "https://eda:5000/e", "http_config": {}}]},
    "routes": [
        {"receiver": "aurora-runbook", "matchers": ['alertname=~"A|B"'], "continue": True},
        {"receiver": "aurora-runbook", "matchers": ['alertname="AuroraHeartbeat"']},
    ],
}
THEIRS = """\
# ours since 2024
global:
  smtp_smarthost: 'mail.example.com:25'   # the relay
route:
  receiver: 'team'
  routes:
    - matchers: [team="db"]  # first of all
      receiver: db
receivers:
  - name: team
    slack_configs:
      - api_url: "https://hooks.example.com/secret"
  - name: db
"""


def test_the_route_comes_first_and_all_that_was_there_stays():
    text = alertmanager_routed(THEIRS, OURS)
    found, before = yaml.safe_load(text), yaml.safe_load(THEIRS)
    assert found["route"]["receiver"] == "team"
    assert found["route"]["routes"] == [*OURS["routes"], before["route"]]
    assert found["receivers"][:2] == before["receivers"]
    assert found["receivers"][2] == {"name": "aurora-runbook", "webhook_configs": [{"url": "https://eda:5000/e"}]}
    assert found["global"] == before["global"]
    for comment in ("# ours since 2024", "# the relay", "# first of all"):
        assert comment in text


def test_a_second_time_the_text_is_the_same():
    once = alertmanager_routed(THEIRS, OURS)
    assert alertmanager_routed(once, OURS) == once


def test_another_url_replaces_ours_and_nothing_else():
    other = {**OURS, "receiver": {**OURS["receiver"], "webhook_configs": [{"url": "https://other:5000/e"}]}}
    text = alertmanager_routed(alertmanager_routed(THEIRS, OURS), other)
    assert text == alertmanager_routed(THEIRS, other)


def test_routes_of_an_earlier_version_are_replaced_and_what_a_person_wrote_beside_them_stays():
    earlier = {**OURS, "routes": OURS["routes"][:1]}
    text = alertmanager_routed(alertmanager_routed(THEIRS, earlier), OURS)
    assert text == alertmanager_routed(THEIRS, OURS)
    assert alertmanager_routed(text, earlier) == alertmanager_routed(THEIRS, earlier)


@pytest.mark.parametrize("empty", ["routes:", "routes: []"])
def test_an_empty_list_of_routes_takes_ours(empty):
    text = alertmanager_routed(f"route:\n  receiver: a\n  {empty}\nreceivers: [{{name: a}}]\n", OURS)
    assert yaml.safe_load(text)["route"]["routes"] == [*OURS["routes"], {"receiver": "a"}]


@pytest.mark.parametrize(
    "text", ["", "route: [", "- a", "receivers: []", "route: secret-word", "route: {group_by: [secret-word]}"]
)
def test_what_is_no_configuration_is_refused_without_quoting_it(text):
    with pytest.raises(AnsibleFilterError, match="amtool check-config") as refused:
        alertmanager_routed(text, OURS)
    assert "secret-word" not in str(refused.value)


@pytest.mark.parametrize(
    "line",
    [
        "  slack_api_url: https://hooks.slack.com/services/secret-word\t# ours",
        '  slack_api_url: "https://hooks.slack.com/services/secret-word',
        "  slack_api_url: *secret-word",
        "  slack_api_url: !secret-word x",
        "  slack_api_url: %secret-word",
        "  slack_api_url: {secret-word: [}",
        "  secret-word: 1\n  secret-word: 2",
        "  slack_api_url: secret-word: x",
        "  slack_api_url: !!int secret-word",
        "  slack_api_url: !!timestamp secret-word",
        "  day: 2026-99-99",
    ],
)
def test_what_cannot_be_read_is_refused_or_taken_and_never_shown(line):
    """ansible-core 2.19 and later append the texts of causes and contexts to an error's own."""
    refused: list[AnsibleFilterError] = []
    try:
        assert alertmanager_routed(f"global:\n{line}\n{THEIRS.split('# the relay')[1]}", OURS)
    except AnsibleFilterError as error:
        refused.append(error)
    for error in refused:
        assert (error.__cause__, error.__suppress_context__, "secret-word" in str(error)) == (None, True, False)


def test_a_refusal_names_the_place_in_the_file():
    with pytest.raises(AnsibleFilterError, match="line 2, column 26"):
        alertmanager_routed("global:\n  slack_api_url: https://\t# ours\n", OURS)


def targets(**every):
    found = [{"labels": {"job": "aurora", "instance": name}, "scrapeInterval": one} for name, one in every.items()]
    return {"status": "success", "data": {"activeTargets": found}}


def pages(*names):
    result = [{"metric": {"job": "aurora", "instance": name}, "value": [0, "1"]} for name in names]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


@pytest.mark.parametrize(
    ("interval", "window", "rare"),
    [("2s", "1m", False), ("15s", "1m", False), ("1m", "240s", False), ("1m15s", "300s", False), ("2m", "480s", True)],
)
def test_rules_are_installed_where_four_scrapes_fit_into_their_windows(interval, window, rare):
    every = scraped_every(targets(a=interval, database="1h"), pages("a"))
    assert bool(rarely_scraped(every)) is rare
    assert widened("1m", every) == window
    assert widened("10m", every) == "10m"


def test_what_prometheus_does_not_say_leaves_the_windows_as_they_are():
    """It may not know a host yet, or not answer; a window that is none is promtool's to refuse."""
    for every in (scraped_every({}, {}), scraped_every(targets(a="1m"), pages()), scraped_every({"data": None}, {})):
        assert (every, rarely_scraped(every), widened("1m", every)) == ({}, [], "1m")
    assert widened("soon", {"a": 60.0}) == "soon"


def test_an_incident_that_is_none_has_no_expression():
    with pytest.raises(AnsibleFilterError, match="is not an incident"):
        indicator_promql("sse")
