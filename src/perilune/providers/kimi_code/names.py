"""Names of fields this version knows, as a tree, and those in an answer that it does not: names only, never values."""

from collections.abc import Iterator, Mapping
from typing import Any

Tree = Mapping[str, Any]
_ANY: Tree = {}
_RESETS = ("resetTime", "resetAt", "reset_time", "reset_at", "periodEnd", "period_end", "reset_in", "resetIn", "ttl")
_SPAN = ("duration", "timeUnit", "time_unit")
_LABELS = ("name", "title", "scope")
_BLOCK: Tree = dict.fromkeys(("limit", "used", "remaining", *_RESETS, *_SPAN, *_LABELS), _ANY)
_ITEM: Tree = {**_BLOCK, "detail": _BLOCK, "window": dict.fromkeys(_SPAN, _ANY)}
_RATIO: Tree = dict.fromkeys(("used_ratio", "usedRatio", "ratio", *_RESETS, *_LABELS), _ANY)
_MONEY: Tree = dict.fromkeys(("currency", "priceInCents", "price_in_cents"), _ANY)
_FUNDS: Tree = dict.fromkeys(
    ("id", "type", "unit", "amount", "amountLeft", "amount_left", "feature", "expireTime", "expire_time"), _ANY
)
_WALLET: Tree = {
    **dict.fromkeys(("id", "state", "status", "monthlyChargeLimitEnabled", "monthly_charge_limit_enabled"), _ANY),
    "balance": _FUNDS, "monthlyUsed": _MONEY, "monthly_used": _MONEY,
    "monthlyChargeLimit": _MONEY, "monthly_charge_limit": _MONEY,
}  # fmt: skip
_MEMBER: Tree = dict.fromkeys(("level",), _ANY)
_USER: Tree = {**dict.fromkeys(("userId", "user_id", "id", "region", "businessId"), _ANY), "membership": _MEMBER}
USAGES: Tree = {
    "usage": _BLOCK, "limits": _ITEM, "usages": {"*": _RATIO}, "user": _USER, "version": _ANY,
    "parallel": {"limit": _ANY}, "boosterWallet": _WALLET, "booster_wallet": _WALLET, "boosterWallets": _WALLET,
    "authentication": _ANY, "totalQuota": _ANY, "subType": _ANY,
}  # fmt: skip
_MOST = 40
_LONGEST = 60


def unknown_names(body: Mapping[str, Any], tree: Tree = USAGES) -> tuple[str, ...]:
    """The fields of an answer that the tree does not hold, by their path; lists are looked through as one."""
    return tuple(dict.fromkeys(name for name, _ in zip(_walk(body, tree, ""), range(_MOST), strict=False)))


def _walk(value: Mapping[str, Any], tree: Tree, path: str) -> Iterator[str]:
    for key, inner in value.items():
        known = tree.get(key, tree.get("*") if isinstance(inner, dict) else None)
        name = f"{path}{key[:_LONGEST]}"
        if known is None:
            yield name
            continue
        for item in inner if isinstance(inner, list) else (inner,):
            if known and isinstance(item, dict):
                yield from _walk(item, known, f"{name}[]." if isinstance(inner, list) else f"{name}.")
