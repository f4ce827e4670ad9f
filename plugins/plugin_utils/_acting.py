# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that a step of a remediation gets beside those of its task, and how the run recognises its result.

Options that steps share come from the decision and from the host's variables. They are computed here in Python, because
each worker would compile templates in module_defaults anew. A step is a task with the variable STEP, as the tasks of
our playbooks have it, so a module that a user calls in a play of their own gets nothing. Options of the task itself
win.

A result counts because the module ran: it says which run it is a step of (_decision.steps finds it). Private to
aurora.runbook; controller only.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _options
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.plugin_utils import _decision, _program, _variables

STEP = "__incident_step"  # the variable that makes a task a step
COUNTED = (*_program.ACTS, "public_way_info", "wait_for_recovery")
LOOKS = ("incident_info", "triage_info")  # the modules with which a run begins
WATCHED = ("recalibration", "service_override", "service_restart")  # others cure nothing by themselves
AUTONOMY = ("observe", "propose", "safe")
GUARDS = ("min_healthy", "cooldown_seconds", "max_per_hour", "max_per_day", "max_ineffective", "max_same_cure", "force")
WAIT = ("hold_seconds", "timeout_seconds", "interval_seconds")
CHECKED = {
    **{f"aurora_{name}": _options.INCIDENT[name] for name in GUARDS},
    **{f"aurora_{name}": _options.RECOVERY[name] for name in WAIT},
    "aurora_lease_seconds": {"type": "int"},
}
RANGES = {f"aurora_{name}": span for name, span in {**_options.INCIDENT_RANGES, **_options.RECOVERY_RANGES}.items()}
LONGEST_AGE = _options.INCIDENT_RANGES["age_seconds"][1]


def options(module: str, asked: Mapping, read: _variables.Read, known: Mapping) -> dict:
    """The options of a step. ``read`` returns a variable's value, ``known`` holds the variables as they are."""
    if module in LOOKS:
        check(read)
        return dict(asked)
    incident = known["__incident_decision"]["incident"]
    if incident == _decision.REVERT:
        return {**recovery("circuit_breaker", read), **asked} if module == "wait_for_recovery" else dict(asked)
    if module == "wait_for_recovery":
        return {**recovery(incident, read), **asked}
    given = {**_OWN[module](read), **asked} if module in _OWN else dict(asked)
    if module == "service_override":
        given = {"approve": approved(read, known), **given}
    if module in _OWN or asked.get("state") == "ended":
        given["incident"] = {**incident_options(read, known), **(asked.get("incident") or {})}
    if module in WATCHED or "recovery" in asked:
        given["recovery"] = {**recovery(incident, read), **(asked.get("recovery") or {})}
    return given


def _tcp_tuning(read: _variables.Read) -> dict:
    return {"lease_seconds": read("__incident_lease_seconds")}


def _service_override(read: _variables.Read) -> dict:
    runner = {"name": read("aurora_runner_unit"), "health_url": f"{read('aurora_runner_url')}/metrics"}
    return {**runner, **_started(read), "lease_seconds": read("__incident_lease_seconds")}


def _service_restart(read: _variables.Read) -> dict:
    return {**_started(read), "min_interval_seconds": read("aurora_restart_interval_seconds")}


def _started(read: _variables.Read) -> dict:
    return {"start_seconds": read("aurora_start_seconds"), "hold_seconds": read("aurora_healthy_seconds")}


def _log_rotation(read: _variables.Read) -> dict:
    feed = read("aurora_feed_unit")
    directory = os.path.dirname(str(read("aurora_event_log")))
    units = [read("aurora_runner_unit"), feed]
    return {"directory": directory, "user": read("aurora_user"), "units": units, "restart": [feed]}


def _recalibration(read: _variables.Read) -> dict:
    same = ("auth_token_file", "user", "home", "trade_log", "runner_unit", "runner_url")
    made = {"url": f"{read('aurora_feed_url')}/recalibrate", "model": f"{read('aurora_home')}/models/calibration.json"}
    return {**made, **{name: read(f"aurora_{name}") for name in same}}


_OWN = {
    "log_rotation": _log_rotation,
    "recalibration": _recalibration,
    "service_override": _service_override,
    "service_restart": _service_restart,
    "tcp_tuning": _tcp_tuning,
}


def recovery(incident: str, read: _variables.Read) -> dict:
    """What a step waits for: the indicator of the incident."""
    breaker, feed = incident == "circuit_breaker", incident == "sse_availability"
    limits = read("__incident_thresholds") or {}
    return {
        "indicator": incident,
        "url": f"{read('aurora_feed_url' if feed else 'aurora_runner_url')}/metrics",
        **({"threshold": limits[incident]} if incident in limits else {}),
        **({"min_count": read("aurora_min_decisions")} if breaker else {}),
        **_wait(read),
    }


def _wait(read: _variables.Read) -> dict:
    said = {name: read(f"aurora_{name}") for name in WAIT}
    return {**said, "timeout_seconds": read("__incident_timeout_seconds")}


def incident_options(read: _variables.Read, known: Mapping) -> dict:
    """The incident in whose record a step writes, with the limits of its guards."""
    decision, host = known["__incident_decision"], known["inventory_hostname"]
    judged, silence = decision["hosts"][host], known.get("__incident_silence") or {}
    severity = judged["seen"]["severity"]
    return {
        **read("__incident_guards"),
        **{name: decision[name] for name in ("id", "run", "alert", "healthy_peers")},
        **{name: judged[name] for name in ("cause", "seen", "last")},
        **({"severity": severity} if severity else {}),
        "by": read("aurora_by") or os.environ.get("USER", ""),
        # Since the trouble began, according to the alert, or to the oldest record of the incident.
        "age_seconds": min(decision["age_seconds"] + time.time() - decision["looked_at"], LONGEST_AGE),
        "silence": {name: silence[name] for name in ("silence", "until", "matched") if name in silence},
        "hosts": decision["members"],
    }


def approved(read: _variables.Read, known: Mapping) -> list[str]:
    """The variables that may raise exposure, in lower case. AWX answers with a list, lines of text, or nothing.

    In a workflow, a person was asked only about the hosts that were waiting then (aurora_waiting, from propose.yml). On
    AWX a template without the workflow before it approves nothing, and nothing is approved for an alert.
    """
    on_awx = _variables.on_awx(known)
    if on_awx and "aurora_alert" in known:  # never read, because that would template it
        return []
    named = [name for said in _flat(read("aurora_approve") or []) for name in re.findall(r"\w+", str(said))]
    if not on_awx and "aurora_waiting" not in known:
        return named
    waiting = (read("aurora_waiting") or {}).get(known["inventory_hostname"]) or []
    return [name for name in named if name in waiting]


def _flat(said: object) -> Iterator[object]:
    for one in said if isinstance(said, (list, tuple)) else [said]:
        yield from _flat(one) if isinstance(one, (list, tuple)) else [one]


def check(read: _variables.Read) -> None:
    """Refuse variables that a step would refuse, before any step is known to come. Raises AnsibleActionFail."""
    autonomy = read("aurora_autonomy")
    if autonomy not in AUTONOMY:
        raise AnsibleActionFail(f"aurora_autonomy={autonomy!r} is refused; expected {', '.join(AUTONOMY)}")
    said = {**read("__incident_guards"), **_wait(read), "lease_seconds": read("__incident_lease_seconds")}
    found = ArgumentSpecValidator(CHECKED).validate({f"aurora_{name}": value for name, value in said.items()})
    if found.error_messages:
        raise AnsibleActionFail("; ".join(found.error_messages))
    try:
        _options.check_ranges(found.validated_parameters, RANGES)
        _options.lease_seconds(found.validated_parameters["aurora_lease_seconds"])
    except RunbookError as error:
        raise AnsibleActionFail(str(error)) from None


def mark(module: str, asked: Mapping, known: Mapping) -> dict:
    """What marks a result as that of a step; empty if it is none."""
    if module not in COUNTED:
        return {}
    settles = asked.get("state") == "settled"
    run = known["__incident_decision"]["run"]
    return {_decision.MARK: {"run": run, "module": module, "settles": settles, "at": time.monotonic()}}
