# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, docs/troubleshooting.md lacks a reason that a report may give, or quotes what no report says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _rotation
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages, _verdicts
from ansible_collections.aurora.runbook.plugins.module_utils.look import _recovery, _summary, _trades
from ansible_collections.aurora.runbook.plugins.plugin_utils import _decision, _texts
from pages import rows, section

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = (CHECKOUT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
GUARDS = {key.removeprefix("guard_") for key in _messages.CATALOGUE if key.startswith("guard_")}
LINE = re.compile(r"  (?:was|done|now|left|record|next): +(.+)")
HOST = re.compile(r"aurora\d: (.+)")
FEWEST = 8  # letters of its own that a message has, or it would match anything


def about(verdict: str) -> str:
    return section(PAGE, f"## `{verdict}`")


def headings(verdict: str) -> list[str]:
    return re.findall(r"^### `(\w+)`", about(verdict), re.MULTILINE)


def outputs() -> Iterator[str]:
    for block in re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL):
        yield from block.splitlines()


def pattern(key: str) -> str:
    """What matches a message, whatever its values are."""
    parts = re.split(r"\{[^}]*\}", _texts.CATALOGUE[key][0])
    return ".+".join(map(re.escape, parts))


def quoted() -> list[str]:
    """Everything on the page that a report may say."""
    lines = [found[1] for line in outputs() if (found := LINE.fullmatch(line))]
    return [*lines, *(cell for row in rows(PAGE) for cell in row[:2])]


def named_in(function: object, prefix: str) -> set[str]:
    """The messages of a kind that a function names."""
    return set(re.findall(rf'"({prefix}\w+)"', inspect.getsource(function)))


REASONS = {
    *(key for key in _messages.CATALOGUE if key.startswith(("guard_", "refused_"))),
    *("held", "paused", "paused_open", "refit_tried"),
    *named_in(_rotation.refusal, "log_"),
    *named_in(_trades.objection, "trades_"),
    *_summary._REASONS.values(),
    *("too_few", "too_short"),
    *("unreachable", "probe_failed", "not_known", "no_procedure", "loss_stays", "only_looked", "not_tried"),
    *("left_unknown", "log_lost", "log_still_behind", "failed", "needs_approval"),
}


def test_every_verdict_has_a_heading():
    assert set(re.findall(r"^## `(\w+)`", PAGE, re.MULTILINE)) == set(_verdicts.VERDICTS)
    said = {row[0]: row[1] for row in rows(PAGE.partition("\n## ")[0]) if row[0].startswith("[`")}
    links = {f"[`{verdict}`](#{verdict})": _texts.CATALOGUE[verdict][0] for verdict in _verdicts.VERDICTS}
    assert said == links


def test_every_guard_has_a_heading():
    assert set(headings("refused")) == {*GUARDS, "held", "pause"}


def test_every_ground_for_an_unknown_host_has_a_heading():
    grounds = set(re.findall(r'"unknown", "(\w+)"', inspect.getsource(_decision._judge)))
    assert len(grounds) > 3
    assert grounds <= set(headings("unknown"))


def test_every_problem_of_an_indicator_has_a_row():
    told = {row[0].strip("`") for row in rows(about("unknown"))}
    assert set(_summary._REASONS) - told == set()
    waits = set(re.findall(r'"(\w+)"', inspect.getsource(_recovery._judge_level))) & set(_messages.CATALOGUE)
    assert waits - told - {"still_breached", "half_open", "reopened", "within"} == set()


def test_every_cause_that_a_person_has_to_mend_has_a_row():
    causes = {key.removeprefix("mend_") for key in _texts.CATALOGUE if key.startswith("mend_")}
    assert {row[0].strip("`") for row in rows(about("escalated"))} & causes == causes


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_the_words_of_every_reason_can_be_found(reason: str) -> None:
    assert any(re.fullmatch(pattern(reason), text) for text in quoted())


@pytest.mark.parametrize("line", sorted(set(outputs())))
def test_every_line_of_an_output_is_one_that_a_report_has(line: str) -> None:
    if host := HOST.fullmatch(line):
        assert host[1] in [_texts.CATALOGUE[verdict][0] for verdict in _verdicts.VERDICTS]
        return
    text = LINE.fullmatch(line)[1]
    own = [key for key, said in _texts.CATALOGUE.items() if len(re.sub(r"\{[^}]*\}", "", said[0])) >= FEWEST]
    assert any(re.fullmatch(pattern(key), text) for key in own)
