# SPDX-License-Identifier: GPL-3.0-or-later
"""Code that both services share: an HTTP server with metrics, background jobs, and a prompt end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


async def metrics(_request: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _serve(app: web.Application, port: int, jobs: tuple[Callable[[], Awaitable[None]], ...]) -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    server = web.AppRunner(app, access_log=None)
    await server.setup()
    try:
        await web.TCPSite(server, port=port, shutdown_timeout=0.5).start()
        await asyncio.gather(*(job() for job in jobs))
    finally:
        await server.cleanup()


def serve(app: web.Application, port: int, *jobs: Callable[[], Awaitable[None]]) -> None:
    """Run until SIGTERM, or until a job fails."""
    app.router.add_get("/metrics", metrics)
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_serve(app, port, jobs))
