"""How a membership tells its windows: every shape that was ever seen."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from perilune.sandbox.accounts import Membership, QuotaWindow, Wallet
from perilune.sandbox.accounts.membership import percent
from perilune.sandbox.behaviour import Behaviour

_MAP_NAMES = {"month": "limit_month_total"}


def told(member: Membership, now: datetime, behaviour: Behaviour) -> dict[str, Any]:
    """The body of `GET /coding/v1/usages` in the membership's shape."""
    shown = _Shown(member, now, behaviour)
    match member.shape:
        case "ratio":
            body: dict[str, Any] = {"usages": shown.ratios(member.windows)}
            if member.version:
                body["version"] = member.version
        case "ratio-without-7d":
            body = {"usages": shown.ratios([name for name in member.windows if name != "7d"])}
        case "counts":
            body = shown.counts(scale=None)
        case "percent":
            body = shown.counts(scale=100)
        case "membership":
            body = shown.counts(scale=100) | shown.identity()
        case "mixed":
            body = {"usages": shown.ratios(member.windows)} | {"limits": shown.limits(scale=100)}
            body["version"] = member.version or "GOODS_VERSION_V2"
    if member.reports_parallel:
        body["parallel"] = {"limit": str(member.parallel)}
    if member.wallet is not None:
        body["boosterWallet"] = wallet(member.wallet)
    return body


def web_usages(member: Membership, now: datetime, behaviour: Behaviour) -> dict[str, Any]:
    """The body of the web's GetUsages."""
    shown = _Shown(member, now, behaviour)
    entry: dict[str, Any] = {"scope": "FEATURE_CODING"}
    if "7d" in member.windows:
        entry["detail"] = shown.detail("7d", scale=100)
    return {"usages": [entry | {"limits": shown.limits(scale=100)}]}


def web_stats(member: Membership, now: datetime, behaviour: Behaviour) -> dict[str, Any]:
    """The body of the web's GetSubscriptionStats; a ratio of 0 is left out, as the vendor does."""
    shown = _Shown(member, now, behaviour)
    stats: dict[str, Any] = {}
    for name, field in (("5h", "ratelimitCode5h"), ("7d", "ratelimitCode7d")):
        if name in member.windows:
            ratio = shown.ratio(name)
            told_ratio = {"ratio": float(ratio)} if ratio else {}
            stats[field] = told_ratio | {"enabled": True} | shown.reset(name, "resetTime")
    if "month" in member.windows:
        balance: dict[str, Any] = {
            "feature": "FEATURE_OMNI",
            "type": "SUBSCRIPTION",
            "unit": "UNIT_CREDIT",
            "amountUsedRatio": float(shown.ratio("month")),
            "kimiCodeUsedRatio": float(shown.code_ratio("month")),
        }
        stats["subscriptionBalance"] = balance | shown.reset("month", "expireTime")
    wallets = [] if member.wallet is None else [wallet(member.wallet)]
    return stats | {"giftBalances": [], "boosterWallets": wallets}


def web_subscription(member: Membership, now: datetime, behaviour: Behaviour) -> dict[str, Any]:
    """The body of the web's GetSubscription."""
    shown = _Shown(member, now, behaviour)
    is_active = member.state != "lapsed"
    body: dict[str, Any] = {"subscribed": is_active, "active": is_active}
    status = "SUBSCRIPTION_STATUS_ACTIVE" if is_active else "SUBSCRIPTION_STATUS_INACTIVE"
    ends = shown.reset("month", "currentEndTime") if "month" in member.windows else {}
    body["subscription"] = {"goods": {"title": member.title}, "status": status} | ends
    month: dict[str, Any] = {"feature": "FEATURE_OMNI", "unit": "UNIT_CREDIT"}
    if "month" in member.windows:
        month |= {"amountUsedRatio": float(shown.ratio("month"))} | shown.reset("month", "expireTime")
        body["balances"] = [month]
    return body


def wallet(purse: Wallet) -> dict[str, Any]:
    """Extra Usage: amounts in units of 1e-8, prices in cents, all as strings."""
    told_wallet: dict[str, Any] = {
        "id": "wallet_0001",
        "balance": {
            "type": "BOOSTER",
            "amount": str(int(purse.amount * 100_000_000)),
            "amountLeft": str(int(purse.left * 100_000_000)),
            "unit": "UNIT_CURRENCY",
        },
        "monthlyChargeLimitEnabled": purse.monthly_cap is not None,
        "monthlyChargeLimit": _cents(purse, purse.monthly_cap or Decimal(0)),
        "monthlyUsed": _cents(purse, purse.used_this_month),
    }
    return told_wallet | ({"state": purse.state} if purse.state else {})


def _cents(purse: Wallet, money: Decimal) -> dict[str, str]:
    return {"currency": purse.currency, "priceInCents": str(int(money * 100))}


class _Shown:
    """A membership's windows at one moment, as counters that may lag show them."""

    def __init__(self, member: Membership, now: datetime, behaviour: Behaviour) -> None:
        self.member = member
        self.now = now
        self.behaviour = behaviour

    def ratio(self, name: str) -> Decimal:
        window = self.member.windows[name]
        if window.reported is not None:
            return window.reported
        used, elsewhere = window.seen(self.now, self.member.lag_s)
        return round((used + elsewhere) / window.limit, 4)

    def code_ratio(self, name: str) -> Decimal:
        window = self.member.windows[name]
        return round(window.seen(self.now, self.member.lag_s)[0] / window.limit, 4)

    def reset(self, name: str, field: str) -> dict[str, str]:
        window = self.member.windows[name]
        at = window.resets_at
        if at is None and self.behaviour.idle_reset == "moving" and window.span_s:
            at = self.now + timedelta(seconds=window.span_s)
        if at is None:
            return {}
        stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        fraction = f".{at.microsecond:06d}433" if at.microsecond and field == "resetTime" else ""
        return {field: f"{stamp}{fraction}Z"}

    def ratios(self, names: Any) -> dict[str, Any]:
        """The ratio map; a month comes with its code part."""
        told_map: dict[str, Any] = {}
        for name in names:
            reset = self.reset(name, "reset_time")
            field = _MAP_NAMES.get(name, f"limit_{name.replace('-', '_')}")
            told_map[field] = {"used_ratio": _number(self.ratio(name))} | reset
            if name == "month":
                told_map["limit_month_code"] = {"used_ratio": _number(self.code_ratio(name))} | reset
        return told_map

    def counts(self, *, scale: int | None) -> dict[str, Any]:
        body: dict[str, Any] = {}
        if "7d" in self.member.windows:
            body["usage"] = self.detail("7d", scale=scale)
        return body | {"limits": self.limits(scale=scale)}

    def limits(self, *, scale: int | None) -> list[dict[str, Any]]:
        """Every window with a span but the 7-day one, which stands in `usage`."""
        return [
            {"window": _span(window), "detail": self.detail(name, scale=scale)}
            for name, window in self.member.windows.items()
            if window.span_s and name != "7d"
        ]

    def detail(self, name: str, *, scale: int | None) -> dict[str, Any]:
        """Counts as decimal strings, on the percent scale when `scale` is 100."""
        window = self.member.windows[name]
        used_raw, elsewhere = window.seen(self.now, self.member.lag_s)
        limit = scale or int(window.limit)
        used = percent(self.ratio(name)) if scale else int(used_raw + elsewhere)
        told_detail = {"limit": str(limit), "used": str(used), "remaining": str(max(limit - used, 0))}
        if used == 0 and self.behaviour.omits_zero_used:
            del told_detail["used"]
        return told_detail | self.reset(name, "resetTime")

    def identity(self) -> dict[str, Any]:
        body: dict[str, Any] = {}
        if self.member.level is not None:
            body["user"] = {"membership": {"level": self.member.level}}
        if self.member.version:
            body["version"] = self.member.version
        return body | {"totalQuota": {}}


def _number(ratio: Decimal) -> int | float:
    """A ratio as the vendor writes it: 0 and 1 without a point."""
    return int(ratio) if ratio == ratio.to_integral_value() else float(ratio)


def _span(window: QuotaWindow) -> dict[str, Any]:
    return {"duration": (window.span_s or 0) // 60, "timeUnit": "TIME_UNIT_MINUTE"}
