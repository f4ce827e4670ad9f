# SPDX-License-Identifier: GPL-3.0-or-later
"""The role awx with the real modules of awx.awx, against a stand-in for AWX. Two runs take a minute and a half.

If these break, AWX is set up in part, or each run changes it again.
"""

from __future__ import annotations

import copy
import re

import pytest
import stand_in
from conftest import PROJECT, set_up

PLAYBOOKS = [path.name for path in PROJECT.glob("*.yml")]

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
        assert awx.surveys.get(made["related"]["survey_spec"], {}) == template["survey_spec"]
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


def test_a_project_that_cannot_be_fetched_is_not_passed_over_by_the_next_run():
    """awx.awx finds it "ok" from the second run on, and AWX does not try again by itself."""
    awx = stand_in.Awx(PLAYBOOKS, git=False)
    with stand_in.serving(awx) as url:
        for _run in range(2):
            status, said = set_up(url)
            assert status == 2
            assert "aurora_awx_scm_url" in said
    tried = [change for change in awx.changes if re.search(r"/projects/(\d+/update/)?$", change)]
    assert len(tried) == 2
    assert "inventories" not in awx.made


def test_an_awx_without_hosts_is_not_green():
    awx = stand_in.Awx(PLAYBOOKS, hosts=[])
    with stand_in.serving(awx) as url:
        for _run in range(2):
            status, said = set_up(url)
            assert status == 2
            assert "aurora_awx_inventory_path" in said
    assert sum("/inventory_sources/" in change and change.endswith("/update/") for change in awx.changes) == 2
    assert "job_templates" not in awx.made


def test_a_wrong_token_is_named_before_anything_is_changed():
    awx = stand_in.Awx(PLAYBOOKS)
    with stand_in.serving(awx) as url:
        status, said = set_up(url, token="expired")  # noqa: S106 it is none
    assert (status, awx.changes) == (2, [])
    assert "CONTROLLER_OAUTH_TOKEN" in said
    assert "HTTP 401" in said


@pytest.fixture(scope="module")
def set_up_without_git():
    """AWX after a run that ended at the project, which comes after the secrets."""
    awx = stand_in.Awx(PLAYBOOKS, git=False)
    with stand_in.serving(awx) as url:
        set_up(url)
    awx.changes = []
    return awx


@pytest.mark.parametrize(("said", "written"), [("false", 0), ("no", 0), ("0", 0), ("true", 2), ("yes", 2)])
def test_a_no_on_the_command_line_is_one(said, written, set_up_without_git):
    """Of ``-e x=false`` comes a text, and argument specs check it without making a boolean of it."""
    awx = copy.deepcopy(set_up_without_git)
    with stand_in.serving(awx) as url:
        set_up(url, "-e", f"aurora_awx_update_secrets={said}")
    assert sum(
        re.match(r"PATCH \S+/(credentials|notification_templates)/", each) is not None for each in awx.changes
    ) == (written)


def test_a_playbook_that_is_not_in_the_project_stops_the_run():
    """As after a wrong aurora_awx_playbooks: AWX refuses the template, and no workflow is made that leads nowhere."""
    awx = stand_in.Awx([])
    with stand_in.serving(awx) as url:
        status, said = set_up(url)
    assert status == 2
    assert "Playbook not found" in said
    assert "workflow_job_templates" not in awx.made
