# SPDX-License-Identifier: GPL-3.0-or-later
"""Circuit breaker over the outcomes of the last decisions considered."""

from __future__ import annotations

from collections import deque
from enum import IntEnum


class State(IntEnum):
    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Breaker:
    WINDOW = 20
    TRIP_RATIO = 0.6
    PROBES = 5
    PROBES_TO_CLOSE = 4

    def __init__(self, pause: float) -> None:
        self.pause = pause
        self.era = 0
        self._enter(State.CLOSED, 0.0)

    def _enter(self, state: State, now: float) -> None:
        self.state = state
        self.entered = now
        self.era += 1
        self.admitted = 0
        self.results: deque[bool] = deque(maxlen=self.WINDOW)

    def admit(self, now: float) -> int | None:
        """A ticket for one decision, or None while trading is suspended."""
        if self.state is State.OPEN and now - self.entered >= self.pause:
            self._enter(State.HALF_OPEN, now)
        if self.state is State.OPEN or (self.state is State.HALF_OPEN and self.admitted == self.PROBES):
            return None
        self.admitted += 1
        return self.era

    def record(self, ticket: int, allowed: bool, now: float) -> None:
        """Note how a decision ended; one admitted before the last change of state no longer counts."""
        if ticket != self.era:
            return
        self.results.append(allowed)
        denied = self.results.count(False)
        if self.state is State.HALF_OPEN:
            if denied > self.PROBES - self.PROBES_TO_CLOSE:
                self._enter(State.OPEN, now)
            elif len(self.results) - denied >= self.PROBES_TO_CLOSE:
                self._enter(State.CLOSED, now)
        elif len(self.results) == self.WINDOW and denied >= self.TRIP_RATIO * self.WINDOW:
            self._enter(State.OPEN, now)
