# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of an incident, and what it leaves to do. Private to aurora.runbook; controller only."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._story import Story
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._words import Words


def summary(words: Words, story: Story) -> Iterator[str]:
    """What happened, in a few sentences."""
    say = words.say
    values = [value for series in story.series for value in series.values]
    worst = (min if story.indicator.breach == "<" else max)(values) if values else None
    yield say(
        "pm_short_what",
        severity=story.worst_severity,
        metric=story.metric,
        value=_messages.number(worst, story.threshold),
        limit=_messages.number(story.threshold, story.threshold),
        hosts=", ".join(story.hosts),
    )
    if story.closed is None:
        yield say("pm_short_open", span=words.span(story.now - story.opened))
    else:
        yield say("pm_short_closed", span=words.span(story.closed - story.opened))
    breached = [impact for impact in story.impacts if impact.breached is not None]
    if breached:
        longest = max(breached, key=lambda impact: impact.breached)
        known = f"{math.floor(100 * longest.known / longest.seconds) if longest.seconds else 100}"
        yield say("pm_short_breach", host=longest.host, span=words.span(longest.breached), percent=known)
    else:
        yield say("pm_short_breach_unknown")
    if story.causes and story.causes[0].name != "unknown":
        evidence = "; ".join(story.causes[0].evidence[:2]) or "–"
        yield say("pm_short_cause", cause=story.causes[0].name, evidence=evidence)
    else:
        yield say("pm_short_no_cause")
    counts = {"helped": sum(action.helped == "pm_helped" for action in story.actions), "refused": len(story.refusals)}
    yield say("pm_short_actions", count=len(story.actions), **counts)
    states = (f"{say(deadline.name)}: {say(deadline.state)}" for deadline in story.deadlines)
    yield say("pm_short_deadlines", states="; ".join(states))
    if story.leases:
        yield say("pm_short_leases", names=", ".join(f"{lease.host}: {lease.changes}" for lease in story.leases[:5]))


def follow_ups(words: Words, story: Story) -> Iterator[str]:
    """What this incident leaves to do, then what the runbook asks for after every incident."""
    say = words.say
    yield say("pm_todo_root")
    for cause in story.causes[:1]:
        if cause.advice:
            yield cause.advice
    for lease in story.leases[:10]:
        yield say("pm_todo_lease", host=lease.host, name=lease.name, changes=lease.changes)
    for action in story.actions:
        if action.outcome == say("pm_unfinished"):
            yield say("pm_todo_unfinished", host=action.host, action=f"{action.name} {action.target}")
    for host, _problem in story.missing[:10]:
        yield say("pm_todo_missing", host=host)
    for host, _count, _head, state in story.records:
        if state == say("pm_broken"):
            yield say("pm_todo_chain", host=host)
    for deadline in story.deadlines:
        if deadline.state == "pm_missed":
            yield say("pm_todo_deadline", name=say(deadline.name))
    for channel in sorted({failed for page in story.pages for failed in page.failed})[:5]:
        yield say("pm_todo_channel", channel=channel)
    for key in ("pm_todo_fix", "pm_todo_docs", "pm_todo_alerting", "pm_todo_training"):
        yield say(key)
