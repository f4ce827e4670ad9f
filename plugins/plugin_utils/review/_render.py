# SPDX-License-Identifier: GPL-3.0-or-later
"""A review as Markdown and as HTML. Private to aurora.runbook; controller only.

Texts of hosts are escaped in the HTML and neutralised in the Markdown, by the environment of the templates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timezone
from functools import partial

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages
from ansible_collections.aurora.runbook.plugins.module_utils.aurora._indicators import SEVERITIES
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._accounts import MAX_TEXT, flat
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._render import FORMS, stamp, template
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem._words import Words
from ansible_collections.aurora.runbook.plugins.plugin_utils.review import _charts
from ansible_collections.aurora.runbook.plugins.plugin_utils.review._cases import Rung
from ansible_collections.aurora.runbook.plugins.plugin_utils.review._figures import (
    LEAST_KNOWN,
    UNKNOWN_SEVERITY,
    Against,
    Doubt,
    Lease,
    Proposal,
    Review,
)
from markupsafe import Markup

MAX_ROWS = 50  # most rows of a table; the figures cover all
MAX_DOUBTS = 200  # most doubts of one kind
STATES = ("pm_met", "pm_missed", "pm_running", "rv_not_needed", "pm_unknown")


def render(review: Review, language: str) -> dict[str, str]:
    """A review as a file of each form."""
    reader = Reader(language)
    drawn = charts(review, reader)
    return {
        form: template("review", form).render(
            review=review,
            language=language.removesuffix(_messages.ON_AWX),
            reader=reader,
            say=reader.say,
            span=reader.span,
            utc=partial(stamp, zone=timezone.utc),
            date=date_of(review.now),
            severities=(*SEVERITIES, UNKNOWN_SEVERITY),
            severity_names=(*SEVERITIES, reader.say("pm_unknown")),
            least=LEAST_KNOWN,
            most=MAX_ROWS,
            charts={name: Markup(svg) for name, svg in drawn.items()},  # noqa: S704 Matplotlib escapes texts
            raw=Markup,
        )
        for form in FORMS
    }


def date_of(at: float) -> str:
    return stamp(at, timezone.utc)[:10]


def charts(review: Review, reader: Reader) -> dict[str, str]:
    """Each chart as SVG, "" for one that would show nothing."""
    rungs = [f"{reader.known_or_unknown(row.cause)}: {reader.rung(row.rung)}" for row in review.rungs]
    days = [f"{stamp(one.start, timezone.utc)[5:10]}" for one in review.stretches]
    return {
        "class": _charts.by_class(review, reader.say),
        "time": _charts.over_time(review, days, reader.say),
        "times": _charts.against_deadlines(review, reader.say),
        "rungs": _charts.by_outcome(review, rungs, reader.say),
    }


class Reader(Words):
    """The texts of a review in one language."""

    def known_or_unknown(self, text: str | None) -> str:
        return self.say("pm_unknown") if text in (None, "", "unknown", UNKNOWN_SEVERITY) else text

    def rung(self, rung: Rung) -> str:
        name = rung.name.removeprefix("service_override ")
        return self.say("rv_again", rung=name) if rung.again else name

    def states(self, against: Against) -> str:
        """How many incidents met a deadline, missed it, and so on."""
        return ", ".join(f"{self.say(key)}: {against.states[key]}" for key in STATES if against.states.get(key))

    def worst(self, against: Against) -> str:
        known = self.span(against.spread.worst)
        return f"{known} ({against.spread.worst_id})" if against.spread.worst_id else known

    def proposal(self, one: Proposal) -> str:
        counts = {
            f"{name}_{count}": getattr(row, count)
            for name, row in (("later", one.later), ("earlier", one.earlier))
            for count in ("helped", "tried", "unknown")
        }
        rungs = {"later": self.rung(one.later.rung), "earlier": self.rung(one.earlier.rung)}
        return self.say("rv_propose", incident=one.later.incident, cause=one.later.cause, **rungs, **counts)

    def lease(self, lease: Lease) -> str:
        return _redact.redact(flat(lease.written), limit=MAX_TEXT)

    def doubts(self, doubts: Sequence[Doubt]) -> Iterator[str]:
        """Each doubt in words; if there are many of one kind, how many more there are."""
        counts: Counter[str] = Counter()
        for doubt in doubts:
            counts[doubt.key] += 1
            if counts[doubt.key] <= MAX_DOUBTS:
                yield self._doubt(doubt.key, doubt.values)
        more = sum(count - MAX_DOUBTS for count in counts.values() if count > MAX_DOUBTS)
        if more:
            yield self.say("rv_more_doubts", count=more)

    def _doubt(self, key: str, values: Mapping) -> str:
        spans = {"span": self.span(values["seconds"])} if "seconds" in values else {}
        return self.say(key, **values, **spans)

    def summary(self, review: Review) -> Iterator[str]:
        """The review in a few lines."""
        say, missed = self.say, Counter()
        for one in review.times:
            missed["respond"] += one.response.states.get("pm_missed", 0)
            missed["resolve"] += one.recovery.states.get("pm_missed", 0)
            missed["unknown"] += one.response.states.get("pm_unknown", 0) + one.recovery.states.get("pm_unknown", 0)
        if not review.cases:
            yield say("rv_none")
        else:
            open_ones = sum(one.open is not False for one in review.cases)
            yield say("rv_short_count", count=len(review.cases), open=open_ones)
            yield say("rv_short_missed", **{name: missed[name] for name in ("respond", "resolve", "unknown")})
        if review.repeats:
            late = [one.late for one in review.repeats]
            again = sum(bool(one) for one in late) if None not in late else say("pm_unknown")
            yield say("rv_short_repeats", count=len(review.repeats), late=again)
        for key, rows in (
            ("rv_short_nobody", review.nobody),
            ("rv_short_leases", review.leases),
            ("rv_short_proposals", review.proposals),
        ):
            if rows:
                yield say(key, count=len(rows))
