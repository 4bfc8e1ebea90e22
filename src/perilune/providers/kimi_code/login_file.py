"""One login file of the vendor's command line: opened for reading, at most 64 KiB, nothing else done to it."""

import json
import stat
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct

from perilune.core.errors import CredentialError, Problem
from perilune.core.instants import from_epoch
from perilune.core.numbers import parse_number

_LARGEST = 64 * 1024
_LEAST_LEFT = timedelta(seconds=60)


class LoginFile(Struct, frozen=True):
    """What a login file says that matters here. `expires_at` is None where it is missing or unreadable.

    Shape: `access_token` is empty where there is none; the refresh token is not kept.
    """

    access_token: str
    expires_at: datetime | None

    def is_fresh(self, now: datetime) -> bool:
        """Whether there is a token with more than a minute left."""
        return bool(self.access_token) and self.expires_at is not None and self.expires_at > now + _LEAST_LEFT

    def __repr__(self) -> str:
        return "LoginFile(…)"


def read_login(file: Path, account: str = "") -> LoginFile:
    """The login in a file. Raises: PL-LOGIN-NONE when there is none, PL-LOGIN-UNREADABLE when it is no JSON object."""
    try:
        content = read_small(file)
        login = None if content is None else json.loads(content)
    except FileNotFoundError:
        raise _problem("PL-LOGIN-NONE", file, account) from None
    except (OSError, ValueError, RecursionError):
        raise _problem("PL-LOGIN-UNREADABLE", file, account) from None
    if not isinstance(login, dict):
        raise _problem("PL-LOGIN-UNREADABLE", file, account)
    token = login.get("access_token")
    return LoginFile(token if isinstance(token, str) else "", _expiry(login.get("expires_at")))


def read_small(file: Path) -> bytes | None:
    """The content of a regular file of at most 64 KiB, None for any other. Raises: OSError."""
    if not stat.S_ISREG(file.stat().st_mode):
        return None
    with file.open("rb") as opened:
        content = opened.read(_LARGEST + 1)
    return content if len(content) <= _LARGEST else None


def _expiry(value: Any) -> datetime | None:
    number = parse_number(value)
    return None if number is None else from_epoch(number)


def _problem(code: str, file: Path, account: str) -> CredentialError:
    return CredentialError(Problem(code=code, facts={"file": str(file)}, account=account or None))
