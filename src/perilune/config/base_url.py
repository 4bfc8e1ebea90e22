"""Addresses that a user wrote: what a base URL may be, what is repaired, and whose official host it is."""

import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from perilune.catalog.plan import Plan, Region
from perilune.core.addresses import base_url_fault, host_of
from perilune.core.errors import ConfigError, Problem

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
    if "@" in text.partition("://")[2].partition("/")[0]:
        return "user"
    if "?" in text or "#" in text:
        return "query"
    fault = base_url_fault(text)
    is_listed = fault == "scheme" and text.startswith("http://") and _is_listed(text, allow_private)
    return None if is_listed else fault


def _is_listed(text: str, allow_private: Sequence[str]) -> bool:
    names = {host_of(text), urlsplit(text).hostname or ""}
    return any(entry.lower() in names or _holds(entry, urlsplit(text).hostname or "") for entry in allow_private)


def _holds(network: str, host: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False


def _common(text: str, repaired: str) -> int:
    return next(
        (index for index, pair in enumerate(zip(text, repaired, strict=False)) if pair[0] != pair[1]), len(repaired)
    )


def _without_userinfo(text: str) -> str:
    """The address as it may be shown: what stands before an @ could be a password."""
    return re.sub(r"//[^/@]*@", "//…@", text)
