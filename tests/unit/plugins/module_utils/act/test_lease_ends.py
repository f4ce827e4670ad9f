# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a host keeps what it should take back, or takes back what protects it."""

from __future__ import annotations

import contextlib
import functools
import os
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from ansible_collections.aurora.runbook.plugins.module_utils.act import _conduct, _lease_ends, _override
from ansible_collections.aurora.runbook.plugins.module_utils.base import _health, _stamps, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import BusyError, FetchError, RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease, _lease_timer, _record

CHECKOUT = Path(__file__).resolve().parents[5]
GRANTED = _stamps.Clock(1.8e9, "boot", 1000.0)
OVER = _stamps.Clock(1.8e9 + 60, "boot", 1060.0)
URL = "http://localhost:9000/metrics"
BREAKER = {"indicator": "circuit_breaker", "url": URL, "threshold": 2.0}
DENIED = {"indicator": "policy_deny_rate", "url": URL, "threshold": 0.35}


def lease(direction="increases", watch=None, name="x.service", **changes):
    end = _lease.end(60, GRANTED, direction, watch)
    base = _lease.Lease("service_override", name, "active", {"K": "1"}, {"K": "2"}, "2026-11-24", "oncall")
    return replace(base, ends={"K": end}, **changes)


@pytest.fixture
def told():
    return []


@pytest.fixture
def host(monkeypatch, told):
    """Leases of a host by name (or the error that reading one brings), what was ended, whether the timer went."""

    class Host:
        leases: dict = {}  # noqa: RUF012
        ended: list = []  # noqa: RUF012
        fails: tuple = ()
        busy = retired = False

        def tick(self, clock=OVER):
            return _lease_ends.tick(clock, {}, lambda one, outcome, sentence: told.append((one.name, outcome)))

    here = Host()
    here.leases, here.ended = {}, []

    def load(name):
        if isinstance(here.leases[name], Exception):
            raise here.leases[name]
        return here.leases[name]

    @contextlib.contextmanager
    def exclusive(_holder):
        if here.busy:
            raise BusyError("olena", "now")
        yield

    def end(one, names, *_rest):
        if one.name in here.fails:
            raise ZeroDivisionError
        here.ended.append(one.name)

    monkeypatch.setattr(_lease, "names", lambda: sorted(here.leases))
    monkeypatch.setattr(_lease, "load", load)
    monkeypatch.setattr(_lease, "exclusive", exclusive)
    monkeypatch.setattr(_lease_ends, "end", end)
    monkeypatch.setattr(_lease_ends._override_steps, "lost", lambda one: "")
    monkeypatch.setattr(_lease_timer, "retire", lambda: setattr(here, "retired", True))
    return here


def test_a_lease_that_cannot_be_read_or_ended_keeps_no_other_from_its_end(host):
    host.leases = {
        "a": RunbookError("a is not a lease"),
        "b": lease(name="b"),
        "c": lease(name="c"),
        "d": lease(name="d"),
    }
    host.fails = ("b",)
    assert host.tick() == 1
    assert host.ended == ["c", "d"]
    assert not host.retired  # what cannot be read may have an end


def test_before_its_time_nothing_is_touched_and_nobody_is_kept_waiting(host):
    host.leases, host.busy = {"a": lease(name="a")}, True
    assert host.tick(replace(OVER, up=1059.9)) == 0


def test_a_host_that_somebody_is_changing_is_left_to_the_next_tick(host):
    host.leases, host.busy = {"a": lease(name="a")}, True
    with pytest.raises(BusyError):
        host.tick()


def test_leases_that_are_nobodys_word_are_said_in_the_journal(monkeypatch, capsys):
    def names():
        raise RunbookError("/var/lib/aurora-runbook is a link")

    monkeypatch.setattr(_lease, "names", names)
    monkeypatch.setattr(_lease_ends, "_remembered", dict)
    monkeypatch.setattr(_lease_ends._files, "remove", lambda _path: None)
    assert _lease_ends.main() == 1
    assert "/var/lib/aurora-runbook" in capsys.readouterr().out


def test_without_an_end_left_the_timer_goes(host):
    host.leases = {"a": replace(lease(name="a"), ends={})}
    host.tick()
    assert (host.ended, host.retired) == ([], True)


def page(state=0, considered=0, denied=0):
    return (
        f"# TYPE circuit_breaker_state gauge\ncircuit_breaker_state {state}\n"
        f"# TYPE policy_considered_total counter\npolicy_considered_total {considered}\n"
        f'# TYPE policy_denied_total counter\npolicy_denied_total{{why="A"}} {denied}\n'
    )


def ready(monkeypatch, told, watch, pages):
    """What a tick after the other says about a reduction whose time is over."""
    notes, found = {}, []
    for number, text in enumerate(pages):
        fetch = text if callable(text) else lambda _url, text=text: text
        monkeypatch.setattr(_lease_ends._http, "fetch_metrics", fetch)
        clock = replace(OVER, up=OVER.up + 60 * number)
        report = lambda _one, outcome, sentence: told.append((outcome, sentence["values"]["value"]))  # noqa: E731
        found.append(_lease_ends.ready(lease("reduces", watch), clock, notes, report))
    return found


def silent(_url):
    raise FetchError("it does not answer")


@pytest.fixture(autouse=True)
def no_files_are_lost(monkeypatch):
    monkeypatch.setattr(_lease_ends._override_steps, "lost", lambda one: "")


def test_a_reduction_ends_only_while_its_indicator_is_healthy(monkeypatch, told):
    """Otherwise the host goes back to full activity in the middle of the next incident, with nobody looking."""
    pages = [page(2), page(1), silent, "not a page", "", page(0)]
    assert ready(monkeypatch, told, BREAKER, pages) == [set(), set(), set(), set(), set(), {"K"}]
    assert told == [("kept", value) for value in ("2", "1", "silent", "malformed", "no_data")]


def test_a_ratio_is_counted_over_as_many_ticks_as_it_needs(monkeypatch, told):
    """At ten decisions a minute no single tick sees fifty: the reduction would never end."""
    pages = [page(0, 100, 10), page(0, 120, 12), page(0, 160, 15), page(0, 5, 0), page(0, 65, 40), page(0, 125, 41)]
    found = ready(monkeypatch, told, DENIED, pages)
    assert found == [set(), set(), {"K"}, set(), set(), {"K"}]
    assert [value for _outcome, value in told] == ["no_data", "too_few", "reset", "0.6667"]


def test_a_raise_asks_no_indicator(monkeypatch):
    monkeypatch.setattr(_lease_ends._http, "fetch_metrics", silent)
    assert _lease_ends.ready(lease(), OVER, {}, None) == {"K"}


def test_while_a_person_has_paused_the_host_nothing_ends_but_what_raises_exposure(monkeypatch):
    """Otherwise a service restarts under the hands of whoever works on it."""

    def unreadable(_clock):
        raise RunbookError("pause is not a regular file")

    for load in (unreadable, lambda _clock: _lease_ends._pause.Pause("")):
        monkeypatch.setattr(_lease_ends._pause, "load", load)
        assert _lease_ends.ready(lease("neutral"), OVER, {}, None) == set()
        assert _lease_ends.ready(lease("reduces", BREAKER), OVER, {}, None) == set()
        assert _lease_ends.ready(lease("increases"), OVER, {}, None) == {"K"}


def test_an_end_that_failed_waits_before_it_restarts_the_service_again():
    notes = {"tried": OVER.up}
    assert _lease_ends.ready(lease(), replace(OVER, up=OVER.up + 60), notes, None) == set()
    assert _lease_ends.ready(lease(), replace(OVER, up=OVER.up + 900), notes, None) == {"K"}


def test_what_stays_as_it_is_is_told_once(told):
    notes = {}
    report = _lease_ends._once(lambda _one, outcome, _sentence: told.append(outcome), notes)
    for outcome in ("kept", "kept", "left_alone", "kept"):
        report(lease(), outcome, {"message": outcome, "values": {}})
    assert told == ["kept", "left_alone"]
    _lease_ends.ready(lease(), GRANTED, notes, report)  # renewed: a new story
    report(lease(), "kept", {"message": "kept", "values": {}})
    assert told == ["kept", "left_alone", "kept"]


def test_the_proof_after_a_restart_fits_into_a_tick():
    """systemd stops the program after five minutes: a service would be left between two values."""
    slow = replace(lease(), health={"url": "u", "start": 600.0, "hold": 600.0})
    proof = _lease_ends.healthy(slow)
    assert (proof.url, 2 * (proof.start + proof.hold) < 300) == ("u", True)


@pytest.fixture
def gone(monkeypatch):
    """Makes a unit that is gone and its lease what the host has; what was done about them."""
    done = []
    monkeypatch.setattr(_lease, "save", lambda _lease: None)
    monkeypatch.setattr(_lease, "drop", done.append)
    monkeypatch.setattr(_lease_ends._override_steps, "install", lambda _lease, override: done.append(override))
    monkeypatch.setattr(_lease_ends._service, "systemctl", lambda *words: done.append(words))

    def make(load_state, runs, standing):
        place = _override.paths("x.service")
        files = _override.render_environment({"K": "2"}), _override.render_drop_in({"K": "2"}, place.environment)
        up = {"ActiveState": "active", "SubState": "running"} if runs else {"ActiveState": "failed"}
        unit = _systemd.Unit("x.service", {"Id": "x.service", "LoadState": load_state, "SubState": "failed", **up})
        current = _override.Current(unit, standing, *files, {7: {"K": "2"}})
        monkeypatch.setattr(_lease_ends._override_steps, "observe", lambda _name: current)
        return done

    return make


@pytest.mark.parametrize("state", ["masked", "not-found"])
@pytest.mark.parametrize("runs", [False, True])
def test_the_end_of_what_a_unit_had_that_is_gone_comes_unless_it_still_runs_with_it(state, runs, gone, told):
    """A raise would stand until the unit comes back, and be loaded with it; or go on while it is said to be over."""
    standing = lease()
    done = gone(state, runs, standing)
    _lease_ends.end(standing, {"K"}, OVER, {}, lambda _one, outcome, said: told.append((outcome, said["message"])))
    assert done == ([] if runs else [{}, ("daemon-reload",), "x.service"])
    assert told == [("kept", "lease_end_failed") if runs else ("taken_back", "gone_removed")]


def test_a_lease_stands_until_its_end_is_on_record(gone, told):
    """Otherwise a restart and more exposure would be on no record when the disk is full."""
    standing, notes = lease(), {}
    done = gone("not-found", False, standing)

    def full(_lease, outcome, said):
        told.append((outcome, said["message"]))
        raise RunbookError("no space left")

    with pytest.raises(RunbookError, match="no space left"):
        _lease_ends.end(standing, {"K"}, OVER, notes, full)
    assert told == [("taken_back", "gone_removed"), ("kept", "lease_end_failed")]
    assert ("x.service" in done, notes["tried"]) == (False, OVER.up)  # not dropped, and tried again later
    _lease_ends.end(standing, {"K"}, OVER, notes, lambda _one, outcome, _said: told.append(outcome))
    assert (told[-1], done[-1], notes) == ("taken_back", "x.service", {})


@pytest.mark.parametrize("boot", ["", "an-earlier-boot"])
def test_settings_that_were_given_back_are_said_to_be_once_that_can_be_put_on_record(boot, monkeypatch, tmp_path, told):
    """The first attempt gave them back; the lease closes with the line, and not without."""
    name = "net.ipv4.tcp_autocorking"
    values, end = {name: "0"}, _lease.end(60, GRANTED)
    monkeypatch.setattr(_lease_ends._sysctl, "read", values.get)
    monkeypatch.setattr(_lease_ends._sysctl, "write", values.__setitem__)
    for what in ("save", "load", "drop"):
        place = functools.partial(getattr(_lease, what), directory=str(tmp_path))
        monkeypatch.setattr(_lease, what, place)
    kind = _lease.TCP_TUNING
    standing = _lease.Lease(kind, kind, "active", {name: "1"}, {name: "0"}, "2026-11-24", "oncall", boot=boot)
    _lease.save(replace(standing, ends={name: end}))

    def full(_lease, outcome, _said):
        told.append(outcome)
        raise RunbookError("no space left")

    with pytest.raises(RunbookError):
        _lease_ends.end(_lease.load(kind), {name}, OVER, {}, full)
    assert _lease.load(kind).ends == {name: end}
    _lease_ends.end(_lease.load(kind), {name}, OVER, {}, lambda _one, outcome, _said: told.append(outcome))
    assert (told, _lease.load(kind)) == (["taken_back", "kept", "taken_back"], None)
    assert values == {name: "0" if boot else "1"}  # what ended with its boot was no longer there to give back


@pytest.mark.parametrize(("running", "found"), [("1", {"K"}), ("0.5", set())])
def test_a_reduction_that_was_given_back_is_not_said_to_stay(running, found, monkeypatch, told):
    """Its end could not be put on record: now the indicator is bad, and what is gone cannot be kept."""
    unfinished = lease("reduces", BREAKER, phase="removing", written={}, previous={"K": "0.5"})
    monkeypatch.setattr(_lease_ends._http, "fetch_metrics", lambda _url: page(2))
    unit = _systemd.Unit("x.service", {"MainPID": "7"})
    current = _override.Current(unit, unfinished, "", "", {7: {"K": running}})
    monkeypatch.setattr(_lease_ends._override_steps, "observe", lambda _name: current)
    assert _lease_ends.ready(unfinished, OVER, {}, lambda _one, outcome, _said: told.append(outcome)) == found
    assert told == ([] if found else ["kept"])


CLOSED, OPEN = 0.0, 2.0


@pytest.mark.parametrize(
    ("knob", "breaker", "ends"),
    [
        (("SPREAD_THRESHOLD", "2.0", "1.5"), CLOSED, True),
        (("SPREAD_THRESHOLD", "2.0", "1.5"), OPEN, False),
        (("SPREAD_THRESHOLD", "2.0", "1.5"), None, True),  # a raise must not stand for ever
        (("KELLY_MULTIPLIER", "0.3", "1.0"), CLOSED, True),
        (("KELLY_MULTIPLIER", "0.3", "1.0"), OPEN, False),  # the deny rate that it waited for says nothing of it
        (("KELLY_MULTIPLIER", "0.3", "1.0"), None, False),
    ],
)
def test_an_end_that_would_restart_the_trading_loop_waits_for_its_open_breaker(knob, breaker, ends, monkeypatch, told):
    name, value, before = knob
    end = _lease.end(60, GRANTED, "increases" if name == "SPREAD_THRESHOLD" else "reduces", DENIED)
    standing = replace(lease(), before={name: before}, written={name: value}, ends={name: end})
    unit = {"Id": "x.service", "LoadState": "loaded", "ActiveState": "active", "SubState": "running", "MainPID": "7"}
    files = _override.render_environment(standing.written), _override.render_drop_in(standing.written, "/x")
    environment = {7: {"KELLY_MULTIPLIER": "1.0", name: value}}
    current = _override.Current(_systemd.Unit("x", unit), standing, *files, environment)
    monkeypatch.setattr(_lease_ends._override, "check_files", lambda *_given, **_more: None)
    monkeypatch.setattr(_lease_ends._override_steps, "observe", lambda _name: current)
    monkeypatch.setattr(_lease_ends._override_steps, "breaker", lambda _url: breaker)
    monkeypatch.setattr(_lease_ends._override_steps, "apply", lambda *_given: (standing, True))
    monkeypatch.setattr(_lease, "close", lambda *_given: None)
    notes = {}
    report = lambda _one, outcome, said: told.append((outcome, said["message"]))  # noqa: E731
    _lease_ends.end(standing, {name}, OVER, notes, report)
    assert told == [("taken_back", "lease_over") if ends else ("kept", "lease_kept_breaker")]
    assert "tried" not in notes  # asked again at the next tick


def test_an_end_and_its_undoing_are_done_before_systemd_stops_the_program():
    (text,) = (text for path, text in _lease_timer.UNITS.items() if path.endswith(".service"))
    minutes = int(text.partition("TimeoutStartSec=")[2].partition("min")[0])
    unit = _health.LONGEST_STOP + _health.LONGEST_START
    assert 2 * (unit + sum(_lease_ends.LONGEST.values())) < 60 * minutes


def test_a_step_of_a_role_is_not_called_lost_while_a_unit_takes_its_time_to_stop_and_start():
    told = yaml.safe_load((CHECKOUT / "roles/incident/vars/main.yml").read_text(encoding="utf-8"))
    assert told["__incident_unit_seconds"] >= _health.LONGEST_STOP + _health.LONGEST_START


# On record

CLASS = "circuit_breaker"
HOME = f"{CLASS}-20270115T070000Z-0a1b2c3d"
NOW = _stamps.Clock(1.8e9, "boot", 1000.0)


def sentence(key="lease_stays"):
    return _lease_ends._messages.sentence(key, unit="x.service", problem="edited", path="p", changes="K")


def over(state, severity="P1"):
    """An incident that a lease was granted for, and that is closed."""
    _record.join(HOME, _record.Opening(severity=severity), "run", "oncall", state)
    _record.append(HOME, "closed", {}, state=state)


def ended(identity, state):
    return [e.data["outcome"] for e in _record.read(identity, state).entries if e.what == "lease_ended"]


def test_another_record_that_cannot_be_read_keeps_no_end_from_its_own(tmp_path):
    state = str(tmp_path / "state")
    over(state)
    os.mkdir(_record.path(f"{CLASS}-20260101T000000Z-0a1b2c3d", state))
    _lease_ends.say(lease(incident=HOME), "taken_back", sentence("lease_over"), state)
    assert ended(HOME, state) == ["taken_back"]


def test_an_end_that_did_not_come_opens_an_incident_that_pages(tmp_path):
    """In the record of a closed incident nobody reads that the host stays throttled, or was edited."""
    state = str(tmp_path)
    over(state)
    _lease_ends.say(lease(incident=HOME), "left_alone", sentence(), state)
    (opened,) = _record.open_names(state)
    record = _record.read(opened, state)
    assert (record.incident, _record.severity(record), record.entries[0].by) == (CLASS, "P1", "host")
    assert (ended(opened, state), ended(HOME, state)) == (["left_alone"], [])
    _lease_ends.say(lease(incident=HOME), "lost", sentence("lease_lost"), state)  # joins it, with no second page
    assert _record.open_names(state) == [opened]
    assert ended(opened, state) == ["left_alone", "lost"]


def test_a_full_disk_does_not_fill_the_records_with_an_incident_a_minute(tmp_path, monkeypatch):
    """Otherwise they push out those that the guards count by."""
    state = str(tmp_path)
    over(state)
    monkeypatch.setattr(_record, "MAX_FILE", 0)
    for _tick in range(3):
        with pytest.raises(RunbookError):
            _lease_ends.say(lease(incident=HOME), "left_alone", sentence(), state)
    assert len(_record.names(state)) == 2


def test_an_end_that_came_pages_nobody_and_is_told_to_whom_was_paged(tmp_path):
    state = str(tmp_path)
    over(state)
    _lease_ends.say(lease(incident=HOME), "taken_back", sentence("lease_over"), state)
    assert (_record.open_names(state), ended(HOME, state)) == ([], ["taken_back"])
    _lease_ends.say(lease(incident=HOME), "kept", sentence("lease_end_failed"), state)
    _lease_ends.say(lease(incident=HOME), "taken_back", sentence("lease_over"), state)
    (opened,) = _record.open_names(state)
    assert ended(opened, state) == ["kept", "taken_back"]


@pytest.mark.parametrize("incident", ["", _record.outside(NOW)])
@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"ends": {"K": _lease.end(60, OVER, "increases")}}, "circuit_breaker"),
        ({"ends": {"K": _lease.end(60, OVER, "reduces", {"indicator": "policy_deny_rate"})}}, "policy_deny_rate"),
        ({"kind": "tcp_tuning", "ends": {}}, "execution_latency"),
        ({"written": {"CPUQuota": "100%"}}, "sse_availability"),
        ({"written": {"P_THRESHOLD": "0.5"}}, "policy_deny_rate"),
        ({"written": {"CONFIDENCE_THRESHOLD": "0.8"}}, "calibration_ece"),
    ],
)
def test_what_a_person_granted_outside_of_an_incident_pages_too_where_it_does_not_end(
    tmp_path, incident, changes, kind
):
    """Otherwise what a person raised by hand stays raised, and nobody knows."""
    state, one = str(tmp_path), replace(lease(incident=incident), **changes)
    _lease_ends.say(one, "left_alone", sentence(), state)
    _lease_ends.say(one, "kept", sentence("lease_end_failed"), state)
    (opened,) = _record.open_names(state)
    assert (_record.incident_of(opened), ended(opened, state)) == (kind, ["left_alone", "kept"])
    _record.append(opened, "closed", {"verdict": "closed"}, state=state)
    _lease_ends.say(one, "lost", sentence("lease_lost"), state)  # the same lease, and something else about it
    assert _record.open_names(state) == [opened]


def test_an_earlier_record_that_is_gone_keeps_nobody_from_being_paged(tmp_path):
    """A lease may outlive the record it was granted for, and an incident without a severity has no deadlines."""
    (opened,) = _lease_ends.places(lease(incident=HOME), True, NOW, str(tmp_path))
    assert _record.severity(_record.read(opened, str(tmp_path))) == "P2"


@pytest.mark.parametrize(
    ("incident", "granted_for", "place"),
    [("", HOME, HOME), ("", "", _record.outside(NOW)), (f"{CLASS}-20270115T080000Z-0a1b2c3d", HOME, None)],
)
def test_a_renewal_is_on_record(incident, granted_for, place, tmp_path, monkeypatch):
    """Otherwise nobody finds out who keeps a raise or a reduction on, time after time."""
    saved = []
    monkeypatch.setattr(_lease, "save", saved.append)
    monkeypatch.setattr(_stamps, "clock", lambda: NOW)
    conduct = _conduct.Conduct("service_override", None, False, state=str(tmp_path), id=incident, by="oncall")
    ends = {"K": _lease.end(60, OVER, "increases")}
    conduct.renew(lease(incident=granted_for), ends)
    (line,) = _record.read(place or incident, str(tmp_path)).entries
    assert (line.what, line.by, line.open, line.data["name"]) == ("lease_renewed", "oncall", False, "x.service")
    assert (line.data["written"], line.data["until"]) == ({"K": "2"}, ends["K"].until)
    assert line.data["sentence"]["message"] == "lease_renewed"
    assert [one.ends for one in saved] == [ends]
