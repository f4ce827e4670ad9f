# SPDX-License-Identifier: GPL-3.0-or-later
"""Making an override true, proving it, and giving it back: what the module and the host itself do. Private."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict

from ansible_collections.aurora.runbook.plugins.module_utils import (
    _files,
    _lease,
    _override,
    _service,
    _systemd,
)
from ansible_collections.aurora.runbook.plugins.module_utils._errors import ConflictError, RunbookError


def observe(name: str) -> _override.Current:
    """A unit by its own name or an alias, with our lease and files."""
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
    )


def lost(lease: _lease.Lease) -> str:
    """The file of ours that is not there although the lease says it is; "" for none."""
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
    """Make the plan true and prove it, or give back what was there and raise RunbookError.

    Returns the lease and whether the service was restarted.
    """
    unit, folder = current.unit.id, os.path.dirname(_override.paths(current.unit.id).drop_in)
    made = [] if os.path.isdir(folder) else [folder]
    kind, proof = _lease.SERVICE_OVERRIDE, asdict(healthy)
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
        install_and_prove(working, planned.written, healthy if planned.restart else None)
        if steady and not planned.restart and _override.split(planned.written)[1]:
            steady = _service.goes_on(current.unit, healthy.hold)
            if not steady:  # it was seen between two crashes
                install_and_prove(working, planned.written, healthy)
    except RunbookError as error:
        raise RunbookError(f"{error}\n{give_back(current, working, healthy if steady else None)}") from error
    return working, planned.restart or (current.unit.running and not steady)


def install_and_prove(
    lease: _lease.Lease,
    override: Mapping[str, str],
    healthy: _service.Healthy | None,
    expected: Mapping[str, str] | None = None,
) -> None:
    """Write an override (an empty one: remove it), load it, and restart and prove it if ``healthy`` is given."""
    environment, limits = _override.split(override)
    install(lease, override)
    _service.systemctl("daemon-reload")
    unit = _service.observe(lease.name)
    _override.check_last(unit, environment)
    _override.check_limits(unit, limits)
    if healthy:
        _service.restart(unit, expected or environment, healthy)
        if limits:
            _override.check_limits(_service.observe(lease.name), limits)


def install(lease: _lease.Lease, override: Mapping[str, str]) -> None:
    """Write the two files, or remove in reverse what is not needed, with the directories that were made for them."""
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


def as_before(lease: _lease.Lease) -> dict[str, str]:
    """What the processes must run with once ``lease.previous`` is what the override says again."""
    before = {name: value for name, value in lease.before.items() if value is not None}
    return _override.split({**before, **lease.previous})[0]


def give_back(current: _override.Current, working: _lease.Lease, healthy: _service.Healthy | None) -> str:
    """Put back what the override said before; returns a sentence on how that went.

    ``healthy`` is None for a service that did not run before: it is not proven to run again.
    """
    unit = _service.observe(current.unit.id)
    disturbed = unit["InvocationID"] != current.unit["InvocationID"] or not unit.running
    try:
        install_and_prove(working, working.previous, healthy if disturbed else None, as_before(working))
        _lease.close(working, working.previous)
    except RunbookError as error:
        return f"Giving back what was there FAILED, look at {current.unit.id} on the host now: {error}"
    if disturbed and not healthy:
        return "What was there before is back; the service did not run before either."
    return "What was there before is back and the service runs as before." if disturbed else "Nothing was changed."


def take_back(working: _lease.Lease, healthy: _service.Healthy) -> dict[str, str]:
    """Undo a raise that did not help; returns what the override says then."""
    try:
        install_and_prove(working, working.previous, healthy, as_before(working))
    except RunbookError as error:
        raise RunbookError(f"{working.written} did not help, and taking it back FAILED: {error}") from error
    return working.previous
