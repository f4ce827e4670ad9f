# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from hypothesis import settings

settings.register_profile("no_deadline", deadline=None)  # a busy machine is no reason to fail
settings.load_profile("no_deadline")
SECRET = "s3cretT0ken"  # noqa: S105 it is what the tests look for


@dataclass
class Receiver:
    """A web service that keeps what it is sent, and answers with a status of the path, as /500/…."""

    secret: str = SECRET
    port: int = 0
    received: list = field(default_factory=list)

    def url(self, status: int = 200) -> str:
        return f"json://user:{self.secret}@localhost:{self.port}/{status}/{self.secret}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            kept.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(int(self.path.split("/")[1]), f"hello {self.path}")
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    with ThreadingHTTPServer(("localhost", 0), Handler) as server:
        kept.port = server.server_port
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield kept
        server.shutdown()


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never says anything."""
    with socket.socket() as listening:
        listening.bind(("localhost", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.fixture
def closed() -> Iterator[int]:
    """A port that is taken, where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        yield taken.getsockname()[1]
