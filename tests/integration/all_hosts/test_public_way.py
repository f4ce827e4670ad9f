# SPDX-License-Identifier: GPL-3.0-or-later
"""Seen from outside, the broken link is named, and the look at the host makes the right cause of it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest
from helpers import HOST, HOSTS, footprint, lab, module, playbook, shell

CERTIFICATE = "/opt/lab/tls/cert.pem"
GO_ON = "systemctl kill --signal=CONT aurora-live-feed"
DROP = "INPUT -p tcp --dport 443 -j DROP"
CUT_OFF = "OUTPUT -p tcp --dport 443 -j DROP"
OPEN = "ufw allow 443/tcp"
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
    """The names as the lab made them."""
    lab.inside("monitor1", "cp", "/etc/hosts", "/root/hosts")
    yield
    shell("monitor1", "cat /root/hosts >/etc/hosts")


def go(**options):
    address = lab.aurora_hosts([HOST])[HOST]
    return module("monitor1", "public_way_info", {"address": address, "timeout_seconds": 3, **options})


def test_a_whole_way_is_gone_to_its_end_and_nothing_is_touched():
    before = footprint(HOST)
    way = go()
    assert (way["ok"], way["link"], way["broken"], way["changed"]) == (True, "", [], False)
    assert set(way["probes"]) == {"dns", "tcp", "tls", "http"}
    assert way["probes"]["dns"]["data"]["wrong"] is False
    assert 300 < way["probes"]["tls"]["data"]["days_left"] < 400
    assert footprint(HOST) == before


@pytest.mark.parametrize(
    ("fault", "mend", "link", "cause"),
    [
        ("systemctl stop nginx", "", "tcp_refused", "nginx_down"),
        ("systemctl kill --signal=STOP aurora-live-feed", GO_ON, "http_timeout", "feed_hung"),
        ("systemctl stop aurora-live-feed", "", "http_status", "feed_down"),
        ("ufw delete allow 443/tcp", OPEN, "tcp_timeout", "firewall"),
        ("ufw reject 443/tcp", OPEN, "tcp_refused", "firewall"),
        (f"iptables -I {DROP}", f"iptables -D {DROP}", "tcp_timeout", "firewall"),  # whoever put it there
    ],
)
def test_the_broken_link_is_named_and_so_is_its_cause(fault, mend, link, cause):
    shell(HOST, fault)
    try:
        check(link, cause)
    finally:
        shell(HOST, mend)


def test_packets_that_are_dropped_on_the_way_are_no_fault_of_the_host(broken):
    broken("sse_partition", [HOST])
    check("tcp_timeout", "partition")


def test_a_certificate_that_ended_is_named():
    lab.inside(HOST, "cp", CERTIFICATE, "/root/cert.pem")
    expire(HOST)
    try:
        check("certificate_expired", "certificate_expired")
    finally:
        shell(HOST, f"cp /root/cert.pem {CERTIFICATE}; systemctl reload nginx")


def check(link: str, cause: str) -> None:
    way = go()
    assert (way["ok"], way["link"]) == (False, link), way
    look = module(HOST, "triage_info", {**LOOK, "outside": way})
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
    look = module(HOST, "triage_info", {**LOOK, "outside": way})
    assert look["causes"][0]["cause"] == "dns"
    shell(HOST, "systemctl stop nginx")
    assert go()["broken"] == ["tcp_refused"]
    shell("monitor1", "sed 's/ aurora.example.com//' /root/hosts >/etc/hosts")
    assert go()["broken"] == ["dns", "tcp_refused"]


def test_an_observer_without_network_makes_no_host_a_p0_and_none_healthy():
    before = [footprint(host) for host in HOSTS]
    shell("monitor1", f"iptables -I {CUT_OFF}")
    try:
        run = playbook("remediate_sse_availability")
        alone = playbook("remediate_sse_availability", "--limit", HOST)
    finally:
        shell("monitor1", f"iptables -D {CUT_OFF}")
    said = "\n".join(run.report)
    assert (run.status != 0, run.verdicts) == (True, dict.fromkeys(HOSTS, "unknown"))
    assert f"monitor1 reaches none of the {len(HOSTS)} hosts" in said
    assert "P0" not in said
    assert [footprint(host) for host in HOSTS] == before
    assert alone.verdicts == {HOST: "escalated"}
    assert re.search("likely cause: partition: .* only monitor1 saw this", "\n".join(alone.report))


def test_what_is_refused_says_so():
    for options, named in (({"url": "aurora"}, "url"), ({"path": "x"}, "path"), ({"timeout_seconds": 0}, "timeout")):
        result = go(**options)
        assert result["failed"]
        assert named in result["msg"]
