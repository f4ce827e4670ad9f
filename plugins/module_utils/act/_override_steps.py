# SPDX-License-Identifier: GPL-3.0-or-later
"""Applying an override, proving it and giving it back, for the module and for the host itself. Private."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict
from urllib.parse import urlsplit

from ansible_collections.aurora.runbook.plugins.module_utils.act import _override, _restart, _service
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _messages, _metrics
from ansible_collections.aurora.runbook.plugins.module_utils.base import _files, _health, _http, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import (
    ConflictError,
    FailedError,
    RunbookError,
)
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease


def observe(name: str) -> _override.Current:
    """A unit, found by its own name or an alias, with our lease and files."""
    asked = _systemd.check_name(name)
    unit = _service.observe(asked)
    if unit.id != asked and _lease.load(asked) and not _lease.load(unit.id):
        raise ConflictError(f"{asked} has an override of ours and is {unit.id} now: give it its name back first")
    place = _override.paths(unit.id)
    _files.check_private(os.path.dirname(place.environment))
    return _override.Current(
        unit,
        _lease.load(unit.id),
        _files.read(place.environment),
        _files.read(place.drop_in),
        _service.environments(unit),
        _systemd.anonymous_memory(unit["ControlGroup"]),
        _service.commands(unit),
    )


def drop_ins(unit: _systemd.Unit) -> dict[str, str]:
    """The texts of those of a unit's drop-ins that can be read, by path."""
    found = {}
    for path in unit["DropInPaths"].split():
        with contextlib.suppress(RunbookError):
            found[path] = _files.read(os.path.realpath(path)) or ""
    return found


def breaker(url: str) -> float | None:
    """The breaker's state as a metrics page shows it, None if it is unknown.

    Every page may carry it, with 0 if the service has no breaker. So CLOSED counts only if it comes from a trading
    loop.
    """
    try:
        state = _indicators.known(_metrics.parse(_http.fetch_metrics(url, 3.0)).highest("circuit_breaker_state")).value
    except RunbookError:
        return None
    return None if state == _indicators.CLOSED and _of_another(url) else state


def _of_another(url: str) -> bool:
    """Whether a service that does not trade answers there. False if it cannot be seen who answers."""
    target = urlsplit(url)
    pids = _systemd.listeners(target.port or (443 if target.scheme == "https" else 80))
    return bool(pids) and not any(_restart.TRADER in (_systemd.environment(pid) or {}) for pid in pids)


def lost(lease: _lease.Lease) -> str:
    """The file of ours that is missing although the lease names it; "" if none is."""
    if lease.kind != _lease.SERVICE_OVERRIDE or not lease.whole:
        return ""
    place = _override.paths(lease.name)
    said = {
        place.environment: _override.render_environment(lease.written),
        place.drop_in: _override.render_drop_in(lease.written, place.environment),
    }
    return next((path for path, text in said.items() if text and not os.path.lexists(path)), "")


def apply(
    current: _override.Current,
    planned: _override.Plan,
    healthy: _service.Healthy,
    ends: Mapping[str, _lease.End] | None = None,
    incident: str = "",
) -> tuple[_lease.Lease, bool]:
    """Apply the plan and prove it, or go back as far as is safe and raise FailedError.

    Returns the lease and whether the service was restarted.
    """
    unit, folder = current.unit.id, os.path.dirname(_override.paths(current.unit.id).drop_in)
    made = [] if os.path.isdir(folder) else [folder]
    kind, proof = _lease.SERVICE_OVERRIDE, asdict(healthy)
    was = breaker(healthy.url) if current.trades and healthy.url else None
    working = _lease.begin(
        current.lease,
        kind,
        unit,
        planned.written,
        planned.before,
        made,
        incident=incident,
        ends=ends,
        health=proof,
    )
    if _override.unit_gone(current):  # there is nothing to prove
        install(working, planned.written)
        _service.systemctl("daemon-reload")
        return working, False
    steady = current.unit.running
    try:
        install_and_prove(working, planned.written, healthy if planned.restart else None, current)
        if steady and not planned.restart and _override.split(planned.written)[1]:
            steady = _service.goes_on(current.unit, healthy.hold)
            if not steady:  # the service was seen between two crashes
                install_and_prove(working, planned.written, healthy, current)
    except RunbookError as error:
        alive = getattr(error, "alive", True)
        back, written = give_back(current, working, healthy if steady else None, alive, was == _indicators.CLOSED)
        left = {"unit": unit, "changed": written != working.previous}
        if written is not None:
            until = _lease.earliest(_lease.standing_ends(working, written))
            left = {**left, "overridden": written, "until": until}
        said = stands(current, concerned(working), healthy.url, was)
        raise FailedError(f"{error}\n{back}", said, left) from error
    return working, planned.restart or (current.unit.running and not steady)


def install_and_prove(
    lease: _lease.Lease,
    override: Mapping[str, str],
    healthy: _service.Healthy | None,
    before: _override.Current | None = None,
    gone: Collection[tuple[str, str]] = (),
) -> None:
    """Write an override (or remove it if it is empty), load it, and if ``healthy`` is given restart and prove it.

    ``before`` is what ran before, ``gone`` are values that no process may have any more.
    """
    environment, limits = _override.split(override)
    install(lease, override)
    _service.systemctl("daemon-reload")
    unit = _service.observe(lease.name)
    _override.check_last(unit, environment)
    _override.check_limits(unit, limits)
    if healthy:
        _service.restart(unit, environment, healthy, before, gone)
        if limits:
            _override.check_limits(_service.observe(lease.name), limits)


def install(lease: _lease.Lease, override: Mapping[str, str]) -> None:
    """Write the two files, or remove in reverse order what is not needed, with the directories made for them."""
    place = _override.paths(lease.name)
    environment, drop_in = _override.render_environment(override), _override.render_drop_in(override, place.environment)
    for path, text in ((place.environment, environment), (place.drop_in, drop_in)):
        if text:
            _files.make_directory(os.path.dirname(path), 0o755)
            _files.write(path, text, 0o644)
    for path, text in ((place.drop_in, drop_in), (place.environment, environment)):
        if not text:
            _files.remove(path)
    if not override:
        for directory in (_override.ENVIRONMENT_DIRECTORY, *lease.made):
            _files.remove_empty_directory(directory)


def give_back(
    current: _override.Current,
    working: _lease.Lease,
    healthy: _service.Healthy | None,
    alive: bool = True,
    closed: bool = True,
) -> tuple[str, dict[str, str] | None]:
    """Go back to what the override said before, as far as is safe.

    Returns a sentence on how that went, and what the override says then, or None if that failed too. ``healthy`` is
    None for a service that did not run before, which is not proven to run again. ``alive`` says that the service
    neither failed nor crashed with the change, ``closed`` that its breaker was closed before it. A service that runs as
    before, or with a smaller exposure that must not grow now, is not restarted again.
    """
    closed = closed or not current.trades
    try:
        now = observe(working.name)
        disturbed = now.unit["InvocationID"] != current.unit["InvocationID"] or not now.unit.running
        if not disturbed:
            install_and_prove(working, working.previous, None)
            _lease.close(working, working.previous)
            return "Nothing was changed.", working.previous
        if alive and not now.unit.running and (left := _leave(current, working, now, closed)):
            return left
        written = working.previous
        if alive and now.unit.running:
            written = _override.after_failure(now, working, closed)
        elif alive and not closed:  # the service is starting: reductions stay, raises go
            written = _override.settle(working)[0]
        gone = _override.gone(working, written)
        holds = alive and now.unit.running and not _override.wrong(now, _override.split(written)[0], current, gone)
        install_and_prove(working, written, None if holds else healthy, current, gone)
        _lease.close(working, written)
    except RunbookError as error:
        return f"Giving back what was there FAILED; look at {current.unit.id} on the host now: {error}", None
    return _went(working, written, holds, healthy is not None), written


def _went(working: _lease.Lease, written: Mapping[str, str], holds: bool, ran: bool) -> str:
    if written != working.previous:
        what = "It was not restarted again" if holds else "What raised exposure is taken back"
        stays = ", ".join(f"{name}={value}" for name, value in sorted(written.items())) or "what was there at first"
        return f"{what}; {stays} stays, since giving it back would restart the trading loop at a higher exposure."
    if holds:
        return "What was there before is back, without another restart: the service runs as before."
    if not ran:
        return "What was there before is back; the service did not run before either."
    return "What was there before is back and the service runs as before."


def _leave(
    current: _override.Current, working: _lease.Lease, now: _override.Current, closed: bool
) -> tuple[str, dict[str, str]] | None:
    """Leave a service alone that is still stopping or starting, with files that raise nothing; None if it is not."""
    begun = now.unit["InvocationID"] != current.unit["InvocationID"]
    written = working.previous if closed else _override.settle(working)[0]
    if not _health.on_its_way(now.unit, begun) or (begun and written != working.written):
        return None
    install_and_prove(working, written, None)
    if written == working.previous:
        _lease.close(working, written)
    said = ", ".join(f"{name}={value}" for name, value in sorted(written.items())) or "what was there at first"
    text = f"It is {now.unit.state} and was left alone: it comes up with {said}. Look at it, then run this again."
    return text, written


def take_back(working: _lease.Lease, healthy: _service.Healthy) -> dict[str, str]:
    """Undo a raise that did not help; returns what the override says then. Reductions applied with it stay."""
    written = _override.settle(working)[0]
    before = observe(working.name)
    try:
        install_and_prove(working, written, healthy, before, _override.gone(working, written))
    except RunbookError as error:
        said = stands(before, concerned(working), healthy.url, None)
        left = {"unit": working.name, "changed": True, "overridden": working.written, "until": working.until}
        raise FailedError(f"{working.written} did not help, and taking it back FAILED: {error}", said, left) from error
    return written


def concerned(lease: _lease.Lease) -> set[str]:
    """Every variable and limit that a change is about."""
    return {*lease.before, *lease.previous, *lease.written}


def stands(current: _override.Current, names: Collection[str], url: str, was: float | None) -> list[dict]:
    """Sentences on what runs after a failure: the state, each value of the override, and the breaker, read again.

    ``was`` is the breaker's state before the failure, None if it was unknown.
    """
    try:
        now = observe(current.unit.id)
    except RunbookError as error:
        return [_messages.sentence("stands_unread", unit=current.unit.id, problem=str(error))]
    runs = ", ".join(f"{name}={now.running(name) or '–'}" for name in sorted(names)) or "–"
    said = [_messages.sentence("stands_now", unit=now.unit.id, state=now.unit.state, values=runs)]
    if not (current.trades or now.trades):
        return said
    state, before = _breaker_again(now, url), "?" if was is None else _messages.number(was)
    key = "breaker_now_unread" if state is None else "breaker_now"
    values = {"unit": now.unit.id, "state": "?" if state is None else _messages.number(state), "was": before}
    said.append(_messages.sentence(key, **values))
    if was not in (None, _indicators.CLOSED) and now.unit["InvocationID"] != current.unit["InvocationID"]:
        said.append(_messages.sentence("breaker_was_open", unit=now.unit.id, was=before))
    return said


def _breaker_again(now: _override.Current, url: str, seconds: float = 10.0) -> float | None:
    """The breaker's state, once the page of a service that was just started answers."""
    deadline = time.monotonic() + (seconds if now.unit.running else 0.0)
    while url and (state := breaker(url)) is None and time.monotonic() < deadline:
        time.sleep(0.25)
    return state if url else None
