"""What went wrong on the way, named by its layer."""

import socket
import ssl
from collections.abc import Iterator, Sequence
from urllib.request import getproxies, proxy_bypass

import httpx2

from perilune.core.addresses import host_of, is_loopback
from perilune.core.errors import UnreachableError
from perilune.core.redact import redact

_TLS_FAULTS = {9: "clock", 10: "expired", 62: "name", 64: "name"}  # X509_V_ERR_…: not yet valid, expired, host, address
_INTERCEPTORS = (
    "zscaler", "netskope", "fortinet", "fortigate", "palo alto", "blue coat", "bluecoat", "umbrella", "mcafee",
    "mitmproxy", "charles proxy", "fiddler", "portswigger", "kaspersky", "avast", "eset ssl", "sophos", "bitdefender",
)  # fmt: skip


def named(error: Exception, url: str, *, limit_s: float, issuer: str | None = None) -> UnreachableError:
    """The error of the layer that failed while `url` was called; `limit_s` is the time limit that was in force."""
    host = host_of(url)
    causes = list(_chain(error))
    proxy = proxy_for(url)
    if isinstance(error, httpx2.ProxyError):
        return _proxy_error(host, proxy, str(error))
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        variant = _tls_variant(causes, issuer)
        return UnreachableError.of("PL-NET-TLS", variant=variant, host=host, issuer=issuer or "–")
    if isinstance(error, (httpx2.TimeoutException, TimeoutError)):
        return UnreachableError.of("PL-NET-TIMEOUT", host=host, seconds=f"{limit_s:g}")
    if isinstance(error, httpx2.ConnectError) and proxy is not None:
        return _proxy_error(host, proxy, "")
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return UnreachableError.of("PL-NET-DNS", host=host)
    variant = "" if isinstance(error, httpx2.ConnectError) else "cut"
    return UnreachableError.of("PL-NET-REFUSED", variant=variant, host=host, port=str(_port(url)))


def _tls_variant(causes: Sequence[BaseException], issuer: str | None) -> str:
    """What was wrong with a secure connection, and whether somebody on the way replaces certificates."""
    refused = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if refused is None:
        reasons = " ".join(str(getattr(cause, "reason", "")) for cause in causes)
        return "protocol" if any(word in reasons for word in ("PROTOCOL", "VERSION", "HANDSHAKE")) else "unnamed"
    what = _TLS_FAULTS.get(refused.verify_code, "" if issuer else "unnamed")
    is_replaced = issuer is not None and any(word in issuer.lower() for word in _INTERCEPTORS)
    return f"replaced {what}".strip() if is_replaced else what


def is_untrusted_certificate(error: BaseException) -> bool:
    """True when the other side's certificate was seen and not trusted."""
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _chain(error))


def proxy_for(url: str) -> str | None:
    """The environment's proxy for `url`; never one for loopback."""
    parts = httpx2.URL(url)
    if is_loopback(parts.host) or proxy_bypass(parts.host):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


def _proxy_error(host: str, proxy: str | None, words: str) -> UnreachableError:
    status = words[:3] if words[:3].isdigit() else ""
    shown = _without_user(proxy or "")
    return UnreachableError.of(
        "PL-NET-PROXY", variant="" if status else "down", host=host, proxy=shown, status=redact(status)
    )


def _without_user(proxy: str) -> str:
    scheme, mark, rest = proxy.partition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}" if mark else proxy.rpartition("@")[2]


def _port(url: str) -> int:
    parts = httpx2.URL(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = [error]
    while seen:
        current = seen.pop()
        yield current
        if isinstance(current, BaseExceptionGroup):
            seen.extend(current.exceptions)
        follower = current.__cause__ or current.__context__
        if follower is not None:
            seen.append(follower)
