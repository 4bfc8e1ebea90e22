"""The "what now" sentence: one per page, the first rule that applies."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from perilune.core.messages import Voice
from perilune.core.money import Money
from perilune.faces.api.ports import RoutesDocument
from perilune.quota.document import AccountDocument, StatusDocument, WindowDocument
from perilune.quota.wording import window_word


def now_sentence(status: StatusDocument, routes: RoutesDocument, voice: Voice) -> str:
    """What a person should know first."""
    accounts = status.accounts
    rules = (
        _nothing_usable(accounts, voice),
        _failed_over(accounts, routes, voice),
        _error(accounts, voice),
        _runs_out(accounts, voice),
        _low_balance(accounts, voice),
    )
    for sentence in rules:
        if sentence is not None:
            return sentence
    paces = [window.pace for account in accounts for window in account.windows if window.pace]
    return voice.say("web.now_lasts" if paces else "web.now_fine")


def _nothing_usable(accounts: Sequence[AccountDocument], voice: Voice) -> str | None:
    if not accounts or any(account.effective.usable is not False for account in accounts):
        return None
    known = [(one.effective.until, one.name) for one in accounts if one.effective.until is not None]
    if not known:
        return voice.say("web.now_all_blocked_unknown")
    until, name = min(known)
    return voice.say(
        "web.now_all_blocked", account=name, clock=voice.clock(until, round_up=True), duration=until - voice.now
    )


def _failed_over(accounts: Sequence[AccountDocument], routes: RoutesDocument, voice: Voice) -> str | None:
    by_name = {account.name: account for account in accounts}
    for route in routes.routes:
        slots = [by_name[slot.account] for slot in route.slots if slot.account in by_name]
        if len(slots) < 2 or slots[0].state != "spent":
            continue
        other = next((slot for slot in slots[1:] if slot.effective.usable is not False), None)
        if other is not None:
            return _switched(slots[0], other, voice)
    return None


def _switched(main: AccountDocument, other: AccountDocument, voice: Voice) -> str:
    if main.effective.until is None:
        return voice.say("web.now_failover_unknown", account=main.name, other=other.name)
    message = "web.now_paid" if other.balance is not None else "web.now_failover"
    clock = voice.clock(main.effective.until, round_up=True)
    return voice.say(message, account=main.name, clock=clock, other=other.name)


def _error(accounts: Sequence[AccountDocument], voice: Voice) -> str | None:
    for account in accounts:
        if account.state == "error" and account.error is not None:
            return voice.say("web.now_error", account=account.name, headline=account.error.message)
    return None


def _runs_out(accounts: Sequence[AccountDocument], voice: Voice) -> str | None:
    early = [
        (window.pace.empty_at, account.name, window)
        for account in accounts
        for window in account.windows
        if window.pace and window.pace.empty_at and not window.pace.lasts and window.state != "spent"
    ]
    if not early:
        return None
    empty_at, name, window = min(early, key=lambda one: one[0])
    return voice.say(
        "web.now_early",
        account=name,
        window=window_word(window.id, window.label, voice),
        clock=voice.clock(empty_at),
        early=_too_early(window),
    )


def _too_early(window: WindowDocument) -> timedelta:
    if window.resets_at is None or window.pace is None or window.pace.empty_at is None:
        return timedelta(0)
    return window.resets_at - window.pace.empty_at


def _low_balance(accounts: Sequence[AccountDocument], voice: Voice) -> str | None:
    low = [account for account in accounts if account.balance is not None and account.state in ("high", "spent")]
    if not low or low[0].balance is None:
        return None
    balance = low[0].balance
    amount = Money(Decimal(balance.available.amount), balance.available.currency)
    if balance.days_left is None:
        return voice.say("web.now_balance_unknown", account=low[0].name, amount=amount)
    return voice.say("web.now_balance", account=low[0].name, amount=amount, days=round(balance.days_left))
