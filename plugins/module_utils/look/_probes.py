# SPDX-License-Identifier: GPL-3.0-or-later
"""The triage steps of the runbook, one function each: read one thing, change nothing. Private to aurora.runbook.

Source: runbook, "Тріаж кроки" of sections 1 to 5 and "Збільшити ресурси", "Перевірити конфігурацію" of section 1. Each
returns a dict of plain values, and raises RunbookError, OSError or ValueError if it could not look.
"""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import json
import os
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from functools import partial
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _indicators, _metrics, _prometheus
from ansible_collections.aurora.runbook.plugins.module_utils.base import _command, _http, _names, _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import CommandError, FetchError, RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _firewall, _log_lines, _trades

HOST_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,252}")
JOURNAL_SECONDS = 2.5  # for the journal of each unit, so that all of them fit into the time limit of a probe
TAIL_LINES = 20  # of a log; a log with fewer was just rotated
TAIL_BYTES = 1 << 18
MOST_LINES = 200
UNSYNCHRONIZED = 16_000_000  # microseconds of possible error from which the kernel takes its clock as not synchronised
RATE_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after")


def healthz(url: str, timeout: float, context: ssl.SSLContext | None = None) -> dict:
    """Runbook 1, triage 1: ``curl /healthz``."""
    answer = _http.fetch(url, timeout, context=context)
    return {"status": answer.status, "ok": answer.ok, "seconds": round(answer.seconds, 4), **_dead(answer.dead)}


def _dead(addresses: Sequence[str]) -> dict:
    """The addresses of a name that took no connection, although another one did."""
    return {"dead": list(addresses)} if addresses else {}


def scrapes(
    url: str,
    timeout: float,
    sample_seconds: float,
    token: str = "",
    enough: Callable[[_metrics.Page, _metrics.Page, float], bool] = lambda _before, _after, _seconds: True,
    enough_seconds: float = 0.0,
) -> dict:
    """Runbook 2 to 5, triage: ``curl /metrics``, twice, ``sample_seconds`` apart. Returns pages, not text.

    While these are not ``enough``, the second page is fetched again for up to ``enough_seconds`` more.
    """
    headers = {"X-Auth-Token": token} if token else None

    def page() -> _metrics.Page:
        return _metrics.parse(_http.fetch_metrics(url, timeout, headers))

    before, at = page(), time.monotonic()
    time.sleep(sample_seconds)
    after = page()
    last = at + sample_seconds + enough_seconds
    while (now := time.monotonic()) < last and not enough(before, after, now - at):
        time.sleep(min(1.0, last - now))
        after = page()
    return {"before": before, "after": after, "seconds": time.monotonic() - at}


def promql(
    url: str, instance: str | Sequence[str], names: Sequence[str], timeout: float, label: str = _names.INSTANCE
) -> dict:
    """Indicators of one host by name: ``values`` (null for no result), and ``doubts``, why one cannot be believed.

    All queries are about the same moment, by Prometheus' own clock.
    """
    at = instance_matcher(instance, label)
    now, _value = _prometheus.single(_query(url, "time()", timeout))
    values, doubts = {}, {}
    for name in names:
        indicator = _indicators.INDICATORS[name]
        try:
            found = _prometheus.single(_query(url, indicator.worst(at), timeout, now))
            values[name] = found[1] if found else None
            doubt = _prometheus.doubt(indicator, _query(url, indicator.samples(at), timeout, now), now)
        except FetchError as error:
            doubt = _prometheus.Doubt("unclear", str(error))
        if doubt.problem:
            doubts[name] = asdict(doubt)
    return {"values": values, "doubts": doubts}


def instance_matcher(instance: str | Sequence[str], label: str = _names.INSTANCE) -> str:
    """A PromQL label matcher for one host, with any port and in any form of the label. Raises RunbookError."""
    if not _names.LABEL.fullmatch(label):
        raise RunbookError(f"{label[:80]!r} is not the name of a label; expected letters, digits and underscores")
    return _names.matcher([instance] if isinstance(instance, str) else instance, label)


def _query(url: str, expression: str, timeout: float, now: float | None = None) -> dict:
    moment = "" if now is None else f"&time={now:.3f}"
    answer = _http.fetch(f"{url.rstrip('/')}/api/v1/query?query={quote(expression)}{moment}", timeout)
    try:
        return _prometheus.data(answer.text)
    except FetchError as error:
        status = "" if answer.ok else f" answered {answer.status}"
        raise FetchError(f"{url}{status}: {error}") from None


def exchange(url: str, timeout: float, context: ssl.SSLContext | None) -> dict:
    """Runbook 2, action 3: the exchange's status, and what it says about our rate limit."""
    answer = _http.fetch(url, timeout, context=context)
    return {
        "status": answer.status,
        "seconds": round(answer.seconds, 4),
        "rate_limit": {name: answer.headers[name][:64] for name in RATE_HEADERS if name in answer.headers},
        "body": answer.text[:300],
        **_dead(answer.dead),
    }


def ping(host: str, count: int) -> dict:
    """Runbook 1, triage 3 and 3, triage 2: round trips in ms and loss in percent."""
    if not HOST_NAME.fullmatch(host):
        raise ValueError(f"{host[:80]!r} is not a host name")
    done = _command.run(["ping", "-n", "-q", "-c", str(count), "-i", "0.2", "-W", "1", "-w", "5", "--", host], 8)
    loss = re.search(r"([\d.]+)% packet loss", done.out)
    counts = re.search(r"(\d+) packets transmitted, (\d+) (?:packets )?received", done.out)
    if not loss or not counts:
        raise CommandError(f"ping {host}: {done.last_line}")
    times = re.search(r"= ([\d.]+)/([\d.]+)/([\d.]+)/", done.out)
    low, mean, high = (float(t) for t in times.groups()) if times else (None, None, None)
    sent, received = (int(count) for count in counts.groups())
    trips = {"min_ms": low, "avg_ms": mean, "max_ms": high}
    return {"host": host, "loss_percent": float(loss[1]), "sent": sent, "received": received, **trips}


def journal(unit: str) -> dict:
    """Runbook 1, triage 2: ``journalctl -u``."""
    return {"lines": _systemd.journal(_command.run, unit)}


def log_tail(path: str, owner: str) -> dict:
    """Runbook 1, triage 2 and 5, triage 2: ``tail`` of a log of the service's user.

    A log that was just rotated is short, and its writer may still write into the rotated file, whose lines then come
    first. ``unread`` says why it could not be read.
    """
    tail = _log_lines.read(path, owner, TAIL_BYTES, TAIL_LINES)
    lines = [line.decode("utf-8", "replace") for line in tail.lines[-MOST_LINES:]]
    age = round(time.time() - tail.modified, 1)
    unread = {"unread": tail.unread} if tail.unread else {}
    return {"path": path, "lines": lines, "bytes": tail.size, "age_seconds": age, **unread}


def trades(path: str, owner: str, home: str, runner: str) -> dict:
    """Runbook 5, triage 2: whether a model may be fitted to the trades, and the numbers for that."""
    days, limits = _trades.site(owner, home, runner).days, _trades.Limits()
    lines = _trades.read_log(path, owner, _trades.log_size(limits.min_trades), limits.min_trades)
    found = _trades.examine(lines, days, time.time())
    cause, message, values = _trades.objection(found, days, limits) or ("", "", {})
    return {"days": days, **asdict(found), "cause": cause, "message": message, "values": values}


def model_valid(user: str, home: str, runner: str, limit: float) -> dict:
    """Runbook 5, triage 3: ``calibration.validate()``, run as the service's user; null if it cannot be asked."""
    valid, says = _trades.validate(_trades.site(user, home, runner), limit)
    return {"valid": valid, "says": says}


def units(names: Mapping[str, str]) -> dict:
    """Runbook 1, action 4: ``systemctl status`` by role, with use and limits in bytes and nanoseconds of CPU.

    ``crashes``, ``killed`` and ``killed_for_memory`` are recent ones, ``restarts`` is what systemd counts.
    """
    found = _systemd.show(_command.run, names.values())
    journal = partial(_command.run, timeout=JOURNAL_SECONDS)
    return {role: _unit(role, unit, _systemd.crashes(journal, unit)) for role, unit in zip(names, found)}


def _unit(role: str, unit: _systemd.Unit, crashes: _systemd.Crashes) -> dict:
    return {
        "role": role,
        "id": unit.id,
        "state": unit.state,
        "phase": unit.phase,
        "running": unit.running,
        "loaded": unit["LoadState"],
        "restarts": unit.number("NRestarts"),
        "crashes": crashes.count,
        "killed": crashes.killed,
        "killed_for_memory": crashes.memory,
        "since": unit["ActiveEnterTimestamp"],
        "up_seconds": unit.up_seconds,
        "result": unit["Result"],
        "pid": unit.pid,
        "memory": unit.number("MemoryCurrent"),
        "memory_own": _systemd.anonymous_memory(unit["ControlGroup"]),
        "memory_high": unit.number("MemoryHigh"),
        "memory_max": unit.number("MemoryMax"),
        "cpu_nsec": unit.number("CPUUsageNSec"),
        "cpu_quota_percent": _percent(_systemd.timespan(unit["CPUQuotaPerSecUSec"])),
    }


def _percent(quota: float | None) -> float | None:
    return None if quota is None else round(100 * quota, 1)


def load(seconds: float, names: Mapping[str, str]) -> dict:
    """Runbook 1, action 2 and 3, triage 3: ``top``: load, CPU in use, and who uses it (percent of one core).

    ``own_percent`` is the part of ``busy_percent`` that this host's processes use. It is less in a container or a
    virtual machine, or while the kernel itself is busy.

    ``units`` has the use of the units by role, for processes that lived through the sample, and ``waiting``, the
    percentage of the time in which they were ready to run and had no core. ``throttled`` is the percentage in which the
    kernel held them back for their quota, null if that is unknown.
    """
    groups = _control_groups(names)
    held = {role: _systemd.throttled(group) for role, group in groups.items()}
    before, idle, total, started = _cpu_by_process(), *_cpu_totals(), time.monotonic()
    time.sleep(max(seconds, 0.2))
    after, idle_after, total_after, ended = _cpu_by_process(), *_cpu_totals(), time.monotonic()
    window = max(total_after - total, 1) / (os.cpu_count() or 1)
    used = {pid: (now.name, now.ticks - before.get(pid, now).ticks) for pid, now in after.items()}
    waited = {pid: now.waited - before.get(pid, now).waited for pid, now in after.items()}
    busiest = sorted(used.items(), key=lambda item: -item[1][1])[:3]
    owners = {pid: _systemd.units_of(pid) for pid, (_name, ticks) in used.items() if ticks or waited[pid]}
    mine = {role: [pid for pid, units in owners.items() if unit in units] for role, unit in names.items()}
    return {
        "load": [round(figure, 2) for figure in os.getloadavg()],
        "cores": os.cpu_count(),
        "busy_percent": round(100 * (1 - (idle_after - idle) / max(total_after - total, 1)), 1),
        "own_percent": round(100 * sum(ticks for _name, ticks in used.values()) / max(total_after - total, 1), 1),
        "processes": [
            {"pid": pid, "name": name, "cpu_percent": round(100 * ticks / window, 1)}
            for pid, (name, ticks) in busiest
            if ticks
        ],
        "units": {role: round(100 * sum(used[pid][1] for pid in pids) / window, 1) for role, pids in mine.items()},
        "waiting": {
            role: _percent_of_time(max((waited[pid] for pid in pids), default=0) / 1e9, ended - started)
            for role, pids in mine.items()
        },
        "throttled": {
            role: _held_back(held[role], _systemd.throttled(group), ended - started) for role, group in groups.items()
        },
    }


def _percent_of_time(spent: float, seconds: float) -> float:
    """No more than 100, because the kernel counts a wait at its end, also the part before the sample began."""
    return round(min(100.0, 100 * spent / seconds), 1)


def _control_groups(names: Mapping[str, str]) -> dict[str, str]:
    """The units' control groups by role, empty if systemd does not answer."""
    with contextlib.suppress(RunbookError):
        return {role: unit["ControlGroup"] for role, unit in zip(names, _systemd.show(_command.run, names.values()))}
    return {}


def _held_back(before: float | None, after: float | None, seconds: float) -> float | None:
    """In percent of the time; each core counts. Null for a unit that was restarted, because its count restarted too."""
    if before is None or after is None or after < before:
        return None
    return _percent_of_time(after - before, seconds)


def _cpu_totals() -> tuple[int, int]:
    with open("/proc/stat", encoding="ascii") as file:
        fields = [int(field) for field in file.readline().split()[1:9]]
    return fields[3] + fields[4], sum(fields)


class _Cpu(NamedTuple):
    """A process: its name, the CPU it used in clock ticks, and how long it waited for a core in ns."""

    name: str
    ticks: int
    waited: int


def _cpu_by_process() -> dict[int, _Cpu]:
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    head, _paren, tail = file.read().rpartition(")")
            except OSError:  # the process ended meanwhile
                continue
            fields = tail.split()
            found[int(name)] = _Cpu(head.partition("(")[2], int(fields[11]) + int(fields[12]), _waited(name))
    return found


def _waited(pid: str) -> int:
    """0 if the process ended meanwhile, and on a kernel that does not count it."""
    try:
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[1])
    except OSError:
        return 0


def memory() -> dict:
    """Runbook 1, action 2: ``free -h``, in bytes."""
    with open("/proc/meminfo", encoding="ascii") as file:
        sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in file}
    return {"total": sizes["MemTotal"], "available": sizes["MemAvailable"]}


def disks(paths: Sequence[str]) -> dict:
    """Runbook 1, action 2: ``df -h`` and inodes by path, as df counts them; each filesystem once, at its first path."""
    here = [path for path in paths if os.path.exists(path)]
    if not here:
        raise FileNotFoundError(f"none of {', '.join(paths)} is on this host")
    first: dict[int, str] = {}
    for path in here:
        first.setdefault(os.stat(path).st_dev, path)
    return {"paths": {path: _disk(path) for path in first.values()}}


def _disk(path: str) -> dict:
    figures = os.statvfs(path)
    return {
        "free_bytes": figures.f_bavail * figures.f_frsize,
        "used_percent": _used(figures.f_blocks - figures.f_bfree, figures.f_bavail),
        "inodes_used_percent": _used(figures.f_files - figures.f_ffree, figures.f_favail),
    }


def _used(used: int, available: int) -> float:
    return round(100 * used / (used + available), 1) if used + available else 0.0


def iostat() -> dict:
    """Runbook 3, triage 3: ``iostat -x``, one second of each device."""
    done = _command.run(["iostat", "-dxy", "-o", "JSON", "1", "1"], 6)
    if done.rc != 0:
        raise CommandError(f"iostat: {done.last_line or done.rc}")
    # With -y, sysstat 11.6 to 12.1.4 prints a separator also for the report that it leaves out.
    text = re.sub(r"([\[{])\s*,|,(?=\s*[\]}])", r"\1", done.out)
    try:
        disks = json.loads(text)["sysstat"]["hosts"][0]["statistics"][0]["disk"]
        used = {disk["disk_device"]: disk["util"] for disk in disks if "util" in disk}  # a column may be missing
    except (KeyError, IndexError, TypeError, ValueError):
        used = None
    if used is None or not all(isinstance(value, (int, float)) for value in used.values()):
        raise CommandError("iostat: what it wrote is not sysstat's JSON; see iostat -V and iostat -dxy -o JSON 1 1")
    return {"devices": {name: {"util_percent": value} for name, value in used.items()}}


def dns(names: Sequence[str]) -> dict:
    """Runbook 1, triage 3: ``nslookup``."""
    found = {}
    for name in names:
        try:
            found[name] = sorted({info[4][0] for info in socket.getaddrinfo(name, None)})
        except OSError as error:
            raise RunbookError(f"{name} does not resolve: {error.strerror or error}") from error
    return {"addresses": found}


def firewall() -> dict:
    """Runbook 1, triage 3: what ``ufw status`` shows, from the kernel, because ufw itself costs 0.15 s of CPU.

    ``rules`` are the parts of the filter table for IPv4 that can decide about clients, ``rules6`` those for IPv6 (empty
    if it cannot be read); ``interfaces`` are those that lead outside, ``addresses`` all of this host.
    """
    found = {}
    for name, command in (("rules", "iptables"), ("rules6", "ip6tables")):
        try:
            done = _command.run([command, "--wait", "1", "--list-rules"], 8)
        except CommandError as error:
            done = _command.Completed(1, "", str(error))
        if done.rc != 0 and name == "rules":
            raise CommandError(f"{command}: {done.last_line}")
        found[name] = _firewall.of_input(done.out.splitlines()) if done.rc == 0 else []
    active = "-N ufw-user-input" in found["rules"]
    return {"active": active, **found, "interfaces": _outer_interfaces(), "addresses": _own_addresses()}


def _outer_interfaces() -> list[str]:
    """The interfaces of default routes; if there is none, all but the loopback."""
    routes = [line.split() for line in _lines("/proc/net/route")[1:]]
    routes6 = [line.split() for line in _lines("/proc/net/ipv6_route")]
    found = {fields[0] for fields in routes if len(fields) > 7 and fields[1] == fields[7] == "00000000"}
    found |= {fields[9] for fields in routes6 if len(fields) > 9 and fields[0] == "0" * 32 and fields[1] == "00"}
    return sorted(found - {"lo"} or {name for _index, name in socket.if_nameindex()} - {"lo"})


def _own_addresses() -> list[str]:
    lines = _lines("/proc/net/fib_trie")
    found = {line.split()[-1] for line, below in zip(lines, lines[1:]) if "/32 host LOCAL" in below}
    found |= {fields[0] for fields in map(str.split, _lines("/proc/net/if_inet6")) if fields}
    addresses = {
        ipaddress.IPv6Address(int(text, 16)) if len(text) == 32 else ipaddress.ip_address(text) for text in found
    }
    return sorted(str(address) for address in addresses if not (address.is_loopback or address.is_link_local))


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().splitlines()
    except OSError:  # the kernel has no IPv6
        return []


def nginx_config() -> dict:
    """Runbook 1, action 4: ``nginx -t``."""
    done = _command.run(["nginx", "-t", "-q"], 8)
    return {"valid": done.rc == 0, "message": _worst_first(done.err)[:500]}


_LEVELS = ("emerg", "alert", "crit", "error")  # nginx's levels, the worst first


def _worst_first(said: str) -> str:
    """The output of nginx -t, with the lines that prevent its start before the warnings, however many those are."""
    lines = [line for line in said.strip().splitlines() if line]
    level = {line: next((n for n, name in enumerate(_LEVELS) if f"[{name}]" in line), len(_LEVELS)) for line in lines}
    return "\n".join(sorted(lines, key=level.__getitem__))


def certificate(url: str, timeout: float, context: ssl.SSLContext) -> dict:
    """Runbook 1, possible causes: the certificate that a client of the public address meets."""
    target = urlsplit(url)
    sock, dead = _http.connect(target.hostname, target.port or 443, timeout)
    with sock as plain, context.wrap_socket(plain, server_hostname=target.hostname) as secured:
        ends = ssl.cert_time_to_seconds(secured.getpeercert()["notAfter"])
    return {
        "not_after": datetime.fromtimestamp(ends, timezone.utc).isoformat(),
        "days_left": round((ends - time.time()) / 86400, 1),
        **_dead(dead),
    }


class _Timex(ctypes.Structure):
    """The fields of adjtimex(2), as far as they are read here; ``modes`` 0 changes nothing."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("rest", ctypes.c_byte * 512),
    )


def clock() -> dict:
    """Whether a time service synchronises the kernel's clock; timedatectl would have to wake a service for it."""
    libc, said = ctypes.CDLL(None, use_errno=True), _Timex()
    if libc.adjtimex(ctypes.byref(said)) < 0:
        raise OSError(ctypes.get_errno(), f"adjtimex: {os.strerror(ctypes.get_errno())}")
    return {"synchronized": said.maxerror < UNSYNCHRONIZED, "max_error_seconds": said.maxerror / 1e6}
