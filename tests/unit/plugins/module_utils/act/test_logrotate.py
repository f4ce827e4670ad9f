# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a configuration that removes or copies logs counts as safe, or rotated logs get other names.

The table is held against logrotate itself in tests/integration/one_host/test_log_rotation.py.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _logrotate
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

import logrotate_cases  # the path above is what makes it importable

NOW = time.time()


@pytest.mark.parametrize("case", logrotate_cases.CASES, ids=lambda case: case.name)
def test_a_configuration_is_judged_as_logrotate_reads_it(case, tmp_path):
    config, refused = logrotate_cases.ours(tmp_path, logrotate_cases.lay_out(tmp_path, case), NOW)
    assert case.refused in refused
    assert bool(config) != bool(case.refused)


@pytest.mark.parametrize("case", logrotate_cases.CASES, ids=lambda case: case.name)
def test_what_is_written_for_a_run_reads_as_what_was_judged(case, tmp_path):
    config, _refused = logrotate_cases.ours(tmp_path, logrotate_cases.lay_out(tmp_path, case), NOW)
    if not config:
        return
    (tmp_path / "ours").write_text(config)
    (block,) = [
        block
        for block in _logrotate.read(str(tmp_path / "ours"), "").blocks
        if str(tmp_path / "logs" / "trades.jsonl") in block.logs
    ]
    assert _logrotate.rotated_name(block.settings, "trades.jsonl", NOW) == time.strftime(
        case.becomes, time.localtime(NOW)
    )
    assert not _logrotate.objection(block.settings)


def test_no_case_that_loses_lines_or_rotates_nothing_is_taken():
    """Otherwise the table itself says that losing lines is right."""
    lossy = (logrotate_cases.GONE, logrotate_cases.STAYS)
    assert [case.name for case in logrotate_cases.CASES if case.becomes in lossy and not case.refused] == []


@pytest.fixture
def host(tmp_path):
    case = logrotate_cases.Case("", logrotate_cases.block("rotate 5", "create"))
    return tmp_path, logrotate_cases.lay_out(tmp_path, case)


def refusal(host):
    return logrotate_cases.ours(*host, NOW)[1]


def test_the_name_that_dateext_gives_is_not_given_twice(host):
    """Logrotate would compress what was rotated today, skip the log, and end with 1."""
    folder, _config = host
    (folder / "main").write_text(f"dateext\ninclude {folder}/d\n")
    assert refusal(host) == ""
    name = time.strftime("trades.jsonl-%Y%m%d", time.localtime(NOW))
    (folder / "logs" / name).touch()
    assert f"{name} exists already" in refusal(host)


def test_a_log_that_is_named_by_two_ways_to_its_directory_is_named_twice(host):
    """Logrotate compares names, and would rotate the same file two times."""
    folder, config = host
    (folder / "link").symlink_to(folder / "logs")
    config.write_text(config.read_text() + logrotate_cases.block("rotate 3", names=f"{folder}/link/trades.jsonl"))
    assert "as does" in refusal(host)


def test_a_log_that_no_block_names_is_told_and_the_others_are_rotated(host):
    folder, config = host
    config.write_text(logrotate_cases.block("rotate 5", names=f"{folder}/logs/trades.jsonl"))
    keys = {
        name: (status.st_dev, status.st_ino)
        for name in logrotate_cases.LOGS
        for status in [os.stat(folder / "logs" / name)]
    }
    found = _logrotate.rotation(_logrotate.read(str(config), ""), str(config), str(folder / "logs"), keys, NOW)
    assert found.unnamed == {"orders.jsonl"}
    assert "orders.jsonl" not in found.config


def test_su_create_and_scripts_come_through_as_the_service_user_needs_them(host):
    folder, config = host
    script = ["postrotate", "  kill -HUP 1  # {", "endscript"]
    config.write_text(
        logrotate_cases.block(
            "su root root", "rotate 5", "create 0640 root root", *script, names=f"{folder}/logs/*.jsonl"
        )
    )
    text = logrotate_cases.ours(folder, config, NOW)[0].splitlines()
    assert "create 0640 root root" in text
    assert "      kill -HUP 1  # {" in text
    assert not [line for line in text if line.startswith("su")]


def test_a_configuration_that_is_not_reached_from_the_main_one_is_read_alone(host):
    """As the host's own cron job would, that names this file only."""
    folder, config = host
    (folder / "main").write_text("dateext\n")
    assert "dateext" not in logrotate_cases.ours(folder, config, NOW)[0]


def test_what_is_no_file_or_includes_itself_ends(host):
    folder, _config = host
    os.mkfifo(folder / "d" / "pipe")
    (folder / "main").write_text(f"include {folder}/d\ninclude {folder}/main\n")
    assert "as does" in refusal(host)
    with pytest.raises(RunbookError):
        _logrotate.read(str(folder / "nothing"), "")


words = st.sampled_from(
    [
        *_logrotate.SWITCHES,
        *_logrotate.NUMBERS,
        *_logrotate.TEXTS,
        "include",
        "{",
        "}",
        "=",
        "#",
        "/x",
        '"',
        "\n",
        " ",
        "0",
        "\r",
        "postrotate",
        "endscript",
        "tabooext",
        "'",
        "\\",
        "é",
        "\0",
    ]
)


@given(st.lists(words, max_size=40).map("".join))
def test_no_text_whatever_stops_the_reader(tmp_path_factory, text):
    config = tmp_path_factory.mktemp("conf") / "config"
    config.write_text(text, newline="")
    reading = _logrotate.read(str(config), "")
    assert all(block.patterns for block in reading.blocks)
