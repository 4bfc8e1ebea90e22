"""Logins that the vendor's command lines keep in their homes: seen, never used, written or copied.

Source: `credentials/<slot>.json` in `KIMI_CODE_HOME` or `~/.kimi-code`, and in `KIMI_SHARE_DIR` or `~/.kimi`.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from perilune.core.errors import CredentialError
from perilune.providers.contract.logins import FoundLogin
from perilune.providers.kimi_code.login_file import read_login

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
    try:
        login = read_login(file)
    except CredentialError:
        return FoundLogin(file, None, is_usable=False)
    return FoundLogin(file, login.expires_at, login.is_fresh(now))
