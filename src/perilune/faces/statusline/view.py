"""One account as a status line sees it now: what passed since the file was written is worked out here."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from perilune.quota.line import Line, LineAccount, LineWindow


class Broken(Exception):  # noqa: N818 - a state of the store, not of this program
    """What the store holds cannot be read."""


class View:
    """One account at one moment.

    Shape: `case` is the first that applies of none, error, spent, due, stale, balance, window, unknown; `state` the
    account's word; `windows` those that still mean something, `bind` the one shown first; `due` the window whose reset
    has passed unconfirmed; `asked` the name that was asked for. Units: `now` is server time.
    """

    def __init__(self, line: Line | None, account: LineAccount | None, now: int, asked: str | None = None) -> None:
        self.line = line
        self.account = account
        self.asked = asked
        self.now = now if account is None else now + account.skew_s
        self.age = 0 if account is None or account.fetched_at is None else max(self.now - account.fetched_at, 0)
        self.windows: tuple[LineWindow, ...] = () if account is None else tuple(account.windows)
        passed = [window for window in self.windows if self.has_passed(window)]
        known = [w for w in self.windows if w.used_ratio is not None and w not in passed]
        self.due = passed[0] if passed and (not known or passed[0] is self.windows[0]) else None
        self.bind = _binding(account, known)
        self.state = "unknown" if account is None else _state(self, account, known, passed)
        self.case = _case(self)

    @property
    def name(self) -> str:
        return "" if self.account is None else self.account.name

    def has_passed(self, window: LineWindow) -> bool:
        """Whether the window should have come back by now."""
        return window.resets_at is not None and window.resets_at <= self.now

    def window(self, window_id: str) -> LineWindow | None:
        """The window of that id, None when it was not reported or is of unknown use by now."""
        return next((w for w in self.windows if w.id == window_id and not self.has_passed(w)), None)


def choose(line: Line | None, name: str | None) -> LineAccount | None:
    """The account that is shown: the one asked for, else the first route's main, else the one with the least left."""
    accounts = {} if line is None else {account.name: account for account in line.accounts}
    if line is None or not accounts:
        return None
    if name is not None:
        return accounts.get(name)
    mains = (route.accounts[0] for route in line.routes[:1] if route.accounts)
    main = next((accounts[main] for main in mains if main in accounts), None)
    return main or min(accounts.values(), key=_left)


def balance_shown(view: View) -> str | None:
    """The balance beside the windows: the account's own, else the first fallback's, without routes another's."""
    line, account = view.line, view.account
    if line is None or account is None:
        return None
    if account.balance is not None:
        return account.balance.shown
    by_name = {other.name: other for other in line.accounts}
    route = next((route for route in line.routes if route.accounts and route.accounts[0] == account.name), None)
    names: Sequence[str] = route.accounts[1:] if route else () if line.routes else tuple(by_name)
    balances = (by_name[name].balance for name in names if name in by_name)
    return next((balance.shown for balance in balances if balance is not None), None)


def is_paid(line: Line | None, now: int) -> bool:
    """Whether requests go to an account that pays per token now: the first slot that can be used has a balance."""
    if line is None or not line.routes:
        return False
    by_name = {account.name: account for account in line.accounts}
    slots = (by_name[name] for name in line.routes[0].accounts if name in by_name)
    first = next((slot for slot in slots if View(line, slot, now).state not in ("spent", "error")), None)
    return first is not None and first.balance is not None


def _left(account: LineAccount) -> float:
    return 2.0 if account.remaining_ratio is None else account.remaining_ratio


def _binding(account: LineAccount | None, known: Sequence[LineWindow]) -> LineWindow | None:
    if account is None or not known:
        return None
    named = next((window for window in known if window.id == account.binding), None)
    return named or max(known, key=lambda window: window.used_ratio or 0)


def _state(view: View, account: LineAccount, known: Sequence[LineWindow], passed: Sequence[LineWindow]) -> str:
    """The account's word, again: time has passed since it was written."""
    is_over = account.state == "spent" and account.until is not None and account.until <= view.now
    if account.state in ("error", "unknown") or (account.state == "spent" and not is_over):
        return account.state
    if account.state == "stale" or view.age > account.stale_after_s:
        return "stale"
    if passed and not known and account.balance is None:
        return "stale"
    words = [window.state for window in known]
    was_high_by_balance = account.state == "high" and all(window.state != "high" for window in account.windows)
    if was_high_by_balance or "high" in words or "spent" in words:
        return "high"
    return "ok"


def _case(view: View) -> str:
    account = view.account
    if account is None:
        return "none"
    if view.state in ("error", "spent"):
        return view.state
    if view.due is not None:
        return "due"
    if view.state == "stale":
        return "stale"
    if not view.windows:
        return "unknown" if account.balance is None else "balance"
    return "window"
