#!/usr/bin/python
# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tcp_tuning
short_description: Set the kernel for low TCP latency for a while
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - Does what the runbook means by C(sysctl -w net.ipv4.tcp_low_latency=1), a setting that has had no effect since Linux
    4.14.
  - The source is "Дії для вирішення" of the runbook's section 3, action 1.
  - Sets only running values, through C(/proc/sys), and reads each back. It writes nothing below C(/etc), and reloads no
    other setting, as C(sysctl -p) would. So the tuning ends by itself when the host restarts, which is right for
    something temporary. Its lease in C(/var/lib/aurora-runbook/leases) names the boot, and ends with it.
  - The lease is on disk before the first setting changes. If a run was killed half way, O(state=settled) or
    O(state=present) finishes what it began, and O(state=absent) gives it back.
  - A setting that is already as good is left as it is. A setting that this kernel or network namespace does not have,
    or that does nothing on this kernel, is left out and returned in RV(left_out).
  - The tuning does not change exposure, restarts nothing, and acts on open connections at once.
extends_documentation_fragment:
  - aurora.runbook.attributes
  - aurora.runbook.attributes.changes
  - aurora.runbook.incident.option
  - aurora.runbook.recovery.option
options:
  state:
    description:
      - V(present) sets the profile.
      - V(absent) gives back the values from before. A value that somebody else set since is left alone and reported.
      - V(settled) finishes what an earlier run left half done, whether it was setting or giving back, with the same
        exception. If nothing is unfinished, nothing is changed.
    type: str
    choices: [present, absent, settled]
    default: present
  lease_seconds:
    description:
      - How long the profile lasts, in seconds, 60 to 604800. Giving it again renews the lease, which is a change and is
        recorded.
      - With 0, a profile lasts until the host restarts, and an existing end stays as it is. To remove an end, give the
        profile back first.
      - At the end the host gives the profile back by itself, with the timer C(aurora-runbook-leases.timer). It needs no
        controller, and works with a wrong clock. A value that somebody else set since is left alone.
    type: int
    default: 0
  profile:
    description:
      - The settings to apply. V(low_latency) has the following ones.
      - C(net.ipv4.tcp_slow_start_after_idle=0), so that a connection that was idle sends with its full window at once.
      - C(net.ipv4.tcp_autocorking=0), so that a small request does not wait for an earlier packet to leave.
      - C(net.ipv4.tcp_thin_linear_timeouts=1), so that a connection with few packets under way, such as one with
        orders, repeats a lost packet after constant instead of doubling pauses.
      - C(net.ipv4.tcp_notsent_lowat=16384) bytes at most, so that data which is not sent yet waits in the program,
        where an order can overtake it.
      - C(net.ipv4.tcp_low_latency=1), which the runbook names, but only before Linux 4.14.
      - C(net.core.busy_poll) and C(net.core.busy_read) are not part of it. They spend CPU time, which C(CPUQuota) takes
        from Aurora's services, to gain microseconds against a limit of 300 ms.
    type: str
    choices: [low_latency]
    default: low_latency
attributes:
  check_mode:
    details:
      - Does not wait for a recovery. If there is nothing to change, it takes one sample.
seealso:
  - module: aurora.runbook.service_override
  - module: aurora.runbook.wait_for_recovery
"""

EXAMPLES = r"""
- name: Lower TCP latency to the exchange for the time being (runbook 3, action 1)
  aurora.runbook.tcp_tuning:
    recovery:
      indicator: execution_latency

- name: Give everything back
  aurora.runbook.tcp_tuning:
    state: absent
"""

RETURN = r"""
settings:
  description: The settings of this change, each with C(name), C(before) and C(after).
  returned: always
  type: list
  elements: dict
  sample: [{name: net.ipv4.tcp_slow_start_after_idle, before: "1", after: "0"}]
left_out:
  description: Settings that were not touched, each with C(name) and the C(reason).
  returned: always
  type: list
  elements: dict
  sample: [{name: net.ipv4.tcp_low_latency, reason: net.ipv4.tcp_low_latency does nothing since Linux 4.14}]
overridden:
  description: All values that are leased afterwards, by name.
  returned: always
  type: dict
  sample: {net.ipv4.tcp_slow_start_after_idle: "0"}
until:
  description: When the profile ends by itself, by the host's clock. Null if it does not.
  returned: always
  type: str
done:
  description: What was done or would be done, and what was left out, as sentences. Each has C(message) (its key in the
    catalogue of messages), C(values) and C(text).
  returned: always
  type: list
  elements: dict
closed:
  description: The incident as M(aurora.runbook.incident) returns it, if the action that cured it also closed it.
  returned: with C(incident.last), when the indicator recovered
  type: dict
verdict:
  description:
    - V(recovered), V(not_recovered) or V(unknown) with O(recovery), see M(aurora.runbook.wait_for_recovery).
    - V(would_change) in check mode, V(healthy) after O(state=absent) and O(state=settled).
  returned: with O(recovery), in check mode with a change, or with another O(state) than V(present)
  type: str
message:
  description: One sentence that explains the verdict.
  returned: with O(recovery)
  type: str
recovery:
  description: The evidence of the verdict, as in M(aurora.runbook.wait_for_recovery).
  returned: with O(recovery), when it was waited for
  type: dict
"""

from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.aurora.runbook.plugins.module_utils.act import _conduct, _sysctl
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages, _options
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.look import _watch
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease, _lease_timer


def plan(current, params):
    if params["state"] == "present":
        keys = _sysctl.PROFILES[params["profile"]]
        return _sysctl.plan_present(keys, current.running, current.kernel, current.lease)
    if params["state"] == "settled":
        return _sysctl.plan_settled(current.running, current.lease)
    return _sysctl.plan_absent(current.running, current.lease, current.ended)


def lease_ends(current, planned, params):
    """When each value of the profile ends by itself."""
    if params["state"] == "present" and params["lease_seconds"]:
        return dict.fromkeys(planned.written, _lease.end(params["lease_seconds"], _stamps.clock()))
    standing = _lease.standing_ends(current.lease, planned.written)
    if params["state"] == "present" and standing:  # a profile ends as a whole
        return {**dict.fromkeys(planned.written, min(standing.values(), key=lambda end: end.until)), **standing}
    return standing


def run(params, conduct):
    """Observe, plan, apply, watch; returns what the module returns."""
    recovery = params["recovery"] if params["state"] == "present" else None
    if recovery:
        _watch.rule(recovery)
    _options.lease_seconds(params["lease_seconds"])
    current = _sysctl.observe(_sysctl.PROFILES[params["profile"]])
    planned = plan(current, params)
    ends = lease_ends(current, planned, params)
    renewed = params["state"] == "present" and current.lease is not None and ends != current.lease.ends
    result = {
        "changed": planned.changed or renewed,
        "settings": [asdict(step) for step in planned.steps],
        "left_out": [{"name": one["values"]["name"], "reason": one["text"]} for one in planned.left_out],
        "overridden": planned.written,
        "until": _lease.earliest(ends),
        "done": [
            *_sysctl.told(planned, params["state"], conduct.check_mode),
            *planned.left_out,
            *told(ends, conduct.check_mode),
        ],
        "diff": diff(planned, current.lease.ends if current.lease else {}, ends if renewed else {}),
    }
    granted_for = current.lease.incident if current.lease else ""
    refusal = planned.changed and conduct.begin("host", changes(planned), lease=granted_for)
    if refusal:
        stays, until = (current.lease.settled, current.lease.until) if current.lease else ({}, None)
        standing = {"changed": False, "overridden": stays, "until": until}
        return {**result, **standing, "verdict": "refused", "done": [refusal]}
    if conduct.check_mode and result["changed"]:
        return {**result, "verdict": "would_change"}
    if ends and not conduct.check_mode:
        _lease_timer.install()
    if planned.changed:
        _lease.close(_sysctl.apply(current, planned, ends, conduct.id), planned.written)
    elif renewed:
        conduct.renew(current.lease, ends)
    if params["state"] != "present":
        return {**result, "verdict": "healthy"}
    return {**result, **(_watch.watch(recovery, conduct.check_mode) if recovery else {})}


def diff(planned, before, renewed):
    """The change as Ansible shows it with --diff: the settings, and the ends of those that are renewed."""
    values = _sysctl.diff(planned)
    moved = sorted(name for name, end in renewed.items() if end != before.get(name))
    for side, ends in (("before", before), ("after", renewed)):
        values[side] += "".join(f"{name} until {ends[name].until if name in ends else '-'}\n" for name in moved)
    return values


def changes(planned):
    """What the intent records: each step, and whether it is leased afterwards."""
    told = {"direction": "neutral"}
    return [{**asdict(step), **told, "leased": step.name in planned.written} for step in planned.steps]


def told(ends, check_mode):
    key, until = "lease_would_end" if check_mode else "lease_ends", _lease.earliest(ends)
    return [_messages.sentence(key, unit="TCP", changes=", ".join(sorted(ends)), until=until)] if ends else []


ARGUMENTS = {
    "argument_spec": {
        "state": {"type": "str", "choices": ["present", "absent", "settled"], "default": "present"},
        "lease_seconds": {"type": "int", "default": 0},
        "profile": {"type": "str", "choices": list(_sysctl.PROFILES), "default": "low_latency"},
        "incident": {"type": "dict", "options": _options.INCIDENT},
        "recovery": {"type": "dict", "options": _options.RECOVERY},
    },
    "supports_check_mode": True,
}


def main():
    module = AnsibleModule(**ARGUMENTS)
    _conduct.conducted(module, "tcp_tuning", run)


if __name__ == "__main__":
    main()
