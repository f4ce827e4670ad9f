# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs rotate without losing or doubling a line, the disk gets room, and a hostile log directory leads nowhere."""

from __future__ import annotations

import io
import json
import re
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import CHECKOUT, HOST, each, footprint, lab, module, put, shell, show, wait_until

sys.path.insert(0, str(CHECKOUT / "tests"))

import logrotate_cases  # the path above is what makes it importable

HOME = "/srv/probe"  # belongs to the service user, like /opt/aurora
LOGS = f"{HOME}/logs"
CONFIG = "/etc/probe-logrotate"
SCRIPT = f"{HOME}/log_rotate.sh"
UNIT = "probe-writer.service"
RATE = 2000
NOW = {
    "directory": LOGS,
    "config": CONFIG,
    "script": SCRIPT,
    "units": ["probe-writer"],
    "restart": [],
    "max_age": 0,
    "min_free_percent": 0,
    "reopen_seconds": 3,
}
RESTART = {**NOW, "restart": ["probe-writer"]}
LOGROTATE = """
{logs}/*.jsonl {{
    daily
    rotate 20
    notifempty
    compress
    delaycompress
    create 0640 aurora aurora
    postrotate
        systemctl reload probe-writer || true
    endscript
}}
"""
ON_RELOAD = {"reopens": ("reopen", "/bin/kill -HUP $MAINPID"), "deaf": ("ignore", "/bin/true"), "never": ("ignore", "")}


@pytest.fixture(autouse=True)
def log_directory() -> Iterator[None]:
    clean = f"mountpoint -q {LOGS} && umount {LOGS}; rm -rf {HOME} {CONFIG}"
    shell(HOST, f"{clean}\ninstall -d -o aurora -g aurora {HOME} {LOGS}")
    put(HOST, CONFIG, LOGROTATE.format(logs=LOGS))
    yield
    shell(HOST, f"systemctl kill --signal=KILL {UNIT} || true; systemctl stop {UNIT} || true; {clean}")


def rotation(arguments, *flags):
    return module(HOST, "log_rotation", arguments, *flags)


def as_user(script):
    return lab.inside(HOST, "runuser", "-u", "aurora", "--", "sh", "-eu", input=f"cd {LOGS}\n{script}".encode())


def start_writer(kind):
    """A writer of numbered lines as a service, and wait until it writes."""
    on_hup, on_reload = ON_RELOAD[kind]
    lab.inside(HOST, "tee", "/srv/probe/writer.py", input=(Path(__file__).parent / "sequence_writer.py").read_bytes())
    command = f"/usr/bin/python3 {HOME}/writer.py {LOGS}/events.jsonl {HOME}/number {RATE} {on_hup}"
    reload = [f"ExecReload={on_reload}"] if on_reload else []
    put(HOST, f"/etc/systemd/system/{UNIT}", "[Service]", "User=aurora", f"ExecStart={command}", *reload)
    shell(HOST, f"systemctl start {UNIT}")
    wait_until(lambda: shell(HOST, f"stat -c %s {LOGS}/events.jsonl 2>/dev/null || echo 0") != "0")


def numbers_written():
    """Every number in the live and the rotated files, and the last one the writer wrote; it is stopped for that."""
    shell(HOST, f"systemctl stop {UNIT}")
    lines = shell(HOST, f"zcat -f {LOGS}/events.jsonl*").splitlines()
    return Counter(int(line[6:-1]) for line in lines), int(shell(HOST, f"cat {HOME}/number"))


def every_number_once(others=()):
    counted, last = numbers_written()
    return last > RATE and counted == Counter(range(1, last + 1)) + Counter(others)


def listing(path=LOGS):
    return shell(HOST, rf"find {path} -printf '%P %y %i %n %u %s\n' | sort")


@pytest.mark.parametrize(
    ("arguments", "kind", "times", "how"),
    [(NOW, "reopens", 10, "reload"), (RESTART, "never", 3, "restart")],
    ids=["told to reopen", "restarted as the last resort"],
)
def test_ten_rotations_lose_and_double_no_line_and_the_writer_holds_the_new_file(arguments, kind, times, how, tmp_path):
    start_writer(kind)
    for result in each(HOST, "log_rotation", [arguments] * times, tmp_path):
        assert result["changed"], result
        assert result["method"] == "logrotate"
        assert result["rotated"] == [{"log": "events.jsonl", "file": "events.jsonl.1"}]
        assert result["writers"] == [{"unit": UNIT, "log": "events.jsonl", "how": how, "now": "live"}]
    held = shell(HOST, f"readlink /proc/{show(HOST, UNIT, 'MainPID')}/fd/3")
    assert held == f"{LOGS}/events.jsonl"
    assert len(re.findall(r"^events\.jsonl\.\d+", listing(), re.MULTILINE)) == times
    assert every_number_once()


def test_the_script_of_the_host_rotates_as_the_service_user_and_loses_no_line(tmp_path):
    start_writer("reopens")
    shell(HOST, f"rm {CONFIG}")
    put(HOST, SCRIPT, "#!/bin/sh", f"id -un >{HOME}/ran_as", f"cd {LOGS}", "mv events.jsonl events.jsonl-$(date +%s%N)")
    shell(HOST, f"chmod 755 {SCRIPT}; chown aurora:aurora {SCRIPT}")
    for result in each(HOST, "log_rotation", [NOW] * 3, tmp_path):
        assert (result["changed"], result["method"], result["writers"][0]["now"]) == (True, "script", "live"), result
    assert shell(HOST, f"cat {HOME}/ran_as") == "aurora"
    assert every_number_once()


def test_a_postrotate_that_needs_root_fails_nothing_and_loses_no_line():
    start_writer("reopens")
    put(HOST, CONFIG, LOGROTATE.format(logs=LOGS).replace(" || true", ""))
    result = rotation(NOW)
    assert (result["failed"], result["rotated"]) == (False, [{"log": "events.jsonl", "file": "events.jsonl.1"}]), result
    assert result["writers"] == [{"unit": UNIT, "log": "events.jsonl", "how": "reload", "now": "live"}]
    said = {sentence["message"]: sentence["text"] for sentence in result["done"]}
    assert "postrotate script" in said["log_complaint"]
    assert every_number_once()


def test_every_case_of_the_table_is_what_logrotate_itself_does():
    """The table is what the unit tests hold our reading of the configuration against."""
    packed = io.BytesIO()
    modules = CHECKOUT / "plugins" / "module_utils"
    inside = "ansible_collections/aurora/runbook/plugins/module_utils"
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in ("base/_errors.py", "look/_log_names.py", "act/_logrotate.py"):
            archive.add(modules / name, f"{inside}/{name}")
        archive.add(logrotate_cases.__file__, "logrotate_cases.py")
    run = "import json, pathlib, logrotate_cases as cases; "
    run += "print(json.dumps(cases.against_the_real_program(pathlib.Path('/srv/probe-cases/run'))))"
    before = time.localtime()
    try:
        shell(HOST, "mkdir -m 755 /srv/probe-cases")
        lab.inside(HOST, "tar", "-C", "/srv/probe-cases", "-xf", "-", input=packed.getvalue())
        found = json.loads(shell(HOST, f'cd /srv/probe-cases && python3 -c "{run}"'))
    finally:
        shell(HOST, "rm -rf /srv/probe-cases")
    if (before.tm_yday, before.tm_hour) != (time.localtime().tm_yday, time.localtime().tm_hour):
        pytest.skip("the hour changed meanwhile, and with it the names")
    assert len(found) == len(logrotate_cases.CASES)
    for case, real in zip(logrotate_cases.CASES, found):
        name = time.strftime(case.becomes, before)
        assert real["main"] == name, case
        assert case.refused in real["refused"], case
        assert case.refused or real["ours"] == name, case


def test_a_log_gets_the_name_that_the_nightly_rotation_gives_it(tmp_path):
    """`dateext` and `rotate` stand in the main configuration alone, whose `su` no service's user can follow."""
    main = "/etc/probe-logrotate-main"
    start_writer("reopens")
    put(HOST, CONFIG, LOGROTATE.format(logs=LOGS).replace("rotate 20", "daily"))
    put(HOST, main, "su root adm", "dateext", "rotate 20", f"include {CONFIG}")
    try:
        first, second = each(HOST, "log_rotation", [{**NOW, "main_config": main}] * 2, tmp_path)
    finally:
        shell(HOST, f"rm {main}")
    name = "events.jsonl-" + shell(HOST, "date +%Y%m%d")
    assert first["rotated"] == [{"log": "events.jsonl", "file": name}], first
    assert (second["verdict"], second["changed"]) == ("refused", False)
    assert f"{name} exists already" in second["done"][0]["text"]
    assert every_number_once()


@pytest.mark.parametrize(
    ("what", "lost", "file"),
    [("gzip -9", False, "events.jsonl.1.gz"), ("truncate -s 0", True, None)],
    ids=["compressed at once", "removed"],
)
def test_a_log_is_rotated_only_where_its_lines_are_in_a_file(what, lost, file):
    shell(HOST, f"rm {CONFIG}")
    as_user("echo one >events.jsonl; echo two >events.jsonl.7; touch -d yesterday events.jsonl.7")
    end = "rm events.jsonl.1; gzip events.jsonl.7" if lost else "true"
    put(HOST, SCRIPT, "#!/bin/sh -e", f"cd {LOGS}", "mv events.jsonl events.jsonl.1", f"{what} events.jsonl.1", end)
    shell(HOST, f"chmod 755 {SCRIPT}; chown aurora:aurora {SCRIPT}")
    result = rotation(NOW)
    assert result["rotated"] == ([] if lost else [{"log": "events.jsonl", "file": file}]), result
    assert (result.get("verdict"), result["changed"]) == ("escalated" if lost else None, True)
    assert ("log_lost" in {sentence["message"] for sentence in result["done"]}) is lost


def test_a_log_that_no_configuration_names_is_told_and_the_others_are_rotated():
    as_user("echo one >events.jsonl; echo two >trades.jsonl")
    put(HOST, CONFIG, LOGROTATE.format(logs=LOGS).replace("*.jsonl", "events.jsonl"))
    result = rotation(NOW)
    assert result["rotated"] == [{"log": "events.jsonl", "file": "events.jsonl.1"}]
    assert {"log": "trades.jsonl", "config": CONFIG} in [sentence["values"] for sentence in result["done"]]


def test_a_second_run_and_check_mode_change_nothing():
    start_writer("reopens")
    before = listing(f"{LOGS} -name '*.jsonl.*'")
    checked = rotation(NOW, "--check")
    assert (checked["changed"], checked["verdict"], checked["rotated"]) == (
        True,
        "would_change",
        [{"log": "events.jsonl"}],
    )
    assert listing(f"{LOGS} -name '*.jsonl.*'") == before
    assert rotation(NOW)["changed"]
    rotated = listing(f"{LOGS} -name '*.jsonl.*'")
    again = rotation({**NOW, "max_age": 3600})
    assert (again["changed"], again["done"][0]["message"]) == (False, "log_recent")
    assert listing(f"{LOGS} -name '*.jsonl.*'") == rotated


def test_a_writer_that_reload_does_not_reach_is_named_and_not_rotated_again():
    start_writer("deaf")
    first = rotation({**NOW, "reopen_seconds": 1})
    assert (first["verdict"], first["writers"][0]["now"]) == ("escalated", "rotated")
    assert f"{UNIT} STILL WRITES into the rotated events.jsonl" in first["done"][1]["text"]
    as_user("""echo '{"n": 0}' >>events.jsonl""")  # so that the new file is due as well
    second = rotation({**NOW, "reopen_seconds": 1})
    assert (second["verdict"], second["rotated"]) == ("escalated", [])
    third = rotation(RESTART)
    assert {"unit": UNIT, "log": "events.jsonl", "how": "restart", "now": "live"} in third["writers"]
    assert third["rotated"] == [{"log": "events.jsonl", "file": "events.jsonl.1"}]
    assert every_number_once({0: 1})


def test_aurora_with_its_real_unit_is_not_left_writing_into_a_rotated_file():
    before = footprint(HOST), shell(HOST, "ls -i /opt/aurora/logs/*.jsonl*")
    result = rotation({"max_age": 0})
    assert (result["changed"], result["verdict"]) == (False, "refused")
    assert "aurora-runner.service writes into" in result["done"][0]["text"]
    assert (footprint(HOST), shell(HOST, "ls -i /opt/aurora/logs/*.jsonl*")) == before


def test_what_would_lend_rights_or_lose_lines_is_refused(tmp_path):
    as_user("echo line >events.jsonl")
    shell(
        HOST,
        f"""
        cp {CONFIG} {HOME}/config
        cp {CONFIG} {CONFIG}-open; chmod 666 {CONFIG}-open
        sed s/delaycompress/copytruncate/ {CONFIG} >{CONFIG}-copies
        grep -v delaycompress {CONFIG} >{CONFIG}-compresses
        cat {CONFIG} {CONFIG} >{CONFIG}-twice
        cp {CONFIG} {CONFIG}-private; chmod 600 {CONFIG}-private
        ln -s {LOGS} {HOME}/link
        """,
    )
    before = listing(HOME)
    cases = [
        ({"config": f"{HOME}/config"}, f"others than root can write {HOME}"),
        ({"config": f"{CONFIG}-open"}, f"others than root can write {CONFIG}-open"),
        ({"config": f"{CONFIG}-copies"}, "copytruncate loses"),
        ({"config": f"{CONFIG}-compresses"}, "add delaycompress"),
        ({"method": "script"}, "has neither"),
        ({"directory": f"{HOME}/link"}, "is a link"),
        ({"directory": "/var/log"}, "does not belong to the user aurora"),
        ({"user": "root"}, "never run as root"),
        ({"keep": -1}, "expected 0 to 1000"),
        ({"config": f"{CONFIG}-twice"}, "as does"),
        ({"config": f"{CONFIG}-private"}, "can be read by root alone"),
    ]
    results = each(HOST, "log_rotation", [{**NOW, **one} for one, _reason in cases], tmp_path)
    shell(HOST, f"rm {CONFIG}-*")
    for result, (_one, reason) in zip(results, cases, strict=True):
        assert result["failed"] or result["verdict"] == "refused", result
        assert not result["changed"]
        assert reason in str(result.get("msg") or result["done"])
    assert listing(HOME) == before


@pytest.mark.parametrize("link", ["ln -s /etc/shadow", "ln /etc/probe-victim"], ids=["symbolic", "hard"])
def test_a_live_log_that_is_a_link_leads_nowhere(link):
    shell(HOST, f"echo secret >/etc/probe-victim; chmod 600 /etc/probe-victim; {link} {LOGS}/events.jsonl")
    as_user("echo line >trades.jsonl")
    before = shell(HOST, "stat -c '%i %s %Z' /etc/shadow /etc/probe-victim"), listing()
    result = rotation({**NOW, "keep": 0, "min_free_percent": 90})
    after = shell(HOST, "stat -c '%i %s %Z' /etc/shadow /etc/probe-victim"), listing()
    shell(HOST, "rm /etc/probe-victim")
    assert (result["verdict"], result["done"][0]["message"]) == ("refused", "log_odd")
    assert result["left_alone"][0]["name"] == "events.jsonl"
    assert after == before


def test_only_plain_files_of_the_service_user_that_nobody_has_open_are_removed():
    start_writer("never")
    as_user(
        f"""
        for n in 2 3 5; do echo old >events.jsonl.$n; done
        for end in jsonl-20260101.gz jsonl.2.bz2 jsonl.3.lz4 jsonl.2026-11-28.1764400000.xz 4.jsonl; do
            echo old >trades.$end
        done
        echo live >trades.jsonl
        echo old >events.jsonl.11.part
        echo mine >events.jsonl.bak
        mkfifo events.jsonl.6; mkdir events.jsonl.7; ln -s /etc/passwd events.jsonl.8
        echo twice >{HOME}/twice; ln {HOME}/twice events.jsonl.9
        """
    )
    tail = f"systemd-run --quiet --unit=probe-tail tail -f {LOGS}/events.jsonl.3"
    shell(HOST, f"echo root >{LOGS}/events.jsonl.10; {tail}")
    opened = f"find /proc/[0-9]*/fd -lname {LOGS}/events.jsonl.3 2>/dev/null || true"
    wait_until(lambda: shell(HOST, opened))
    result = rotation({**NOW, "keep": 0, "min_free_percent": 90})
    shell(HOST, "systemctl stop probe-tail")
    assert sorted(result["removed"]) == [
        "events.jsonl.2",
        "events.jsonl.5",
        "trades.4.jsonl",
        "trades.jsonl-20260101.gz",
        "trades.jsonl.2.bz2",
        "trades.jsonl.2026-11-28.1764400000.xz",
        "trades.jsonl.3.lz4",
    ]
    assert result["bytes_freed"] > 0
    assert {entry["name"]: entry["reason"] for entry in result["left_alone"]} == {
        "events.jsonl.6": "not a regular file",
        "events.jsonl.7": "not a regular file",
        "events.jsonl.8": "a symbolic link",
        "events.jsonl.9": "a hard link",
        "events.jsonl.10": "somebody else's file",
        "events.jsonl.11.part": "an odd name",
        "events.jsonl.bak": "an odd name",
    }
    kept = {
        "events.jsonl",
        "trades.jsonl",
        "events.jsonl.3",
        "events.jsonl.bak",
        "events.jsonl.11.part",
        *(f"events.jsonl.{n}" for n in (6, 7, 8, 9, 10)),
    }
    assert set(shell(HOST, f"ls {LOGS}").split()) == kept


def test_a_directory_that_keeps_turning_into_a_link_leads_nowhere(tmp_path):
    shell(HOST, "mkdir -p /etc/probe-victim; for n in 1 2 3; do echo root >/etc/probe-victim/events.jsonl.$n; done")
    before = listing("/etc/probe-victim")
    swap = f"""
import ctypes, os
os.symlink("/etc/probe-victim", "{HOME}/link")
rename = ctypes.CDLL(None).renameat2
while os.path.lexists("{HOME}/link"):
    rename(-100, b"{HOME}/link", -100, b"{LOGS}", 2)  # RENAME_EXCHANGE
"""
    lab.inside(HOST, "runuser", "-u", "aurora", "--", "tee", f"{HOME}/swap.py", input=swap.encode())
    shell(HOST, f"systemd-run --quiet --unit=probe-swap --uid=aurora --gid=aurora python3 {HOME}/swap.py")
    wait_until(lambda: "link" in shell(HOST, f"ls {HOME}"))
    results = each(HOST, "log_rotation", [{**NOW, "keep": 0, "min_free_percent": 90}] * 8, tmp_path)
    shell(HOST, "systemctl stop probe-swap")
    after = listing("/etc/probe-victim")
    shell(HOST, "rm -r /etc/probe-victim")
    assert after == before
    assert not any(result.get("removed") for result in results)


@pytest.fixture
def small_disk() -> None:
    """Logs on a full disk of 16 MiB: a live log, its rotated files of 1 MiB from .9, the oldest, to .1, another's."""
    shell(HOST, f"mount -t tmpfs -o size=16m,uid=$(id -u aurora),gid=$(id -g aurora),mode=755 tmpfs {LOGS}")
    as_user(
        """
        echo line >events.jsonl
        for n in 1 2 3 4 5 6 7 8 9; do
            head -c 1M /dev/urandom >events.jsonl.$n
            touch -d "$n days ago" events.jsonl.$n
        done
        head -c 100M /dev/zero >trades.jsonl.1.gz 2>/dev/null || true
        """
    )
    assert shell(HOST, f"df --output=avail {LOGS} | tail -1").strip() == "0"


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_gets_room_from_the_oldest_rotated_files_and_is_rotated_then():
    before = listing()
    wanted = {**NOW, "keep": 3, "min_free_percent": 30}
    checked = rotation(wanted, "--check")
    assert listing() == before
    result = rotation(wanted)
    oldest = [f"events.jsonl.{n}" for n in (9, 8, 7, 6, 5)]  # 5 MiB is the first whole number beyond 30 % of 16
    assert checked["removed"] == result["removed"] == oldest
    assert checked["bytes_freed"] == result["bytes_freed"] == 5 << 20
    assert result["rotated"] == [{"log": "events.jsonl", "file": "events.jsonl.1"}]
    assert (result["free_before"], result["free_after"] >= 4 << 20) == (0, True)


@pytest.mark.usefixtures("small_disk")
def test_without_room_it_does_not_rotate():
    before = listing()
    result = rotation({**NOW, "keep": 1000})
    assert (result["changed"], result["verdict"]) == (False, "refused")
    assert result["done"][0]["message"] == "log_no_room"
    assert listing() == before
