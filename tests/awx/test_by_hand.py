# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes that a person made in AWX by hand, and whether an approval can come another way. One run of the role.

If these break, a remediation does nothing, or raises exposure with nobody approving, and every run of the role is
green.
"""

from __future__ import annotations

import copy
import json

import pytest
import stand_in
from conftest import set_up

APPROVE = {"aurora_approve": ["spread_threshold"]}
IDENTITY = ("name", "description", "organization", "project", "inventory", "execution_environment", "playbook")
WORKFLOW = "aurora.runbook.circuit_breaker"


def other(value):
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else "by-hand"


def nodes(awx, workflow=WORKFLOW):
    number = awx.named("workflow_job_templates")[workflow]["id"]
    own = [node for node in awx.made[stand_in.NODES].values() if node["workflow_job_template"] == number]
    return {node["identifier"]: node for node in own}


def links(awx):
    """What follows which node of each workflow, by way."""
    return {
        (workflow, name, way): sorted(
            awx.made[stand_in.NODES][each]["identifier"] for each in awx.linked.get(f"{node['url']}{way}/", [])
        )
        for workflow in awx.named("workflow_job_templates")
        for name, node in nodes(awx, workflow).items()
        for way in stand_in.WAYS
    }


def meddle(awx, definitions):
    """Change all that the role names and more, as the web page would allow it."""
    for kind, defined in (
        ("job_templates", "controller_templates"),
        ("workflow_job_templates", "controller_workflows"),
    ):
        for item in definitions[defined]:
            made = awx.named(kind)[item["name"]]
            simple = [name for name, value in item.items() if isinstance(value, (bool, int, str))]
            made.update({name: other(made[name]) for name in simple if name not in IDENTITY})
            made["extra_vars"] = json.dumps(APPROVE)
    for schedule in awx.named("schedules").values():
        schedule.update(enabled=False, extra_data=APPROVE, limit="none", job_type="check", diff_mode=True, verbosity=5)
    own = nodes(awx)
    own["escalate"]["limit"] = "none"
    own["remediate"]["extra_data"] = APPROVE
    workflow = own["remediate"]["workflow_job_template"]
    approved = own["approved"]["unified_job_template"]
    mine = {"identifier": "mine", "workflow_job_template": workflow, "unified_job_template": approved}
    past = awx.make(stand_in.NODES, mine)
    awx.linked[f"{own['remediate']['url']}failure_nodes/"] = [past["id"]]
    awx.linked[f"{own['remediate']['url']}always_nodes/"] = [own["propose"]["id"]]
    awx.linked[f"{own['propose']['url']}always_nodes/"] = [own["approved"]["id"], own["escalate"]["id"]]
    awx.linked[f"{own['propose']['url']}failure_nodes/"] = []
    # And a first run ended when the source had been made: nothing was fetched, and nothing read.
    awx.made["projects"][awx.named("projects")["aurora.runbook"]["id"]].update(status="failed", scm_revision="")
    awx.named("inventory_sources")["aurora.runbook"]["status"] = "never updated"
    awx.made["hosts"].clear()


@pytest.fixture(scope="module")
def meddled(set_up_twice, definitions):
    awx = copy.deepcopy(set_up_twice[0])
    meddle(awx, definitions)
    return awx


@pytest.fixture(scope="module")
def mended(meddled):
    """The same after a run of the role."""
    awx = copy.deepcopy(meddled)
    with stand_in.serving(awx) as url:
        status, said = set_up(url)
    assert status == 0, said
    return awx


@pytest.fixture
def asked(set_up_twice):
    """AWX as the role left it, for launches."""
    return copy.deepcopy(set_up_twice[0])


@pytest.mark.parametrize("kind", ["job_templates", "workflow_job_templates", "schedules"])
def test_what_was_set_by_hand_is_taken_back(kind, set_up_twice, meddled, mended):
    before, between, after = (awx.named(kind) for awx in (set_up_twice[0], meddled, mended))
    changed = [name for name in before if before[name] != between[name]]
    assert changed == list(before)
    assert after == before


def test_nodes_and_links_are_those_of_the_role_again(set_up_twice, meddled, mended):
    assert links(meddled) != links(set_up_twice[0])
    assert links(mended) == links(set_up_twice[0])
    assert nodes(mended)["escalate"].get("limit") in (None, "")
    assert not nodes(mended)["remediate"].get("extra_data")


def test_a_project_that_failed_is_fetched_and_a_source_that_nobody_read_is_read(mended):
    assert mended.named("projects")["aurora.runbook"]["status"] == "successful"
    assert mended.named("inventory_sources")["aurora.runbook"]["status"] == "successful"
    assert list(mended.named("hosts")) == ["aurora1"]


FAILED = {"remediate": "failure"}


def approvals(run):
    """What each job of a workflow has as an approval: where it needs one, also that a host waits for it."""
    jobs = {name: job for name, job in run["jobs"].items() if job}
    return {name: job["aurora_approve"] for name, job in jobs.items()}


def test_the_stand_in_lets_through_what_awx_lets_through(meddled):
    """Variables of a workflow reach each job unasked: were they not taken back, they would approve."""
    assert approvals(meddled.run(WORKFLOW, {}))["remediate"] == APPROVE["aurora_approve"]


@pytest.mark.parametrize(
    ("outcomes", "ran"),
    [
        ({}, {"remediate": []}),
        (FAILED, {"remediate": [], "propose": [], "approved": ["spread_threshold"]}),
        ({**FAILED, "approve": "failure"}, {"remediate": [], "propose": [], "escalate": []}),
        ({**FAILED, "propose": "failure"}, {"remediate": [], "propose": [], "escalate": []}),
    ],
)
def test_an_approval_comes_through_the_approval_node(outcomes, ran, mended):
    run = mended.run(WORKFLOW, outcomes)
    assert approvals(run) == ran
    assert run["status"] == "successful"  # AWX calls a workflow that, too, whose approval was denied
    if "approved" in ran:
        assert run["jobs"]["approved"]["aurora_waiting"] == {"aurora1": ["spread_threshold"]}
    else:
        assert not any("aurora_waiting" in job for job in run["jobs"].values() if job.get("aurora_approve"))


def test_no_launch_carries_an_approval(asked, definitions):
    for template in definitions["controller_templates"]:
        status, job = asked.launch(
            "job_templates", asked.named("job_templates")[template["name"]], {"extra_vars": APPROVE}
        )
        assert status == 201
        if template["ask_variables_on_launch"]:  # an alert, or a look: see test_workflow.py
            assert template["playbook"] in ("remediate.yml", "propose.yml")
        else:
            assert job["ignored_fields"] == {"extra_vars": APPROVE}
            assert job["extra_vars"]["aurora_approve"] == template["extra_vars"]["aurora_approve"]
    for workflow in definitions["controller_workflows"]:
        run = asked.run(workflow["name"], {}, {"extra_vars": APPROVE})
        assert (run["status"], run["jobs"]) == (400, [])


def test_no_schedule_and_no_node_carries_an_approval(asked, definitions):
    """AWX refuses it where the template asks for no variables."""
    for template in definitions["controller_templates"]:
        number = asked.named("job_templates")[template["name"]]["id"]
        schedule = {"name": "mine", "unified_job_template": number, "extra_data": APPROVE}
        status, _said = asked.answer("POST", "/api/v2/schedules/", {}, schedule)
        assert status == (201 if template["ask_variables_on_launch"] else 400)
    node = nodes(asked)["remediate"]
    assert asked.answer("PATCH", node["url"], {}, {"extra_data": APPROVE})[0] == 400


def test_answers_are_taken_in_their_own_types_alone(asked):
    template = asked.named("job_templates")["aurora.runbook.remediate_circuit_breaker"]
    for answers, status in (
        ({"aurora_timeout_seconds": 90, "aurora_kelly_multiplier": 0.25, "aurora_force": ""}, 201),
        ({"aurora_timeout_seconds": "90"}, 400),
        ({"aurora_kelly_multiplier": "0.25"}, 400),
        ({"aurora_timeout_seconds": ""}, 400),
        ({"aurora_language": ""}, 400),
        ({"aurora_language": "uk"}, 201),
    ):
        assert asked.launch("job_templates", template, {"extra_vars": answers})[0] == status


def test_ticks_that_take_long_do_not_wait_for_each_other(asked):
    """Otherwise AWX queues one a minute, and each page is later than the one before."""
    assert [asked.tick("aurora.runbook.escalate")["status"] for _minute in range(3)] == ["running"] * 3
    asked.named("job_templates")["aurora.runbook.escalate"]["allow_simultaneous"] = False
    waiting = asked.tick("aurora.runbook.escalate")
    assert waiting["status"] == "pending"
    for job in [job for job in asked.made["jobs"].values() if job["status"] == "running"]:
        asked.end(job)
    assert waiting["status"] == "running"


def test_a_second_link_between_two_nodes_is_refused(asked):
    own = nodes(asked)
    link = f"{own['remediate']['url']}always_nodes/"
    assert asked.answer("POST", link, {}, {"id": own["propose"]["id"]})[0] == 400
