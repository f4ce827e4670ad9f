#!/usr/bin/python
# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: triage_info
short_description: Take every triage step of the runbook on one host at once, and say what the results mean
version_added: 0.1.0
author: Aurora runbook authors (@aurora)
description:
  - Runs all probes in parallel, each with its own time limit, so that it takes as long as the slowest one.
  - The source is "Тріаж кроки" of the runbook's sections 1 to 5, and "Severity Levels".
  - A probe that fails or takes too long is a finding, and never makes the task fail.
  - Lines of logs and of the journal are cut, and returned without control characters and without anything that looks
    like a secret.
extends_documentation_fragment:
  - aurora.runbook.attributes
  - aurora.runbook.attributes.reads
options:
  runner_unit:
    description: Unit of the trading loop.
    type: str
    default: aurora-runner.service
  feed_unit:
    description: Unit of the SSE feed.
    type: str
    default: aurora-live-feed.service
  nginx_unit:
    description: Unit of the web server.
    type: str
    default: nginx.service
  runner_url:
    description: Base URL of the runner's metrics, as the host reaches it.
    type: str
    default: http://localhost:9000
  feed_url:
    description: Base URL of the feed, as the host reaches it.
    type: str
    default: http://localhost:8001
  public_url:
    description: Base URL that clients use.
    type: str
    default: https://aurora.example.com
  exchange_url:
    description: Status page of the exchange.
    type: str
    default: https://api.exchange.com/status
  network_host:
    description: A host outside the own network that answers ping.
    type: str
    default: 8.8.8.8
  user:
    description: User of the services. Logs and the token are read only when they are regular files of this user.
    type: str
    default: aurora
  home:
    description:
      - Aurora's home directory, which is the C(PYTHONPATH) of its code. Free space and inodes are read for its disk and
        for the disk of O(event_log).
    type: path
    default: /opt/aurora
  event_log:
    description: Path of the log of events (JSON lines).
    type: path
    default: /opt/aurora/logs/aurora_events.jsonl
  trade_log:
    description: Path of the log of trades (JSON lines).
    type: path
    default: /opt/aurora/logs/trades.jsonl
  denied_log:
    description: Path of the log of denied orders (JSON lines with C(ts) and C(why)).
    type: path
    default: /opt/aurora/logs/orders_denied.jsonl
  auth_token_file:
    description: File with the feed's token, which is sent only to O(feed_url) and never returned.
    type: path
    default: /opt/aurora/secrets/auth_token
  sample_seconds:
    description: Time between the two scrapes from which rates are computed, in seconds, 0 to 300.
    type: float
    default: 5.0
  incident:
    version_added: 1.0.0
    description: The incident that the look is about, which limits what O(enough_seconds) applies to. All incidents if
      it is omitted.
    type: str
    choices:
      - sse_availability
      - circuit_breaker
      - execution_latency
      - policy_deny_rate
      - calibration_ece
      - cvar_breach
      - reconnects
  enough_seconds:
    version_added: 1.0.0
    description:
      - How much longer to sample, in seconds, 0 to 3600, while C(policy_deny_rate) has less than 50 decisions,
        C(execution_latency) less than 100 executions or C(sse_availability) less than 50 events behind it, or while the
        minute of C(reconnects) is not over.
      - It applies only to indicators that O(incident) is about. It does not apply while the breaker is open, or if no
        SSE client is connected.
    type: float
    default: 0.0
  min_decisions:
    version_added: 1.0.0
    description: How many decisions must have been considered before a breaker that is CLOSED counts as healthy, 0 to
      100000.
    type: int
    default: 30
  probe_seconds:
    description: Time limit of each probe, in seconds, 1 to 60. Probes that sample get O(sample_seconds) in addition.
    type: float
    default: 10.0
  prometheus_url:
    description:
      - Base URL of Prometheus, as the host reaches it. If it is given, rates and quantiles come from PromQL over the
        runbook's windows; otherwise from two scrapes.
      - A value counts as unknown if the service itself does not answer, if Prometheus' newest sample of it is more than
        four scrapes old, or if the answer has a warning or is not a single number.
    type: str
  prometheus_instance:
    description:
      - What O(prometheus_label) calls the host in Prometheus, as names or addresses, with any port and in any notation.
        Required with O(prometheus_url).
    type: list
    elements: str
  prometheus_label:
    version_added: 1.0.0
    description: Name of the label that names the host in Prometheus.
    type: str
    default: instance
  outside:
    version_added: 1.0.0
    description:
      - What M(aurora.runbook.public_way_info) returned for this host. Its probes are returned as C(outside_dns) and so
        on. A broken public path is a breach of V(sse_availability), and the broken link is one of RV(causes).
      - C(observer) may be added, with its C(name) and C(seen), the broken links that it saw for each host. If it fails
        to reach several hosts in the same way while this host serves clients, V(sse_availability) is unknown.
    type: dict
    default: {}
  thresholds:
    description:
      - Limits that differ from the runbook's, by incident, such as C({execution_latency=200}). An unknown incident, or
        a value that is not a number, is refused.
    type: dict
    default: {}
  why_causes:
    description:
      - Shell patterns of WHY codes that differ from the built-in ones, by cause. The cause V(model) becomes
        V(miscalibration) or V(tight_thresholds), depending on the calibration error.
    type: dict
    default: {}
seealso:
  - module: aurora.runbook.public_way_info
  - module: aurora.runbook.wait_for_recovery
"""

EXAMPLES = r"""
- name: Look at everything
  aurora.runbook.triage_info:
  register: look

- name: Say it
  ansible.builtin.debug:
    var: look.summary

- name: Look with Prometheus' windows
  aurora.runbook.triage_info:
    prometheus_url: http://monitor1:9090
    prometheus_instance: "{{ inventory_hostname }}"
"""

RETURN = r"""
summary:
  description: A few sentences that a tired person reads first.
  returned: always
  type: list
  elements: str
  sample:
    - "P0: circuit_breaker_state is 2, limit 2"
    - "likely cause: wide_spreads: 97 % of the last 113 denials say SPREAD_GUARD_TRIP"
severity:
  description: V(P0) to V(P3), the severity of the worst finding. Null if nothing is wrong.
  returned: always
  type: str
  sample: P0
indicators:
  description:
    - By incident, each with C(metric), C(value) in the metric's unit, C(threshold), C(breached) (true, false, or null
      if it is not known or the breaker is HALF_OPEN), C(count) of events behind it, C(source), C(problem) (V(silent),
      V(malformed), V(no_data), V(nan), V(reset), V(too_few), V(in_doubt), V(stale), V(unclear) or empty), and
      C(reason), what is wrong with an answer of Prometheus.
  returned: always
  type: dict
causes:
  description:
    - Likely causes, the likeliest first. Each has C(cause), C(weight) from 0 to 1 and C(evidence), a list of sentences
      with C(message) (its key in the catalogue of messages), C(values) and C(text).
  returned: always
  type: list
  elements: dict
why:
  description:
    - WHY codes of recent denials, with C(shares) from 0 to 1 by code, the number of C(denials), and C(source), where
      they were counted, which is V(window), V(denied_log), V(since_start) or V(none).
  returned: always
  type: dict
leases:
  description:
    - What can be given back on this host, see M(aurora.runbook.service_override) and M(aurora.runbook.tcp_tuning).
    - Each lease has C(kind), the module's name; C(name), that of the unit, or again C(tcp_tuning); C(phase), which is
      V(active) unless a change was not finished; C(before) and C(written), values by name; C(granted) and C(by), when
      and for whom it was granted; C(until), when its first value ends by itself by the host's clock, or null;
      C(seconds), how long after it was granted that is; C(ends), the same by name; C(direction), what it does to
      exposure; C(incident), to which it belongs; and C(lost), a file of the lease that somebody removed, or empty.
    - The probe C(leases) returns the state of the timer that ends leases in C(timer), and in C(timer_works) whether
      that state is good.
  returned: always
  type: list
  elements: dict
incidents:
  version_added: 1.0.0
  description: The incidents that are open on this host, as in M(aurora.runbook.incident_info).
  returned: always
  type: list
  elements: dict
claim:
  version_added: 1.0.0
  description: The run that works on this host, with C(holder), C(incident) and C(since). Null if no run does.
  returned: always
  type: dict
paused:
  version_added: 1.0.0
  description: Until when automation is paused. It is C("") if the pause lasts until somebody ends it, and null if there
    is no pause.
  returned: always
  type: str
cut_off:
  version_added: 1.0.0
  description:
    - Actions of the last week that were begun and have no recorded end, each with the C(id) of its incident, C(action),
      C(target), C(at) by the host's clock and C(by). Empty while a run works on the host.
  returned: always
  type: list
  elements: dict
probes:
  description:
    - By name, each with C(status) (V(ok), V(failed) or V(timeout)), C(problem), C(seconds) and C(data).
    - C(trades) and C(model_valid) are looked at only if C(calibration_ece) is breached or not known. For them
      C(calibration.validate) runs as O(user), where it can write nowhere.
  returned: always
  type: dict
"""

import contextlib
import os
import time
from dataclasses import asdict
from functools import partial
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.aurora.runbook.plugins.module_utils import _state
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _options
from ansible_collections.aurora.runbook.plugins.module_utils.base import (
    _command,
    _files,
    _http,
    _parallel,
    _redact,
    _stamps,
    _systemd,
)
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import CommandError, RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _probes, _summary, _triage

RANGES = {
    "sample_seconds": (0, 300),
    "probe_seconds": (1, 60),
    "enough_seconds": (0, 3600),
    "min_decisions": (0, 100000),
}
# The indicators that need many events of a service, and those of the feed that need a window of a minute.
WINDOWED = ("reconnects",)
COUNTED = {"runner": ("policy_deny_rate", "execution_latency"), "feed": ("sse_availability",)}


def probes(params, secret):
    """Every probe by name, with its limit in seconds."""
    limit, sample = params["probe_seconds"], params["sample_seconds"]
    tls = _http.tls_context()
    names = {role: _systemd.check_name(params[f"{role}_unit"]) for role in ("runner", "feed", "nginx")}
    with contextlib.suppress(CommandError):  # the probe of the units reports that systemd does not answer
        own = _systemd.own_names(partial(_command.run, timeout=limit), names.values())
        names = {role: own[name] for role, name in names.items()}
    public, exchange = urlsplit(params["public_url"]).hostname, urlsplit(params["exchange_url"]).hostname
    found = {
        "healthz_local": lambda: _probes.healthz(params["feed_url"] + "/healthz", limit),
        "healthz_public": lambda: _probes.healthz(params["public_url"] + "/healthz", limit, tls),
        "exchange": lambda: _probes.exchange(params["exchange_url"], limit, tls),
        "exchange_ping": lambda: _probes.ping(exchange, 10),
        "network_ping": lambda: _probes.ping(params["network_host"], 5),
        "units": lambda: _probes.units(names),
        "memory": _probes.memory,
        "disk": lambda: _probes.disks([params["home"], os.path.dirname(params["event_log"])]),
        "iostat": _probes.iostat,
        "dns": lambda: _probes.dns([name for name in (public, exchange) if name]),
        "firewall": _probes.firewall,
        "nginx_config": _probes.nginx_config,
        "certificate": lambda: _probes.certificate(params["public_url"], limit, tls),
        "clock": _probes.clock,
        "event_log": lambda: _probes.log_tail(params["event_log"], params["user"]),
        "trade_log": lambda: _probes.log_tail(params["trade_log"], params["user"]),
        "denied_log": lambda: _probes.log_tail(params["denied_log"], params["user"]),
        "leases": kept,
    }
    for role, unit in names.items():
        found[f"journal_{role}"] = lambda unit=unit: _probes.journal(unit)
    if params["prometheus_url"]:
        found["prometheus"] = lambda: _probes.promql(
            params["prometheus_url"],
            params["prometheus_instance"],
            _triage.WINDOWED,
            limit,
            params["prometheus_label"],
        )
    more = params["enough_seconds"]

    def scrapes(role, secret=""):
        counted = [name for name in COUNTED[role] if params["incident"] in (None, name)]
        counted += [name for name in WINDOWED if (params["incident"], role) == (name, "feed")]
        enough = partial(_indicators.enough, counted)
        return _probes.scrapes(params[f"{role}_url"] + "/metrics", limit, sample, secret, enough, more)

    return {
        **{name: (probe, limit) for name, probe in found.items()},
        "load": (lambda: _probes.load(sample, names), limit + sample),
        "runner_metrics": (lambda: scrapes("runner"), limit + sample + more),
        "feed_metrics": (lambda: scrapes("feed", secret), limit + sample + more),
    }


def kept():
    """What this collection keeps on the host."""
    now = _stamps.clock()
    found = _state.overview(now)
    unread = found.pop("unread")
    if unread:  # what stands on the host is then unknown, and nothing must be changed
        raise RunbookError("; ".join(unread))
    return {**found, "incidents": _state.open_incidents(now)}


def model_probes(params):
    """What section 5 asks about trades and model. It costs CPU, and adds nothing if the calibration is fine."""
    limit = params["probe_seconds"]
    place = (params["user"], params["home"], params["runner_unit"])
    return {
        "trades": (lambda: _probes.trades(params["trade_log"], *place), limit),
        "model_valid": (lambda: _probes.model_valid(*place, limit), limit),
    }


def shown(name, finding, secret):
    """A probe as it is returned: without secrets, with tails cut to 20 lines, and without metrics pages."""
    data = {} if name.endswith("_metrics") else dict(finding.data)
    if name == "leases":
        data = {key: data[key] for key in ("timer", "timer_works") if key in data}
    if "lines" in data:
        data["lines"] = data["lines"][-20:]
    return _redact.redact_data(
        {"status": finding.status, "problem": finding.problem, "seconds": finding.seconds, "data": data}, (secret,)
    )


def look(params):
    """Probe, then judge; returns what the module returns."""
    _options.check_ranges(params, RANGES)
    secret = _files.token(params["auth_token_file"], params["user"])
    outside = _triage.outside(params["outside"])
    findings = {**_parallel.run_all(probes(params, secret)), **outside}
    windows, doubts = _triage.prometheus(findings)
    limits = _options.numbers("thresholds", params["thresholds"])
    read = _triage.indicators(findings, windows, limits, params["min_decisions"], doubts)
    if read["calibration_ece"]["breached"] is not False:
        findings.update(_parallel.run_all(model_probes(params)))
    codes = _triage.why(findings, time.time())
    causes = _triage.causes(read, codes, findings, {**_triage.WHY_CAUSES, **params["why_causes"]})
    breached = {name for name, entry in read.items() if entry["breached"]}
    if any(cause.name in _triage.RUNNER_OUT for cause in causes):  # nothing trades, as with an open breaker
        breached.add("circuit_breaker")
    result = {
        "severity": _indicators.severity({n: e["value"] for n, e in read.items() if e["value"] is not None}, breached),
        "indicators": read,
        "causes": _redact.redact_data(_triage.describe(causes), (secret,)),
        "why": _redact.redact_data(asdict(codes), (secret,)),
        "leases": findings["leases"].data.get("leases", []),
        "incidents": findings["leases"].data.get("incidents", []),
        "claim": findings["leases"].data.get("claim"),
        "paused": findings["leases"].data.get("paused"),
        "cut_off": findings["leases"].data.get("cut_off", []),
        "probes": {name: shown(name, finding, secret) for name, finding in findings.items()},
    }
    return {"summary": _summary.summary("en", result), **result}


TEXT = {"type": "str"}
ARGUMENTS = {
    "argument_spec": {
        "runner_unit": {"type": "str", "default": "aurora-runner.service"},
        "feed_unit": {"type": "str", "default": "aurora-live-feed.service"},
        "nginx_unit": {"type": "str", "default": "nginx.service"},
        "runner_url": {"type": "str", "default": "http://localhost:9000"},
        "feed_url": {"type": "str", "default": "http://localhost:8001"},
        "public_url": {"type": "str", "default": "https://aurora.example.com"},
        "exchange_url": {"type": "str", "default": "https://api.exchange.com/status"},
        "network_host": {"type": "str", "default": "8.8.8.8"},
        "user": {"type": "str", "default": "aurora"},
        "home": {"type": "path", "default": "/opt/aurora"},
        "event_log": {"type": "path", "default": "/opt/aurora/logs/aurora_events.jsonl"},
        "trade_log": {"type": "path", "default": "/opt/aurora/logs/trades.jsonl"},
        "denied_log": {"type": "path", "default": "/opt/aurora/logs/orders_denied.jsonl"},
        "auth_token_file": {"type": "path", "default": "/opt/aurora/secrets/auth_token", "no_log": False},
        "sample_seconds": {"type": "float", "default": 5.0},
        "incident": {"type": "str", "choices": list(_indicators.INDICATORS)},
        "enough_seconds": {"type": "float", "default": 0.0},
        "min_decisions": {"type": "int", "default": 30},
        "probe_seconds": {"type": "float", "default": 10.0},
        "prometheus_url": TEXT,
        "prometheus_instance": {"type": "list", "elements": "str"},
        "prometheus_label": {"type": "str", "default": "instance"},
        "outside": {"type": "dict", "default": {}},
        "thresholds": {"type": "dict", "default": {}},
        "why_causes": {"type": "dict", "default": {}},
    },
    "required_together": [("prometheus_url", "prometheus_instance")],
    "supports_check_mode": True,
}


def main():
    module = AnsibleModule(**ARGUMENTS)
    try:
        result = look(module.params)
    except RunbookError as error:
        module.fail_json(msg=_redact.redact_text(str(error)))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
