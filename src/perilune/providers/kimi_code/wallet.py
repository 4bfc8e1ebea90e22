"""The wallet for use beyond the plan: amounts in hundred-millionths of a currency unit.

Source: usages.boosterWallet, web boosterWallets[].
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from perilune.core.numbers import parse_number
from perilune.providers.kimi_code.wire import first_of, objects, text_of
from perilune.quota.snapshot import ExtraUsage

_TYPES = ("BOOSTER", "BALANCE_BOOSTER")
_PARTS_OF_A_UNIT = Decimal(100_000_000)
_CURRENCIES = ("CNY", "USD")
_CAP_FLAG = ("monthlyChargeLimitEnabled", "monthly_charge_limit_enabled")
_STATES = ("enabled", "disabled", "frozen", "unavailable")


def wallet_of(places: tuple[Any, ...], own_currency: str) -> ExtraUsage | None:
    """The first readable wallet of the places where one can be; None where there is none, which means it is off."""
    wallets = (_wallet(wallet, own_currency) for place in places for wallet in objects(place))
    return next((wallet for wallet in wallets if wallet is not None), None)


def _wallet(wallet: Mapping[str, Any], own_currency: str) -> ExtraUsage | None:
    balance = wallet.get("balance")
    if not isinstance(balance, dict) or balance.get("type") not in _TYPES:
        return None
    total, left = _units(balance.get("amount")), _units(first_of(balance, "amountLeft", "amount_left"))
    if total is None or left is None:
        return None
    used, cap = (
        _place(wallet, "monthlyUsed", "monthly_used"),
        _place(wallet, "monthlyChargeLimit", "monthly_charge_limit"),
    )
    hint = _currency(used) or _currency(cap)
    if hint is None and balance.get("unit") != "UNIT_CURRENCY":
        return None
    flag = first_of(wallet, *_CAP_FLAG)
    return ExtraUsage(
        currency=hint or own_currency,
        total=total,
        left=left,
        state=_state(first_of(wallet, "state", "status")),
        used_this_month=_cents(used),
        monthly_cap=_cents(cap) if flag not in (None, False) else None,  # a flag that cannot be read lifts no cap
    )


def odd_in(places: tuple[Any, ...]) -> list[str]:
    """Fields of a wallet that are there and hold nothing that can be read."""
    return list(dict.fromkeys(name for place in places for wallet in objects(place) for name in _odd(wallet)))


def _odd(wallet: Mapping[str, Any]) -> Iterator[str]:
    for names in (("monthlyUsed", "monthly_used"), ("monthlyChargeLimit", "monthly_charge_limit")):
        place = first_of(wallet, *names)
        if place is None:
            continue
        if not isinstance(place, dict):
            yield f"boosterWallet.{names[0]}"
        elif _cents(place) is None or _currency(place) is None:
            yield f"boosterWallet.{names[0]}.{'currency' if _cents(place) is not None else 'priceInCents'}"
    if not isinstance(first_of(wallet, *_CAP_FLAG), bool | None):
        yield "boosterWallet.monthlyChargeLimitEnabled"


def _units(value: Any) -> Decimal | None:
    number = parse_number(value)
    return None if number is None or number < 0 else number / _PARTS_OF_A_UNIT


def _place(wallet: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    value = first_of(wallet, *names)
    return value if isinstance(value, dict) else {}


def _currency(place: Mapping[str, Any]) -> str | None:
    text = text_of(place.get("currency"))
    return text.upper() if text and text.upper() in _CURRENCIES else None


def _cents(place: Mapping[str, Any]) -> Decimal | None:
    number = parse_number(first_of(place, "priceInCents", "price_in_cents"))
    return None if number is None else number / 100


def _state(value: Any) -> str | None:
    text = text_of(value)
    if text is None:
        return None
    return next((state for state in reversed(_STATES) if text.lower().endswith(state)), text.lower())
