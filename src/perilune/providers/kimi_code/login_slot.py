"""Which login file of the vendor's command line counts, and which region it is of.

Source: `config.toml`, table `[providers."managed:kimi-code"]`; the file `region` beside it.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from perilune.catalog.plan import Plan, Region
from perilune.core.addresses import host_of
from perilune.core.errors import CredentialError
from perilune.net.upstream_map import original
from perilune.providers.kimi_code.login_file import read_small

_PROVIDER = "managed:kimi-code"
_FIRST_REGION = "cn"
_FIRST_SLOT = "kimi-code"
_BARE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_MARKER_SWITCH = "KIMI_CODE_REGION_MARKER"


class Slot(Struct, frozen=True):
    """One place of a login: its region and its file, whether or not it is there."""

    region: str
    file: Path


class _Named(Struct, frozen=True):
    """What the program's configuration says about its login; addresses as it wrote them."""

    base_url: str = ""
    oauth_host: str = ""
    key: str = ""
    storage: str = ""


def named_slot(home: Path, plan: Plan, upstream: str | None, marked: Region) -> Slot:
    """The slot that the program's configuration names, else the one of the marked region.

    Raises: PL-LOGIN-KEYRING, PL-LOGIN-FOREIGN.
    """
    named = _named(home)
    if named.storage == "keyring":
        raise CredentialError.of("PL-LOGIN-KEYRING")
    region = _region(named, plan, upstream, marked)
    name = _bare(named.key) if named.key else _slot_of_pair(named, region, plan)
    return Slot(region.id, home / "credentials" / f"{name}.json")


def slot_name(oauth_host: str, base_url: str, first: Region | None) -> str:
    """The slot's name of an address pair; `first` is the region whose official pair has the plain name."""
    pair = (oauth_host.rstrip("/"), base_url.rstrip("/"))
    if first is not None and pair == (first.oauth, first.read_base):
        return _FIRST_SLOT
    text = json.dumps({"oauthHost": pair[0], "baseUrl": pair[1]}, separators=(",", ":"), ensure_ascii=False)
    return f"{_FIRST_SLOT}-env-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def region_marked(home: Path, plan: Plan, environment: Mapping[str, str]) -> Region:
    """The region that the file `region` marks, unless that is switched off; else the first."""
    words = {region.vendor_name: region for region in plan.regions}
    first = plan.region(_FIRST_REGION) or plan.regions[0]
    if environment.get(_MARKER_SWITCH, "").strip().lower() == "off":
        return first
    try:
        content = read_small(home / "region") or b""
    except OSError:
        return first
    return words.get(content.decode("utf-8", "replace").strip(), first)


def official(address: str, plan: Plan, upstream: str | None) -> Region | None:
    """The region whose official host an address has; one below `upstream` stands for the official one it names."""
    try:
        meant = original(address.strip(), upstream)
        host = host_of(meant) if meant.startswith("https://") and "@" not in meant else ""
    except ValueError:
        return None
    return next((region for region in plan.regions if host in region.hosts), None)


def _named(home: Path) -> _Named:
    """The table of the program's configuration; an unreadable file counts as none."""
    try:
        table = tomllib.loads((read_small(home / "config.toml") or b"").decode())
    except (OSError, ValueError):
        return _Named()
    providers = table.get("providers")
    provider = providers.get(_PROVIDER) if isinstance(providers, dict) else None
    if not isinstance(provider, dict):
        return _Named()
    oauth = provider.get("oauth")
    oauth = oauth if isinstance(oauth, dict) else {}
    return _Named(
        base_url=_text(provider.get("base_url")),
        oauth_host=_text(oauth.get("oauth_host")) or _text(provider.get("oauth_host")),
        key=_text(oauth.get("key")),
        storage=_text(oauth.get("storage")).lower(),
    )


def _region(named: _Named, plan: Plan, upstream: str | None, marked: Region) -> Region:
    addresses = [address for address in (named.base_url, named.oauth_host) if address]
    regions = [official(address, plan, upstream) for address in addresses]
    if regions:
        if regions[0] is None or any(region is not regions[0] for region in regions):
            raise CredentialError.of("PL-LOGIN-FOREIGN")
        return regions[0]
    if not named.key:
        return marked
    return _region_of_key(_bare(named.key), plan)


def _region_of_key(name: str, plan: Plan) -> Region:
    """The region whose official pair has this slot's name."""
    first = plan.region(_FIRST_REGION)
    for region in plan.regions:
        if name == slot_name(region.oauth or "", region.read_base, first):
            return region
    raise CredentialError.of("PL-LOGIN-FOREIGN")


def _slot_of_pair(named: _Named, region: Region, plan: Plan) -> str:
    pair = named.oauth_host or region.oauth or "", named.base_url or region.read_base
    return slot_name(*pair, plan.region(_FIRST_REGION))


def _bare(key: str) -> str:
    """The file's name in a slot key; anything that could leave the folder is refused."""
    name = key.removeprefix("oauth/")
    if not _BARE_NAME.fullmatch(name):
        raise CredentialError.of("PL-LOGIN-FOREIGN", variant="key")
    return name


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
