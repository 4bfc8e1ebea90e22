"""Logins that the vendor's command lines keep in their homes: seen, never used, written or copied.

Source: `credentials/<slot>.json` in `KIMI_CODE_HOME` or `~/.kimi-code`, and in `KIMI_SHARE_DIR` or `~/.kimi`.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from perilune.core.instants import parse_instant
from perilune.providers.contract.logins import FoundLogin

_LARGEST = 64 * 1024
_LEAST_LEFT = timedelta(seconds=60)
_OLDER_SLOT = "kimi-code.json"


def found_logins(environment: Mapping[str, str], home: Path, now: datetime) -> list[FoundLogin]:
    """Every login file there is, the newer program's first."""
    return [_seen(file, now) for file in _files(environment, home)]


def _files(environment: Mapping[str, str], home: Path) -> Iterator[Path]:
    newer = Path(environment.get("KIMI_CODE_HOME") or home / ".kimi-code") / "credentials"
    yield from sorted(newer.glob("kimi-code*.json"))
    older = Path(environment.get("KIMI_SHARE_DIR") or home / ".kimi") / "credentials" / _OLDER_SLOT
    if older.is_file():
        yield older


def _seen(file: Path, now: datetime) -> FoundLogin:
    login = _read(file)
    expires_at = parse_instant(login.get("expires_at"))
    token = login.get("access_token")
    has_token = isinstance(token, str) and bool(token)
    return FoundLogin(file, expires_at, has_token and expires_at is not None and expires_at > now + _LEAST_LEFT)


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            login = msgspec.json.decode(opened.read(_LARGEST))
    except (OSError, msgspec.DecodeError):
        return {}
    return login if isinstance(login, dict) else {}
