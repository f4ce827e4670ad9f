# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, an alert, its silence and its PromQL mean different hosts, or the wrong one."""

from __future__ import annotations

import re
from ipaddress import IPv6Address

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base import _names
from hypothesis import given
from hypothesis import strategies as st

HOSTS = {
    "AURORA-A.example.com": "192.0.2.21",
    "aurora2": "2001:DB8::5",
    "web-prod-3": "aurora-c.example.com",
    "aurora-d.example.com.": "fe80::4%ens3",
}
LABELS = [
    ("AURORA-A.example.com:9000", "AURORA-A.example.com"),
    ("aurora-a.example.com:9000", "AURORA-A.example.com"),
    ("aurora-a.example.com.:9000", "AURORA-A.example.com"),
    ("Aurora-A", "AURORA-A.example.com"),
    ("https://aurora-a.example.com:9000/metrics", "AURORA-A.example.com"),
    ("HTTPS://aurora-a.example.com./metrics?x=1", "AURORA-A.example.com"),
    ("aurora-a.example.com:9000/metrics", "AURORA-A.example.com"),
    ("192.0.2.21:9000", "AURORA-A.example.com"),
    ("[::ffff:192.0.2.21]:9000", "AURORA-A.example.com"),
    ("http://192.0.2.21/metrics", "AURORA-A.example.com"),
    ("aurora2:9000", "aurora2"),
    ("2001:db8::5", "aurora2"),
    ("[2001:db8::5]", "aurora2"),
    ("[2001:db8::5]:9000", "aurora2"),
    ("[2001:DB8:0::0:5]:9000", "aurora2"),
    ("[2001:0db8:0:0:0:0:0:5]:9000", "aurora2"),
    ("2001:0db8:0000:0000:0000:0000:0000:0005", "aurora2"),
    ("2001:db8:0:0:0:0:0:5:9000", "aurora2"),
    ("http://[2001:db8::0005]:9000/metrics", "aurora2"),
    ("aurora-c.example.com:9000", "web-prod-3"),
    ("web-prod-3", "web-prod-3"),
    ("aurora-c:9000", "web-prod-3"),
    ("aurora-d.example.com:9000", "aurora-d.example.com."),
    ("[fe80::4%ens3]:9000", "aurora-d.example.com."),
    ("http://[fe80::4%25ens3]:9000/", "aurora-d.example.com."),
]


@pytest.mark.parametrize(("label", "host"), LABELS)
def test_a_label_means_one_host_and_all_that_is_made_of_it_matches_that_label(label, host):
    assert _names.meant(label, HOSTS) == [host]
    for forms in (_names.labels_of(host, HOSTS), _names.labels_of(host, HOSTS, seen=_names.host_of(label))):
        assert re.fullmatch(_names.pattern(forms), label), forms
    for other in HOSTS.keys() - {host}:
        assert not re.fullmatch(_names.pattern(_names.labels_of(other, HOSTS)), label)


@pytest.mark.parametrize("label", ["aurora2.example.com:9000", "[fe80::4]:9000"])
def test_a_label_that_only_its_alert_has_is_matched_too(label):
    (host,) = _names.meant(label, HOSTS)
    seen = _names.host_of(label)
    assert re.fullmatch(_names.pattern(_names.labels_of(host, HOSTS, seen=seen)), label)


@pytest.mark.parametrize(
    "label",
    [
        "",
        "aurora-b.example.com",
        "aurora-a.example.org",
        "aurora-aa.example.com",
        "192.0.2.2",
        "192",
        "2001:db8::50",
        "2001:db8::5:9000",  # an address of its own
        "[2001:db8::5",
        "[fe80::4%eth9]:9000",
        "aurora-a.example.com aurora2",
        "aurora-a.example.com\n",
        "aurora-a.example.com,aurora2",
        "aurora-a.example.com..",
        "http://aurora2@evil.example.com/",
        "http://evil.example.com/aurora2",
        "*",
        ".*",
        "a" * 300,
    ],
)
def test_what_is_no_host_means_none_and_is_matched_by_none(label):
    assert _names.meant(label, HOSTS) == []
    for host in HOSTS:
        assert not re.fullmatch(_names.pattern(_names.labels_of(host, HOSTS)), label)


def test_a_form_that_means_another_host_too_is_left_out():
    hosts = {"a.example.com": "192.0.2.1", "a.example.org": "192.0.2.1", "localhost": "127.0.0.1", "b": "127.0.0.2"}
    assert _names.meant("a", hosts) == ["a.example.com", "a.example.org"]
    assert _names.meant("192.0.2.1:9000", hosts) == ["a.example.com", "a.example.org"]
    assert _names.labels_of("a.example.com", hosts) == ["a.example.com"]
    assert _names.labels_of("b", hosts) == ["b"], "an address that on every machine means itself"
    assert _names.meant("127.0.0.2:9000", hosts) == []
    assert _names.meant("127.0.0.2:9000", {"b": "127.0.0.2"}) == ["b"], "there is no other"


def test_the_label_that_an_inventory_names_is_the_only_one():
    declared = {"a": "10.0.0.5:9000", "b": "Aurora B (Kyiv)", "c": ""}
    hosts = {"a": "192.0.2.1", "b": "192.0.2.2", "c": "10.0.0.5"}
    assert _names.meant("10.0.0.5:9000", hosts, declared) == ["a"]
    assert _names.labels_of("a", hosts, declared) == ["10.0.0.5"]
    assert _names.labels_of("c", hosts, declared) == ["c"]
    (label,) = _names.labels_of("b", hosts, declared)
    assert _names.meant(label, hosts, declared) == ["b"]
    assert re.fullmatch(_names.pattern([label]), "Aurora B (Kyiv)")
    assert not re.fullmatch(_names.pattern([label]), "Aurora B Kyiv")


@given(st.integers(0, 2**128 - 1) | st.lists(st.sampled_from([0, 0, 1, 0xAB]), min_size=8, max_size=8))
def test_every_way_to_write_an_address_is_matched(value):
    address = IPv6Address(value if isinstance(value, int) else int("".join(f"{group:04x}" for group in value), 16))
    if address.ipv4_mapped:
        return
    pattern = _names.pattern([str(address)])
    groups = [f"{int(group, 16):x}" for group in address.exploded.split(":")]
    ways = {str(address), address.exploded, ":".join(groups), address.exploded.upper()}
    ways |= {
        f"{':'.join(groups[:start])}::{':'.join(groups[end:])}"
        for start in range(8)
        for end in range(start + 1, 9)
        if set(groups[start:end]) == {"0"}
    }
    for way in ways:
        assert _names.host_of(way) == str(address)
        assert re.fullmatch(pattern, way)
        assert re.fullmatch(pattern, f"[{way}]:9000")
    assert not re.fullmatch(pattern, str(IPv6Address((int(address) + 1) % 2**128)))


@given(st.text(max_size=30))
def test_any_text_is_a_host_in_one_form_or_none(text):
    host = _names.host_of(text)
    assert _names.host_of(host) == host or not host
    assert not set(host) & set("{}#'\" \n|*()")
