#!/usr/bin/python
# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: recalibration
short_description: Refit Aurora's model, if its trades allow it, and keep the better model
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - Looks at the trades first. It refuses, and changes nothing, if they are too old, too few, malformed, or ahead of the
    host's clock, because a model fitted to such trades would be worse than none.
  - Then it refits the model through the feed (C(curl -X POST http://localhost:8001/recalibrate)) or with
    C(tools/calibrate.py --force), asks C(calibration.validate), and compares the calibration error before and after.
  - The source is section 4, action 2, and section 5, triage 2 and 3 and action 1, of the runbook.
  - A new model that is worse than the one before is reported, and the old one is put back exactly as it was.
  - The host's own code runs as O(user) in a transient unit, with a clean environment and no way to gain rights, and is
    ended with all its processes when its time is up. It is never run as root.
  - If a run was cut off after a refit, or got no answer from the feed in time, the next run judges the new model first.
extends_documentation_fragment:
  - aurora.runbook.attributes
  - aurora.runbook.attributes.changes
  - aurora.runbook.incident.option
  - aurora.runbook.recovery.option
options:
  method:
    description:
      - How to refit. V(http) asks the feed, which fits to the days of trades in its own environment. V(script) runs
        C(tools/calibrate.py --force) below O(home).
      - V(auto) asks the feed, and runs the script if the feed does not take the request, or if another number of days
        than 30 is wanted.
    type: str
    choices: [auto, http, script]
    default: auto
  days:
    description:
      - Days of trades to fit to, 1 to 365. Cannot be used with O(method=http).
      - If it is omitted, C(CALIBRATION_DAYS) of the running runner is used, and 30 if that is not set.
    type: int
  url:
    description: URL at which the feed takes the request, as the host reaches it.
    type: str
    default: http://localhost:8001/recalibrate
  auth_token_file:
    description:
      - File with the feed's token, which is sent only to O(url) and never returned. It is read only if it is a regular
        file of O(user).
    type: path
    default: /opt/aurora/secrets/auth_token
  user:
    description: User of the services, who runs the host's own code. V(root) is refused.
    type: str
    default: aurora
  home:
    description: Aurora's home directory, which is the C(PYTHONPATH) of its code.
    type: path
    default: /opt/aurora
  trade_log:
    description:
      - Log of trades (JSON lines with C(ts), C(outcome) and C(score) or C(p)). The module reads at most 16 MiB, from
        the end of this log and of the one that was rotated last, whether that is named C(.1) or by a date, or is
        compressed. If the rotated log is needed and cannot be unpacked (C(.zst) before Python 3.14, and C(.lz4)), the
        module fails and says so.
    type: path
    default: /opt/aurora/logs/trades.jsonl
  model:
    description: File of the model. An old model can be put back only if it is not larger than 512 KiB.
    type: path
    default: /opt/aurora/models/calibration.json
  runner_unit:
    description: Unit of the trading loop.
    type: str
    default: aurora-runner.service
  runner_url:
    description:
      - Base URL of the runner's metrics, as the host reaches it. C(calibration_ece) is compared if the refit does not
        return its errors as JSON (C(ece_before) and C(ece_after)).
    type: str
    default: http://localhost:9000
  min_trades:
    description: How many trades there must be within O(days), 1 to 100000. With fewer the refit is refused.
    type: int
    default: 500
  max_malformed_percent:
    description: Share of the lines that may be malformed, and share that may lie in the future, in percent, 0 to 100.
      Beyond it the refit is refused.
    type: float
    default: 5.0
  max_stale_seconds:
    description: How old the newest trade may be, in seconds, 60 to 2592000. Beyond it the refit is refused.
    type: float
    default: 86400.0
  max_age_seconds:
    description:
      - A model that is younger than this, validates and is within its limit is left alone, in seconds, 0 to 2592000.
        The limit is that of O(recovery) if that watches V(calibration_ece), otherwise 0.05.
      - For the same time, a refit that did not help is not tried again on the same model with the same O(days).
    type: float
    default: 86400.0
attributes:
  check_mode:
    details:
      - Looks at the trades and the model, and runs C(calibration.validate) where it can write nowhere. Does not wait.
seealso:
  - module: aurora.runbook.wait_for_recovery
"""

EXAMPLES = r"""
- name: Recalibrate (runbook 4, action 2, and 5, action 1)
  aurora.runbook.recalibration:
    recovery:
      indicator: calibration_ece
  register: recalibrated

- name: Recalibrate on more data (runbook 5, action 3)
  aurora.runbook.recalibration:
    days: 90
  when: recalibrated.verdict == 'not_recovered' or recalibrated.cause == 'few_trades'
"""

RETURN = r"""
method:
  description: How the model was refitted, V(http) or V(script). Null if it was not.
  returned: always
  type: str
  sample: http
days:
  description: Days of trades over which the data was judged. The script fits to the same days.
  returned: always
  type: float
  sample: 30.0
trades:
  description:
    - What the end of the log holds, which is the number of lines C(looked_at), of C(malformed) and of C(future) ones,
      the number of C(recent) trades within RV(days), and C(newest_age), the age of the newest trade in seconds (null if
      there is none).
  returned: always
  type: dict
  sample: {looked_at: 2731, malformed: 0, future: 0, recent: 2731, newest_age: 0.4}
model:
  description:
    - The model C(before) and C(after), each with C(sha256) (empty if there is no file), C(age_seconds), C(valid) (true,
      false, or null if it was not asked or gave no answer) and C(says), the text of C(calibration.validate).
    - C(after) is null if nothing was refitted.
  returned: always
  type: dict
ece:
  description:
    - The calibration error C(before) and C(after), each null if it is not known, and the C(source), which is V(refit)
      for what the refit says of the trades it fitted to, and V(metric) for C(calibration_ece).
  returned: always
  type: dict
  sample: {before: 0.1043, after: 0.0121, source: refit}
restored:
  description: Whether the old model was put back because the new one is worse.
  returned: always
  type: bool
cause:
  description:
    - Why the refit was refused. V(stale_trades), V(malformed_trades), V(few_trades), V(clock) (trades are ahead of the
      host's clock) or V(recently_refit) (the same refit did not help a short while ago). Null if it was not refused.
  returned: always
  type: str
done:
  description: What was done or found, as sentences. Each has C(message) (its key in the catalogue of messages),
    C(values) and C(text).
  returned: always
  type: list
  elements: dict
closed:
  description: The incident as M(aurora.runbook.incident) returns it, if the action that cured it also closed it.
  returned: with C(incident.last), when the indicator recovered
  type: dict
verdict:
  description:
    - V(refused) if nothing was done because of RV(cause), V(would_change) in check mode.
    - V(recovered), V(not_recovered) or V(unknown) with O(recovery), see M(aurora.runbook.wait_for_recovery). If the old
      model was put back, the verdict rests on one sample.
  returned: with O(recovery), in check mode with a change, or when refused
  type: str
message:
  description: One sentence that explains the verdict.
  returned: with RV(verdict), except for V(would_change)
  type: str
recovery:
  description: The evidence of the verdict, as in M(aurora.runbook.wait_for_recovery).
  returned: with O(recovery), when it was looked at
  type: dict
"""

import functools
import tempfile
import time
from dataclasses import asdict, dataclass, replace

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.aurora.runbook.plugins.module_utils.act import _calibration, _conduct, _service
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _messages, _metrics, _options
from ansible_collections.aurora.runbook.plugins.module_utils.base import _command, _files, _http
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import FetchError, NoAnswerError, RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _trades, _watch

RANGES = {
    "days": (1, 365),
    "min_trades": (1, 100000),
    "max_malformed_percent": (0, 100),
    "max_stale_seconds": (60, 2592000),
    "max_age_seconds": (0, 2592000),
}
REFIT_SECONDS = 300.0
TAKE_UP_SECONDS = 30.0
REFIT_UNIT = "aurora-runbook-refit.service"  # a fixed name, so that systemd starts no second refit
NOT_TAKEN = (401, 403, 404, 405, 501)
LATE = (
    "The model did not change within another {:g} s, and the feed may still be refitting it: look at the feed, then run"
    " this again, which judges a model that came meanwhile and puts the one before back if that is better"
)
LIMITS = ("min_trades", "max_malformed_percent", "max_stale_seconds")


@dataclass(frozen=True)
class Seen:
    """The host before a change; ``refusal`` is why the data does not allow a refit."""

    site: _trades.Site
    trades: _trades.Trades
    refusal: tuple | None
    record: _calibration.Record
    model: _calibration.Model | None
    valid: bool | None = None
    says: str = ""
    ece: float | None = None


@dataclass(frozen=True)
class Refitted:
    """The result of a refit: the errors before and after with their source, and which model stands now."""

    way: str | None
    model: _calibration.Model | None
    ece: tuple
    source: str
    valid: bool | None
    says: str
    worse: bool = False
    problem: str = ""

    @property
    def restored(self):
        return self.worse and not self.problem


def observe(params):
    """Look at the data, and also at the model unless the data forbids a refit anyway."""
    if not _service.observe(REFIT_UNIT).over:
        raise RunbookError(f"a recalibration is under way on this host ({REFIT_UNIT}); wait for it and run this again")
    site = _trades.site(params["user"], params["home"], params["runner_unit"], params["days"])
    limits = _trades.Limits(**{name: params[name] for name in LIMITS})
    size = _trades.log_size(limits.min_trades)
    lines = _trades.read_log(params["trade_log"], params["user"], size, limits.min_trades)
    trades = _trades.examine(lines, site.days, time.time())
    seen = Seen(
        site,
        trades,
        _trades.objection(trades, site.days, limits),
        _calibration.load(),
        read_model(params),
    )
    if seen.refusal:
        return seen
    valid, says = _trades.validate(site)
    return replace(seen, valid=valid, says=says, ece=ece(params))


def read_model(params):
    return _calibration.read_model(params["model"], params["user"])


def ece(params):
    """The runner's calibration_ece, None if it does not say."""
    try:
        page = _metrics.parse(_http.fetch_metrics(params["runner_url"] + "/metrics"))
    except RunbookError:
        return None
    return _indicators.known(page.highest("calibration_ece")).value


def plan(params, seen):
    recovery = params["recovery"] or {}
    limit = recovery.get("threshold") if recovery.get("indicator") == "calibration_ece" else None
    limit = _indicators.INDICATORS["calibration_ece"].threshold if limit is None else limit
    is_fine = _calibration.fine(seen.valid, seen.ece, limit)
    wanted = {"days": seen.site.days, "max_age": params["max_age_seconds"]}
    return _calibration.plan(seen.model, seen.record, seen.refusal, is_fine, time.time(), wanted)


def apply(params, seen, planned, secret):
    """Refit unless a run that was cut off already did, judge, and keep the better model. Raises RunbookError."""
    way, said = None, ""
    if planned.action == "refit":
        before = _calibration.Replaced(seen.model, seen.ece, seen.valid)
        seen = replace(seen, record=_calibration.begin(seen.record, before))
        _calibration.save(seen.record)
        try:
            way, said = refit(params, seen, secret)
        except NoAnswerError as error:
            if not before.is_other(await_model(params, before)):  # the model may still come, so the record stays open
                raise RunbookError(f"{error}. {LATE.format(TAKE_UP_SECONDS)}") from error
            way = "http"
        except RunbookError as error:
            raise RunbookError(f"{error}. {as_it_was(params, seen.record)}") from error
    refitted = look_after(params, seen, way, said)
    if refitted.worse:
        try:
            put_back(params, seen.record.replaced.model)
        except RunbookError as error:
            refitted = replace(refitted, problem=str(error))
    left = seen.record.replaced.model if refitted.restored else refitted.model
    _calibration.save(_calibration.close(seen.record, left, {seen.site.days: time.time()}))
    return refitted


def refit(params, seen, secret):
    """Refit the model in the wanted way; returns that way and its output. Raises RunbookError."""
    why = ""
    if params["method"] == "http" or (params["method"] == "auto" and seen.site.days == _trades.DAYS):
        said, why = by_http(params, secret)
        if said is not None:
            return "http", said
        if params["method"] == "http":
            raise RunbookError(f"{why}; use method=script, or mend the feed")
    script = f"{params['home']}/tools/calibrate.py"
    done = _trades.run_python(seen.site, [script, "--force"], REFIT_SECONDS, {"ProtectSystem": "full"}, REFIT_UNIT)
    if done.rc != 0:
        reason = "; ".join(text for text in (done.last_line or f"status {done.rc}", why) if text)
        raise RunbookError(f"{script} --force as {params['user']} failed: {reason}")
    return "script", done.out


def by_http(params, secret):
    """The feed's answer to a refit; or None, and why it did not take the request. Raises RunbookError."""
    try:
        headers = {"X-Auth-Token": secret} if secret else None
        answer = _http.fetch(params["url"], REFIT_SECONDS, headers, method="POST")
    except FetchError as error:
        if isinstance(error.__cause__, ConnectionRefusedError):
            return None, str(error)
        raise
    if answer.status in NOT_TAKEN:
        return None, f"{params['url']} answered {answer.status}"
    if not answer.ok:
        raise RunbookError(f"{params['url']} answered {answer.status}: {answer.text[:300]}")
    return answer.text, ""


def as_it_was(params, record):
    """Make sure that a failed refit left the model as it was; returns a sentence on that."""
    before = record.replaced.model
    try:
        changed = _calibration.sha_of(read_model(params)) != _calibration.sha_of(before)
        if changed:
            put_back(params, before)
    except RunbookError as error:
        return f"Putting the previous model back FAILED; look at {params['model']} on the host now: {error}"
    _calibration.save(_calibration.close(record, before, {}))
    return "The previous model was put back" if changed else "The model is as it was"


def await_model(params, before):
    """Wait for a model that differs from the one before; returns it, or the one that is there after a while."""
    return wait(lambda: read_model(params), before.is_other)


def look_after(params, seen, way, said):
    """Judge the model that a refit left, once it is there and in use."""
    before = seen.record.replaced
    model = await_model(params, before)
    pair, source = _calibration.reported(said), "refit"
    if pair is None:
        pair, source = (
            (before.ece, wait(lambda: ece(params), lambda now: _calibration.moved(before.ece, now))),
            "metric",
        )
    valid, says = _trades.validate(seen.site)
    return Refitted(way, model, pair, source, valid, says, _calibration.worse(before, pair, valid))


def wait(look, enough):
    """Look until it is enough or the time is over; returns what was seen last."""
    deadline = time.monotonic() + TAKE_UP_SECONDS
    while not enough(found := look()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return found


def put_back(params, model):
    """Put a model back as it was, acting as its user. Raises RunbookError."""
    if model is None or model.content is None:
        raise RunbookError("there was none, or it is too large to have been kept")
    arguments = [params["model"], str(model.mode), str(model.changed_ns)]
    with tempfile.TemporaryFile() as file:
        file.write(model.content)
        file.seek(0)
        argv = ["/usr/bin/python3", "-I", "-c", _calibration.PUT_BACK, *arguments]
        done = _command.as_user(params["user"], argv, {}, _trades.VALIDATE_SECONDS, {"ProtectSystem": "full"}, file)
    if _calibration.sha_of(read_model(params)) != model.sha256:
        raise RunbookError(f"{params['model']} cannot be put back: {done.last_line or f'status {done.rc}'}")


def same(seen, refitted):
    return _calibration.sha_of(refitted.model) == _calibration.sha_of(seen.model)


def told(params, seen, planned, refitted):
    """What was done, or would be, in sentences."""
    key, values = planned.message, {"model": params["model"], **planned.values}
    valid, says = (refitted.valid, refitted.says) if refitted else (seen.valid, seen.says)
    keys = [key]
    if refitted:
        before, after = (_messages.number(value) for value in refitted.ece)
        values.update(way=refitted.way, before=before, after=after, problem=refitted.problem)
        refit_key = "refit_no_change" if same(seen, refitted) else "refit"
        keys = ["refit_judged" if planned.action == "finish" else refit_key]
        if refitted.worse:
            keys.append("model_worse" if refitted.restored else "model_worse_stays")
    sentences = [_messages.sentence(key, **values) for key in keys]
    if valid is not None:
        sentences.append(_messages.sentence("model_valid" if valid else "model_invalid", says=says))
    return sentences


def shown(model, valid, says):
    """A model as it is returned."""
    age = round(time.time() - model.changed_ns / 1e9, 1) if model else None
    return {"sha256": _calibration.sha_of(model), "age_seconds": age, "valid": valid, "says": says}


def changes(seen):
    """What the intent records: which model is replaced, and the days of trades if they are not the usual ones."""
    days = {} if seen.site.days == _trades.DAYS else {"days": seen.site.days}
    before = _calibration.sha_of(seen.model)
    return [{"name": "model", "before": before, "after": None, "direction": "neutral", **days}]


def describe(params, seen, planned, refitted):
    """What was seen and done, as the module returns it."""
    acts = planned.action in ("refit", "finish")
    before, after, source = (*refitted.ece, refitted.source) if refitted else (seen.ece, None, "metric")
    was = f"{params['model']}: ECE {_messages.number(before)}\n"
    now = _messages.say("en", planned.message, **{"model": params["model"], **planned.values})
    return {
        "changed": acts if refitted is None else not same(seen, refitted) or refitted.restored,
        "method": refitted.way if refitted else None,
        "days": seen.site.days,
        "trades": asdict(seen.trades),
        "model": {
            "before": shown(seen.model, seen.valid, seen.says),
            "after": shown(refitted.model, refitted.valid, refitted.says) if refitted else None,
        },
        "ece": {"before": before, "after": after, "source": source},
        "restored": bool(refitted and refitted.restored),
        "cause": planned.cause,
        "done": told(params, seen, planned, refitted),
        "diff": {"before": was, "after": f"{now}\n" if acts else was},
    }


def check(params):
    """Raise RunbookError for invalid options."""
    _options.check_ranges(params, RANGES)
    _command.plain_path("model", params["model"])
    if params["days"] and params["method"] == "http":
        raise RunbookError("days is refused with method=http: the feed takes the days from its own environment")
    if params["recovery"]:
        _watch.rule(params["recovery"])


def run(params, conduct, secret):
    """Observe, plan, apply, watch; returns what the module returns."""
    check(params)
    seen = observe(params)
    planned = plan(params, seen)
    acts = planned.action in ("refit", "finish")
    refusal = acts and conduct.begin(params["model"], changes(seen))
    refitted = apply(params, seen, planned, secret) if acts and not (refusal or conduct.check_mode) else None
    result = describe(params, seen, planned, refitted)
    if planned.action == "refuse":
        return {**result, "verdict": "refused", "message": result["done"][0]["text"]}
    if refusal:
        told = {"done": [refusal], "message": refusal["text"], "diff": {"before": "", "after": ""}}
        return {**result, **told, "changed": False, "verdict": "refused"}
    if acts and conduct.check_mode:
        return {**result, "verdict": "would_change"}
    if params["recovery"]:
        result.update(_watch.watch(params["recovery"], conduct.check_mode or result["restored"]))
    return result


ARGUMENTS = {
    "argument_spec": {
        "method": {"type": "str", "choices": ["auto", "http", "script"], "default": "auto"},
        "days": {"type": "int"},
        "url": {"type": "str", "default": "http://localhost:8001/recalibrate"},
        "auth_token_file": {"type": "path", "default": "/opt/aurora/secrets/auth_token", "no_log": False},
        "user": {"type": "str", "default": "aurora"},
        "home": {"type": "path", "default": "/opt/aurora"},
        "trade_log": {"type": "path", "default": "/opt/aurora/logs/trades.jsonl"},
        "model": {"type": "path", "default": "/opt/aurora/models/calibration.json"},
        "runner_unit": {"type": "str", "default": "aurora-runner.service"},
        "runner_url": {"type": "str", "default": "http://localhost:9000"},
        "min_trades": {"type": "int", "default": 500},
        "max_malformed_percent": {"type": "float", "default": 5.0},
        "max_stale_seconds": {"type": "float", "default": 86400.0},
        "max_age_seconds": {"type": "float", "default": 86400.0},
        "incident": {"type": "dict", "options": _options.INCIDENT},
        "recovery": {"type": "dict", "options": _options.RECOVERY},
    },
    "supports_check_mode": True,
}


def main():
    module = AnsibleModule(**ARGUMENTS)
    secret = _files.token(module.params["auth_token_file"], module.params["user"])
    work = functools.partial(run, secret=secret)
    _conduct.conducted(module, "recalibration", work, (secret,))


if __name__ == "__main__":
    main()
