# SPDX-License-Identifier: GPL-3.0-or-later
"""Send messages through Apprise's services, and report which took them. Private to aurora.runbook; controller only.

The URL of a channel is a secret, and so is what a service or library says about it: only the kind of problem and an
HTTP status leave this module.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import re
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from urllib.parse import urlsplit

from ansible_collections.aurora.runbook.plugins.module_utils.base import _http, _parallel, _redact
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError

MAX_TITLE, MAX_BODY, MAX_LINE = 250, 10000, 2000
OLDEST = "1.7.3"  # of Apprise: in older versions, threads that create the first objects see only some of its services
SMALL = 1000  # characters; a service that takes less is a phone, which gets the beginning instead of a dozen pieces


@dataclass(frozen=True)
class Channel:
    """A contact: the name that is shown, and the URL that never is."""

    name: str
    url: str = field(repr=False)


@dataclass(frozen=True)
class Message:
    """Plain text."""

    title: str
    body: str
    key: str


def channels(option: str, given: Sequence[object]) -> list[Channel]:
    """Channels from dicts with name and url, both texts. Raises RunbookError, without what was given."""
    found = []
    for place, one in enumerate(given or (), 1):
        right = isinstance(one, Mapping) and set(one) == {"name", "url"}
        if not right or not all(isinstance(value, str) for value in one.values()) or not one["name"].strip():
            raise RunbookError(f"{option}: entry {place} is refused; expected a dict with name and url, and no more")
        url = one["url"].strip()
        # Where the secret of a URL is not set, only its options are left, such as "?to=alerts@example.com".
        url = "" if url.startswith("?") else url
        found.append(Channel(_redact.redact(one["name"], [one["url"]], 80), url))
    return found


def message(title: str, body: str, key: str, secrets: Sequence[str]) -> Message:
    """The message to send, cut rather than refused, because somebody has to know. Raises RunbookError for a bad key."""
    if not re.fullmatch(r"[\w.:-]{0,200}", key, re.ASCII):
        raise RunbookError(f"key {key[:80]!r} is refused; expected at most 200 letters, digits and . : _ -")
    title, body = (text.encode("utf-8", "replace").decode("utf-8") for text in (title, body))
    lines = _redact.redact_lines(body.splitlines(), secrets, MAX_LINE)
    whole = "\n".join(lines)[:MAX_BODY]
    return Message(_redact.redact(title, secrets, MAX_TITLE), f"{whole}\n\n{key}" if key else whole, key)


@dataclass(frozen=True)
class Told:
    """The channels that took a message, the others with the problem, and the seconds that Apprise and each one took."""

    sent: list[str]
    unsent: list[dict[str, str]]
    loading: float
    seconds: list[dict[str, object]]


def too_old(apprise: ModuleType) -> str:
    """The version of Apprise if it is older than OLDEST, otherwise ""."""
    found = str(getattr(apprise, "__version__", "0"))
    return found if _numbers(found) < _numbers(OLDEST) else ""


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:3]]


def tell(apprise: ModuleType, told: Sequence[Channel], text: Message, seconds: float) -> Told:
    """Send to every channel at once, each within its time, which begins when Apprise has loaded its services."""
    with _listening() as said:
        loading = _load(apprise) if told else 0.0
        probes = {str(place): (_sender(apprise, one, text, seconds, said), seconds) for place, one in enumerate(told)}
        findings = list(_parallel.run_all(probes).values())
    outcomes = [(one.name, _problem(finding, seconds)) for one, finding in zip(told, findings)]
    took = [{"channel": one.name, "seconds": _took(finding, seconds)} for one, finding in zip(told, findings)]
    unsent = [{"channel": name, "problem": problem} for name, problem in outcomes if problem]
    return Told([name for name, problem in outcomes if not problem], unsent, loading, took)


def _load(apprise: ModuleType) -> float:
    """Make Apprise import its hundred services, and return how many seconds that took.

    Apprise imports them for the first URL it sees. On a busy controller or in a cold container that takes longer than a
    channel may, and before version 1.7.3 other threads then know only some of the services.
    """
    started = time.monotonic()
    apprise.Apprise.instantiate("json://localhost")
    return round(time.monotonic() - started, 2)


def _took(finding: _parallel.Finding, seconds: float) -> float:
    return round(seconds if finding.status == "timeout" else finding.seconds, 2)


def _problem(finding: _parallel.Finding, seconds: float) -> str:
    return (
        f"no answer within {seconds:g} s; the message may have arrived"
        if finding.status == "timeout"
        else finding.problem
    )


def _sender(apprise: ModuleType, channel: Channel, text: Message, seconds: float, said: _Said) -> _parallel.Probe:
    return functools.partial(_send, apprise, channel, text, seconds, said)


def _send(apprise: ModuleType, channel: Channel, text: Message, seconds: float, said: _Said) -> dict:
    if not channel.url:
        raise RunbookError(
            "it has no URL, since the variable that should hold it is empty or not set;"
            " put it into a vault beside the inventory (ansible-vault create vault.yml)"
        )
    try:
        delivered = _notify(apprise, channel.url, text, seconds)
    except Exception as error:  # the text of a library may hold the URL, so only its type is reported
        raise RunbookError(f"{type(error).__name__} in Apprise; try the URL with the apprise command") from None
    if delivered is None:
        raise RunbookError("Apprise does not understand its URL; see Apprise's page on the service")
    if not delivered:
        raise RunbookError(said.problem())
    return {}


def _notify(apprise: ModuleType, url: str, text: Message, seconds: float) -> bool | None:
    """Whether the service took the message; None for an invalid URL."""
    asset = apprise.AppriseAsset(app_id="aurora.runbook", async_mode=False)
    # Apprise must not start threads of its own: they are few, and the end of the process would wait for them. Older
    # versions have no such limit.
    asset._service_timeout = 0
    service = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if service is None:
        return None
    service.socket_connect_timeout = service.socket_read_timeout = seconds
    if service.overflow_mode == apprise.OverflowMode.UPSTREAM:  # the URL does not set it
        whole = service.body_maxlen >= SMALL
        service.overflow_mode = apprise.OverflowMode.SPLIT if whole else apprise.OverflowMode.TRUNCATE
    if text.key and getattr(service, "dedup", text.key) is None:  # PagerDuty and the like
        service.dedup = text.key
    service.optional = False  # with optional=yes in its URL, Apprise would call a page delivered that nobody took
    told = apprise.Apprise(asset=asset)
    told.add(service)
    kind, plain = apprise.NotifyType.FAILURE, apprise.NotifyFormat.TEXT
    return bool(told.notify(body=text.body, title=text.title, notify_type=kind, body_format=plain))


# Attributes of a service's class that lead to its documentation.
_DOCUMENTS = ("service_url", "setup_url")


def reach(apprise: ModuleType, requests: ModuleType, told: Sequence[Channel], seconds: float) -> list[dict]:
    """For each channel, without a message: the ``problem`` with its URL ("" for none), and its ``services``.

    These are the places at which its service may be, each with why it was not reached: "" if something answered there,
    "timeout" if nothing did in time.
    """
    with _listening():
        found = [apprise.Apprise.instantiate(one.url, suppress_exceptions=True) if one.url else "" for one in told]
    places = [_places(service) if service else set() for service in found]
    probes = {
        place: (functools.partial(_reached, requests, *place, seconds), seconds) for each in places for place in each
    }
    seen = {str(place): finding for place, finding in _run(probes).items()}
    return [
        {
            "problem": "empty" if service == "" else "" if service else "unreadable",
            "services": {str(place[1:3]): _lost(seen[str(place)]) for place in each},
        }
        for service, each in zip(found, places)
    ]


def _run(probes: Mapping[tuple, tuple]) -> dict[tuple, _parallel.Finding]:
    named = {str(number): probe for number, probe in enumerate(probes.values())}
    return dict(zip(probes, _parallel.run_all(named).values()))


def _lost(finding: _parallel.Finding) -> str:
    return "timeout" if finding.status == "timeout" or "timed out" in finding.problem else finding.problem


def _places(service: object) -> set[tuple[str, str, int, bool]]:
    """Where the service of a channel may be: protocol, host, port, and whether its certificate is verified.

    Apprise does not tell. A self-hosted service has its host in its URL, others have theirs in their class. If there
    are several, it is unknown to which one a message goes.
    """
    verified = bool(getattr(service, "verify_certificate", True))
    host, port = getattr(service, "host", "") or "", getattr(service, "port", None)
    if getattr(service, "smtp_host", ""):
        secured = str(getattr(service, "secure_mode", "")) == "ssl"
        return {("smtps" if secured else "smtp", service.smtp_host, port or 25, verified)}
    found = set()
    if host and "host" in type(service).template_tokens:
        scheme = "https" if service.secure else "http"
        found.add((scheme, host, port or _http.PORTS[scheme], verified))
    for name in dir(type(service)):
        url = getattr(type(service), name) if name.endswith("_url") and name not in _DOCUMENTS else ""
        target = urlsplit(url) if isinstance(url, str) else urlsplit("")
        if target.scheme in _http.PORTS and re.fullmatch(r"[\w.-]+", target.netloc):
            found.add((target.scheme, target.netloc, _http.PORTS[target.scheme], verified))
    return found


def _reached(requests: ModuleType, protocol: str, host: str, port: int, verified: bool, seconds: float) -> dict:
    """Raises RunbookError, without naming the address, because a host may be a secret part of a URL."""
    try:
        if protocol in ("smtp", "smtps"):
            _greeted(protocol, host, port, verified, seconds)
        else:
            # Any answer will do. The request uses the proxies and authorities of the environment, as Apprise does.
            url, wanted = f"{protocol}://{host}:{port}/", {"timeout": seconds, "verify": verified}
            requests.head(url, allow_redirects=False, **wanted).close()
    except RunbookError:
        raise
    except Exception as error:  # of a library, whose text may hold the URL
        kind = type(error).__name__
        if "Timeout" in kind:
            raise RunbookError("timed out") from None
        raise RunbookError("its certificate is not trusted" if "SSL" in kind else "it cannot be reached") from None
    return {}


def _greeted(protocol: str, host: str, port: int, verified: bool, seconds: float) -> None:
    """Wait for the greeting of a mail server, which speaks first."""
    sock, _dead = _http.connect(host, port, seconds)
    with sock:
        if protocol == "smtps":
            context = _http.tls_context()
            context.check_hostname = verified
            context.verify_mode = ssl.CERT_REQUIRED if verified else ssl.CERT_NONE
            sock = context.wrap_socket(sock, server_hostname=host)
        if sock.recv(3) != b"220":
            raise RunbookError("it is not a mail server")


_NOWHERE = logging.NullHandler()


@contextlib.contextmanager
def _listening() -> Iterator[_Said]:
    """Collect what Apprise logs, and keep it out of every other log, also later: it holds the URL of a channel."""
    said, logger = _Said(), logging.getLogger("apprise")
    logger.propagate = False
    logger.addHandler(_NOWHERE)
    logger.addHandler(said)
    try:
        yield said
    finally:
        logger.removeHandler(said)


class _Said(logging.Handler):
    """Keeps the kind of problem that each thread's service had, and nothing of its text."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._kinds: dict[int, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        text = str(record.msg)
        status = re.search(r"\berror=(\d{3})\b", record.getMessage())
        if status:
            self._kinds[record.thread or 0] = f"it answered HTTP {status[1]}"
        elif "onnection" in text:
            self._kinds.setdefault(record.thread or 0, "it cannot be reached")

    def problem(self) -> str:
        kind = self._kinds.get(threading.get_ident(), "it did not take the message")
        return f"{kind}; try the URL with the apprise command"
