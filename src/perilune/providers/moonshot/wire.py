"""Shapes of the vendor's answers. Every field may be missing or of another type; readers take what is usable.

Source: GET /v1/users/me/balance (documented), GET /v1/users/me (undocumented, as third parties report it).
"""

from typing import Any

from msgspec import Struct

Foreign = Any


class Envelope(Struct, frozen=True):
    """What stands around both answers; `code` 0 is success."""

    code: Foreign = None
    scode: Foreign = None
    status: Foreign = None
    data: Foreign = None
    message: Foreign = None


class Balances(Struct, frozen=True):
    """Money in the currency of the host, up to five decimals."""

    available_balance: Foreign = None
    voucher_balance: Foreign = None
    cash_balance: Foreign = None


class Organization(Struct, frozen=True):
    """How much at once an organisation may ask."""

    id: Foreign = None
    max_concurrency: Foreign = None
    max_request_per_minute: Foreign = None
    max_token_per_minute: Foreign = None
    max_token_quota: Foreign = None


class Me(Struct, frozen=True):
    """Whose key it is; of this only limits and a fingerprint are kept."""

    organization: Foreign = None
