# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, an account that may only ask the program on a host can do what nobody allowed it."""

from __future__ import annotations

import copy
import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.aurora.runbook.plugins.module_utils.base import _files
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.program import _allowed
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record
from ansible_collections.aurora.runbook.plugins.plugin_utils import _on_host, _program

CHECKOUT = Path(__file__).resolve().parents[5]
PREPARED = yaml.safe_load((CHECKOUT / "roles/prepare/vars/main.yml").read_text(encoding="utf-8"))["__prepare_allowed"]
# Options that stay at their defaults for such an account: it has no way to say otherwise.
FIXED = {
    *(f"{module}.incident.force" for module in ("incident", *_allowed.GUARDED)),
    *(f"log_rotation.{name}" for name in ("method", "config", "main_config", "script")),
    *(f"log_rotation.{name}" for name in ("keep", "min_free_percent", "max_age", "reopen_seconds")),
    *(f"recalibration.{name}" for name in ("method", "min_trades", "max_malformed_percent")),
    *(f"recalibration.{name}" for name in ("max_stale_seconds", "max_age_seconds")),
}
ALLOWED = {
    "service_override": {
        "name": ["aurora-runner.service"],
        "environment": {"KELLY_MULTIPLIER": {"from": 0, "to": 0.5}},
        "limits": {"memory_max": ["1G"]},
        "approve": ["spread_threshold"],
        "lease_seconds": {"from": 0, "to": 7200},
        "health_url": ["http://localhost:9000/metrics", ""],
        "incident": {"cooldown_seconds": [1500.0], "max_per_hour": [6]},
        "recovery": {"url": ["http://localhost:9000/metrics"], "threshold": []},
    },
    "triage_info": {"thresholds": [{}], "why_causes": [{}]},
    "tcp_tuning": {},
    "incident": {"state": ["noted"]},
}
ID = "circuit_breaker-20261124T180000Z-1a2b3c4d"
URL = "http://localhost:9000/metrics"


def spec(module: str) -> dict:
    return importlib.import_module(f"{_allowed.MODULES}.{module}").ARGUMENTS["argument_spec"]


def defaults(options: dict, **given: object) -> dict:
    return copy.deepcopy({**{name: one.get("default") for name, one in options.items()}, **given})


def incident(**given: object) -> dict:
    return defaults(spec("service_override")["incident"]["options"], id=ID, run="0123456789abcdef", **given)


def recovery(**given: object) -> dict:
    return defaults(spec("service_override")["recovery"]["options"], **{"indicator": "circuit_breaker", **given})


def override(**given: object) -> dict:
    kelly = {"name": "aurora-runner.service", "environment": {"KELLY_MULTIPLIER": "0.5"}, "incident": incident()}
    return defaults(spec("service_override"), **{**kelly, **given})


def refused(module: str, params: dict) -> list[str]:
    return list(_allowed.refusals(module, spec(module), params, ALLOWED))


def paths(options: dict, above: str) -> Iterator[str]:
    """Every option of a specification, with those of its dicts."""
    for name, one in options.items():
        if one.get("options"):
            yield from paths(one["options"], f"{above}.{name}")
        else:
            yield f"{above}.{name}"


def named(rules: dict, above: str, known: set[str]) -> Iterator[str]:
    for name, rule in rules.items():
        where = f"{above}.{name}"
        if where in known or not isinstance(rule, dict):
            yield where
        else:
            yield from named(rule, where, known)


def test_each_option_of_each_module_is_constrained_or_chosen_freely_on_purpose() -> None:
    every = {path for module in _allowed.CHOSEN for path in paths(spec(module), module)}
    chosen = {f"{module}.{name}" for module, names in _allowed.CHOSEN.items() for name in names}
    sets = [(module, one) for module, rules in PREPARED.items() for one in _allowed._sets(rules)]
    ruled = {path for module, one in sets for path in named(one, module, every)} - {"service_override.needs"}
    assert every - chosen - ruled - FIXED == set()
    assert (chosen | ruled | FIXED) - every == set(), "options that no module has"
    assert [chosen & ruled, chosen & FIXED, ruled & FIXED] == [set(), set(), set()]


def test_each_module_for_hosts_can_be_asked_for_or_needs_no_root() -> None:
    modules = {path.stem for path in CHECKOUT.glob("plugins/modules/*.py")} - set(_program.ELSEWHERE) - {"decision"}
    assert modules == set(_allowed.CHOSEN) | set(_on_host.WITHOUT_ROOT)
    assert set(PREPARED) == set(_allowed.CHOSEN)


def test_all_that_acts_is_held_to_the_guards() -> None:
    assert set(_allowed.GUARDED) == set(_program.ACTS)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"environment": {"KELLY_MULTIPLIER": 0.3}},
        {"state": "absent", "environment": None, "incident": None},
        {"limits": {"memory_max": "1G", "memory_high": None, "cpu_quota": None}},
        {"approve": ["spread_threshold"]},
        {"lease_seconds": 7200},
        {"health_url": "http://localhost:9000/metrics"},
        {"incident": incident(by="olena", seen={"any": ["thing"]}, healthy_peers=3)},
        {"recovery": recovery(url="http://localhost:9000/metrics")},
    ],
)
def test_what_is_allowed_is_not_refused(given: dict) -> None:
    assert refused("service_override", override(**given)) == []


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"name": "nginx.service"}, "name"),
        ({"name": "aurora-runner.service "}, "name"),
        ({"environment": {"KELLY_MULTIPLIER": "0.51"}}, "environment.KELLY_MULTIPLIER"),
        ({"environment": {"KELLY_MULTIPLIER": "nan"}}, "environment.KELLY_MULTIPLIER"),
        ({"environment": {"KELLY_MULTIPLIER": "1e-1"}}, "environment.KELLY_MULTIPLIER"),
        ({"environment": {"KELLY_MULTIPLIER": "0.5\nLD_PRELOAD=/tmp/x"}}, "environment.KELLY_MULTIPLIER"),
        ({"environment": {"KELLY_MULTIPLIER": True}}, "environment.KELLY_MULTIPLIER"),
        ({"environment": {"KELLY_MULTIPLIER": ["0.5"]}}, "environment.KELLY_MULTIPLIER"),
        ({"environment": {"LD_PRELOAD": "0.5"}}, "environment.LD_PRELOAD"),
        ({"environment": {"KELLY_MULTIPLIER": "0.5", "P_THRESHOLD": "0.5"}}, "environment.P_THRESHOLD"),
        ({"limits": {"memory_max": "2G", "memory_high": None, "cpu_quota": None}}, "limits.memory_max"),
        ({"limits": {"memory_max": None, "memory_high": "1G", "cpu_quota": None}}, "limits.memory_high"),
        ({"approve": ["spread_threshold", "p_threshold"]}, "approve"),
        ({"lease_seconds": 7201}, "lease_seconds"),
        ({"health_url": "http://169.254.169.254/latest"}, "health_url"),
        ({"health_url": "http://localhost:9000/metrics/../x"}, "health_url"),
        ({"incident": None}, "a call without an incident"),
        ({"incident": incident(force="because")}, "incident.force"),
        ({"incident": incident(cooldown_seconds=0.0)}, "incident.cooldown_seconds"),
        ({"incident": incident(max_per_hour=7)}, "incident.max_per_hour"),
        ({"incident": incident(max_per_hour=None)}, "incident.max_per_hour"),
        ({"incident": incident(max_ineffective=100)}, "incident.max_ineffective"),
        ({"recovery": recovery(url="file:///etc/shadow")}, "recovery.url"),
        ({"recovery": recovery(threshold=9.0)}, "recovery.threshold"),
    ],
)
def test_what_is_not_allowed_is_refused(given: dict, option: str) -> None:
    assert refused("service_override", override(**given)) == [option]


RUNNER = {"name": ["aurora-runner.service"], "health_url": ["http://localhost:9000/metrics"], "needs": ["health_url"]}
KNOBS = {"environment": {"SPREAD_THRESHOLD": {"from": 0, "to": 2}}, "incident": ALLOWED["service_override"]["incident"]}
BY_UNIT = {
    "service_override": [
        {**RUNNER, **KNOBS, "direction": ["reduces"]},
        {**RUNNER, **KNOBS, "direction": ["increases"], "needs": ["health_url", "recovery"], "recovery": {}},
        {"name": ["aurora-live-feed.service"], "limits": {"memory_max": ["1G"]}, "incident": KNOBS["incident"]},
    ]
}
SPREAD = {"environment": {"SPREAD_THRESHOLD": "2"}, "health_url": "http://localhost:9000/metrics"}
LIMIT = {"limits": {"memory_max": "1G", "memory_high": None, "cpu_quota": None}, "environment": None}
WATCHED = defaults(
    importlib.import_module(f"{_allowed.MODULES}.service_override").ARGUMENTS["argument_spec"]["recovery"]["options"],
    indicator="circuit_breaker",
    hold_seconds=60.0,
)


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        (SPREAD, True),
        ({**SPREAD, "health_url": None}, False),
        ({**SPREAD, "health_url": ""}, False),
        ({**SPREAD, "direction": "increases"}, False),
        ({**SPREAD, "direction": "increases", "recovery": WATCHED}, True),
        ({**SPREAD, "direction": "neutral"}, False),
        ({**SPREAD, "name": "aurora-live-feed.service"}, False),
        ({**LIMIT, "name": "aurora-live-feed.service"}, True),
        (LIMIT, False),
    ],
)
def test_a_call_fits_one_set_of_rules_whole(given: dict, allowed: bool) -> None:
    """A set a unit: the feed takes no knob, the runner is judged by its own page, and a raise is watched."""
    found = _allowed.refusals("service_override", spec("service_override"), override(**given), BY_UNIT)
    assert (found == []) is allowed, found


@pytest.mark.parametrize("identity", ["zz-20261124T180000Z-1a2b3c4d", "circuit_breaker-99991231T235959Z-1a2b3c4d"])
def test_an_incident_of_no_class_or_from_the_future_is_refused(identity: str) -> None:
    """Records that are over are removed by the date in their ids, and guards count what is left."""
    with pytest.raises(RunbookError):
        _allowed._check_incidents({"incident": incident() | {"id": identity}}, 1.8e9)
    _allowed._check_incidents({"incident": incident(), "id": None}, 1.8e9)
    _allowed._check_incidents({"incident": "circuit_breaker"}, 1.8e9)  # of a look


def test_a_request_as_deep_as_ours_is_one() -> None:
    evidence = [{"message": "breached", "values": {"value": [1, {"of": 2}]}}]
    params = {"incident": {"seen": {"causes": [{"cause": "wide_spreads", "evidence": evidence}]}}}
    assert _allowed.request(asked(params=params))["params"] == params


BY_INDICATOR = {"url": [URL], "threshold": {"by": "indicator", "values": {"circuit_breaker": 1.0, "ece_drift": 9.0}}}


@pytest.mark.parametrize(
    ("indicator", "threshold", "allowed"),
    [
        ("circuit_breaker", None, True),
        ("circuit_breaker", 1.0, True),
        ("circuit_breaker", 9.0, False),
        ("ece_drift", 1.0, False),
        ("execution_latency", None, True),
    ],
)
def test_a_limit_of_one_indicator_is_not_that_of_another(indicator: str, threshold: float, allowed: bool) -> None:
    """Otherwise all that was tried seems to have helped."""
    rules = {"service_override": {**ALLOWED["service_override"], "recovery": BY_INDICATOR}}
    params = override(recovery=recovery(indicator=indicator, threshold=threshold))
    found = _allowed.refusals("service_override", spec("service_override"), params, rules)
    assert found == ([] if allowed else ["recovery.threshold"])


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A host whose list allows all that ALLOWED has; its records."""
    monkeypatch.setattr(_allowed, "load", lambda: ALLOWED)
    monkeypatch.setattr(_allowed._pause, "load", lambda _now: None)
    state = str(tmp_path / "state")
    monkeypatch.setattr(_allowed._check_room, "__defaults__", (state,))
    return state


@pytest.mark.usefixtures("checked")
def test_what_acts_says_for_which_cause() -> None:
    """Otherwise the guard that counts the same cure for the same cause counts nothing."""
    for cause in ("", "  "):
        with pytest.raises(RunbookError, match="cause"):
            _allowed.check({"module": "service_override", "params": override(incident=incident(cause=cause))})
    _allowed.check({"module": "service_override", "params": override(incident=incident(cause="wide_spreads"))})
    back = {"state": "absent", "environment": None, "incident": None}
    _allowed.check({"module": "service_override", "params": override(**back)})


def test_where_records_take_too_much_room_the_account_writes_nothing_more(
    checked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"module": "service_override", "params": override(incident=incident(cause="wide_spreads"))}
    back = {"module": "service_override", "params": override(state="absent", environment=None, incident=None)}
    noted = {"module": "incident", "params": defaults(spec("incident"), state="noted", who="x")}
    _record.append(ID, "opened", {}, state=checked)
    for limit in ("MOST_RECORDS", "MOST_BYTES"):
        for one in (asked, noted, back):
            _allowed.check(one)
        with monkeypatch.context() as patch:
            patch.setattr(_allowed, limit, 0)
            for one in (asked, noted):
                with pytest.raises(RunbookError, match="administrator"):
                    _allowed.check(one)
            _allowed.check(back)


@pytest.mark.parametrize("missing", ["approve", "lease_seconds", "hold_seconds", "state"])
def test_an_option_that_has_a_default_cannot_be_left_out(missing: str) -> None:
    assert refused("service_override", override(**{missing: None})) == [missing]
    without = override()
    del without[missing]
    assert refused("service_override", without) == [missing]


@pytest.mark.parametrize("option", ["user", "home", "trade_log", "auth_token_file", "public_url", "runner_unit"])
def test_an_option_that_is_not_named_has_its_default(option: str) -> None:
    assert refused("triage_info", defaults(spec("triage_info"))) == []
    assert refused("triage_info", defaults(spec("triage_info"), **{option: "/etc/shadow"})) == [option]


def test_what_a_value_is_held_to_is_never_read_as_a_range_where_it_is_none() -> None:
    for rule in (None, True, "0.5", {}, {"from": 0}, {"from": "x", "to": 1}, {"from": 0, "to": 1, "or": 2}, 0.5):
        allowed = {"service_override": {**ALLOWED["service_override"], "environment": {"KELLY_MULTIPLIER": rule}}}
        found = list(_allowed.refusals("service_override", spec("service_override"), override(), allowed))
        assert found == ["environment.KELLY_MULTIPLIER"], rule


def test_a_pause_of_all_automation_is_a_persons() -> None:
    for state in ("paused", "resumed"):
        assert state not in PREPARED["incident"]["state"]
    assert refused("incident", defaults(spec("incident"), state="resumed", who="x")) == ["state"]


def asked(**given: object) -> bytes:
    whole = {"module": "incident_info", "params": {}, "check_mode": False, "program": "0.2.0-0123456789abcdef"}
    return json.dumps({**whole, **given}).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"[" * 200000,
        b'{"module": "incident_info"}',
        asked(module=["incident_info"]),
        asked(params=[]),
        asked(check_mode=1),
        asked(check_mode="no"),
        asked(more=1),
        asked(params={"days": float("nan")}),
        asked(params={"days": float("inf")}),
        asked(params={"incident": json.loads("[" * 20 + "]" * 20)}),
        asked(params=json.loads('{"a":' * 100 + "1" + "}" * 100)),
    ],
)
def test_what_is_no_request_is_refused(raw: bytes) -> None:
    with pytest.raises(RunbookError):
        _allowed.request(raw)


@pytest.mark.parametrize(
    "module",
    ["", "program", "decision", "public_way_info", "../act/_service", "incident_info.main", "os", "_call", "x" * 500],
)
def test_no_other_module_is_imported(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_allowed.importlib, "import_module", pytest.fail)
    with pytest.raises(RunbookError):
        _allowed.check({"module": module, "params": {}})


@pytest.mark.parametrize("params", [{"nonsense": 1}, {"days": "1"}, {"entries": 1}, {"days": True}])
def test_an_option_that_the_module_does_not_know_or_of_another_type_is_refused(params: dict) -> None:
    with pytest.raises(RunbookError):
        _allowed.check({"module": "incident_info", "params": params})


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the folder of the test were root's; who owns a file is shown in the lab."""
    monkeypatch.setattr(_files, "read_trusted", lambda path: (path, _files.read(path)))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"incident": []}', '{"incident": {"state": NaN}}'])
@pytest.mark.usefixtures("trusted")
def test_a_malformed_list_allows_nothing(text: str, tmp_path: Path) -> None:
    path = tmp_path / "allowed.json"
    path.write_text(text, encoding="ascii")
    with pytest.raises(RunbookError):
        _allowed.load(str(path))


@pytest.mark.usefixtures("trusted")
def test_a_list_behind_a_link_allows_nothing(tmp_path: Path) -> None:
    path, link = tmp_path / "allowed.json", tmp_path / "link.json"
    path.write_text(json.dumps(ALLOWED), encoding="ascii")
    link.symlink_to(path)
    assert _allowed.load(str(path)) == ALLOWED
    with pytest.raises(RunbookError):
        _allowed.load(str(link))
