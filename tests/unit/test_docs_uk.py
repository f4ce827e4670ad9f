# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, the Ukrainian runbook tells an operator another number, word or step than what the code has."""

from __future__ import annotations

import re
import string

import pytest
import yaml
from ansible_collections.aurora.runbook.plugins.module_utils.act import _limits
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _knobs, _verdicts
from ansible_collections.aurora.runbook.plugins.module_utils.base import _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.look import _triage
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease
from ansible_collections.aurora.runbook.plugins.plugin_utils import _decision, _escalation, _texts
from pages import rows, section
from test_docs_commands import CHECKOUT, MODULES, PLAYBOOKS, code, options, variables

RUNBOOK = CHECKOUT / "docs" / "uk" / "runbook.md"
GLOSSARY = CHECKOUT / "docs" / "uk" / "glossary.md"
PAGE = RUNBOOK.read_text("utf-8")
WORDS = GLOSSARY.read_text("utf-8")
SECONDS = {"хв": 60, "год": 3600, "дн": 86400}
INDICATORS = _indicators.INDICATORS
CAUSES = {
    "unknown",
    *_triage.WHY_CAUSES.keys() - {"model"},
    *_triage.SERVING,
    *_triage.RUNNER_OUT,
    *_triage.RUNNER_MOVES,
    *_triage.TRADE_CAUSES,
    *(cause for causes in _decision._CAUSES.values() for cause in causes),
    *(key.removeprefix("mend_") for key in _texts.CATALOGUE if key.startswith("mend_")),
}
GUARDS = {key.removeprefix("guard_") for key in _texts.CATALOGUE if key.startswith("guard_")}
# What is left to a person or to a ladder for each incident, by the causes that its ladder goes by.
OF_INCIDENT = {
    **_decision._CAUSES,
    "calibration_ece": (*_triage.TRADE_CAUSES, "miscalibration"),
}
PLACES = ("was", "done", "now", "left", "record", "next")  # of a line in a report
# What an English word is called in the Ukrainian text of the same message, by the beginning of its term.
TERMS = {
    "guards?": "запобіжник",
    "breaker": "circuit breaker",
    "incidents?": "інцидент",
    "acknowledged?": "підтвер",
    "silenced?|silences": "приглуш",
    "exposure": "ризик",
    "approval": "схвалення",
    "paged": "виклик",
    "paused?": "пауз|призупин",
    "healthy": "справн",
    "severity": "критичн",
    "playbook": "плейбук",
    "recovered": "відновл",
    "leases?": "змін",
}


def bare(cell: str) -> str:
    return cell.strip("`")


def of_incident(incident: str) -> str:
    """The section of the runbook that is about an incident."""
    number = _indicators.INCIDENTS.index(incident) + 1
    heading = re.search(rf"^### {number}\. .+$", PAGE, re.MULTILINE)
    assert heading
    return section(PAGE, heading[0]).partition("\n## ")[0]


def threshold(indicator: _indicators.Indicator) -> str:
    return f"`{indicator.metric} {indicator.breach} {indicator.threshold:g}`"


def settings(incident: str) -> set[str]:
    """What the ladder of an incident sets, as KELLY_MULTIPLIER=0.5, from its tasks and defaults."""
    role = CHECKOUT / "roles" / incident
    defaults = yaml.safe_load((role / "defaults/main.yml").read_text("utf-8"))
    users = {own: re.search(r"aurora_\w+", str(value)) for own, value in defaults.items()}
    tasks = "\n".join(path.read_text("utf-8") for path in role.glob("tasks/*.yml"))
    written = re.findall(r"^ +(\w+): \"\{\{ (\w+) \}\}\"$", tasks, re.MULTILINE)
    names = {**{knob: knob for knob in _knobs.KNOBS}, **_limits.OPTIONS}
    return {f"{names[name]}={variables()[users[own][0]]}" for name, own in written if name in names and users.get(own)}


def steps(incident: str) -> set[str]:
    """The modules that the ladder of an incident acts with."""
    tasks = "\n".join(path.read_text("utf-8") for path in (CHECKOUT / "roles" / incident).glob("tasks/*.yml"))
    return set(re.findall(r"aurora\.runbook\.(\w+):", tasks)) - {"public_way_info"}


def test_every_table_of_the_runbook_is_read() -> None:
    assert len(rows(section(PAGE, "### Severity Levels"))) == 1 + len(_indicators.SEVERITIES)
    assert len(rows(section(PAGE, "## Ескалація"))) == 1 + len(_escalation.LEVELS)


@pytest.mark.parametrize("severity", _indicators.SEVERITIES)
def test_deadlines_and_what_is_how_severe(severity: str) -> None:
    ((respond, resolve, belongs),) = [cells for name, *cells in rows(PAGE) if name == severity]
    limits = _indicators.deadlines(severity)
    assert [seconds(respond), seconds(resolve)] == [limits.respond, limits.resolve]
    for limit in re.findall(r"`sse:availability_ratio:5m < ([\d.]+)`", belongs):
        below = {"sse_availability": float(limit) - 1e-6}
        assert _indicators.severity(below, {"sse_availability"}) == severity
    for incident, indicator in INDICATORS.items():
        if incident != "sse_availability" and threshold(indicator) in belongs:
            assert _indicators.severity({}, {incident}) == severity


def seconds(text: str) -> int:
    amount, unit = text.split()
    return int(amount) * SECONDS[unit]


@pytest.mark.parametrize("incident", INDICATORS)
def test_limits_of_indicators(incident: str) -> None:
    assert threshold(INDICATORS[incident]) in PAGE
    assert f"`{INDICATORS[incident].alert}`" in PAGE


@pytest.mark.parametrize("incident", _indicators.INCIDENTS)
def test_each_section_has_its_alert_limit_command_and_causes(incident: str) -> None:
    text = of_incident(incident)
    assert f"`{INDICATORS[incident].alert}`" in text
    assert threshold(INDICATORS[incident]) in text
    assert f"aurora.runbook.remediate_{incident} -i" in text
    assert set(OF_INCIDENT[incident]) - set(re.findall(r"`(\w+)`", text)) == set()


@pytest.mark.parametrize("incident", _indicators.INCIDENTS)
def test_each_section_has_the_steps_of_its_ladder_with_their_values_and_no_others(incident: str) -> None:
    table = section(of_incident(incident), "#### Дії для вирішення")
    names = "|".join([*_knobs.KNOBS, *_limits.NAMES])
    assert set(re.findall(rf"`((?:{names})=[^`]+)`", table)) == settings(incident)
    modules = steps(incident) - {"service_override"}
    assert set(re.findall(rf"`({'|'.join(MODULES)})`", table)) == modules


@pytest.mark.parametrize("level", _escalation.LEVELS)
def test_levels(level: str) -> None:
    ((after, _does),) = [cells for name, *cells in rows(section(PAGE, "## Ескалація")) if name == level]
    assert (0 if after == "одразу" else seconds(after)) == _escalation.LEVELS[level]


@pytest.mark.parametrize("verdict", _verdicts.VERDICTS)
def test_verdicts_as_a_report_says_them(verdict: str) -> None:
    said = [cells[1] for cells in rows(section(PAGE, "### Як читати звіт")) if bare(cells[0]) == verdict]
    assert said == [_texts.say("uk", verdict)]


def test_guards_and_nothing_else() -> None:
    names = [bare(cells[0]) for cells in rows(section(PAGE, "### Коли автоматика відмовляє"))[1:]]
    assert sorted(names) == sorted(GUARDS)


def test_variables_have_the_defaults_that_the_page_gives() -> None:
    known = variables()
    told = dict(re.findall(r"\| `(aurora_\w+)` \| `([^`]*)` \|", PAGE))
    assert len(told) > 10
    assert {name: f"{known[name]:g}" if isinstance(known[name], float) else str(known[name]) for name in told} == told
    assert f"`{known['aurora_latency_timeout_seconds']:g}` с" in PAGE


def test_every_variable_on_the_pages_is_one_that_users_set() -> None:
    named = {
        name for page in (RUNBOOK, GLOSSARY) for line in code(page) for name in re.findall(r"aurora_[a-z_]+", line)
    }
    assert named - set(variables()) - {"aurora_events"} == set()


def test_everything_of_the_collection_on_the_pages_is_there() -> None:
    named = {name for line in code(RUNBOOK) for name in re.findall(r"aurora\.runbook\.(\w+)", line)}
    callbacks = {path.stem for path in CHECKOUT.glob("plugins/callback/*.py")}
    assert named - PLAYBOOKS - set(MODULES) - callbacks == set()


def test_knobs_with_their_range_and_direction() -> None:
    words = {1: "increases", -1: "reduces", 0: "neutral"}
    told = {bare(cells[0]): cells[1:] for cells in rows(section(PAGE, "### Що діє типово")) if len(cells) == 5}
    for name, knob in _knobs.KNOBS.items():
        numbers = [f"`{number:g}`" for number in (knob.normal, knob.lowest, knob.highest)]
        assert told[name] == [*numbers, _texts.say("uk", words[knob.larger])]


@pytest.mark.parametrize(
    "fact",
    [
        f"`{INDICATORS['circuit_breaker'].min_count}` рішень",
        f"`{INDICATORS['sse_availability'].min_count}` подій",
        f"`{INDICATORS['policy_deny_rate'].min_count}` подій",
        f"`{INDICATORS['execution_latency'].min_count}` ордерів",
        f"`{_systemd.LOOP_CRASHES}` збої за `{_systemd.LOOP_SECONDS // 60}` хв",
        f"`{_lease.RAISED_SECONDS}` с",
    ],
)
def test_numbers_in_sentences(fact: str) -> None:
    assert fact in PAGE


def test_options_of_modules_have_the_defaults_that_the_page_gives() -> None:
    told = re.findall(r"`([a-z_]+)=([\d.]+)`", PAGE)
    known = {**options("log_rotation"), **options("recalibration")}
    assert {name for name, _value in told} == {
        *("keep", "min_free_percent", "max_stale_seconds", "max_malformed_percent", "min_trades"),
    }
    assert [(name, float(known[name]["default"])) for name, _value in told] == [(name, float(v)) for name, v in told]


def shapes() -> list[re.Pattern[str]]:
    """What the lines of an output may look like: Ukrainian texts with words of their own, with any values in them."""
    found = [rf".+ → .+ \({re.escape(_texts.say('uk', direction))}\)" for direction in _knobs.DIRECTIONS]
    found += [rf"{re.escape(_texts.say('uk', verdict))}(?:: \d+)?" for verdict in _verdicts.VERDICTS]
    found.append(r"(?:host|aurora\d) .+")  # the table of a triage
    for text in (ukrainian for key, (_english, ukrainian) in _texts.CATALOGUE.items() if key not in PLACES):
        parts = [(literal, name) for literal, name, _spec, _conversion in string.Formatter().parse(text.strip())]
        if sum(letter.isalpha() for literal, _name in parts for letter in literal) > 1:
            found.append("".join(re.escape(literal) + (".+" if name else "") for literal, name in parts))
    return [re.compile(shape) for shape in found]


def told(line: str) -> list[str]:
    """What a line of an output says, with and without its place in a report or the name of a host."""
    heads = [re.escape(_texts.say("uk", place, text="")) for place in PLACES]
    return [line.strip(), re.sub(rf"^(?:{'|'.join(heads)}|[\w-]+: )", "", line)]


def test_lines_of_an_output_are_those_that_the_code_writes() -> None:
    known = shapes()
    lines = [line[3:-1] for line in PAGE.splitlines() if line.startswith("- '")]
    assert len(lines) > 20
    assert [line for line in lines if not any(shape.fullmatch(text) for shape in known for text in told(line))] == []
    assert not any(shape.fullmatch(text) for shape in known for text in told("  було:     усе гаразд"))


def table_of(heading: str) -> dict[str, list[str]]:
    """A table of the glossary, by its first column."""
    return {bare(first): cells for first, *cells in rows(section(WORDS, f"## {heading}"))[1:]}


def test_the_glossary_has_every_word_that_an_operator_reads() -> None:
    acting = {module for incident in _indicators.INCIDENTS for module in steps(incident)}
    assert set(table_of("Вердикти")) == set(_verdicts.VERDICTS)
    assert set(table_of("Кроки")) == {*_knobs.KNOBS, *acting}
    assert set(table_of("Запобіжники")) == GUARDS
    assert set(table_of("Причини")) == CAUSES


def test_verdicts_are_called_as_the_glossary_has_them() -> None:
    for verdict, (term, _meaning) in table_of("Вердикти").items():
        assert _texts.say("uk", verdict).startswith(term)


def ukrainian_texts() -> dict[str, str]:
    """Every Ukrainian text but the glossary, by its key."""
    return {"runbook.md": PAGE, **{key: ukrainian for key, (_english, ukrainian) in _texts.CATALOGUE.items()}}


def test_no_text_has_a_word_that_the_glossary_forbids() -> None:
    words = re.compile(rf"(?<![\w-])(?:{'|'.join(table_of('Так не пишемо'))})", re.IGNORECASE)
    assert {key: found for key, text in ukrainian_texts().items() if (found := words.findall(text))} == {}


def foreign(text: str) -> list[str]:
    """Words with a letter that is not Ukrainian, or with Latin and Cyrillic letters, which only look alike."""
    return re.findall(r"\w*(?:[ёыэъ’ʼ]|[a-z][а-яіїєґ]|[а-яіїєґ][a-z])\w*", text, re.IGNORECASE)


def test_ukrainian_words_have_ukrainian_letters_alone() -> None:
    """Else a search for a word of a report finds nothing."""
    texts = {"glossary.md": WORDS, **ukrainian_texts()}
    assert {key: found for key, text in texts.items() if (found := foreign(text))} == {}


def test_a_letter_that_only_looks_right_is_found() -> None:
    assert foreign("хоcт мікс") == ["хоcт"]  # the first with a Latin c
    assert foreign("пам’ять обьём") == ["пам’ять", "обьём"]
    assert foreign("SSE-клієнтів з'єднання runner") == []


def terms(english: str, ukrainian: str) -> list[str]:
    """The English words of a text that its translation calls otherwise than the glossary."""
    english = re.sub(r"\{\w+\} exposure|\{[^}]*\}", "", english)  # the word for a direction has its noun in it
    return [
        word
        for word, term in TERMS.items()
        if re.search(rf"(?<![\w.-])(?:{word})(?![\w-])", english, re.IGNORECASE)
        and not re.search(term, ukrainian, re.IGNORECASE)
    ]


def test_one_thing_is_called_by_one_term() -> None:
    assert {key: wrong for key, texts in _texts.CATALOGUE.items() if (wrong := terms(*texts))} == {}


def test_a_thing_that_is_called_otherwise_is_found() -> None:
    assert terms("guard cooldown: wait", "гард cooldown: зачекайте") == ["guards?"]
    assert terms("{direction} exposure", "{direction}") == []


def test_terms_are_those_of_the_glossary() -> None:
    told = "\n".join(term for term, _meaning in table_of("Терміни").values()).lower()
    assert [term for term in TERMS.values() if not re.search(term, told)] == []
