#!/usr/bin/python
# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: incident
short_description: Write to the record of an incident on its host
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - The source is "Ескалація" and "Post-Mortem Template" of the runbook, which ask for who did what when.
  - The record is C(/var/lib/aurora-runbook/incidents/<id>.jsonl). It is append-only, and each line holds the hash of
    the line before. Modules that change something write to it by themselves; this module writes what concerns the
    incident as a whole.
  - It also pauses automation on a host. An engineer can do the same by hand with C(echo 2026-11-24T23:00Z | sudo tee
    /var/lib/aurora-runbook/pause). On a host where nothing was ever done, C(sudo install -dm 700
    /var/lib/aurora-runbook) has to come first.
extends_documentation_fragment:
  - aurora.runbook.attributes
  - aurora.runbook.attributes.changes
  - aurora.runbook.incident.option
options:
  state:
    description:
      - V(ended) records the O(verdict) of a run, closes the incident on this host if that verdict is V(recovered) or
        V(healthy), and gives up the claim of the run. It requires O(incident), and opens that incident if nothing was
        done. What a run records of itself does not count as a change.
      - V(settled) records what became of actions that were cut off, and returns it.
      - V(acknowledged) records who took over, V(noted) adds a note, V(closed) closes the incident by hand.
      - V(paused) keeps automation off this host for O(minutes), V(resumed) ends the pause. Leases that have expired
        wait for the end of the pause, except those of values that raise exposure, which end all the same.
      - V(paging) asks whether O(level) has to be paged, V(paged) records to whom the page was sent. Both are remembered
        in C(/run/aurora-runbook) while the record cannot be written.
      - V(ticking) asks whether the tick O(key) is the only one at work on this host, V(ticked) ends it. A tick that
        never ends counts as at work for two minutes. Every fifth tick that finds another one at work goes on all the
        same.
    type: str
    required: true
    choices: [ended, settled, acknowledged, noted, closed, paused, resumed, paging, paged, ticking, ticked]
  id:
    description: The incident's id. If it is omitted, all incidents that are open on this host are meant. An id that has
      no record on this host is refused.
    type: str
  verdict:
    description: How the run ended on this host. Required with O(state=ended).
    type: str
    choices: [healthy, recovered, not_recovered, unknown, approval_needed, escalated, refused]
  who:
    description: Name of the person, cut after 100 characters. Required with V(acknowledged), V(noted), V(closed) and
      V(paused).
    type: str
  text:
    description: What the person has to say. Text beyond 500 characters is cut.
    type: str
    default: ""
  minutes:
    description: How long the pause lasts, in minutes, 1 to 10080.
    type: int
    default: 60
  level:
    description: Level of escalation. Required with V(paging) and V(paged).
    type: str
    choices: [L1, L2, L3, L4]
  key:
    description: With V(paging) and V(paged), the key by which receivers recognise a page that was sent twice. With
      V(ticking) and V(ticked), where it is required, the key that tells one tick from another.
    type: str
    default: ""
  sent:
    description: Channels that took the page.
    type: list
    elements: str
    default: []
  failed:
    description: Channels that did not take the page, each with C(channel) and C(problem).
    type: list
    elements: dict
    default: []
  took:
    description: How long sending took, in the form of RV(aurora.runbook.notification#module:took).
    type: dict
    default: {}
  at:
    description: When the page was sent, for V(paged), if this record missed a page that another record has. A text that
      is no time is refused.
    type: str
    default: ""
seealso:
  - module: aurora.runbook.incident_info
"""

EXAMPLES = r"""
- name: Say that I am at it (runbook, "Ескалація", L1)
  aurora.runbook.incident:
    state: acknowledged
    who: olena

- name: Keep automation off this host while I work on it
  aurora.runbook.incident:
    state: paused
    who: olena
    minutes: 90
    text: moving the feed by hand

- name: Close what was cured by hand
  aurora.runbook.incident:
    id: circuit_breaker-20261124T031500Z-1a2b3c4d
    state: closed
    who: olena
    text: the exchange was down
"""

RETURN = r"""
incidents:
  description: The incidents that were written to, as in M(aurora.runbook.incident_info), without their entries.
  returned: always
  type: list
  elements: dict
send:
  description:
    - Whether the page has to be sent. It is not sent if the level was paged already, or if another run began to page it
      less than two minutes ago. A page that was begun earlier and not finished is sent again, with the same key.
  returned: with O(state=paging)
  type: bool
tick:
  description: Whether no other tick is at work on this host.
  returned: with O(state=ticking)
  type: bool
paused:
  description: Until when automation does nothing on this host. Null if it is not paused.
  returned: with V(paused) and V(resumed)
  type: str
verdict:
  description: V(refused) if another run works on this host. In that case nothing was written.
  returned: when refused
  type: str
message:
  description: Who works on this host.
  returned: when refused
  type: str
done:
  description: What became of actions that were cut off, as sentences. Each has C(message) (its key in the catalogue of
    messages), C(values) and C(text).
  returned: with O(state=ended) and O(state=settled)
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.aurora.runbook.plugins.module_utils.act import _conduct, _unfinished
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages, _options, _verdicts
from ansible_collections.aurora.runbook.plugins.module_utils.base import _files, _redact, _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.record import _claim, _pause, _record

RANGES = {"minutes": (1, 10080)}
# Limits for a line about a person or a page, so that a record keeps space for actions.
MAX_WHO = 100  # characters
MAX_TEXT = 500
MAX_KEY = 100
MAX_CHANNELS = 20
TICKS = f"{_record.MEMORY}/tick"  # directory of a tick's claim
KEPT_OUT = 5  # every so many ticks that find another at work, one goes on; two at once do no harm, they page once


def ended(params, conduct):
    """Record the end of a run on this host."""
    if conduct.check_mode:
        return {"changed": False, "incidents": [], "done": []}
    incident, said = conduct.close(params["verdict"])
    return {"changed": False, "incidents": [incident], "done": said}


def settled(_params, conduct):
    """Record what became of actions that were cut off, whichever run they belong to."""
    records = conduct.recent()
    said = _unfinished.would_settle(records) if conduct.check_mode else conduct.settle(records)
    return {"changed": False, "incidents": [], "done": [*said, *_unfinished.still_open(conduct.recent())]}


def sentence(key, **values):
    return _messages.bare(_messages.sentence(key, **values))


def shown(names):
    now = _stamps.clock()
    return [_record.describe(_record.read(name), now) for name in names]


def chosen(params):
    """The ids of the incidents that are meant. Raises RunbookError for an id without a record here."""
    if not params["id"]:
        return _record.open_names()
    # A page about a host that cannot be read belongs to no incident, and its record begins with that page.
    beside = params["state"] in ("paging", "paged") and _record.incident_of(params["id"]) == _record.NOBODY
    if not beside and not _record.read(params["id"]).entries:
        raise RunbookError(f"{params['id']} has no record on this host; look at incident_info")
    return [params["id"]]


def line(params):
    """What to write, by state."""
    who = {"who": params["who"], "text": params["text"]}
    closed = {"verdict": "closed", "sentence": sentence("closed_by_hand", who=params["who"], text=params["text"])}
    return {
        "acknowledged": ("acknowledged", who),
        "noted": ("note", who),
        "closed": ("closed", closed),
    }[params["state"]]


def write(params, check_mode):
    names = chosen(params)
    if params["state"] == "closed":
        names = [name for name in names if _record.read(name).open]
    for name in [] if check_mode else names:
        _record.append(name, *line(params))
    return {"changed": bool(names), "incidents": shown(names)}


def paging(params, check_mode):
    names = chosen(params)
    if check_mode:
        begun = [_record.may_begin_page(name, params["level"]) for name in names]
    else:
        begun = [_record.begin_page(name, params["level"], params["key"]) for name in names]
    return {"changed": any(begun), "send": any(begun), **told(params, names)}


def paged(params, check_mode):
    names = chosen(params)
    page = page_of(params)
    news = [name for name in names if _record.news_of_page(name, page)]
    for name in [] if check_mode else news:
        _record.end_page(name, page)
    return {"changed": bool(news), **told(params, names)}


def page_of(params):
    """What is recorded of a page, within limits. Raises RunbookError for an invalid time."""
    page = {
        "level": params["level"],
        "key": params["key"],
        "sent": [name[:MAX_WHO] for name in params["sent"][:MAX_CHANNELS]],
        "failed": [texts(one, channel=MAX_WHO, problem=MAX_TEXT) for one in params["failed"][:MAX_CHANNELS]],
    }
    if params["took"]:
        answered = params["took"].get("channels")
        listed = [one for one in answered if isinstance(one, dict)] if isinstance(answered, list) else []
        seconds = [{**texts(one, channel=MAX_WHO), "seconds": number(one.get("seconds"))} for one in listed]
        page["took"] = {"loading": number(params["took"].get("loading")), "channels": seconds[:MAX_CHANNELS]}
    if params["at"]:
        page["paged_at"] = time_of(params["at"])
    return page


def texts(given, **limits):
    """The texts of these names, each cut to its limit."""
    return {name: str(given.get(name, ""))[:limit] for name, limit in limits.items()}


def number(value):
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def time_of(text):
    try:
        _stamps.seconds(text)
    except ValueError:
        raise RunbookError(f"at={text[:40]!r} is refused; expected a time") from None
    return text


def bounded(params):
    """The options, with texts of people and senders of pages cut to limits. Raises RunbookError for too long a key."""
    if len(params["key"]) > MAX_KEY:
        raise RunbookError(f"key is refused: it is longer than {MAX_KEY} characters")
    return {**params, "who": params["who"] and params["who"][:MAX_WHO], "text": params["text"][:MAX_TEXT]}


def told(params, names):
    """The incidents, with a warning for each record that could not be written."""
    incidents = shown(names)
    lost = [one["id"] for one in incidents if one["levels"].get(params["level"], {}).get("remembered")]
    warning = "the record of {} cannot be written: {} is remembered in {} until a reboot; look at `df -h` and `findmnt`"
    warnings = [warning.format(name, params["level"], _record.MEMORY) for name in lost]
    return {"incidents": incidents, "warnings": warnings}


def pause(params, check_mode):
    """Make or remove the file, and record it in the incidents that are open here."""
    now = _stamps.clock()
    resume = params["state"] == "resumed"
    until = "" if resume else _stamps.stamp(now.wall + 60 * params["minutes"])
    names, text = _record.open_names(), f"{params['who']}: {params['text']}"
    if check_mode:
        changed = _pause.stands() if resume else not _pause.says(until, text)
    else:
        changed = _pause.end() if resume else _pause.begin(until, text)
    if changed and not check_mode:
        for name in names or [_record.outside(now)]:
            _record.append(name, params["state"], {"who": params["who"], "until": until})
    return {"changed": changed, "paused": until or None, "incidents": shown(names)}


def ticking(params, check_mode):
    """Ticks come every minute and may take longer, so one that finds another at work has nothing to do."""
    if check_mode:
        return {"changed": False, "incidents": [], "tick": _claim.held(_stamps.clock(), TICKS) is None}
    _files.make_private(_record.MEMORY)
    try:
        _claim.take(params["key"], "another tick", "", _stamps.clock(), TICKS)
    except _claim.HeldError as held:
        if not kept_out_again():
            return {"changed": False, "incidents": [], "tick": False, "message": str(held)}
    return {"changed": False, "incidents": [], "tick": True}


def kept_out_again():
    """Whether this tick goes on although it found another one at work.

    Every so many ticks do, because otherwise whoever keeps asking could prevent all pages.
    """
    path = f"{TICKS}/kept-out"
    text = _files.read(path) or ""
    times = (int(text) if text in map(str, range(KEPT_OUT)) else 0) + 1
    _files.write(path, str(times % KEPT_OUT), 0o600)
    return times == KEPT_OUT


def ticked(params, check_mode):
    if not check_mode:
        _claim.release(params["key"], TICKS)
    return {"changed": False, "incidents": []}


CONDUCTED = {"ended": ended, "settled": settled}
STATES = {
    "acknowledged": write,
    "noted": write,
    "closed": write,
    "paged": paged,
    "paging": paging,
    "paused": pause,
    "resumed": pause,
    "ticked": ticked,
    "ticking": ticking,
}


TEXT = {"type": "str"}
ARGUMENTS = {
    "argument_spec": {
        "state": {**TEXT, "required": True, "choices": [*CONDUCTED, *STATES]},
        "id": TEXT,
        "incident": {"type": "dict", "options": _options.INCIDENT},
        "verdict": {**TEXT, "choices": list(_verdicts.OF_RUNS)},
        "who": TEXT,
        "text": {**TEXT, "default": ""},
        "minutes": {"type": "int", "default": 60},
        "level": {**TEXT, "choices": ["L1", "L2", "L3", "L4"]},
        "key": {**TEXT, "default": "", "no_log": False},
        "sent": {"type": "list", "elements": "str", "default": []},
        "failed": {"type": "list", "elements": "dict", "default": []},
        "took": {"type": "dict", "default": {}},
        "at": {**TEXT, "default": ""},
    },
    "required_if": [
        ("state", "ended", ["incident", "verdict"]),
        ("state", "paging", ["level"]),
        ("state", "paged", ["level"]),
        ("state", "ticking", ["key"]),
        ("state", "ticked", ["key"]),
        *(("state", state, ["who"]) for state in ("acknowledged", "noted", "closed", "paused")),
    ],
    "supports_check_mode": True,
}


def main():
    module = AnsibleModule(**ARGUMENTS)
    if module.params["state"] in CONDUCTED:
        _conduct.conducted(module, "incident", CONDUCTED[module.params["state"]])
    try:
        _options.check_ranges(module.params, RANGES)
        result = STATES[module.params["state"]](bounded(module.params), module.check_mode)
    except RunbookError as error:
        module.fail_json(msg=_redact.redact_text(str(error)))
    for warning in result.pop("warnings", ()):
        module.warn(_redact.redact(warning))
    module.exit_json(**_redact.redact_data(result))


if __name__ == "__main__":
    main()
