# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a look ends before it has seen enough to say anything, or never ends."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _metrics
from ansible_collections.aurora.runbook.plugins.module_utils.base import _http, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import CommandError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _probes

COUNTED = ("policy_deny_rate", "execution_latency")
# What the real exporter adds to the page of a service that does not use it.
FEED_UNUSED = "".join(
    f"sse_{what} 0\n"
    for what in ("clients_connected", "events_attempted_total", "events_sent_total", "reconnects_total")
)
RUNNER_UNUSED = (
    "circuit_breaker_state 0\npolicy_considered_total 0\n# TYPE policy_denied_total counter\ncalibration_ece 0\n"
    'exec_latency_ms_count 0\nexec_latency_ms_bucket{le="+Inf"} 0\n'
)


def runner(decisions, executions, state=0):
    return (
        f"circuit_breaker_state {state}\npolicy_considered_total {decisions}\npolicy_denied_total 0\n"
        f'exec_latency_ms_count {executions}\nexec_latency_ms_bucket{{le="+Inf"}} {executions}\n'
    )


@pytest.mark.parametrize(
    ("after", "names", "enough"),
    [
        ((50, 100, 0), COUNTED, True),
        ((49, 100, 0), COUNTED, False),
        ((50, 99, 0), COUNTED, False),
        ((50, 0, 0), ("policy_deny_rate",), True),
        ((0, 0, 0), (), True),
        ((3, 0, 2), COUNTED, True),  # an open breaker decides nothing
        ((3, 0, 1), COUNTED, True),
    ],
)
def test_enough_events_stand_behind_the_indicators_asked_for(after, names, enough):
    for unused in ("", FEED_UNUSED):
        pages = (_metrics.parse(unused + runner(*counts)) for counts in ((0, 0), after))
        assert _indicators.enough(names, *pages, 2.0) is enough


@pytest.mark.parametrize(
    ("clients", "attempted", "state", "enough"),
    [(3, 50, 0, True), (3, 49, 0, False), (0, 0, 0, True), (3, 49, 2, False)],
)
def test_a_feed_is_asked_for_its_own_clients_and_not_for_a_breaker(clients, attempted, state, enough):
    def feed(count):
        unused = RUNNER_UNUSED.replace("state 0", f"state {state}")
        events = "".join(f"sse_events_{what}_total {count}\n" for what in ("attempted", "sent"))
        return f"{unused}sse_clients_connected {clients}\n{events}"

    pages = (_metrics.parse(feed(count)) for count in (0, attempted))
    assert _indicators.enough(["sse_availability"], *pages, 2.0) is enough


@pytest.mark.parametrize(("risen", "seconds", "enough"), [(6, 9.0, True), (5, 9.0, False), (0, 60.0, True)])
def test_reconnects_are_counted_for_a_minute_unless_they_are_too_many_before(risen, seconds, enough):
    before, after = (
        _metrics.parse(f"{RUNNER_UNUSED}sse_reconnects_total {count}\nsse_clients_connected 3\n")
        for count in (7, 7 + risen)
    )
    assert _indicators.enough(["reconnects"], before, after, seconds) is enough


@pytest.fixture
def host(monkeypatch):
    """A runner that decides ten times a second, under a clock of the test's own."""
    now = [0.0]
    monkeypatch.setattr(_probes.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(_probes.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    page = lambda: FEED_UNUSED + runner(int(10 * now[0]), 0)  # noqa: E731
    answer = lambda *_rest: _http.Response(200, {}, page().encode())  # noqa: E731
    monkeypatch.setattr(_probes._http, "fetch", answer)


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize(("more", "seconds"), [(0, 2.0), (1.5, 3.5), (40, 5.0)])
def test_a_sample_goes_on_until_it_is_enough_and_not_longer(more, seconds):
    enough = partial(_indicators.enough, ["policy_deny_rate"])
    found = _probes.scrapes("http://localhost:9000/metrics", 5, 2.0, enough=enough, enough_seconds=more)
    assert found["seconds"] == seconds
    assert found["after"].total("policy_considered_total") == 10 * seconds


@pytest.mark.parametrize(("error", "synchronized"), [(1_250_000, True), (16_000_000, False)])
def test_a_clock_that_no_time_service_holds_is_told_from_one_that_is(monkeypatch, error, synchronized):
    def adjtimex(asked):
        assert asked._obj.modes == 0, "any other would set the clock"
        asked._obj.maxerror = error
        return 0

    monkeypatch.setattr(_probes.ctypes, "CDLL", lambda *_args, **_options: SimpleNamespace(adjtimex=adjtimex))
    assert _probes.clock() == {"synchronized": synchronized, "max_error_seconds": error / 1e6}


def test_a_clock_that_may_not_be_asked_is_a_finding(monkeypatch):
    monkeypatch.setattr(_probes.ctypes, "CDLL", lambda *_args, **_options: SimpleNamespace(adjtimex=lambda _asked: -1))
    monkeypatch.setattr(_probes.ctypes, "get_errno", lambda: 1)
    with pytest.raises(OSError, match="adjtimex: Operation not permitted"):
        _probes.clock()


V1 = "nr_periods 50\nnr_throttled 40\nthrottled_time 3200000000\n"
V2 = "usage_usec 9\nuser_usec 5\nsystem_usec 4\nnr_periods 50\nnr_throttled 40\nthrottled_usec 3200000\n"


@pytest.mark.parametrize(
    ("place", "text", "seconds"),
    [
        ("cpu/system.slice/x.service", V1, 3.2),
        ("system.slice/x.service", V2, 3.2),
        ("system.slice/x.service", V2.partition("nr_")[0], None),  # the controller is not enabled
        ("system.slice/y.service", V2, None),
    ],
    ids=["v1", "v2", "v2 without limits", "another unit"],
)
def test_how_long_a_unit_was_held_back_is_read_from_its_own_control_group(tmp_path, place, text, seconds):
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "cpu.stat").write_text(text)
    assert _systemd.throttled("/system.slice/x.service", str(tmp_path)) == seconds
    assert _systemd.throttled("", str(tmp_path)) is None


@pytest.mark.parametrize(
    ("waited", "percent"),
    [(0.0, 0.0), (1.0, 25.0), (4.0, 100.0), (4.2, 100.0)],
    ids=["never", "a quarter", "always", "since before the sample"],
)
def test_a_wait_that_began_before_the_sample_is_no_more_than_all_of_it(waited, percent):
    assert _probes._percent_of_time(waited, 4.0) == percent


@pytest.mark.parametrize(
    ("counts", "percent"),
    [((1.0, 4.2), 64.0), ((1.0, 1.0), 0.0), ((4.2, 1.0), None), ((None, 1.0), None), ((1, 99), 100)],
)
def test_what_was_held_back_in_the_sample_is_told_in_percent(monkeypatch, counts, percent):
    left = iter(counts)
    unit = _systemd.Unit("x", {"ControlGroup": "/system.slice/x.service"})
    now = iter([0.0, 5.0])
    monkeypatch.setattr(_probes._systemd, "show", lambda _run, names: [unit for _name in names])
    monkeypatch.setattr(_probes._systemd, "throttled", lambda _group: next(left))
    monkeypatch.setattr(_probes.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(_probes.time, "monotonic", lambda: next(now))
    assert _probes.load(5.0, {"feed": "x.service"})["throttled"] == {"feed": percent}


def test_a_host_whose_systemd_does_not_answer_still_has_a_load(monkeypatch):
    def show(_run, _names):
        raise CommandError("systemctl is missing")

    monkeypatch.setattr(_probes._systemd, "show", show)
    monkeypatch.setattr(_probes.time, "sleep", lambda _seconds: None)
    assert _probes.load(0, {"feed": "x.service"})["throttled"] == {}


def says(monkeypatch, out="", err="", rc=0):
    """Let every command say this."""
    monkeypatch.setattr(_probes._command, "run", lambda *_rest: _probes._command.Completed(rc, out, err))


WARNING = 'nginx: [warn] conflicting server name "x{}" on 0.0.0.0:80, ignored\n'
EMERG = 'nginx: [emerg] unknown directive "lisssten" in /etc/nginx/sites-enabled/aurora:4\n'


@pytest.mark.parametrize("before", [0, 1, 14, 200])
@pytest.mark.parametrize("worst", [EMERG, EMERG.replace("emerg", "alert"), EMERG.replace("emerg", "crit")])
def test_the_reason_of_nginx_comes_before_its_warnings(monkeypatch, before, worst):
    warnings = "".join(map(WARNING.format, range(before)))
    end = "nginx: configuration file /etc/nginx/nginx.conf test failed\n"
    says(monkeypatch, err=warnings + worst + end, rc=1)
    found = _probes.nginx_config()
    assert (found["valid"], found["message"].splitlines()[0]) == (False, worst.strip())
    assert len(found["message"]) <= 500


# As sysstat 12.1.4 and 11.6.0 write it with -y, and a disk whose columns are partly lost (12.6.1).
COMMA = """{"sysstat": {
\t"hosts": [
\t\t{
\t\t\t"nodename": "x",
\t\t\t"statistics": [
,
\t\t\t\t{
\t\t\t\t\t"disk": [
\t\t\t\t\t\t{"disk_device": "sda", "r/s": 282.50, "aqu-sz": 11.14, "util": 97.30},
\t\t\t\t\t\t{"disk_device": "sdb", "r/s": 0.00, "util": 0.00}LOST
\t\t\t\t\t]
\t\t\t\t}
\t\t\t]
\t\t}
\t]
}}
"""
BOTH = {"sda": {"util_percent": 97.3}, "sdb": {"util_percent": 0.0}}


@pytest.mark.parametrize(
    "text",
    [
        COMMA.replace("LOST", ""),
        COMMA.replace("LOST", "").replace(",\n\t\t\t\t{", "\n\t\t\t\t{"),
        COMMA.replace("LOST", ","),
        COMMA.replace("LOST", ', {"disk_device": "sdc", "r/s": 1.00}'),
    ],
    ids=["a comma before", "right", "a comma behind", "a column lost"],
)
def test_figures_of_disks_are_read_from_every_sysstat(monkeypatch, text):
    says(monkeypatch, text)
    assert _probes.iostat() == {"devices": BOTH}


@pytest.mark.parametrize(
    "text", ["", "}}", "[]", COMMA.replace("LOST", "]"), '{"sysstat": {"hosts": []}}', COMMA.replace("97.30", '"nan"')]
)
def test_what_is_not_the_json_of_iostat_is_said_to_be_so(monkeypatch, text):
    says(monkeypatch, text)
    with pytest.raises(CommandError, match="JSON"):
        _probes.iostat()


def test_the_whole_filter_table_is_read_for_both_families(monkeypatch):
    tables = {
        "iptables": "-P INPUT DROP\n-N ufw-user-input\n-A INPUT -j ufw-user-input\n",
        "ip6tables": "-P INPUT ACCEPT\n",
    }
    run = lambda argv, _seconds: _probes._command.Completed(0, tables[argv[0]], "")  # noqa: E731
    monkeypatch.setattr(_probes._command, "run", run)
    found = _probes.firewall()
    assert (found["active"], found["rules"][0], found["rules6"]) == (True, "-P INPUT DROP", ["-P INPUT ACCEPT"])
    assert "lo" not in found["interfaces"]
    assert not {"127.0.0.1", "::1"} & set(found["addresses"])


def test_a_host_without_ip6tables_is_looked_at(monkeypatch):
    def run(argv, _seconds):
        if argv[0] == "ip6tables":
            raise CommandError("ip6tables is not installed on this host")
        return _probes._command.Completed(0, "-P INPUT DROP\n", "")

    monkeypatch.setattr(_probes._command, "run", run)
    assert _probes.firewall()["rules6"] == []
