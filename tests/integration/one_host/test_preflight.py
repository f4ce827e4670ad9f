# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a preflight calls a host ready on which a remediation fails at night, or the other way round."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import signs
from helpers import HOST, NORMAL, RUNNER, STATE, Run, environment, footprint, knobs, lab, module, playbook, shell
from unready import UNREADY

FEED = "aurora-live-feed.service"
HEALTHY = {"health_url": "http://localhost:9000/metrics", "start_seconds": 60, "hold_seconds": 1}
LEASED = {"state": "present", "lease_seconds": 60}
INCIDENT = {"id": "execution_latency-20261124T180000Z-1a2b3c4d", "run": "0123456789abcdef"}
# These keep all else from being seen, or are no part of a host that others are tried on.
ALONE = (
    *("sudo_password", "sudo_terminal", "knob_unloaded", "log_foreign", "records_open", "refit_gone"),
    *("program_open", "program_read_only"),
)
TOGETHER = sorted(set(UNREADY) - set(ALONE))


@pytest.fixture(autouse=True)
def mended() -> Iterator[None]:
    yield
    lab.mend([HOST])


def preflight(folder: Path, *arguments: str) -> tuple[Run, list[dict]]:
    """A run, and its checks of this host."""
    run = playbook("preflight", "-e", f"aurora_report_directory={folder}", *arguments)
    found = json.loads((folder / "preflight.json").read_text(encoding="utf-8"))
    return run, [one for one in found["checks"] if one["host"] == HOST]


def unready(checks: list[dict]) -> list[dict]:
    return [one for one in checks if one["state"] != "ready"]


def named(name: str, checks: list[dict]) -> list[dict]:
    """The checks that name a way to be unready."""
    wanted = UNREADY[name]
    return [
        one
        for one in unready(checks)
        if (one["what"], one["state"]) == (wanted.what, "not_ready") and wanted.about in json.dumps(one)
    ]


def test_a_host_that_is_well_is_ready_and_nothing_is_left_on_it(tmp_path):
    before = footprint(HOST)
    run, checks = preflight(tmp_path)
    assert unready(checks) == []
    assert len(checks) > 40
    assert [line for line in run.report if line.startswith(f"{HOST}: READY")]
    assert run.changed[HOST] == 0
    assert footprint(HOST) == before
    assert shell(HOST, f"ls -d /usr/local/lib/aurora-runbook {STATE} 2>/dev/null || true") == ""


def test_what_it_calls_ready_works_and_what_stands_then_is_told(tmp_path):
    kelly = {"name": RUNNER, **HEALTHY, "environment": {"KELLY_MULTIPLIER": "0.5"}}
    assert not module(HOST, "service_override", kelly)["failed"]
    assert knobs(HOST) == {**NORMAL, "KELLY_MULTIPLIER": "0.5"}
    for name, asked in (
        ("tcp_tuning", LEASED),
        ("log_rotation", {"max_age": 0}),
        ("recalibration", {"method": "script"}),
    ):
        assert not module(HOST, name, asked)["failed"], name
    found = unready(preflight(tmp_path, "-e", "aurora_prepare=true")[1])
    assert {one["about"] for one in found if one["what"] == "leases"} == {RUNNER, "tcp_tuning"}
    assert {one["what"] for one in found} <= {"leases", "units", "rotation", "calibration"}  # a guard after these acts


def test_the_program_is_put_there_where_that_is_asked_for(tmp_path):
    run, checks = preflight(tmp_path, "-e", "aurora_prepare=true")
    assert (run.changed[HOST], unready(checks)) == (1, [])
    assert shell(HOST, "readlink /usr/local/lib/aurora-runbook/current").strip()


def test_everything_that_is_unready_is_found_and_named_and_nothing_else(tmp_path):
    for name in TOGETHER:
        lab.break_(name, [HOST])
    run, checks = preflight(tmp_path)
    assert run.status != 0
    assert [name for name in TOGETHER if not named(name, checks)] == []
    assert {one["what"] for one in unready(checks)} == {UNREADY[name].what for name in TOGETHER}
    assert [line for line in run.report if line.startswith(f"{HOST}: NOT READY")]


@pytest.mark.parametrize("name", ALONE)
def test_what_hides_other_things_is_found_and_named(name, tmp_path):
    lab.await_sign(signs.WELL, lab.aurora_hosts([HOST]))  # what runs since the test before has its logs open by then
    lab.break_(name, [HOST])
    run, checks = preflight(tmp_path)
    assert run.status != 0
    assert named(name, checks)
    whole = {one["what"] for one in unready(checks)}
    # A log of somebody else's is not rotated either, and everything that acts keeps a record.
    assert whole - {"rotation"} == {UNREADY[name].what} or name == "records_open"


def fails(name: str, /, **asked: object) -> bool:
    """Whether a module of a remediation cannot do its work now."""
    result = module(HOST, name, asked)
    return result["failed"] or result.get("verdict") in ("refused", "escalated")


def turned(**environment: str) -> bool:
    return fails("service_override", name=RUNNER, **HEALTHY, environment=environment)


def edit_comes_along() -> bool:
    turned(DECISIONS_PER_MINUTE="10")
    return environment(HOST)["P_THRESHOLD"] == "0.55"


def nginx_stays_down() -> bool:
    shell(HOST, "systemctl kill --signal=KILL nginx || true")
    return fails("service_restart", name="nginx", state="started", min_interval_seconds=0, start_seconds=5)


def anybody_breaks_the_refit() -> bool:
    shell(HOST, "runuser -u nobody -- sh -c 'echo raise SystemExit >>/opt/aurora/tools/calibrate.py'")
    return "raise SystemExit" in shell(HOST, "cat /opt/aurora/tools/calibrate.py")


def note(identity: str) -> bool:
    return fails("incident", state="noted", id=identity, text="is it still there?", who="olena")


TRIED: dict[str, Callable[[], bool]] = {
    "sudo_password": lambda: fails("incident_info"),
    "sudo_terminal": lambda: fails("incident_info"),
    "unit_masked": nginx_stays_down,
    "knob_unset": lambda: turned(KELLY_MULTIPLIER="0.5"),
    "knob_wrapped": lambda: turned(DECISIONS_PER_MINUTE="10"),
    "knob_later": lambda: turned(KELLY_MULTIPLIER="0.5"),
    "knob_pending": edit_comes_along,
    "knob_unloaded": lambda: turned(KELLY_MULTIPLIER="0.5"),
    "token_odd": lambda: fails("recalibration", method="http", min_trades=1, max_age_seconds=0),
    "log_foreign": lambda: fails("log_rotation", max_age=0),
    "rotation_open": lambda: fails("log_rotation", max_age=0),
    "refit_open": anybody_breaks_the_refit,
    "refit_gone": lambda: fails("recalibration", method="script", min_trades=1, max_age_seconds=0),
    "record_broken": lambda: note("circuit_breaker-20260101T000000Z-00000000"),
    "records_open": lambda: turned(KELLY_MULTIPLIER="0.5"),
    "program_open": lambda: fails("tcp_tuning", **LEASED),
    "program_read_only": lambda: fails("tcp_tuning", **LEASED),
    "paused": lambda: fails("tcp_tuning", state="present", incident=INCIDENT),
}


@pytest.mark.parametrize("name", UNREADY)
def test_what_it_calls_not_ready_does_not_work(name):
    lab.break_(name, [HOST])
    assert TRIED[name]()
