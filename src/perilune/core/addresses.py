"""Addresses as text: which are loopback, and which a credential may be written beside."""

import ipaddress
import re
from urllib.parse import urlsplit

_FORBIDDEN = re.compile(r"[\s\x00-\x1f\x7f\\<>\"{}|^`#?]")


def is_loopback(host: str) -> bool:
    """True for `localhost` and literal loopback addresses; other names are not looked up."""
    host = host.strip("[]").lower()
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin_of(url: str) -> str:
    """`scheme://host[:port]` in lower case, without the scheme's own port and without user info."""
    parts = urlsplit(url)
    return f"{parts.scheme.lower()}://{host_of(url)}"


def host_of(url: str) -> str:
    """`host` or `host:port` in lower case; the scheme's own port is left out, IPv6 keeps its brackets."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    own_port = {"https": 443, "http": 80}.get(parts.scheme.lower())
    return host if parts.port in (None, own_port) else f"{host}:{parts.port}"


def base_url_fault(text: str) -> str | None:
    """Why an address cannot carry a credential, None when it can.

    Explicit https, no user info, a plain host, a valid IPv6 literal where bracketed; http only to loopback.
    """
    if _FORBIDDEN.search(text):
        return "characters"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "host"
    if not host or "%" in parts.netloc or port == 0 or not _is_host(parts.netloc, host):
        return "host"
    if "@" in parts.netloc:
        return "user"
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)):
        return None
    return "scheme"


def _is_host(netloc: str, host: str) -> bool:
    if "[" not in netloc:
        return re.fullmatch(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?", host, re.IGNORECASE | re.ASCII) is not None
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False
