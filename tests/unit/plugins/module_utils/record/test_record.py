# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, what was done to a trading host is forgotten, forged unseen, or keeps the next run from working."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record
from hypothesis import given, settings
from hypothesis import strategies as st

ID = "circuit_breaker-20261124T180000Z-1a2b3c4d"
EARLIER = "circuit_breaker-20261124T170000Z-ffffffff"
LATER = "circuit_breaker-20261124T190000Z-00000000"
OTHER = "sse_availability-20261124T180000Z-1a2b3c4d"
BOOT = "0b0e7c3e-9d54-4a6c-a9a0-d6f5a4a3c6a1"
RUN, SECOND = "run-number-one", "run-number-two"
ALERT = {"name": "CircuitBreakerOpen", "fingerprint": "abc", "starts_at": "2026-11-24T18:00:00+00:00"}


@pytest.fixture
def state(tmp_path):
    return str(tmp_path / "state")


@pytest.fixture
def clock(monkeypatch):
    """A host's clock that the test sets."""
    shown = {"wall": 1.8e9, "boot": BOOT, "up": 1000.0}
    monkeypatch.setattr(_stamps, "clock", lambda: _stamps.Clock(**shown))
    return shown


def write(state, *whats, identity=ID, run=RUN):
    return [_record.append(identity, what, {"text": what}, run, "olena", state) for what in whats]


def raw(state, identity=ID):
    with open(_record.path(identity, state), "rb") as file:
        return file.read()


def overwrite(state, content, identity=ID):
    with open(_record.path(identity, state), "wb") as file:
        file.write(content)


def join(state, identity=ID, run=RUN, **opening):
    return _record.join(identity, _record.Opening(**opening), run, "olena", state)


def whats(state, identity=ID):
    return [entry.what for entry in _record.read(identity, state).entries]


def encoded(seq, prev="", at="2026-11-24T18:00:00.000Z", **more):
    fields = {"at": at, "boot": BOOT, "by": "olena", "data": {}, "open": True, "run": RUN, "up": 1.0, "what": "note"}
    return json.dumps({**fields, "prev": prev, "seq": seq, **more}).encode()


# What is written stands


def test_a_line_reads_back_as_it_was_written_and_belongs_to_root_alone(state):
    written = write(state, "opened", "intent", "result")
    record = _record.read(ID, state)
    assert (list(record.entries), record.problem, record.torn) == (written, "", False)
    assert [entry.seq for entry in written] == [1, 2, 3]
    assert os.stat(state).st_mode & 0o777 == 0o700
    assert os.stat(_record.directory(state)).st_mode & 0o777 == 0o700
    assert os.stat(_record.path(ID, state)).st_mode & 0o777 == 0o600


def test_the_head_tells_two_ends_apart(state):
    write(state, "opened")
    first = _record.read(ID, state).head
    write(state, "note")
    assert len({first, _record.read(ID, state).head, _record.read(OTHER, state).head}) == 3


def test_no_secret_comes_to_be_in_a_record(state):
    data = {
        "problem": "POST /recalibrate: Authorization: Bearer abcdef123456",
        "deep": [{"text": "https://user:hunter2@example.com"}],
        "auth_token": "hunter3",
        "more": {"api_key": "hunter4"},
    }
    _record.append(ID, "note", data, RUN, "password=hunter5", state)
    assert not [secret for secret in (b"abcdef123456", b"hunter") if secret in raw(state)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.dictionaries(st.text(max_size=20), st.text(max_size=200) | st.integers() | st.none()), max_size=6),
    st.floats(0, 1, exclude_max=True),
    st.integers(1, 255),
)
def test_any_change_of_a_line_but_the_last_is_found(tmp_path_factory, datas, where, flip):
    """The oracle: the bytes as they were written. Whole they are whole, with a byte changed they are not."""
    state = str(tmp_path_factory.mktemp("state"))
    for data in [*datas, {}, {}]:
        _record.append(ID, "note", data, RUN, "olena", state)
    content = bytearray(raw(state))
    assert _record.parse(ID, bytes(content)) == _record.read(ID, state)
    assert _record.read(ID, state).problem == ""
    content[int(where * content.rindex(b"\n", 0, -1))] ^= flip
    assert _record.parse(ID, bytes(content)).problem != ""


@pytest.mark.parametrize("name", ["removed", "inserted", "swapped", "first removed", "twice"])
def test_a_line_removed_inserted_or_moved_is_found(state, name):
    write(state, "opened", "intent", "result", "closed")
    one, two, three, four, _end = raw(state).split(b"\n")
    forged = encoded(2, _record._sha(one))
    lines = {
        "removed": [one, three, four],
        "inserted": [one, forged, two, three, four],
        "swapped": [one, three, two, four],
        "first removed": [two, three, four],
        "twice": [one, two, two, three, four],
    }[name]
    assert "does not follow" in _record.parse(ID, b"\n".join([*lines, b""])).problem


def test_a_number_that_is_out_of_order_is_found(state):
    write(state, "opened")
    forged = encoded(7, _record.read(ID, state).head)
    assert "entry 7 does not follow entry 1" in _record.parse(ID, raw(state) + forged + b"\n").problem


def test_a_broken_chain_stays_broken_and_the_record_goes_on(state):
    write(state, "opened", "intent")
    overwrite(state, raw(state).replace(b'"text":"opened"', b'"text":"nothing"', 1))
    write(state, "result")
    record = _record.read(ID, state)
    assert record.problem
    assert [entry.what for entry in record.entries] == ["opened", "intent", "result"]


# A last line that a power loss cut


@pytest.mark.parametrize("kept", ["half", "all but the newline", "hole", "nothing but zeros"])
def test_a_torn_last_line_is_known_and_what_comes_after_is_whole(state, kept):
    write(state, "opened")
    first = raw(state)
    write(state, "intent")
    line = raw(state)[len(first) :]
    torn = {
        "half": line[: len(line) // 2],
        "all but the newline": line[:-1],
        "hole": b"\0" * 40 + line[40:],
        "nothing but zeros": bytes(len(line)),
    }[kept]
    overwrite(state, first + torn)
    cut = _record.read(ID, state)
    assert (cut.torn, cut.problem, [entry.what for entry in cut.entries]) == (True, "", ["opened"])
    assert cut.unfinished == []  # nobody was told that it is on record, so nothing was done

    write(state, "note", "result")
    after = _record.read(ID, state)
    assert (after.torn, after.problem) == (False, "")
    assert [(entry.seq, entry.what) for entry in after.entries] == [(1, "opened"), (2, "note"), (3, "result")]
    assert torn.rstrip(b"\n") in raw(state)


@pytest.mark.parametrize("kept", ["half", "all but the newline", "hole"])
def test_an_edit_before_a_torn_line_does_not_hide_behind_it(state, kept):
    write(state, "opened", "intent")
    content = raw(state)
    torn = {"half": b'{"at":"2026', "all but the newline": encoded(3), "hole": b"\0\0\0}\n"}[kept]
    overwrite(state, content + torn)
    write(state, "note")
    assert _record.read(ID, state).problem == ""
    overwrite(state, raw(state).replace(b'"text":"intent"', b'"text":"nought"', 1))
    assert _record.read(ID, state).problem


def test_torn_bytes_that_were_changed_later_are_found(state):
    write(state, "opened")
    overwrite(state, raw(state) + b'{"at":"2026')
    write(state, "note")
    overwrite(state, raw(state).replace(b'{"at":"2026\n', b'{"at":"2027\n'))
    assert _record.read(ID, state).problem


@pytest.mark.parametrize("torn", [b"", b'{"at":"2026', b"\0\0\0\n"])
def test_a_crash_at_the_very_first_line_keeps_no_run_from_working(state, torn):
    write(state, "opened")
    overwrite(state, torn)
    assert join(state) == ID
    record = _record.read(ID, state)
    assert (record.open, record.problem, [entry.what for entry in record.entries]) == (True, "", ["opened"])


# Writers


WRITER = """
import sys
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record
for number in range(40):
    _record.append(sys.argv[1], "note", {"number": number, "who": sys.argv[3]}, "a-run-of-it", sys.argv[3], sys.argv[2])
"""


def test_processes_that_write_at_once_lose_nothing(state):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, ID, state, f"writer{n}"]) for n in range(4)]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    record = _record.read(ID, state)
    assert (record.problem, len(record.entries)) == ("", 160)
    for n in range(4):
        numbers = [entry.data["number"] for entry in record.entries if entry.by == f"writer{n}"]
        assert numbers == list(range(40))


@pytest.mark.parametrize("room", [0, 1, 150])
def test_a_disk_without_room_for_a_line_leaves_none_of_it_and_says_so(state, room):
    write(state, "opened")
    before = raw(state)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    script = f"""
import resource, signal
from ansible_collections.aurora.runbook.plugins.module_utils.record import _record
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) + room}, {limits[1]}))
try:
    _record.append({ID!r}, "intent", {{}}, "a-run-of-it", "olena", {state!r})
except RunbookError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert f"{ID}.jsonl cannot be written" in done.stdout
    assert raw(state) == before


def test_a_line_that_cannot_be_made_durable_is_taken_out_again(state, monkeypatch):
    write(state, "opened")
    before = raw(state)

    def fails(_descriptor):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(RunbookError, match="Input/output error"):
        write(state, "intent")
    monkeypatch.undo()
    assert raw(state) == before


def test_a_full_record_takes_no_more_intents_but_the_result_of_the_last(state, monkeypatch):
    monkeypatch.setattr(_record, "MAX_FILE", 6000)
    monkeypatch.setattr(_record, "RESERVE", 3000)
    write(state, "opened")
    while len(raw(state)) < 2800:
        write(state, "intent")
    before = raw(state)
    for what in ("intent", "seen", "joined", "refused"):
        with pytest.raises(RunbookError, match="is full"):
            write(state, what)
    assert raw(state) == before
    write(state, "result", "verdict", "closed")
    assert not _record.read(ID, state).open


def test_a_record_that_is_filled_with_words_can_be_closed_and_what_was_done_has_its_result(state, monkeypatch):
    monkeypatch.setattr(_record, "MAX_FILE", 12000)
    monkeypatch.setattr(_record, "RESERVE", 8000)
    write(state, "opened", "intent")
    while os.stat(_record.path(ID, state)).st_size <= 9400:
        write(state, "acknowledged", "paged")
    for what in ("acknowledged", "paged", "verdict", "severity"):
        with pytest.raises(RunbookError, match="is full"):
            write(state, *[what] * 5)
    _record.append(ID, "result", {"intent": 2}, state=state)
    write(state, "lease_ended", "closed")
    record = _record.read(ID, state)
    assert (record.open, record.unfinished) == (False, [])
    with pytest.raises(RunbookError, match="is full"):  # what is over already takes no room from results
        write(state, "closed")


@pytest.mark.parametrize(
    "data",
    [
        {"sentences": [{"text": "x" * 400} for _ in range(100)], "outcome": "done"},
        {"samples": [[1.5, 2.5]] * 9000, "outcome": "done"},
        {"a": ["é" * 500] * 20, "b": ["\x00\ud800" * 100] * 20, "outcome": "done"},
    ],
)
def test_a_line_never_gets_too_long_and_keeps_what_matters(state, data):
    _record.append(ID, "result", data, RUN, "ї" * 5000, state)
    assert len(raw(state)) <= _record.MAX_LINE + 1
    (entry,) = _record.read(ID, state).entries
    assert (entry.data["outcome"], entry.data["cut"]) == ("done", True)


# What others may have put there


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe" * 100 + b"\n",
        b"[" * 100000 + b"\n",
        b'{"a":' * 100000 + b"\n",
        b"null\n[]\n1\n\n",
        encoded("1") + b"\n",
        encoded(1, at="yesterday") + b"\n",
        encoded(1, at="0001-01-01T00:00:00") + b"\n",
        encoded(1, data=[]) + b"\n",
        encoded(1, torn=1) + b"\n",
        encoded(1, more=1) + b"\n",
    ],
)
def test_content_that_is_not_ours_is_said_and_never_believed(state, content):
    write(state, "opened")
    whole = raw(state)
    overwrite(state, content + whole)
    record = _record.read(ID, state)
    assert record.problem
    assert [entry.what for entry in record.entries] == ["opened"]
    assert _record.open_names(state) == [ID]
    overwrite(state, content * 2)
    assert _record.read(ID, state).entries == ()
    assert _record.open_names(state) == []
    with pytest.raises(RunbookError, match="does not end with a line of aurora"):
        write(state, "intent")
    assert raw(state) == content * 2


def test_a_record_larger_than_ours_get_is_read_to_its_limit_and_said(state, monkeypatch):
    monkeypatch.setattr(_record, "MAX_FILE", 1000)
    monkeypatch.setattr(_record, "RESERVE", 0)
    write(state, "opened")
    overwrite(state, raw(state) * 10)
    assert _record.read(ID, state).problem


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "directory"])
def test_what_is_no_file_is_neither_read_nor_written_nor_waited_for(state, tmp_path, kind):
    write(state, "opened")
    place = _record.path(ID, state)
    os.rename(place, tmp_path / "elsewhere")
    before = (tmp_path / "elsewhere").read_bytes()
    {
        "link": lambda: os.symlink(tmp_path / "elsewhere", place),
        "dangling link": lambda: os.symlink(tmp_path / "missing", place),
        "pipe": lambda: os.mkfifo(place),
        "directory": lambda: os.mkdir(place),
    }[kind]()
    for look in (lambda: _record.read(ID, state), lambda: _record.open_names(state), lambda: write(state, "intent")):
        with pytest.raises(RunbookError, match=f"{ID}.jsonl"):
            look()
    assert (tmp_path / "elsewhere").read_bytes() == before
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize(
    "identity",
    [
        "",
        "../../etc/passwd",
        f"../{ID}",
        f"{ID}/..",
        f"{ID}\n",
        f"{ID}\0",
        "Circuit-20261124T180000Z-1a2b3c4d",
        "circuit_breaker-20261124T180000Z-1a2b3c4",
        "circuit_breaker-20261124T180000Z-1A2B3C4D",
        "_x-20261124T180000Z-1a2b3c4d",
        "circuit_breaker-２０261124T180000Z-1a2b3c4d",
    ],
)
def test_what_is_no_id_never_becomes_a_path(state, identity):
    for use in (
        lambda: _record.read(identity, state),
        lambda: _record.append(identity, "note", {}, RUN, "olena", state),
        lambda: join(state, identity),
        lambda: _record.begin_page(identity, "L1", "key", state=state),
    ):
        with pytest.raises(RunbookError, match="is not the id of an incident"):
            use()
    assert not os.path.exists(state)


def test_files_of_other_names_are_no_records(state):
    write(state, "opened")
    for name in ("notes.txt", f"{ID}.jsonl.bak", "x.jsonl", f".{ID}.jsonl"):
        (open(os.path.join(_record.directory(state), name), "w", encoding="ascii")).close()
    assert _record.names(state) == [ID]
    assert _record.names(state + "-missing") == []


# One incident


def test_a_run_opens_an_incident_once_with_what_it_saw(state):
    seen = {"severity": "P0", "indicator": {"name": "circuit_breaker", "value": 2.0}}
    for _ in range(2):
        assert join(state, severity="P0", alert=ALERT, age_seconds=60.0, seen=seen) == ID
    record = _record.read(ID, state)
    assert [entry.what for entry in record.entries] == ["opened", "seen"]
    told = {"id": ID, "incident": "circuit_breaker", "severity": "P0", "alert": ALERT, "age_seconds": 60.0}
    assert record.entries[0].data == {**told, "moved_from": None, "hosts": []}
    assert record.entries[1].data == seen
    assert record.open


def test_the_same_alert_delivered_again_joins_what_it_opened(state):
    key = "abc 2026-11-24T18:00:00+00:00"
    first, again = (_record.make_id("circuit_breaker", 1.8e9, key) for _ in range(2))
    assert join(state, first, RUN, alert=ALERT) == join(state, again, SECOND, alert=ALERT)
    assert whats(state, first) == ["opened", "joined"]
    other = _record.make_id("circuit_breaker", 1.8e9, "abd 2026-11-24T18:00:00+00:00")
    assert other != first
    assert _record.make_id("circuit_breaker", 1.8e9) != _record.make_id("circuit_breaker", 1.8e9)


def test_another_class_is_an_incident_of_its_own(state):
    assert (join(state), join(state, OTHER, SECOND)) == (ID, OTHER)
    assert _record.open_names(state) == [ID, OTHER]


def test_a_later_id_joins_what_is_open_and_an_earlier_one_takes_it_over(state):
    assert join(state, ID, RUN) == ID
    assert join(state, LATER, SECOND) == ID
    assert whats(state, LATER) == []
    assert join(state, EARLIER, "run-number-three") == EARLIER
    assert _record.open_names(state) == [EARLIER]
    assert _record.read(ID, state).entries[-1].data == {"to": EARLIER}
    assert _record.read(EARLIER, state).entries[0].data["moved_from"] == ID


def test_whoever_is_at_an_incident_stays_so_when_it_moves(state, clock):
    join(state, ID, RUN)
    clock["up"] += 60
    _record.append(ID, "acknowledged", {"who": "olena", "text": "mine"}, "", "olena", state)
    clock["up"] += 1200
    join(state, EARLIER, SECOND, age_seconds=1500.0)  # the trouble there began before it did here
    answer = _record.describe(_record.read(EARLIER, state), _stamps.clock())["acknowledged"]
    assert (answer["who"], answer["after_seconds"]) == ("olena", 300.0)
    assert _record.describe(_record.read(ID, state), _stamps.clock())["moved_to"] == EARLIER


def test_where_an_incident_went_on_is_found_over_several_moves_and_never_without_end(state):
    def moved(name, to):
        return _record.Record(name, (_record.Entry(1, "", "", "", 0.0, "", "", False, "moved", {"to": to}),))

    open_one = _record.Record(EARLIER)
    assert _record.homes([moved(LATER, ID), moved(ID, EARLIER), open_one]) == dict.fromkeys(
        [LATER, ID, EARLIER], EARLIER
    )
    assert set(_record.homes([moved(LATER, ID), moved(ID, LATER), moved(EARLIER, "../x")])) == {LATER, ID, EARLIER}
    assert moved(EARLIER, "../x").home == EARLIER


def test_an_incident_that_comes_back_after_it_moved_is_its_own_again(state):
    """Otherwise its later life is told in the story of another one, and the post-mortem passes it over."""
    join(state, ID, RUN)
    join(state, EARLIER, SECOND)
    write(state, "closed", identity=EARLIER)
    join(state, ID, "run-number-three")
    write(state, "closed")
    assert _record.read(ID, state).home == ID


@pytest.mark.parametrize("asked", [EARLIER, ID, LATER])
def test_a_crash_between_taking_over_and_moving_leaves_one_incident_after_the_next_run(state, asked):
    write(state, "opened", identity=EARLIER)
    write(state, "opened", identity=ID)
    assert join(state, asked, SECOND) == EARLIER
    assert _record.open_names(state) == [EARLIER]


def test_an_incident_that_comes_back_is_reopened(state):
    join(state)
    write(state, "closed")
    assert _record.open_names(state) == []
    join(state, ID, SECOND)
    assert whats(state) == ["opened", "closed", "reopened"]
    assert _record.open_names(state) == [ID]


def test_severity_rises_and_never_falls(state):
    for run, severity in enumerate(["P2", "P3", None, "P0", "P1"]):
        join(state, ID, f"run-number-{run}", severity=severity)
    record = _record.read(ID, state)
    assert [entry.data for entry in record.entries if entry.what == "severity"] == [{"from": "P2", "to": "P0"}]
    assert _record.severity(record) == "P0"


def test_an_intent_without_a_result_is_unfinished(state):
    first = write(state, "opened", "intent", "intent")
    _record.append(ID, "result", {"intent": first[1].seq}, RUN, "olena", state)
    assert _record.read(ID, state).unfinished == [first[2]]


@pytest.mark.parametrize("ending", ["closed", "moved"])
def test_what_is_over_stays_over_whatever_is_written_to_it(state, ending):
    write(state, "opened", ending, "note", "result", "paged")
    assert not _record.read(ID, state).open


# Time


def test_age_is_right_within_a_boot_however_the_clock_jumps(clock):
    entry = _record.Entry(1, "", _stamps.stamp(1.8e9), BOOT, 1000.0, "", "", True, "opened", {})
    for wall in (0.0, 1.8e9 - 86400, 1.8e9 + 86400):
        assert _record.age(entry, _stamps.Clock(wall, BOOT, 1060.0)) == 60.0
    assert _record.age(entry, _stamps.Clock(1.8e9 + 30, "another boot", 5.0)) == 30.0
    # A clock that was ahead before the reboot must not keep an incident young, so that nobody is ever paged.
    assert _record.age(entry, _stamps.Clock(1.8e9 - 86400, "another boot", 5.0)) == 5.0
    assert _record.age(entry, _stamps.Clock(1.8e9, BOOT, 900.0)) == 0.0


@pytest.mark.parametrize("jump", [-86400.0, 0.0, 86400.0])
def test_what_was_done_lately_is_remembered_though_the_clock_was_set(state, clock, jump):
    write(state, "closed")
    clock.update(wall=clock["wall"] + jump, up=clock["up"] + 1800)
    assert [record.id for record in _record.recent(3600, _stamps.clock(), state)] == [ID]
    clock.update(up=clock["up"] + 3600)
    assert _record.recent(3600, _stamps.clock(), state) == []


def test_open_and_unreadable_records_are_looked_at_however_old(state, clock):
    write(state, "opened")
    write(state, "closed", identity=OTHER)
    overwrite(state, b"\xff\n" * 20000, OTHER)
    clock.update(up=clock["up"] + 1e6)
    found = _record.recent(3600, _stamps.clock(), state)
    assert [(record.id, bool(record.problem)) for record in found] == [(ID, False), (OTHER, True)]


def test_trouble_is_as_old_as_its_alert_says(state, clock):
    join(state, age_seconds=100.0)
    clock["up"] += 20
    assert _record.age_of(_record.read(ID, state), _stamps.clock()) == 120.0


@given(st.floats(0, 4e9))
def test_a_stamp_reads_back_to_the_millisecond_on_every_python(seconds):
    assert abs(_stamps.seconds(_stamps.stamp(seconds)) - seconds) <= 0.001001
    assert _record.ID.fullmatch(_record.make_id("x", seconds))


# Housekeeping


def test_the_oldest_incidents_that_are_over_make_room_and_open_ones_stay(state, clock, monkeypatch):
    monkeypatch.setattr(_record, "KEPT", 2)
    oldest = "execution_latency-20250101T000000Z-00000000"
    join(state, oldest)
    for day in range(1, 5):
        clock["up"] += 86400.0
        identity = f"circuit_breaker-2026010{day}T000000Z-0000000{day}"
        join(state, identity)
        write(state, "closed", identity=identity)
    clock["up"] += _record.CUT_OFF_SECONDS
    join(state, LATER)
    over = [f"circuit_breaker-2026010{day}T000000Z-0000000{day}" for day in (3, 4)]
    assert _record.names(state) == [oldest, *over, LATER]


def test_what_was_done_outside_of_incidents_pushes_none_of_them_out(state, clock, monkeypatch):
    """A page about a host that is away is such a record, and there is one for each day."""
    monkeypatch.setattr(_record, "KEPT", 2)
    join(state)
    write(state, "closed")
    others = [f"none-2026010{day}T000000Z-00000000" for day in range(1, 5)]
    for name in others:
        clock["up"] += 86400.0
        write(state, "paging", identity=name)
    clock["up"] += _record.CUT_OFF_SECONDS
    join(state, LATER)
    assert set(_record.names(state)) == {ID, LATER, *others[2:]}


def test_records_that_guards_count_stay_however_many_are_opened_and_whatever_their_ids_say(state, clock, monkeypatch):
    """Otherwise whoever opens some with later dates has what was done before forgotten, and does it again."""
    monkeypatch.setattr(_record, "KEPT", 1)
    early = "circuit_breaker-20200101T000000Z-00000000"
    join(state, early)
    write(state, "intent", "result", "closed", identity=early)
    for number in range(5):
        clock["up"] += 3600.0
        join(state, f"{OTHER[:-1]}{number}")
        write(state, "closed", identity=f"{OTHER[:-1]}{number}")
    assert early in _record.names(state)
    clock["up"] += _record.CUT_OFF_SECONDS
    join(state, LATER)
    assert _record.names(state) == [f"{OTHER[:-1]}4", LATER]


def test_a_level_is_paged_once(state, clock):
    write(state, "opened")
    assert _record.begin_page(ID, "L1", "key", state=state)
    assert not _record.begin_page(ID, "L1", "key", state=state)  # another tick, while the first still sends
    assert _record.begin_page(ID, "L2", "key", state=state)
    clock["up"] += _record.PAGING_SECONDS + 1
    assert _record.begin_page(ID, "L1", "key", state=state)  # the first was killed: rather twice than never
    page = {"level": "L1", "key": "key", "failed": []}
    _record.append(ID, "paged", {**page, "sent": []}, state=state)
    clock["up"] += _record.PAGING_SECONDS + 1
    assert _record.begin_page(ID, "L1", "key", state=state)  # no channel took it
    _record.append(ID, "paged", {**page, "sent": ["slack"]}, state=state)
    clock["up"] += 1e6
    assert not _record.begin_page(ID, "L1", "key", state=state)
    levels = _record.describe(_record.read(ID, state), _stamps.clock())["levels"]
    assert {level: found["state"] for level, found in levels.items()} == {"L1": "paged", "L2": "paging"}


PAGED = {"level": "L1", "key": "key", "sent": ["slack"], "failed": []}


def test_that_no_channel_takes_a_page_is_on_record_once_and_fills_nothing(state, clock):
    write(state, "opened")
    for channel in ("slack", "slack", "mail", "mail"):
        clock["up"] += _record.PAGING_SECONDS + 1
        assert _record.begin_page(ID, "L1", "key", state=state)
        failed = [{"channel": channel, "problem": f"after {clock['up']} s"}]
        _record.end_page(ID, {**PAGED, "sent": [], "failed": failed}, state=state)
    assert whats(state) == ["opened", "paging", "paged", "paging", "paging", "paged", "paging"]
    assert levels(state)["L1"]["state"] == "paging"


def test_a_record_full_of_pages_can_be_closed_and_pages_are_remembered_elsewhere(state, clock, tmp_path, monkeypatch):
    monkeypatch.setattr(_record, "MAX_FILE", 6000)
    monkeypatch.setattr(_record, "RESERVE", 2000)
    monkeypatch.setattr(_record, "MEMORY", str(tmp_path / "run"))
    write(state, "opened")
    while not levels(state).get("L1", {}).get("remembered"):
        clock["up"] += _record.PAGING_SECONDS + 1
        assert begin(state)
    assert os.stat(_record.path(ID, state)).st_size <= 4000
    write(state, "closed")
    assert not _record.read(ID, state).open


@pytest.fixture
def full(state, tmp_path, monkeypatch):
    """Disks that take no more writes, by their directories; MEMORY is one of them."""
    full, write = set(), os.write
    monkeypatch.setattr(_record, "MEMORY", str(tmp_path / "run"))

    def refuse(descriptor, text):
        if os.readlink(f"/proc/self/fd/{descriptor}").startswith(tuple(full)):
            raise OSError(28, "No space left on device")
        return write(descriptor, text)

    monkeypatch.setattr(os, "write", refuse)
    return full


def begin(state, level="L1"):
    return _record.begin_page(ID, level, "key", state=state)


def levels(state):
    return _record.describe(_record.read(ID, state), _stamps.clock())["levels"]


def test_on_a_full_disk_a_level_is_paged_once_and_not_every_minute(state, clock, full):
    write(state, "opened")
    full.add(state)
    assert (begin(state), begin(state), begin(state, "L2")) == (True, False, True)
    clock["up"] += _record.PAGING_SECONDS + 1
    assert (begin(state), begin(state)) == (True, False)  # the first was killed: rather twice than never
    _record.end_page(ID, PAGED, state=state)
    clock["up"] += 1e6
    assert not begin(state)
    assert (levels(state)["L1"]["state"], levels(state)["L1"]["sent"]) == ("paged", ["slack"])
    assert levels(state)["L1"]["remembered"]
    assert whats(state) == ["opened"]
    size = os.stat(_record.path(ID, _record.MEMORY)).st_size
    _record.end_page(ID, PAGED, state=state)  # each tick tries to put it on record, and tmpfs is not filled by that
    assert os.stat(_record.path(ID, _record.MEMORY)).st_size == size
    assert os.stat(_record.MEMORY).st_mode & 0o777 == 0o700
    assert os.stat(_record.path(ID, _record.MEMORY)).st_mode & 0o777 == 0o600


def test_when_the_disk_has_room_again_the_record_takes_over_what_was_paged(state, clock, full):
    write(state, "opened")
    full.add(state)
    assert begin(state)
    _record.end_page(ID, PAGED, state=state)
    full.clear()
    assert (begin(state), begin(state, "L2")) == (False, True)
    _record.end_page(ID, {**PAGED, "paged_at": levels(state)["L1"]["at"]}, state=state)
    assert not os.path.exists(_record.path(ID, _record.MEMORY))
    assert whats(state) == ["opened", "paging", "paged"]
    assert "remembered" not in levels(state)["L1"]
    clock["up"] += 1e6
    assert not begin(state)


def test_a_page_that_was_begun_on_the_full_disk_does_not_hide_one_begun_later_on_record(state, clock, full):
    write(state, "opened")
    full.add(state)
    assert begin(state)
    clock["up"] += _record.PAGING_SECONDS + 1
    full.clear()
    assert (begin(state), begin(state)) == (True, False)


def test_a_page_is_remembered_though_the_disk_filled_up_while_it_was_sent(state, clock, full):
    write(state, "opened")
    assert begin(state)
    full.add(state)
    _record.end_page(ID, PAGED, state=state)
    clock["up"] += 1e6
    assert not begin(state)


def test_where_nothing_can_be_remembered_the_tick_is_told_so_and_sends(state, clock, full):
    write(state, "opened")
    full.update([state, _record.MEMORY])
    with pytest.raises(RunbookError, match="No space left on device"):
        begin(state)
    assert levels(state) == {}


def test_what_is_no_directory_in_its_place_keeps_no_record_from_being_read_and_written(state, clock, full):
    write(state, "opened")
    with open(_record.MEMORY, "w", encoding="ascii"):
        pass
    assert (levels(state), begin(state), begin(state)) == ({}, True, False)
    _record.end_page(ID, PAGED, state=state)
    assert levels(state)["L1"]["state"] == "paged"


def test_a_page_put_on_a_record_later_was_sent_when_it_was_sent(state, clock):
    write(state, "opened")
    _record.end_page(ID, {**PAGED, "paged_at": "2026-11-24T18:00:05.000Z"}, state=state)
    assert levels(state)["L1"]["at"] == "2026-11-24T18:00:05.000Z"
    assert not begin(state)


def test_what_another_run_closed_since_this_one_looked_stays_closed(state):
    """Otherwise what is over pages somebody, since a report came late."""
    join(state)
    _record.append(ID, "closed", {"verdict": "recovered"}, state=state)
    join(state, run="looked-before", seen={"severity": "P0", "open": [ID]})
    assert (_record.read(ID, state).open, whats(state)[-2:]) == (False, ["joined", "seen"])
    join(state, run="looked-after", seen={"severity": "P0", "open": []})
    assert (_record.read(ID, state).open, whats(state)[-2:]) == (True, ["reopened", "seen"])


def test_the_hosts_of_an_incident_are_on_record(state):
    for run in ("one", "two"):
        join(state, run=run, hosts=["aurora1", "aurora2"])
    assert [entry.data["hosts"] for entry in _record.read(ID, state).entries] == [["aurora1", "aurora2"]] * 2


def test_an_incident_is_described_for_people(state, clock):
    join(state, severity="P0", age_seconds=5.0)
    intent = write(state, "intent")[0]
    _record.append(ID, "acknowledged", {"who": "olena", "text": "mine"}, state=state)
    told = _record.describe(_record.read(ID, state), _stamps.clock())
    now = _stamps.stamp(clock["wall"])
    assert told["acknowledged"] == {"who": "olena", "at": now, "after_seconds": 5.0, "automatic": False}
    assert told["responded"] == {"who": intent.by, "at": now, "after_seconds": 5.0, "automatic": True}
    assert (told["open"], told["severity"], told["age_seconds"], told["closed"]) == (True, "P0", 5.0, None)
    assert (told["unfinished"], told["chain"]) == ([intent.seq], {"whole": True, "problem": ""})
    _record.append(ID, "closed", {"verdict": "recovered"}, state=state)
    over = _record.describe(_record.read(ID, state), _stamps.clock())
    assert (over["open"], over["closed"]) == (False, _stamps.stamp(clock["wall"]))
