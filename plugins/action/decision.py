# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides what a remediation does, from what the hosts answered. Documented in plugins/modules/decision.py.

The answers of hosts are read as they were registered and never templated. The pure functions of _decision.py decide.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping

from ansible.errors import AnsibleActionFail
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators
from ansible_collections.aurora.runbook.plugins.module_utils.base import _names
from ansible_collections.aurora.runbook.plugins.plugin_utils import _decision, _report, _variables
from ansible_collections.aurora.runbook.plugins.plugin_utils._answers_action import AnswersAction

FACT = "aurora_decision"  # a fact of localhost that the following plays use
SPEC = {
    "phase": {"type": "str", "required": True, "choices": ["names", "table", "look", "ladder", "end", "report"]},
    "incident": {"type": "str"},
    "hosts": {"type": "list", "elements": "str"},
    "neighbours": {"type": "list", "elements": "str", "default": []},
    "alert": {"type": "dict", "default": {}},
    "instances": {"type": "dict", "default": {}},
    "label": {"type": "str", "default": _names.INSTANCE},
}
REQUIRED_IF = [("phase", "names", ["hosts"]), ("phase", "table", ["hosts"]), ("phase", "look", ["incident", "hosts"])]


class ActionModule(AnswersAction):
    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        _checked, asked = self.validate_argument_spec(argument_spec=SPEC, required_if=REQUIRED_IF)
        self.hostvars = task_vars["hostvars"]
        self.alive = task_vars["ansible_play_hosts"]
        self.read = _variables.reader(self._templar.template, task_vars)
        self.language = self.language_of(task_vars)
        return {"changed": False, **getattr(self, f"{asked['phase']}_phase")(asked, task_vars)}

    def names_phase(self, asked: Mapping, _task_vars: Mapping) -> dict:
        """What labels of metrics and alerts call each host."""
        hosts, alert = asked["hosts"], asked["alert"]
        addresses, declared = _names.inventory(self.hostvars, dict.fromkeys([*asked["neighbours"], *hosts]))
        seen = {alert["host"]: alert.get("instance", "")} if alert else {}
        return {"instances": {n: _names.labels_of(n, addresses, declared, seen.get(n, "")) for n in hosts}}

    def table_phase(self, asked: Mapping, _task_vars: Mapping) -> dict:
        """Every indicator of every host, without what an earlier play saw of a host that is gone by now."""
        looks = {name: self.answer(name, "__incident_look") if name in self.alive else {} for name in asked["hosts"]}
        return {"table": _report.table(self.language, looks)}

    def look_phase(self, asked: Mapping, _task_vars: Mapping) -> dict:
        """Which incident it is, the standing of each host, and which hosts are repaired."""
        hosts, incident = sorted(asked["hosts"]), known_incident(asked["incident"])
        run = secrets.token_hex(8)
        looked = [name for name in self.alive if self.answer(name, "__incident_look")]
        course = {"incident": incident, "run": run, "hosts": hosts, "looked": looked, "climbed": []}
        if incident == _decision.REVERT:
            leased = {name: self.leased(name) for name in hosts if name in self.alive}
            return {"incident": incident, "run": run, "leased": leased, "ansible_facts": {FACT: course}}
        looks = {name: self.look(name, incident) for name in looked}
        observed = [name for name in hosts if self.hostvars[name].get("aurora_autonomy") == "observe"]
        decision = _decision.decide(self.language, incident, hosts, looks, observed, asked["alert"], time.time())
        labels = [label for name in decision["repaired"] for label in asked["instances"].get(name, [])]
        silence = {"alert": _indicators.INDICATORS[incident].alert, "label": asked["label"], "hosts": labels}
        course.update({name: decision[name] for name in ("id", "repaired")})
        course["unended"] = self.unended(course, self.hosts(course))
        told = {"run": run, "guards": self.read("__incident_guards"), "silence": silence if labels else {}}
        return {**decision, **told, "ansible_facts": {FACT: course}}

    def ladder_phase(self, _asked: Mapping, task_vars: Mapping) -> dict:
        """How the hosts of a batch ended, and whether the others follow."""
        course = self.course()
        batch = task_vars["ansible_play_batch"]
        if self.read("aurora_autonomy") != "observe":
            course["climbed"] = [*course["climbed"], *batch]
        hosts = self.hosts(course)
        ended = {one.name: one.verdict for one in hosts if one.name in batch}
        course["unended"] = self.unended(course, hosts)
        return {
            "verdicts": ended,
            "stop": not set(ended.values()) <= set(_decision.GOOD),
            "unended": course["unended"],
            "ansible_facts": {FACT: course},
        }

    def end_phase(self, _asked: Mapping, _task_vars: Mapping) -> dict:
        """How the run ended on every host, after everything was recorded."""
        course = self.course()
        hosts = self.hosts(course, on_record=True)
        end = _decision.outcome(course.get("id", ""), hosts)
        course.update({name: end[name] for name in ("unwell", "open", "sound")})
        return {**end, "ansible_facts": {FACT: course}}

    def report_phase(self, _asked: Mapping, _task_vars: Mapping) -> dict:
        """The report for a person. It comes last, so that an error in a text prevents no page and no recorded end."""
        course = self.course()
        hosts, incident = self.hosts(course, on_record=True), course["incident"]
        lines = {one.name: _report.report(self.language, incident, [one])[1] for one in hosts}
        return {"lines": lines, "report": _report.report(self.language, incident, hosts)}

    def look(self, name: str, incident: str) -> Mapping:
        return _decision.readable(self.language, self.answer(name, "__incident_look"), incident)

    def leased(self, name: str) -> list[str]:
        """What is leased on a host, for people to see. A senseless answer is refused by the revert of that host."""
        try:
            return [str(lease["name"]) for lease in self.answer(name, "__incident_found").get("leases") or []]
        except (TypeError, KeyError, AttributeError):
            return []

    def course(self) -> dict:
        """What was decided before in this playbook."""
        return self.fact(FACT, "look")

    def hosts(self, course: Mapping, on_record: bool = False) -> list[_decision.Host]:
        """What the run knows of each host by now, without anything that an earlier playbook of this process left."""
        return [self.host(name, course, on_record) for name in course["hosts"]]

    def host(self, name: str, course: Mapping, on_record: bool) -> _decision.Host:
        incident, raw = course["incident"], self.hostvars.raw_get(name)
        reverts = incident == _decision.REVERT
        seen = name in course["looked"] and not reverts
        ended = on_record and name in course.get("unended", {}) and name in self.alive
        look = self.look(name, incident) if seen else {}
        found = raw.get("__incident_found") if reverts else {}
        climbed = name in course["climbed"]
        try:
            known = _decision.host(
                name,
                incident,
                look,
                self.tried(raw, course, look, found) if climbed else None,
                ended=raw.get("__incident_ended") if ended else {},
                info=found,
                silence=raw.get("__incident_silence") if climbed else {},
            )
            if climbed or ended:
                _report.report(self.language, incident, [known])
                _decision.outcome(course.get("id", ""), [known])
        except Exception as error:  # a host may answer anything, and the other hosts still need their report and pages
            return _decision.host(name, incident, look, [_decision.nonsense(error)])
        return known

    def tried(self, raw: Mapping, course: Mapping, look: Mapping, found: Mapping | None) -> list[Mapping]:
        """What was tried on a host in this run. Giving back begins with finding out what is leased."""
        failure = raw.get("__incident_failure") or {}
        first = [{**found, "verdict": "healthy"}] if found else []
        returned = [*first, *_decision.steps(raw, course["run"])]
        cut = failure["result"] if failure.get("run") == course["run"] else {}
        return _decision.climb(course["incident"], look, returned, cut)

    def unended(self, course: Mapping, hosts: Iterable[_decision.Host]) -> dict[str, str]:
        """What has to be recorded because no action did; nothing in check mode."""
        lacking = _decision.lacking(course["incident"], course.get("id", ""), hosts)
        return {} if self._task.check_mode else lacking


def known_incident(name: str) -> str:
    known: Iterable[str] = (*_indicators.INDICATORS, _decision.REVERT)
    if name not in known:
        raise AnsibleActionFail(f"{name!r} is not an incident; expected one of {', '.join(known)}")
    return name
