# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a few clients connected to the feed, through nginx as users are."""

from __future__ import annotations

import threading
import time
import urllib.request
from pathlib import Path

URL = "https://aurora.example.com/sse"
TOKEN = Path("/opt/aurora/secrets/auth_token")
CLIENTS = 3
TIMEOUT = 30  # twice the feed's keep-alive


def read(headers: dict[str, str]) -> None:
    """Read events until the connection ends, remembering the last id."""
    with urllib.request.urlopen(urllib.request.Request(URL, headers=headers), timeout=TIMEOUT) as stream:
        for line in stream:
            if line.startswith(b"id: "):
                headers["Last-Event-ID"] = line[4:].decode().strip()


def client() -> None:
    headers = {"X-Auth-Token": TOKEN.read_text().strip()}
    while True:
        try:
            read(headers)
        except OSError as error:
            print(error, flush=True)
        time.sleep(1)


for _ in range(CLIENTS):
    threading.Thread(target=client).start()
