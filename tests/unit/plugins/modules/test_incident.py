# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, check mode says that nothing would be paged or written, and the run after it does so."""

from __future__ import annotations

import functools
import json
from types import FunctionType

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _conduct, _unfinished
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _options
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _claim, _lease, _lease_timer, _pause, _record
from ansible_collections.aurora.runbook.plugins.modules import incident

ID = "circuit_breaker-20261124T180000Z-1a2b3c4d"
DEFAULTS = {"id": None, "verdict": None, "who": "olena", "text": "at it", "minutes": 60, "level": "L1", "key": "k"}
DEFAULTS |= {"sent": [], "failed": [], "took": {}, "at": "", "incident": None}
OPTIONS = {name: spec.get("default") for name, spec in _options.INCIDENT.items()}
RUN = {**OPTIONS, "id": ID, "run": "a-run-of-ours", "by": "olena"}
PAGED = {"level": "L1", "key": "k", "sent": ["sms"], "failed": []}
IN_VAIN = [{"channel": "sms", "problem": "HTTP 500"}]
OPEN = [("opened", {"severity": "P0", "age_seconds": 0.0})]
INTENT = ("intent", {"action": "log_rotation", "target": "/logs", "change": []})


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A host's state in a folder of its own; what of ours names the real one by default names that."""
    place = str(tmp_path / "state")
    for module in (_record, _pause, _claim, _unfinished):
        for function in [each for each in vars(module).values() if isinstance(each, FunctionType)]:
            known = function.__defaults__ or ()
            if _record.STATE_DIRECTORY in known:
                ours = tuple(place if value == _record.STATE_DIRECTORY else value for value in known)
                monkeypatch.setattr(function, "__defaults__", ours)
    monkeypatch.setattr(_record, "MEMORY", str(tmp_path / "memory"))
    alone = functools.partial(_lease.exclusive, guard=str(tmp_path / "guard"))
    monkeypatch.setattr(_lease_timer, "changing", alone)
    return place


def put(state, lines=(), pause=None):
    for what, data in lines:
        _record.append(ID, what, data, state=state)
    if pause is not None:
        _pause.begin(pause, "petro: mine", state)


def call(state, asked, check_mode):
    params = {**DEFAULTS, **asked}
    if params["state"] in incident.CONDUCTED:
        conduct = _conduct.Conduct("incident", params["incident"], check_mode, state=state)
        return _conduct._conducted(params, conduct, incident.CONDUCTED[params["state"]])
    return incident.STATES[params["state"]](params, check_mode)


CLOSED = [*OPEN, ("closed", {"verdict": "closed"})]
CASES = {
    "acknowledged": ({"state": "acknowledged"}, {"lines": OPEN}, True),
    "nothing to acknowledge": ({"state": "acknowledged"}, {"lines": CLOSED}, False),
    "noted": ({"state": "noted", "id": ID}, {"lines": CLOSED}, True),
    "closed": ({"state": "closed"}, {"lines": OPEN}, True),
    "closed already": ({"state": "closed", "id": ID}, {"lines": CLOSED}, False),
    "paused": ({"state": "paused"}, {"lines": OPEN}, True),
    "paused by somebody else": ({"state": "paused"}, {"pause": "2126-11-24T23:00Z"}, True),
    "resumed": ({"state": "resumed"}, {"lines": OPEN, "pause": "2126-11-24T23:00Z"}, True),
    "a pause that is over": ({"state": "resumed"}, {"pause": "2020-11-24T23:00Z"}, True),
    "a pause without an end": ({"state": "resumed"}, {"pause": ""}, True),
    "not paused": ({"state": "resumed"}, {"lines": OPEN}, False),
    "paging": ({"state": "paging"}, {"lines": OPEN}, True),
    "paging what is paged": ({"state": "paging"}, {"lines": [*OPEN, ("paged", PAGED)]}, False),
    "paging what somebody pages": ({"state": "paging"}, {"lines": [*OPEN, ("paging", PAGED)]}, False),
    "paging what nobody got just now": (
        {"state": "paging"},
        {"lines": [*OPEN, ("paged", {**PAGED, "sent": []})]},
        False,
    ),
    "paging another level": ({"state": "paging", "level": "L2"}, {"lines": [*OPEN, ("paged", PAGED)]}, True),
    "paging where nothing is open": ({"state": "paging"}, {"lines": CLOSED}, False),
    "paged": ({"state": "paged", "sent": ["sms"]}, {"lines": OPEN}, True),
    "paged to nobody": ({"state": "paged", "failed": IN_VAIN}, {"lines": OPEN}, True),
    "paged to nobody again": (
        {"state": "paged", "failed": IN_VAIN},
        {"lines": [*OPEN, ("paged", {**PAGED, "sent": [], "failed": IN_VAIN})]},
        False,
    ),
    "ended": ({"state": "ended", "verdict": "recovered", "incident": RUN}, {"lines": OPEN}, False),
    "settled": ({"state": "settled"}, {"lines": [*OPEN, INTENT]}, False),
}


TICKS = {"ticking", "ticked"}  # what a tick claims counts as no change: test_ticks.py


def test_every_state_is_tried():
    states = {*incident.STATES, *incident.CONDUCTED} - TICKS
    assert {asked["state"] for asked, _given, _changed in CASES.values()} == states


@pytest.mark.parametrize(("asked", "given", "changed"), CASES.values(), ids=CASES)
def test_check_mode_predicts_what_the_run_after_it_does_and_writes_nothing(asked, given, changed, state, tmp_path):
    put(state, **given)
    before = written(tmp_path)
    predicted = call(state, asked, check_mode=True)
    assert written(tmp_path) == before
    done = call(state, asked, check_mode=False)
    assert (predicted["changed"], done["changed"]) == (changed, changed)
    for name in ("send", "done"):
        assert predicted.get(name) == done.get(name)
    if asked["state"] in incident.STATES:
        assert (written(tmp_path) != before) is changed


def written(folder):
    """Every file below a folder but the guard of the lock, with what it says."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "guard"]
    return json.dumps({str(path): path.read_text(encoding="utf-8") for path in sorted(files)})


def test_check_mode_tells_what_was_cut_off_and_puts_nothing_on_record(state):
    put(state, [*OPEN, INTENT])
    (said,) = call(state, {"state": "settled"}, check_mode=True)["done"]
    assert said["message"] == "left_unknown"


def test_what_is_told_of_a_page_takes_little_room_whoever_tells_it(state):
    long = "x" * 100000
    failed = [{"channel": long, "problem": long, "more": long}] * 1000
    took = {"loading": True, "channels": [{"channel": long, "seconds": 1.5, "more": long}, long] * 1000, "more": long}
    said = {**DEFAULTS, "who": long, "text": long, "sent": [long] * 1000, "failed": failed, "took": took}
    page = incident.page_of(incident.bounded(said))
    assert len(json.dumps(page)) < 3 * incident.MAX_CHANNELS * (incident.MAX_WHO + incident.MAX_TEXT)
    assert page["took"]["channels"][0] == {"channel": long[: incident.MAX_WHO], "seconds": 1.5}
    assert page["took"]["loading"] is None
    put(state, OPEN)
    call(state, incident.bounded({**said, "state": "noted"}), check_mode=False)
    note = _record.read(ID, state).last("note").data
    assert [len(note[name]) for name in ("who", "text")] == [incident.MAX_WHO, incident.MAX_TEXT]


@pytest.mark.parametrize("wrong", [{"key": "k" * 101}, {"at": "yesterday"}, {"at": "x" * 100000}])
def test_a_key_or_a_time_that_is_none_is_refused(wrong):
    with pytest.raises(RunbookError):
        incident.page_of(incident.bounded({**DEFAULTS, **wrong}))


def test_what_a_sender_of_pages_says_is_on_record_as_it_said_it():
    took = {"loading": 1.43, "channels": [{"channel": "#aurora-incidents", "seconds": 0.31}]}
    said = {"sent": ["#aurora-incidents"], "failed": IN_VAIN, "took": took}
    page = incident.page_of(incident.bounded({**DEFAULTS, **said, "at": "2026-11-24T18:00:05.000Z"}))
    assert page == {"level": "L1", "key": "k", **said, "paged_at": "2026-11-24T18:00:05.000Z"}
