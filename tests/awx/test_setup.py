# SPDX-License-Identifier: GPL-3.0-or-later
"""The role awx with the real modules of awx.awx, against a stand-in for AWX. Two runs take a minute and a half.

If these break, AWX is set up in part, or each run changes it again.
"""

from __future__ import annotations

import stand_in
from conftest import set_up

KINDS = {
    "controller_credential_types": "credential_types",
    "controller_credentials": "credentials",
    "controller_execution_environments": "execution_environments",
    "controller_inventories": "inventories",
    "controller_inventory_sources": "inventory_sources",
    "controller_notifications": "notification_templates",
    "controller_projects": "projects",
    "controller_schedules": "schedules",
    "controller_templates": "job_templates",
    "controller_workflows": "workflow_job_templates",
}


def test_all_that_is_defined_is_there_after_one_run(set_up_twice, definitions):
    awx, runs = set_up_twice
    assert runs[0][0] == 0
    for name, kind in KINDS.items():
        assert {item["name"] for item in definitions[name]} <= set(awx.named(kind))
    for template in definitions["controller_templates"]:
        made = awx.named("job_templates")[template["name"]]
        assert awx.surveys.get(made["related"]["survey_spec"]) == template.get("survey_spec")
        assert len(awx.linked[f"{made['url']}credentials/"]) == 2


def test_nodes_follow_each_other_as_defined(set_up_twice, definitions):
    awx, _runs = set_up_twice
    nodes = awx.made["workflow_job_template_nodes"]
    for workflow in definitions["controller_workflows"]:
        number = awx.named("workflow_job_templates")[workflow["name"]]["id"]
        own = {node["identifier"]: node for node in nodes.values() if node["workflow_job_template"] == number}
        for node in workflow["simplified_workflow_nodes"]:
            for way in ("success_nodes", "failure_nodes"):
                linked = awx.linked[f"{own[node['identifier']]['url']}{way}/"]
                assert [nodes[each]["identifier"] for each in linked] == node.get(way, [])


def test_hosts_are_read_once(set_up_twice):
    _awx, runs = set_up_twice
    assert [sum(change.endswith("/update/") for change in changes) for _status, _said, changes in runs] == [1, 0]


def test_a_second_run_changes_nothing(set_up_twice):
    _awx, runs = set_up_twice
    status, said, changes = runs[1]
    assert (status, changes) == (0, [])
    assert "changed=0" in said


def test_no_secret_is_said(set_up_twice):
    _awx, runs = set_up_twice
    assert all("secret" not in said.replace("(censored", "") for _status, said, _changes in runs)


def test_a_playbook_that_is_not_in_the_project_stops_the_run():
    """As after a wrong aurora_awx_playbooks: AWX refuses the template, and no workflow is made that leads nowhere."""
    awx = stand_in.Awx([])
    with stand_in.serving(awx) as url:
        status, said = set_up(url)
    assert status == 2
    assert "Playbook not found" in said
    assert "workflow_job_templates" not in awx.made
