# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's exchange: quotes, orders and status, under market conditions set from its own host."""

from __future__ import annotations

import asyncio
import itertools
import math
import ssl
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from random import Random
from typing import NamedTuple

from aiohttp import web

TLS = "/opt/lab/tls"
QUOTE_NOISE_BPS = 0.02
FEE_BPS = 1.0


class Condition(NamedTuple):
    spread_bps: float = 0.5
    service_seconds: float = 0.0  # a client's requests are served one at a time, each taking that long
    order_service_seconds: float = 0.0  # the same for its orders alone
    order_delay_seconds: float = 0.0  # orders and status take that long, however many there are
    wide_share: float = 1.0  # share of quotes, spread evenly, with this condition's spread; others have a normal one
    slippage_bps: float = 0.0  # how much worse than quoted orders are filled
    requests_per_second: float = 200.0
    burst: int = 400


CONDITIONS = {
    "normal": Condition(),
    "spreads": Condition(spread_bps=1.05),
    "spreads_wide": Condition(spread_bps=1.5),
    "slow": Condition(service_seconds=0.12),
    "choppy": Condition(spread_bps=1.05, wide_share=0.45),
    "orders_slow": Condition(order_delay_seconds=0.4),
    "orders_in_turn": Condition(order_service_seconds=0.16),
    "bad_fills": Condition(slippage_bps=6.0),
    "rate_limit": Condition(requests_per_second=8.0, burst=4),
}


class Client:
    """What the exchange knows of one client address: its place in the queue and its token bucket."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.quotes = 0
        self.tokens = math.inf
        self.seen = time.monotonic()

    def refill(self, condition: Condition) -> None:
        now = time.monotonic()
        earned = (now - self.seen) * condition.requests_per_second
        self.tokens, self.seen = min(condition.burst, self.tokens + earned), now

    def meets_wide_quote(self, share: float) -> bool:
        """Count a quote; returns whether it is one of that share of all."""
        self.quotes += 1
        return int(self.quotes * share) > int((self.quotes - 1) * share)

    def take(self) -> bool:
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def limit_headers(self, condition: Condition) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(condition.burst),
            "X-RateLimit-Remaining": str(int(self.tokens)),
            "X-RateLimit-Reset": str(math.ceil((condition.burst - self.tokens) / condition.requests_per_second)),
        }


class Exchange:
    def __init__(self) -> None:
        self.random = Random()
        self.mids = {"BTCUSDT": 60000.0, "ETHUSDT": 2500.0}
        self.order_ids = itertools.count(1)
        self.everywhere = "normal"
        self.by_address: dict[str, str] = {}
        self.clients: defaultdict[str, Client] = defaultdict(Client)

    def condition(self, address: str) -> Condition:
        return CONDITIONS[self.by_address.get(address, self.everywhere)]

    def move(self, symbol: str) -> float:
        self.mids[symbol] *= math.exp(self.random.gauss(0, 2e-6))
        return self.mids[symbol]

    def half_spread(self, spread_bps: float) -> float:
        noise = min(max(self.random.gauss(0, QUOTE_NOISE_BPS), -3 * QUOTE_NOISE_BPS), 3 * QUOTE_NOISE_BPS)
        return (spread_bps + noise) / 2e4

    @web.middleware
    async def admit(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.Response]]
    ) -> web.Response:
        client, condition = self.clients[request.remote], self.condition(request.remote)
        is_order = request.path == "/order"
        service = condition.service_seconds or is_order * condition.order_service_seconds
        if service:
            async with client.turn:
                await asyncio.sleep(service)
        if request.path in ("/order", "/status"):
            await asyncio.sleep(condition.order_delay_seconds)
        client.refill(condition)
        if request.path == "/status" or client.take():
            response = await handler(request)
        else:
            response = web.json_response({"error": "too many requests"}, status=429)
            response.headers["Retry-After"] = str(math.ceil(1 / condition.requests_per_second))
        response.headers.update(client.limit_headers(condition))
        return response

    async def status(self, request: web.Request) -> web.Response:
        normal, condition = CONDITIONS["normal"], self.condition(request.remote)
        slow = condition.service_seconds or condition.order_delay_seconds
        degraded = slow or condition.requests_per_second != normal.requests_per_second
        return web.json_response({"status": "degraded" if degraded else "ok", "symbols": list(self.mids)})

    async def quote(self, request: web.Request) -> web.Response:
        symbol = request.query.get("symbol")
        if symbol not in self.mids:
            return web.json_response({"error": "unknown symbol"}, status=404)
        condition = self.condition(request.remote)
        wide = self.clients[request.remote].meets_wide_quote(condition.wide_share)
        spread_bps = (condition if wide else CONDITIONS["normal"]).spread_bps
        mid, half = self.move(symbol), self.half_spread(spread_bps)
        return web.json_response({"symbol": symbol, "bid": mid * (1 - half), "ask": mid * (1 + half)})

    async def order(self, request: web.Request) -> web.Response:
        order = await request.json()
        symbol, side = order.get("symbol"), {"buy": 1, "sell": -1}.get(order.get("side"))
        if symbol not in self.mids or side is None or not order.get("size", 0) > 0:
            return web.json_response({"error": "bad order"}, status=400)
        mid, condition = self.move(symbol), self.condition(request.remote)
        worse = self.half_spread(condition.spread_bps) + condition.slippage_bps / 1e4
        fill = {"id": next(self.order_ids), "price": mid * (1 + side * worse), "mid": mid}
        return web.json_response({**fill, "fee_bps": FEE_BPS})

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.admit])
        app.add_routes([web.get("/status", self.status), web.get("/quote", self.quote), web.post("/order", self.order)])
        return app


class Control:
    """The controls of the market, for this host only."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    async def show(self, _request: web.Request) -> web.Response:
        return web.json_response({"*": self.exchange.everywhere, **self.exchange.by_address})

    async def set(self, request: web.Request) -> web.Response:
        address, name = request.match_info["address"], (await request.text()).strip()
        if name not in CONDITIONS:
            return web.Response(text=f"unknown condition, one of: {' '.join(CONDITIONS)}\n", status=400)
        if address == "*":
            self.exchange.everywhere = name
        else:
            self.exchange.by_address[address] = name
        return await self.show(request)

    async def reset(self, request: web.Request) -> web.Response:
        self.exchange.everywhere = "normal"
        self.exchange.by_address.clear()
        return await self.show(request)

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/market", self.show),
                web.put("/market/{address}", self.set),
                web.delete("/market", self.reset),
            ]
        )
        return app


async def main() -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(f"{TLS}/cert.pem", f"{TLS}/key.pem")
    exchange = Exchange()
    public, control = (
        web.AppRunner(app, access_log=None, keepalive_timeout=120) for app in (exchange.app(), Control(exchange).app())
    )
    await public.setup()
    await control.setup()
    await web.TCPSite(public, port=443, ssl_context=tls).start()
    await web.TCPSite(public, port=8080).start()
    await web.TCPSite(control, host="127.0.0.1", port=8081).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
