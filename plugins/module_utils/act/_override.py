# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning an override of a unit's environment and limits, without touching anything. Private to aurora.runbook.

The values are in a file of ours that a drop-in of ours names last, because ``Environment=`` in a drop-in would lose to
every ``EnvironmentFile=`` of the unit. Limits are in the drop-in itself. An override is one mapping of variables and
limits, whose names differ.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.aurora.runbook.plugins.module_utils.act import _limits, _restart
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _knobs, _messages
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import ConflictError, RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease

ENVIRONMENT_DIRECTORY = "/etc/aurora-runbook"
UNIT_DIRECTORY = "/etc/systemd/system"
SHELLS = {"sh", "bash", "dash", "ash", "ksh", "zsh"}
# What may precede a variable that a command line sets in any case: wrappers, their options, other variables.
WRAPPING = r"(?:(?:\S*/)?(?:env|sh|bash|dash|exec|export)|-\S+|\w+=[^\s;]*)"
HEADER = "# Written by aurora.runbook (service_override); revert.yml takes it back.\n"


@dataclass(frozen=True)
class Paths:
    """The two files of an override."""

    environment: str
    drop_in: str


@dataclass(frozen=True)
class Current:
    """What is on the host: the unit, our lease and files, its processes' environments and commands by pid, and their
    memory.
    """

    unit: _systemd.Unit
    lease: _lease.Lease | None
    environment_text: str | None
    drop_in_text: str | None
    processes: Mapping[int, Mapping[str, str]]
    memory: int = 0
    commands: Mapping[int, Sequence[str]] = field(default_factory=dict)

    @property
    def trades(self) -> bool:
        """Whether this is the trading loop, whose open breaker lives in its memory."""
        return _restart.trades(self.unit, self.processes.values(), ())

    def running(self, name: str) -> str | None:
        if name in _limits.NAMES:
            return _limits.present(self.unit, name)
        return self.processes.get(self.unit.pid, {}).get(name)


@dataclass(frozen=True)
class Step:
    """One variable or limit: its running value, its new value (None: unset), and the effect on exposure."""

    name: str
    before: str | None
    after: str | None
    direction: str


@dataclass(frozen=True)
class Wrong:
    """A process that does not run with the wanted values; ``final`` means that waiting cannot change it."""

    text: str
    final: bool = False


@dataclass(frozen=True)
class Plan:
    """What an override will say and why it changes; ``kept`` is better already, ``unapproved`` waits for a person."""

    written: dict[str, str]
    before: dict[str, str | None]
    steps: tuple[Step, ...] = ()
    kept: tuple[Step, ...] = ()
    unapproved: tuple[Step, ...] = ()
    changed: bool = False
    restart: bool = False


def paths(unit: str) -> Paths:
    return Paths(
        f"{ENVIRONMENT_DIRECTORY}/{unit}.env",
        f"{UNIT_DIRECTORY}/{unit}.d/zzz-aurora-runbook.conf",
    )


def split(override: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The variables and the limits of an override."""
    limits = {name: value for name, value in override.items() if name in _limits.NAMES}
    return {name: value for name, value in override.items() if name not in limits}, limits


def render_environment(override: Mapping[str, str]) -> str | None:
    """The text of our environment file; None if it would be empty."""
    environment = split(override)[0]
    return HEADER + "".join(f'{n}="{v}"\n' for n, v in sorted(environment.items())) if environment else None


def render_drop_in(override: Mapping[str, str], environment_path: str) -> str | None:
    """The text of our drop-in; None if it would be empty."""
    environment, limits = split(override)
    lines = [f"EnvironmentFile=-{environment_path}\n"] if environment else []
    lines += [f"{name}={value}\n" for name, value in sorted(limits.items())]
    return "".join([HEADER, "[Service]\n", *lines]) if lines else None


def unit_gone(current: Current) -> bool:
    """Whether the unit of an existing lease was masked, removed or renamed. Nothing can be proven on it any more."""
    return current.lease is not None and current.unit["LoadState"] in ("masked", "not-found")


def check_unit(current: Current, state: str, wanted: Mapping[str, str]) -> None:
    """Raise RunbookError for a unit whose override could not be proven, or would activate somebody's pending edit.

    An override can still be removed from a unit that is gone.
    """
    unit, lease = current.unit, current.lease
    removes = state == "absent" or (state == "settled" and lease and not (lease.whole or settle(lease)[0]))
    if removes and unit_gone(current):  # a masked one with a drop-in is "edited without daemon-reload" for ever
        return
    if unit["LoadState"] != "loaded":
        raise RunbookError(f"{unit.id} is {unit['LoadState'] or 'unknown'} on this host; expected a loaded unit")
    if unit["Transient"] == "yes":
        raise RunbookError(f"{unit.id} is transient: it has no files to override; change what starts it")
    unfinished = current.lease is not None and not current.lease.whole
    if unit["NeedDaemonReload"] == "yes" and not unfinished:
        raise RunbookError(
            f"{unit.id} was edited without daemon-reload; ours would switch that edit on."
            " Look at `systemctl cat` and run `systemctl daemon-reload` yourself first"
        )
    crashing = unit.phase in (_systemd.FAILED, _systemd.RESTARTS)
    helped = crashing and not split(wanted)[0]  # more memory may help it
    if state == "present" and not unit.running and not unfinished and not helped:
        raise RunbookError(
            f"{unit.id} is {unit.state}: an override can be proven only on a running service; start it first"
        )


def check_files(current: Current, missing: bool = False) -> None:
    """Raise ConflictError if somebody edited our files, or left them without their lease.

    With ``missing``, a file that is gone counts as if we had removed it.
    """
    place, lease = paths(current.unit.id), current.lease
    said = [{}] if lease is None else lease.claimed if lease.whole else [{}, *lease.claimed]
    texts = [render_environment(e) for e in said]
    drop_ins = [render_drop_in(e, place.environment) for e in said]
    found = ((place.environment, current.environment_text, texts), (place.drop_in, current.drop_in_text, drop_ins))
    for path, text, expected in found:
        if text not in expected and not (missing and text is None):
            what = "exists here without its lease" if lease is None else "was edited" if text else "was removed"
            raise ConflictError(
                f"{path} {what} since aurora.runbook wrote it; it is left alone. To give up the override, remove"
                f" {place.environment}, {place.drop_in} and {_lease.path(current.unit.id)}, run `systemctl"
                " daemon-reload`, restart the service, and run this again"
            )


def plan_present(current: Current, wanted: Mapping[str, str], direction: str, approve: Sequence[str]) -> Plan:
    """The override with ``wanted`` added to it.

    A value that would raise exposure beyond ``direction`` or lower a limit is not changed. A value that raises exposure
    as asked needs its lower-case name in ``approve``; as long as one of them is not approved, nothing is changed at
    all.
    """
    lease = current.lease
    written = dict(lease.settled) if lease else {}
    before = {name: value for name, value in lease.before.items() if name in written} if lease else {}
    steps, kept, unapproved = [], [], []
    for name, value in sorted(wanted.items()):
        now = current.running(name)
        step = Step(name, now, value, _direction(name, now, value))
        lowered = name in _limits.NAMES and now != value and _limits.reaches(now, value)
        if lowered or (step.direction == "increases" and direction != "increases"):
            kept.append(step)
            if lease and lease.written.get(name) == now:  # the value comes from an unfinished change of ours
                written[name] = lease.written[name]
                before.setdefault(name, lease.before.get(name))
        elif step.direction == "increases" and name.lower() not in approve:
            unapproved.append(step)
        else:
            written[name] = value
            before.setdefault(name, lease.before.get(name, now) if lease else now)
            steps.append(step)
    if unapproved:
        return Plan(dict(lease.settled) if lease else {}, before, unapproved=tuple(unapproved))
    unfinished = lease is not None and not lease.whole
    left_over = [{k: v for k, v in e.items() if written.get(k) != v} for e in lease.claimed] if unfinished else []
    environment, limits = split(written)
    stale = bool(wrong(current, environment, current)) or any(_holding(current, values) for values in left_over)
    low = any(not _limits.reaches(current.running(name), value) for name, value in limits.items())
    changed = stale or low or unfinished or (lease.written if lease else {}) != written
    restart = changed and (stale or not current.unit.running)
    return Plan(written, before, tuple(steps), tuple(kept), (), changed, restart)


def plan_absent(current: Current) -> Plan:
    """Remove the whole override."""
    return Plan({}, {}) if current.lease is None else _toward(current, {})


def plan_end(current: Current, names: Collection[str]) -> Plan:
    """Remove these names from the override, and settle an unfinished change of the others."""
    written = settle(current.lease)[0]
    return _toward(current, {name: value for name, value in written.items() if name not in names})


def plan_settled(current: Current) -> Plan:
    """Finish or undo what an earlier run left unfinished; no change if there is nothing unfinished."""
    lease = current.lease
    if lease is None or lease.whole:
        return Plan(dict(lease.written) if lease else {}, {})
    plan = _toward(current, settle(lease)[0])
    ends = (_systemd.FAILED, _systemd.RESTARTS, _systemd.STARTS)
    ended_itself = current.unit.phase in ends and not unit_gone(current)
    return replace(plan, restart=plan.restart or ended_itself)


def settle(lease: _lease.Lease) -> tuple[dict[str, str], tuple[Step, ...], tuple[Step, ...]]:
    """What a lease says after its unfinished change is settled, and the steps that are finished and undone.

    A step is undone if it raises exposure compared with what the override said before.
    """
    if lease.whole:
        return dict(lease.written), (), ()
    written: dict[str, str] = {}
    finished, undone = [], []
    for name in sorted({*lease.previous, *lease.written}):
        said, asked = (entry.get(name, lease.before.get(name)) for entry in (lease.previous, lease.written))
        step = Step(name, said, asked, _direction(name, said, asked))
        kept = lease.previous if step.direction == "increases" else lease.written
        if name in kept:
            written[name] = kept[name]
        if lease.previous.get(name) != lease.written.get(name):
            (undone if kept is lease.previous else finished).append(step)
    return written, tuple(finished), tuple(undone)


def _toward(current: Current, written: dict[str, str]) -> Plan:
    """Reduce the override to ``written``, which may only hold what the lease said or was about to say.

    The service is restarted only if its processes have a value of ours that is no longer wanted, lack one that is, or
    use more memory than they may have then. If the unit is gone, nothing is restarted, and only the lease knows what it
    had.
    """
    lease, said = current.lease, {**current.lease.previous, **current.lease.written}
    steps = tuple(
        Step(name, now, after, _direction(name, now, after))
        for name, old in sorted(lease.before.items())
        for now, after in [(said.get(name) if unit_gone(current) else current.running(name), written.get(name, old))]
        if name not in written or now != after
    )
    left_over = [{name: v for name, v in entry.items() if written.get(name) != v} for entry in lease.claimed]
    holding = any(_holding(current, values) for values in left_over)
    given_back = {name: old for name, old in lease.before.items() if name not in written}
    stale = holding or _too_large(current, given_back) or bool(wrong(current, split(written)[0], current))
    restart = current.unit.running and stale and not unit_gone(current)
    return Plan(written, dict(lease.before), steps, changed=True, restart=restart)


def ends(
    current: Current,
    plan: Plan,
    seconds: int,
    approve: Sequence[str],
    watch: Mapping[str, object] | None,
    clock: _stamps.Clock,
) -> dict[str, _lease.End]:
    """When each value of an override ends: values of this call get an end after ``seconds``, the others keep theirs.

    A value that raises exposure always has an end, and gets a later one only if it is approved again. An end that was
    granted for another direction is dropped: the end of a raise would end a reduction even while the host is not
    healthy.
    """
    standing = current.lease.ends if current.lease else {}
    asked, found = {step.name for step in plan.steps}, {}
    for name, value in plan.written.items():
        direction = _direction(name, plan.before.get(name), value)
        raises = direction == "increases"
        wanted = (seconds if name in asked else 0) or (_lease.RAISED_SECONDS if raises else 0)
        renewed = name in asked and (name.lower() in approve if raises else seconds > 0)
        stands = name in standing and (name not in asked or standing[name].direction == direction)
        if stands and not renewed:
            found[name] = standing[name]
        elif wanted:
            if direction == "reduces" and not watch:
                raise RunbookError(
                    f"lease_seconds={seconds} for {name}={value} needs `recovery`: what reduces exposure ends only"
                    " while its indicator is healthy"
                )
            found[name] = _lease.end(wanted, clock, direction, watch if direction == "reduces" else None)
    return found


def worst(lease: _lease.Lease) -> str:
    """The worst effect on exposure that a lease has."""
    found = (_direction(name, lease.before.get(name), value) for name, value in lease.written.items())
    return max(found, key=_knobs.DIRECTIONS.index, default="neutral")


def keep(current: Current) -> Plan:
    """A plan without any change."""
    return Plan(dict(current.lease.settled) if current.lease else {}, {})


def bare(current: Current, plan: Plan) -> bool:
    """Whether the trading loop would be restarted without a smaller Kelly, or with a larger one than it runs with.

    Its open breaker lives in memory, so that after such a restart it would trade on as before.
    """
    trader, kelly = _restart.TRADER, plan.written.get(_restart.TRADER)
    smaller = _knobs.direction(trader, plan.before.get(trader), kelly) == "reduces"
    larger = _knobs.direction(trader, current.running(trader), kelly) == "increases"
    return plan.restart and current.unit.running and current.trades and (larger or not smaller)


def _direction(name: str, before: str | None, after: str | None) -> str:
    return "neutral" if name in _limits.NAMES else _knobs.direction(name, before, after)


def _too_large(current: Current, before: Mapping[str, str | None]) -> bool:
    """Whether the service would be killed for its memory if the earlier limit were back."""
    limit = before.get("MemoryMax")
    return limit is not None and current.memory >= _limits.amount(limit)


def _holding(current: Current, values: Mapping[str, str]) -> bool:
    """Whether a process of the service runs with one of these values."""
    return any(own.get(name) == value for own in current.processes.values() for name, value in values.items())


def check_unset(unit: _systemd.Unit, environment: Mapping[str, str]) -> None:
    """Raise RunbookError for a variable that the unit removes from every environment."""
    entries = unit["UnsetEnvironment"].split()
    unset = {name for name, value in environment.items() if name in entries or f"{name}={value}" in entries}
    if unset:
        raise RunbookError(f"{unit.id} has UnsetEnvironment={' '.join(sorted(unset))}: no override can set that")


def check_command(unit: _systemd.Unit, command: str, environment: Mapping[str, str]) -> None:
    """Raise RunbookError for a variable that the unit's own command line sets, as ``env K=1 …`` or ``sh -c 'K=1 …'``.

    ``command`` is ExecStart as systemd shows it. A value with a ``$`` in it is not known before the start.
    """
    for name, value in environment.items():
        found = re.search(rf"argv\[\]=(?:{WRAPPING}[\s;]+)*{re.escape(name)}=([^\s;&|]*)", command)
        if found and "$" not in found[1] and found[1].strip("'\"") != value:
            raise RunbookError(f"{unit.id} has {name}={found[1]} in its ExecStart: no override can set that")


def check_later(unit: _systemd.Unit, texts: Mapping[str, str], override: Mapping[str, str]) -> None:
    """Before anything is written, raise RunbookError if a drop-in that sorts after ours would override it.

    ``texts`` are those of the unit's drop-ins by path. What they do not show is found after the daemon-reload.
    """
    environment, limits = split(override)
    ours, last = os.path.basename(paths(unit.id).drop_in), {}
    for path in sorted(texts, key=os.path.basename):
        if os.path.basename(path) > ours:
            settings = re.findall(r"(?m)^[ \t]*(\w+)[ \t]*=[ \t]*(.*?)[ \t]*$", texts[path])
            last.update({name: (path, value) for name, value in settings})
    if environment and "EnvironmentFile" in last:
        path, value = last["EnvironmentFile"]
        raise RunbookError(f"{unit.id}: {path} sorts after ours and has EnvironmentFile={value}, which overrides it")
    for name in sorted(limits.keys() & last.keys()):
        path, value = last[name]
        if _limits.lower(value, limits[name]):
            beaten = f"{name} is {value} instead of {limits[name]}"
            raise RunbookError(f"{unit.id}: {beaten}: {path} sorts after ours and overrides it")


def check_last(unit: _systemd.Unit, environment: Mapping[str, str]) -> None:
    """After the daemon-reload, raise RunbookError if another setting of the unit overrides our file."""
    files, ours = _systemd.environment_files(unit), paths(unit.id).environment
    if split(environment)[0] and files[-1:] != [ours]:
        raise RunbookError(
            f"{unit.id}: {ours} is not the last of its EnvironmentFiles ({', '.join(files) or 'none'}):"
            f" a drop-in that sorts after ours overrides it, one of {unit['DropInPaths'] or 'none'}"
        )


def check_limits(unit: _systemd.Unit, limits: Mapping[str, str]) -> None:
    """After the daemon-reload, raise RunbookError if a limit is less than ours."""
    if objection := _limits.objection(unit, limits):
        raise RunbookError(f"{unit.id}: {objection}")


def changes(steps: Sequence[Step]) -> str:
    """Steps in a sentence of any language."""
    return ", ".join(f"{step.name} {step.before or '–'} → {step.after or '–'}" for step in steps)


def told_gone(current: Current, plan: Plan, would: bool = False) -> list[dict]:
    """What to report when a unit that is gone loses its override."""
    if not (unit_gone(current) and plan.changed):
        return []
    values = {"unit": current.unit.id, "state": current.unit["LoadState"], "changes": changes(plan.steps) or "–"}
    return [_messages.sentence("gone_would_be_removed" if would else "gone_removed", **values)]


def diff(
    plan: Plan, before: Mapping[str, _lease.End] | None = None, renewed: Mapping[str, _lease.End] | None = None
) -> dict[str, str]:
    """The change as Ansible shows it with --diff: the values, and the ends of those that are ``renewed``."""
    moved = {name: end for name, end in (renewed or {}).items() if end != (before or {}).get(name)}

    def lines(values: list[tuple[str, str | None]]) -> str:
        return "".join(f"{name}={'(unset)' if value is None else value}\n" for name, value in values)

    return {
        "before": lines([(step.name, step.before) for step in plan.steps]) + _until(moved, before or {}),
        "after": lines([(step.name, step.after) for step in plan.steps]) + _until(moved, moved),
    }


def _until(names: Collection[str], ends: Mapping[str, _lease.End]) -> str:
    return "".join(f"{name} until {ends[name].until if name in ends else '-'}\n" for name in sorted(names))


def wrong(
    now: Current,
    environment: Mapping[str, str],
    before: Current | None = None,
    gone: Collection[tuple[str, str]] = (),
) -> list[Wrong]:
    """The processes of a service that do not run with the values of an override, or still have those in ``gone``.

    A process beside the main one that never had a variable does not need it, see ``apart``. ``before`` is what ran
    before a restart.
    """
    if environment and not now.processes:
        return [Wrong("no process of the service could be read")]
    names = ", ".join(f"{name}={value}" for name, value in sorted(environment.items()))
    exempt = apart(now, environment, before)
    lacking = [
        one for one in _lacking(now.processes, environment) if one[2] in one[1] or one[2] not in exempt.get(one[0], ())
    ]
    held = [
        (pid, own, name, "what was there before")
        for pid, own in now.processes.items()
        for name, value in gone
        if own.get(name) == value
    ]
    found = [Wrong(_lacks(*one), _final(now.unit, one[1], one[2])) for one in [*lacking, *held]]
    proven = any(all(own.get(name) == value for name, value in environment.items()) for own in now.processes.values())
    return found or ([] if proven or not environment else [Wrong(f"no process of the service runs with {names}")])


def apart(now: Current, names: Collection[str], before: Current | None = None) -> dict[int, set[str]]:
    """The variables, by pid, that a process beside the main one does not need because it never had them.

    Either its environment is not the unit's at all (``env -i``), or the process with the same command line lacked the
    variable before although the main one had it. If the main process is a shell that waits for a child, one of the
    children must have the variables, because that one does the work.
    """
    main, others = now.unit.pid, {pid: own for pid, own in now.processes.items() if pid != now.unit.pid}
    command = now.commands.get(main) or ("",)
    waits = os.path.basename(command[0].lstrip("-")) in SHELLS
    if waits and not any(all(name in own for name in names) for own in others.values()):
        return {}
    return {
        pid: {
            name
            for name in names
            if "INVOCATION_ID" not in own or (before and _lacked(before, name, now.commands.get(pid)))
        }
        for pid, own in others.items()
    }


def _lacked(before: Current, name: str, command: Sequence[str] | None) -> bool:
    """Whether every process with this command line lacked a variable that the main one had."""
    alike = [own for pid, own in before.processes.items() if before.commands.get(pid) == command]
    had = name in before.processes.get(before.unit.pid, {})
    return bool(command and alike) and had and all(name not in own for own in alike)


def _lacking(
    processes: Mapping[int, Mapping[str, str]], environment: Mapping[str, str]
) -> Iterator[tuple[int, Mapping[str, str], str, str]]:
    for pid, own in processes.items():
        for name, value in environment.items():
            if own.get(name) != value:
                yield pid, own, name, value


def _lacks(pid: int, own: Mapping[str, str], name: str, value: str) -> str:
    return f"process {pid} runs with {name}={own.get(name, '(unset)')} instead of {value}"


def _final(unit: _systemd.Unit, own: Mapping[str, str], name: str) -> bool:
    """Whether a process that this start of the unit created will keep this environment.

    A process that systemd is about to start has no INVOCATION_ID yet, and one that an earlier start left has another
    one.
    """
    invocation = own.get("INVOCATION_ID")
    return invocation == unit["InvocationID"] if invocation else name in own


def after_failure(now: Current, lease: _lease.Lease, closed: bool) -> dict[str, str]:
    """What an override says after a change that could not be proven, if the service runs all the same.

    That is what it said before, unless this would raise exposure compared with what runs now. If the trading loop's
    breaker was not known to be closed (``closed``), a value that reduces exposure and runs already stays, and a raise
    that is gone already never comes back.
    """
    written: dict[str, str] = {}
    for name in sorted({*lease.previous, *lease.written}):
        said, asked = (entry.get(name, lease.before.get(name)) for entry in (lease.previous, lease.written))
        raised = _direction(name, lease.before.get(name), said) == "increases"
        stays = now.running(name) == asked and _direction(name, said, asked) != "increases" and (raised or not closed)
        source = lease.written if stays else lease.previous
        if name in source:
            written[name] = source[name]
    return written


def gone(lease: _lease.Lease, written: Mapping[str, str]) -> set[tuple[str, str]]:
    """Values of an unfinished change that no process may have any more once the override says ``written``."""
    return {
        (name, value)
        for entry in lease.claimed
        for name, value in split(entry)[0].items()
        if value not in (written.get(name), lease.before.get(name))
    }
