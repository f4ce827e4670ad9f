# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors that an operator reads. Private to aurora.runbook."""

from __future__ import annotations


class RunbookError(Exception):
    """What failed, on which object, what was seen and expected, and the next step. ``main`` turns it into fail_json."""


class FailedError(RunbookError):
    """A change that could not be made or kept.

    ``said`` are sentences on what stands now, whose English is part of the text. ``left`` is what the module returns
    about that, with ``changed``.
    """

    def __init__(self, text: str, said: list[dict], left: dict | None = None):
        super().__init__("\n".join([text, *(sentence["text"] for sentence in said)]))
        self.said, self.left = said, left or {}


class FetchError(RunbookError):
    """An endpoint did not answer, or not within its limits."""


class NoAnswerError(FetchError):
    """A request was sent and no answer came, so what it asks for may have been done, or may be done later."""


class CommandError(RunbookError):
    """A command is missing, failed or ran out of time."""


class MetricsError(RunbookError):
    """A page is not Prometheus text format."""


class ConflictError(RunbookError):
    """The host has something that we did not write, such as a person's edit, which is left alone."""


class BusyError(RunbookError):
    """Somebody else is changing this host: who, and since when by the host's clock."""

    def __init__(self, holder: str, since: str):
        super().__init__(f"{holder} has been changing this host since {since}; wait for it and run this again")
        self.holder, self.since = holder, since
