# SPDX-License-Identifier: GPL-3.0-or-later
"""A restart happens once, when it can help, and says whom it cost; else nothing is done and the reason is told."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from helpers import (
    HOST,
    end_claim,
    footprint,
    kill_module,
    lab,
    module,
    put,
    put_odd_units,
    shell,
    show,
    start_module,
    wait_until,
)

FEED, NGINX = "aurora-live-feed.service", "nginx.service"
HEALTHY = {"start_seconds": 20, "hold_seconds": 1}
RESTART = {
    "name": "aurora-live-feed",
    "health_url": "http://localhost:8001/healthz",
    "clients_url": "http://localhost:8001/metrics",
    **HEALTHY,
}
START = {"name": "nginx", "state": "started", "config_test": "nginx", **HEALTHY}
UNITS = "/etc/systemd/system"
DROP_IN, SITE = f"{UNITS}/{FEED}.d", "/etc/nginx/sites-available/aurora"


def restart(arguments, *flags):
    result = module(HOST, "service_restart", arguments, *flags)
    assert not result["failed"], result
    return result


def said(result):
    return [sentence["message"] for sentence in result["done"]]


def clients():
    page = lab.get(lab.aurora_hosts([HOST])[HOST], 8001, "/metrics")
    return sum(map(float, re.findall(r"^sse_clients_connected (\S+)$", page, re.MULTILINE)))


def invocation(unit):
    return show(HOST, unit, "InvocationID")


def hang():
    lab.inside(HOST, "systemctl", "kill", "--signal=STOP", FEED)


@pytest.fixture(autouse=True)
def whole() -> Iterator[None]:
    """The feed and nginx as the lab made them, with all clients connected."""
    lab.inside(HOST, "cp", SITE, "/root/site")
    wait_until(lambda: clients() == 3)
    yield
    lab.inside(HOST, "cp", "/root/site", SITE)
    shell(HOST, f"rm -rf {DROP_IN}; systemctl daemon-reload; systemctl reset-failed; systemctl restart {FEED}")


def test_a_healthy_feed_is_restarted_when_asked_and_every_client_comes_back():
    before, untouched = invocation(FEED), footprint(HOST)
    forced = {**RESTART, "min_interval_seconds": 0}
    checked = restart(forced, "--check")
    assert (checked["verdict"], checked["changed"]) == ("would_change", True)
    assert said(checked) == ["restart_because", "clients_dropped"]
    assert footprint(HOST) == untouched

    result = restart(forced)
    assert (result["verdict"], result["changed"], result["clients"]) == ("healthy", True, {"before": 3, "after": 3})
    assert said(result) == ["restarted", "clients_back"]
    assert invocation(FEED) != before


def test_a_feed_that_hangs_is_restarted_once():
    hang()
    recovery = {"indicator": "sse_availability", "hold_seconds": 1, "min_count": 5, "timeout_seconds": 40}
    result = restart({**RESTART, "recovery": recovery})
    assert (result["verdict"], result["clients"]["before"]) == ("recovered", None), result
    assert said(result) == ["restarted", "clients_now"]

    standing = footprint(HOST)
    again = restart(RESTART)
    assert (again["verdict"], again["changed"], said(again)) == ("healthy", False, ["restarted_lately"])
    hang()
    refused = restart(RESTART)
    assert (refused["verdict"], refused["changed"], said(refused)) == ("refused", False, ["guard_restart_interval"])
    assert footprint(HOST) == standing


def test_the_run_after_a_kill_does_not_drop_the_clients_again():
    before = invocation(FEED)
    process = start_module(HOST, "service_restart", {**RESTART, "min_interval_seconds": 0, "hold_seconds": 600})
    try:
        wait_until(lambda: invocation(FEED) not in ("", before))
    finally:
        kill_module(HOST, "service_restart", process)
        end_claim(HOST)
    restarted = invocation(FEED)
    wait_until(lambda: clients() == 3)
    assert said(restart(RESTART)) == ["restarted_lately"]
    assert invocation(FEED) == restarted


def test_a_feed_that_is_down_is_started():
    lab.inside(HOST, "systemctl", "stop", FEED)
    assert said(restart(RESTART))[0] == "started"
    assert show(HOST, FEED, "SubState") == "running"


def test_a_crash_loop_is_left_alone_and_tells_its_reason():
    crashes = "ExecStart=/bin/sh -c 'echo 80O1 is not a port; exit 1'"  # at once, also where the machine is busy
    put(HOST, f"{DROP_IN}/probe.conf", "[Service]", "ExecStart=", crashes, "RestartSec=1")
    lab.inside(HOST, "systemctl", "restart", FEED)
    early = restart({**RESTART, "start_seconds": 3})
    assert (early["verdict"], early["changed"]) == ("refused", False)
    wait_until(lambda: int(show(HOST, FEED, "NRestarts")) >= 3)
    result = restart(RESTART)
    assert (result["verdict"], result["changed"], said(result)) == ("refused", False, ["guard_crash_loop"])
    assert "80O1 is not a port" in result["done"][0]["text"]


def test_a_service_that_ignores_sigterm_is_killed():
    stubborn = """ExecStart=/bin/sh -c "trap '' TERM; while :; do sleep 1; done" """
    put(HOST, f"{UNITS}/probe.service", "[Service]", stubborn)
    lab.inside(HOST, "systemctl", "start", "probe")
    result = restart({"name": "probe", "min_interval_seconds": 0, **HEALTHY})
    assert said(result) == ["restarted", "killed"]
    lab.inside(HOST, "systemctl", "kill", "--signal=KILL", "probe")


def test_a_service_that_does_not_come_up_fails_with_its_journal():
    put(HOST, f"{UNITS}/probe.service", "[Service]", "ExecStart=/bin/sh -c 'echo no disk; exit 3'")
    result = module(HOST, "service_restart", {"name": "probe", "state": "started", **HEALTHY})
    assert result["failed"]
    assert "no disk" in result["msg"]


def test_nginx_is_started_only_with_a_valid_configuration_and_never_restarted():
    running = invocation(NGINX)
    assert said(restart(START)) == ["runs_already"]
    assert invocation(NGINX) == running
    lab.inside(HOST, "sed", "-i", "s/listen 443 ssl;/lisssten 443 ssl;/", SITE)
    refused = restart({**START, "state": "restarted", "min_interval_seconds": 0})
    assert (refused["verdict"], said(refused)) == ("refused", ["refused_config"])
    assert 'unknown directive "lisssten" in /etc/nginx/sites-enabled/aurora:2' in refused["done"][0]["text"]
    assert invocation(NGINX) == running

    lab.inside(HOST, "systemctl", "stop", NGINX)
    assert restart(START)["verdict"] == "refused"
    assert show(HOST, NGINX, "SubState") != "running"
    lab.inside(HOST, "cp", "/root/site", SITE)
    assert said(restart(START)) == ["started"]


def test_what_must_not_be_restarted_is_refused_by_name():
    put_odd_units(HOST)
    reasons = {
        "aurora-runner": "refused_trader",
        "probe-missing": "refused_not_loaded",
        "probe-masked": "refused_not_loaded",
        "probe-transient": "refused_transient",
        "probe-edited": "refused_reload",
    }
    before = footprint(HOST)
    for name, reason in reasons.items():
        result = restart({"name": name})
        assert (result["verdict"], result["changed"], said(result)) == ("refused", False, [reason]), name
    assert footprint(HOST) == before
