"""The configuration of a program that people come from (CodexBar), read for the keys it holds; never written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from perilune.core.keys import clean_key
from perilune.core.secret import Secret

NAME, LABEL = "codexbar", "CodexBar"
_LARGEST = 1024 * 1024


class Entry(Struct, frozen=True):
    """One provider of that file with a key. `id` is its name for it, `region` the word it has for the key's region."""

    id: str
    secret: Secret
    region: str


class PeerFile(Struct, frozen=True):
    """What was found. `skipped` are providers with a key that nothing here takes."""

    file: Path
    entries: tuple[Entry, ...] = ()
    skipped: tuple[str, ...] = ()


def read_peer(environment: Mapping[str, str], home: Path, known: Mapping[str, str]) -> PeerFile | None:
    """The keys of that file, None where there is none. `known` maps its provider ids to plans; others are skipped."""
    file = _find(environment, home)
    if file is None:
        return None
    entries = [entry for provider in _providers(file) if (entry := _entry(provider)) is not None]
    return PeerFile(
        file,
        tuple(entry for entry in entries if entry.id in known),
        tuple(entry.id for entry in entries if entry.id not in known),
    )


def _find(environment: Mapping[str, str], home: Path) -> Path | None:
    if environment.get("CODEXBAR_CONFIG"):
        candidates = [Path(environment["CODEXBAR_CONFIG"]).expanduser()]
    else:
        config = environment.get("XDG_CONFIG_HOME", "")
        candidates = [Path(config, "codexbar", "config.json")] if config.startswith("/") else []
        candidates += [home / ".config" / "codexbar" / "config.json", home / ".codexbar" / "config.json"]
    return next((file for file in candidates if file.is_file()), None)


def _providers(file: Path) -> list[dict[str, Any]]:
    try:
        with file.open("rb") as opened:
            data = msgspec.json.decode(opened.read(_LARGEST))
    except (OSError, msgspec.DecodeError):
        return []
    providers = data.get("providers") if isinstance(data, dict) else None
    if isinstance(providers, dict):
        providers = [{"id": name, **value} for name, value in providers.items() if isinstance(value, dict)]
    return [one for one in providers if isinstance(one, dict)] if isinstance(providers, list) else []


def _entry(provider: dict[str, Any]) -> Entry | None:
    name, key = provider.get("id"), provider.get("apiKey")
    if not isinstance(name, str) or not isinstance(key, str) or not clean_key(key):
        return None
    region = provider.get("apiKeyRegion") or provider.get("region") or "intl"
    return Entry(name, Secret(clean_key(key)), str(region))
