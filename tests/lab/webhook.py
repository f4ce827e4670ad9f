# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-rulebook behind its webhook, and what Alertmanager sends there. ``at`` is its address and port."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import lab


def variables(at, token, certificate):
    """The variables of the rulebooks about their webhook; the key is beside the certificate."""
    return {
        "aurora_webhook_address": at[0],
        "aurora_webhook_port": at[1],
        "aurora_webhook_token": token,
        "aurora_webhook_certificate": str(certificate),
        "aurora_webhook_key": str(certificate.with_suffix(".key")),
    }


@contextlib.contextmanager
def rulebook(arguments, at, log):
    """ansible-rulebook, from the moment it listens; it and its playbooks end with the context. It writes to ``log``."""
    if listens(at):
        raise lab.LabError(f"something listens on port {at[1]} of {at[0]} already, perhaps another ./dev watch")
    java = str(Path(shutil.which("java") or "/usr/bin/java").resolve().parents[1])
    with open(log, "ab") as output:
        process = subprocess.Popen(
            ["ansible-rulebook", *arguments],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd=log.parent,
            env={**os.environ, "JAVA_HOME": java, "ANSIBLE_NOCOLOR": "1"},
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not listens(at):
            check(process, log)
            if time.monotonic() > deadline:
                raise lab.LabError(f"ansible-rulebook does not listen; see {log}")
            time.sleep(0.2)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def check(process, log):
    if process.poll() is not None:
        raise lab.LabError(f"ansible-rulebook has ended; it says why in {log}")


def listens(at):
    with contextlib.suppress(OSError), socket.create_connection(at, timeout=1):
        return True
    return False


def post(at, body, token, authority):
    """Post a body as Alertmanager does, which trusts ``authority`` (a PEM file); returns the status of the answer."""
    trusted = ssl.create_default_context(cafile=str(authority))
    connection = http.client.HTTPSConnection(*at, timeout=30, context=trusted)
    try:
        connection.request("POST", "/alerts", json.dumps(body), {"Authorization": f"Bearer {token}"})
        return connection.getresponse().status
    finally:
        connection.close()
