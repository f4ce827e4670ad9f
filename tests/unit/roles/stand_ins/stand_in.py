# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for every module: notes what it was asked for, and answers as the host's ``says`` wants.

What the real action plugin gives a step of a remediation beside its task is real here too.
"""

from __future__ import annotations

import os

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.validation import check_type_list
from ansible_collections.aurora.runbook.plugins.plugin_utils import _on_host

UNIT = {
    "unit": "x.service",
    "environment": [],
    "limits": [],
    "kept": [],
    "proposed": [],
    "overridden": {},
    "taken_back": False,
}
BROKEN = {
    "failed": None,
    "raised": AnsibleError("it broke before there was a result"),
    "unreachable": AnsibleConnectionFailure("it is gone"),
}


class ActionModule(_on_host.ActionModule):
    def _answer(self, tmp):
        task_vars = self._vars
        module, asked = self._task.action.rpartition(".")[2], self._task.args
        if module == "public_way_info":
            return {"changed": False, "ok": True, "verdict": "recovered", "link": "", "probes": {}}
        if module == "incident":
            self.note(asked["state"], task_vars["inventory_hostname"])
            said = task_vars["settles"] if asked["state"] == "settled" else []
            return {"changed": True, "incidents": [], "done": said}
        if module == "incident_info":
            nothing = {"incidents": [], "claim": None, "paused": None, "cut_off": []}
            units = {name: task_vars.get("aliases", {}).get(name, name) for name in asked.get("units", [])}
            return {"changed": False, **nothing, "leases": task_vars["leases"], "units": units}
        if module == "alertmanager_silence":
            self.note("silences", f"{asked.get('label')} {','.join(asked.get('hosts', []))}")
            sentence = {"message": "silence_unknown", "values": {"alert": "A", "hosts": "h", "until": "u"}, "text": ""}
            return {"changed": True, "silence": "s-1", "until": "u", "matched": None, "done": [sentence]}
        if module == "triage_info":
            self.note("looked", task_vars["inventory_hostname"])
            self.note("instances", f"{asked['prometheus_label']} {','.join(asked.get('prometheus_instance', []))}")
            self.note("decisions", f"{module} {asked['min_decisions']}")
            return {"changed": False, **self._templar.template(task_vars["look"])}
        rung = rung_of(module, asked)
        host = task_vars["inventory_hostname"]
        times = self.note(host, rung)
        self.note("all", f"{host} {rung}")
        if asked.get("recovery"):
            self.note("waits", f"{host} {rung} {float(asked['recovery']['timeout_seconds']):g}")
            self.note("decisions", f"{rung} {asked['recovery'].get('min_count')}")
            self.note("limits", f"{host} {rung} {asked['recovery'].get('threshold')}")
        if "incident" in asked:
            self.note("healthy_peers", f"{host} {asked['incident']['healthy_peers']}")
            self.note("members", f"{host} {','.join(asked['incident']['hosts'])}")
            self.note("causes", f"{host} {asked['incident']['cause']}")
        if "health_url" in asked:
            self.note("health_urls", f"{host} {asked['health_url']}")
        said = task_vars["says"].get(rung, "not_recovered")
        said = said if isinstance(said, str) else said[times - 1]
        if said == "approval_needed" and rung.partition("=")[0].lower() in check_type_list(asked["approve"]):
            said = "recovered"
        if said in BROKEN:
            return broken(said)
        verdict, _space, cause = said.partition(" ")
        answer = {
            "changed": verdict not in ("refused", "approval_needed"),
            "verdict": verdict,
            "cause": cause,
            "done": [held_by(cause, asked)] if cause in ("held", "elsewhere") else [],
        }
        if not answer["done"]:  # who finds another run at work says no more than that
            answer["bytes_freed"] = 0
        if verdict == "recovered" and asked.get("incident", {}).get("last"):
            answer["closed"] = {"id": asked["incident"]["id"], "open": False}
        return {**(UNIT if module == "service_override" else {}), **answer}

    def note(self, whose, what):
        """Write it down; how often it was by now."""
        with open(os.path.join(os.environ["CALLS"], whose), "a+", encoding="ascii") as calls:
            print(what, file=calls, flush=True)
            calls.seek(0)
            return calls.read().splitlines().count(what)


def broken(how):
    if BROKEN[how]:
        raise BROKEN[how]
    return {"failed": True, "msg": "it broke"}


def held_by(cause, asked):
    """Another run works on the host: on the same incident, or elsewhere."""
    incident = asked["incident"]["id"] if cause == "held" else "–"
    return {"message": "held", "values": {"by": "petro", "incident": incident, "since": "now"}, "text": "held"}


def rung_of(module, asked):
    """A call as the tests write it: NAME=value for an override, else the module and what was asked for."""
    for kind in ("environment", "limits"):
        if kind in asked:
            return ",".join(f"{name}={value}" for name, value in sorted(asked[kind].items()))
    return ":".join([module, *(str(asked[name]) for name in ("name", "days") if name in asked)])
