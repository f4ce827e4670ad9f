# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, an alert starts nothing, starts the wrong thing, or brings ansible-rulebook down."""

from __future__ import annotations

import copy
import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from ansible_collections.aurora.runbook.plugins.module_utils.base import _names
from ansible_collections.aurora.runbook.plugins.plugin_utils import _alert
from ansible_rulebook.rules_parser import parse_rule_sets
from hypothesis import given
from hypothesis import strategies as st

CHECKOUT = Path(__file__).resolve().parents[3]
COLLECTION = Path(_alert.__file__).parents[2]  # where it is a collection, through the link of ./dev
FILTER = COLLECTION / "extensions" / "eda" / "plugins" / "event_filter" / "alert.py"
RULEBOOKS = sorted((CHECKOUT / "extensions" / "eda" / "rulebooks").glob("*.yml"))
main = runpy.run_path(str(FILTER))["main"]

# As the lab's Alertmanager posted it.
PAYLOAD = json.loads(Path(__file__).with_name("alertmanager_0_25.json").read_text(encoding="utf-8"))
ALERT = PAYLOAD["alerts"][0]
META = {"endpoint": "alerts", "headers": {"Host": "eda:5000", "User-Agent": "Alertmanager/0.25.0"}}
SHAPES = {
    "eda.builtin.webhook": {"payload": PAYLOAD, "meta": META},
    "eda.builtin.event_splitter": ALERT,
    "ansible.eda.alertmanager, per alert": {"alert": ALERT, "meta": {**META, "hosts": ["aurora1"]}},
    "ansible.eda.alertmanager, original": {"payload": PAYLOAD, "meta": META},
    "event stream": {"payload": PAYLOAD, "meta": {**META, "eda_event_stream_name": "aurora"}},
}
EXPECTED = {
    "incident": "circuit_breaker",
    "host": "aurora1",
    "key": "a78b9f41668c7620 2026-11-25T04:35:52+00:00",
    "alert": {
        "name": "CircuitBreakerOpen",
        "status": "firing",
        "labels": {"alertname": "CircuitBreakerOpen", "instance": "aurora1"},
        "fingerprint": "a78b9f41668c7620",
        "startsAt": "2026-11-25T04:35:52+00:00",
    },
}


def with_alert(**changes):
    """The payload with one alert that differs, labels by their own names."""
    event = copy.deepcopy(SHAPES["eda.builtin.webhook"])
    alert = event["payload"]["alerts"][0]
    for name, value in changes.items():
        (alert["labels"] if name in alert["labels"] else alert)[name] = value
    return event


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_alert_comes_out_of_every_shape(shape):
    assert main(copy.deepcopy(SHAPES[shape])) == [{"aurora": EXPECTED}]


BEAT = {"status": "firing", "labels": {"alertname": "AuroraHeartbeat", "heartbeat": "0123456789abcdef"}}


def test_a_heartbeat_comes_through_beside_alerts_and_nothing_of_it_but_its_own_number():
    found = main({"payload": {"alerts": [ALERT, BEAT]}, "meta": META})
    assert found == [{"aurora": EXPECTED}, {"aurora": {"heartbeat": "0123456789abcdef"}}]


@pytest.mark.parametrize(
    "alert",
    [
        {**BEAT, "status": "resolved"},
        {**BEAT, "labels": {"alertname": "AuroraHeartbeat"}},
        {**BEAT, "labels": {**BEAT["labels"], "heartbeat": "{{ lookup('pipe', 'id') }}"}},
        {**BEAT, "labels": {**BEAT["labels"], "heartbeat": 7}},
        {**BEAT, "labels": []},
    ],
)
def test_what_is_no_heartbeat_starts_nothing(alert):
    assert main({"payload": {"alerts": [alert]}, "meta": META}) == []


def test_what_comes_out_is_what_the_playbook_takes():
    (event,) = main(SHAPES["eda.builtin.webhook"])
    target = _alert.target(event["aurora"]["alert"], {"aurora1": "192.0.2.21"}, 0.0)
    assert (target.incident, target.host, target.key) == ("circuit_breaker", "aurora1", event["aurora"]["key"])


@pytest.mark.parametrize(
    ("instance", "hosts", "host"),
    [
        ("aurora1:9000", None, "aurora1"),
        ("AURORA1.example.com", None, "aurora1.example.com"),
        ("192.0.2.21:9000", None, "192.0.2.21"),
        ("[2001:db8::22]:9000", None, "2001:db8::22"),
        ("2001:db8::22", None, "2001:db8::22"),
        ("https://aurora1:9000/metrics", None, "aurora1"),
        ("10.0.0.5:9000", {"10.0.0.5": "aurora-a.example.com"}, "aurora-a.example.com"),
    ],
)
def test_an_instance_label_names_its_host(instance, hosts, host):
    assert [event["aurora"]["host"] for event in main(with_alert(instance=instance), hosts)] == [host]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "resolved"},
        {"alertname": "NodeDown"},
        {"instance": "{{ lookup('pipe', 'id') }}"},
        {"instance": "aurora1,aurora2"},
        {"instance": "*"},
        {"instance": "a" * 300},
        {"instance": ""},
        {"labels": None},
    ],
)
def test_what_does_not_fire_or_is_malformed_is_dropped_and_the_rest_goes_on(changes):
    event = with_alert(**changes)
    event["payload"]["alerts"].append(ALERT)
    assert main(event) == [{"aurora": EXPECTED}]


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        ({"fingerprint": ""}, "fingerprint"),
        ({"fingerprint": "{{ 1 }}"}, "fingerprint"),
        ({"startsAt": "now"}, "startsAt"),
        ({"startsAt": "0001-01-01T00:00:00Z"}, "startsAt"),
        ({"startsAt": "2026-11-25T04:35:60Z"}, "startsAt"),
        ({"startsAt": None}, "startsAt"),
    ],
)
def test_what_cannot_be_read_of_an_alert_is_left_out_and_the_alert_goes_on(changes, lost):
    (event,) = main(with_alert(**changes))
    assert event["aurora"]["alert"] == {name: value for name, value in EXPECTED["alert"].items() if name != lost}
    assert event["aurora"]["key"] == "CircuitBreakerOpen aurora1"


def test_a_label_that_the_filter_is_told_of_names_its_host():
    """The filter does not see the inventory, which names that label to all others."""
    labels = {"alertname": "CircuitBreakerOpen", "instance": "proxy:8080", "site_host": "Aurora A"}
    (event,) = main(with_alert(labels=labels), label="site_host")
    assert event["aurora"]["host"] == "Aurora A"
    assert event["aurora"]["alert"]["labels"]["site_host"] == "Aurora A"


def test_a_label_that_could_be_two_hosts_names_none_and_the_rest_goes_on():
    hosts = {"gw.example.com:9001": "aurora-a", "gw.example.com:9002": "aurora-b"}
    event = with_alert(instance="gw.example.com:9001")
    event["payload"]["alerts"].append(ALERT)
    assert [found["aurora"]["host"] for found in main(event, hosts)] == ["aurora1"]


def test_whose_a_label_is_comes_beside_the_label_as_the_alert_has_it():
    """A silence and PromQL match the label, and not the name in the inventory."""
    (event,) = main(with_alert(instance="[2001:0DB8:0::5]:9000"), {"2001:db8::5": "AURORA-A"})
    assert event["aurora"]["host"] == "AURORA-A"
    target = _alert.target(event["aurora"]["alert"], {"AURORA-A": "192.0.2.21"}, 0.0)
    assert (target.host, target.label, target.instance) == ("AURORA-A", "instance", "2001:db8::5")
    assert "2001:db8::5" in _names.labels_of("AURORA-A", {"AURORA-A": "192.0.2.21"}, seen=target.instance)


def test_hosts_behind_one_proxy_are_told_apart():
    labels = [{**ALERT["labels"], "instance": "proxy:9090", "exported_instance": f"aurora{n}:9000"} for n in (1, 2)]
    events = [main(with_alert(labels=each))[0] for each in labels]
    assert [event["aurora"]["host"] for event in events] == ["aurora1", "aurora2"]
    target = _alert.target(events[1]["aurora"]["alert"], {"aurora1": "192.0.2.21", "aurora2": "192.0.2.22"}, 0.0)
    assert (target.host, target.label) == ("aurora2", "exported_instance")


def test_no_label_of_a_sender_is_passed_on():
    event = with_alert(job="{{ 7 * 7 }}", annotations={"summary": "{{ 7 * 7 }}"}, severity="{{ 7 * 7 }}")
    assert "{{" not in json.dumps(main(event))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["alert", "alerts", "payload", "labels", "status", "x"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
def test_whatever_is_posted_raises_nothing(event):
    assert main(event) == []


@pytest.mark.parametrize("with_ansible", [False, True])
def test_it_works_where_only_the_collection_is(tmp_path, with_ansible):
    """ansible-rulebook's Python need not find the collection that its plugins come from."""
    collection = tmp_path / "ansible_collections" / "aurora" / "runbook"
    for folder in ("plugins", "extensions"):
        shutil.copytree(CHECKOUT / folder, collection / folder)
    if with_ansible:  # the package of that name, which has another ansible_collections
        (tmp_path / "ansible" / "ansible_collections").mkdir(parents=True)
        (tmp_path / "ansible" / "ansible_collections" / "__init__.py").touch()
    script = (
        "import json, runpy, sys; sys.path.insert(0, sys.argv[3]);"
        "print(json.dumps(runpy.run_path(sys.argv[1])['main'](json.loads(sys.argv[2]))))"
    )
    plugin = collection / FILTER.relative_to(COLLECTION)
    python = Path(sys.base_prefix, "bin", "python3")
    event = json.dumps(SHAPES["eda.builtin.webhook"])
    argv = [str(python), "-I", "-c", script, str(plugin), event, str(tmp_path / "ansible")]
    said = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert json.loads(said) == [{"aurora": EXPECTED}]


@pytest.mark.parametrize("path", RULEBOOKS, ids=lambda path: path.stem)
def test_a_rulebook_is_one_that_ansible_rulebook_takes(path):
    rulebook = yaml.safe_load(path.read_text(encoding="utf-8"))
    schema = Path(sys.modules["ansible_rulebook"].__file__).parent / "schema" / "ruleset_schema.json"
    jsonschema.validate(rulebook, json.loads(schema.read_text(encoding="utf-8")))
    (rules,) = parse_rule_sets(rulebook)
    assert [source_filter.filter_name for source_filter in rules.sources[0].source_filters] == ["aurora.runbook.alert"]
    assert rules.rules[0].throttle.group_by_attributes == ["event.aurora.incident", "event.aurora.host"]
