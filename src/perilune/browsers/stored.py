"""What is looked for in a browser's stores, what was found there, and what stood in the way."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from msgspec import Struct

from perilune.core.secret import Secret

Family = Literal["chromium", "firefox", "safari"]
Kind = Literal["cookie", "local-storage"]


class Wanted(Struct, frozen=True, kw_only=True):
    """The only rows that leave a store.

    Shape: the cookie of this name on one of these hosts, as stores write them (`.example.com`), and the local-storage
    value of this key of this origin.
    """

    cookie: str
    hosts: tuple[str, ...]
    origin: str
    storage_key: str


class Profile(Struct, frozen=True, kw_only=True):
    """One profile of one browser. `application` is the browser's name in the desktop's keyring."""

    browser: str
    family: Family
    name: str
    folder: Path
    application: str = ""


class StoredValue(Struct, frozen=True, kw_only=True):
    """One value that was found. `expires_at` is the store's own; `accessed` orders values of one store, newest last."""

    value: Secret
    browser: str
    profile: str
    kind: Kind
    host: str
    expires_at: datetime | None = None
    accessed: int = 0


class StoreTrouble(Struct, frozen=True, kw_only=True):
    """Why a store could not be read: a code of ours and the variant of its words."""

    browser: str
    profile: str
    code: str
    variant: str = ""


class StoreReading(Struct, frozen=True):
    """What one profile gave."""

    values: tuple[StoredValue, ...] = ()
    troubles: tuple[StoreTrouble, ...] = ()


class StoreError(Exception):
    """A store, or one row of it, cannot be read; holds the code and the variant of its words."""

    def __init__(self, code: str, variant: str = "") -> None:
        super().__init__(code)
        self.code, self.variant = code, variant
