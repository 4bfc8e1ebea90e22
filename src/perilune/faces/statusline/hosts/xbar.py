"""xbar and SwiftBar: a title, then a menu; parameters stand behind `|`, which therefore never occurs in a text."""

from __future__ import annotations

from perilune.faces.statusline import details
from perilune.faces.statusline.hues import DARK, LIGHT
from perilune.faces.statusline.view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from perilune.faces.statusline.drawn import Drawn
    from perilune.quota.line import LineAccount, LineWindow

_GREY = f"{LIGHT['stale']},{DARK['stale']}"
_LISTEN = "127.0.0.1:8787"


def render(drawn: Drawn) -> str:
    """Title and menu."""
    return "\n".join([_title(drawn), "---", *_account(drawn), *_others(drawn), "---", *_actions(drawn)])


def _title(drawn: Drawn) -> str:
    view, reader = drawn.view, drawn.reader
    parameters = [f"color={LIGHT[drawn.state]},{DARK[drawn.state]}"]
    if not drawn.is_broken and view.bind is not None:
        name = reader.window(view.bind.id, view.bind.label)
        used, _ = details.used_and_left(view.bind, reader)
        reset = details.reset_line(view, view.bind, reader)
        tip = ", ".join([f"{view.name} {name} {used}", *([reset] if reset else [])])
        parameters.append(f'tooltip="{_safe(drawn, tip)}"')
    if drawn.environment.get("SWIFTBAR") == "1":
        parameters.append("sfimage=moon")
    return f"{_safe(drawn, drawn.pieces()[0])} | {' '.join(parameters)}"


def _account(drawn: Drawn) -> Iterator[str]:
    view, reader = drawn.view, drawn.reader
    if drawn.is_broken or view.account is None:
        return
    yield f"{_safe(drawn, details.heading(view, reader))} | color={_GREY}"
    for window in view.windows:
        yield f"{_safe(drawn, _window(drawn, window))} | font=Menlo"
        if window is view.bind:
            lines = (details.reset_line(view, window, reader, with_wait=True), details.empty_line(window, reader))
            yield from (f"-- {_safe(drawn, line)}" for line in lines if line)
    if view.account.balance is not None:
        yield _safe(drawn, _balance(drawn, view.account))


def _window(drawn: Drawn, window: LineWindow) -> str:
    reader = drawn.reader
    used, left = details.used_and_left(window, reader)
    state = reader.say(f"status.state.{'unknown' if drawn.view.has_passed(window) else window.state}")
    facts = reader.say("statusline.menu_window", used=used, left=left, state=state)
    return f"{reader.window(window.id, window.label)}  {facts}"


def _others(drawn: Drawn) -> Iterator[str]:
    """The other accounts of the route, since these are what takes over; every other one where there is no route."""
    line, shown = drawn.view.line, drawn.view.account
    if drawn.is_broken or line is None or shown is None:
        return
    names = line.routes[0].accounts if line.routes else tuple(account.name for account in line.accounts)
    by_name = {account.name: account for account in line.accounts}
    for name in names:
        account = by_name.get(name)
        if account is not None and account is not shown and account.balance is not None:
            yield _safe(drawn, _balance(drawn, account))


def _balance(drawn: Drawn, account: LineAccount) -> str:
    state = drawn.reader.say(f"status.state.{View(drawn.view.line, account, drawn.reader.now).state}")
    amount = account.balance.shown if account.balance else ""
    return f"{account.name}  {drawn.reader.say('statusline.menu_balance', amount=amount, state=state)}"


def _actions(drawn: Drawn) -> Iterator[str]:
    listen = drawn.view.line.listen if drawn.view.line else ""
    refresh, opens = drawn.reader.say("statusline.refresh"), drawn.reader.say("statusline.open")
    yield f"{refresh} | bash=perilune param1=status param2=--refresh terminal=false refresh=true"
    yield f"{opens} | href=http://{listen or _LISTEN}/"


def _safe(drawn: Drawn, text: str) -> str:
    return drawn.text(text).replace("|", "/" if drawn.is_ascii else "¦").replace('"', "'")
