# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that write the post-mortem, over the private _postmortem.py. Documented in the YAML files beside this one.

Templates of ours are filled in here and not by Ansible's template, which does not escape: everything that is printed
into the HTML is escaped, everything printed into the Markdown is neutralised.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone, tzinfo
from functools import cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ansible.errors import AnsibleFilterError
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages
from ansible_collections.aurora.runbook.plugins.module_utils.base import _names, _redact
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.plugin_utils import _chart, _postmortem, _texts, _written
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

TEMPLATES = Path(__file__).resolve().parents[2] / "roles" / "incident" / "templates"
FORMATS = ("md", "html")
SPARKS = "▁▂▃▄▅▆▇█"


def chosen_incident(hostvars: Mapping, hosts: Sequence[str], asked: str = "") -> str:
    try:
        return _postmortem.checked(asked) if asked else _postmortem.latest(_answers(hostvars, hosts, "incident_open"))
    except RunbookError as error:
        raise AnsibleFilterError(_redact.redact_text(str(error))) from None


def postmortem_query(hostvars: Mapping, hosts: Sequence[str], incident: str) -> dict:
    known = _names.inventory(hostvars, hosts)
    instances = {name: _names.labels_of(name, *known) for name in hosts}
    label = _names.label_in(hostvars, hosts) or _names.INSTANCE
    answers = _answers(hostvars, hosts, "incident_read")
    return _postmortem.range_query(_postmortem.checked(incident), answers, instances, time.time(), label)


def postmortem(
    hostvars: Mapping,
    hosts: Sequence[str],
    incident: str,
    form: str,
    language: str = "en",
    written: str = "",
    zone: str = "",
) -> str:
    if form not in FORMATS or language not in _messages.LANGUAGES:
        raise AnsibleFilterError(f"{form!r} in {language!r} is refused; expected md or html in en or uk")
    asked = next((a for a in (hostvars[n].get("incident_series") for n in hosts) if a and not a.get("skipped")), None)
    if asked is not None:
        asked = asked.get("json") or {"problem": str(asked.get("msg") or "no answer")}
    try:
        answers = _answers(hostvars, hosts, "incident_read")
        story = _postmortem.tell(incident, answers, time.time(), language, asked)
    except RunbookError as error:
        raise AnsibleFilterError(_redact.redact_text(str(error))) from None
    story = replace(story, owner=story.owner or _first_contact(hostvars, hosts))
    return render(story, form, language, _written.read(written), _zone(zone))


def _zone(name: str) -> tzinfo | None:
    """A local time zone by its name, None for the controller's."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise AnsibleFilterError(
            f"aurora_timezone={name!r} is not a time zone that this controller knows; expected a name as Europe/Kyiv,"
            " and the package tzdata"
        ) from None


def render(
    story: _postmortem.Story, form: str, language: str, written: _written.Written, zone: tzinfo | None = None
) -> str:
    """A story as a file. ``zone`` is the local time zone, the controller's by default."""
    say = partial(_texts.say, language)
    return _template(form).render(
        story=story,
        language=language,
        say=say,
        number=_messages.number,
        span=_postmortem.Words(language).span,
        utc=partial(_stamp, zone=timezone.utc),
        local=partial(_stamp, zone=zone),
        zone_name=datetime.fromtimestamp(story.opened, zone).astimezone(zone).strftime("%Z, UTC%z"),
        due=_stamp(story.due, timezone.utc)[:10],
        follow_ups=_follow_ups(story, say, written),
        places={name: _place(form, name, say, written) for name in _written.PLACES},
        worst=partial(_worst, story),
        spark=partial(_spark, story),
        drawn=partial(_drawn, story),
        unit={"p99": "ms"}.get(story.indicator.kind, ""),
        raw=Markup,
    )


def _follow_ups(story: _postmortem.Story, say: partial, written: _written.Written) -> list[_written.FollowUp]:
    """What is to be done, with an owner proposed where people named none: a proposal ends in a question mark."""
    rows = tuple(replace(row, owner="") if row.owner.endswith("?") else row for row in written.rows)
    due = _stamp(story.due, timezone.utc)[:10]
    proposed = say("pm_owner_proposed", who=story.owner) if story.owner else ""
    todos = _written.follow_ups(story.follow_ups, due, replace(written, rows=rows))
    return [replace(todo, owner=todo.owner or proposed) if todo.text in story.follow_ups else todo for todo in todos]


@cache
def _template(form: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=form == "html",  # noqa: S701 Markdown is neutralised instead
        finalize=neutral if form == "md" else None,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(f"postmortem.{form}.j2")


def neutral(value: object) -> str:
    """Text that Markdown shows as it is: no HTML, no links, no images, no cells of a table, one line."""
    if isinstance(value, Markup):
        return value
    text = " ".join(str(value).split())
    text = re.sub(r"[\\`*\[\]<>|~&$@]", r"\\\g<0>", text)
    text = re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", text)
    text = re.sub(r"://", r":\\//", re.sub(r"(?i)(www)\.", r"\1\\.", text))
    return re.sub(r"^([-+=#]+(?!\d)|\d{1,9}(?=[.)](\s|$)))", lambda found: _lead(found[0]), text)


def _lead(start: str) -> str:
    """What would begin a list, a heading or a rule."""
    return f"{start}\\" if start.isdigit() else "".join(f"\\{character}" for character in start)


def _place(form: str, name: str, say: partial, written: _written.Written) -> Markup | str:
    """What a person wrote goes back into the Markdown as it was."""
    text = written.places.get(name) or say(f"pm_write_{name}")
    return Markup(text) if form == "md" else text  # noqa: S704


def _stamp(at: float | None, zone: tzinfo | None) -> str:
    return "–" if at is None else datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M:%S")


def _worst(story: _postmortem.Story, values: Sequence[float]) -> float:
    return (min if story.indicator.breach == "<" else max)(values)


def _spark(story: _postmortem.Story, series: _postmortem.Series) -> str:
    """Forty characters that show the course of a series; a dot where there is no value."""
    width = max(1, -(-len(series.points) // 40))
    stretches = [series.points[start : start + width] for start in range(0, len(series.points), width)]
    low, high = min([*series.values, story.threshold]), max([*series.values, story.threshold])

    def block(stretch: Sequence[tuple[float, float | None]]) -> str:
        known = [value for _at, value in stretch if value is not None]
        scale = (len(SPARKS) - 1) / (high - low or 1)
        return SPARKS[round((_worst(story, known) - low) * scale)] if known else "·"

    return "".join(map(block, stretches))


def _drawn(story: _postmortem.Story, series: _postmortem.Series, width: int) -> _chart.Chart | None:
    """The chart of a host: what was done there, and what was paged."""
    times = [at for other in story.series for at, _value in other.points]
    marks = [(mark.at, str(mark.number)) for mark in story.marks if mark.host in ("", series.host)]
    states = {0: "CLOSED", 1: "HALF_OPEN", 2: "OPEN"} if story.indicator.kind == "state" else None
    low_is_bad = story.indicator.breach == "<"
    return _chart.chart(series.points, (min(times), max(times)), story.threshold, low_is_bad, marks, width, 180, states)


def _first_contact(hostvars: Mapping, hosts: Sequence[str]) -> str:
    """The name of whom L1 tells first, never the URL; "" where none is named."""
    for host in hosts:
        try:
            return _redact.redact(str(hostvars[host]["aurora_contacts"]["L1"][0]["name"]), limit=80)
        except (LookupError, TypeError):
            continue
    return ""


def _answers(hostvars: Mapping, hosts: Sequence[str], name: str) -> dict[str, Mapping]:
    """What each host answered, or why it did not."""
    answers = {}
    for host in hosts:
        result = hostvars[host].get(name) or {}
        problem = str(result.get("msg") or "it did not answer")
        answers[host] = result if isinstance(result.get("incidents"), list) else {"problem": problem}
    return answers


class FilterModule:
    def filters(self) -> dict:
        return {"chosen_incident": chosen_incident, "postmortem": postmortem, "postmortem_query": postmortem_query}
