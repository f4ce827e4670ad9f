# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel would do with a client's first packet, from its filter table. Private to aurora.runbook.

Rules are read as iptables lists them. A condition that is unknown here is never ignored: if it could change the answer,
the answer is "undecided".
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

OPEN, CLOSED, UNDECIDED = "open", "closed", "undecided"
ACCEPT, DROP, REJECT, RETURN, UNKNOWN = "ACCEPT", "DROP", "REJECT", "RETURN", "?"
# Targets after which the next rule is read.
_PASSING = {
    *("LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "SET", "TCPMSS", "AUDIT", "TRACE", "CLASSIFY", "TOS", "DSCP"),
    *("SECMARK", "CONNSECMARK", "CHECKSUM", "LED", "TEE", "IDLETIMER", "HMARK"),
}
_ONE_WORD = {"--comment", "--log-prefix", "--nflog-prefix", "--string", "--hex-string"}  # the value may begin with "-"
EPHEMERAL = (1024, 65535)  # the ports of clients


@dataclass(frozen=True)
class Packet:
    """The first packet of a client outside to a TCP port: on one of these interfaces, to one of these addresses.

    An empty tuple means that it is unknown which.
    """

    port: int
    interfaces: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """Open, closed or undecided, and the rule that decides, or whose effect is unknown."""

    state: str
    rule: str = ""


@dataclass(frozen=True)
class _Rule:
    text: str
    conditions: tuple[tuple[str, tuple], ...]  # by match ("" for those of a rule itself): (negated, name, values), …
    target: str = ""
    goto: bool = False


@dataclass
class _Table:
    policies: dict[str, str] = field(default_factory=dict)
    chains: dict[str, list[_Rule]] = field(default_factory=dict)


def decide(lines: Iterable[str], packet: Packet) -> Decision:
    """What happens to a packet, by ``iptables -S``; undecided if INPUT has no policy."""
    table = _parse(lines)
    if "INPUT" not in table.policies:
        return Decision(UNDECIDED)
    ends, back, unsure = _Walk(table, packet).through("INPUT")
    if back:
        ends.setdefault(table.policies["INPUT"], f"-P INPUT {table.policies['INPUT']}")
    if set(ends) == {ACCEPT}:
        return Decision(OPEN)
    if set(ends) <= {DROP, REJECT}:
        return Decision(CLOSED, next(iter(ends.values())))
    return Decision(UNDECIDED, unsure or ends.get(UNKNOWN, ""))


def of_input(lines: Sequence[str]) -> list[str]:
    """The lines of a table that can decide about incoming packets: those of INPUT, and of chains to which it leads."""
    table, reached, new = _parse(lines), set(), ["INPUT"]
    while new:
        chain = new.pop()
        if chain not in reached:
            reached.add(chain)
            new += [rule.target for rule in table.chains.get(chain, ()) if rule.target in table.chains]
    return [line for line in lines if line.split()[1:2] and line.split()[1] in reached]


class _Walk:
    """One packet's walk through a table; each chain is walked once, because it always treats the packet alike."""

    def __init__(self, table: _Table, packet: Packet):
        self.table, self.packet = table, packet
        self.known: dict[str, tuple[dict[str, str], bool, str]] = {}

    def through(self, chain: str) -> tuple[dict[str, str], bool, str]:
        """How the walk may end in a chain (verdict and rule), whether it may return, and the first unsure rule."""
        if chain not in self.known:
            self.known[chain] = {UNKNOWN: f"-N {chain}"}, True, ""  # the answer for a chain that leads to itself
            self.known[chain] = self._through(chain)
        ends, back, unsure = self.known[chain]
        return dict(ends), back, unsure

    def _through(self, chain: str) -> tuple[dict[str, str], bool, str]:
        ends: dict[str, str] = {}
        returns, unsure = False, ""
        for rule in self.table.chains.get(chain, ()):
            hit = _applies(rule, self.packet)
            if hit is False or not rule.target or rule.target in _PASSING:
                continue
            unsure = unsure or ("" if hit else rule.text)
            back = False
            if rule.target in (ACCEPT, DROP, REJECT):
                ends.setdefault(rule.target, rule.text)
            elif rule.target == RETURN:
                returns = True
            elif rule.target in self.table.chains:
                found, back, doubt = self.through(rule.target)
                ends, unsure = {**found, **ends}, unsure or doubt
                if rule.goto:
                    returns, back = returns or back, False
            else:
                ends.setdefault(UNKNOWN, rule.text)
                back = True
            if hit and not back:
                return ends, returns, unsure
        return ends, True, unsure


def _parse(lines: Iterable[str]) -> _Table:
    table = _Table()
    for line in lines:
        try:
            words = shlex.split(line)
        except ValueError:
            words = line.split()
        if words[:1] == ["-P"] and len(words) >= 3:
            table.policies[words[1]] = words[2]
            table.chains.setdefault(words[1], [])
        elif words[:1] == ["-N"] and len(words) >= 2:
            table.chains.setdefault(words[1], [])
        elif words[:1] == ["-A"] and len(words) >= 2:
            table.chains.setdefault(words[1], []).append(_rule(line.strip(), words[2:]))
    return table


def _rule(text: str, words: Sequence[str]) -> _Rule:
    conditions: dict[str, list] = {"": []}
    module, negated, target, goto = "", False, "", False
    at = 0
    while at < len(words):
        name = words[at]
        at += 1
        if name == "!":
            negated = True
            continue
        values = _values(name, words, at)
        at += len(values)
        if name in ("-j", "--jump", "-g", "--goto"):
            target, goto = (values or (UNKNOWN,))[0], name in ("-g", "--goto")
            break
        if name in ("-m", "--match"):
            module = (values or ("?",))[0]
            conditions.setdefault(module, [])
        else:
            conditions["" if name in _OWN else module].append((negated, name, values))
        negated = False
    return _Rule(text, tuple((module, tuple(each)) for module, each in conditions.items()), target, goto)


def _values(name: str, words: Sequence[str], start: int) -> tuple[str, ...]:
    if name in _ONE_WORD:
        return tuple(words[start : start + 1])
    end = start
    while end < len(words) and words[end] != "!" and not words[end].startswith("-"):
        end += 1
    return tuple(words[start:end])


def _applies(rule: _Rule, packet: Packet) -> bool | None:
    """Whether all conditions hold; None if that is unknown."""
    return _all(_MATCHES.get(module, _unknown)(conditions, packet) for module, conditions in rule.conditions)


def _all(answers: Iterable[bool | None]) -> bool | None:
    found = list(answers)
    return False if False in found else None if None in found else True


def _each(checks: Mapping[str, Callable[[str, Packet], bool | None]]) -> Callable[[tuple, Packet], bool | None]:
    """A match whose options are checked one by one, each with one value."""

    def match(conditions: tuple, packet: Packet) -> bool | None:
        return _all(_one(checks.get(name), negated, values, packet) for negated, name, values in conditions)

    return match


def _one(check: Callable | None, negated: bool, values: tuple, packet: Packet) -> bool | None:
    if check is None or len(values) != 1:
        return None
    try:
        answer = check(values[0], packet)
    except ValueError:
        return None
    return answer if answer is None else answer is not negated


def _unknown(_conditions: tuple, _packet: Packet) -> None:
    return None


def _protocol(value: str, _packet: Packet) -> bool:
    return value.lower() in ("tcp", "6", "all", "0")


def _interface(value: str, packet: Packet) -> bool | None:
    """Whether a rule is for an interface of clients. Another interface does not concern them."""
    fits = [name.startswith(value[:-1]) if value.endswith("+") else name == value for name in packet.interfaces]
    return _some(fits) if fits or value != "+" else True


def _source(value: str, _packet: Packet) -> bool | None:
    """Whether a rule is for clients from anywhere. Its effect on some clients does not decide for all of them."""
    network = ipaddress.ip_network(value, strict=False)
    if network.prefixlen == 0:
        return True
    return None if network.prefixlen < (8 if network.version == 4 else 16) and network.is_global else False


def _destination(value: str, packet: Packet) -> bool | None:
    network = ipaddress.ip_network(value, strict=False)
    if network.prefixlen == 0:
        return True
    return _some([ipaddress.ip_address(address) in network for address in packet.addresses])


def _some(fits: Sequence[bool]) -> bool | None:
    """None if the condition holds only for some ways of a client; False if it holds for no known one."""
    return None if any(fits) and not all(fits) else any(fits)


def _port(value: str, packet: Packet) -> bool:
    return any(low <= packet.port <= high for low, high in _spans(value))


def _client_port(value: str, _packet: Packet) -> bool | None:
    spans = _spans(value)
    if any(low <= EPHEMERAL[0] and high >= EPHEMERAL[1] for low, high in spans):
        return True
    return None if any(high >= EPHEMERAL[0] for _low, high in spans) else False


def _spans(value: str) -> list[tuple[int, int]]:
    spans = []
    for span in value.split(","):
        found = re.fullmatch(r"(\d*)(:?)(\d*)", span)
        if not found or not (found[1] or found[2]):
            raise ValueError(span)
        low = int(found[1] or 0)
        spans.append((low, int(found[3] or (65535 if found[2] else low))))
    return spans


def _states(value: str, _packet: Packet) -> bool:
    return "NEW" in value.upper().split(",")


def _kind_of_destination(value: str, _packet: Packet) -> bool:
    return "LOCAL" in value.upper().split(",")


def _kind_of_source(value: str, _packet: Packet) -> bool:
    return "UNICAST" in value.upper().split(",")


def _kind_of_packet(value: str, _packet: Packet) -> bool:
    return value.lower() in ("unicast", "host")


def _addresses_between(value: str, packet: Packet) -> bool | None:
    low, _dash, high = value.partition("-")
    first, last = ipaddress.ip_address(low), ipaddress.ip_address(high or low)
    found = [ipaddress.ip_address(address) for address in packet.addresses]
    return _some([first <= address <= last for address in found if address.version == first.version])


def _sources_between(value: str, _packet: Packet) -> bool | None:
    low, _dash, high = value.partition("-")
    first, last = ipaddress.ip_address(low), ipaddress.ip_address(high or low)
    count, whole = int(last) - int(first) + 1, 2**first.max_prefixlen
    return True if count == whole else None if count >= whole >> 8 else False


def _yes(_conditions: tuple, _packet: Packet) -> bool:
    return True


def _tcp(conditions: tuple, packet: Packet) -> bool | None:
    flags = [(negated, values) for negated, name, values in conditions if name == "--tcp-flags"]
    syn = [negated for negated, name, _values in conditions if name == "--syn"]
    rest = tuple(each for each in conditions if each[1] not in ("--tcp-flags", "--syn"))
    return _all(
        [
            *(_syn(values, negated) for negated, values in flags),
            *(not negated for negated in syn),
            _ports(rest, packet),
        ]
    )


def _syn(values: tuple, negated: bool) -> bool | None:
    """Whether the flags of a first packet, which has only SYN, match: the mask, and the flags of it that are set."""
    if len(values) != 2:
        return None
    mask, wanted = (set(value.upper().split(",")) for value in values)
    return (("SYN" in mask or "ALL" in mask) is ("SYN" in wanted) and wanted <= {"SYN", "NONE"}) is not negated


def _recent(conditions: tuple, _packet: Packet) -> bool | None:
    """A client that comes for the first time in a while: it is added to a list, and has no hits on it yet."""
    names = {name: values for negated, name, values in conditions if not negated}
    if len(names) != len(conditions):
        return None
    if "--set" in names:
        return True
    hits = names.get("--hitcount", ("",))
    return False if hits and hits[0].isdigit() and int(hits[0]) > 1 else None


def _connections(conditions: tuple, _packet: Packet) -> bool | None:
    """A client that has no connection yet, counted by its address."""
    names = {name: values for negated, name, values in conditions if not negated}
    mask = names.get("--connlimit-mask", ("32",))
    if len(names) != len(conditions) or mask not in (("32",), ("128",)) or "--connlimit-daddr" in names:
        return None
    above, most = names.get("--connlimit-above"), names.get("--connlimit-upto")
    limit = (above or most or ("",))[0]
    return None if not limit.isdigit() or int(limit) < 1 else most is not None


# The options of a rule itself, which may also stand after a match.
_OWN = {
    "-p": _protocol,
    "--protocol": _protocol,
    "-s": _source,
    "--source": _source,
    "-d": _destination,
    "--destination": _destination,
    "-i": _interface,
    "--in-interface": _interface,
    "-o": lambda _value, _packet: False,
}
_PORTS = {"--dport": _port, "--destination-port": _port, "--sport": _client_port, "--source-port": _client_port}
_ports = _each(_PORTS)
_MATCHES: dict[str, Callable[[tuple, Packet], bool | None]] = {
    "": _each(_OWN),
    "tcp": _tcp,
    "udp": _ports,
    "comment": _yes,
    "multiport": _each({"--dports": _port, "--sports": _client_port}),
    "conntrack": _each({"--ctstate": _states}),
    "state": _each({"--state": _states}),
    "addrtype": _each({"--dst-type": _kind_of_destination, "--src-type": _kind_of_source}),
    "pkttype": _each({"--pkt-type": _kind_of_packet}),
    "iprange": _each({"--src-range": _sources_between, "--dst-range": _addresses_between}),
    "policy": lambda conditions, _packet: (
        True
        if (False, "--pol", ("none",)) in conditions
        else False
        if (False, "--pol", ("ipsec",)) in conditions
        else None
    ),
    "recent": _recent,
    "connlimit": _connections,
    "owner": lambda _conditions, _packet: False,
}
