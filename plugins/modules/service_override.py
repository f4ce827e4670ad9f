#!/usr/bin/python
# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: service_override
short_description: Override a service's environment and limits for a while, and prove it on its running processes
version_added: 0.1.0
author: Aurora runbook authors (@aurora)
description:
  - Does what the runbook means by C(export KELLY_MULTIPLIER=0.5) and a restart. The shell's export would not reach the
    service, because systemd does not pass it on.
  - The source is "Дії для вирішення" of the runbook's sections 2 to 5, and "Збільшити ресурси" of section 1.
  - The values are written to C(/etc/aurora-runbook/<unit>.env). A drop-in that sorts last names this file, so that its
    values win over C(Environment=) and every other C(EnvironmentFile=). What was there before is kept as a lease in
    C(/var/lib/aurora-runbook/leases), and O(state=absent) restores exactly that.
  - The proof is the environment of every process of the service. A process beside the main one that never had a
    variable, such as a helper with a clean environment, does not need to have it.
  - If a service does not come up healthy with the values, it gets back what it had. The module then fails with the last
    lines of its journal, what runs now, each value and the breaker's state. If the service runs as before all the same,
    for example because its wrapper sets the variable itself, it is not restarted again. A variable that C(ExecStart)
    sets in any case is refused before anything is done.
  - If the breaker of the trading loop was not known to be closed, a failure does not restart the loop at a higher
    exposure. A value that reduces exposure and already runs is then kept and leased, and a service that is still being
    stopped or started is left with it. Only a service that fails or crashes with the value is restarted with what it
    had before.
  - Limits are written into the drop-in itself and act on the running service without a restart. They are proven by
    C(systemctl show) and by the control group of the service.
  - The service is restarted only if a process lacks a value, if a service that was not running got a wider limit, or if
    a service that uses more memory than it had before gives its limit back. Applying the same override again changes
    nothing.
  - The trading loop is not restarted while the breaker that O(health_url) shows is OPEN or HALF_OPEN, unless the
    restart comes with a smaller C(KELLY_MULTIPLIER), or one is already in place. The reason is that an open breaker
    lives in memory, so that a restart closes it. CLOSED on the page of a process that does not trade does not count as
    read. The same applies to O(state=settled) and to the end of a lease.
  - O(state=absent) is the decision of a person. It is not held back by the breaker, but RV(done) reports it. An account
    with least rights (C(aurora_least_privilege)) can neither give back nor settle unless the breaker is known to be
    CLOSED.
  - A value that would raise exposure is applied only with O(direction=increases) and with its variable named in
    O(approve). It is taken back at once if O(recovery) does not show that it helped, while values that were applied
    with it and reduce exposure stay. If taking it back would close an open breaker, the host does so once the breaker
    is closed.
extends_documentation_fragment:
  - aurora.runbook.attributes
  - aurora.runbook.attributes.changes
  - aurora.runbook.incident.option
  - aurora.runbook.recovery.option
options:
  name:
    description:
      - The service, with or without C(.service). An alias or template instance is resolved to its own unit.
      - Units that are masked, transient, not loaded or not running are refused, and so are units that were edited
        without a daemon-reload. An override of a unit that was masked, removed or renamed since can still be given
        back.
      - O(limits) alone can also be set on a service that failed or that systemd is about to start again, for example
        after it was killed for its memory. Such a service is started once, and so is one that does not go on running
        for O(hold_seconds).
    type: str
    required: true
  state:
    description:
      - V(present) adds O(environment) and O(limits) to the override, V(absent) gives everything back.
      - If the unit was masked, removed or renamed since, V(absent) removes the files of the override and its lease.
        Nothing is restarted or proven then, and a process that still runs keeps the old value until it ends.
      - V(settled) deals with a change that an earlier run left unfinished, for example because it was killed. A value
        that reduces exposure or is neutral, compared with what the override said before, is finished; a value that
        raises exposure is undone. A stopped service stays stopped. If nothing is unfinished, nothing is changed. A unit
        that was masked, removed or renamed since is refused, unless nothing of the override is left then.
    type: str
    choices: [present, absent, settled]
    default: present
  environment:
    description:
      - "Variables and their values. Values may hold letters, digits and C(. _ : / @ , + -). Names that look like
        secrets are refused, and so are values out of range."
      - The ranges are C(KELLY_MULTIPLIER) 0.01 to 1, C(DECISIONS_PER_MINUTE) 1 to 120, C(SPREAD_THRESHOLD) 0.1 to 5,
        C(P_THRESHOLD) 0.3 to 0.99, C(CONFIDENCE_THRESHOLD) 0.5 to 0.99, C(CALIBRATION_DAYS) 1 to 365.
      - With O(state=present) either this option or O(limits) is required.
    type: dict
  limits:
    version_added: 1.0.0
    description:
      - Memory and CPU that the service may use. They do not change exposure.
      - A limit is only ever raised. A limit that is already wider, or unlimited, is kept and returned in RV(kept).
    type: dict
    suboptions:
      memory_max:
        description: C(MemoryMax), beyond which the service is killed. From V(16M) up to the memory of the host, with M
          or G.
        type: str
      memory_high:
        description: C(MemoryHigh), beyond which the service is slowed down. From V(16M) up to the memory of the host,
          with M or G.
        type: str
      cpu_quota:
        description: C(CPUQuota). From V(1%) up to V(100%) for each core of the host.
        type: str
  direction:
    description:
      - The most that this change may do to exposure, compared with the running value.
      - With V(reduces) or V(neutral), a value that would raise exposure is not applied, and is returned in RV(kept).
      - A variable without a documented range counts as V(increases).
    type: str
    choices: [reduces, neutral, increases]
    default: reduces
  approve:
    description: Names of variables that may raise exposure, in lower case, such as V(spread_threshold).
    type: list
    elements: str
    default: []
  lease_seconds:
    version_added: 1.0.0
    description:
      - How long the values of this call last, in seconds, 60 to 604800. Giving them again renews the lease, which is a
        change and is recorded.
      - With 0, a value that has no end gets none, and an existing end stays as it is. To remove an end, give the
        override back first. The end of a raise does not stay if the value now reduces exposure.
      - At the end the host gives the values back by itself, with the timer C(aurora-runbook-leases.timer). It needs no
        controller, and works after a reboot and with a wrong clock. Anything that a person changed since is left alone,
        and a stopped service stays stopped.
      - A value that raises exposure always has an end. It lasts 7200 seconds unless stated otherwise, and is renewed
        only if O(approve) names it again.
      - A value that reduces exposure ends only while the indicator of O(recovery), which is required in this case, is
        healthy. Otherwise it stays. If it was granted for an incident, an incident is then kept open so that somebody
        is paged.
    type: int
    default: 0
  health_url:
    description:
      - URL on the host that must answer with a status of 2xx before the service counts as healthy.
      - With V(absent) and V(settled) for O(state), the URL with which the lease was granted is used, unless another one
        is given.
    type: str
  start_seconds:
    description:
      - How long the service may take to come up after it stopped, in seconds, 1 to 600.
      - Stopping may take as long as its C(TimeoutStopSec) says, at most 150 seconds. A start that systemd itself waits
        for, as with C(ExecStartPre) or C(Type=notify), may take as long as its C(TimeoutStartSec) says, at most 100
        seconds.
    type: float
    default: 30.0
  hold_seconds:
    description: How long the service must then stay up, in seconds, 0 to 600. It should be more than the unit's
      C(RestartSec).
    type: float
    default: 5.0
attributes:
  check_mode:
    details:
      - Does not wait for a recovery. If there is nothing to change, it takes one sample.
seealso:
  - module: aurora.runbook.wait_for_recovery
"""

EXAMPLES = r"""
- name: Reduce activity for the time being (runbook 2, action 1)
  aurora.runbook.service_override:
    name: aurora-runner
    environment:
      KELLY_MULTIPLIER: "0.5"
    health_url: http://localhost:9000/metrics
    recovery:
      indicator: circuit_breaker

- name: Accept wider spreads, which a person approved (runbook 2, action 2)
  aurora.runbook.service_override:
    name: aurora-runner
    environment:
      SPREAD_THRESHOLD: "2.0"
    direction: increases
    approve: [spread_threshold]
    lease_seconds: 3600
    recovery:
      indicator: circuit_breaker

- name: Finish or undo what a run left half done that was killed
  aurora.runbook.service_override:
    name: aurora-runner
    state: settled
    health_url: http://localhost:9000/metrics

- name: Give the feed more memory and CPU, without a restart (runbook 1, action 2)
  aurora.runbook.service_override:
    name: aurora-live-feed
    limits:
      memory_max: 1G
      memory_high: 800M
      cpu_quota: 100%
    health_url: http://localhost:8001/healthz
    recovery:
      indicator: sse_availability

- name: Give everything back
  aurora.runbook.service_override:
    name: aurora-runner
    state: absent
"""

RETURN = r"""
unit:
  description: The unit that was overridden, by its own name.
  returned: always
  type: str
  sample: aurora-runner.service
environment:
  description: The variables of this change, each with C(name), C(before), C(after) (null means unset) and C(direction).
  returned: always
  type: list
  elements: dict
  sample: [{name: KELLY_MULTIPLIER, before: "1.0", after: "0.5", direction: reduces}]
limits:
  version_added: 1.0.0
  description: The limits of this change, in the form of RV(environment), with values as people write them in a unit.
  returned: always
  type: list
  elements: dict
  sample: [{name: MemoryMax, before: 512M, after: 1G, direction: neutral}]
kept:
  description: Values that were kept, because the wanted value would have raised exposure or lowered a limit.
  returned: always
  type: list
  elements: dict
proposed:
  description: Variables that wait for a person to name them in O(approve). If there are any, nothing was changed.
  returned: always
  type: list
  elements: dict
overridden:
  description: All values that are overridden afterwards, by name.
  returned: always
  type: dict
  sample: {KELLY_MULTIPLIER: "0.5"}
until:
  version_added: 1.0.0
  description: When the first of RV(overridden) ends by itself, by the host's clock. Null if none does.
  returned: always
  type: str
  sample: "2026-11-24T20:00:00+00:00"
done:
  version_added: 1.0.0
  description:
    - What the values alone do not say, as sentences with C(message) (its key in the catalogue of messages), C(values)
      and C(text). These are reasons against the restart, or why they could not be checked; which value ends by itself
      and when; what was settled and how; what became of actions that were cut off earlier; and that the unit is masked
      or gone.
    - If the module fails, what runs now, with which values, and the breaker's state.
  returned: always
  type: list
  elements: dict
settled:
  version_added: 1.0.0
  description: The names of the values that were V(finished) and V(undone).
  returned: with O(state=settled)
  type: dict
  sample: {finished: [KELLY_MULTIPLIER], undone: [P_THRESHOLD]}
restarted:
  description: Whether the service was restarted, or would be in check mode.
  returned: always
  type: bool
taken_back:
  description: Whether a value that raised exposure was taken back because it did not help.
  returned: always
  type: bool
closed:
  version_added: 1.0.0
  description: The incident as M(aurora.runbook.incident) returns it, if the action that cured it also closed it.
  returned: with C(incident.last), when the indicator recovered
  type: dict
verdict:
  description:
    - V(recovered), V(not_recovered) or V(unknown) with O(recovery), see M(aurora.runbook.wait_for_recovery).
    - V(refused) if the restart would close an open breaker, also with O(state=settled), or, for an account with least
      rights, a breaker that is not known to be closed. Nothing was changed then.
    - V(approval_needed) if a variable waits for approval, V(would_change) in check mode.
    - V(healthy) with O(state=absent) and O(state=settled), but V(unknown) if the service did not run, or if its unit is
      masked or gone.
  returned: with O(recovery), in check mode, when a person is needed, or without O(state=present)
  type: str
message:
  description: One sentence that explains the verdict.
  returned: with O(recovery), or when it was refused
  type: str
recovery:
  description: The evidence of the verdict, as in M(aurora.runbook.wait_for_recovery).
  returned: with O(recovery), when it was waited for
  type: dict
"""

from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.aurora.runbook.plugins.module_utils.act import (
    _conduct,
    _limits,
    _override,
    _override_steps,
    _service,
)
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _knobs, _messages, _options
from ansible_collections.aurora.runbook.plugins.module_utils.base import _caller, _command, _stamps, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import FailedError, RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _watch
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease, _lease_timer


def wanted(params):
    """Variables and limits asked for, in one mapping."""
    environment = _knobs.strings(params["environment"] or {})
    _knobs.check(environment)
    return {**environment, **_limits.wanted(params["limits"] or {}, *_limits.host())}


def plan(current, params, url):
    override = wanted(params)
    _override.check_unit(current, params["state"], override)
    _override.check_files(current, missing=_override.unit_gone(current))
    if params["state"] != "present":
        return _override.plan_absent(current) if params["state"] == "absent" else _override.plan_settled(current)
    planned = _override.plan_present(
        current, override, params["direction"], [name.lower() for name in params["approve"]]
    )
    try:
        _override.check_unset(current.unit, planned.written)
        if planned.restart:
            show = _command.run(["systemctl", "show", "--property=ExecStart", "--value", "--", current.unit.id])
            _override.check_command(current.unit, show.out, _override.split(planned.written)[0])
        if planned.changed:
            _override.check_later(current.unit, _override_steps.drop_ins(current.unit), planned.written)
    except RunbookError as error:
        was = _override_steps.breaker(url) if url else None
        said = _override_steps.stands(current, planned.written, url, was)
        raise FailedError(f"{error}. Nothing was changed.", said) from error
    return planned


def guard(current, planned, url, state):
    """Sentences against the restart of a trading loop, and whether it is refused for them.

    Giving everything back is a person's decision, and the person is told its effect. An account with least rights does
    not count as a person: it gives nothing back, and settles nothing, unless the breaker is known to be closed.
    """
    if not _override.bare(current, planned):
        return [], False
    breaker, values = _override_steps.breaker(url) if url else None, {"unit": current.unit.id}
    if breaker == _indicators.CLOSED:
        return [], False
    if state != "present" and not _caller.has_all_rights:
        shown = "?" if breaker is None else _messages.number(breaker)
        return [_messages.sentence("refused_not_closed", **values, state=shown)], True
    if breaker is None:
        return [_messages.sentence("breaker_not_read", **values, url=url or "health_url")], False
    key = "breaker_would_close" if state == "absent" else "refused_breaker"
    return [_messages.sentence(key, **values, state=_messages.number(breaker))], state != "absent"


def ends(current, planned, params, watch):
    """When each value of the override ends by itself."""
    if params["state"] == "present":
        seconds, approve = params["lease_seconds"], [name.lower() for name in params["approve"]]
        return _override.ends(current, planned, seconds, approve, watch, _stamps.clock())
    return _lease.standing_ends(current.lease, planned.written)


def settled(current):
    """The parts of an unfinished change that are finished and undone."""
    _written, finished, undone = _override.settle(current.lease) if current.lease else ({}, (), ())
    return {"finished": finished, "undone": undone}


def told(current, planned, params, ends, check_mode):
    """What the report says beyond the values: which value ends by itself and when, and what was settled and how."""
    unit, done = current.unit.id, _override.told_gone(current, planned, check_mode)
    if params["state"] == "settled":
        for how, steps in settled(current).items():
            changes = _override.changes(steps)
            key = f"settle_would_be_{how}" if check_mode else f"settle_{how}"
            done += [_messages.sentence(key, unit=unit, changes=changes)] if steps else []
        return done or [_messages.sentence("settle_nothing", unit=unit)]
    standing = current.lease.ends if current.lease else {}
    for name, end in sorted(ends.items()):
        if end != standing.get(name):
            change, key = f"{name}={planned.written[name]}", "lease_would_end" if check_mode else "lease_ends"
            done.append(_messages.sentence(key, unit=unit, changes=change, until=end.until))
    return done


def run(params, conduct):
    """Observe, plan, apply, watch; returns what the module returns."""
    _options.check_ranges(params, _service.RANGES)
    _options.lease_seconds(params["lease_seconds"])
    recovery = params["recovery"] if params["state"] == "present" else None
    watch = _watch.leased(recovery) if recovery else None
    current = _override_steps.observe(params["name"])
    healthy = _service.Healthy(health_url(params, current), params["start_seconds"], params["hold_seconds"])
    planned = plan(current, params, healthy.url)
    spoken, refused = guard(current, planned, healthy.url, params["state"])
    if refused:
        planned = _override.keep(current)
    until = ends(current, planned, params, watch)
    asked = params["state"] == "present" and not (refused or planned.unapproved)
    renewed = asked and current.lease is not None and until != current.lease.ends
    result = describe(current, planned, until, renewed)
    if params["state"] == "settled":
        done = {} if refused else settled(current)
        result["settled"] = {how: [step.name for step in done.get(how, ())] for how in ("finished", "undone")}
    if refused:
        return {**result, "done": spoken, "verdict": "refused", "message": spoken[0]["text"]}
    result["done"] = [*spoken, *told(current, planned, params, until, conduct.check_mode)]
    if planned.unapproved:
        conduct.propose(current.unit.id, result["proposed"])
        return {**result, "verdict": "approval_needed"}
    refusal = planned.changed and begin(conduct, current, planned)
    if refusal:
        stays = {"changed": False, "restarted": False, "overridden": _override.keep(current).written}
        stays["until"] = current.lease.until if current.lease else None
        return {**result, **stays, "verdict": "refused", "done": [refusal]}
    if conduct.check_mode and result["changed"]:
        return {**result, "verdict": "would_change"}
    working = None
    if not conduct.check_mode:
        working, result["restarted"] = apply(current, planned, healthy, until, conduct)
    # A raise stays an unfinished change until it is proven to help, so that a crash meanwhile undoes it.
    raised = recovery and any(step.direction == "increases" for step in planned.steps)
    if working and not raised:
        _lease.close(working, planned.written)
    if params["state"] != "present":
        runs = (current.unit.running and not _override.unit_gone(current)) or result["restarted"]
        result["verdict"] = "unknown" if planned.changed and not runs else "healthy"
    if recovery:
        pid = _service.observe(current.unit.id).pid
        result.update(_watch.watch(recovery, conduct.check_mode, lambda: _systemd.started(pid)))
    if working and raised:
        result.update(prove(working, result, healthy, until))
    return result


def health_url(params, current):
    """The URL that must answer before the service counts as healthy; for giving back, the one from the lease."""
    granted = current.lease.health.get("url", "") if current.lease and params["state"] != "present" else ""
    return params["health_url"] or str(granted)


def begin(conduct, current, planned):
    granted_for = current.lease.incident if current.lease else ""
    raised = any(step.direction == "increases" for step in planned.steps)  # a person approved the raise, or gives back
    return conduct.begin(current.unit.id, changes(planned), planned.restart, granted_for, approved=raised)


def describe(current, planned, until, renewed):
    """What was found and planned, as the module returns it."""
    return {
        "unit": current.unit.id,
        "changed": planned.changed or renewed,
        "environment": [asdict(step) for step in planned.steps if step.name not in _limits.NAMES],
        "limits": [asdict(step) for step in planned.steps if step.name in _limits.NAMES],
        "kept": [asdict(step) for step in planned.kept],
        "proposed": [asdict(step) for step in planned.unapproved],
        "overridden": planned.written,
        "until": _lease.earliest(until),
        "restarted": planned.restart,
        "taken_back": False,
        "diff": _override.diff(planned, current.lease.ends if current.lease else {}, until if renewed else {}),
    }


def apply(current, planned, healthy, until, conduct):
    """Apply the plan, or only renew its ends; returns the lease until it is closed, and whether there was a restart."""
    renewed = current.lease is not None and until != current.lease.ends
    if until and (planned.changed or renewed):
        _lease_timer.install()
    if planned.changed:
        return _override_steps.apply(current, planned, healthy, until, conduct.id)
    if renewed:
        conduct.renew(current.lease, until)
    return None, False


def prove(working, result, healthy, until):
    """Take back a raise that did not help; returns the resulting part of the result.

    If the restart for that would close an open breaker, the raise expires at once, and the host waits for the breaker.
    """
    if result["verdict"] == "recovered":
        _lease.close(working, result["overridden"])
        return {}
    current = _override_steps.observe(working.name)
    breaker = _override_steps.breaker(healthy.url) if healthy.url else None
    if breaker not in (None, _indicators.CLOSED) and _override.bare(current, _override.plan_settled(current)):
        undone = [step.name for step in settled(current)["undone"]]
        due = {name: _lease.end(0, _stamps.clock(), end.direction) for name, end in until.items() if name in undone}
        _lease.renew(working, {**until, **due})
        changes = ", ".join(f"{name}={working.written[name]}" for name in undone)
        values = {"unit": working.name, "changes": changes, "state": _messages.number(breaker)}
        stays = _messages.sentence("raise_stays_open", **values)
        return {"until": _lease.earliest({**until, **due}), "done": [*result["done"], stays]}
    overridden = _override_steps.take_back(working, healthy)
    _lease.close(working, overridden)
    left = {name: end for name, end in until.items() if name in overridden}
    return {"taken_back": True, "overridden": overridden, "until": _lease.earliest(left), "done": []}


def changes(planned):
    """What the intent says: each step and whether it is leased then, or the whole override where only its remains are
    put in order."""
    steps = [{**asdict(step), "leased": step.name in planned.written} for step in planned.steps]
    kept = planned.written.items() if not steps else ()
    stays = {"before": None, "direction": "neutral", "leased": True}
    return steps or [{"name": name, "after": value, **stays} for name, value in kept]


ARGUMENTS = {
    "argument_spec": {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent", "settled"], "default": "present"},
        "environment": {"type": "dict", "no_log": False},
        "limits": {"type": "dict", "options": {name: {"type": "str"} for name in _limits.OPTIONS}},
        "direction": {"type": "str", "choices": ["reduces", "neutral", "increases"], "default": "reduces"},
        "approve": {"type": "list", "elements": "str", "default": []},
        "lease_seconds": {"type": "int", "default": 0},
        "health_url": {"type": "str"},
        "start_seconds": {"type": "float", "default": 30.0},
        "hold_seconds": {"type": "float", "default": 5.0},
        "incident": {"type": "dict", "options": _options.INCIDENT},
        "recovery": {"type": "dict", "options": _options.RECOVERY},
    },
    "required_if": [("state", "present", ["environment", "limits"], True)],
    "supports_check_mode": True,
}


def main():
    module = AnsibleModule(**ARGUMENTS)
    _conduct.conducted(module, "service_override", run)


if __name__ == "__main__":
    main()
