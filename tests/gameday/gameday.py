# SPDX-License-Identifier: GPL-3.0-or-later
"""Inject random faults of the lab, let everything run from the alert to the record, and score the result.

``./dev gameday`` runs this in the project's environment. Prometheus, Alertmanager, ansible-rulebook and the playbooks
do their work as in ``./dev watch``; this injects faults, waits, mends what is left to a person, and keeps the score
(score.py). The results of a game are in ``.dev/gameday/<seed>-<time>``: result.json, the post-mortems and the log.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lab"), str(HERE.parent / "integration")]

import helpers  # the paths above are what makes these importable
import lab
import plan
import score
import signs
import watch
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators

GAMES = lab.STATE.parent / "gameday"
ANSWER_SECONDS = 420  # from when an alert can fire until the runbook is done with the fault
CONTROL_SECONDS = 60  # length of a round without a fault, which is longer than an alert takes to fire
OVER_SECONDS = 180  # longest time from mending until alerts are resolved and incidents closed
ROUND_SECONDS = 240  # about the length of a round; none begins that would not end in time
POLL_SECONDS = 2
PROBE_SECONDS, PROBES = 5, 2  # how often it is looked from outside, and how many failures in a row are an alert
OUTSIDE = "SseAvailabilitySLOViolation"
RECORDS = "cd /var/lib/aurora-runbook/incidents 2>/dev/null && grep -H . *.jsonl || true"
# What a run may change on a host beside what a footprint has.
BESIDE = r"""
systemctl show --property=Id,MemoryMax,CPUQuotaPerSecUSec aurora-runner aurora-live-feed nginx
find /opt/aurora/models -type f -printf '%p %s %T@\n' | sort
cat /proc/sys/net/ipv4/tcp_slow_start_after_idle /proc/sys/net/ipv4/tcp_autocorking \
    /proc/sys/net/ipv4/tcp_thin_linear_timeouts /proc/sys/net/ipv4/tcp_notsent_lowat
"""
CLAIM = r"""grep -l '"released": false' /var/lib/aurora-runbook/claim.json 2>/dev/null || true"""
LEASES = "ls /var/lib/aurora-runbook/leases/*.json 2>/dev/null || true"


class Pager:
    """The contact of the game: takes pages on this machine as an HTTP service does."""

    def __init__(self) -> None:
        self.pages: list[tuple[float, str]] = []  # when, and the first line
        pages = self.pages

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                pages.append((time.time(), str(body.get("title", ""))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Nothing: the score has it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def contacts(self) -> dict:
        return {"L1": [{"name": "game", "url": f"json://127.0.0.1:{self._server.server_port}/"}]}

    def told_of(self, host: str, began: float) -> list[str]:
        return [title for at, title in self.pages if at >= began and host in title]


class Probe:
    """A look from outside every few seconds, whose alert Alertmanager gets: no rule sees what clients do not reach.

    In production that is a blackbox probe; docs/eda.md says so.
    """

    def __init__(self) -> None:
        self._failed: dict[str, int] = {}
        self._ended = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(PROBE_SECONDS):
            for host, address in lab.aurora_hosts().items():
                before, reached = self._failed.get(host, 0), lab.Host(host, address).is_reached()
                self._failed[host] = 0 if reached else before + 1
                if self._failed[host] >= PROBES or (reached and before >= PROBES):
                    self.tell(host, firing=not reached)

    @staticmethod
    def tell(host: str, *, firing: bool) -> None:
        until = datetime.now(timezone.utc) + timedelta(seconds=60 if firing else 0)
        labels = {"alertname": OUTSIDE, "instance": f"{host}:443", "severity": "P0", "job": "outside"}
        body = json.dumps([{"labels": labels, "endsAt": until.isoformat()}]).encode()
        url = f"http://{lab.state()['hosts']['monitor1']['address']}:{watch.ALERTMANAGER}/api/v2/alerts"
        asked = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        try:
            urllib.request.urlopen(asked, timeout=5).close()
        except OSError as error:
            lab.say(f"the probe could not tell Alertmanager: {error}")


def records(host: str) -> dict[str, list[Mapping]]:
    """All lines of a host's records by the id of their incident, read past the collection."""
    found: dict[str, list[Mapping]] = {}
    for line in lab.inside(host, "sh", "-c", RECORDS).splitlines():
        name, _colon, entry = line.partition(".jsonl:")
        with contextlib.suppress(ValueError):  # a line that is being written
            found.setdefault(name, []).append(json.loads(entry))
    return found


def each(hosts, call) -> dict:
    """What a call gives for each host, asked of all at once."""
    with ThreadPoolExecutor(8) as pool:
        return dict(zip(hosts, pool.map(call, hosts), strict=True))


def standing(host: str) -> str:
    """Everything that a run which does nothing to a host leaves as it was."""
    return helpers.footprint(host) + lab.inside(host, "sh", "-c", BESIDE)


def wait(condition, seconds: float) -> bool:
    """Wait until it holds; whether it did in time."""
    deadline = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return holds


def inject(played: plan.Round) -> float:
    """Inject all faults of a round at once; returns when. No sign is awaited, as a run may cure a fault before that."""
    began = time.time()
    for one in played.injections:
        lab.inject(one.fault, [one.host])
    for one in played.injections:
        if one.cured_after is not None:
            time.sleep(max(0.0, began + one.cured_after - time.time()))
            lab.mend_host((one.host, lab.aurora_hosts()[one.host]))
            lab.say(f"{one.fault} on {one.host} is over by itself after {one.cured_after} s")
    return began


def play(number: int, played: plan.Round, pager: Pager, process: subprocess.Popen) -> list[score.Row]:
    """One round: inject, let the runbook work, judge, mend as a person would, give back."""
    hosts = lab.aurora_hosts()
    before = each(hosts, standing)
    lab.say(f"round {number}, {played.kind}: {told(played)}")
    began = inject(played)

    def entries(host: str) -> dict[str, list[Mapping]]:
        return score.since(records(host), began)

    stay = [one for one in played.injections if one.cured_after is None]

    def is_done() -> bool:
        watch.webhook.check(process, watch.LOG)
        return all(score.has_ended(lab.FAULTS[one.fault], entries(one.host)) for one in stay)

    if stay:
        wait(is_done, ANSWER_SECONDS + max(seconds_to_alert(lab.FAULTS[one.fault].incident) for one in stay))
    else:
        time.sleep(CONTROL_SECONDS)
    still = {one: still_shows(one, stay) for one in stay if lab.FAULTS[one.fault].expect == "recovered"}
    after, then = each(hosts, standing), each(hosts, entries)
    lab.mend()
    wait(lambda: not watch.alerts() and not any(each(hosts, is_claimed).values()), OVER_SECONDS)
    each(hosts, close)
    left = {one.host: give_back(one.host) for one in played.injections}
    injected = {one.host for one in played.injections}
    seen = {
        host: score.Seen(
            host, began, then[host], entries(host),
            still={one.fault: shows for one, shows in still.items() if one.host == host},
            touched=host not in injected and before[host] != after[host],
            pages=pager.told_of(host, began), open=open_incidents(host), left=left.get(host, ""),
        )
        for host in hosts
    }  # fmt: skip
    return list(score.rows(number, played, seen, lab.FAULTS))


def seconds_to_alert(incident: str) -> float:
    """How long an alert may take to see its fault: a share of all events rises over the whole of its window."""
    indicator = _indicators.INDICATORS[incident]
    return indicator.over_seconds if indicator.kind == "ratio" else 0.0


def told(played: plan.Round) -> str:
    return ", ".join(f"{one.fault} on {one.host}" for one in played.injections) or "nothing may happen"


def still_shows(one: plan.Injection, injected: Sequence[plan.Injection]) -> bool | None:
    """Whether a fault still shows on its host; None when nobody can tell.

    A host on which nothing but cured faults is left has to be well too: a page that is silent shows no fault either.
    """
    host = {one.host: lab.aurora_hosts()[one.host]}
    try:
        if all(lab.FAULTS[other.fault].expect == "recovered" for other in injected if other.host == one.host):
            lab.await_sign(signs.WELL, host)
        return lab.FAULTS[one.fault].shows.holds(lab.Host(one.host, host[one.host]))
    except lab.LabError as error:
        lab.say(str(error))
        return None


def open_incidents(host: str) -> list[str]:
    return [name for name, lines in records(host).items() if lines[-1]["open"]]


def is_claimed(host: str) -> bool:
    """Whether a run works on a host."""
    return bool(lab.inside(host, "sh", "-c", CLAIM))


def close(host: str) -> None:
    """As a person who mended the cause: run the remediation again, which closes what it sees recovered."""
    for incident in sorted({name.split("-")[0] for name in open_incidents(host)}):
        if (lab.CHECKOUT / "playbooks" / f"remediate_{incident}.yml").exists():
            command("ansible-playbook", f"aurora.runbook.remediate_{incident}", "--limit", host)
        else:  # what the runbook has no procedure for is closed by hand
            said = "state=closed who=game text='the fault was taken out'"
            command("ansible", host, "--become", "-m", "aurora.runbook.incident", "-a", said)


def give_back(host: str) -> str:
    """End the leases of a host as a person does in the morning; what is left, "" for nothing."""
    if lab.inside(host, "sh", "-c", LEASES):
        done = command("ansible-playbook", "aurora.runbook.revert", "--limit", host)
        if done.returncode:
            return f"revert.yml said: {done.stdout.strip()[-300:]}"
    try:
        lab.await_sign(signs.WELL, {host: lab.aurora_hosts()[host]})
    except lab.LabError as error:
        return str(error)
    return ""


def command(*argv: str) -> subprocess.CompletedProcess:
    whole = [*argv, "-i", str(watch.WATCH / "inventory")]
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
    return subprocess.run(whole, cwd=lab.CHECKOUT, check=False, **options)


def games(seed: int) -> Iterator[Path]:
    """The folders of games of a seed that left a result, the oldest first."""
    return (path.parent for path in sorted(GAMES.glob(f"{seed}-*/result.json")))


def run(options: argparse.Namespace) -> int:
    folder = GAMES / f"{options.seed}-{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}"
    reports = folder / "reports"
    reports.mkdir(parents=True)
    hosts = sorted(lab.aurora_hosts())
    played = [*games(options.seed)]
    before = json.loads((played[-1] / "result.json").read_text(encoding="utf-8")) if played else {}
    lab.mend()
    pager, found = Pager(), []
    watch.prepare(reports, {"aurora_contacts": pager.contacts})
    log_from = len(logged())
    ends = time.monotonic() + 60 * options.minutes
    try:
        with watch.rulebook() as process, Probe():
            for number, one in enumerate(plan.until(plan.rounds(options.seed, hosts, lab.FAULTS), options.faults), 1):
                if time.monotonic() + ROUND_SECONDS > ends:
                    lab.say(f"{options.minutes} minutes are over before the next round")
                    break
                rows = play(number, one, pager, process)
                found.extend(rows)
                tell_of(rows, reports)
    finally:  # also of a game that was interrupted
        (folder / "rulebook.log").write_bytes(logged()[log_from:])
        result = {"seed": options.seed, "hosts": hosts, "rows": [row.as_json() for row in found]}
        (folder / "result.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
        show(found, before.get("rows", []) if before.get("hosts") == hosts else [], folder)
    return int(score.is_failed(found) or not found)


def logged() -> bytes:
    """What ansible-rulebook and its playbooks printed in this game and before."""
    return watch.LOG.read_bytes() if watch.LOG.exists() else b""


def tell_of(found: Sequence[score.Row], reports: Path) -> None:
    """The post-mortems that the rulebook did not write: it does for what a run closed, not for what a person did."""
    for identity in sorted({row.incident for row in found if row.incident}):
        if not list(reports.glob(f"*{identity}*")):
            about = ["-e", f"aurora_incident_id={identity}", "-e", f"aurora_report_directory={reports}"]
            done = command("ansible-playbook", "aurora.runbook.postmortem", *about)
            if done.returncode:
                lab.say(f"no post-mortem of {identity}: {done.stderr.strip()[-300:]}")


def show(found: Sequence[score.Row], before: Sequence[Mapping], folder: Path) -> None:
    print("\n".join(["", *score.table(found, before), *score.to_mend(found)]))
    lab.say(f"post-mortems, the log of ansible-rulebook and result.json: {folder}")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="./dev gameday", description=__doc__.splitlines()[0])
    top.add_argument("--seed", type=int, required=True)
    top.add_argument("--minutes", type=int, required=True)
    top.add_argument("--faults", type=int)
    return top


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended by kill as by Ctrl-C
    try:
        sys.exit(run(parser().parse_args()))
    except lab.LabError as error:
        sys.exit(f"./dev gameday: {error}")
    except KeyboardInterrupt:
        sys.exit("./dev gameday: interrupted; ./dev mend takes the faults out")
