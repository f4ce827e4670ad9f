# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a run says that something is done which was cut off, or undone which stands."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _unfinished
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import CommandError, RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease, _record

ID = "circuit_breaker-20261124T180000Z-1a2b3c4d"
UNIT = "aurora-runner.service"


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setattr(_record, "STATE_DIRECTORY", str(tmp_path))
    return str(tmp_path)


@pytest.fixture
def leased(monkeypatch):
    """What lease stands on the host."""
    standing = {}
    monkeypatch.setattr(_lease, "load", standing.get)
    return standing


def intent(action, target, *steps, leased=True):
    change = [
        {"name": name, "before": before, "after": after, "direction": "reduces", "leased": leased}
        for name, before, after in steps
    ]
    data = {"action": action, "target": target, "change": change, "restart": True, "forced": ""}
    return _record.Entry(2, "", "2026-11-24T18:00:00.000Z", "boot", 5.0, "olena", "run", True, "intent", data)


def lease(written, phase="active", kind="service_override", **more):
    return _lease.Lease(kind, UNIT, phase, {}, written, "2026-11-24T18:00:00+00:00", "olena", **more)


HALVED = intent("service_override", UNIT, ("KELLY_MULTIPLIER", "1.0", "0.5"))
GIVEN_BACK = intent("service_override", UNIT, ("KELLY_MULTIPLIER", "0.5", "1.0"), leased=False)
UNSET = intent("service_override", UNIT, ("KELLY_MULTIPLIER", "0.5", None), leased=False)  # it was not set before
HALF = {"KELLY_MULTIPLIER": "0.5"}


@pytest.mark.parametrize(
    ("cut_off", "standing", "outcome"),
    [
        (HALVED, lease(HALF), "finished"),
        (HALVED, lease({**HALF, "SPREAD_THRESHOLD": "2.0"}), "finished"),
        (HALVED, lease({"KELLY_MULTIPLIER": "0.3"}), "undone"),
        (HALVED, lease({"SPREAD_THRESHOLD": "2.0"}), "undone"),
        (HALVED, None, "undone"),  # killed before it began, or given back
        (HALVED, lease(HALF, "applying"), None),  # its module finishes that first
        (HALVED, lease(HALF, "removing"), None),
        (GIVEN_BACK, None, "finished"),
        (UNSET, None, "finished"),
        (UNSET, lease(HALF), "undone"),
        (GIVEN_BACK, lease({"SPREAD_THRESHOLD": "2.0"}), "finished"),
        (GIVEN_BACK, lease(HALF), "undone"),
        (GIVEN_BACK, lease({}, "removing"), None),
        (intent("service_override", UNIT), None, "finished"),
    ],
)
def test_an_override_is_what_its_lease_says(leased, cut_off, standing, outcome):
    leased[UNIT] = standing
    assert _unfinished.outcome_of(cut_off) == outcome


AUTOCORKING = "net.ipv4.tcp_autocorking"
SET = intent("tcp_tuning", "host", (AUTOCORKING, "1", "0"))
SET_BACK = intent("tcp_tuning", "host", (AUTOCORKING, "0", "1"), leased=False)


@pytest.mark.parametrize(
    ("cut_off", "boot", "outcome"),
    [
        (SET, _lease.boot(), "finished"),
        (SET, "an-earlier-boot", "undone"),
        (SET_BACK, _lease.boot(), "undone"),
        (SET_BACK, "an-earlier-boot", "finished"),
    ],
)
def test_tuning_ends_with_the_boot_of_the_host(leased, cut_off, boot, outcome):
    leased["tcp_tuning"] = lease({AUTOCORKING: "0"}, kind="tcp_tuning", boot=boot)
    assert _unfinished.outcome_of(cut_off) == outcome


def test_a_lease_that_cannot_be_read_says_nothing(monkeypatch):
    def fails(_name):
        raise RunbookError("not one of ours")

    monkeypatch.setattr(_lease, "load", fails)
    assert _unfinished.outcome_of(HALVED) == "unknown"


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        ({"InvocationID": "a", "ActiveState": "active", "SubState": "running"}, "undone"),
        ({"InvocationID": "b", "ActiveState": "active", "SubState": "running"}, "finished"),
        ({"InvocationID": "", "ActiveState": "inactive", "SubState": "dead"}, "unknown"),
        ({"InvocationID": "b", "ActiveState": "failed", "SubState": "failed"}, "unknown"),
    ],
)
def test_a_restart_is_finished_when_the_service_runs_anew(monkeypatch, now, outcome):
    monkeypatch.setattr(_systemd, "show", lambda _run, names: [_systemd.Unit(names[0], now)])
    assert _unfinished.outcome_of(intent("service_restart", UNIT, ("InvocationID", "a", None))) == outcome


def test_a_systemd_that_does_not_answer_says_nothing(monkeypatch):
    def fails(*_arguments):
        raise CommandError("no answer")

    monkeypatch.setattr(_systemd, "show", fails)
    assert _unfinished.outcome_of(intent("service_restart", UNIT, ("InvocationID", "a", None))) == "unknown"


@pytest.mark.parametrize(
    ("pending", "now", "outcome"),
    [
        ({"model": None}, "new", None),  # not judged yet: its module does
        (None, "new", "finished"),
        (None, "old", "undone"),  # never begun, or put back
        (None, None, "finished"),
    ],
)
def test_a_refit_is_finished_when_its_model_was_judged_and_is_another(state, tmp_path, pending, now, outcome):
    (tmp_path / "recalibration.json").write_text(json.dumps({"replaced": pending}), encoding="ascii")
    if now:
        (tmp_path / "model").write_text(now, encoding="ascii")
    before = hashlib.sha256(b"old").hexdigest()
    assert _unfinished.outcome_of(intent("recalibration", str(tmp_path / "model"), ("model", before, None))) == outcome


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"more": 1}'])
def test_a_refit_whose_notes_cannot_be_read_is_not_called_done(state, tmp_path, text):
    (tmp_path / "recalibration.json").write_text(text, encoding="ascii")
    asked = intent("recalibration", str(tmp_path / "model"), ("model", "", None))
    assert _unfinished.outcome_of(asked) in ("undone", "unknown")


def settle_all(run, state):
    records = _record.recent(_record.CUT_OFF_SECONDS, _stamps.clock(), state)
    return _unfinished.settle_all(records, run, "petro", state)


@pytest.mark.parametrize("data", [{}, {"action": "service_override"}, {"action": "log_rotation"}, {"action": []}])
def test_what_nobody_can_tell_is_unknown(leased, data):
    assert _unfinished.outcome_of(replace(HALVED, data=data)) == "unknown"


def test_every_intent_gets_a_result_and_a_sentence_once(state, leased):
    leased[UNIT] = lease(HALF)
    _record.append(ID, "opened", {}, "first-run", "olena", state)
    cut_off = _record.append(ID, "intent", HALVED.data, "first-run", "olena", state)
    _record.append(ID, "intent", GIVEN_BACK.data, "first-run", "olena", state)
    said = settle_all("second-run", state)
    assert [sentence["message"] for sentence in said] == ["left_finished", "left_undone"]
    assert all(part in said[0]["text"] for part in ("olena", cut_off.at, UNIT, "KELLY_MULTIPLIER 1.0 → 0.5"))
    results = [entry for entry in _record.read(ID, state).entries if entry.what == "result"]
    assert [(entry.by, entry.run, entry.data["outcome"], entry.data["changed"]) for entry in results] == [
        ("petro", "second-run", "finished", True),
        ("petro", "second-run", "undone", False),
    ]
    assert results[0].data["intent"] == cut_off.seq
    assert settle_all("third-run", state) == []


def test_a_record_that_takes_no_line_keeps_none_of_the_others_from_theirs(state, leased, monkeypatch):
    leased[UNIT] = lease(HALF)
    other = ID.replace("circuit_breaker", "execution_latency")
    for identity in (ID, other):
        _record.append(identity, "intent", HALVED.data, "first-run", "olena", state)
    append = _record.append

    def refuses(identity, *rest):
        if identity == ID:
            raise RunbookError("the record cannot be written")
        return append(identity, *rest)

    monkeypatch.setattr(_record, "append", refuses)
    said = settle_all("second-run", state)
    assert [one["message"] for one in said] == ["left_finished", "left_not_on_record", "left_finished"]
    assert _unfinished.unknown(said)  # a person has to look
    assert [len(_record.read(identity, state).unfinished) for identity in (ID, other)] == [1, 0]


def test_what_its_module_must_finish_first_stays_open(state, leased):
    leased[UNIT] = lease(HALF, "applying")
    _record.append(ID, "intent", HALVED.data, "first-run", "olena", state)
    assert settle_all("second-run", state) == []
    assert len(_record.read(ID, state).unfinished) == 1
