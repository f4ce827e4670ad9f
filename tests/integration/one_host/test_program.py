# SPDX-License-Identifier: GPL-3.0-or-later
"""The program on a host answers as the ordinary modules do, is never run where it is not ours and whole, and stays out
of the way of who only looks.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages
from ansible_collections.aurora.runbook.plugins.module_utils.base import _start
from ansible_collections.aurora.runbook.plugins.plugin_utils import _program
from helpers import CHECKOUT, HOST, NORMAL, STATE, finish, knobs, lab, playbook, shell, start_module, wait_until

NAME = _program.name()
PLACE = f"{_start.BASE}/{NAME}"
URL = "http://localhost:9000/metrics"
HEALTHY = {"health_url": URL, "start_seconds": 60, "hold_seconds": 1}
RECOVERY = {"indicator": "circuit_breaker", "url": URL, "hold_seconds": 0, "min_count": 0, "timeout_seconds": 30}
KELLY = {"name": "aurora-runner", **HEALTHY, "environment": {"KELLY_MULTIPLIER": "0.5"}}
TCP = {"state": "present"}
CALLS = {
    "incident": {"state": "paused", "who": "olena", "minutes": 5},
    "incident_info": {"units": ["aurora-runner", "no-such-unit"]},
    "log_rotation": {},
    "preflight_info": {},
    "public_way_info": {"address": "127.0.0.1"},
    "recalibration": {},
    "service_override": KELLY,
    "service_restart": {"name": "aurora-live-feed", "min_interval_seconds": 0, **HEALTHY},
    "tcp_tuning": TCP,
    "triage_info": {"sample_seconds": 0, "probe_seconds": 30},
    "wait_for_recovery": RECOVERY,
}
# What is measured, and so differs between two calls.
TIMED = {
    "incident": {"paused"},
    "incident_info": {"now"},
    "log_rotation": {"free_after", "free_before"},
    "preflight_info": {"logs", "rooms"},
    "public_way_info": {"probes"},
    "recalibration": {"diff", "done", "ece", "model", "trades"},
    "service_override": set(),
    "service_restart": set(),
    "tcp_tuning": set(),
    "triage_info": {"causes", "indicators", "probes", "summary", "why"},
    "wait_for_recovery": {"recovery"},
}


@dataclass(frozen=True)
class Answer:
    """What a module returned, and whether an ordinary module did it."""

    result: dict
    failed: bool
    ordinary: bool
    output: str


@pytest.fixture(autouse=True)
def none_there() -> Iterator[None]:
    shell(HOST, f"rm -rf {_start.BASE}")
    yield
    shell(HOST, f"rm -rf {_start.BASE}")


def answered(process) -> Answer:
    output = finish(process)
    head, result = re.findall(rf"^{HOST} \| (\S+) => (\{{\n.*?^\}})", output, re.DOTALL | re.MULTILINE)[-1]
    ordinary = bool(re.search(r"^Using module file .*/plugins/modules/(?!program\.py)", output, re.MULTILINE))
    return Answer(json.loads(result), "FAILED" in head, ordinary, output)


def start(name: str, arguments: dict, *flags: str):
    return start_module(HOST, name, arguments, "-vvv", "-e", "ansible_pipelining=true", *flags)


def ask(name: str, arguments: dict, *flags: str) -> Answer:
    return answered(start(name, arguments, *flags))


def act() -> Answer:
    """The quickest of what acts."""
    answer = ask("tcp_tuning", TCP)
    assert not answer.failed, answer.result
    return answer


def put_there() -> None:
    assert ask("program", {"state": "present"}).result["changed"]
    assert programs() == {NAME, "current"}


def look() -> Answer:
    answer = ask("incident_info", {"days": 0})
    assert not answer.failed, answer.result
    return answer


def programs() -> set[str]:
    return set(shell(HOST, f"ls -A {_start.BASE} 2>/dev/null || true").split())


def every_module(folder: Path, pipelining: bool) -> dict[str, dict]:
    """What each module answers in check mode."""
    registered = [
        {"name": name, f"aurora.runbook.{name}": arguments, "register": name, "ignore_errors": True}
        for name, arguments in CALLS.items()
    ]
    shown = {"ansible.builtin.debug": {"msg": [f"{{{{ {name} }}}}" for name in CALLS]}}
    connection = {"ansible_pipelining": pipelining, "ansible_python_interpreter": "/usr/bin/python3"}
    play = {
        "hosts": HOST, "gather_facts": False, "become": True, "vars": connection, "tasks": [*registered, shown],
    }  # fmt: skip
    (folder / "every.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    run = playbook(str(folder / "every.yml"), "--check", "-vvv")
    sent = set(re.findall(r"^Using module file .*/plugins/modules/(\w+)\.py", run.output, re.MULTILINE))
    assert sent == (set() if pipelining else set(CALLS))
    return dict(zip(CALLS, run.report, strict=True))


def differing(one: object, other: object) -> set[str]:
    """The keys of two results, at the top, whose values differ."""
    return {key for key in {*one, *other} if one.get(key, "absent") != other.get(key, "absent")}


def test_every_module_answers_the_same_as_the_program_and_as_an_ordinary_one(tmp_path):
    put_there()
    by_program, ordinary = every_module(tmp_path, pipelining=True), every_module(tmp_path, pipelining=False)
    assert {name: differing(by_program[name], ordinary[name]) - TIMED[name] for name in CALLS} == {
        name: set() for name in CALLS
    }
    assert all(set(by_program[name]) == set(ordinary[name]) for name in CALLS)


def test_who_only_looks_or_tries_leaves_nothing():
    assert look().ordinary
    assert ask("service_override", KELLY, "--check").ordinary
    assert programs() == set()


def test_what_acts_leaves_the_program_and_is_answered_by_it():
    assert not act().ordinary
    assert programs() == {NAME, "current"}
    assert not look().ordinary
    owned = shell(HOST, f"find {_start.BASE} ! -uid 0 -o ! -type l -perm /022; stat -c %a {_start.BASE}").split()
    assert owned == ["700"]


HARMS = {
    "foreign": f"chown oncall {PLACE}/ansible",
    "writable": f"chmod g+w {PLACE}/__main__.py",
    "a link": f"mv {PLACE} /root/moved; ln -s /root/moved {PLACE}",
    "its directory": f"chown oncall {_start.BASE}",
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS.keys())
def test_one_that_others_can_change_is_not_run_and_stays_for_who_looks_into_it(harm):
    put_there()
    shell(HOST, f"rm -rf /root/moved; {harm}")
    before = shell(HOST, f"find {_start.BASE} -printf '%p %u %m %T@\n'")
    for answer in (look(), act()):
        assert answer.ordinary
        assert "sent whole instead" in answer.output
    ended = ask("tcp_tuning", {**TCP, "lease_seconds": 60})
    assert ended.failed
    assert _start.BASE in ended.result["msg"]
    assert shell(HOST, f"find {_start.BASE} -printf '%p %u %m %T@\n'") == before


def test_one_that_is_cut_off_is_not_run_and_the_next_that_acts_replaces_it():
    put_there()
    shell(HOST, f"truncate -s 100 {PLACE}/ansible_collections/aurora/runbook/plugins/module_utils/act/_sysctl.py")
    shell(HOST, f"mkdir {_start.BASE}/.new-0123; touch {_start.BASE}/.new-0123/__main__.py")  # of an install cut off
    assert look().ordinary
    assert not act().ordinary
    assert programs() == {NAME, "current"}
    assert not look().ordinary


def test_where_nothing_can_be_put_there_only_what_is_to_end_is_refused():
    mount = "mount --bind /usr/local/lib /usr/local/lib; mount -o remount,bind,ro /usr/local/lib"
    shell(HOST, mount)
    try:
        assert look().ordinary
        answer = act()
        assert answer.ordinary
        assert "Read-only file system" in answer.output
        ended = ask("tcp_tuning", {**TCP, "lease_seconds": 60})
        assert ended.failed
        assert "Read-only file system" in ended.result["msg"]
    finally:
        shell(HOST, "umount /usr/local/lib")


def test_without_pipelining_ordinary_modules_do_it_and_the_program_is_there_for_ends():
    answer = answered(start_module(HOST, "tcp_tuning", {**TCP, "lease_seconds": 60}, "-vvv"))
    assert (answer.failed, answer.ordinary) == (False, True)
    assert programs() == {NAME, "current"}
    assert "enabled" in shell(HOST, "systemctl is-enabled aurora-runbook-leases.timer")


def test_it_runs_behind_a_sudo_that_asks_for_a_password():
    make = """
    useradd --create-home guarded
    echo 'guarded:a pass$word' | chpasswd
    echo 'guarded ALL=(ALL:ALL) ALL' >/etc/sudoers.d/guarded
    install -d -o guarded -m 700 ~guarded/.ssh
    install -o guarded -m 600 /opt/lab/authorized_keys ~guarded/.ssh/authorized_keys
    """
    shell(HOST, make)
    secret = json.dumps({"ansible_user": "guarded", "ansible_become_password": "a pass$word"})
    try:
        answer = ask("tcp_tuning", TCP, "-e", secret)
        assert (answer.failed, answer.ordinary) == (False, False)
        assert "a pass$word" not in answer.output
        wrong = json.dumps({"ansible_user": "guarded", "ansible_become_password": "another"})
        assert ask("incident_info", {"days": 0}, "-e", wrong).failed
    finally:
        shell(HOST, "rm /etc/sudoers.d/guarded; userdel --remove --force guarded 2>/dev/null || true")


def test_in_the_background_an_ordinary_module_does_it():
    answer = ask("tcp_tuning", {**TCP, "lease_seconds": 60}, "-B", "240", "-P", "1")
    assert (answer.failed, answer.ordinary, answer.result["changed"]) == (False, True, True)
    assert programs() == {NAME, "current"}


def test_a_call_goes_on_when_the_program_is_deleted_and_the_next_puts_it_back():
    put_there()
    process = start("service_override", {**KELLY, "hold_seconds": 8})
    wait_until(lambda: knobs_or_none() != NORMAL)
    shell(HOST, f"rm -r {_start.BASE}")
    answer = answered(process)
    assert (answer.failed, answer.ordinary) == (False, False)
    assert answer.result["overridden"] == {"KELLY_MULTIPLIER": "0.5"}
    assert not ask("service_override", {"name": "aurora-runner", "state": "absent"}).ordinary
    assert knobs(HOST) == NORMAL
    assert programs() == {NAME, "current"}


def test_an_engineer_on_the_host_is_told_how_things_stand_in_their_language():
    until = ask("tcp_tuning", {**TCP, "lease_seconds": 3600}).result["until"]
    shell(HOST, f"echo 2099-01-01T00:00Z >{STATE}/pause")
    for language, locale in (("en", "C"), ("uk", "uk_UA.UTF-8")):
        told = shell(HOST, f"LANG={locale} /usr/bin/python3 -IS {_start.CURRENT} status")
        assert told.splitlines()[0] == _messages.say(language, "status_version", version=_start.VERSION)
        assert _messages.say(language, "status_timer", state="enabled, active") in told
        assert _messages.say(language, "paused_until", until="2099-01-01T00:00Z") in told
        assert until in told
    shell(HOST, f"echo '{{' >{STATE}/leases/override-tcp_tuning.json")
    unread = f"/usr/bin/python3 -IS {_start.CURRENT} status || echo status $?"
    assert shell(HOST, unread).endswith("status 1")


def knobs_or_none() -> dict | None:
    """None while the service starts."""
    try:
        return knobs(HOST)
    except (lab.LabError, KeyError, ValueError):
        return NORMAL


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """Collections of a controller with a newer version."""
    copy = tmp_path / "ansible_collections" / "aurora" / "runbook"
    copy.mkdir(parents=True)
    for part in ("plugins", "meta"):
        shutil.copytree(CHECKOUT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "galaxy.yml", copy)
    start_py = copy / "plugins" / "module_utils" / "base" / "_start.py"
    text = start_py.read_text(encoding="utf-8")
    start_py.write_text(text.replace(f'VERSION = "{_start.VERSION}"', 'VERSION = "9.0.0"'), encoding="utf-8")
    return tmp_path


def test_controllers_of_two_versions_each_run_their_own(newer, monkeypatch):
    assert not act().ordinary
    with monkeypatch.context() as patch:
        patch.setenv("ANSIBLE_COLLECTIONS_PATH", str(newer))
        patch.setenv("ANSIBLE_COLLECTIONS_SCAN_SYS_PATH", "false")
        assert not act().ordinary
    theirs = shell(HOST, f"readlink {_start.CURRENT}").strip()
    assert theirs.startswith("9.0.0-")
    assert programs() == {theirs, "current"}
    for lease in ({}, {"lease_seconds": 60}):  # the newer one ends it
        answer = ask("tcp_tuning", {**TCP, **lease})
        assert (answer.failed, answer.ordinary) == (False, False)
    assert programs() == {NAME, theirs, "current"}
    assert shell(HOST, f"readlink {_start.CURRENT}").strip() == theirs


def test_an_older_one_stays_while_something_runs_in_it(newer, monkeypatch):
    put_there()
    process = start("wait_for_recovery", {**RECOVERY, "hold_seconds": 60, "timeout_seconds": 90})
    try:
        wait_until(lambda: shell(HOST, "pgrep -f '[-]IS -c import sys' || true"))
        monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", str(newer))
        monkeypatch.setenv("ANSIBLE_COLLECTIONS_SCAN_SYS_PATH", "false")
        assert not act().ordinary
        assert len(programs()) == 3
    finally:
        shell(HOST, "pkill -f '[-]IS -c import sys'")
        finish(process)
    assert programs() > {NAME, "current"}
