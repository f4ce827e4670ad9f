# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, an open port is called closed, or the network is blamed for what the host's own firewall does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.look import _firewall
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from firewalls import DECIDED, IN, OUT, UNDECIDED, plain, ufw  # the path above is what makes it importable

PACKET = _firewall.Packet(443, ("eth0",), ("192.0.2.10",))


@pytest.mark.parametrize("name", DECIDED)
def test_a_table_decides_as_the_kernel_does(name):
    lines, lets_in = DECIDED[name]
    assert _firewall.decide(lines, PACKET).state == (_firewall.OPEN if lets_in else _firewall.CLOSED)


@pytest.mark.parametrize("name", DECIDED)
def test_what_cannot_decide_about_clients_is_left_out(name):
    lines = DECIDED[name][0]
    others = ["-P FORWARD DROP", "-N ufw-user-forward", "-A FORWARD -j ufw-user-forward", "-A ufw-user-forward -j DROP"]
    kept = _firewall.of_input([*others, *lines])
    assert not set(others) & set(kept)
    assert _firewall.decide(kept, PACKET) == _firewall.decide(lines, PACKET)


@pytest.mark.parametrize("name", UNDECIDED)
def test_what_cannot_be_told_is_undecided(name):
    assert _firewall.decide(UNDECIDED[name], PACKET).state == _firewall.UNDECIDED


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        (ufw(OUT, IN), f"-A ufw-user-input {OUT}"),
        (ufw(), "-P INPUT DROP"),
        (plain("-j A", "-A A -j DROP", chains=("A",)), "-A A -j DROP"),
    ],
)
def test_the_rule_that_closes_a_port_is_named(lines, rule):
    assert _firewall.decide(lines, PACKET) == _firewall.Decision(_firewall.CLOSED, rule)


def test_the_rule_that_leaves_it_undecided_is_named():
    rule = "-m set --match-set banned src -j DROP"
    assert _firewall.decide(ufw(rule, IN), PACKET) == _firewall.Decision(
        _firewall.UNDECIDED, f"-A ufw-user-input {rule}"
    )


@pytest.mark.parametrize(
    ("rule", "ways", "state"),
    [
        ("-i eth0 -p tcp -j ACCEPT", {"interfaces": ("eth0", "eth1")}, _firewall.UNDECIDED),
        ("-i eth+ -p tcp -j ACCEPT", {"interfaces": ("eth0", "eth1")}, _firewall.OPEN),
        ("-d 192.0.2.0/24 -p tcp -j ACCEPT", {"addresses": ("192.0.2.1", "10.0.0.1")}, _firewall.UNDECIDED),
        ("-i wg0 -p tcp -j ACCEPT", {}, _firewall.CLOSED),  # of which nobody knows that clients come by it
        ("-d 2001:db8::5/128 -p tcp -j ACCEPT", {"addresses": ("2001:db8::5",)}, _firewall.OPEN),
        ("-s ::/0 -p tcp -j ACCEPT", {"addresses": ("2001:db8::5",)}, _firewall.OPEN),
        ("-s 2001:db8::/32 -p tcp -j ACCEPT", {"addresses": ("2001:db8::5",)}, _firewall.CLOSED),
    ],
)
def test_clients_come_by_several_ways(rule, ways, state):
    assert _firewall.decide(plain(rule), _firewall.Packet(443, **ways)).state == state


WORDS = "-A INPUT -j -p tcp ! --dport 443 A DROP ACCEPT -m limit set -i eth0 -N -P RETURN -g"
words = st.sampled_from([*WORDS.split(" "), '"'])


@given(st.lists(st.lists(words, max_size=9).map(" ".join), max_size=12))
def test_no_table_raises(lines):
    decision = _firewall.decide(["-P INPUT DROP", "-N A", *lines], PACKET)
    assert decision.state in (_firewall.OPEN, _firewall.CLOSED, _firewall.UNDECIDED)


@given(
    st.permutations(
        [f"-A ufw-user-input -m frob --x {number} -j {'DROP' if number % 2 else 'ACCEPT'}" for number in range(4)]
    )
)
def test_what_nobody_knows_never_closes_a_port(rules):
    assert _firewall.decide([*ufw(IN), *rules], PACKET).state == _firewall.OPEN
    assert _firewall.decide([*ufw(), *rules], PACKET).state == _firewall.UNDECIDED
