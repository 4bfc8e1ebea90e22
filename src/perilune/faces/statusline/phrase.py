"""The default strings: what a status line says in full, and in at most 16 cells."""

from __future__ import annotations

from perilune.faces.statusline.view import balance_shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from perilune.faces.statusline.reader import Reader
    from perilune.faces.statusline.view import View
    from perilune.quota.line import LineAccount, LineWindow

UNKNOWN = "–"
DOT = " · "
STORE = "K ! store"
_WIDEST = 40
_LETTER = "K"
# What went wrong, in the two or three words that fit; other codes stand for themselves.
_TROUBLES = {
    "PL-401-KEY": "key",
    "PL-401-HOST": "key",
    "PL-CRED-NONE": "no_key",
    "PL-SECRET-READ": "no_key",
    "PL-LOGIN-NONE": "no_key",
    "PL-LOGIN-EXPIRED": "login",
    "PL-COOKIE-EXPIRED": "login",
    "PL-402-MEMBER": "member",
    "PL-403-READ": "denied",
    "PL-429-READ": "pause",
    "PL-NET-DNS": "net",
    "PL-NET-REFUSED": "net",
    "PL-NET-TIMEOUT": "net",
    "PL-NET-TLS": "net",
    "PL-NET-PROXY": "net",
    "PL-NET-REDIRECT": "net",
    "PL-5XX-READ": "vendor",
    "PL-VENDOR": "vendor",
    "PL-PARSE": "parse",
    "PL-PARSE-SIZE": "parse",
}


def pieces(view: View, reader: Reader, *, with_balance: bool = True, mark: str = "") -> list[str]:
    """The full string in pieces; the first one carries the state. `mark` stands before spans that hosts should see."""
    special = _special(view, reader, is_short=False)
    if special is not None:
        return [special]
    account = view.account
    bind = view.bind or view.windows[0]
    head = f"{bind.id} {_with_reset(view, bind, reader, mark)}"
    others = [_other(view, window, reader, mark) for window in view.windows if window is not bind]
    balance = balance_shown(view) if with_balance and account is not None else None
    return _fitting(head, others, balance)


def narrow(view: View, reader: Reader) -> str:
    """The short string."""
    special = _special(view, reader, is_short=True)
    if special is not None:
        return special
    bind = view.bind or view.windows[0]
    return f"{_LETTER} {_with_reset(view, bind, reader, '')}"


def figure(window: LineWindow, reader: Reader) -> str:
    """`69%`, `62%≠`, `31%↓`; a dash where the use is not known."""
    used = percent_used(window)
    if used is None:
        return UNKNOWN
    shown = f"{percent_left(window)}%↓" if reader.shows_left else used
    return shown + ("≠" if window.conflict else "" if window.reliable else "?")


def percent_used(window: LineWindow) -> str | None:
    """`69%`, rounded down; `<1%` between 0 and 1; None where it is not known."""
    if window.used_ratio is None:
        return None
    whole = _whole_percent(window.used_ratio)
    return "<1%" if whole == 0 and window.used_ratio > 0 else f"{whole}%"


def percent_left(window: LineWindow) -> int:
    """100 minus the percent shown as used, so that both add up."""
    return max(100 - _whole_percent(window.used_ratio or 0), 0)


def whole_used(window: LineWindow) -> int | None:
    """The percent used as a whole number from 0 to 100."""
    return None if window.used_ratio is None else min(_whole_percent(window.used_ratio), 100)


def left(window: LineWindow) -> str:
    """`61`, or `31%` where the window has no counts of requests."""
    if window.used_ratio is None:
        return UNKNOWN
    if window.unit == "requests" and window.remaining is not None and window.used is not None:
        return f"{window.remaining:g}" if window.remaining < 1_000_000 else f"{window.remaining:.0f}"
    return f"{percent_left(window)}%"


def until_reset(view: View, window: LineWindow) -> int | None:
    """Seconds until the window comes back; None where that is not known."""
    return None if window.resets_at is None or view.has_passed(window) else window.resets_at - view.now


def trouble(account: LineAccount, reader: Reader, *, is_short: bool) -> str:
    """`key refused`; the code itself where there are no words for it."""
    word = _TROUBLES.get(account.code or "")
    if word is None:
        return reader.say("statusline.trouble.short") if is_short or not account.code else account.code
    return reader.say(f"statusline.trouble.{word}.short" if is_short else f"statusline.trouble.{word}")


def ascii_text(text: str) -> str:
    """The text with glyphs that every terminal has."""
    for glyph, plain in (("·", "|"), ("→", "->"), ("–", "-"), ("≠", "!="), ("↓", " left"), ("│", "|"), ("¦", "/")):
        text = text.replace(glyph, plain)
    return text


def _whole_percent(ratio: float) -> int:
    # Ratios carry at most six decimals, so that this is exact: 0.29 is 29.
    return round(ratio * 1_000_000) // 10_000


def _special(view: View, reader: Reader, *, is_short: bool) -> str | None:
    account = view.account
    if account is None:
        return _no_account(view, reader, is_short=is_short)
    if view.case == "error" or (view.case == "spent" and account.blocked_by == "membership"):
        return f"{_LETTER} ! {trouble(account, reader, is_short=is_short)}"
    if view.case == "spent":
        return _spent(account, reader, is_short=is_short)
    if view.case == "due" and view.due is not None and view.due.resets_at is not None:
        clock = reader.clock(view.due.resets_at, round_up=True)
        return f"{_LETTER} {UNKNOWN}?" + ("" if is_short else f" {reader.say('statusline.due', clock=clock)}")
    if view.case == "stale":
        return _stale(view, account, reader)
    if view.case == "balance" and account.balance is not None:
        return account.balance.shown + ("" if is_short else _days(account.balance.days_left))
    if view.case == "unknown":
        return f"{_LETTER} {UNKNOWN}" + ("" if is_short else f" {reader.say('statusline.not_read')}")
    return None


def _no_account(view: View, reader: Reader, *, is_short: bool) -> str:
    if view.asked is not None and view.line is not None and view.line.accounts:
        asked = "statusline.no_account.short" if is_short else "statusline.no_account"
        return f"{_LETTER} ! {reader.say(asked, name=view.asked)}"
    if view.line is not None and view.line.fault is not None:
        return f"{_LETTER} ! {reader.say('statusline.trouble.short') if is_short else view.line.fault}"
    return f"{_LETTER} {UNKNOWN}" + ("" if is_short else f" {reader.say('statusline.add_key')}")


def _spent(account: LineAccount, reader: Reader, *, is_short: bool) -> str:
    word = reader.say("statusline.spent")
    if account.until is None:
        return f"{_LETTER} {word}"
    clock = reader.clock(account.until, round_up=True, is_short=is_short)
    return f"{_LETTER} → {clock}" if is_short else f"{_LETTER} {word} → {clock}"


def _stale(view: View, account: LineAccount, reader: Reader) -> str:
    age = reader.age(view.age)
    if view.bind is not None:
        return f"{_LETTER} {figure(view.bind, reader).rstrip('?')}? {age}"
    if account.balance is not None:
        return f"{account.balance.shown}? {age}"
    return f"{_LETTER} {UNKNOWN}? {age}"


def _days(days_left: float | None) -> str:
    if days_left is None:
        return ""
    return " >1y" if days_left > 365 else f" {int(days_left)}d"


def _with_reset(view: View, window: LineWindow, reader: Reader, mark: str) -> str:
    wait = until_reset(view, window)
    return figure(window, reader) + ("" if wait is None else f" {mark}{reader.short(wait)}")


def _other(view: View, window: LineWindow, reader: Reader, mark: str) -> str:
    if view.has_passed(window):
        return f"{window.id} {UNKNOWN}?"
    return f"{window.id} {_with_reset(view, window, reader, mark) if mark else figure(window, reader)}"


def _fitting(head: str, others: Sequence[str], balance: str | None) -> list[str]:
    """What fits into the line. The second window goes before the balance, the balance before further windows."""
    kept = [head]
    room = _WIDEST - len(head)
    wanted = [*others[:1], *([balance] if balance else []), *others[1:]]
    for piece in wanted:
        if len(piece) + len(DOT) <= room:
            room -= len(piece) + len(DOT)
            kept.append(piece)
    if balance in kept:
        kept.remove(balance)
        kept.append(balance)
    return kept
