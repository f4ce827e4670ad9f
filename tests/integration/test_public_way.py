# SPDX-License-Identifier: GPL-3.0-or-later
"""Seen from outside, the broken link is named, and the look at the host makes the right cause of it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from helpers import HOSTS, footprint, lab, module, shell

CERTIFICATE = "/opt/lab/tls/cert.pem"
DROP = "INPUT -p tcp --dport 443 -j DROP"
LOOK = {"network_host": "monitor1", "sample_seconds": 2, "probe_seconds": 6}


def expire(host: str) -> None:
    """A certificate of the lab's own authority for a host, which ended yesterday."""
    authority = lab.STATE / "ca"
    signing = ["-CA", authority / "ca.pem", "-CAkey", authority / "ca.key", "-CAcreateserial", "-days", "-1"]
    files = ["-in", authority / f"{host}.csr", "-extfile", authority / f"{host}.ext"]
    expired = subprocess.run(["openssl", "x509", "-req", *signing, *files], check=True, capture_output=True).stdout
    lab.inside(host, "tee", CERTIFICATE, input=expired)
    lab.inside(host, "systemctl", "reload", "nginx")


@pytest.fixture(autouse=True)
def way_back() -> Iterator[None]:
    lab.inside("aurora1", "cp", CERTIFICATE, "/root/cert.pem")
    lab.inside("monitor1", "cp", "/etc/hosts", "/root/hosts")
    yield
    mend = f"""
    cp /root/cert.pem {CERTIFICATE}
    systemctl kill --signal=CONT aurora-live-feed || true
    systemctl restart nginx
    ufw delete reject 443/tcp || true
    ufw allow 443/tcp
    while iptables -D {DROP} 2>/dev/null; do :; done
    """
    shell("aurora1", mend)
    shell("monitor1", "cat /root/hosts >/etc/hosts")


def go(**options):
    address = lab.aurora_hosts(["aurora1"])["aurora1"]
    return module("monitor1", "public_way_info", {"address": address, "timeout_seconds": 3, **options})


def test_a_whole_way_is_gone_to_its_end_and_nothing_is_touched():
    before = footprint("aurora1")
    way = go()
    assert (way["ok"], way["link"], way["broken"], way["changed"]) == (True, "", [], False)
    assert list(way["probes"]) == ["dns", "tcp", "tls", "http"]
    assert way["probes"]["dns"]["data"]["wrong"] is False
    assert 300 < way["probes"]["tls"]["data"]["days_left"] < 400
    assert footprint("aurora1") == before


@pytest.mark.parametrize(
    ("fault", "link", "cause"),
    [
        ("systemctl stop nginx", "tcp_refused", "nginx_down"),
        ("systemctl kill --signal=STOP aurora-live-feed", "http_timeout", "feed_hung"),
        ("systemctl stop aurora-live-feed", "http_status", "feed_down"),
        ("ufw delete allow 443/tcp", "tcp_timeout", "firewall"),
        ("ufw insert 1 reject 443/tcp", "tcp_refused", "firewall"),
        (f"iptables -I {DROP}", "tcp_timeout", "partition"),
        ("expire", "certificate_expired", "certificate_expired"),
    ],
)
def test_the_broken_link_is_named_and_so_is_its_cause(fault, link, cause):
    if fault == "expire":
        expire("aurora1")
    else:
        shell("aurora1", fault)
    way = go()
    assert (way["ok"], way["link"]) == (False, link), way
    look = module("aurora1", "triage_info", {**LOOK, "outside": way})
    assert look["causes"][0]["cause"] == cause, look["summary"]
    assert look["severity"] == "P0"
    assert look["indicators"]["sse_availability"]["source"] == "healthz"
    assert look["probes"]["outside_dns"]["status"] == "ok"


def test_a_wrong_name_is_told_from_a_host_that_is_down():
    shell("monitor1", "sed 's/ aurora.example.com//; $a 127.0.0.1 aurora.example.com' /root/hosts >/etc/hosts")
    way = go()
    assert (way["broken"], way["probes"]["http"]["status"], way["probes"]["dns"]["data"]["wrong"]) == (
        ["dns"],
        "ok",
        True,
    )
    look = module(HOSTS[0], "triage_info", {**LOOK, "outside": way})
    assert look["causes"][0]["cause"] == "dns"
    shell("aurora1", "systemctl stop nginx")
    assert go()["broken"] == ["tcp_refused"]
    shell("monitor1", "sed 's/ aurora.example.com//' /root/hosts >/etc/hosts")
    assert go()["broken"] == ["dns", "tcp_refused"]


def test_what_is_refused_says_so():
    for options, named in (({"url": "aurora"}, "url"), ({"path": "x"}, "path"), ({"timeout_seconds": 0}, "timeout")):
        result = go(**options)
        assert result["failed"]
        assert named in result["msg"]
