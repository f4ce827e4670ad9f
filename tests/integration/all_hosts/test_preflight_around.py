# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to be unready beside the hosts: each is found and named, and what it names fails indeed.

If these break, somebody goes to sleep with an alert that starts nothing. Prometheus, Alertmanager and ansible-rulebook
are the real ones, and so is amtool, which says where an alert goes.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import watch
import webhook
import yaml
from ansible_collections.aurora.runbook.plugins.action import preflight_around
from ansible_collections.aurora.runbook.plugins.module_utils.base import _names
from ansible_collections.aurora.runbook.plugins.plugin_utils import _routes
from helpers import HOSTS, INSTALLED, finish, lab, shell, start_playbook, wait_until
from jinja2 import Environment

pytestmark = pytest.mark.no_host
MONITOR = "monitor1"
AT = "--alertmanager.url=http://localhost:9093"
RESTORE = """
rm -f /etc/prometheus/aurora.rules.yml /etc/prometheus/aurora-runbook* /etc/prometheus/alertmanager.yml.*
install -m 0644 /opt/lab/alertmanager.yml /opt/lab/prometheus.yml /etc/prometheus/
systemctl reload prometheus prometheus-alertmanager
"""


class Takes(BaseHTTPRequestHandler):
    """A contact's service: it answers, and takes whatever it is sent."""

    def do_HEAD(self) -> None:
        self.send_response(405)
        self.end_headers()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def contact() -> Iterator[str]:
    with ThreadingHTTPServer(("localhost", 0), Takes) as server:
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield f"json://localhost:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module", autouse=True)
def working() -> Iterator[None]:
    """Rules, route and rulebook as ./dev watch has them, and a Prometheus that has evaluated the rules."""
    watch.prepare()
    with watch.rulebook():
        wait_until(rules_are_evaluated)
        yield
    shell(MONITOR, RESTORE)


@pytest.fixture
def mended() -> Iterator[None]:
    """Rules and route as before, after a test that breaks them on the monitor."""
    keep = "mkdir -p /root/kept; cp -a /etc/prometheus/aurora.rules.yml /etc/prometheus/*.yml /root/kept/"
    shell(MONITOR, keep)
    yield
    reload = "systemctl reload prometheus prometheus-alertmanager"
    shell(MONITOR, f"cp -a /root/kept/*.yml /etc/prometheus/; rm -rf /root/kept; {reload}")
    wait_until(rules_are_evaluated)
    wait_until(lambda: routed("CircuitBreakerOpen") == "aurora-runbook,nobody")


def prometheus(path: str) -> dict:
    address = lab.state()["hosts"][MONITOR]["address"]
    return json.loads(lab.get(address, 9090, f"/api/v1/{path}") or "{}").get("data") or {}


def rules_are_evaluated() -> bool:
    found = [rule for group in prometheus("rules").get("groups", []) for rule in group["rules"]]
    return bool(found) and all(rule["health"] == "ok" for rule in found)


def routed(alert: str) -> str:
    return lab.inside(MONITOR, "amtool", "config", "routes", "test", AT, f"alertname={alert}", "severity=P0")


def monitor(port: int) -> str:
    return f"http://{lab.state()['hosts'][MONITOR]['address']}:{port}"


def variables(url: str, **changed: object) -> dict:
    route = json.loads((watch.WATCH / "route.json").read_text(encoding="ascii"))
    here = {
        "aurora_prometheus_url": monitor(9090),
        "aurora_alertmanager_url": monitor(9093),
        "aurora_contacts": {"L1": [{"name": "primary", "url": url}]},
    }
    return {**route, **here, **changed}


def answers(label: str) -> dict[str, dict]:
    """What Prometheus answers to the questions of the role."""
    known = yaml.safe_load((INSTALLED / "roles" / "preflight" / "vars" / "main.yml").read_text(encoding="utf-8"))
    values = {"aurora_prometheus_label": label}
    for name in ("__preflight_by", "__preflight_within_a_day"):
        values[name] = Environment().from_string(known[name]).render(values)  # noqa: S701 no page
    paths = {one["name"]: one["path"] for one in known["__preflight_questions"]}
    rendered = {name: Environment().from_string(path).render(values) for name, path in paths.items()}  # noqa: S701
    address = lab.state()["hosts"][MONITOR]["address"]
    return {name: json.loads(lab.get(address, 9090, f"/api/v1/{path}")) for name, path in rendered.items()}


@pytest.fixture
def around(contact: str) -> Callable[..., set]:
    """Call it with variables; what preflight says is not ready: state, what, about, and why.

    It is asked as the role asks it, in this process: a playbook takes long, and test_the_whole_playbook_… is one. On a
    busy machine a scrape may come too late, and so be not ready itself: such an answer does not count.
    """

    def look(waits: bool = True, **changed: object) -> set[tuple[str, str, str, str]]:
        wait_until(lambda: not waits or all(one["health"] == "up" for one in prometheus("targets")["activeTargets"]))
        found = once(changed)
        while {"scrape_fails", "scrape_unknown"} & {why for _state, _what, _about, why in found}:
            found = look(**changed)
        return found

    def once(changed: dict) -> set[tuple[str, str, str, str]]:
        given = variables(contact, **changed)
        asked = {name: spec.get("default") for name, spec in preflight_around.SPEC.items()}
        asked.update({name: given[f"aurora_{name}"] for name in asked if f"aurora_{name}" in given})
        asked.update(language="en", label=given.get("aurora_prometheus_label", "instance"))
        addresses = {name: lab.state()["hosts"][name]["address"] for name in HOSTS}
        asked["hosts"] = {name: _names.labels_of(name, addresses) for name in HOSTS}
        found, url = answers(asked["label"]), asked["alertmanager_url"]
        checks = [
            *preflight_around.prometheus(asked, found, ""),
            *preflight_around.alertmanager(asked, found, url),
            *preflight_around.webhook(asked, found, asked["webhook_url"]),
            *preflight_around.contacts(asked, found, True),
            *(preflight_around.heartbeat(asked, found, url) if asked["heartbeat"] else []),
        ]
        assert given["aurora_webhook_token"] not in json.dumps(checks)
        return {
            (one["state"], one["what"], one["host"] or one["about"], one["why"]["message"].removeprefix("ready_"))
            for one in checks
            if one["state"] != "ready"
        }

    return look


def test_a_lab_that_works_is_ready_and_nothing_is_left_behind(around: Callable, contact: str) -> None:
    assert around() == set()
    silences = lab.inside(MONITOR, "amtool", AT, "silence", "query", "--quiet")
    assert silences == ""
    assert "AuroraHeartbeat" not in lab.inside(MONITOR, "amtool", AT, "alert", "query")


def test_rules_that_are_gone(around: Callable, mended: None) -> None:
    shell(MONITOR, "rm /etc/prometheus/aurora.rules.yml; systemctl reload prometheus")
    wait_until(lambda: prometheus("rules").get("groups") == [])
    assert around() == {("not_ready", "rules", "", "no_rules")}


def test_a_route_that_is_gone(around: Callable, mended: None) -> None:
    shell(MONITOR, "cp /opt/lab/alertmanager.yml /etc/prometheus/; systemctl reload prometheus-alertmanager")
    wait_until(lambda: routed("CircuitBreakerOpen") == "nobody")
    assert around() == {("not_ready", "route", "", "no_receiver")}


def test_a_route_that_another_one_comes_before(around: Callable, mended: None) -> None:
    first = 's/^  routes:$/  routes:\\n  - receiver: nobody\\n    matchers: [severity="P0"]/'
    shell(MONITOR, f"sed -i '{first}' /etc/prometheus/alertmanager.yml; systemctl reload prometheus-alertmanager")
    wait_until(lambda: routed("CircuitBreakerOpen") == "nobody")
    assert around() == {("not_ready", "route", "", "no_route")}


def test_a_label_that_no_series_has(around: Callable) -> None:
    found = around(aurora_prometheus_label="site_host")
    assert {one for one in found if one[1] == "prometheus"} == {
        ("not_ready", "prometheus", host, "no_series") for host in HOSTS
    }
    assert {(what, host) for _state, what, host, _why in found if what == "silence"} == {
        ("silence", host) for host in HOSTS
    }
    assert prometheus("query?query=count(circuit_breaker_state{site_host!=%22%22})")["result"] == []


def test_prometheus_that_scrapes_too_rarely(around: Callable, mended: None) -> None:
    interval = "sed -i 's/scrape_interval: .*/scrape_interval: 2m/' /etc/prometheus/prometheus.yml"
    shell(MONITOR, f"{interval}; systemctl reload prometheus")
    wait_until(lambda: all(one["scrapeInterval"] == "2m" for one in prometheus("targets")["activeTargets"]))
    found = around(waits=False)
    assert {(state, what, why) for state, what, _about, why in found} == {("not_ready", "scrape", "scraped_rarely")}
    assert len(found) == 2 * len(HOSTS)


def test_a_silence_of_a_person_over_all_alerts(around: Callable) -> None:
    made = lab.inside(
        MONITOR, "amtool", AT, "silence", "add", "--author=olena", "--comment=maintenance", "alertname=~.+"
    )
    try:
        assert around() == {("not_ready", "silence", made.strip(), "silenced")}
    finally:
        lab.inside(MONITOR, "amtool", AT, "silence", "expire", made.strip())


def test_a_token_that_the_webhook_does_not_know(around: Callable) -> None:
    assert around(aurora_webhook_token="another") == {("not_ready", "webhook", "", "webhook_refuses")}  # noqa: S106
    authority = lab.STATE / "ca" / "ca.pem"
    assert webhook.post(watch.at(), {}, "another", authority) == 401


def test_a_webhook_that_is_elsewhere_or_not_trusted(around: Callable) -> None:
    with socket.socket() as taken:
        taken.bind((watch.at()[0], 0))
        url = f"https://{watch.at()[0]}:{taken.getsockname()[1]}/alerts"
        found = around(aurora_webhook_url=url)
    assert {(state, what) for state, what, _about, _why in found} == {("not_ready", "route"), ("unchecked", "webhook")}
    assert around(aurora_webhook_ca="") == {("unchecked", "webhook", "", "no_webhook")}


def test_contacts_that_would_not_be_told(around: Callable, contact: str) -> None:
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        broken = [
            {"name": "nonsense", "url": "nosuchservice://x"},
            {"name": "empty", "url": ""},
            {"name": "down", "url": f"json://localhost:{taken.getsockname()[1]}/"},
        ]
        assert around(aurora_contacts={"L1": broken}) == {
            ("not_ready", "contact", "nonsense (L1)", "contact_unreadable"),
            ("not_ready", "contact", "empty (L1)", "contact_empty"),
            ("not_ready", "contact", "down (L1)", "contact_down"),
        }
        told = around(aurora_contacts={"L1": [*broken, {"name": "takes", "url": contact}]}, aurora_test_page=True)
    assert {about for _state, _what, about, _why in told} == {f"{one['name']} (L1)" for one in broken}


def test_an_alertmanager_that_is_down(around: Callable) -> None:
    shell(MONITOR, "systemctl stop prometheus-alertmanager")
    try:
        assert around() == {("unchecked", "alertmanager", "", "no_alertmanager")}
    finally:
        shell(MONITOR, "systemctl start prometheus-alertmanager")
        wait_until(lambda: bool(lab.get(lab.state()["hosts"][MONITOR]["address"], 9093, "/-/ready")))


def test_an_alert_that_arrives_is_answered_and_one_that_nobody_takes_is_missed(around: Callable, mended: None) -> None:
    assert around(aurora_heartbeat=True) == set()
    assert "AuroraHeartbeat" not in lab.inside(MONITOR, "amtool", AT, "alert", "query")
    shell(MONITOR, "cp /opt/lab/alertmanager.yml /etc/prometheus/; systemctl reload prometheus-alertmanager")
    wait_until(lambda: routed("CircuitBreakerOpen") == "nobody")
    found = around(aurora_heartbeat=True, aurora_heartbeat_seconds=10)
    assert ("not_ready", "heartbeat", "", "heartbeat_lost") in found
    assert "AuroraHeartbeat" not in lab.inside(MONITOR, "amtool", AT, "alert", "query")


def test_the_whole_playbook_says_what_is_not_ready_and_fails(contact: str) -> None:
    given = variables(contact, aurora_webhook_token="another")  # noqa: S106
    process = start_playbook("preflight", "-e", json.dumps(given))
    output = finish(process)
    assert process.returncode != 0
    assert re.search(r"webhook: not ready: the webhook refuses our token \(401\)", output)


ROUTES = [
    "  routes: []",
    "  routes: [{receiver: a, continue: true}, {receiver: b}, {receiver: c}]",
    "  routes: [{receiver: a, matchers: ['severity=\"P0\"']}, {receiver: b}]",
    "  routes: [{receiver: a, matchers: ['alertname=~\"Circuit\"']}, {receiver: b}]",
    "  routes: [{receiver: a, matchers: ['alertname=~\"Cir.*|X\"'], routes: [{receiver: c, match: {severity: P0}}]}]",
    "  routes: [{receiver: a, match_re: {alertname: 'Circuit(Breaker)?Open'}, continue: true}]",
    "  routes: [{receiver: a, matchers: ['team=\"\"', 'severity!~\"P1|P2\"']}]",
    "  routes: [{receiver: a, matchers: ['{severity=P0,instance=~\"aurora1:.+\"}']}, {receiver: b}]",
    "  routes: [{receiver: a, matchers: ['severity!=P0']}, {routes: [{receiver: b}]}]",
    "  routes: [{receiver: a, matchers: ['instance=\"a,b\"']}, {receiver: c, matchers: [severity = P0 ]}]",
    "  routes: [{receiver: a, matchers: ['instance=~\"aurora1\\\\:[0-9]+\"']}]",
]


@pytest.mark.parametrize("routes", ROUTES)
def test_alerts_are_walked_through_routes_as_amtool_walks_them(routes: str) -> None:
    receivers = "receivers: [{name: team}, {name: a}, {name: b}, {name: c}]"
    text = f"route:\n  receiver: team\n{routes}\n{receivers}\n"
    lab.inside(MONITOR, "tee", "/tmp/routes.yml", input=text.encode())
    for labels in (
        {"alertname": "CircuitBreakerOpen", "severity": "P0", "instance": "aurora1:9000"},
        {"severity": "P1"},
    ):
        asked = [f"{name}={value}" for name, value in labels.items()]
        said = lab.inside(MONITOR, "amtool", "config", "routes", "test", "--config.file=/tmp/routes.yml", *asked)
        sent = _routes.sent(_routes.configuration(text), labels)
        assert ",".join(one.receiver for one in sent) == said
