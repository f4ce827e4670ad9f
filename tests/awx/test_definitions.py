# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role awx defines. If these break, AWX refuses it, or a template asks, allows or runs what it should not."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
from pathlib import Path

import pytest
import stand_in
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _knobs, _options
from ansible_collections.aurora.runbook.plugins.plugin_utils import _workflow

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = CHECKOUT / "docs" / "awx" / "project"
# What awx.yml sets up is not run by AWX itself, incident.yml is what the others import, what changes the rights of an
# account or takes everything off a host is an administrator's, who has all rights there, and heartbeats are answered by
# ansible-rulebook alone.
NOT_AWX = {"awx.yml", "heartbeat.yml", "incident.yml", "prepare.yml", "remove.yml"}
PLAYBOOKS = {path.name for path in (CHECKOUT / "playbooks").glob("*.yml")} - NOT_AWX
MODULES = {
    "controller_credential_types": "credential_type",
    "controller_credentials": "credential",
    "controller_execution_environments": "execution_environment",
    "controller_inventories": "inventory",
    "controller_inventory_sources": "inventory_source",
    "controller_notifications": "notification_template",
    "controller_projects": "project",
    "controller_schedules": "schedule",
    "controller_templates": "job_template",
    "controller_workflows": "workflow_job_template",
}
# By AWX's own rule, which looks at the lines of a file and not at what they mean.
LISTED = re.compile(r"^\s*-?\s*(?:hosts|(?:ansible\.builtin\.)?import_playbook):", re.MULTILINE)
APPROVALS = {
    "circuit_breaker": ("circuit_breaker", "spread_threshold"),
    "policy_deny_rate": ("policy_deny_rate", "p_threshold"),
    "calibration_ece": ("calibration_ece", "confidence_threshold"),
}


class Captured(Exception):  # noqa: N818 it is no error
    pass


def validator(module):
    """The argument spec of a module of awx.awx, from its own main()."""
    name = f"ansible_collections.awx.awx.plugins.modules.{module}"
    try:
        loaded = importlib.import_module(name)
    except ModuleNotFoundError:
        pytest.fail("the collection awx.awx is missing; ./dev lint and ./dev test fetch it")

    def capture(argument_spec, **rules):
        raise Captured(argument_spec, rules)

    loaded.ControllerAPIModule, kept = capture, loaded.ControllerAPIModule
    try:
        loaded.main()
    except Captured as captured:
        argument_spec, rules = captured.args
    finally:
        loaded.ControllerAPIModule = kept
    return ArgumentSpecValidator(argument_spec, **rules)


def test_every_kind_of_definition_is_held_against_its_module(definitions):
    assert set(definitions) == set(MODULES)
    assert all(definitions.values())


@pytest.mark.parametrize("name", MODULES)
def test_a_definition_is_what_the_module_takes(name, definitions):
    spec = validator(MODULES[name])
    for item in definitions[name]:
        taken = {key: value for key, value in item.items() if key != "simplified_workflow_nodes"}
        assert spec.validate(taken).error_messages == []


def test_a_node_is_what_the_module_takes(definitions):
    spec = validator("workflow_job_template_node")
    for workflow in definitions["controller_workflows"]:
        for node in workflow["simplified_workflow_nodes"]:
            assert spec.validate({**node, "workflow_job_template": workflow["name"]}).error_messages == []


def sent():
    """The arguments of each module that the role names."""
    listed = yaml.safe_load((CHECKOUT / "roles/awx/tasks/controller.yml").read_text(encoding="utf-8"))
    tasks = [each for task in listed for each in task.get("block", [task])]
    named = {}
    for task in tasks:
        for module in (key for key in task if key.startswith("awx.awx.")):
            named.setdefault(module.removeprefix("awx.awx."), set()).update(task[module])
    return named


def test_the_role_sends_all_that_is_defined():
    """Otherwise a key that somebody adds to a definition is silently left out."""
    named = {**sent(), "workflow_job_template": sent()["workflow_job_template"] | {"simplified_workflow_nodes"}}
    defined = {}
    for path in (CHECKOUT / "roles/awx/vars/main").glob("*.yml"):
        text = path.read_text(encoding="utf-8").replace("!unsafe ", "")
        defined.update(yaml.safe_load(text))
    for name, module in MODULES.items():
        items = [defined["__awx_notification"]] if name == "controller_notifications" else defined[name]
        assert {key for item in items for key in item} <= named[module]


# What of a module's arguments the role cannot or need not name.
NOT_NAMED = {
    "job_template": {
        "new_name": "it renames",
        "copy_from": "it copies",
        "state": "present is the default",
        "credential": "the older form of credentials",
        "vault_credential": "the older form of credentials",
        "custom_virtualenv": "AWX has none since 18",
        "webhook_credential": "awx.awx cannot empty it, and without webhook_service AWX refuses it",
    },
    "workflow_job_template": {
        "new_name": "it renames",
        "copy_from": "it copies",
        "state": "present is the default",
        "webhook_service": "awx.awx cannot empty it, and a webhook asks for no approval",
        "webhook_credential": "awx.awx cannot empty it",
        "workflow_nodes": "nodes are made one by one",
        "destroy_current_nodes": "nodes that are not the role's are removed one by one",
    },
}


@pytest.mark.parametrize("module", NOT_NAMED)
def test_every_field_that_awx_has_is_named(module):
    """Else what a person set by hand stays, and a remediation only looks, looks elsewhere, or needs no approval."""
    given = set(validator(module).argument_spec) - set(NOT_NAMED[module])
    assert sent()[module] >= given
    assert not sent()[module] & set(NOT_NAMED[module])


def test_every_prompt_that_a_schedule_can_carry_is_named(definitions):
    """AWX takes those alone that the template asks for."""
    templates = {template["name"]: template for template in definitions["controller_templates"]}
    prompts = {"extra_data", *stand_in.OWN}
    for schedule in definitions["controller_schedules"]:
        template = templates[schedule["unified_job_template"]]
        asked = {name for name in prompts - {"extra_data"} if template[stand_in.ASKED[name]]}
        wanted = {"enabled", "extra_data", *asked}
        assert wanted & prompts == prompts & sent()["schedule"]
        assert set(schedule) >= wanted
        assert (schedule["enabled"], schedule["extra_data"]) == (True, {})


def test_a_node_that_a_person_changed_is_told_by_each_field_that_the_module_has():
    nodes = set(validator("workflow_job_template_node").argument_spec)
    names = {"identifier", "workflow_job_template", "organization", "lookup_organization", "state"}
    own = {"unified_job_template", "approval_node", "all_parents_must_converge", *_workflow.WAYS}
    lists = {"credentials", "instance_groups", "labels"}  # which no template asks for, so that AWX refuses them
    assert nodes - names - own - lists == set(_workflow.FIELDS)


def test_a_template_approves_what_its_name_says_and_else_nothing(definitions):
    """Extra variables come before the inventory's: without them an aurora_approve there would approve for ever."""
    for template in definitions["controller_templates"]:
        named = re.findall(r", (\w+) approved$", template["name"])
        assert template["extra_vars"]["aurora_approve"] == named
    assert [workflow["extra_vars"] for workflow in definitions["controller_workflows"]] == [{}] * 5


def test_there_is_a_template_for_each_playbook_and_no_other(definitions):
    assert {template["playbook"] for template in definitions["controller_templates"]} == PLAYBOOKS
    named = {f"{template['name'].split(',')[0]}.yml" for template in definitions["controller_templates"]}
    assert named == {f"aurora.runbook.{name}" for name in PLAYBOOKS}


@pytest.mark.parametrize("folder", [PROJECT, CHECKOUT / "playbooks"], ids=["own project", "this repository"])
def test_awx_lists_every_playbook_in_both_kinds_of_project(folder):
    listed = {path.name for path in folder.glob("*.yml") if LISTED.search(path.read_text(encoding="utf-8"))}
    assert listed >= PLAYBOOKS


def test_the_ready_project_imports_each_playbook_of_the_collection_and_installs_it():
    files = {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in PROJECT.glob("*.yml")}
    assert set(files) == PLAYBOOKS
    for name, plays in files.items():
        assert [play["import_playbook"] for play in plays] == [f"aurora.runbook.{name.removesuffix('.yml')}"]
    wanted = yaml.safe_load((PROJECT / "collections" / "requirements.yml").read_text(encoding="utf-8"))
    assert wanted["collections"] == [{"name": "aurora.runbook"}]  # galaxy.yml is the one home of the version


def test_one_job_of_a_template_runs_at_a_time_and_ends(definitions):
    """But for ticks: AWX would queue them, and they keep themselves apart (tests/unit/roles/test_page.py)."""
    for template in definitions["controller_templates"]:
        assert template["allow_simultaneous"] is (template["playbook"] == "escalate.yml")
        assert template["timeout"] >= 600
        assert template["ask_job_type_on_launch"]
        assert template["ask_limit_on_launch"]


def test_a_remediation_is_not_cut_off_before_its_longest_ladder_ends(definitions):
    """A module that AWX cuts off goes on on its host."""
    specs = yaml.safe_load((CHECKOUT / "roles/incident/meta/argument_specs.yml").read_text(encoding="utf-8"))
    seconds = {name: option.get("default") for name, option in specs["argument_specs"]["look"]["options"].items()}
    unit = yaml.safe_load((CHECKOUT / "roles/incident/vars/main.yml").read_text(encoding="utf-8"))
    healthy = seconds["aurora_start_seconds"] + seconds["aurora_healthy_seconds"] + unit["__incident_unit_seconds"]
    step = 3 * healthy + seconds["aurora_timeout_seconds"]
    look, rungs, batches = 1000, 5, 2
    for template in definitions["controller_templates"]:
        if "remediate" in template["name"]:
            assert template["timeout"] > look + batches * rungs * step


def test_only_a_triage_is_sliced():
    """A slice of a remediation would count no peers outside of it."""
    templates = yaml.safe_load((CHECKOUT / "roles/awx/vars/main/templates.yml").read_text(encoding="utf-8"))
    sliced = [t["name"] for t in templates["controller_templates"] if t["job_slice_count"] != 1]
    assert sliced == ["aurora.runbook.triage"]


def test_awx_takes_every_survey(definitions):
    for template in [*definitions["controller_templates"], *definitions["controller_workflows"]]:
        if template.get("survey_enabled"):
            assert stand_in.survey_problem(template["survey_spec"]) == ""


def test_every_answer_is_a_variable_that_the_playbook_reads(definitions):
    """Otherwise a person at night answers for nothing."""
    for template in definitions["controller_templates"]:
        incident = template["playbook"].removesuffix(".yml").removeprefix("remediate_")
        roles = {"incident", incident} & {path.name for path in (CHECKOUT / "roles").iterdir()}
        read = "".join((CHECKOUT / f"roles/{role}/defaults/main.yml").read_text(encoding="utf-8") for role in roles)
        for question in template.get("survey_spec", {}).get("spec", []):
            assert re.search(rf"\b{question['variable']}\b", read), (template["name"], question["variable"])


def test_the_ranges_of_answers_are_those_that_modules_hold_to(definitions):
    ranges = {}
    for template in definitions["controller_templates"]:
        for question in template.get("survey_spec", {}).get("spec", []):
            ranges[question["variable"]] = (question.get("min"), question.get("max"))
    assert ranges["aurora_timeout_seconds"] == _options.RECOVERY_RANGES["timeout_seconds"]
    assert ranges["aurora_min_healthy"] == _options.INCIDENT_RANGES["min_healthy"]
    for variable, name in (("decisions_per_minute", "DECISIONS_PER_MINUTE"), ("calibration_days", "CALIBRATION_DAYS")):
        assert ranges[f"aurora_{variable}"] == (_knobs.KNOBS[name].lowest, _knobs.KNOBS[name].highest)
    assert ranges["aurora_kelly_multiplier"] == (0, 1)  # the whole numbers around 0.01 and 1


def test_no_question_can_approve_or_loosen_what_the_inventory_says(definitions):
    for template in [*definitions["controller_templates"], *definitions["controller_workflows"]]:
        for question in template.get("survey_spec", {}).get("spec", []):
            assert question["variable"] not in ("aurora_approve", "aurora_autonomy")
            assert "default" not in question
            assert question["required"] is False


def test_variables_are_taken_only_where_another_job_passes_them(definitions):
    """Whoever may launch with variables may pass an approval."""
    open_to = [t["name"] for t in definitions["controller_templates"] if t.get("ask_variables_on_launch")]
    assert open_to == ["aurora.runbook.remediate", "aurora.runbook.propose"]
    assert [w["name"] for w in definitions["controller_workflows"] if w.get("ask_variables_on_launch")] == []


def test_what_a_workflow_escalates_waits_for_no_tick(definitions):
    often = [schedule for schedule in definitions["controller_schedules"] if "FREQ=MINUTELY" in schedule["rrule"]]
    ticking = {schedule["unified_job_template"] for schedule in often}
    nodes = [node for each in definitions["controller_workflows"] for node in each["simplified_workflow_nodes"]]
    templates = {template["name"]: template for template in definitions["controller_templates"]}
    escalates = {node["unified_job_template"] for node in nodes if node["identifier"] == "escalate"}
    assert not escalates & ticking
    assert {templates[name]["playbook"] for name in (*escalates, *ticking)} == {"escalate.yml"}


def test_it_is_seen_every_week_whether_a_remediation_would_work_and_somebody_is_told(definitions):
    templates = {template["name"]: template for template in definitions["controller_templates"]}
    weekly = [schedule for schedule in definitions["controller_schedules"] if "FREQ=WEEKLY" in schedule["rrule"]]
    scheduled = [templates[schedule["unified_job_template"]] for schedule in weekly]
    assert [template["playbook"] for template in scheduled] == ["preflight.yml"]
    told = [notification["name"] for notification in definitions["controller_notifications"]]
    assert [template["notification_templates_error"] for template in scheduled] == [told]


def walk(nodes, node, outcomes):
    """The jobs that run when nodes end as they are said to."""
    ran, todo = [], [node]
    while todo:
        name = todo.pop(0)
        ran.append(name)
        todo += nodes[name].get(f"{outcomes.get(name, 'success')}_nodes", [])
    return ran


@pytest.mark.parametrize("incident", _indicators.INCIDENTS)
def test_a_workflow_ends_with_a_repair_or_with_an_escalation(incident, definitions):
    workflow = {w["name"]: w for w in definitions["controller_workflows"]}[f"aurora.runbook.{incident}"]
    nodes = {node["identifier"]: node for node in workflow["simplified_workflow_nodes"]}
    assert walk(nodes, "remediate", {}) == ["remediate"]
    if incident not in APPROVALS:
        assert walk(nodes, "remediate", {"remediate": "failure"}) == ["remediate", "escalate"]
        return
    asked = ["remediate", "propose"]
    for bad, ran in (
        ({"propose"}, [*asked, "escalate"]),
        ({"approve"}, [*asked, "approve", "escalate"]),
        ({"approved"}, [*asked, "approve", "approved", "escalate"]),
        (set(), [*asked, "approve", "approved"]),
    ):
        assert walk(nodes, "remediate", dict.fromkeys(bad | {"remediate"}, "failure")) == ran


@pytest.mark.parametrize("incident", APPROVALS)
def test_an_approval_names_what_it_approves_and_approves_no_more(incident, definitions):
    role, knob = APPROVALS[incident]
    templates = {template["name"]: template for template in definitions["controller_templates"]}
    workflow = {w["name"]: w for w in definitions["controller_workflows"]}[f"aurora.runbook.{incident}"]
    nodes = {node["identifier"]: node for node in workflow["simplified_workflow_nodes"]}
    defaults = yaml.safe_load((CHECKOUT / f"roles/{role}/defaults/main.yml").read_text(encoding="utf-8"))
    value = re.search(r"default\('([\d.]+)'\)", defaults[f"__{role}_{knob}"])[1]
    assert nodes["approve"]["approval_node"]["name"] == f"{incident}: {knob.upper()}={value}"
    assert nodes["propose"]["extra_data"] == {"aurora_incident": incident, "aurora_approvable": [knob]}
    approved = templates[nodes["approved"]["unified_job_template"]]
    assert approved["extra_vars"] == {"aurora_approve": [knob]}
    assert approved["playbook"] == f"remediate_{incident}.yml"
    assert not approved.get("ask_variables_on_launch")


def test_nodes_run_templates_that_there_are(definitions):
    names = {template["name"] for template in definitions["controller_templates"]}
    run = {
        node["unified_job_template"]
        for workflow in definitions["controller_workflows"]
        for node in workflow["simplified_workflow_nodes"]
        if "approval_node" not in node
    }
    assert run <= names
    assert {schedule["unified_job_template"] for schedule in definitions["controller_schedules"]} <= names


def test_a_credential_gives_jobs_the_names_that_inventory_and_roles_know(definitions):
    injected = definitions["controller_credential_types"][0]["injectors"]["extra_vars"]
    example = (CHECKOUT / "inventory/production.example/group_vars/aurora.yml").read_text(encoding="utf-8")
    defaults = (CHECKOUT / "roles/incident/defaults/main.yml").read_text(encoding="utf-8")
    fields = {field["id"] for field in definitions["controller_credential_types"][0]["inputs"]["fields"]}
    for name, text in injected.items():
        assert re.search(rf"\b{name}\b", example + defaults), name
        assert re.fullmatch(r"\{\{ (\w+) \}\}", text)[1] in fields
    assert fields == set(definitions["controller_credentials"][0]["inputs"])


@pytest.mark.parametrize("playbook", sorted(PLAYBOOKS))
def test_every_playbook_of_the_ready_project_is_read_by_ansible(playbook, tmp_path):
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps({"aurora": {"hosts": {"a0": {}}}}), encoding="utf-8")
    alert = {"labels": {"alertname": "CircuitBreakerOpen", "instance": "a0"}, "status": "resolved"}
    argv = ["ansible-playbook", "--syntax-check", playbook, "-i", str(inventory)]
    extra = ["-e", json.dumps({"aurora_alert": alert})]
    done = subprocess.run([*argv, *extra], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
