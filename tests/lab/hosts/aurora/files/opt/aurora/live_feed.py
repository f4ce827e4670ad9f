# SPDX-License-Identifier: GPL-3.0-or-later
"""Live feed of the small Aurora: follows the event log and sends it on as server-sent events."""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import sys
import time
from collections.abc import Mapping
from io import BufferedReader

import calibration
import service
from aiohttp import web
from metrics import ALLOWED, ATTEMPTED, CLIENTS, CONSIDERED, DENIED, DROPPED, RECONNECTS, SENT

EVENTS = calibration.HOME / "logs" / "aurora_events.jsonl"
TOKEN = calibration.HOME / "secrets" / "auth_token"
SEQUENCE = calibration.HOME / "logs" / "live_feed.sequence"
POLL_SECONDS = 0.25
STALE_SECONDS = 2.0  # an event that late is of no use to a trader
KEEPALIVE_SECONDS = 15
QUEUE_BATCHES = 40


class LogFollower:
    """Whole lines appended to a file, across rotation, like `tail -F`."""

    def __init__(self) -> None:
        self._file: BufferedReader | None = None
        self._rest = b""

    def start_at_end(self) -> None:
        self._file = EVENTS.open("rb")
        self._file.seek(0, os.SEEK_END)

    def _replaced(self) -> bool:
        try:
            named, opened = EVENTS.stat(), os.fstat(self._file.fileno())
        except FileNotFoundError:
            return False
        return named.st_ino != opened.st_ino or named.st_size < self._file.tell()

    def lines(self) -> list[bytes]:
        replaced = self._replaced()
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        if replaced:
            self._file.close()
            self._file, self._rest = EVENTS.open("rb"), b""
        return lines


class Feed:
    def __init__(self) -> None:
        self.started = time.time()
        self.last_event = self.started
        self.sequence = self.stored_sequence()
        self.clients: dict[asyncio.Queue[tuple[bytes, int, float]], web.Request] = {}

    def stored_sequence(self) -> int:
        """The number of the last event of an earlier run, so that clients never see a number twice."""
        try:
            return int(SEQUENCE.read_text())
        except (FileNotFoundError, ValueError):
            return 0

    def store_sequence(self) -> None:
        try:
            draft = SEQUENCE.with_suffix(".new")
            draft.write_text(f"{self.sequence}\n")
            draft.replace(SEQUENCE)
        except OSError as error:
            sys.exit(f"live_feed: cannot write {SEQUENCE}: {error.strerror}")

    async def follow(self) -> None:
        follower = LogFollower()
        while not EVENTS.exists():
            await asyncio.sleep(POLL_SECONDS)
        follower.start_at_end()
        self.store_sequence()
        looked = time.monotonic()
        while True:
            await asyncio.sleep(POLL_SECONDS)
            lines = follower.lines()
            if lines:
                self.count(lines)
                self.broadcast(lines, looked)
                self.store_sequence()
            looked = time.monotonic()

    def count(self, lines: list[bytes]) -> None:
        for line in lines:
            try:
                event = json.loads(line)
                self.last_event = event["ts"]
                if event["type"] != "decision":
                    continue
                CONSIDERED.inc()
                if event["allowed"]:
                    ALLOWED.labels(event["symbol"]).inc()
                else:
                    DENIED.labels(event["symbol"], event["why"]).inc()
            except (ValueError, KeyError, TypeError):
                print(f"not an event: {line[:200]!r}", flush=True)

    def broadcast(self, lines: list[bytes], since: float) -> None:
        """Hand events that were written after ``since`` to every client that is still there."""
        batch = b"".join(
            b"id: %d\ndata: %s\n\n" % (number, line) for number, line in enumerate(lines, self.sequence + 1)
        )
        self.sequence += len(lines)
        for queue, request in self.clients.items():
            gone = request.transport is None or request.transport.is_closing()
            item = (b": end\n\n", 0, since) if gone else (batch, len(lines), since)
            ATTEMPTED.inc(item[1])
            try:
                queue.put_nowait(item)
            except asyncio.QueueFull:
                DROPPED.inc(item[1])

    async def sse(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await response.prepare(request)
        if "Last-Event-ID" in request.headers:
            RECONNECTS.inc()
        queue: asyncio.Queue[tuple[bytes, int, float]] = asyncio.Queue(QUEUE_BATCHES)
        count = 0
        self.clients[queue] = request
        CLIENTS.set(len(self.clients))
        try:
            while True:
                try:
                    batch, count, since = await asyncio.wait_for(queue.get(), KEEPALIVE_SECONDS)
                except TimeoutError:
                    batch, count, since = b": keep-alive\n\n", 0, time.monotonic()
                if time.monotonic() - since > STALE_SECONDS:
                    DROPPED.inc(count)
                    continue
                await response.write(batch)
                SENT.inc(count)
        except ConnectionResetError:
            DROPPED.inc(count + sum(queue.get_nowait()[1] for _ in range(queue.qsize())))
            return response
        finally:
            self.clients.pop(queue)
            CLIENTS.set(len(self.clients))

    def lag(self) -> float:
        return round(time.time() - self.last_event, 1)

    async def healthz(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "writer_lag_seconds": self.lag()})

    async def health(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                "status": "ok",
                "uptime_seconds": round(time.time() - self.started, 1),
                "writer_lag_seconds": self.lag(),
                "sse_clients": len(self.clients),
                "events": self.sequence,
                "event_log": str(EVENTS),
            }
        )

    async def recalibrate(self, _request: web.Request) -> web.Response:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(calibration.HOME / "tools" / "calibrate.py"),
            "--force",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        answer, error = await process.communicate()
        if process.returncode:
            return web.json_response({"error": error.decode().strip()}, status=500)
        return web.json_response(json.loads(answer))


@web.middleware
async def require_token(request: web.Request, handler) -> web.StreamResponse:
    if request.path in ("/sse", "/recalibrate") and TOKEN.exists():
        given = request.headers.get("X-Auth-Token", "")
        if not hmac.compare_digest(given.encode(), TOKEN.read_text().strip().encode()):
            return web.json_response({"error": "X-Auth-Token is missing or wrong"}, status=401)
    return await handler(request)


def port_from(environment: Mapping[str, str]) -> int:
    text = environment.get("FEED_PORT", "8001")
    if not text.isdecimal() or not 0 < int(text) < 65536:
        sys.exit(f"live_feed: FEED_PORT={text} is not a port (1 to 65535)")
    return int(text)


def main() -> None:
    port, feed = port_from(os.environ), Feed()
    app = web.Application(middlewares=[require_token])
    app.add_routes(
        [
            web.get("/sse", feed.sse),
            web.get("/healthz", feed.healthz),
            web.get("/health", feed.health),
            web.post("/recalibrate", feed.recalibrate),
        ]
    )
    service.serve(app, port, feed.follow)


if __name__ == "__main__":
    main()
