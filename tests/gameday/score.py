# SPDX-License-Identifier: GPL-3.0-or-later
"""What a round of a game day is worth: from what was injected, what hosts have on record, and what was seen on them.

Pure functions. The referee goes by the fault that was injected and by what stands on the host, and by records only for
what no look from outside can tell: which cause was found, which action was taken, and when.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from faults import Fault
from plan import Injection, Round

OVER = ("recovered", "healthy")
ENDS = {
    "recovered": OVER,
    "approval": ("approval_needed",),
    "escalated": ("escalated", "refused"),  # a refusal leaves it to a person too
}
# Rungs that take no risk, whatever the cause: less exposure, and four settings of TCP.
HARMLESS = ("kelly_multiplier", "decisions_per_minute", "tcp_tuning")
WITH = {"memory_max": ("memory_high",)}  # what a cure sets beside its name
OF_A_FAULT = ("alert", "cause", "end", "pages", "harm", "over")
OF_A_CONTROL = ("harm", "pages", "untouched")
OF_A_CURE = ("harm", "over")


@dataclass(frozen=True)
class Seen:
    """A host in a round. ``entries`` are lines of its records since the round began, by the id of their incident, as
    they were when the runbook was done; ``later`` the same when all was mended, closed and given back.

    ``still``: by fault, whether its sign still showed when the runbook was done; None where nobody could tell.
    ``touched``: whether services, limits, knobs or settings of the host are others than before.
    ``open``: ids of incidents that stayed open after all was mended, ``left`` says what else was not as before then.
    """

    host: str
    began: float
    entries: Mapping[str, Sequence[Mapping]]
    later: Mapping[str, Sequence[Mapping]] = field(default_factory=dict)
    still: Mapping[str, bool | None] = field(default_factory=dict)
    touched: bool = False
    pages: Sequence[str] = ()
    open: Sequence[str] = ()
    left: str = ""


@dataclass(frozen=True)
class Row:
    """A fault on a host, or a host without one. Times are seconds since the injection, None where it never came.

    ``lost`` says for each lost point what to look at, by the name of the point.
    """

    round: int
    host: str
    fault: str
    kind: str
    incident: str  # its id, "" where there is no record
    cause: str
    end: str
    answered: float | None
    settled: float | None
    actions: tuple[str, ...]
    harmful: tuple[str, ...]
    pages: int
    points: int
    of: int
    lost: Mapping[str, str]

    @property
    def key(self) -> tuple[int, str, str]:
        return self.round, self.host, self.fault

    @property
    def broken(self) -> bool:
        return "over" in self.lost

    def as_json(self) -> dict:
        return {**asdict(self), "lost": dict(self.lost)}


def seconds(at: str) -> float:
    """A line's time of the host's clock, as seconds since 1970."""
    return datetime.fromisoformat(at).timestamp()


def since(records: Mapping[str, Sequence[Mapping]], began: float) -> dict[str, list[Mapping]]:
    """Of records only lines that were written since then; a record without one is not there."""
    found = {name: [line for line in lines if seconds(line["at"]) >= began] for name, lines in records.items()}
    return {name: lines for name, lines in found.items() if lines}


def of_class(entries: Mapping[str, Sequence[Mapping]], incident: str) -> tuple[str, Sequence[Mapping]]:
    """The incident of a class that is the fault's: the first one. Its id, "" where there is none, and its lines."""
    found = sorted((lines[0]["at"], name) for name, lines in entries.items() if name.split("-")[0] == incident)
    return (found[0][1], entries[found[0][1]]) if found else ("", ())


def last(lines: Iterable[Mapping], *whats: str) -> Mapping | None:
    return next((line for line in reversed(list(lines)) if line["what"] in whats), None)


def has_ended(fault: Fault, entries: Mapping[str, Sequence[Mapping]]) -> bool:
    """Whether the runbook is done with a fault as it should be: closed, or a person was paged with the right end."""
    _id, lines = of_class(entries, fault.incident)
    ended = last(lines, "verdict", "closed")
    if not ended:
        return False
    if fault.expect == "recovered":
        return ended["what"] == "closed"
    return ended["data"].get("verdict") in ENDS[fault.expect] and last(lines, "paged") is not None


def rungs(entries: Mapping[str, Sequence[Mapping]]) -> Iterator[str]:
    """What was done on a host, by the names that faults have for their cures, in the order of the records."""
    for lines in entries.values():
        for line in lines:
            if line["what"] == "intent" and line["data"].get("cause"):  # without one it was a person, or a lease's end
                action = line["data"].get("action", "")
                changes = [_changed(step) for step in line["data"].get("change", ())]
                yield from changes if action == "service_override" else [action]


def _changed(step: Mapping) -> str:
    """The name of what a step changed; that it was raised where only less is without risk."""
    name = step.get("name", "").lower()
    risky = name in HARMLESS and not float(step.get("after") or "nan") <= float(step.get("before") or "inf")
    return f"{name} raised" if risky else name


def harmful(faults: Sequence[Fault], done: Iterable[str]) -> list[str]:
    """Which of the rungs climbed on a host are neither a cure of its faults nor harmless whatever is wrong.

    A cure that waits for an approval is none: nobody approves of anything in a game.
    """
    cures = {rung for fault in faults for rung in fault.cure if fault.expect == "recovered"}
    allowed = {*cures, *(more for rung in cures for more in WITH.get(rung, ())), *(HARMLESS if faults else ())}
    return sorted({rung for rung in done if rung not in allowed})


def rows(number: int, played: Round, seen: Mapping[str, Seen], faults: Mapping[str, Fault]) -> Iterator[Row]:
    """A row for each fault, and for each host that had none."""
    injected = {injection.host for injection in played.injections}
    for injection in played.injections:
        mine = [faults[one.fault] for one in played.injections if one.host == injection.host]
        yield of_fault(number, played, injection, mine, seen[injection.host], faults[injection.fault])
    for host in sorted(seen.keys() - injected):
        yield of_control(number, seen[host])


def of_fault(number: int, played: Round, injection: Injection, mine: Sequence[Fault], seen: Seen, fault: Fault) -> Row:
    identity, lines = of_class(seen.entries, fault.incident)
    first, ended = (next((line for line in lines if line["what"] == "seen"), None), last(lines, "verdict", "closed"))
    causes = first["data"].get("causes") or [] if first else []
    cause = causes[0].get("cause", "unknown") if causes else "unknown" if first else ""
    end = ended["data"].get("verdict", ended["what"]) if ended else ""
    pages = sum(line["what"] == "paged" and bool(line["data"].get("sent")) for line in lines)
    wrong = harmful(mine, rungs(seen.later))
    cured = injection.cured_after is not None
    lost = dict(_lost(fault, identity, cause, end, pages, wrong, seen, cured=cured))
    settled = ended if ended and end in ENDS[fault.expect] else None
    worth = OF_A_CURE if cured else OF_A_FAULT
    return Row(
        number, injection.host, injection.fault, played.kind, identity, cause, end,
        seconds(lines[0]["at"]) - seen.began if lines else None,
        seconds(settled["at"]) - seen.began if settled else None,
        tuple(rungs({identity: lines})), tuple(wrong), pages,
        len(worth) - len(lost), len(worth), lost,
    )  # fmt: skip


def _lost(fault, identity, cause, end, pages, wrong, seen, *, cured: bool) -> Iterator[tuple[str, str]]:
    """Points that a fault lost, with what to look at."""
    record = f"its record is {identity}" if identity else "there is no record"
    if wrong:
        yield ("harm", f"{', '.join(wrong)} was done for {fault.cause}: roles/{fault.incident}/tasks/; {record}")
    broken = _broken(fault, seen, cured=cured)
    if broken:
        yield "over", f"{broken}; {record}"
    if cured:
        return
    if not identity:
        yield (
            "alert",
            "no run took it up: the rule in roles/alerting, the alert in Prometheus, the log of the rulebook",
        )
    if cause != fault.cause:
        yield ("cause", f"{cause or 'nothing'} was found, {fault.cause} it was: look/_triage.py; {record}")
    if end not in ENDS[fault.expect]:
        yield (
            "end",
            f"it ended {end or 'nowhere'}, not {' or '.join(ENDS[fault.expect])}: roles/{fault.incident}; {record}",
        )
    due = 0 if fault.expect == "recovered" else 1
    if pages != due:
        yield ("pages", f"{pages} pages were sent for it, {due} should be: plugin_utils/_escalation.py; {record}")


def _broken(fault: Fault, seen: Seen, *, cured: bool) -> str:
    """What stayed broken, "" for nothing."""
    if not cured and fault.expect == "recovered" and seen.still.get(fault.name) is not False:
        known = fault.name in seen.still and seen.still[fault.name] is not None
        return f"{fault.shows.text} after the cure" if known else "nobody could see whether it was cured"
    if seen.open:
        return f"incidents stayed open with nothing wrong: {', '.join(seen.open)}"
    return seen.left


def of_control(number: int, seen: Seen) -> Row:
    done = list(rungs(seen.later))
    wrong = harmful([], done)
    pages = len(seen.pages)
    lost = {}
    if wrong:
        lost["harm"] = f"{', '.join(wrong)} was done where nothing was wrong: {', '.join(sorted(seen.later))}"
    if pages:
        lost["pages"] = f"somebody was paged for a host that was well: {'; '.join(seen.pages)}"
    if seen.touched:
        lost["untouched"] = "services, limits, knobs or settings are others than before"
    worth = OF_A_CONTROL
    return Row(
        number, seen.host, "", "no fault", "", "", "", None, None, tuple(done), tuple(wrong), pages,
        len(worth) - len(lost), len(worth), lost,
    )  # fmt: skip


def is_failed(found: Iterable[Row]) -> bool:
    """Whether something was harmed, touched without a fault, or stayed broken: a game day that nobody may pass over."""
    return any(row.harmful or row.broken or "untouched" in row.lost for row in found)


HEAD = ("round", "host", "fault", "found", "ended", "taken up", "settled", "done", "harm", "pages", "points", "before")


def table(found: Sequence[Row], before: Sequence[Mapping]) -> list[str]:
    """The rows as lines of text, with what the last run of the same seed had, and sums."""
    known = {(row["round"], row["host"], row["fault"]): row for row in before}
    cells = [HEAD, *(_cells(row, known.get(row.key)) for row in found)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)
    return [*(line.rstrip() for line in lines), "", *_sums(found, before)]


def _cells(row: Row, before: Mapping | None) -> tuple[str, ...]:
    shown = f"{row.fault}{'' if row.kind == 'one' else f' ({row.kind})'}" if row.fault else "none"
    return (
        str(row.round), row.host, shown, row.cause or "–", row.end or "–", _time(row.answered), _time(row.settled),
        ", ".join(row.actions) or "–", ", ".join(row.harmful) or "0", str(row.pages), f"{row.points}/{row.of}",
        f"{before['points']}/{before['of']} {_time(before['settled'])}" if before else "–",
    )  # fmt: skip


def _time(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} s"


def _sums(found: Sequence[Row], before: Sequence[Mapping]) -> Iterator[str]:
    points, of = sum(row.points for row in found), sum(row.of for row in found)
    was = f"; the run before had {sum(r['points'] for r in before)} of {sum(r['of'] for r in before)}" if before else ""
    yield f"{points} of {of} points{was}"
    real = [row for row in found if row.of == len(OF_A_FAULT)]
    right = sum("cause" not in row.lost for row in real)
    times = sorted(row.settled for row in real if row.settled is not None)
    if real:
        yield f"cause found: {right} of {len(real)}"
    if times:
        yield f"seconds from fault to cure or page: median {times[len(times) // 2]:.0f}, worst {times[-1]:.0f}"
    yield f"harmful actions: {len({(row.round, row.host, rung) for row in found for rung in row.harmful})} (0 allowed)"
    yield f"stayed broken: {', '.join(f'{row.fault} on {row.host}' for row in found if row.broken) or 'nothing'}"


def to_mend(found: Iterable[Row]) -> list[str]:
    """A line for each lost point."""
    return [
        f"round {row.round}, {row.host}, {row.fault or 'no fault'}: lost “{point}”: {why}"
        for row in found
        for point, why in row.lost.items()
    ]
