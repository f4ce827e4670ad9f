# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts of a review as SVG, drawn by Matplotlib. Private to aurora.runbook; controller only.

Matplotlib is imported only when a review is written, so that nothing else needs it. The same figures give the same
bytes. Colours are names from the style of the page around a chart, so that the chart is dark if the page is.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterable, Sequence

from ansible_collections.aurora.runbook.plugins.module_utils.aurora._indicators import SEVERITIES
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.plugin_utils.review._figures import UNKNOWN_SEVERITY, Review

OLDEST = "3.9"  # oldest Matplotlib with which these charts were tested
WIDTH = 4.2  # inches of 72 px; a phone shows a chart in this size, a screen half as large again
LABEL, ROWS = 52, 12  # characters of a label, and bars of a chart; the table beside it has the rest
# Matplotlib's colours, each replaced by the colour of that name in the page's style.
COLOURS = {
    "ink": "#010203", "soft": "#010204", "line": "#010205",
    "bad": "#010206", "good": "#010207", "accent": "#010208", "mark": "#010209", "warn-mark": "#01020a",
}  # fmt: skip
OF_SEVERITIES = dict(zip((*SEVERITIES, UNKNOWN_SEVERITY), ("bad", "warn-mark", "accent", "good", "soft")))
STYLE = {
    "svg.fonttype": "none",  # texts stay texts, which can be searched and read aloud
    "text.parse_math": False,  # a dollar sign in a host's text is a dollar sign
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": COLOURS["ink"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.edgecolor": COLOURS["line"],
    "xtick.color": COLOURS["soft"],
    "ytick.color": COLOURS["soft"],
    "xtick.labelcolor": COLOURS["soft"],
    "ytick.labelcolor": COLOURS["ink"],
    "grid.color": COLOURS["line"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


def by_class(review: Review, say: Callable[..., str]) -> str:
    """Incidents of each class, by severity; "" if there are none."""
    rows = review.by_class[:ROWS]
    parts = [
        (severity if severity in SEVERITIES else say("pm_unknown"), OF_SEVERITIES[severity], counts)
        for severity in OF_SEVERITIES
        if any(counts := [row.severities.get(severity, 0) for row in rows])
    ]
    return _bars("class", [row.incident for row in rows], parts, say("rv_incidents")) if rows else ""


def by_outcome(review: Review, rungs: Sequence[str], say: Callable[..., str]) -> str:
    """The results of each rung, which ``rungs`` names in the reader's language; "" if there are none."""
    rows = review.rungs[:ROWS]
    parts = [
        (say("rv_helped"), "good", [row.helped for row in rows]),
        (say("rv_not_helped"), "bad", [row.not_helped for row in rows]),
        (say("pm_unknown"), "soft", [row.unknown for row in rows]),
    ]
    return _bars("rungs", rungs[:ROWS], parts, say("rv_incidents")) if rows else ""


def over_time(review: Review, days: Sequence[str], say: Callable[..., str]) -> str:
    """How many incidents were opened when; "" if there are none."""
    counts = [stretch.count for stretch in review.stretches]
    if not any(counts):
        return ""

    def draw(axes: object) -> None:
        axes.bar(range(len(counts)), counts, color=COLOURS["accent"], width=0.8)
        axes.set_xticks(range(len(counts)), days, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_ylabel(say("rv_incidents"))
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.grid(axis="y", linewidth=0.5)
        axes.set_axisbelow(True)

    return _drawn("time", 2.4, draw)


def against_deadlines(review: Review, say: Callable[..., str]) -> str:
    """Median and worst time to answer and recovery for each severity, and its deadline; "" if no time is known."""
    rows = [
        (f"{one.severity} {say(key)}", against)
        for one in review.times
        for key, against in (("pm_respond", one.response), ("pm_resolve", one.recovery))
        if against.spread.known and against.limit is not None
    ]
    if not rows:
        return ""

    def draw(axes: object) -> None:
        for place, (_label, against) in enumerate(rows):
            shown = [max(1.0, seconds) / 60 for seconds in (against.spread.median, against.spread.worst)]
            axes.plot(shown, [place, place], color=COLOURS["soft"], linewidth=1)
            axes.plot(shown[:1], [place], "o", color=COLOURS["accent"], markersize=10)
            axes.plot(shown[1:], [place], "D", color=COLOURS["bad"], markersize=4)
            axes.plot([against.limit / 60], [place], "|", color=COLOURS["ink"], markersize=16, markeredgewidth=2)
        for marker, colour, key in (
            ("o", "accent", "rv_median"),
            ("D", "bad", "pm_worst"),
            ("|", "ink", "rv_deadline"),
        ):
            axes.plot([], [], marker, color=COLOURS[colour], label=say(key))
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda minutes, _place: f"{minutes:g}")
        axes.set_xlabel(say("rv_minutes"))
        axes.set_yticks(range(len(rows)), [label for label, _against in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.grid(axis="x", linewidth=0.5)
        axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=3)

    return _drawn("times", 1.3 + 0.4 * len(rows), draw)


def _bars(name: str, labels: Sequence[str], parts: Iterable[tuple[str, str, Sequence[int]]], unit: str) -> str:
    """A bar for each label, which stands above it, of parts one beside the other: their name, colour and lengths."""

    def draw(axes: object) -> None:
        left = [0] * len(labels)
        for part, colour, lengths in parts:
            axes.barh(range(len(labels)), lengths, left=left, color=COLOURS[colour], label=part, height=0.35)
            left = [before + length for before, length in zip(left, lengths)]
        for place, label in enumerate(labels):
            axes.annotate(_short(label), (0, place - 0.26), va="bottom", annotation_clip=False)
        axes.set_yticks([])
        axes.set_ylim(len(labels) - 0.6, -0.9)
        axes.set_xlabel(unit)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(axis="x", linewidth=0.5)
        axes.set_axisbelow(True)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)

    return _drawn(name, 1.1 + 0.45 * len(labels), draw)


def _short(label: str) -> str:
    return label if len(label) <= LABEL else f"{label[: LABEL - 1]}…"


def _drawn(name: str, height: float, draw: Callable[[object], None]) -> str:
    """A chart as SVG to be placed in a page: no prologue, no date, no id that another chart of the page has."""
    try:
        from matplotlib import style  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise RunbookError(
            f"a review needs Matplotlib on the controller ({error}); install it: pip install 'matplotlib>={OLDEST}'"
        ) from None
    page = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with style.context(["default", {**STYLE, "svg.hashsalt": name}]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about characters that the font does not have, but a browser does
        figure = Figure(figsize=(WIDTH, height))
        draw(figure.add_subplot())
        figure.savefig(page, format="svg", transparent=True, metadata=nothing)
    text = page.getvalue()
    svg = re.sub(r"<style\b.*?</style>", "", text[text.index("<svg") :], flags=re.DOTALL)
    for colour, ours in COLOURS.items():
        svg = svg.replace(ours, f"var(--{colour})")
    return re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
