"""What was learned of an account, as the store keeps it."""

from datetime import datetime

from msgspec import Struct


class Learned(Struct, frozen=True, kw_only=True):
    """One thing learned. Shape: `scope` an account group, account or slot; `name` what it is about."""

    scope: str
    name: str
    value: str
    at: datetime
    until: datetime | None = None
