# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a person misses a report or a failure in what a run prints, or reads there what nobody should.

Real playbooks run on this machine, and on a host that nobody reaches.
"""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest
from ansible_collections.aurora.runbook.plugins.plugin_utils import _texts

SECRET = "s3cr3tw0rd"  # noqa: S105 it is what the tests look for
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
HOSTS = {
    "h1": LOCAL,
    "h2": LOCAL,
    "gone": {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1},
}
HOSTILE = "\x1b[31mred\x1b[0m \x1b]0;title\x07{{ 1 }}\nand\rmore"
SAYS = ["python3", "-c", f"{{% raw %}}print({HOSTILE!r}){{% endraw %}}"]


def command(name, *argv, **more):
    return {"name": name, "ansible.builtin.command": {"argv": argv}, **more}


def debug(name, msg, **more):
    return {"name": name, "ansible.builtin.debug": {"msg": msg}, **more}


def shown(folder, tasks, *arguments, hosts="all", **play):
    """The exit status of a play, and the lines that it printed, each without its time."""
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": HOSTS}}), encoding="utf-8")
    plays = [{"hosts": hosts, "gather_facts": False, "tasks": tasks, **play}]
    (folder / "play.yml").write_text(json.dumps(plays + [{"hosts": "{{ nope }}"}] * ("--cut" in arguments)), "utf-8")
    given = [one for one in arguments if one != "--cut"]
    done = subprocess.run(
        ["ansible-playbook", "play.yml", "-i", "inventory.json", *given],
        cwd=folder,
        env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "aurora.runbook.brief", "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    print(done.stdout, done.stderr)
    assert "DEPRECATION" not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in done.stdout.split("\n")]


def apart(lines):
    """The steps, the report and what failed."""
    failed = lines.index(_texts.say("en", "run_failed"))
    report = lines.index("")
    return lines[:report], lines[report + 1 : failed - 1], lines[failed + 1 :]


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """What a run printed in which everything happens that may."""
    rescued = {"block": [command("rescued step", "false")], "rescue": [command("mended", "true")]}
    items = [{"value": SECRET, "hide": True}, {"value": "open", "hide": False}]
    of_items = {"loop": items, "no_log": "{{ item.hide }}", "ignore_errors": True}
    tasks = [
        command("see", *SAYS, register="seen", changed_when=False),
        {"name": "computed", "ansible.builtin.set_fact": {"x": 1}},
        command("never", "true", when=False),
        debug("said", "{{ seen.stdout }}"),
        debug("report", ["{{ seen.stdout }}", "the end"], run_once=True),
        debug("of each", {"removed": ["a", "b"], "left": []}),
        command("hidden", "echo", SECRET, no_log=True),
        command("hidden failure", "sh", "-c", f"echo {SECRET}; false", no_log=True, ignore_errors=True),
        command("items", "sh", "-c", "echo {{ item.value }}; false", **of_items),
        rescued,
        command("last", *SAYS, failed_when="inventory_hostname == 'h2'"),
    ]
    status, lines = shown(tmp_path_factory.mktemp("night"), tasks)
    return status, lines, *apart(lines)


def test_a_report_is_shown_once_at_the_end_as_plain_text(night):
    _status, lines, _steps, report, _failed = night
    assert report == [
        "red {{ 1 }}", "and", "more", "the end",
        *(f"{host}: {line}" for host in ("h1", "h2") for line in ("removed: a, b", "left: –")),
    ]  # fmt: skip
    assert lines.count("the end") == 1


def test_the_failures_that_ended_a_host_are_the_last_lines_with_their_reason(night):
    status, _lines, steps, _report, failed = night
    assert status == 4  # as with any other output: a host was not reached
    assert [line.split(": ")[:2] for line in failed] == [["gone", "see"], ["h2", "last"], [""]]
    assert "Connection refused" in failed[0]
    assert set(failed[:2]) <= set(steps)  # and where they happened


def test_each_step_that_reached_a_host_has_a_line_and_no_other(night):
    names = ["see", "said", "hidden", "hidden failure", "items", "rescued step", "mended", "last"]
    for host in ("h1", "h2"):
        assert [line.split(": ")[1] for line in night[2] if line.startswith(f"{host}: ")] == names


def test_nothing_orders_a_terminal_or_breaks_a_line_and_nothing_is_a_template(night):
    assert "h1: said: red {{ 1 }} and more" in night[2]
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]|title", "".join(night[1]))


def test_what_no_log_hides_is_hidden_and_the_other_item_of_a_loop_says_why_it_failed(night):
    assert SECRET not in "".join(night[1])
    assert all("open" in line for line in night[2] if ": items: " in line)


@pytest.mark.parametrize("more", [["-v"], ["-vvv"]])
def test_what_no_log_hides_stays_hidden_with_more_output(tmp_path, more):
    items = [{"value": SECRET, "hide": True}, {"value": "open", "hide": False}]
    looped = command("items", "echo", "{{ item.value }}", loop=items, no_log="{{ item.hide }}")
    _status, lines = shown(tmp_path, [looped, command("alone", *SAYS)], *more, hosts="h1")
    text = "\n".join(lines)
    assert SECRET not in text
    assert '"open"' in text
    assert "red" in text.partition("alone")[2]  # what a step returned
    assert "\x1b" not in text


def test_more_output_shows_what_was_skipped_and_computed(tmp_path):
    tasks = [command("never", "true", when=False), {"name": "computed", "ansible.builtin.set_fact": {"x": 1}}]
    _status, lines = shown(tmp_path, tasks, "-v", hosts="h1")
    assert [line.split(": ")[1] for line in lines if line.startswith("h1: ")] == ["never", "computed"]


def test_check_mode_says_that_nothing_was_changed_and_a_difference_is_shown(tmp_path):
    kept = {"content": "old\nnew\x1b[31m\n", "dest": str(tmp_path / "file")}
    (tmp_path / "file").write_text("old\n", encoding="ascii")
    copy = [{"name": "copy", "ansible.builtin.copy": kept}]
    status, lines = shown(tmp_path, copy, "--check", "--diff", hosts="h1")
    assert (status, (tmp_path / "file").read_text(encoding="ascii")) == (0, "old\n")
    assert f"h1: copy: {_texts.say('en', 'would_change')}" in lines
    assert "+new" in lines


def test_what_is_tried_again_or_runs_in_the_background_ends_with_what_came_of_it(tmp_path):
    again = {"register": "tried", "until": "tried.rc == 0", "retries": 2, "delay": 0, "ignore_errors": True}
    beside = {"async": 20, "poll": 1}
    tasks = [command("again", "false", **again), command("beside", "true", **beside), {"ansible.builtin.ping": None}]
    status, lines = shown(tmp_path, tasks, hosts="h1,h2", strategy="free", vars={"ansible_async_dir": str(tmp_path)})
    assert status == 0
    for host in ("h1", "h2"):
        ours = [line for line in lines if line.startswith(f"{host}: ")]
        assert sum(_texts.say("en", "step_again") in line for line in ours) >= 1
        assert f"{host}: beside: {_texts.say('en', 'step_changed')}" in ours
        assert ours[-1] == f"{host}: ansible.builtin.ping: {_texts.say('en', 'step_ok')}"
    assert _texts.say("en", "run_failed") not in lines


def test_a_run_that_breaks_off_still_says_what_it_had_to_say(tmp_path):
    tasks = [debug("report", ["the end"], run_once=True), command("breaks", "false")]
    status, lines = shown(tmp_path, tasks, "--cut", hosts="h1,h2")
    assert status != 0
    assert lines.count("the end") == 1
    assert {line.partition(": failed")[0] for line in lines[-3:]} == {"h1: breaks", "h2: breaks", ""}


def test_a_run_without_hosts_says_so(tmp_path):
    _status, lines = shown(tmp_path, [command("see", "true")], hosts="nobody")
    assert lines == [_texts.say("en", "run_of_none"), ""]


def test_an_engineer_reads_it_in_ukrainian_where_that_is_asked_for(tmp_path):
    vars_ = {"aurora_language": "{{ 'uk' }}"}
    _status, lines = shown(tmp_path, [command("see", "true"), command("breaks", "false")], hosts="h1", vars=vars_)
    assert f"h1: see: {_texts.say('uk', 'step_changed')}" in lines
    assert _texts.say("uk", "run_failed") in lines


def test_a_look_at_what_is_well_is_not_called_a_recovery(tmp_path):
    code = "from ansible.module_utils.basic import AnsibleModule\nAnsibleModule({}).exit_json(verdict='recovered')\n"
    (tmp_path / "library").mkdir()
    for name in ("way_info", "waited"):
        (tmp_path / "library" / f"{name}.py").write_text(code, encoding="utf-8")
    tasks = [{"name": "look", "way_info": {}}, {"name": "wait", "waited": {}}]
    _status, lines = shown(tmp_path, tasks, hosts="h1")
    assert lines[:2] == ["h1: look: ok", f"h1: wait: ok, {_texts.say('en', 'recovered')}"]
