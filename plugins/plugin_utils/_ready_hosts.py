# SPDX-License-Identifier: GPL-3.0-or-later
"""What the answers of a host say about a remediation tonight. Pure; private to aurora.runbook, controller only.

Each function takes what a task registered and returns checks, see _ready. An answer comes from a host, so anything
missing or senseless in it is unchecked, and never ready.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ansible_collections.aurora.runbook.plugins.module_utils.base import _start
from ansible_collections.aurora.runbook.plugins.plugin_utils import _texts
from ansible_collections.aurora.runbook.plugins.plugin_utils._ready import UNCHECKED, check, not_ready, ready, unchecked

OLDEST_PYTHON = (3, 9)
CLOCK_SECONDS = 5.0  # how far a host's clock may differ from the controller's; both date alerts and records
LEAST_BYTES, LEAST_INODES = 64 << 20, 1000
MALFORMED_PERCENT = 5.0
# A record of an incident is full at 4 MiB, and its directory has a few of them.
RECORDS, TIMER, PROGRAM = "/var/lib/aurora-runbook", "/etc/systemd/system", _start.BASE
# An indicator with too few events, or of a service that just restarted, has its families all the same.
QUIET = ("", "too_few", "reset")
# The refusal of a guard about automation as a whole is a check of its own.
PAUSED = ("paused", "paused_open")
# What prevents the rotation of logs although space may be freed.
ROTATION_REFUSALS = ("log_behind", "log_odd", "log_no_way", "log_no_room")
# A writer that only a person may restart keeps its log. Old logs are removed all the same, which is what a ladder
# needs.
KEEPS_ITS_LOG = "log_untellable"
Checks = Iterator[dict]


def checks(host: str, found: Mapping, program: str) -> list[dict]:
    """All checks of a host, from what its tasks registered. ``program`` is the name of this controller's program."""
    reached = found.get("__preflight_reached") or {}
    if reached.get("reached") is not True:
        why = reached.get("connection") or reached.get("msg") or "–"
        return [not_ready(host, "connection", "", "ready_unreached", text=why)]
    judges: dict[str, Callable[[], Checks]] = {
        "connection": lambda: connection(host, reached),
        "become": lambda: root(host, reached, found),
        "python": lambda: python(host, reached),
    }
    if reached["goes_on"] is True:
        judges |= {
            "systemd": lambda: seen(host, _answer(found, "__preflight_seen", "rooms"), reached, program),
            "units": lambda: look(host, _answer(found, "__incident_look", "probes"), reached),
            "program": lambda: prepared(host, found.get("__preflight_prepared") or {}),
            "public_way": lambda: public_way(host, _answer(found, "__incident_outside", "probes")),
            "knob": lambda: knobs(host, found),
            "kernel": lambda: kernel(host, found["__preflight_tuned"]),
            "rotation": lambda: rotation(host, found["__preflight_rotated"]),
            "calibration": lambda: calibration(host, found["__preflight_refitted"]),
            "records": lambda: records(host, _answer(found, "__preflight_records", "incidents")),
        }
    return [one for what, judge in judges.items() for one in _judged(host, what, judge)]


class NoAnswerError(Exception):
    """A task of a host gave no answer that can be judged; the text says why, as far as it is known."""


def _answer(found: Mapping, name: str, needed: str) -> Mapping:
    """What a task registered. Raises NoAnswerError for a result without the key that every success has."""
    answer = found.get(name) or {}
    if needed not in answer:
        raise NoAnswerError(answer.get("msg") or "")
    return answer


def _judged(host: str, what: str, judge: Callable[[], Checks]) -> list[dict]:
    """The checks of one judge. If it fails, the rest is unchecked, and the checks before the failure count."""
    told = []
    try:
        for one in judge():
            told.append(one)
    except NoAnswerError as error:
        told.append(unchecked(host, what, "", str(error)))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        told.append(unchecked(host, what, "", f"its answer cannot be understood: {error!r}"))
    return told


# The way to the host


def connection(host: str, reached: Mapping) -> Checks:
    """Whether modules are pipelined. An account with least rights has no other way, and for others all else is slow."""
    if reached["pipelining"] is True:
        yield ready(host, "connection")
    else:
        key = "ready_least_needs_pipelining" if reached["least_privilege"] is True else "ready_no_pipelining"
        yield not_ready(host, "connection", "pipelining", key)


def root(host: str, reached: Mapping, found: Mapping) -> Checks:
    """Whether root is given without a prompt. With least rights the program on the host has to answer."""
    if reached["become"]:
        yield not_ready(host, "become", "", "ready_no_root", text=reached["become"])
    elif reached["least_privilege"] is True:
        yield acted(host, "become", "", found["__preflight_seen"], "rooms")
    else:
        yield ready(host, "become")


def python(host: str, reached: Mapping) -> Checks:
    """Whether there is a Python for modules. Without root nobody could start it."""
    if reached["become"]:
        return
    found = reached["python"]
    if found["problem"]:
        yield not_ready(host, "python", found["path"], "ready_no_python", text=found["problem"])
    elif tuple(found["version"]) < OLDEST_PYTHON:
        yield not_ready(host, "python", found["path"], "ready_old_python", found=_dotted(found["version"]))
    else:
        yield ready(host, "python", found["path"])


def _dotted(version: object) -> str:
    return ".".join(str(int(part)) for part in version)


# What only preflight_info looks at


def seen(host: str, found: Mapping, reached: Mapping, program: str) -> Checks:
    yield _by_problem(host, "systemd", "", _systemd_problem(found["systemd"]))
    yield from rooms(host, found, there=found["programs"].get(program) == "")
    yield from programs(host, found, reached["least_privilege"] is True, program)
    for log in found["logs"]:
        yield logs(host, log)
    token = found["access"]
    if token["path"]:
        yield _by_problem(host, "token", token["path"], token["problem"])
    for code in found["code"]:
        yield _by_problem(host, "calibration", code["path"], code["problem"])
    for knob in found["knobs"]:
        yield from running(host, knob)


def _systemd_problem(systemd: Mapping) -> str:
    settled = systemd["state"] in ("running", "degraded")  # a failed unit of somebody else does not matter
    return systemd["problem"] or ("" if settled else f"it is {systemd['state']}")


def _by_problem(host: str, what: str, about: str, problem: str) -> dict:
    return not_ready(host, what, about, "ready_says", text=problem) if problem else ready(host, what, about)


def rooms(host: str, found: Mapping, there: bool) -> Checks:
    """Whether a remediation can write, above all to the record, without which nothing is changed.

    ``there`` says that the program needs no more space.
    """
    whats = {RECORDS: "records", TIMER: "timer", PROGRAM: "program"}
    for room in found["rooms"]:
        what, path = whats.get(room["path"], "knob"), room["path"]
        if there and path == PROGRAM:
            continue
        inodes = room["free_inodes"]
        problem = found["state"] if path == RECORDS else ""
        if problem:
            yield not_ready(host, what, path, "ready_says", text=problem)
        elif room["read_only"] is not False:
            yield not_ready(host, what, path, "ready_read_only", path=path)
        elif room["free_bytes"] < LEAST_BYTES or (inodes is not None and inodes < LEAST_INODES):
            values = {"path": path, "free": round(room["free_bytes"] / (1 << 20), 1), "needed": LEAST_BYTES >> 20}
            yield not_ready(host, what, path, "ready_no_room", **values, inodes="–" if inodes is None else inodes)
        else:
            yield ready(host, what, path)


def programs(host: str, found: Mapping, least: bool, program: str) -> Checks:
    """The program of this controller: installed and complete, or free to be installed by the first remediation."""
    fault = found["programs"].get(program)
    if found["exposed"]:
        yield not_ready(host, "program", program, "ready_exposed", path=found["exposed"])
    elif fault and fault != _start.NOT_WHOLE:  # an incomplete one is replaced
        yield not_ready(host, "program", program, "ready_says", text=fault)
    elif fault is None and least:
        yield not_ready(host, "program", program, "ready_no_program")
    else:
        yield ready(host, "program", program)


def prepared(host: str, answer: Mapping) -> Checks:
    """What prevented the installation of the program, if it was wanted."""
    if answer.get("msg"):
        yield not_ready(host, "program", "", "ready_says", text=answer["msg"])


def logs(host: str, log: Mapping) -> dict:
    """Whether a log that is read at night exists, belongs to the service, and has JSON objects."""
    path = log["path"]
    if log["problem"]:
        return not_ready(host, "logs", path, "ready_says", text=log["problem"])
    if log["lines"] and 100 * log["malformed"] / log["lines"] > MALFORMED_PERCENT:
        return not_ready(host, "logs", path, "ready_malformed", malformed=log["malformed"], lines=log["lines"])
    return ready(host, "logs", path)


def running(host: str, knob: Mapping) -> Checks:
    """Whether a restart alone would change a knob; then an override would apply somebody's pending edit as well."""
    name, now, then = knob["name"], knob["running"], knob["configured"]
    if now == then:
        yield ready(host, "knob", f"{name} {now or '–'}")
    elif knob["reached"] is not True:
        yield not_ready(host, "knob", name, "ready_other_environment")
    elif then is None:
        yield check(UNCHECKED, host, "knob", name, "ready_set_elsewhere", name=name, now=now)
    else:
        values = {"name": name, "now": "–" if now is None else now, "then": then}
        yield not_ready(host, "knob", name, "ready_pending", **values)


# What triage sees


def look(host: str, found: Mapping, reached: Mapping) -> Checks:
    probes = found["probes"]
    yield from units(host, probes["units"])
    yield nginx(host, probes["nginx_config"])
    for incident, indicator in found["indicators"].items():
        yield metrics(host, incident, indicator)
    yield clock(host, probes["clock"], reached.get("clock_off_seconds"))
    yield exchange(host, probes["exchange"])
    yield from kept(host, found, probes["leases"])


def units(host: str, probe: Mapping) -> Checks:
    """Whether each unit exists under its name and runs, because an override is proven only on a running service."""
    if probe["status"] != "ok":
        yield unchecked(host, "units", "", probe["problem"])
        return
    for role, unit in probe["data"].items():
        about = f"{role}: {unit['id']}"
        if unit["loaded"] != "loaded":
            yield not_ready(host, "units", about, "ready_no_unit", state=unit["loaded"])
        elif unit["running"] is not True:
            yield not_ready(host, "units", about, "ready_not_running", state=unit["state"])
        else:
            yield ready(host, "units", about)


def nginx(host: str, probe: Mapping) -> dict:
    """Whether nginx has a valid configuration, because otherwise it is not started at night."""
    if probe["status"] != "ok":
        return unchecked(host, "units", "nginx -t", probe["problem"])
    if probe["data"]["valid"] is not True:
        return not_ready(host, "units", "nginx -t", "ready_says", text=probe["data"]["message"])
    return ready(host, "units", "nginx -t")


def metrics(host: str, incident: str, indicator: Mapping) -> dict:
    """Whether an indicator has a value. Without one it opens no incident at night, and proves no recovery."""
    about, problem = f"{indicator['metric']} ({incident})", indicator["problem"]
    if problem in QUIET:
        return ready(host, "metrics", about)
    reason = indicator["reason"] or "–"
    return not_ready(
        host, "metrics", about, "ready_no_metric", problem=problem, source=indicator["source"], text=reason
    )


def clock(host: str, probe: Mapping, off: object) -> dict:
    """Whether the host's clock agrees with the controller's; if that was not compared, what the kernel says."""
    if isinstance(off, (int, float)):
        if abs(off) > CLOCK_SECONDS:
            return not_ready(host, "clock", "", "ready_clock_off", seconds=off)
        return ready(host, "clock")
    if probe["status"] != "ok":
        return unchecked(host, "clock", "", probe["problem"])
    if probe["data"]["synchronized"] is not True:
        return check(UNCHECKED, host, "clock", "", "ready_clock_free")
    return ready(host, "clock")


def exchange(host: str, probe: Mapping) -> dict:
    """Whether the exchange's status page answers this host."""
    if probe["status"] != "ok":
        return not_ready(host, "exchange", "", "ready_says", text=probe["problem"])
    status = probe["data"]["status"]
    if not 200 <= status < 300:
        return not_ready(host, "exchange", "", "ready_status", status=status)
    return ready(host, "exchange")


def kept(host: str, found: Mapping, probe: Mapping) -> Checks:
    """What still stands from earlier runs: leases of values that a ladder would set, a pause, a run at work."""
    if probe["status"] != "ok":
        yield not_ready(host, "leases", "", "ready_says", text=probe["problem"])
        return
    for lease in found["leases"]:
        name, phase, lost = lease["name"], lease["phase"], lease["lost"]
        changes = ", ".join(f"{key}={value}" for key, value in sorted(lease["written"].items())) or "–"
        if phase != "active":
            yield not_ready(host, "leases", name, "ready_lease_unfinished", changes=changes)
        elif lost:
            yield not_ready(host, "leases", name, "ready_lease_lost", path=lost)
        else:
            yield not_ready(host, "leases", name, "ready_lease_stands", changes=changes, until=lease["until"] or "–")
    if not found["leases"]:
        yield ready(host, "leases")
    if probe["data"]["timer_works"] is not True:
        yield not_ready(host, "timer", "", "ready_timer", state=probe["data"]["timer"])
    if found["paused"] is not None:
        yield not_ready(host, "pause", "", "ready_paused", until=found["paused"] or "–")
    elif found["claim"]:
        claim = found["claim"]
        yield not_ready(host, "pause", "", "ready_claimed", by=claim["holder"], since=claim["since"])
    else:
        yield ready(host, "pause")
    for action in found["cut_off"]:
        yield not_ready(host, "records", action["id"], "ready_cut_off", action=action["action"], at=action["at"])


def public_way(host: str, found: Mapping) -> Checks:
    """Whether clients reach the host on the public path, from outside."""
    if found["ok"] is True:
        yield ready(host, "public_way")
    for link in found["broken"]:
        yield not_ready(host, "public_way", link, "ready_says", text=_link_problem(found["probes"], link))


def _link_problem(probes: Mapping, link: str) -> str:
    """The problem of the probe that found the link broken."""
    problems = [one["problem"] for one in probes.values() if one["data"].get("broken") == link and one["problem"]]
    return problems[0] if problems else link


# What acts at night, as it says in check mode


def knobs(host: str, found: Mapping) -> Checks:
    """Each knob as its ladder turns it, the limits of the feed, and its restart."""
    turned = _answer(found, "__preflight_turned", "results")
    for one in turned["results"]:
        yield acted(host, "knob", f"{one['item']['name']}→{one['item']['value']}", one, "unit")
    yield acted(host, "knob", "MemoryMax, MemoryHigh, CPUQuota", found["__preflight_widened"], "unit")
    yield acted(host, "units", "restart of the feed", found["__preflight_restarted"], "unit")


def acted(host: str, what: str, about: str, answer: Mapping, always: str) -> dict:
    """What an acting module answered in check mode. ``always`` is a key it returns unless it failed or was refused."""
    verdict = answer.get("verdict")
    if verdict == "refused":
        return refused(host, what, about, answer)
    if always in answer and isinstance(answer.get("changed"), bool):
        return ready(host, what, about)
    problem = answer.get("msg")
    if not problem or answer.get("unreachable") is True or answer.get("timedout"):
        return unchecked(host, what, about, problem)
    # What an override says about the running service is of no use if nothing was tried.
    return not_ready(host, what, about, "ready_says", text=str(problem).partition(" Nothing was changed.")[0])


def refused(host: str, what: str, about: str, answer: Mapping) -> dict:
    """Why a module would refuse right now, in its own words."""
    said = answer["done"][0] if answer.get("done") else {}
    key, values = said.get("message"), said.get("values")
    if key in PAUSED:
        return ready(host, what, about)
    try:
        _texts.say("en", key, **values)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return not_ready(host, what, about, "ready_says", text=said.get("text") or answer.get("message") or "–")
    return not_ready(host, what, about, key, **values)


def kernel(host: str, answer: Mapping) -> Checks:
    """Whether the TCP settings exist. The runbook's own key has no effect on any current kernel."""
    told = answer.get("done") or []
    absent = [one for one in told if one["message"] == "sysctl_absent"]
    for one in absent:
        yield not_ready(host, "kernel", one["values"]["name"], "ready_says", text=one["text"])
    if not absent:
        yield acted(host, "kernel", "", answer, "settings")


def rotation(host: str, answer: Mapping) -> Checks:
    """Whether logs can be rotated, also if that is refused while space may be freed."""
    said = {one["message"]: one for one in answer.get("done") or []}
    refusals = [said[message] for message in ROTATION_REFUSALS if message in said]
    if refusals:
        yield refused(host, "rotation", "", {"done": refusals})
    elif KEEPS_ITS_LOG in said:
        yield ready(host, "rotation")
    else:
        yield acted(host, "rotation", "", answer, "method")


def calibration(host: str, answer: Mapping) -> Checks:
    """Whether tonight's trades would allow a refit, and what Aurora's own code says about its model."""
    yield acted(host, "calibration", "refit", answer, "trades")
    before = answer["model"]["before"] if "model" in answer else {}
    if before.get("valid") is False:
        yield not_ready(host, "calibration", "calibration.validate()", "ready_says", text=before["says"] or "–")


def records(host: str, found: Mapping) -> Checks:
    """Whether every record can be read, and nobody changed one."""
    broken = [one for one in found["incidents"] if one["chain"]["whole"] is not True]
    for one in broken:
        yield not_ready(host, "records", one["id"], "ready_says", text=one["chain"]["problem"] or "–")
    if found.get("msg"):
        yield not_ready(host, "records", "", "ready_says", text=found["msg"])
    elif not broken:
        yield ready(host, "records")
