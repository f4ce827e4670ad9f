# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, preflight calls an AWX ready in which nothing is launched at night, or one that works not ready."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable

import pytest
import stand_in
from ansible_collections.aurora.runbook.plugins.action import preflight_around

TICK = "aurora.runbook.escalate"


@pytest.fixture
def checked(set_up_twice, definitions, monkeypatch) -> Callable:
    """Preflight's checks of an AWX that was set up and has ticked once, after a change to it."""

    def look(change: Callable = lambda _awx: None, token: str = stand_in.TOKEN) -> list[tuple]:
        awx = copy.deepcopy(set_up_twice[0])
        awx.end(awx.tick(TICK))
        change(awx)
        asked = {"timeout_seconds": 10.0, "awx": {}}
        asked["awx"] = {name: definitions[f"controller_{name}"] for name in ("templates", "workflows", "schedules")}
        monkeypatch.setenv("CONTROLLER_OAUTH_TOKEN", token)
        with stand_in.serving(awx) as url:
            found = preflight_around.awx(asked, {}, url)
        bad = [one for one in found if one["state"] != "ready"]
        return [(one["state"], one["about"], one["why"]["message"].removeprefix("ready_")) for one in bad]

    return look


def test_an_awx_that_the_role_set_up_is_ready(checked):
    assert checked() == []


def changed(kind: str, name: str, **fields: object) -> Callable:
    return lambda awx: awx.named(kind)[name].update(fields)


def without(kind: str, name: str) -> Callable:
    return lambda awx: awx.made[kind].pop(awx.named(kind)[name]["id"])


TEMPLATE, WORKFLOW = "aurora.runbook.remediate", "aurora.runbook.circuit_breaker"
APPROVED = json.dumps({"aurora_approve": ["spread_threshold"]})


@pytest.mark.parametrize(
    ("change", "about", "reason"),
    [
        (without("job_templates", TEMPLATE), "templates", "awx_missing"),
        (without("workflow_job_templates", WORKFLOW), "workflows", "awx_missing"),
        (without("schedules", TICK), "schedules", "awx_missing"),
        (changed("job_templates", TEMPLATE, job_type="check"), TEMPLATE, "awx_differs"),
        (changed("job_templates", TEMPLATE, limit="none"), TEMPLATE, "awx_differs"),
        (changed("job_templates", TEMPLATE, ask_variables_on_launch=False), TEMPLATE, "awx_differs"),
        (changed("job_templates", TEMPLATE, extra_vars=APPROVED), TEMPLATE, "awx_differs"),
        (changed("job_templates", TEMPLATE, playbook="triage.yml"), TEMPLATE, "awx_differs"),
        (changed("workflow_job_templates", WORKFLOW, job_tags="none"), WORKFLOW, "awx_differs"),
        (changed("workflow_job_template_nodes", "escalate", limit="none"), "", "awx_nodes"),
        (changed("schedules", TICK, enabled=False), TICK, "awx_schedule"),
        (changed("schedules", TICK, next_run=None), TICK, "awx_schedule"),
        (without("hosts", "aurora1"), "aurora", "awx_no_hosts"),
    ],
)
def test_what_somebody_changed_is_found(checked, change, about, reason):
    assert ("not_ready", about, reason) in checked(change)


def test_credentials_are_ready_once_a_job_came_to_its_end_with_them(checked):
    def failed(awx):
        awx.made["jobs"] = {number: {**job, "status": "failed"} for number, job in awx.made["jobs"].items()}

    assert [reason for _state, _about, reason in checked(failed)] == ["awx_job"]
    assert checked(lambda awx: awx.made["jobs"].clear()) == [("unchecked", "", "awx_no_job")]


@pytest.mark.parametrize("token", ["", "wrong"])
def test_an_awx_that_lets_nobody_in_is_not_checked(checked, token):
    assert [(state, reason) for state, _about, reason in checked(token=token)] == [("unchecked", "no_awx")]
