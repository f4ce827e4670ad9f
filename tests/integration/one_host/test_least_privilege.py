# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, the account that remediates at night can do more on a host than remediate, or not even that."""

from __future__ import annotations

import importlib
import json
import subprocess
from collections.abc import Iterator

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.program import _allowed
from ansible_collections.aurora.runbook.plugins.plugin_utils import _program
from helpers import HOST, NORMAL, RUNNER, footprint, knobs, lab, lease, playbook, shell, show, wait_until
from unready import UNREADY

USER = "remedy"
PREPARE = ("prepare", "-e", f"aurora_least_privilege_user={USER}")
AS_USER = ("-e", "aurora_least_privilege=true", "-e", f"ansible_user={USER}")
QUICK = ("-e", "aurora_enough_seconds=0")
INCIDENTS = ("calibration_ece", "circuit_breaker", "execution_latency", "policy_deny_rate")
ID = "circuit_breaker-20261124T180000Z-1a2b3c4d"
URL = "http://localhost:9000/metrics"
WRAPPER, ALLOWED = "/usr/local/sbin/aurora-runbook", "/etc/aurora-runbook/allowed.json"
KEPT = f"{WRAPPER} /usr/local/lib/aurora-runbook /etc/aurora-runbook /etc/sudoers.d/aurora-runbook"
MAKE_USER = f"""
id {USER} >/dev/null 2>&1 || useradd --create-home --shell /bin/bash {USER}
install -d -o {USER} -g {USER} -m 0700 /home/{USER}/.ssh
install -o {USER} -g {USER} -m 0600 /home/oncall/.ssh/authorized_keys /home/{USER}/.ssh/authorized_keys
"""


@pytest.fixture(scope="module")
def prepared_once() -> Iterator[None]:
    """A user of its own, and all that aurora.runbook.prepare leaves, kept aside since hosts are made as new."""
    shell(HOST, MAKE_USER)
    untouched = shell(HOST, f"ls -d {KEPT} 2>/dev/null || true")
    assert playbook(*PREPARE, "--check", "--diff").status == 0
    assert shell(HOST, f"ls -d {KEPT} 2>/dev/null || true") == untouched == ""
    first = playbook(*PREPARE, "--diff")
    assert (first.status, first.changed[HOST] > 0) == (0, True)
    shell(HOST, f"tar -cPf /root/prepared.tar {KEPT}")
    yield
    shell(
        HOST, f"rm -rf {KEPT} /root/prepared.tar; pkill -KILL -u {USER} || true; userdel -rf {USER} 2>/dev/null || true"
    )


@pytest.fixture(autouse=True)
def prepared(prepared_once: None, as_new: None) -> None:
    shell(HOST, f"rm -rf {KEPT}; tar -xPf /root/prepared.tar")


def as_user(*command: str, sent: bytes = b"") -> subprocess.CompletedProcess:
    """A command as the account has it, by its own sudo."""
    script = '"$@"; echo "status $?"'
    argv = ["runuser", "-u", USER, "--", "sh", "-c", script, "sh", *command]
    said = lab.inside(HOST, "sh", "-c", 'exec "$@" 2>&1', "sh", *argv, input=sent)
    text, _status, status = said.rpartition("status ")
    return subprocess.CompletedProcess(command, int(status), text)


def ask(sent: bytes) -> dict:
    return _program.read(as_user("sudo", "-n", WRAPPER, sent=sent).stdout) or {}


def request(module: str, **given: object) -> dict:
    return {
        "module": module,
        "params": {**defaults(module), **given},
        "check_mode": False,
        "program": _program.name(),
    }


def defaults(module: str, option: str = "") -> dict:
    spec = importlib.import_module(f"{_allowed.MODULES}.{module}").ARGUMENTS["argument_spec"]
    spec = spec[option]["options"] if option else spec
    return {name: one.get("default") for name, one in spec.items()}


def incident(**given: object) -> dict:
    """As the lab's inventory has it."""
    lab_has = {"cooldown_seconds": 5, "max_per_hour": 1000, "max_per_day": 1000, "max_same_cure": 1000}
    run = {"id": ID, "run": "0123456789abcdef", "by": "olena"}
    return {**defaults("service_override", "incident"), **lab_has, **run, **given}


def override(**given: object) -> dict:
    kelly = {"name": RUNNER, "environment": {"KELLY_MULTIPLIER": "0.5"}, "incident": incident()}
    return request("service_override", **{**kelly, **given})


def recovery(**given: object) -> dict:
    lab_has = {"indicator": "circuit_breaker", "url": URL, "hold_seconds": 4.0, "min_count": 0}
    return {**defaults("service_override", "recovery"), **lab_has, **given}


def refused(answer: dict) -> bool:
    return bool(answer.get("failed")) and "refused by the program on the host" in answer["msg"]


def test_it_is_prepared_once_and_sudo_takes_the_rule():
    again = playbook(*PREPARE, "--check")
    assert (again.status, again.changed) == (0, {HOST: 0})
    shell(HOST, "visudo -cf /etc/sudoers.d/aurora-runbook")
    rights = shell(HOST, f"sudo -l -U {USER}").partition("may run the following")[2].splitlines()[1:]
    assert [line.split() for line in rights] == [["(root)", "NOSETENV:", "NOPASSWD:", WRAPPER, '""']]
    modes = shell(HOST, f"stat -c '%U %a' {WRAPPER} {ALLOWED} /etc/sudoers.d/aurora-runbook")
    assert modes.split() == ["root", "755", "root", "600", "root", "440"]


def test_it_remediates_a_breaker_and_gives_back(broken):
    broken("breaker_spreads", [HOST])
    run = playbook("remediate_circuit_breaker", *AS_USER, *QUICK)
    assert (run.status, run.verdicts) == (0, {HOST: "recovered"})
    assert knobs(HOST) == {**NORMAL, "KELLY_MULTIPLIER": "0.5"}
    assert "closed" in shell(HOST, "cat /var/lib/aurora-runbook/incidents/*.jsonl")
    lab.mend([HOST])
    back = playbook("revert", *AS_USER)
    assert (back.status, back.verdicts, knobs(HOST)) == (0, {HOST: "recovered"}, NORMAL)


LOOKING = ("triage", "escalate", "revert", *(f"remediate_{name}" for name in INCIDENTS))


def test_every_playbook_goes_without_other_rights(tmp_path):
    before = footprint(HOST)
    assert {name: playbook(name, *AS_USER).status for name in LOOKING} == dict.fromkeys(LOOKING, 0)
    assert footprint(HOST) == before
    noted = request("incident", state="ended", verdict="healthy", incident=incident())
    assert not ask(json.dumps(noted).encode()).get("failed")
    run = playbook("postmortem", *AS_USER, "-e", f"aurora_report_directory={tmp_path}")
    assert (run.status, [path.suffix for path in sorted(tmp_path.iterdir())]) == (0, [".html", ".md"])


def test_a_preflight_of_the_account_sees_what_one_of_root_sees(tmp_path):
    def unready() -> set[tuple[str, str]]:
        playbook("preflight", *AS_USER, "-e", f"aurora_report_directory={tmp_path}")
        found = json.loads((tmp_path / "preflight.json").read_text(encoding="utf-8"))["checks"]
        return {(one["what"], one["state"]) for one in found if one["host"] == HOST and one["state"] != "ready"}

    elsewhere = {("public_way", "unchecked")}  # the account is not known where it is looked from outside
    before = footprint(HOST)
    assert unready() == elsewhere
    assert footprint(HOST) == before
    broken = ("token_odd", "refit_open", "record_broken", "knob_later")
    for name in broken:
        lab.break_(name, [HOST])
    try:
        assert unready() == {*elsewhere, *((UNREADY[name].what, "not_ready") for name in broken)}
    finally:
        lab.mend([HOST])


def test_the_way_from_outside_needs_no_rights_at_all():
    run = playbook("remediate_sse_availability", *AS_USER, *QUICK, "-e", "aurora_outside_host=localhost")
    assert "refused by" not in run.output
    assert "sudo" not in run.output


BY_SUDO = [
    ["/bin/sh", "-c", "id"],
    ["-s"],
    ["-i"],
    ["cat", ALLOWED],
    ["-e", ALLOWED],
    ["systemctl", "restart", "nginx"],
    ["/usr/bin/python3", "-IS", "/usr/local/lib/aurora-runbook/current", "ends"],
    [WRAPPER, "ends"],
    [WRAPPER, "--version"],
    [WRAPPER, "in-its-unit"],
    [WRAPPER, ""],
    ["PYTHONPATH=/tmp", WRAPPER],
    ["-E", WRAPPER],
    ["--preserve-env=PATH", WRAPPER],
    ["-u", "aurora", WRAPPER],
    ["-g", "adm", WRAPPER],
    ["-D", "/tmp", WRAPPER],
    ["-R", "/tmp", WRAPPER],
]


def test_sudo_refuses_all_else():
    done = {" ".join(command): as_user("sudo", "-n", *command) for command in BY_SUDO}
    assert [command for command, one in done.items() if one.returncode == 0 or "sudo:" not in one.stdout] == []


def test_nothing_of_its_session_comes_along():
    shell(HOST, f"rm -f /tmp/ran; install -d -o {USER} /tmp/evil")
    evil = b"import os\nopen('/tmp/ran', 'a').write(str(os.geteuid()))\n"
    for name in ("sitecustomize", "json", "encodings", "_start", "ansible_collections"):
        lab.inside(HOST, "runuser", "-u", USER, "--", "tee", f"/tmp/evil/{name}.py", input=evil)
    asked = json.dumps(request("incident_info")).encode()
    session = (
        "cd /tmp/evil; export PYTHONPATH=/tmp/evil PYTHONSTARTUP=/tmp/evil/json.py PYTHONHOME=/tmp/evil HOME=/tmp/evil"
        " LD_PRELOAD=/tmp/evil/x.so LD_LIBRARY_PATH=/tmp/evil PATH=/tmp/evil:$PATH BASH_ENV=/tmp/evil/x IFS=/;"
        " ulimit -f 0; ulimit -t 1; umask 000; trap '' CHLD; exec /usr/bin/sudo -n /usr/local/sbin/aurora-runbook"
    )
    answer = _program.read(as_user("/bin/sh", "-c", session, sent=asked).stdout)
    assert (answer["incidents"], answer.get("failed")) == ([], None)
    assert shell(HOST, "ls /tmp/ran 2>/dev/null || true") == ""
    shell(HOST, "rm -rf /tmp/evil")


def test_commands_that_fail_do_so_where_its_session_ignores_the_end_of_children():
    """Otherwise the configuration of nginx would seem valid, and a restart to have worked."""
    shell(HOST, "echo nonsense >/etc/nginx/conf.d/nonsense.conf")
    asked = json.dumps(request("triage_info", network_host="monitor1", sample_seconds=0)).encode()
    answer = _program.read(as_user("/bin/sh", "-c", f"trap '' CHLD; exec sudo -n {WRAPPER}", sent=asked).stdout)
    shell(HOST, "rm /etc/nginx/conf.d/nonsense.conf")
    assert answer["probes"]["nginx_config"]["data"]["valid"] is False


GUARD = "/run/aurora-runbook.guard"


@pytest.mark.parametrize("signal", ["STOP", "KILL"])
def test_a_request_is_done_whatever_becomes_of_the_session_that_sent_it(signal):
    """Otherwise the account stops its own request while that keeps all other runs and all ends of leases waiting."""
    asked = override(health_url=URL, incident=incident(cause="wide_spreads"))
    lab.inside(HOST, "tee", "/tmp/asked", input=json.dumps(asked).encode())
    shell(HOST, f"setsid runuser -u {USER} -- sudo -n {WRAPPER} </tmp/asked >/tmp/answer 2>&1 &")
    wait_until(lambda: shell(HOST, f"cat {GUARD} 2>/dev/null || true") != "")
    ends = shell(HOST, "systemctl show --property=RuntimeMaxUSec --value 'run-*.service'")
    assert ends not in ("", "infinity")
    shell(HOST, f"pkill -{signal} -f '^(runuser|sudo|systemd-run) '; test ! -s /tmp/answer")
    wait_until(lambda: shell(HOST, f"cat {GUARD}") == "")
    assert (lease(HOST)["phase"], knobs(HOST)["KELLY_MULTIPLIER"]) == ("active", "0.5")
    shell(HOST, "pkill -KILL -f '^(runuser|sudo|systemd-run) ' || true; rm /tmp/asked /tmp/answer")


def test_nothing_is_given_back_while_the_breaker_is_open(broken):
    """It lives in the runner's memory, and would close with the restart."""
    days = {"environment": {"CALIBRATION_DAYS": "90"}, "direction": "neutral", "health_url": URL}
    granted = ask(json.dumps(override(**days, incident=incident(cause="ece_drift"))).encode())
    assert granted["overridden"] == {"CALIBRATION_DAYS": "90"}
    ended = request("incident", state="ended", verdict="escalated", incident=incident())
    assert not ask(json.dumps(ended).encode()).get("failed")  # that run works here no more
    broken("breaker_spreads", [HOST])
    before = show(HOST, RUNNER, "InvocationID")
    run = playbook("revert", *AS_USER)
    assert (run.status != 0, run.verdicts) == (True, {HOST: "refused"})
    assert "its circuit breaker (" in run.output
    assert (show(HOST, RUNNER, "InvocationID"), lease(HOST)["phase"]) == (before, "active")
    lab.mend([HOST])
    assert (playbook("revert", *AS_USER).status, lease(HOST)) == (0, None)


NOT_ALLOWED = [
    override(name="nginx.service"),
    override(name="ssh.service"),
    override(environment={"KELLY_MULTIPLIER": "0.9"}),
    override(environment={"KELLY_MULTIPLIER": "0.5", "LD_PRELOAD": "/tmp/x.so"}),
    override(environment={"SPREAD_THRESHOLD": "2.1"}, direction="increases", approve=["spread_threshold"]),
    override(environment={"DECISIONS_PER_MINUTE": "10"}, approve=["decisions_per_minute"]),
    override(limits={"memory_max": "64G", "memory_high": None, "cpu_quota": None}),
    override(incident=None),
    override(incident=incident(force="because I can")),
    override(incident=incident(max_per_hour=999)),
    override(incident=incident(), health_url=URL),
    override(health_url=URL, incident=incident(cause="x"), hold_seconds=600),
    override(health_url=URL, incident=incident(cause="x"), recovery=recovery(threshold=2.5)),
    override(health_url=URL, incident=incident(cause="x"), recovery=recovery(timeout_seconds=7200.0)),
    override(health_url="http://169.254.169.254/"),
    override(nonsense=1),
    {**override(), "check_mode": "no"},
    {**override(), "more": 1},
    request("service_restart", name=RUNNER, incident=incident()),
    request("service_restart", name="ssh.service", incident=incident()),
    request("service_restart", name="nginx.service", min_interval_seconds=0, incident=incident()),
    request("log_rotation", incident=incident(), directory="/etc"),
    request("log_rotation", incident=incident(), user="root"),
    request("log_rotation", incident=incident(), script="/tmp/x"),
    request("log_rotation", incident=incident(), config="/tmp/x"),
    request("recalibration", incident=incident(), home="/home/remedy"),
    request("recalibration", incident=incident(), model="/etc/passwd"),
    request("recalibration", incident=incident(), url="http://169.254.169.254/"),
    request("triage_info", event_log="/etc/shadow"),
    request("triage_info", user="root", trade_log="/etc/shadow"),
    request("triage_info", feed_url="http://169.254.169.254"),
    request("triage_info", prometheus_url="http://169.254.169.254", prometheus_instance=["x"]),
    request("triage_info", runner_unit="ssh.service"),
    request("wait_for_recovery", indicator="circuit_breaker", url="http://169.254.169.254/"),
    request("incident_info", units=["ssh.service"]),
    request("incident", state="resumed", who="x"),
    request("incident", state="paused", who="x", minutes=1),
    {**request("incident_info"), "module": "program", "params": {}},
    {**request("incident_info"), "module": "public_way_info", "params": {}},
    {**request("incident_info"), "module": "../module_utils/program/_install"},
    {**request("incident_info"), "module": "..module_utils.program._install"},
    {**request("incident_info"), "module": 7},
    [],
    None,
]


def test_the_program_refuses_what_is_not_allowed():
    before = footprint(HOST)
    assert [asked for asked in NOT_ALLOWED if not refused(ask(json.dumps(asked).encode()))] == []
    assert footprint(HOST) == before


def test_an_id_leads_to_no_file_of_others():
    answer = ask(json.dumps(request("incident_info", id="../../../etc/shadow", entries=True)).encode())
    assert (answer["failed"], "root:" in json.dumps(answer)) == (True, False)


def test_what_is_no_request_is_refused():
    large = json.dumps(request("incident", text="x" * 262144)).encode()
    assert [sent for sent in (b"", b"{", b"\xff\xfe\0", b"[" * 100000, large) if not refused(ask(sent))] == []


def test_a_refusal_is_in_the_log_of_the_host():
    ask(json.dumps(override(name="ssh.service")).encode())
    said = f"journalctl -q -t aurora-runbook -g 'refused {USER}: .*service_override.*name' -o cat"
    wait_until(lambda: shell(HOST, f"{said} || true") != "")


def after(damage: str, put_back: str) -> dict:
    """What the program answers to a harmless request while something is wrong on the host."""
    asked = json.dumps(request("incident_info")).encode()
    assert not ask(asked).get("failed")
    shell(HOST, damage)
    answer = ask(asked)
    shell(HOST, put_back)
    return answer


def test_a_list_that_others_can_change_or_that_is_none_allows_nothing():
    damages = (
        f"rm {ALLOWED}",
        f"chmod 666 {ALLOWED}",
        f"chmod 620 {ALLOWED}",
        f"chown {USER} {ALLOWED}",
        f"mv {ALLOWED} /root/allowed.json; ln -s /root/allowed.json {ALLOWED}",
        f"echo '{{' >{ALLOWED}",
        f"echo '[]' >{ALLOWED}",
        f"chown {USER} /etc/aurora-runbook",
        "chmod 777 /etc/aurora-runbook",
    )
    again = "rm -rf /etc/aurora-runbook; tar -xPf /root/prepared.tar /etc/aurora-runbook"
    assert [damage for damage in damages if not refused(after(damage, again))] == []


def test_a_program_that_others_can_change_is_not_run():
    folder = "/usr/local/lib/aurora-runbook"
    damages = (
        f"chown {USER} {folder}/current/__main__.py",
        f"chmod 777 {folder}",
        f"ln -sfn ../../../tmp {folder}/current",
        f"rm -r {folder}",
    )
    again = f"rm -rf {folder}; tar -xPf /root/prepared.tar {folder}"
    assert [damage for damage in damages if list(after(damage, again)) != ["aurora_program"]] == []


def test_without_the_right_program_a_run_says_what_an_administrator_has_to_do():
    asked = {**request("incident_info"), "program": "0.1.0-0123456789abcdef"}
    assert list(ask(json.dumps(asked).encode())) == ["aurora_program"]
    shell(HOST, f"rm -r /usr/local/lib/aurora-runbook {WRAPPER}")
    before = footprint(HOST)
    run = playbook("remediate_circuit_breaker", *AS_USER, *QUICK)
    assert run.status != 0
    assert "aurora.runbook.prepare" in run.output
    assert footprint(HOST) == before
    assert show(HOST, RUNNER, "ActiveState") == "active"


def test_without_the_rule_nothing_else_is_tried():
    shell(HOST, "rm /etc/sudoers.d/aurora-runbook")
    before = footprint(HOST)
    run = playbook("triage", *AS_USER)
    assert (run.status != 0, "aurora.runbook.prepare" in run.output) == (True, True)
    assert footprint(HOST) == before


def test_no_other_user_comes_into_the_rule():
    before = shell(HOST, "cat /etc/sudoers.d/aurora-runbook")
    for user in ("", "root", "ALL", "x ALL=(ALL) NOPASSWD: ALL #", "a\nb"):
        run = playbook("prepare", "-e", json.dumps({"aurora_least_privilege_user": user}))
        assert (run.status != 0, "small letters" in run.output) == (True, True), user
    assert shell(HOST, "cat /etc/sudoers.d/aurora-runbook") == before
