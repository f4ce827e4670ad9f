# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host a label, an address or a name means, and which labels mean a host. Private to aurora.runbook.

Alerts, silences, PromQL and the event filter all use it, so that they never mean different hosts. Names are compared
without regard to case and a final dot, addresses as addresses, and a text that could mean two hosts means none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

# Labels that may name a host. Proxies, federation and relabelling leave the name in another label than "instance".
INSTANCE = "instance"
LABELS = (INSTANCE, "exported_instance", "host", "hostname", "nodename", "node", "fqdn", "target")
LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
NAME = re.compile(r"[\w-][\w.-]{0,252}")
# A relabelled "instance" that is no host name, such as "Aurora A (Kyiv)". None of its characters can begin a template.
TEXT = re.compile(r"\w[\w .:()/-]{0,252}")
SCHEME, PORT, REST = r"(?:[a-z][a-z0-9+.-]*://)?", r"(?::[0-9]+)?", r"(?:[/?#].*)?"
GROUPS = 8  # of an IPv6 address


@lru_cache(maxsize=4096)
def host_of(text: str) -> str:
    """The host in "host", "host:port", an address, "[v6]:port" or a URL, in one form; "" if it is none of these."""
    if re.search(r"[\s\x00-\x1f\x7f\\]", text):
        return ""
    head, _colon, port = text.rpartition(":")
    if head.count(":") == GROUPS - 1 and port.isdigit() and _address(head) and not _address(text):
        return _address(head)  # a full address and a port
    try:
        host = urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:
        host = ""
    return _address(text) or _address(host.replace("%25", "%")) or _name(host)


def _address(text: str) -> str:
    bare, percent, zone = (text[1:-1] if text[:1] == "[" and text[-1:] == "]" else text).partition("%")
    try:
        found = ip_address(bare)
    except ValueError:
        return ""
    if percent:
        return f"{found.compressed}%{zone}" if isinstance(found, IPv6Address) and NAME.fullmatch(zone) else ""
    return (getattr(found, "ipv4_mapped", None) or found).compressed


def _name(host: str) -> str:
    name = host.lower()[:-1] if host.endswith(".") else host.lower()
    return name if NAME.fullmatch(name) else ""


def meant(text: str, hosts: Mapping[str, str], declared: Mapping[str, str] | None = None) -> list[str]:
    """The inventory names that a label means; several if it is ambiguous.

    ``hosts`` is the address by inventory name, ``declared`` the label that the inventory itself names. An exact match
    is preferred to one that only lacks a domain or the zone of an address. A loopback address means none of several
    hosts, as in labels_of().
    """
    wanted = host_of(text)
    own = [
        name for name, label in (declared or {}).items() if label and (label == text or host_of(label) == wanted != "")
    ]
    if own or not wanted:
        return own
    known = {
        name: {form for form in map(host_of, (name, address)) if len(hosts) == 1 or not _loopback(form)}
        for name, address in hosts.items()
    }
    for alike in (str.__eq__, _alike):
        found = [name for name, forms in known.items() if any(alike(wanted, form) for form in forms)]
        if found:
            return found
    return []


def _alike(one: str, other: str) -> bool:
    """Whether one of them is the other without its domain, or without the zone of its address."""
    if _address(one) or _address(other):
        shorter, longer = sorted((one, other), key=len)
        return "%" not in shorter and longer.partition("%")[0] == shorter
    return one.partition(".")[0] == other.partition(".")[0] and ("." not in one or "." not in other)


def inventory(hostvars: Mapping[str, Mapping], names: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """What Ansible's variables say about hosts: each one's address, and the label that the inventory names for it."""
    known = {name: hostvars.get(name, {}) for name in names}
    addresses = {name: str(host.get("ansible_host") or name) for name, host in known.items()}
    return addresses, {name: str(host.get("aurora_prometheus_instance") or "") for name, host in known.items()}


def label_in(hostvars: Mapping[str, Mapping], names: Iterable[str]) -> str:
    """The label that names hosts if an inventory sets another one than "instance", otherwise ""."""
    said = (hostvars.get(name, {}).get("aurora_prometheus_label") for name in names)
    return str(next(filter(None, said), ""))


def labels_of(
    name: str, hosts: Mapping[str, str], declared: Mapping[str, str] | None = None, seen: str = ""
) -> list[str]:
    """How a label may name a host: as the inventory says, and as an alert was ``seen`` to name it.

    A form that could also mean another host is left out. The inventory need not know the form that the alert has.
    """
    own = (declared or {}).get(name, "")
    given = [own] if own else [name, hosts.get(name, "")]
    forms = [host_of(form) or form for form in given if not _loopback(host_of(form))]
    short = [form.partition(".")[0] for form in forms if not own and not _address(form)]
    found = dict.fromkeys(filter(None, [host_of(seen) or seen, *forms, *short]))
    return [form for form in found if set(meant(form, hosts, declared)) <= {name}] or [host_of(name) or name]


def _loopback(host: str) -> bool:
    """Whether it means the host that asks, which for Prometheus is another one than for the controller."""
    return host == "localhost" or bool(_address(host) and "%" not in host and ip_address(host).is_loopback)


def pattern(labels: Iterable[str]) -> str:
    """A regular expression for RE2, to be anchored, for every way to write these labels, with any port or none."""
    return f"(?i:{SCHEME}(?:{'|'.join(dict.fromkeys(map(_written, labels)))}){REST})"


def _written(label: str) -> str:
    host = host_of(label)
    if not _address(host):
        return f"{re.escape(host)}\\.?{PORT}" if host else f"{re.escape(label)}{PORT}"
    bare, percent, zone = host.partition("%")
    if ":" not in bare:
        four = re.escape(bare)
        return f"{four}{PORT}|::ffff:{four}|\\[::ffff:{four}\\]{PORT}"
    ways, zoned = _ways(bare), f"%(?:25)?{re.escape(zone)}" if percent else ""
    any_way = f"(?:{'|'.join(ways)}){zoned}"  # otherwise a port would be read as part of the address
    return f"\\[{any_way}\\]{PORT}|{any_way}|{ways[0]}{zoned}{PORT}"


def _ways(address: str) -> list[str]:
    """The ways to write an IPv6 address: in full, or with any of its rows of zeros as "::"."""
    groups = [group.lstrip("0") for group in ip_address(address).exploded.split(":")]
    written = [
        "0{1,4}" if not group else group if len(group) == 4 else f"0{{0,{4 - len(group)}}}{group}" for group in groups
    ]
    found = [":".join(written)]
    for start in range(GROUPS):
        for end in range(start + 1, GROUPS + 1):
            if not any(groups[start:end]):
                found.append(f"{':'.join(written[:start])}::{':'.join(written[end:])}")
    return found


def matcher(labels: Sequence[str], label: str = INSTANCE) -> str:
    """A PromQL matcher for the series that these labels mean."""
    quoted = pattern(labels).replace("\\", "\\\\").replace('"', '\\"')
    return f'{label}=~"{quoted}"'
