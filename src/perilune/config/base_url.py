"""Addresses that a user wrote: what a base URL may be, what is repaired, and whose official host it is."""

import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from perilune.catalog.plan import Plan, Region
from perilune.core.errors import ConfigError, Problem

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0<>\"{}|\\^`]|[^\x00-\x7f]")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_ENDING = re.compile(r"(?P<version>/v1)?/(?P<name>chat/completions|completions|responses|messages)/*$", re.IGNORECASE)
_DOUBLED = re.compile(r"/v1/v1(?=/*$)", re.IGNORECASE)
_EXAMPLE = "https://HOST/v1"


def check_base_url(text: str, *, place: str, account: str = "NAME", allow_private: Sequence[str] = ()) -> str:
    """The address as it was written, when it may be used.

    Raises: PL-CONFIG-BASEURL; an address that ends in an endpoint is named with its repaired form.
    """
    facts: dict[str, object] = {
        "place": place,
        "value": _without_userinfo(text),
        "account": account,
        "example": _EXAMPLE,
    }
    variant = _objection(text, allow_private) if text.strip() else "required"
    if variant is not None:
        raise ConfigError(Problem(code="PL-CONFIG-BASEURL", variant=variant, facts=facts))
    repaired = repaired_base_url(text)
    if repaired != text:
        facts |= {"repaired": repaired, "example": repaired, "ending": text[_common(text, repaired) :].rstrip("/")}
        raise ConfigError(Problem(code="PL-CONFIG-BASEURL", variant="ending", facts=facts))
    return text


def repaired_base_url(text: str) -> str:
    """The address without an endpoint at its end and without a doubled `/v1`; scheme, host and port never change."""
    ending = _ENDING.search(text, text.find("://") + 3)
    if ending is not None:
        keeps_version = ending["name"].lower() != "messages"
        text = text[: ending.start()] + ((ending["version"] or "") if keeps_version else "")
    return _DOUBLED.sub("/v1", text)


def official_home(url: str, plans: Mapping[str, Plan], upstream: str | None = None) -> tuple[Plan, Region] | None:
    """The plan and region whose official host an address has, None for all others.

    An address below `upstream` stands for the official one it names.
    """
    host = _host_behind(url, upstream)
    for plan in plans.values():
        for region in plan.regions:
            if host in region.hosts:
                return plan, region
    return None


def _host_behind(url: str, upstream: str | None) -> str | None:
    if upstream and url.startswith(upstream.rstrip("/") + "/"):
        return url.removeprefix(upstream.rstrip("/") + "/").partition("/")[0].lower()
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _objection(text: str, allow_private: Sequence[str]) -> str | None:
    """Why an address may not be used: the variant of the error, None when it may."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "shape"
    if "@" in parts.netloc:
        return "userinfo"
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        return "query"
    if _FORBIDDEN.search(text) or not _is_host(parts) or "%" in parts.netloc or port == 0:
        return "shape"
    if parts.scheme == "https" or (parts.scheme == "http" and _may_be_plain(parts, allow_private)):
        return None
    return "shape"


def _is_host(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if parts.netloc.startswith("["):
        return _address(host) is not None
    return _HOST.fullmatch(host) is not None and ".." not in host


def _may_be_plain(parts: SplitResult, allow_private: Sequence[str]) -> bool:
    host = parts.hostname or ""
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    names = {host, f"{host}:{parts.port}" if parts.port else host, f"[{host}]:{parts.port}"}
    return any(entry.lower() in names or _holds(entry, address) for entry in allow_private)


def _holds(entry: str, address: object) -> bool:
    try:
        return address is not None and address in ip_network(entry, strict=False)
    except ValueError:
        return False


def _address(host: str):  # type: ignore[no-untyped-def]  # IPv4Address | IPv6Address | None, as ip_address gives it
    try:
        return ip_address(host)
    except ValueError:
        return None


def _common(text: str, repaired: str) -> int:
    return next(
        (index for index, pair in enumerate(zip(text, repaired, strict=False)) if pair[0] != pair[1]), len(repaired)
    )


def _without_userinfo(text: str) -> str:
    """The address as it may be shown: what stands before an @ could be a password."""
    return re.sub(r"//[^/@]*@", "//…@", text)
