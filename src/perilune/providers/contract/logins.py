"""Logins of vendors' own programs on this machine, as far as they are looked at without being used."""

from datetime import datetime
from pathlib import Path

from msgspec import Struct


class FoundLogin(Struct, frozen=True):
    """A login file. `expires_at` is None where it cannot be told; `is_usable` says that it could be used now."""

    file: Path
    expires_at: datetime | None
    is_usable: bool
