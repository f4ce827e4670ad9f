#!/usr/bin/python
# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: service_restart
short_description: Restart or start a service once, if its guards allow it
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - Restarts or starts a unit without overriding anything, and proves that it came up and stays up.
  - The source is "Дії для вирішення" 1 and 4 of the runbook's section 1, C(systemctl restart) and C(nginx -t).
  - A restart of the feed drops every SSE client, so guards are checked first. RV(verdict=refused), with the reason in
    RV(done), means that nothing was done. The module refuses a crash loop, which is a unit that ended by itself 3 times
    within 5 minutes and did not stay up since; a unit that is not well although this module restarted it less than
    O(min_interval_seconds) ago; a broken configuration with O(config_test); a unit that is masked, transient, not
    loaded, or edited without a daemon-reload; and the trading loop.
  - The first two are guards. With O(incident) their refusals are recorded like those of the other guards, and
    O(incident.force) overrules them. Without an incident, a person can use O(mended) and O(min_interval_seconds).
  - The trading loop is never restarted by this module, because an open breaker lives in its memory and a restart would
    close it. The loop is recognised by C(KELLY_MULTIPLIER) in the environment of a process of the unit, in the unit's
    C(Environment=) or in one of its C(EnvironmentFile=)s. M(aurora.runbook.service_override) restarts it with a smaller
    value.
  - A unit that is already starting, or that systemd is restarting by itself, is waited for and not touched.
  - A service that does not stop within 10 seconds of SIGTERM, for example because it hangs, is killed.
  - Each restart is recorded in C(/var/lib/aurora-runbook/incidents) before it happens.
  - The task fails with the last lines of the journal if the service does not come up healthy.
extends_documentation_fragment:
  - aurora.runbook.attributes
  - aurora.runbook.attributes.changes
  - aurora.runbook.incident.option
  - aurora.runbook.recovery.option
options:
  name:
    description: The service, with or without C(.service). An alias or template instance is resolved to its own unit.
    type: str
    required: true
  state:
    description: V(restarted) restarts the service, or starts it if it is down. V(started) only starts it if it is down.
    type: str
    choices: [restarted, started]
    default: restarted
  config_test:
    description: Configuration that must be valid before anything is done. V(nginx) runs C(nginx -t).
    type: str
    choices: [none, nginx]
    default: none
  min_interval_seconds:
    description:
      - A time in seconds, 0 to 86400. A service that came up more recently than this and is healthy is not restarted
        again. A service that is not well although this module restarted it more recently than this is refused.
    type: float
    default: 300.0
  mended:
    description: Whether the reason why the service crashed was just mended, so that a crash loop is not refused.
    type: bool
    default: false
  health_url:
    description: URL on the host that must answer with a status of 2xx before the service counts as healthy.
    type: str
  start_seconds:
    description:
      - How long the service may take to come up after it stopped, in seconds, 1 to 600. The clients of O(clients_url)
        may then take as long again to reconnect.
    type: float
    default: 30.0
  hold_seconds:
    description: How long the service must then stay up, in seconds, 0 to 600. It should be more than the unit's
      C(RestartSec).
    type: float
    default: 5.0
  clients_url:
    description: Metrics page with C(sse_clients_connected), used to report how many clients reconnected.
    type: str
attributes:
  check_mode:
    details:
      - Checks every guard. Does not wait. If there is nothing to do, it takes one sample for O(recovery).
seealso:
  - module: aurora.runbook.service_override
  - module: aurora.runbook.wait_for_recovery
"""

EXAMPLES = r"""
- name: Restart the feed that hangs (runbook 1, action 1)
  aurora.runbook.service_restart:
    name: aurora-live-feed
    health_url: http://localhost:8001/healthz
    clients_url: http://localhost:8001/metrics
    recovery:
      indicator: sse_availability

- name: Start nginx if it is down and its configuration is valid (runbook 1, action 4)
  aurora.runbook.service_restart:
    name: nginx
    state: started
    config_test: nginx
"""

RETURN = r"""
unit:
  description: The unit, by its own name.
  returned: always
  type: str
  sample: aurora-live-feed.service
clients:
  description:
    - The number of SSE clients connected C(before) and C(after). Null if the page did not answer or nothing was
      restarted.
  returned: always
  type: dict
  sample: {before: 3, after: 3}
done:
  description: What was done, would be done, or was refused and why, as sentences. Each has C(message) (its key in the
    catalogue of messages), C(values) and C(text).
  returned: always
  type: list
  elements: dict
  sample:
    - message: clients_back
      values: {before: 3, after: 3}
      text: 3 of 3 SSE clients reconnected
closed:
  description: The incident as M(aurora.runbook.incident) returns it, if the action that cured it also closed it.
  returned: with C(incident.last), when the indicator recovered
  type: dict
verdict:
  description:
    - V(refused) if a guard refuses the action, V(would_change) in check mode.
    - V(recovered), V(not_recovered) or V(unknown) with O(recovery), see M(aurora.runbook.wait_for_recovery). Otherwise
      V(healthy), because the service is.
  returned: always
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

import contextlib
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.aurora.runbook.plugins.module_utils.act import _conduct, _guards, _restart, _service
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages, _metrics, _options
from ansible_collections.aurora.runbook.plugins.module_utils.base import _command, _http, _stamps, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import (
    CommandError,
    FetchError,
    MetricsError,
)
from ansible_collections.aurora.runbook.plugins.module_utils.look import _probes, _watch

RANGES = {**_service.RANGES, "min_interval_seconds": (0, 86400)}
STOP_SECONDS = 10
POLL_SECONDS = 0.25


def observe(name, health_url, records):
    unit = _service.observe(_systemd.check_name(name))
    crashes = _systemd.crashes(_command.run, unit)
    environments = _service.environments(unit).values()
    return _restart.Current(
        unit,
        problem=_service.objection(health_url) if unit.running else unit.state,
        trades=_restart.trades(unit, environments, _service.environment_files(unit)),
        crashes=crashes.count,
        loop_left=crashes.loop_left,
        last_words=last_words(unit) if crashes.loop_left else "",
        up=unit.up_seconds,
        ours=_restart.ours(records, unit, _stamps.clock()),
    )


def last_words(unit):
    """The last log lines of the service, "" if the journal does not answer in time."""
    with contextlib.suppress(CommandError):
        return " / ".join(_systemd.last_words(_command.run, unit.id))
    return ""


def check_config(planned, kind):
    """The plan, or a refusal if the configuration with which the service would start is broken."""
    if not planned.changed or kind == "none":
        return planned
    config = _probes.nginx_config()
    if config["valid"]:
        return planned
    values = {**planned.values, "message": config["message"].partition("\n")[0]}
    return _restart.Plan("", "refused_config", values, refused=True)


def clients(url):
    """How many SSE clients are connected, None if it is unknown."""
    if not url:
        return None
    try:
        count = _metrics.parse(_http.fetch_metrics(url, timeout=3.0)).total("sse_clients_connected")
    except (FetchError, MetricsError):
        return None
    return None if count is None else int(count)


def apply(unit, action, healthy):
    """Start or restart, kill what does not stop, and prove. Returns what is worth reporting."""
    _service.begin(unit, action)
    noted = [_messages.sentence("killed", unit=unit.id, seconds=STOP_SECONDS)] if end_stuck(unit) else []
    _service.prove(unit, {}, healthy)
    return noted


def end_stuck(unit):
    """Kill a service that does not stop within STOP_SECONDS; returns True if that was necessary."""
    deadline = time.monotonic() + STOP_SECONDS
    while stopping(_service.observe(unit.id), unit):
        if time.monotonic() >= deadline:
            _service.systemctl("kill", "--signal=KILL", "--", unit.id)
            return True
        time.sleep(POLL_SECONDS)
    return False


def stopping(now, before):
    """Whether the run from before is still there."""
    same = now["InvocationID"] == before["InvocationID"]
    return same and now.phase in (_systemd.RUNS, _systemd.STOPS)


def reconnected(url, before, seconds):
    """Wait for at most ``seconds`` until as many clients as before are back; returns how many there are."""
    deadline = time.monotonic() + seconds
    while True:
        now = clients(url)
        if (now is not None and now >= (before or 1)) or before == 0 or time.monotonic() >= deadline:
            return now
        time.sleep(POLL_SECONDS)


def about_clients(before, after):
    if after is None:
        return _messages.sentence("clients_unknown", before=_messages.number(before))
    if not before:
        return _messages.sentence("clients_now" if before is None else "clients_again", after=after)
    return _messages.sentence("clients_back", before=before, after=after)


def act(current, planned, healthy):
    """Carry out the plan; returns sentences, and whether the service is up. Raises RunbookError if our start failed."""
    unit, started = current.unit, time.monotonic()
    if planned.action == _restart.WAIT:
        begun = unit.running or unit.phase == _systemd.STARTS  # in that case it already has the id of its new start
        health = _service.judge(unit.id, "" if begun else unit["InvocationID"], {}, healthy)
        if not health.healthy:
            values = {"unit": unit.id, "problem": health.reason, "words": last_words(unit) or "–"}
            return [_messages.sentence("refused_not_up", **values)], False
        key, noted = "came_up", []
    else:
        key = {_restart.START: "started", _restart.RESTART: "restarted"}[planned.action]
        noted = apply(unit, planned.action, healthy)
    seconds = round(time.monotonic() - started, 1)
    return [_messages.sentence(key, **planned.values, seconds=seconds), *noted], True


def diff(unit, planned):
    after = f"{unit.id}: {planned.action}ed\n" if planned.changed else f"{unit.id}: {unit.state}\n"
    return {"before": f"{unit.id}: {unit.state}\n", "after": after}


def run(params, conduct):
    """Observe, plan, act, watch; returns what the module returns."""
    _options.check_ranges(params, RANGES)
    healthy = _service.Healthy(params["health_url"] or "", params["start_seconds"], params["hold_seconds"])
    recovery, url = params["recovery"], params["clients_url"]
    if recovery:
        _watch.rule(recovery)
    current = observe(params["name"], healthy.url, conduct.recent())
    planned = _restart.plan(current, params["state"], params["min_interval_seconds"], params["mended"])
    planned = check_config(planned, params["config_test"])
    before = clients(url)
    result = {
        "unit": current.unit.id,
        "changed": planned.changed,
        "clients": {"before": before, "after": None},
        "done": [_messages.sentence(planned.reason, **planned.values)],
        "verdict": "unknown" if planned.action else "healthy",
        "diff": diff(current.unit, planned),
    }
    if planned.refused:
        return {**result, "verdict": "refused"}
    guard, ends = planned.guard, _restart.change(current.unit)
    own = guard and _guards.refusal(guard.name, guard.allowed_in, **guard.values)
    refusal = planned.changed and conduct.begin(current.unit.id, ends, restart=True, own=own)
    if refusal:
        nothing = {"changed": False, "diff": {"before": "", "after": ""}}
        return {**result, **nothing, "verdict": "refused", "done": [refusal]}
    if conduct.check_mode and planned.changed:
        dropped = [_messages.sentence("clients_dropped", before=before)] if before else []
        return {**result, "done": [*result["done"], *dropped], "verdict": "would_change"}
    acted = planned.action and not conduct.check_mode
    if acted:
        result["done"], up = act(current, planned, healthy)
        result["verdict"] = "healthy" if up else "refused"
        if not up:
            return result
    if recovery:
        pid = _service.observe(current.unit.id).pid
        result.update(_watch.watch(recovery, conduct.check_mode, lambda: _systemd.started(pid)))
    if acted and url:
        after = reconnected(url, before, healthy.start)
        result["clients"]["after"] = after
        result["done"].append(about_clients(before, after))
    return result


ARGUMENTS = {
    "argument_spec": {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["restarted", "started"], "default": "restarted"},
        "config_test": {"type": "str", "choices": ["none", "nginx"], "default": "none"},
        "min_interval_seconds": {"type": "float", "default": 300.0},
        "mended": {"type": "bool", "default": False},
        "health_url": {"type": "str"},
        "start_seconds": {"type": "float", "default": 30.0},
        "hold_seconds": {"type": "float", "default": 5.0},
        "clients_url": {"type": "str"},
        "incident": {"type": "dict", "options": _options.INCIDENT},
        "recovery": {"type": "dict", "options": _options.RECOVERY},
    },
    "supports_check_mode": True,
}


def main():
    module = AnsibleModule(**ARGUMENTS)
    _conduct.conducted(module, _restart.ACTION, run)


if __name__ == "__main__":
    main()
