# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory and CPU limits of a unit, which systemd applies to the running service. Private to aurora.runbook.

Source: runbook, section 1, action 2, "Збільшити ресурси". A limit is written as people write it in a unit: 512M, 50%.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from ansible_collections.aurora.runbook.plugins.module_utils.base import _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError

OPTIONS = {"memory_max": "MemoryMax", "memory_high": "MemoryHigh", "cpu_quota": "CPUQuota"}
NAMES = tuple(OPTIONS.values())
LOWEST_MEMORY = 16 << 20
SIZES = {"G": 1 << 30, "M": 1 << 20, "": 1}
MICROSECONDS = {"us": 1, "ms": 1000, "s": 10**6, "min": 60 * 10**6, "h": 3600 * 10**6}
CGROUPS = "/sys/fs/cgroup"
# Files of cgroup v2, then of v1, where MemoryHigh has none.
FILES = {
    "MemoryMax": ("{root}{group}/memory.max", "{root}/memory{group}/memory.limit_in_bytes"),
    "MemoryHigh": ("{root}{group}/memory.high",),
    "CPUQuota": ("{root}{group}/cpu.max", "{root}/cpu{group}/cpu.cfs_quota_us"),
}


def wanted(options: Mapping[str, str | None], memory: int, cores: int) -> dict[str, str]:
    """The limits asked for, by systemd's names. Raises RunbookError for an invalid limit, or one beyond the host."""
    return {OPTIONS[name]: _checked(name, text, memory, cores) for name, text in options.items() if text is not None}


def _checked(option: str, text: str, memory: int, cores: int) -> str:
    if option == "cpu_quota":
        percent = re.fullmatch(r"([1-9]\d{0,6})%", text, re.ASCII)
        if percent and int(percent[1]) <= 100 * cores:
            return text
        expected = f"1% to {100 * cores}%, 100% for each core of the host"
    else:
        size = re.fullmatch(r"([1-9]\d{0,6})([MG])", text, re.ASCII)
        if size and LOWEST_MEMORY <= (amount := int(size[1]) * SIZES[size[2]]) <= memory:
            return _size(amount)
        expected = f"a whole number with M or G, 16M to the {memory >> 20}M of the host"
    raise RunbookError(f"limits: {option}={text[:40]} is refused; expected {expected}")


def host() -> tuple[int, int]:
    """The host's memory in bytes and its cores."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), os.cpu_count() or 1


def present(unit: _systemd.Unit, name: str) -> str | None:
    """What systemd says a limit is now; None if there is none."""
    if name == "CPUQuota":
        microseconds = _microseconds(unit["CPUQuotaPerSecUSec"])
        return None if microseconds is None else f"{microseconds / 10000:.10g}%"
    amount = unit.number(name)
    return None if amount is None else _size(amount)


def reaches(now: str | None, value: str) -> bool:
    """Whether a limit is at least as wide as wanted."""
    return now is None or amount(now) >= amount(value)


def lower(text: str, value: str) -> bool:
    """Whether the value in a unit's file is less than a limit. For other notations, systemd's answer will show it."""
    alike = text.endswith("%") == value.endswith("%")
    return alike and bool(re.fullmatch(r"[1-9]\d{0,15}[MG%]?", text)) and not reaches(text, value)


def amount(text: str) -> float:
    """A size in bytes, or a quota in microseconds a second."""
    if text.endswith("%"):
        return float(text[:-1]) * 10000
    unit = text[-1] if text[-1] in "MG" else ""
    return int(text.removesuffix(unit)) * SIZES[unit]


def _size(amount: int) -> str:
    unit = next(unit for unit, size in SIZES.items() if amount % size == 0)
    return f"{amount // SIZES[unit]}{unit}"


def _microseconds(text: str) -> float | None:
    """A time in systemd's notation (500ms, 1.500000s, 2min 30s) in microseconds; None for infinity."""
    parts = re.findall(r"([\d.]+)(us|ms|s|min|h)\b", text)
    return sum(float(figure) * MICROSECONDS[unit] for figure, unit in parts) if parts else None


def objection(unit: _systemd.Unit, limits: Mapping[str, str], root: str = CGROUPS) -> str:
    """Which limit is less than wanted, according to systemd or the kernel; "" if none is."""
    for name, value in limits.items():
        now = present(unit, name)
        if not reaches(now, value):
            others = unit["DropInPaths"] or "none"
            return f"{name} is {now} instead of {value}: a drop-in that sorts after ours overrides it, one of {others}"
        for path, enforced in _enforced(unit, name, root):
            if enforced is not None and enforced < amount(value):
                return f"{path} holds less than {name}={value}: the kernel did not accept it"
    return ""


def _enforced(unit: _systemd.Unit, name: str, root: str) -> Iterator[tuple[str, float | None]]:
    """What the kernel enforces on the running service, if that can be read; None means no limit."""
    if not unit["ControlGroup"].strip("/"):
        return
    for pattern in FILES[name]:
        path = pattern.format(root=root, group=unit["ControlGroup"])
        try:
            with open(path, encoding="ascii") as file:
                words = file.read().split()
            if path.endswith("cpu.cfs_quota_us"):
                with open(path.replace("quota", "period"), encoding="ascii") as file:
                    words += file.read().split()
        except OSError:  # the other version of cgroups, or a service that is not running
            continue
        figures = [int(word) if word.isdigit() else None for word in words]
        if None in figures:
            yield path, None
        else:
            yield path, round(figures[0] / figures[1] * 10**6) if name == "CPUQuota" else figures[0]
