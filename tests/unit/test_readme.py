# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, README lacks something that the collection has, or shows what does not work."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _messages
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps
from ansible_collections.aurora.runbook.plugins.plugin_utils import _alert
from pages import rows, section

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = (CHECKOUT / "README.md").read_text(encoding="utf-8")
EXAMPLE = CHECKOUT / "inventory" / "production.example"


def named(heading: str) -> dict[str, list[str]]:
    """The other cells of each row of a section's table, by the name in its first cell."""
    return {name.strip("`"): cells for name, *cells in rows(section(PAGE, f"## {heading}")) if name.startswith("`")}


def names(pattern: str) -> set[str]:
    return {path.stem for path in CHECKOUT.glob(pattern)}


def test_every_playbook_that_a_user_starts_has_a_row():
    assert set(named("Playbooks")) == names("playbooks/*.yml") - {"incident"}


def test_every_module_has_a_row():
    assert set(named("Modules")) == names("plugins/modules/*.py")


def test_every_variable_is_one_of_the_collection():
    specs = [path.read_text(encoding="utf-8") for path in CHECKOUT.glob("roles/*/meta/argument_specs.yml")]
    known = {"aurora_group", *(name for text in specs for name in re.findall(r"^ +(aurora_\w+):", text, re.MULTILINE))}
    assert set(named("The variables that matter")) <= known


def test_every_alert_has_a_row_with_its_limit_and_what_it_starts():
    alerts = named("The alerts it answers")
    rules = (CHECKOUT / "roles/alerting/templates/aurora.rules.yml.j2").read_text(encoding="utf-8")
    assert set(alerts) == set(re.findall(r"- alert: (\w+)", rules))
    for name in _indicators.INCIDENTS:
        indicator = _indicators.INDICATORS[name]
        limit = _messages.number(indicator.threshold, indicator.threshold)
        condition = f"`{indicator.metric} {indicator.breach} {limit}`"
        assert alerts[indicator.alert] == [condition, f"`{name}`"]


def test_the_alert_of_the_example_means_a_host_of_the_example_inventory():
    block = next(block for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL) if "aurora_alert:" in block)
    alert = yaml.safe_load(block.partition("$ cat alert.yml\n")[2])["aurora_alert"]
    inventory = yaml.safe_load((EXAMPLE / "hosts.yml").read_text(encoding="utf-8"))
    hosts = inventory["aurora"]["children"]["aurora_runner"]["hosts"]
    now = _stamps.seconds(alert["startsAt"]) + 60
    target = _alert.target(alert, dict.fromkeys(hosts, ""), now)
    assert (target.incident, target.host, target.firing) == ("circuit_breaker", "aurora-a.example.com", True)
    assert target.age_seconds == 60.0


def test_ci_runs_the_command_that_it_names():
    command = PAGE.partition("\n## Tests\n")[2].partition("$ ")[2].partition("\n")[0]
    assert (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == f"exec {command}"
