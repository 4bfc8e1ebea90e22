"""Replacement of official hosts by a local stand-in: `https://HOST/PATH` becomes `<upstream>/HOST/PATH`.

Pure functions shared by the control plane and the gateway's data plane. Rules that bind a credential to hosts look at
the original address; only what is dialled changes.
"""

from urllib.parse import urlsplit

from perilune.core.addresses import host_of, is_loopback
from perilune.core.errors import ConfigError

VARIABLE = "PERILUNE_UPSTREAM"


def parse_upstream(text: str | None) -> str | None:
    """The stand-in's address without trailing slash, None where none is set.

    Raises: ConfigError PL-SANDBOX unless it is an http address of this machine.
    """
    if text is None or not text.strip():
        return None
    address = text.strip().rstrip("/")
    try:
        parts = urlsplit(address)
        is_ours = parts.scheme in ("http", "https") and is_loopback(parts.hostname or "") and parts.port != 0
    except ValueError:
        is_ours = False
    if not is_ours or "@" in address or "?" in address or "#" in address:
        raise ConfigError.of("PL-SANDBOX", variable=VARIABLE)
    return address


def dialled(url: str, upstream: str | None) -> str:
    """The address that is really called for `url`. Loopback addresses are called as they are."""
    parts = urlsplit(url)
    if upstream is None or is_loopback(parts.hostname or ""):
        return url
    query = f"?{parts.query}" if parts.query else ""
    return f"{upstream}/{host_of(url)}{parts.path}{query}"


def original(url: str, upstream: str | None) -> str:
    """The address that a dialled one stands for: the inverse of `dialled`."""
    if upstream is None or not url.startswith(f"{upstream}/"):
        return url
    return f"https://{url.removeprefix(f'{upstream}/')}"
