# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets the lab's alerts start their remediation: Prometheus → Alertmanager → ansible-rulebook → playbook.

``./dev watch`` runs this in the project's environment. ansible-rulebook runs on this machine; its output and that of
its playbooks is in ``.dev/watch/rulebook.log``, and the important parts are printed here.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import sys
import time
from datetime import datetime, timezone

import lab
import webhook

WATCH = lab.CHECKOUT / ".dev" / "watch"
LOG = WATCH / "rulebook.log"
PORT = 5000
ALERTMANAGER = 9093
DETAIL = re.compile(r" +- '? +(was|done|now|left|record|next): ")
VERDICT = re.compile(r" +- '?(\S+): ([A-Z ]+)'?$")  # a host's line of the report


def prepare(reports=lab.REPORTS, variables=None):
    """Install the rules and the route on the monitor, with a new token."""
    configure(reports, variables)
    with lab.step("installing the rules and the route of their alerts: playbooks/alerting.yml"):
        inventory = ["-i", str(lab.CHECKOUT / "inventory" / "lab")]
        lab.run(["ansible-playbook", "playbooks/alerting.yml", *inventory, "-e", f"@{WATCH / 'route.json'}"],
                cwd=lab.CHECKOUT)  # fmt: skip


def configure(reports=lab.REPORTS, variables=None):
    """Write the settings of ansible-rulebook and the route: where post-mortems go, and variables of all hosts."""
    WATCH.mkdir(parents=True, exist_ok=True)
    WATCH.chmod(0o700)
    (address, port), authority = at(), lab.STATE / "ca"
    lab.make_certificate(authority, "watch", f"IP:{address}")
    token = secrets.token_urlsafe(32)
    told = {**webhook.variables(at(), token, authority / "watch.pem"), "aurora_report_directory": str(reports)}
    route = {
        "aurora_webhook_url": f"https://{address}:{port}/alerts",
        "aurora_webhook_token": token,
        "aurora_webhook_ca": (authority / "ca.pem").read_text(encoding="ascii"),
    }
    for name, values in {"rulebook": told, "route": route}.items():
        (WATCH / f"{name}.json").write_text(json.dumps(values), encoding="ascii")
    write_inventory(variables or {})


def write_inventory(more):
    """The lab's inventory as files, which ansible-rulebook copies; with them a run silences its alert."""
    inventory, monitor = WATCH / "inventory", lab.state()["hosts"]["monitor1"]["address"]
    shutil.rmtree(inventory, ignore_errors=True)
    (inventory / "group_vars").mkdir(parents=True)
    hosts = lab.run(["ansible-inventory", "-i", str(lab.CHECKOUT / "inventory" / "lab"), "--list", "--yaml"])
    (inventory / "hosts.yml").write_text(hosts, encoding="utf-8")
    variables = {"aurora_alertmanager_url": f"http://{monitor}:{ALERTMANAGER}", **more}
    (inventory / "group_vars" / "all.json").write_text(json.dumps(variables), encoding="utf-8")


def rulebook():
    """ansible-rulebook with the runbook's rulebook, as a context."""
    given = ["--inventory", str(WATCH / "inventory"), "--vars", str(WATCH / "rulebook.json")]
    return webhook.rulebook(["--rulebook", "aurora.runbook.remediate", *given], at(), LOG)


def at():
    """Where it listens: on this machine, reachable only from the lab's network."""
    return lab.gateway(), PORT


def alerts():
    """The alerts of Aurora hosts in Alertmanager, with their start, by host and name."""
    page = lab.get(lab.state()["hosts"]["monitor1"]["address"], ALERTMANAGER, "/api/v2/alerts?receiver=aurora-runbook")
    since = {}
    for alert in (one for one in json.loads(page or "[]") if "instance" in one["labels"]):  # a heartbeat has none
        labels = alert["labels"]
        host = labels["instance"].partition(":")[0]
        since[host, labels["alertname"]] = datetime.fromisoformat(alert["startsAt"])
    return since


def follow(process):
    """Print what happens, until interrupted or until ansible-rulebook ends."""
    known, fired, begun = {}, {}, ""
    with open(LOG, encoding="utf-8", errors="replace") as log:
        log.seek(0, os.SEEK_END)
        while True:
            webhook.check(process, LOG)
            now, current = datetime.now(timezone.utc), alerts()
            for host, name in current.keys() - known.keys():
                fired[host] = current[host, name]
                lab.say(f"{host}: {name} fires since {fired[host]:%H:%M:%S} UTC")
            for host, name in known.keys() - current.keys():
                lab.say(f"{host}: {name} is resolved, {(now - known[host, name]).total_seconds():.0f} s after it fired")
            *lines, begun = (begun + log.read()).split("\n")
            for line in lines:
                tell(line, fired, now)
            known = current
            time.sleep(0.5)


def tell(line, fired, now):
    """Print what a line of the log means, if it matters."""
    verdict = VERDICT.match(line)
    if verdict:
        since = fired.get(verdict[1])
        after = f", {(now - since).total_seconds():.0f} s after its alert fired" if since else ""
        lab.say(f"{verdict[1]}: {verdict[2]}{after}")
    elif DETAIL.match(line) or f"{lab.REPORTS}/" in line:
        lab.say(line.strip(" -'"))


def main():
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # kill ends it as Ctrl-C does
    prepare()
    with rulebook() as process:
        lab.say(f"watching; all that the playbooks print: {LOG}")
        lab.say("now break something, in another terminal:  ./dev break breaker_spreads aurora1")
        follow(process)


if __name__ == "__main__":
    try:
        main()
    except lab.LabError as error:
        sys.exit(f"./dev watch: {error}")
    except KeyboardInterrupt:
        lab.say("ansible-rulebook is ended; the lab goes on, ./dev down stops it")
