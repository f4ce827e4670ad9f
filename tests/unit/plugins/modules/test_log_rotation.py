# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a rotation restarts a feed though too few others serve, or is held back for nothing."""

from __future__ import annotations

import contextlib

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils import _conduct, _files, _messages, _rotation, _systemd
from ansible_collections.aurora.runbook.plugins.modules import log_rotation

FEED = "aurora-live-feed.service"
RUNNER = "aurora-runner.service"
LOG = _rotation.File("trades.jsonl", "trades.jsonl", (1, 1), 100, 4096, 1.0)
OLD = _rotation.File("trades.jsonl.1", "trades.jsonl", (1, 2), 100, 4096, 1.0)
ROTATE = _rotation.Plan((), (LOG,), (), None)
FREE = _rotation.Plan((OLD,), (), (), None)


def holder(unit, file=LOG, writes=True):
    return _rotation.Holder(7, unit, "python3", file.key, writes)


BEHIND = _rotation.Plan((), (), (holder(FEED, OLD),), None)


@pytest.mark.parametrize(
    ("planned", "held", "reloads", "expected"),
    [
        (ROTATE, holder(FEED), "no", True),
        (ROTATE, holder(FEED), "yes", False),
        (ROTATE, holder(FEED, writes=False), "no", False),
        (ROTATE, holder(RUNNER), "no", False),  # nobody allowed it to be restarted
        (FREE, holder(FEED), "no", False),
        (BEHIND, holder(FEED, OLD), "no", True),
        (BEHIND, holder(FEED, OLD), "yes", False),
    ],
)
def test_it_is_known_beforehand_whether_a_writer_may_have_to_be_restarted(planned, held, reloads, expected):
    units = tuple(_systemd.Unit(name, {"Id": name, "CanReload": reloads}) for name in (FEED, RUNNER))
    writers = log_rotation.Writers(units, frozenset({FEED}))
    now = _rotation.Current((LOG,), (OLD,), (), _rotation.Space(1, 1, 1), (held,))
    assert log_rotation.restarts(now, planned, writers) is expected


@pytest.mark.parametrize("restarts", [True, False])
def test_the_guards_are_asked_about_the_restart(restarts, monkeypatch):
    """Else aurora_min_healthy is never asked on this way to a restart of the feed."""
    now = _rotation.Current((LOG,), (), (), _rotation.Space(1, 1, 1), ())
    for module, name, stand_in in (
        (log_rotation, "service_uid", lambda _user: 1),
        (log_rotation, "writers_of", lambda _params: log_rotation.Writers((), frozenset())),
        (log_rotation, "rotation_command", lambda *_arguments: []),
        (log_rotation, "observe", lambda *_arguments: now),
        (log_rotation, "restarts", lambda *_arguments: restarts),
        (_rotation, "plan", lambda *_arguments: ROTATE),
        (_rotation, "space", lambda _directory: now.space),
        (_files, "owned_directory", lambda *_arguments: contextlib.nullcontext(0)),
    ):
        monkeypatch.setattr(module, name, stand_in)
    asked = []

    class Asked(_conduct.Conduct):
        def begin(self, target, change, restart=False, **_more):
            asked.append((target, restart))
            return _messages.sentence("closed_by_run")

    params = {name: spec[0] for name, spec in log_rotation.RANGES.items()}
    params |= {"directory": "/logs", "user": "aurora", "method": "script", "recovery": None}
    assert log_rotation.run(params, Asked("log_rotation", None, False))["verdict"] == "refused"
    assert asked == [("/logs", restarts)]
