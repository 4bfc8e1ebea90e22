"""Address guard: which addresses a user-written host may lead to; every one of a name is checked, on each connection.

Source: gateway reference 3.4.
"""

import ipaddress
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

from msgspec import Struct

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network

_REFUSED_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "255.255.255.255/32",
    )
)
_REFUSED_6 = tuple(
    IPv6Network(text)
    for text in ("::/128", "::1/128", "100::/64", "2001:db8::/32", "fc00::/7", "fe80::/10", "ff00::/8")
)
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_METADATA = frozenset({IPv4Address("169.254.169.254"), IPv6Address("fd00:ec2::254")})


class Refused(Struct, frozen=True):
    """Why an address may not be used: the address, the range it is in, and the line that would allow it."""

    address: str
    reason: str
    allow: str


class Allowed(Struct, frozen=True):
    """What a self-hoster listed: ranges, single addresses and names, each for one port or any."""

    networks: tuple[tuple[_Network, int | None], ...] = ()
    names: tuple[tuple[str, int | None], ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> "Allowed":
        """Read `gateway.allow_private`: `127.0.0.1:11434`, `10.0.0.0/8`, `ollama.lan:11434`, `[fd00::1]:80`."""
        networks: list[tuple[_Network, int | None]] = []
        names: list[tuple[str, int | None]] = []
        for entry in entries:
            host, port = _split(entry.strip().lower())
            try:
                networks.append((ipaddress.ip_network(host, strict=False), port))
            except ValueError:
                names.append((host, port))
        return cls(tuple(networks), tuple(names))

    def has_address(self, address: _Address, port: int) -> bool:
        """True when a listed range or address covers it; a cloud metadata address must be listed alone."""
        for network, allowed_port in self.networks:
            if allowed_port not in (None, port) or address not in network:
                continue
            if address not in _METADATA or network.num_addresses == 1:
                return True
        return False

    def has_name(self, host: str, port: int) -> bool:
        """True when the name itself is listed."""
        return any(name == host and allowed in (None, port) for name, allowed in self.names)


def check_url(url: str, allowed: Allowed) -> Refused | None:
    """Refuse plain http to anything that is not listed, and literal addresses in a refused range."""
    parts = urlsplit(url)
    host, port = (parts.hostname or "").rstrip("."), parts.port or (443 if parts.scheme == "https" else 80)
    literal = literal_address(host)
    listed = allowed.has_name(host, port) or (literal is not None and allowed.has_address(literal, port))
    if parts.scheme != "https" and not listed:
        return Refused(host, "only https leaves this computer", f"{host}:{port}")
    return None if literal is None else check_addresses(host, port, [str(literal)], allowed)


def check_target(scheme: str, host: str, port: int, addresses: Iterable[str], allowed: Allowed) -> Refused | None:
    """As `check_addresses`, and plain http only to what is listed."""
    found = list(addresses)
    is_listed = allowed.has_name(host.rstrip("."), port) or all(
        allowed.has_address(ipaddress.ip_address(text.partition("%")[0]), port) for text in found
    )
    if scheme != "https" and not is_listed:
        return Refused(host, "only https leaves this computer", f"{host}:{port}")
    return check_addresses(host, port, found, allowed)


def check_addresses(host: str, port: int, addresses: Iterable[str], allowed: Allowed) -> Refused | None:
    """Refuse the host when any one of its addresses lies in a refused range and is not listed."""
    is_named = allowed.has_name(host.rstrip("."), port)
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        if is_named and address not in _METADATA:
            continue
        reason = _refused_range(address)
        if reason is not None and not allowed.has_address(_unwrapped(address), port):
            return Refused(str(address), reason, f"{address}:{port}")
    return None


def literal_address(host: str) -> _Address | None:
    """The address a host text is, by the rules of a resolver: also `0x7f.1`, `2130706433`, `127.1`; else None."""
    host = host.strip("[]").rstrip(".")
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host)) if host and host[-1].isalnum() and host[0].isdigit() else None
    except OSError:
        return None


def _refused_range(address: _Address) -> str | None:
    inner = _unwrapped(address)
    if isinstance(inner, IPv4Address):
        return next((str(network) for network in _REFUSED_4 if inner in network), None)
    return next((str(network) for network in _REFUSED_6 if inner in network), None)


def _unwrapped(address: _Address) -> _Address:
    if isinstance(address, IPv6Address) and (address in _MAPPED or address in _NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _split(entry: str) -> tuple[str, int | None]:
    if entry.startswith("["):
        host, _, port = entry[1:].partition("]")
        return host, int(port[1:]) if port[1:].isdigit() else None
    host, colon, port = entry.rpartition(":")
    if colon and port.isdigit() and ":" not in host:
        return host, int(port)
    return entry, None
