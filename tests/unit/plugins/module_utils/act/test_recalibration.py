# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a model is fitted to bad trades, refitted without end, or a worse one is kept."""

from __future__ import annotations

import json
import math
import os
import pwd
import subprocess
import sys

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _calibration, _conduct
from ansible_collections.aurora.runbook.plugins.module_utils.act._calibration import Model, Record, Replaced
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages, _options
from ansible_collections.aurora.runbook.plugins.module_utils.base import _files
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import NoAnswerError, RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _trades
from ansible_collections.aurora.runbook.plugins.module_utils.look._trades import Limits
from ansible_collections.aurora.runbook.plugins.modules import recalibration
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_800_000_000.0
DAY = 86400.0
ME = pwd.getpwuid(os.getuid()).pw_name
GOOD, BAD = (
    Model("a" * 64, b"good\xff", int((NOW - 9 * DAY) * 1e9), 0o640),
    Model("b" * 64, b"bad", int(NOW * 1e9), 0o640),
)
WANTED = {"days": 30.0, "max_age": DAY}
RUBBISH = [
    b"",
    b"not json",
    b"\xff\xfe",
    b"7",
    b"[]",
    b"null",
    b"[" * 100000,
    b'{"ts": 1e999, "outcome": 1, "score": 1}',
    b'{"ts": NaN, "outcome": 1, "score": 1}',
    b'{"ts": 1' + b"0" * 400 + b', "outcome": 1, "score": 1}',
    b'{"ts": "yesterday", "outcome": 1, "score": 1}',
    b'{"ts": null, "outcome": 1, "score": 1}',
    b'{"ts": 1800000000, "score": 1}',
    b'{"ts": 1800000000, "outcome": 1}',
    b'{"ts": 1800000000, "outcome": null, "score": 1}',
    b'{"ts": 1800000000, "outcome": 1, "score": "1"}',
    b'{"ts": 1800000000, "outcome": 1, "score": null, "p": 0.5}',
]

LIMITS, NO_RECORD = Limits(), Record()


def trade(age, **changes):
    return json.dumps({"ts": NOW - age, "score": 1.2, "outcome": 1, **changes}).encode()


def cause(lines, days=30.0, limits=LIMITS):
    found = _trades.objection(_trades.examine(lines, days, NOW), days, limits)
    return found[0] if found else None


def test_good_trades_are_fitted_to():
    """A guard that cries wolf would keep the runbook's cure from ever being applied."""
    assert cause([trade(age) for age in range(600)]) is None
    assert cause([trade(5, ts="2027-01-15T07:59:00Z")] * 600) is None
    assert cause([trade(5, ts=(NOW - 5) * 1000)] * 600) is None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], "few_trades"),
        ([trade(10)] * 499, "few_trades"),
        ([trade(40 * DAY)] * 600 + [trade(5)] * 100, "few_trades"),
        ([trade(2 * DAY)] * 600, "stale_trades"),
        ([trade(10)] * 600 + [b"rubbish"] * 40, "malformed_trades"),
        ([b"rubbish"] * 600, "malformed_trades"),
        ([trade(-DAY)] * 600, "clock"),
        ([trade(10)] * 600 + [b"rubbish"] * 20, None),
        ([trade(10)] * 600 + [trade(-DAY)], None),
        ([trade(-60)] * 600, None),
    ],
)
def test_bad_trades_are_refused_by_name(lines, expected):
    """The wrong name sends the engineer after the wrong trouble, none lets a model be fitted to rubbish."""
    assert cause(lines) == expected


def test_more_days_make_enough_trades():
    """Otherwise CALIBRATION_DAYS=90 could never help."""
    lines = [trade(60 * DAY)] * 600 + [trade(5)] * 10
    assert (cause(lines, 30.0), cause(lines, 90.0)) == ("few_trades", None)


@pytest.mark.parametrize("line", RUBBISH)
def test_rubbish_is_counted_and_crashes_nothing(line):
    """A hostile or broken line must neither end the module nor count as a trade."""
    found = _trades.examine([line], 30.0, NOW)
    assert (found.looked_at, found.malformed, found.recent, found.newest_age) == (1, 1, 0, None)


@given(st.lists(st.one_of(st.floats(-2 * DAY, 60 * DAY).map(trade), st.binary(max_size=40)), max_size=60))
def test_every_line_is_counted_once(lines):
    """Shares that do not add up would refuse good data or accept bad."""
    found = _trades.examine(lines, 365.0, NOW)
    assert found.looked_at == len(lines) == found.malformed + found.future + found.recent
    assert (found.newest_age is None) == (found.recent == 0)


@given(st.lists(st.binary(min_size=1, max_size=30).filter(lambda b: b"\n" not in b), max_size=40), st.integers(1, 400))
def test_a_log_across_its_rotation_reads_as_one(tmp_path_factory, lines, size):
    """Right after a rotation the log is nearly empty: reading it alone would say few_trades."""
    log = tmp_path_factory.mktemp("log") / "trades.jsonl"
    cut = len(lines) // 2
    log.with_name("trades.jsonl.1").write_bytes(b"".join(line + b"\n" for line in lines[:cut]))
    log.write_bytes(b"".join(line + b"\n" for line in lines[cut:]))
    read = _trades.read_log(str(log), ME, size)
    assert read == (lines[-len(read) :] if read else [])
    assert _trades.read_log(str(log), ME, 1 << 20) == lines


def test_a_line_that_is_still_written_does_not_count(tmp_path):
    """The writer never stops; half a line is not a malformed trade."""
    log = tmp_path / "trades.jsonl"
    log.write_bytes(b'{"a": 1}\n{"b"')
    assert _trades.read_log(str(log), ME, 1 << 20) == [b'{"a": 1}']
    assert _trades.read_log(str(tmp_path / "none"), ME, 1 << 20) == []


def test_a_log_that_leads_elsewhere_is_not_read(tmp_path):
    """Root reads it: a link must not show somebody else's file."""
    (tmp_path / "secret").write_text("x\n")
    (tmp_path / "trades.jsonl").symlink_to(tmp_path / "secret")
    with pytest.raises(RunbookError):
        _trades.read_log(str(tmp_path / "trades.jsonl"), ME, 1 << 20)


@pytest.mark.parametrize(
    ("environments", "days"),
    [
        ([], 30.0),
        ([{}], 30.0),
        ([{}, {"CALIBRATION_DAYS": "90"}], 90.0),
        ([{"CALIBRATION_DAYS": "nan"}], 30.0),
        ([{"CALIBRATION_DAYS": "9999"}], 30.0),
        ([{"CALIBRATION_DAYS": "x"}, {"CALIBRATION_DAYS": "7"}], 7.0),
    ],
)
def test_the_days_are_those_of_the_running_process(environments, days):
    """Data judged over other days than it is fitted to would be refused or accepted wrongly."""
    assert _trades.days_of(environments) == days


@pytest.mark.parametrize(
    ("arguments", "python"),
    [
        (["/opt/aurora/venv/bin/python3", "run"], "/opt/aurora/venv/bin/python3"),
        (["/usr/bin/python3.10", "-u", "run"], "/usr/bin/python3.10"),
        (["python3", "run"], "/usr/bin/python3"),
        (["/opt/$HOME/python3"], "/usr/bin/python3"),
        (["/opt/run_live_aurora"], "/usr/bin/python3"),
        ([], "/usr/bin/python3"),
    ],
)
def test_code_runs_in_the_python_of_the_service(arguments, python):
    """Aurora's libraries may be in a virtual environment alone."""
    assert _trades.interpreter(arguments) == python


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ('{"ece_before": 0.1, "ece_after": 0.02}', (0.1, 0.02)),
        ('fitting\n{"ece_before": 0.1, "ece_after": 0}\n', (0.1, 0)),
        ('{\n "ece_before": 0.1,\n "ece_after": 0.02\n}', (0.1, 0.02)),
        ('{"ece_before": null, "ece_after": 0.02}', None),
        ('{"ece_before": NaN, "ece_after": 0.02}', None),
        ('{"ece_before": true, "ece_after": 0.02}', None),
        ("Calibration done, ECE 0.02", None),
        ("[" * 100000, None),
        ("7", None),
        ("", None),
    ],
)
def test_errors_are_taken_from_json_alone(text, pair):
    """Hosts differ: what is not JSON must lead to the metric, not to a crash."""
    assert _calibration.reported(text) == pair


@pytest.mark.parametrize(
    ("valid_before", "ece", "valid", "expected"),
    [
        (False, (0.18, 0.02), True, False),
        (True, (0.02, 0.18), True, True),
        (True, (0.02, 0.024), True, False),  # noise
        (True, (0.02, 0.02), False, True),
        (False, (0.18, 0.10), False, False),  # better, if not good
        (None, (None, 0.2), False, False),
        (True, (0.02, None), None, False),
    ],
)
def test_worse_is_what_was_measured_worse(valid_before, ece, valid, expected):
    """A worse model must not trade on, and a better one must not be thrown away."""
    assert _calibration.worse(Replaced(GOOD, ece[0], valid_before), ece, valid) is expected


@pytest.mark.parametrize(
    ("valid", "ece", "expected"),
    [
        (True, 0.02, True),
        (True, None, True),
        (None, 0.02, True),
        (None, None, False),
        (False, 0.02, False),
        (True, 0.06, False),
    ],
)
def test_nothing_known_is_not_fine(valid, ece, expected):
    """A model nobody can judge must not be taken for a good one."""
    assert _calibration.fine(valid, ece, 0.05) is expected


def action(model, record=NO_RECORD, refusal=None, is_fine=False, now=NOW, **wanted):
    return _calibration.plan(model, record, refusal, is_fine, now, {**WANTED, **wanted}).action


def refit(record, model, left, days=30.0, at=NOW):
    """The record after a refit of a model."""
    return _calibration.close(_calibration.begin(record, Replaced(model, 0.1, False)), left, {days: at})


def test_a_model_that_is_not_fine_is_refitted_whatever_its_age():
    assert action(BAD) == action(GOOD) == action(None) == "refit"


def test_a_young_and_fine_model_is_left_alone_and_an_old_one_is_not():
    """A second run must change nothing; a forced refit of an old model must still be possible."""
    assert action(BAD, is_fine=True) == "leave"
    assert action(GOOD, is_fine=True) == "refit"


def test_bad_data_comes_before_all_but_a_refit_that_was_cut_off():
    refusal = ("few_trades", "trades_few", {"count": 1, "days": 30, "needed": 500})
    assert action(BAD, refusal=refusal) == action(BAD, refusal=refusal, is_fine=True) == "refuse"
    unfinished = _calibration.begin(Record(), Replaced(GOOD, 0.02, True))
    assert action(BAD, unfinished, refusal) == "finish"


def test_a_refit_that_never_came_to_a_new_model_is_done_again():
    assert action(GOOD, _calibration.begin(Record(), Replaced(GOOD, 0.02, True))) == "refit"


def test_a_refit_that_did_not_help_is_not_repeated_for_the_time_being():
    """Otherwise each alert refits in vain, on a host that trades."""
    record = refit(Record(), GOOD, BAD)
    assert action(BAD, record) == "refuse"
    assert action(BAD, record, now=NOW + 2 * DAY) == "refit"
    assert action(BAD, record, now=NOW - 60) == "refit"  # the clock was set back: one more time, not never
    assert action(BAD, record, max_age=0) == "refit"


def test_other_days_are_tried_once_and_then_neither_again():
    """30, 90, 30, 90 … would be a loop too."""
    first = refit(Record(), GOOD, BAD)
    assert action(BAD, first, days=90.0) == "refit"
    other = Model("c" * 64, b"", int(NOW * 1e9), 0o640)
    second = refit(first, BAD, other, 90.0)
    assert action(other, second, days=30.0) == action(other, second, days=90.0) == "refuse"


def test_a_model_that_somebody_else_changed_is_a_new_case():
    """What was tried on another model must not keep this one from being mended."""
    record = refit(Record(), GOOD, BAD)
    assert action(GOOD, record) == "refit"
    assert refit(record, GOOD, BAD, 90.0).attempts == {"90": NOW}


def test_a_model_that_was_put_back_and_is_fine_is_left_alone():
    """It is as old as it was; refitting it again would come to the same end."""
    assert action(GOOD, refit(Record(), GOOD, GOOD), is_fine=True) == "leave"


def test_a_refit_that_failed_does_not_count_as_tried():
    record = _calibration.close(_calibration.begin(Record(), Replaced(GOOD, 0.1, False)), GOOD, {})
    assert action(GOOD, record) == "refit"


@pytest.mark.parametrize("model", [None, GOOD, Model("c" * 64, None, 1, 0o600)])
def test_the_record_comes_back_as_it_was_written(model, tmp_path, monkeypatch):
    """A crash between refit and judgement leaves nothing else to go by."""
    monkeypatch.setattr(_calibration._lease, "STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(_calibration, "RECORD", str(tmp_path / "recalibration.json"))
    assert _calibration.load() == Record()
    record = _calibration.begin(Record("a" * 64, {"30": NOW}), Replaced(model, 0.1, None))
    _calibration.save(record)
    assert _calibration.load() == record


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2, "left": "", "attempts": {}, "replaced": null}'])
def test_a_record_of_another_make_is_an_error(text, tmp_path, monkeypatch):
    monkeypatch.setattr(_calibration, "RECORD", str(tmp_path / "recalibration.json"))
    (tmp_path / "recalibration.json").write_text(text)
    with pytest.raises(RunbookError, match="look at it"):
        _calibration.load()


def test_a_model_comes_back_byte_for_byte_with_its_mode_and_age(tmp_path):
    """The runner reads it at any moment, and its age tells whether it is due."""
    path = tmp_path / "calibration.json"
    path.write_bytes(b"worse")
    argv = [sys.executable, "-I", "-c", _calibration.PUT_BACK, str(path), str(GOOD.mode), str(GOOD.changed_ns)]
    subprocess.run(argv, input=GOOD.content, check=True)
    back = _calibration.read_model(str(path), ME)
    assert (back.content, back.mode, back.changed_ns) == (GOOD.content, GOOD.mode, GOOD.changed_ns)
    assert [entry.name for entry in tmp_path.iterdir()] == ["calibration.json"]


def test_a_model_too_large_to_be_kept_is_still_told_apart(tmp_path):
    path = tmp_path / "calibration.json"
    path.write_bytes(b"x" * (_calibration.LARGEST_MODEL + 1))
    model = _calibration.read_model(str(path), ME)
    assert model.content is None
    path.write_bytes(b"y" * (_calibration.LARGEST_MODEL + 1))
    assert _calibration.read_model(str(path), ME).sha256 != model.sha256


def test_a_token_is_read_only_when_it_looks_like_one(tmp_path):
    """Whatever else stands there would be sent to the feed."""
    path = tmp_path / "auth_token"
    for text, token in (("  0123456789abcdef\n", "0123456789abcdef"), ("short", ""), ("two words and more", "")):
        path.write_text(text)
        assert _files.token(str(path), ME) == token
    assert _files.token(str(tmp_path / "none"), ME) == ""


@pytest.mark.parametrize(("before", "now", "expected"), [(None, None, True), (0.1, None, False), (0.1, 0.102, False)])
def test_a_figure_has_moved_when_the_model_is_in_use(before, now, expected):
    """Each trade moves the metric a little; taking that for the new model would judge the old one."""
    assert _calibration.moved(before, now) is expected
    assert _calibration.moved(0.1, 0.02) is True
    assert _calibration.moved(0.1, math.nan) is False


@pytest.mark.parametrize(("now", "kept"), [(GOOD, False), (BAD, True), (None, True)])
def test_a_refit_without_an_answer_is_judged_as_soon_as_its_model_comes(now, kept, monkeypatch):
    """A feed that answers too late would leave a worse model behind, with nobody who compares it."""
    saved = []

    def no_answer(*_arguments):
        raise NoAnswerError("it did not answer: timed out")

    judged = recalibration.Refitted("http", now, (None, None), "metric", True, "")
    for name, stand_in in {
        "refit": no_answer,
        "read_model": lambda _params: now,
        "look_after": lambda *_arguments: judged,
        "TAKE_UP_SECONDS": 0.0,
    }.items():
        monkeypatch.setattr(recalibration, name, stand_in)
    monkeypatch.setattr(_calibration, "save", saved.append)
    site = _trades.Site("aurora", "/opt/aurora", "/usr/bin/python3", 30.0)
    seen = recalibration.Seen(site, _trades.examine([], 30.0, NOW), None, NO_RECORD, GOOD)
    planned = _calibration.Plan("refit", "would_refit", {})
    if kept:
        assert recalibration.apply({}, seen, planned, "") == judged
        assert saved[-1].replaced is None
    else:
        with pytest.raises(RunbookError, match=r"timed out\. The model did not change .* run\s+this again"):
            recalibration.apply({}, seen, planned, "")
        assert saved[-1].replaced.model == GOOD
        assert _calibration.plan(BAD, saved[-1], None, False, NOW, WANTED).action == "finish"


def test_a_refit_to_more_days_is_no_second_refit_and_the_same_again_is_one(tmp_path):
    """Else the rung after CALIBRATION_DAYS=90 waits for the cooldown of the first refit, or a host refits on and on."""
    options = {name: spec.get("default") for name, spec in _options.INCIDENT.items()}
    incident = {**options, "id": "calibration_ece-20261124T180000Z-1a2b3c4d", "run": "first-run"}

    def refits(days):
        """What the guards say, with their default numbers, and how the refit ended."""
        site = _trades.Site("aurora", "/opt/aurora", "/usr/bin/python3", days)
        seen = recalibration.Seen(site, _trades.examine([], days, NOW), None, NO_RECORD, GOOD)
        conduct = _conduct.Conduct("recalibration", incident, False, state=str(tmp_path))
        refusal = conduct.begin("/opt/aurora/models/calibration.json", recalibration.changes(seen))
        conduct.end({"changed": True, "verdict": "not_recovered"})
        return refusal and refusal["text"]

    assert refits(30.0) is None
    assert refits(90.0) is None
    assert "guard cooldown: recalibration model was done" in refits(30.0)
    assert "guard cooldown: recalibration model days=90 was done" in refits(90.0)


def test_the_days_of_a_refit_change_nothing_in_what_people_read_of_it():
    def told(days):
        site = _trades.Site("aurora", "/opt/aurora", "/usr/bin/python3", days)
        seen = recalibration.Seen(site, _trades.examine([], days, NOW), None, NO_RECORD, GOOD)
        return _messages.changes(recalibration.changes(seen))

    assert told(30.0) == told(90.0) == f"model {GOOD.sha256} → None"
