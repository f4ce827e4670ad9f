# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter tables as iptables lists them, and what happens to a client's connection to port 443 behind them.

The unit tests compare the code with it, and an integration test compares the kernel, with real connections from
192.0.2.1 to 192.0.2.10 on the interface eth0.
"""

from __future__ import annotations

# ufw 0.36's table for INPUT, without the rules of its user.
UFW = """\
-P INPUT DROP
-N ufw-after-input
-N ufw-after-logging-input
-N ufw-before-input
-N ufw-before-logging-input
-N ufw-logging-allow
-N ufw-logging-deny
-N ufw-not-local
-N ufw-reject-input
-N ufw-skip-to-policy-input
-N ufw-track-input
-N ufw-user-input
-N ufw-user-limit
-N ufw-user-limit-accept
-N ufw-user-logging-input
-A INPUT -j ufw-before-logging-input
-A INPUT -j ufw-before-input
-A INPUT -j ufw-after-input
-A INPUT -j ufw-after-logging-input
-A INPUT -j ufw-reject-input
-A INPUT -j ufw-track-input
-A ufw-after-input -p udp -m udp --dport 137 -j ufw-skip-to-policy-input
-A ufw-after-input -p udp -m udp --dport 138 -j ufw-skip-to-policy-input
-A ufw-after-input -p tcp -m tcp --dport 139 -j ufw-skip-to-policy-input
-A ufw-after-input -p tcp -m tcp --dport 445 -j ufw-skip-to-policy-input
-A ufw-after-input -p udp -m udp --dport 67 -j ufw-skip-to-policy-input
-A ufw-after-input -p udp -m udp --dport 68 -j ufw-skip-to-policy-input
-A ufw-after-input -m addrtype --dst-type BROADCAST -j ufw-skip-to-policy-input
-A ufw-after-logging-input -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-input -m conntrack --ctstate INVALID -j ufw-logging-deny
-A ufw-before-input -m conntrack --ctstate INVALID -j DROP
-A ufw-before-input -p icmp -m icmp --icmp-type 3 -j ACCEPT
-A ufw-before-input -p icmp -m icmp --icmp-type 11 -j ACCEPT
-A ufw-before-input -p icmp -m icmp --icmp-type 12 -j ACCEPT
-A ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A ufw-before-input -p udp -m udp --sport 67 --dport 68 -j ACCEPT
-A ufw-before-input -j ufw-not-local
-A ufw-before-input -d 224.0.0.251/32 -p udp -m udp --dport 5353 -j ACCEPT
-A ufw-before-input -d 239.255.255.250/32 -p udp -m udp --dport 1900 -j ACCEPT
-A ufw-before-input -j ufw-user-input
-A ufw-logging-allow -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW ALLOW] "
-A ufw-logging-deny -m conntrack --ctstate INVALID -m limit --limit 3/min --limit-burst 10 -j RETURN
-A ufw-logging-deny -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "
-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
-A ufw-not-local -m addrtype --dst-type MULTICAST -j RETURN
-A ufw-not-local -m addrtype --dst-type BROADCAST -j RETURN
-A ufw-not-local -m limit --limit 3/min --limit-burst 10 -j ufw-logging-deny
-A ufw-not-local -j DROP
-A ufw-skip-to-policy-input -j DROP
-A ufw-user-limit -m limit --limit 3/min -j LOG --log-prefix "[UFW LIMIT BLOCK] "
-A ufw-user-limit -j REJECT --reject-with icmp-port-unreachable
-A ufw-user-limit-accept -j ACCEPT
""".splitlines()
ENDED = "-P INPUT ACCEPT"


def ufw(*rules: str, policy: str = "DROP") -> list[str]:
    """The table of ufw with rules of its user."""
    head = [f"-P INPUT {policy}" if line.startswith("-P INPUT") else line for line in UFW]
    if policy == "ACCEPT":  # "ufw default allow" leads what it skips to the policy, too
        head = [line.replace("-j DROP", "-j ACCEPT") if "-A ufw-skip-to-policy" in line else line for line in head]
    return [*head, *(f"-A ufw-user-input {rule}" for rule in rules)]


def plain(*rules: str, policy: str = "DROP", chains: tuple[str, ...] = ()) -> list[str]:
    """A table without ufw; what is no whole line is a rule of INPUT."""
    lines = [rule if rule.startswith("-A ") else f"-A INPUT {rule}" for rule in rules]
    return [f"-P INPUT {policy}", *(f"-N {chain}" for chain in chains), *lines]


IN, OUT = "-p tcp -m tcp --dport 443 -j ACCEPT", "-p tcp -m tcp --dport 443 -j DROP"
LIMIT = [
    "-p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -m recent --set --name DEFAULT --mask 255.255.255.255"
    " --rsource",
    "-p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 6 --name DEFAULT"
    " --mask 255.255.255.255 --rsource -j ufw-user-limit",
    "-p tcp -m tcp --dport 443 -j ufw-user-limit-accept",
]
# By a name: the table, and whether a client is let in.
DECIDED = {
    "ufw lets it in": (ufw(IN), True),
    "ufw has no rule for it": (ufw(), False),
    "ufw with default allow": (ufw(policy="ACCEPT"), True),
    "ufw with default allow and a deny": (ufw(OUT, policy="ACCEPT"), False),
    "ufw denies it first": (ufw(OUT, IN), False),
    "ufw allows it first": (ufw(IN, OUT), True),
    "ufw rejects it": (ufw("-p tcp -m tcp --dport 443 -j REJECT --reject-with tcp-reset"), False),
    "ufw limits it": (ufw(*LIMIT), True),
    "ufw with a comment": (ufw(f'-m comment --comment "-j DROP all of it" {IN}'), True),
    "several ports": (ufw("-p tcp -m multiport --dports 80,440:450 -j ACCEPT"), True),
    "several other ports": (ufw("-p tcp -m multiport --dports 80,8000:9000 -j ACCEPT"), False),
    "a range of ports": (ufw("-p tcp -m tcp --dport 400:500 -j ACCEPT"), True),
    "all ports up to one": (ufw("-p tcp -m tcp --dport :443 -j ACCEPT"), True),
    "all ports but this one": (ufw("-p tcp -m tcp ! --dport 443 -j ACCEPT"), False),
    "all ports but another one": (ufw("-p tcp -m tcp ! --dport 22 -j ACCEPT"), True),
    "another protocol": (ufw("-p udp -m udp --dport 443 -j ACCEPT"), False),
    "all protocols but another one": (ufw("! -p udp -j ACCEPT"), True),
    "everything": (ufw("-j ACCEPT"), True),
    "for a network of some": (ufw("-s 10.0.0.0/8 -p tcp -m tcp --dport 443 -j ACCEPT"), False),
    "not for a network of some": (ufw("-s 10.9.0.0/16 -j DROP", IN), True),
    "for all but some": (ufw("! -s 10.9.0.0/16 -p tcp -m tcp --dport 443 -j ACCEPT"), True),
    "a tunnel alone": (ufw("-i wg0 -p tcp -m tcp --dport 443 -j ACCEPT"), False),
    "another interface is closed": (ufw("-i eth1 -j DROP", IN), True),
    "this interface is closed": (ufw("-i eth0 -p tcp -m tcp --dport 443 -j DROP", IN), False),
    "this interface is open": (ufw("-i eth0 -p tcp -m tcp --dport 443 -j ACCEPT"), True),
    "all interfaces of a kind": (ufw("-i eth+ -p tcp -m tcp --dport 443 -j ACCEPT"), True),
    "all interfaces but this one": (ufw("! -i eth0 -p tcp -m tcp --dport 443 -j ACCEPT"), False),
    "all interfaces but another one": (ufw("! -i wg0 -p tcp -m tcp --dport 443 -j ACCEPT"), True),
    "another address is closed": (ufw("-d 10.0.0.5/32 -j DROP", IN), True),
    "this address is closed": (ufw("-d 192.0.2.10/32 -j DROP", IN), False),
    "another address is open": (ufw("-d 10.0.0.5/32 -p tcp -m tcp --dport 443 -j ACCEPT"), False),
    "all addresses but this one": (ufw("! -d 192.0.2.10/32 -j DROP", IN), True),
    "addresses of a range": (
        ufw("-m iprange --dst-range 192.0.2.0-192.0.2.20 -p tcp -m tcp --dport 443 -j ACCEPT"),
        True,
    ),
    "connections that stand": (ufw("-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"), False),
    "connections that are new": (ufw("-p tcp -m conntrack --ctstate NEW -m tcp --dport 443 -j ACCEPT"), True),
    "connections that do not stand": (
        ufw("-m conntrack ! --ctstate ESTABLISHED -p tcp -m tcp --dport 443 -j DROP", IN),
        False,
    ),
    "by the older name of states": (ufw("-p tcp -m state --state NEW -m tcp --dport 443 -j ACCEPT"), True),
    "first packets": (ufw("-p tcp -m tcp --dport 443 --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT"), True),
    "packets that cannot be": (ufw("-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE -j DROP", IN), True),
    "what is no first packet": (
        ufw("-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW -j DROP", IN),
        True,
    ),
    "broadcasts": (ufw("-m addrtype --dst-type BROADCAST -j DROP", IN), True),
    "not to this host": (ufw("-m addrtype ! --dst-type LOCAL -j DROP", IN), True),
    "ports of clients": (ufw("-p tcp -m tcp --sport 1024:65535 --dport 443 -j ACCEPT"), True),
    "privileged ports of clients": (ufw("-p tcp -m tcp --sport 1:1023 -j DROP", IN), True),
    "many connections of one client": (
        ufw("-p tcp -m connlimit --connlimit-above 50 --connlimit-mask 32 --connlimit-saddr -j DROP", IN),
        True,
    ),
    "no firewall at all": (plain(policy="ACCEPT"), True),
    "no ufw": (plain("-i lo -j ACCEPT", "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", IN), True),
    "no ufw, the last rule rejects": (
        plain(IN.replace("443", "22"), "-j REJECT --reject-with icmp-host-prohibited", policy="ACCEPT"),
        False,
    ),
    "a rule without a target": (plain("-p tcp", IN), True),
    "a rule that only logs": (plain('-j LOG --log-prefix "-j DROP "', IN), True),
    "a chain that comes back": (plain("-j WEB", IN, "-A WEB -p udp -j DROP", chains=("WEB",)), True),
    "a chain that returns early": (
        plain("-j WEB", IN, "-A WEB -p tcp -j RETURN", "-A WEB -j DROP", chains=("WEB",)),
        True,
    ),
    "a chain that ends": (plain("-j WEB", OUT, f"-A WEB {IN}", chains=("WEB",)), True),
    "a chain in a chain": (plain("-j A", "-A A -j B", f"-A B {IN}", "-A A -j DROP", chains=("A", "B")), True),
    "a chain that is gone to": (plain("-g WEB", IN, "-A WEB -p udp -j ACCEPT", chains=("WEB",)), False),
    "a goto comes back to the caller": (
        plain("-j A", IN, "-A A -g B", "-A A -j DROP", "-A B -p udp -j DROP", chains=("A", "B")),
        True,
    ),
    "a chain that is empty": (plain("-j WEB", IN, chains=("WEB",)), True),
    "return from INPUT is the policy": (plain("-p tcp -j RETURN", IN), False),
    "to the policy of ufw": (ufw("-p tcp -m tcp --dport 443 -j ufw-skip-to-policy-input", IN), False),
    "the host is panicking": (plain("-j DROP", IN), False),
}
# Rules that one packet alone cannot decide, unknown conditions, and texts that are no table.
UNDECIDED = {
    "so many a minute": ufw("-p tcp -m tcp --dport 443 -m limit --limit 3/min --limit-burst 5 -j ACCEPT"),
    "so many for each": ufw(
        "-p tcp -m tcp --dport 443 -m hashlimit --hashlimit-above 50/sec --hashlimit-mode srcip --hashlimit-name x"
        " -j DROP",
        IN,
    ),
    "a list of addresses": ufw("-m set --match-set banned src -j DROP", IN),
    "at some times": ufw("-p tcp -m time --timestart 08:00:00 --timestop 17:00:00 -m tcp --dport 443 -j ACCEPT"),
    "a mark": ufw("-m mark --mark 0x1/0xff -j DROP", IN),
    "a match nobody knows": ufw("-m frobnicate --level 9 -j DROP", IN),
    "an option nobody knows": ufw("-p tcp -m tcp --dport 443 --frob 9 -j ACCEPT"),
    "a target nobody knows": ufw("-p tcp -m tcp --dport 443 -j FROB --to 9"),
    "a program decides": ufw("-p tcp -m tcp --dport 443 -j NFQUEUE --queue-num 0"),
    "a port with a name": ufw("-p tcp -m tcp --dport https -j ACCEPT"),
    "a mask of holes": ufw("-d 10.0.0.5/255.0.255.0 -j DROP", IN),
    "half of the world": ufw("-s 0.0.0.0/1 -j DROP", IN),
    "a chain that leads to itself": plain("-j A", "-A A -j A", chains=("A",)),
    "no table": [],
    "a table without a policy": [f"-A ufw-user-input {IN}"],
    "an unclosed quote": ufw(f'-m frob --x "a {OUT}', IN),
    "not a table": ["iptables: Permission denied"],
}
