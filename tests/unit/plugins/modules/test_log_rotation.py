# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a rotation restarts a feed though too few others serve, or is held back for nothing."""

from __future__ import annotations

import contextlib

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils import _conduct, _files, _rotation
from ansible_collections.aurora.runbook.plugins.modules import log_rotation

FEED = "aurora-live-feed.service"


@pytest.mark.parametrize(("enough", "may"), [(True, {FEED}), (False, set())])
def test_too_few_healthy_hosts_take_the_restart_away_and_not_the_rotation(enough, may, monkeypatch):
    """Else the feed is restarted though no other serves, or a full disk is not freed where all are full."""
    seen = []

    def observe(_directory, _uid, writers):
        seen.append(writers.restart)
        return _rotation.Current((), (), (), _rotation.Space(1, 1, 1), ())

    for module, name, stand_in in (
        (log_rotation, "service_uid", lambda _user: 1),
        (log_rotation, "writers_of", lambda _params: log_rotation.Writers((), frozenset({FEED}))),
        (log_rotation, "way", lambda *_arguments: log_rotation.Way([])),
        (log_rotation, "observe", observe),
        (log_rotation, "sentences", lambda *_arguments: []),
        (_rotation, "plan", lambda *_arguments: _rotation.Plan((), (), (), None)),
        (_rotation, "space", lambda _directory: _rotation.Space(1, 1, 1)),
        (_files, "owned_directory", lambda *_arguments: contextlib.nullcontext(0)),
        (_conduct.Conduct, "may_restart", lambda _conduct: enough),
    ):
        monkeypatch.setattr(module, name, stand_in)
    params = {name: spec[0] for name, spec in log_rotation.RANGES.items()}
    params |= {"directory": "/logs", "user": "aurora", "method": "script", "recovery": None}
    assert not log_rotation.run(params, _conduct.Conduct("log_rotation", None, False))["changed"]
    assert seen == [may]
