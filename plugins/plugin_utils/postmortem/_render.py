# SPDX-License-Identifier: GPL-3.0-or-later
"""A story as Markdown and as HTML. Private to aurora.runbook; controller only.

Our templates are filled in here and not by Ansible's template, which does not escape: everything that is printed into
the HTML is escaped, and everything printed into the Markdown is neutralised.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone, tzinfo
from functools import cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.plugin_utils import _texts
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem import _chart, _written
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._series import Series
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._story import Story
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._words import Words
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

TEMPLATES = Path(__file__).resolve().parents[3] / "roles" / "incident" / "templates"
FORMS = ("html", "md")
SPARKS = "▁▂▃▄▅▆▇█"


def zone_of(name: str) -> tzinfo | None:
    """A local time zone by its name, None for the controller's."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise RunbookError(
            f"aurora_timezone={name!r} is not a time zone that this controller knows; expected a name such as"
            " Europe/Kyiv, and the package tzdata"
        ) from None


def render(story: Story, form: str, language: str, written: _written.Written, zone: tzinfo | None = None) -> str:
    """A story as a file. ``zone`` is the local time zone, the controller's by default."""
    say = partial(_texts.say, language)
    return template("postmortem", form).render(
        story=story,
        language=language.removesuffix(_messages.ON_AWX),
        say=say,
        number=_messages.number,
        span=Words(language).span,
        utc=partial(stamp, zone=timezone.utc),
        local=partial(stamp, zone=zone),
        zone_name=datetime.fromtimestamp(story.opened, zone).astimezone(zone).strftime("%Z, UTC%z"),
        due=stamp(story.due, timezone.utc)[:10],
        follow_ups=_follow_ups(story, say, written),
        places={name: _place(form, name, say, written) for name in _written.PLACES},
        worst=partial(_worst, story),
        spark=partial(_spark, story),
        drawn=partial(_drawn, story),
        unit={"p99": "ms"}.get(story.indicator.kind, ""),
        raw=Markup,
    )


def _follow_ups(story: Story, say: partial, written: _written.Written) -> list[_written.FollowUp]:
    """What has to be done, with a proposed owner if people named none; a proposal ends in a question mark."""
    rows = tuple(replace(row, owner="") if row.owner.endswith("?") else row for row in written.rows)
    due = stamp(story.due, timezone.utc)[:10]
    proposed = say("pm_owner_proposed", who=story.owner) if story.owner else ""
    todos = _written.follow_ups(story.follow_ups, due, replace(written, rows=rows))
    return [replace(todo, owner=todo.owner or proposed) if todo.text in story.follow_ups else todo for todo in todos]


@cache
def template(report: str, form: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=form == "html",  # noqa: S701 Markdown is neutralised instead
        finalize=neutral if form == "md" else None,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(f"{report}.{form}.j2")


def neutral(value: object) -> str:
    """Text that Markdown shows as it is: no HTML, no links, no images, no table cells, one line."""
    if isinstance(value, Markup):
        return value
    text = " ".join(str(value).split())
    text = re.sub(r"[\\`*\[\]<>|~&$@]", r"\\\g<0>", text)
    text = re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", text)
    text = re.sub(r"://", r":\\//", re.sub(r"(?i)(www)\.", r"\1\\.", text))
    return re.sub(r"^([-+=#]+(?!\d)|\d{1,9}(?=[.)](\s|$)))", lambda found: _lead(found[0]), text)


def _lead(start: str) -> str:
    """Characters that would begin a list, a heading or a rule."""
    return f"{start}\\" if start.isdigit() else "".join(f"\\{character}" for character in start)


def _place(form: str, name: str, say: partial, written: _written.Written) -> Markup | str:
    """What a person wrote, unchanged in the Markdown."""
    text = written.places.get(name) or say(f"pm_write_{name}")
    return Markup(text) if form == "md" else text  # noqa: S704


def stamp(at: float | None, zone: tzinfo | None) -> str:
    return "–" if at is None else datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M:%S")


def _worst(story: Story, values: Sequence[float]) -> float:
    return (min if story.indicator.breach == "<" else max)(values)


def _spark(story: Story, series: Series) -> str:
    """Forty characters that show the course of a series; a dot if there is no value."""
    width = max(1, -(-len(series.points) // 40))
    stretches = [series.points[start : start + width] for start in range(0, len(series.points), width)]
    low, high = min([*series.values, story.threshold]), max([*series.values, story.threshold])

    def block(stretch: Sequence[tuple[float, float | None]]) -> str:
        known = [value for _at, value in stretch if value is not None]
        scale = (len(SPARKS) - 1) / (high - low or 1)
        return SPARKS[round((_worst(story, known) - low) * scale)] if known else "·"

    return "".join(map(block, stretches))


def _drawn(story: Story, series: Series, width: int) -> _chart.Chart | None:
    """The chart of a host, with what was done there and what was paged."""
    times = [at for other in story.series for at, _value in other.points]
    marks = [(mark.at, str(mark.number)) for mark in story.marks if mark.host in ("", series.host)]
    states = {0: "CLOSED", 1: "HALF_OPEN", 2: "OPEN"} if story.indicator.kind == "state" else None
    low_is_bad = story.indicator.breach == "<"
    return _chart.chart(series.points, (min(times), max(times)), story.threshold, low_is_bad, marks, width, 180, states)
