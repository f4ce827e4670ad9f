# SPDX-License-Identifier: GPL-3.0-or-later
"""What a game day injects, and in which order: the same for the same seed, hosts and faults. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from faults import Fault

ONE, TWO_HOSTS, ONE_HOST, NONE, CURED = ("one", "two hosts", "two on one host", "no fault", "cures itself")
# Each block of rounds has all of these, in an order of its own.
BLOCK = (ONE, ONE, TWO_HOSTS, ONE_HOST, NONE, CURED)
# Seconds after which a fault is over by itself: before its alert can fire, and while a run may be at work.
CURED_AFTER = (4, 45)
OF_FEED = ("sse_availability", "reconnects")
OF_ALL_HOSTS = "sse_dns"  # it breaks what all hosts of a lab share
# These end or starve more than one service, so that the other fault on that host could not be told from them.
NEVER_BESIDE = ("sse_disk_full", "breaker_runner_down", "breaker_runner_crash_loop", "latency_local_cpu", OF_ALL_HOSTS)


@dataclass(frozen=True)
class Injection:
    """A fault on a host; ``cured_after`` seconds it is taken out again, None where that is left to the runbook."""

    host: str
    fault: str
    cured_after: int | None = None


@dataclass(frozen=True)
class Round:
    """What is injected at once; a host without an injection is a control, which nothing may touch."""

    kind: str
    injections: tuple[Injection, ...]


def rounds(seed: int, hosts: Sequence[str], faults: Mapping[str, Fault]) -> Iterator[Round]:
    """Rounds without an end. Every fault has its turn before one comes again. Two hosts at least."""
    chance = Random(seed)
    bag: list[str] = []

    def drawn(fits) -> str:
        while True:
            for name in bag:
                if fits(name):
                    bag.remove(name)
                    return name
            bag.extend(chance.sample(sorted(faults), len(faults)))

    def not_shared(name: str) -> bool:
        return name != OF_ALL_HOSTS

    while True:
        for kind in chance.sample(BLOCK, len(BLOCK)):
            first, second = chance.sample(list(hosts), 2)
            if kind == NONE:
                found = ()
            elif kind == ONE:
                name = drawn(lambda _name: True)
                found = tuple(Injection(host, name) for host in (hosts if name == OF_ALL_HOSTS else [first]))
            elif kind == TWO_HOSTS:
                found = tuple(Injection(host, drawn(not_shared)) for host in (first, second))
            elif kind == ONE_HOST:
                feed = drawn(lambda name: is_of_feed(faults[name]) and name not in NEVER_BESIDE)
                other = drawn(lambda name: not is_of_feed(faults[name]) and name not in NEVER_BESIDE)
                found = (Injection(first, feed), Injection(first, other))
            else:
                found = (Injection(first, drawn(not_shared), chance.randint(*CURED_AFTER)),)
            yield Round(kind, found)


def is_of_feed(fault: Fault) -> bool:
    """Whether a fault is on the way of events to clients; the others are in the trading loop or beyond it."""
    return fault.incident in OF_FEED


def until(found: Iterator[Round], injections: int | None) -> Iterator[Round]:
    """Rounds until so many faults were injected; without an end where that is None."""
    for one in found:
        yield one
        if injections is not None:
            injections -= len(one.injections)
            if injections <= 0:
                return
