# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of an action whose module was killed before it could say. Private to aurora.runbook.

It is called while only this run changes the host, so that nobody else is still working on the action.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping

from ansible_collections.aurora.runbook.plugins.module_utils.act import _restart
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages
from ansible_collections.aurora.runbook.plugins.module_utils.aurora._verdicts import FINISHED, UNDONE, UNKNOWN
from ansible_collections.aurora.runbook.plugins.module_utils.base import _command, _files, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease, _record


def settle_all(
    records: Iterable[_record.Record], run: str, by: str, state: str = _record.STATE_DIRECTORY
) -> list[dict]:
    """Record the outcome of each intent without a result; returns a sentence for each.

    An intent that its own module first has to finish or undo stays as it is until then. If a record cannot be written,
    that is reported, the other records are still handled, and the next run tries again.
    """
    said = []
    for identity, intent, outcome, sentence in _settled(records):
        data = {"intent": intent.seq, "outcome": outcome, "changed": outcome == FINISHED, "sentences": [sentence]}
        said.append(sentence)
        try:
            _record.append(identity, "result", data, run, by, state)
        except RunbookError as error:
            said.append(_messages.sentence("left_not_on_record", problem=str(error)))
    return said


def would_settle(records: Iterable[_record.Record]) -> list[dict]:
    """The sentences of settle_all(), without recording anything."""
    return [sentence for _identity, _intent, _outcome, sentence in _settled(records)]


def _settled(records: Iterable[_record.Record]) -> Iterator[tuple[str, _record.Entry, str, dict]]:
    """Each intent without a result whose outcome is decided (even as unknown), with its record's id and a sentence."""
    for record in records:
        for intent in record.unfinished:
            outcome = outcome_of(intent)
            if outcome is not None:
                yield record.id, intent, outcome, _messages.sentence(f"left_{outcome}", **_named(intent))


def unknown(said: Iterable[Mapping]) -> bool:
    """Whether nobody knows how far some action came, or no guard can count it."""
    return any(sentence["message"] in (f"left_{UNKNOWN}", "left_not_on_record") for sentence in said)


def still_open(records: Iterable[_record.Record]) -> list[dict]:
    """A sentence for each action that its own module has to judge first. Half-done leases are reported elsewhere."""
    left = (intent for record in records for intent in record.unfinished if outcome_of(intent) is None)
    judged = (intent for intent in left if _JUDGES.get(str(intent.data.get("action"))) is not _of_lease)
    return [_messages.sentence("left_open", **_named(intent)) for intent in judged]


def _named(intent: _record.Entry) -> dict:
    return {
        "action": str(intent.data.get("action")),
        "target": str(intent.data.get("target")),
        "changes": _messages.changes(intent.data.get("change", ())) or "–",
        "at": intent.at,
        "by": intent.by,
    }


def outcome_of(intent: _record.Entry) -> str | None:
    """``finished``, ``undone`` (never begun, or put back) or ``unknown``; None if it still has to be settled."""
    judge = _JUDGES.get(str(intent.data.get("action")))
    try:
        return judge(intent.data) if judge else UNKNOWN
    except (RunbookError, AttributeError, KeyError, TypeError, ValueError):
        return UNKNOWN


def _of_lease(intent: Mapping) -> str | None:
    target = intent["target"]
    lease = _lease.load(target if target != "host" else _lease.TCP_TUNING)
    if lease and not (lease.whole or lease.gone):
        return None
    stands = lease.written if lease and not lease.gone else {}
    # An earlier version did not record what is leased.
    wanted = {step["name"]: step["after"] if step.get("leased", True) else None for step in intent["change"]}
    return FINISHED if all(stands.get(name) == value for name, value in wanted.items()) else UNDONE


def _of_restart(intent: Mapping) -> str:
    before = _restart.ended(intent)
    unit = _systemd.show(_command.run, [intent["target"]])[0]
    if unit["InvocationID"] == before:
        return UNDONE
    return FINISHED if before is not None and unit.running else UNKNOWN


def _of_refit(intent: Mapping) -> str | None:
    _files.check_private(_record.STATE_DIRECTORY)
    text = _files.read(os.path.join(_record.STATE_DIRECTORY, "recalibration.json"))
    if text and json.loads(text)["replaced"]:
        return None
    before = {step["name"]: step["before"] for step in intent["change"]}["model"]
    model = _files.read(intent["target"])
    return UNDONE if before == ("" if model is None else hashlib.sha256(model.encode()).hexdigest()) else FINISHED


_JUDGES = {
    "service_override": _of_lease,
    "tcp_tuning": _of_lease,
    _restart.ACTION: _of_restart,
    "recalibration": _of_refit,
}
