# SPDX-License-Identifier: GPL-3.0-or-later
"""A model is refitted on good trades alone, by the service's user alone, and only a better one stays."""

from __future__ import annotations

import re
from contextlib import contextmanager

import pytest
from helpers import (
    HOST,
    configuration,
    end_claim,
    footprint,
    kill_module,
    lab,
    module,
    shell,
    start_module,
    wait_until,
)

MODEL = "/opt/aurora/models/calibration.json"
SCRIPT = "/opt/aurora/tools/calibrate.py"
RECORD = "/var/lib/aurora-runbook/recalibration.json"
RECOVERY = {"indicator": "calibration_ece", "hold_seconds": 2, "timeout_seconds": 30, "interval_seconds": 0.5}
BY_SCRIPT = {"method": "script"}
# A host's own calibrate.py may do anything: it stands in for the real one until the test is over.
WORSE = """
import json, pathlib
path = pathlib.Path("/opt/aurora/models/calibration.json")
model = json.loads(path.read_text())
path.write_text(json.dumps({**model, "intercept": model["intercept"] + 2}))
print("calibrated")
"""
# A feed that hangs up on whoever asks, and refits all the same.
SILENT_FEED = f"""
import os, socket
server = socket.create_server(("localhost", 8099))
client = server.accept()[0]
while b"\\r\\n\\r\\n" not in client.recv(65536):
    pass
client.close()
os.execv("/usr/bin/python3", ["python3", "{SCRIPT}", "--force"])
"""


@pytest.fixture(autouse=True)
def good_model():
    """Every test starts with the lab's own model, and leaves nothing to the next."""
    lab.mend([HOST])
    yield
    shell(HOST, f"rm -rf /opt/aurora/logs/probe* /opt/aurora/said /opt/probe {RECORD}")


@pytest.fixture
def distorted(broken):
    broken("breaker_miscalibration", [HOST])
    wait_until(lambda: ece() > 0.1)


@pytest.fixture
def stand_in():
    """Put a script in place of calibrate.py; whatever it does to the models, they come back."""

    def replace(text):
        shell(HOST, f"cp --archive {SCRIPT} {SCRIPT}.kept; cp --archive /opt/aurora/models /opt/aurora/kept")
        lab.inside(HOST, "tee", SCRIPT, input=text.encode())

    yield replace
    shell(
        HOST,
        f"""
        systemctl stop aurora-runbook-refit.service 2>/dev/null || true
        rm -rf /opt/aurora/models /opt/aurora/models.kept
        mv /opt/aurora/kept /opt/aurora/models
        mv {SCRIPT}.kept {SCRIPT}
        """,
    )


def ece():
    page = lab.get(lab.aurora_hosts([HOST])[HOST], 9000, "/metrics")
    return float(re.search(r"^calibration_ece (\S+)$", page, re.MULTILINE)[1])


def recalibrate(arguments, *flags):
    return module(HOST, "recalibration", arguments, *flags)


def model_file():
    """The model: hash, owner, mode and time of its file."""
    return shell(HOST, f"sha256sum {MODEL}; stat -c '%U %G %a %y' {MODEL}")


def messages(result):
    return [sentence["message"] for sentence in result["done"]]


def test_a_distorted_model_is_refitted_through_the_feed_and_the_second_run_changes_nothing(distorted):
    untouched = footprint(HOST), model_file()
    foreseen = recalibrate({"recovery": RECOVERY}, "--check")
    assert (foreseen["verdict"], foreseen["changed"]) == ("would_change", True)
    assert (footprint(HOST), model_file()) == untouched
    result = recalibrate({"recovery": RECOVERY})
    assert (result["failed"], result["changed"], result["verdict"]) == (False, True, "recovered"), result
    assert (result["method"], result["restored"], result["ece"]["source"]) == ("http", False, "refit")
    assert (result["ece"]["before"] > 0.1, result["ece"]["after"] < 0.05) == (True, True)
    assert (result["model"]["before"]["valid"], result["model"]["after"]["valid"]) == (False, True)
    assert messages(result) == ["refit", "model_valid"]
    untouched = footprint(HOST), model_file()
    again = recalibrate({"recovery": RECOVERY})
    assert (again["changed"], again["verdict"], messages(again)) == (False, "recovered", ["model_fresh", "model_valid"])
    assert (footprint(HOST), model_file()) == untouched


def test_the_script_takes_over_where_the_feed_does_not_and_the_token_is_in_no_output(distorted):
    token = shell(HOST, "cat /opt/aurora/secrets/auth_token")
    shell(HOST, "runuser -u aurora -- sh -c 'echo not-the-right-token >/opt/aurora/logs/probe_token'")
    wrong = {"auth_token_file": "/opt/aurora/logs/probe_token"}
    refused = recalibrate({**wrong, "method": "http"})
    assert "answered 401" in refused["msg"]
    assert "as it was" in refused["msg"]
    result = recalibrate(wrong, "-vvv")
    assert (result["changed"], result["method"], result["model"]["after"]["valid"]) == (True, "script", True), result
    assert "not-the-right-token" not in str([refused, result])
    assert token not in str([refused, result])


def test_what_the_service_user_can_write_runs_as_that_user_and_with_nothing_of_ours(distorted, stand_in):
    spy = f"""
import os, pathlib, sys
said = [os.getuid(), os.environ.get("CALIBRATION_DAYS"), os.environ.get("PYTHONPATH"), "SUDO_USER" in os.environ]
said += [line for line in open("/proc/self/status") if line.startswith("NoNewPrivs")]
pathlib.Path("/opt/aurora/said").write_text(repr(said))
os.execv(sys.executable, [sys.executable, "{SCRIPT}.kept", *sys.argv[1:]])
"""
    stand_in(spy)
    result = recalibrate({**BY_SCRIPT, "days": 60})
    assert (result["changed"], result["days"], result["ece"]["source"]) == (True, 60, "refit"), result
    uid = int(shell(HOST, "id -u aurora"))
    assert shell(HOST, "cat /opt/aurora/said") == repr([uid, "60", "/opt/aurora", False, "NoNewPrivs:\t1\n"])
    assert "root is refused" in recalibrate({"user": "root"})["msg"]


def test_a_worse_model_is_put_back_as_it_was_and_not_tried_again(stand_in):
    wait_until(lambda: ece() < 0.05)
    shell(HOST, f"touch -d '3 days ago' {MODEL}")
    before = model_file()
    stand_in(WORSE)
    result = recalibrate({**BY_SCRIPT, "recovery": {**RECOVERY, "hold_seconds": 0}})
    assert (result["changed"], result["restored"], result["ece"]["source"]) == (True, True, "metric"), result
    assert (result["ece"]["before"] < 0.05, result["ece"]["after"] > 0.1) == (True, True)
    assert messages(result) == ["refit", "model_worse", "model_invalid"]
    assert model_file() == before
    assert recalibrate(BY_SCRIPT)["changed"] is False
    wait_until(lambda: ece() < 0.05)


def test_a_refit_that_does_not_help_is_refused_the_next_time(distorted, stand_in):
    stand_in(f"""open('{MODEL}', 'a').write(' '); print('{{"ece_before": 0.18, "ece_after": 0.17}}')""")
    assert recalibrate({**BY_SCRIPT, "recovery": {**RECOVERY, "timeout_seconds": 1}})["verdict"] == "not_recovered"
    untouched = footprint(HOST), model_file()
    result = recalibrate(BY_SCRIPT)
    assert (result["verdict"], result["cause"], result["changed"]) == ("refused", "recently_refit", False)
    assert (footprint(HOST), model_file()) == untouched


def trades(count, age, rubbish=0):
    """A log of trades that ends ``age`` seconds ago, with lines in it that are none."""
    return f"""
import json, time
with open("/opt/aurora/logs/probe.jsonl", "w") as log:
    for number in range({count}):
        log.write(json.dumps({{"ts": time.time() - {age} - {count} + number, "score": 1, "outcome": 1}}) + "\\n")
    log.write("\\0 not a trade\\n" * {rubbish})
"""


BAD_TRADES = {
    "stale_trades": trades(800, 3 * 86400),
    "malformed_trades": trades(800, 1, rubbish=100),
    "few_trades": trades(300, 1),
    "clock": trades(800, -7200),
}


@pytest.mark.parametrize(("cause", "script"), BAD_TRADES.items())
def test_no_model_is_fitted_to_bad_trades(cause, script):
    lab.inside(HOST, "runuser", "-u", "aurora", "--", "python3", "-", input=script.encode())
    untouched = footprint(HOST), model_file()
    result = recalibrate({"trade_log": "/opt/aurora/logs/probe.jsonl", "recovery": RECOVERY})
    assert (result["failed"], result["changed"]) == (False, False)
    assert (result["verdict"], result["cause"], result["message"]) == ("refused", cause, result["done"][0]["text"])
    assert (footprint(HOST), model_file()) == untouched


@pytest.mark.parametrize(
    ("rotate", "read"),
    [
        ("mv probe.jsonl probe.jsonl-20261129", True),
        ("gzip -S -20261129.gz probe.jsonl", True),
        ("mv probe.jsonl probe.jsonl.1.lz4", False),
    ],
    ids=["by a date", "compressed", "by a compressor that Python does not know"],
)
def test_trades_of_the_log_that_was_rotated_last_count_whatever_it_is_called(rotate, read):
    script = (
        trades(800, 1)
        + f"""
import os, subprocess
os.chdir("/opt/aurora/logs")
subprocess.run("{rotate}", shell=True, check=True)
open("probe.jsonl", "w").write(json.dumps({{"ts": time.time(), "score": 1, "outcome": 1}}) + "\\n")
"""
    )
    lab.inside(HOST, "runuser", "-u", "aurora", "--", "python3", "-", input=script.encode())
    result = recalibrate({"trade_log": "/opt/aurora/logs/probe.jsonl"}, "--check")
    assert (result["failed"], result.get("cause")) == (not read, None), result
    assert read or "probe.jsonl.1.lz4 is not read" in result["msg"]


@pytest.mark.parametrize("option", ["model", "trade_log"])
def test_a_file_that_leads_elsewhere_is_an_error_and_shows_nothing(option):
    shell(HOST, "runuser -u aurora -- ln -s /etc/shadow /opt/aurora/logs/probe.jsonl")
    untouched = footprint(HOST), model_file()
    result = recalibrate({option: "/opt/aurora/logs/probe.jsonl"})
    assert result["failed"]
    assert "probe.jsonl" in result["msg"]
    assert "root:" not in str(result)
    assert (footprint(HOST), model_file()) == untouched


def test_root_writes_nowhere_that_the_service_user_points_at(distorted, stand_in):
    shell(HOST, "mkdir /opt/probe; echo mine >/opt/probe/calibration.json")
    stand_in(
        """
import os
os.rename("/opt/aurora/models", "/opt/aurora/models.kept")
os.symlink("/opt/probe", "/opt/aurora/models")
raise SystemExit("no luck")
"""
    )
    result = recalibrate(BY_SCRIPT)
    assert result["failed"]
    assert "no luck" in result["msg"]
    assert "FAILED" in result["msg"]
    assert shell(HOST, "ls /opt/probe; cat /opt/probe/*") == "calibration.json\nmine"


def test_a_script_that_fails_leaves_the_model_as_it_was(distorted, stand_in):
    before = model_file()
    stand_in(WORSE + "raise SystemExit('the disk is full')")
    result = recalibrate(BY_SCRIPT)
    assert result["failed"]
    assert "the disk is full. The previous model was put back" in result["msg"]
    assert model_file() == before


@contextmanager
def killed_after_the_refit(arguments):
    """SIGKILL the module on its host once the model has changed."""
    before = model_file()
    process = start_module(HOST, "recalibration", arguments)
    try:
        wait_until(lambda: model_file() != before)
        yield
    finally:
        kill_module(HOST, "recalibration", process)
        end_claim(HOST)


def test_the_run_after_a_kill_judges_the_model_that_was_left(stand_in):
    wait_until(lambda: ece() < 0.05)
    shell(HOST, f"touch -d '3 days ago' {MODEL}")
    before = model_file()
    stand_in(WORSE + "import time; time.sleep(600)")
    with killed_after_the_refit(BY_SCRIPT):
        assert "another run is working on this host" in recalibrate(BY_SCRIPT)["message"]
    assert "under way on this host" in recalibrate(BY_SCRIPT)["msg"]
    shell(HOST, "systemctl stop aurora-runbook-refit.service")
    assert recalibrate(BY_SCRIPT, "--check")["verdict"] == "would_change"
    result = recalibrate(BY_SCRIPT)
    assert (result["restored"], messages(result)) == (True, ["refit_judged", "model_worse", "model_invalid"]), result
    assert model_file() == before


def test_a_model_that_comes_without_an_answer_is_judged_all_the_same(stand_in):
    wait_until(lambda: ece() < 0.05)
    shell(HOST, f"touch -d '3 days ago' {MODEL}")
    before = model_file()
    stand_in(WORSE)
    lab.inside(HOST, "tee", "/opt/probe-feed", input=SILENT_FEED.encode())
    shell(HOST, "systemd-run --quiet --unit=probe-feed --uid=aurora --collect python3 /opt/probe-feed")
    try:
        result = recalibrate({"method": "http", "url": "http://localhost:8099/recalibrate"})
    finally:
        shell(HOST, "systemctl stop probe-feed 2>/dev/null || true; rm -f /opt/probe-feed")
    assert (result["method"], result["restored"]) == ("http", True), result
    assert messages(result) == ["refit", "model_worse", "model_invalid"]
    assert model_file() == before


def test_options_out_of_range_are_refused_by_name():
    before = configuration(HOST)
    for options in (
        {"days": 0},
        {"min_trades": 0},
        {"max_age_seconds": -1},
        {"home": "/opt/$X"},
        {"user": "nobody-here"},
    ):
        result = recalibrate(options)
        assert result["failed"]
        assert str(next(iter(options.values()))) in result["msg"]
    assert "days is refused" in recalibrate({"days": 60, "method": "http"})["msg"]
    assert configuration(HOST) == before


def test_triage_names_bad_trades_when_the_calibration_is_off(distorted):
    lab.inside(HOST, "runuser", "-u", "aurora", "--", "python3", "-", input=BAD_TRADES["stale_trades"].encode())
    look = {"network_host": "monitor1", "sample_seconds": 1, "trade_log": "/opt/aurora/logs/probe.jsonl"}
    result = module(HOST, "triage_info", look)
    assert "stale_trades" in [cause["cause"] for cause in result["causes"]], result["summary"]
    assert result["probes"]["model_valid"]["data"]["valid"] is False
    assert result["probes"]["trades"]["data"]["recent"] == 800
