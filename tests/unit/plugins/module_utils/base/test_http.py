# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, half of an answer is read as a whole one: 0.0 where a host said 0.0712."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from threading import Event, Thread

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _lease_ends, _service
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _options
from ansible_collections.aurora.runbook.plugins.module_utils.base import _http, _parallel, _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import FetchError, NoAnswerError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _probes, _watch
from ansible_collections.aurora.runbook.plugins.modules import recalibration, service_restart

PAGE = b"# TYPE calibration_ece gauge\ncalibration_ece 0.0712\n"
OLD, NEW = b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 200 OK\r\n"
CHUNKED = NEW + b"Transfer-Encoding: chunked\r\n\r\n"
OPENMETRICS = b"Content-Type: application/openmetrics-text; version=1.0.0\r\n\r\n"


@pytest.fixture
def say() -> Iterator[Callable[..., str]]:
    """Let a server of its own answer one request with these bytes, then end the connection or keep it; its URL."""
    done, threads = Event(), []

    def start(answer: bytes, keep: bool = False) -> str:
        listener = socket.create_server(("localhost", 0))
        listener.settimeout(20)

        def serve() -> None:
            with listener, contextlib.suppress(TimeoutError), listener.accept()[0] as connection:
                while b"\r\n\r\n" not in (asked := connection.recv(4096)) and asked:
                    pass
                connection.sendall(answer)
                if keep:
                    done.wait()

        threads.append(Thread(target=serve, daemon=True))
        threads[-1].start()
        return f"http://localhost:{listener.getsockname()[1]}/metrics"

    yield start
    done.set()
    for thread in threads:
        thread.join()


def sized(body: bytes, size: int) -> bytes:
    return NEW + b"Content-Length: %d\r\n\r\n" % size + body


def chunks(*bodies: bytes) -> bytes:
    return CHUNKED + b"".join(b"%x\r\n%s\r\n" % (len(body), body) for body in bodies)


@pytest.mark.parametrize(
    "answer",
    [
        sized(PAGE, len(PAGE)),
        chunks(PAGE[:20], PAGE[20:], b""),
        CHUNKED + b"%05x;x=y\r\n%s\r\n00\r\nTrailer: x\r\n\r\n" % (len(PAGE), PAGE),
    ],
    ids=["length", "chunks", "a trailer"],
)
def test_a_whole_answer_is_read_at_once_from_a_connection_that_stays(say, answer):
    started = time.monotonic()
    assert _http.fetch_metrics(say(answer, keep=True), 20).encode() == PAGE
    assert time.monotonic() - started < 10


def test_an_answer_without_a_length_ends_with_its_connection(say):
    assert _http.fetch(say(OLD + b"\r\n" + PAGE), 5).body == PAGE


@pytest.mark.parametrize(
    "answer",
    [
        sized(PAGE[:-5], len(PAGE)),
        sized(PAGE, len(PAGE) + 1),  # cut at the end of a line
        sized(b"", len(PAGE)),
        chunks(PAGE),  # before its last chunk
        chunks(PAGE)[:-9],
        chunks(PAGE)[:-1],
        chunks(PAGE) + b"0",  # of 0a3: the size of a next chunk
        chunks(PAGE) + b"00\r\n",
        NEW[:-5],
        NEW + b"Content-Le",
        NEW + b"Content-Type: text/pl",
        NEW + b"Content-Type: text/plain\r\n",
    ],
)
def test_a_cut_answer_is_none(say, answer):
    for fetch in (_http.fetch, _http.fetch_page, _http.fetch_metrics):
        with pytest.raises(NoAnswerError, match="did not answer"):
            fetch(say(answer), 5)


def test_who_takes_a_connection_and_ends_it_is_heard_of(say):
    """An exchange that does so is out of order, and no partition."""
    with pytest.raises(NoAnswerError, match="closed connection"):
        _http.fetch(say(b""), 5)


@pytest.mark.parametrize(
    "answer",
    [
        OLD + b"\r\n" + PAGE[:-1],  # 0.0712, but who knows
        OLD + b"\r\n" + PAGE[:-5],
        OLD + b"\r\n",
        sized(PAGE[:-4], len(PAGE) - 4),  # cut before it came to this server
        chunks(PAGE[:-4], b""),
        OLD + OPENMETRICS + PAGE,  # cut at the end of a line
        OLD + OPENMETRICS + PAGE + b"# EO",
    ],
)
def test_a_page_that_ends_in_the_middle_is_none_whatever_its_headers_say(say, answer):
    with pytest.raises(NoAnswerError, match="page was cut off"):
        _http.fetch_metrics(say(answer), 5)


@pytest.mark.parametrize("end", [b"# EOF\n", b"# EOF"])
def test_openmetrics_is_whole_at_its_end(say, end):
    assert _http.fetch_metrics(say(OLD + OPENMETRICS + PAGE + end), 5).encode() == PAGE + end


def test_who_answers_too_much_was_asked_all_the_same(say, monkeypatch):
    """A refit that was begun must not be taken for one that was not."""
    monkeypatch.setattr(_http, "MAX_BODY", 10)
    with pytest.raises(NoAnswerError, match="more than 10 bytes"):
        _http.fetch(say(sized(PAGE, len(PAGE))), 5, method="POST")


def test_who_refuses_was_not_asked():
    with socket.create_server(("localhost", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(FetchError) as caught:
        _http.fetch(f"http://localhost:{port}/", 5)
    assert not isinstance(caught.value, NoAnswerError)


def waited(url):
    options = {name: option.get("default") for name, option in _options.RECOVERY.items()}
    found = _watch.watch({**options, "indicator": "calibration_ece", "url": url}, check_mode=True)
    return found["verdict"], found["recovery"]["reason"], found["recovery"]["value"]


def leased(url):
    watch = {"indicator": "calibration_ece", "url": url, "threshold": 0.05}
    return _lease_ends.unhealthy(watch, _stamps.Clock(1.8e9, "boot", 1.0), {})["value"]


def probed(probe):
    finding = _parallel.run_all({"it": (probe, 5)})["it"]
    return finding.status, finding.data


@pytest.mark.parametrize("answer", [sized(PAGE[:-5], len(PAGE)), OLD + b"\r\n" + PAGE[:-5]], ids=["length", "none"])
@pytest.mark.parametrize(
    ("ask", "unknown"),
    [
        (waited, ("unknown", "silent", None)),
        (leased, "silent"),
        (service_restart.clients, None),
        (lambda url: recalibration.ece({"runner_url": url.rpartition("/")[0]}), None),
        (lambda url: probed(lambda: _probes.scrapes(url, 5, 0)), ("failed", {})),
    ],
    ids=["wait", "lease", "clients", "ece", "triage"],
)
def test_whoever_reads_a_page_that_was_cut_knows_nothing(say, answer, ask, unknown):
    assert ask(say(answer)) == unknown


CUT = sized(b'{"status": "success", "data": {"resultType": "vector", "result": []}}', 700)


@pytest.mark.parametrize(
    "probe",
    [
        lambda url: _probes.promql(url, "aurora1", ["calibration_ece"], 5),
        lambda url: _probes.exchange(url, 5, None),
        lambda url: _probes.healthz(url, 5),
    ],
    ids=["prometheus", "exchange", "healthz"],
)
def test_a_probe_whose_answer_was_cut_did_not_look(say, probe):
    with pytest.raises(NoAnswerError):
        probe(say(CUT))


def test_a_service_whose_health_page_was_cut_is_not_well(say):
    assert "did not answer" in _service.objection(say(CUT))


def test_a_refit_whose_answer_was_cut_may_be_done(say):
    with pytest.raises(NoAnswerError):
        recalibration.by_http({"url": say(CUT)}, "")
