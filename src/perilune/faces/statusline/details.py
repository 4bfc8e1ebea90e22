"""The lines behind a status line: who, each window, when it runs out, the other accounts."""

from __future__ import annotations

from perilune.faces.statusline import phrase
from perilune.faces.statusline.view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from perilune.faces.statusline.drawn import Drawn
    from perilune.faces.statusline.reader import Reader
    from perilune.quota.line import LineAccount, LineWindow


def tooltip_lines(drawn: Drawn) -> list[str]:
    """Everything about the account shown, and the other accounts on one line."""
    view, reader = drawn.view, drawn.reader
    if drawn.is_broken or view.account is None:
        return [drawn.full()]
    lines = [heading(view, reader)]
    if view.state == "error":
        lines.append(phrase.trouble(view.account, reader, is_short=False))
    for window in view.windows:
        lines.append(_window_line(view, window, reader))
        if window is view.bind and (early := empty_line(window, reader)):
            lines.append(early)
    if view.account.balance is not None:
        lines.append(view.account.balance.shown)
    others = phrase.DOT.join(_brief(other, view, reader) for other in _others(view))
    return [*lines, others] if others else lines


def heading(view: View, reader: Reader) -> str:
    """`work · Kimi Code cn · 12s ago`."""
    account = view.account
    if account is None:
        return ""
    parts = [account.name, f"{account.plan_label} {account.region}".strip()]
    if account.fetched_at is not None:
        parts.append(reader.ago(view.age))
    return phrase.DOT.join(parts)


def used_and_left(window: LineWindow, reader: Reader) -> tuple[str, str]:
    """`69% used` and `61 left`."""
    used = (phrase.percent_used(window) or phrase.UNKNOWN) + ("≠" if window.conflict else "")
    return reader.say("status.used", figure=used), reader.say("status.left", figure=phrase.left(window))


def reset_line(view: View, window: LineWindow, reader: Reader, *, with_wait: bool = False) -> str | None:
    """`resets 22:07`, or `resets 22:07 (in 2h 07m)`; None where the server said nothing."""
    if window.resets_at is None:
        return None
    clock = reader.clock(window.resets_at, round_up=True)
    wait = phrase.until_reset(view, window)
    if wait is None:
        return reader.say("status.due", clock=clock)
    if with_wait:
        return reader.say("statusline.resets_in", clock=clock, wait=reader.span(wait))
    return reader.say("statusline.resets", clock=clock)


def empty_line(window: LineWindow, reader: Reader) -> str | None:
    """`empty 21:15, 52m too early`; None where the window lasts or nothing is known."""
    if window.empty_at is None or window.resets_at is None:
        return None
    # Between the two clocks as they are shown: the earlier one rounded down, the reset up.
    early = -(-window.resets_at // 60) * 60 - window.empty_at // 60 * 60
    return reader.say("statusline.empty", clock=reader.clock(window.empty_at), early=reader.span(early))


def _window_line(view: View, window: LineWindow, reader: Reader) -> str:
    name = reader.window(window.id, window.label)
    reset = reset_line(view, window, reader)
    if window.used_ratio is None or view.has_passed(window):
        return reader.say("statusline.window_unknown", window=name, reset=reset or phrase.UNKNOWN)
    used, left = used_and_left(window, reader)
    if reset is None:
        return reader.say("statusline.window_bare", window=name, used=used, left=left)
    return reader.say("statusline.window", window=name, used=used, left=left, reset=reset)


def _others(view: View) -> list[LineAccount]:
    return [] if view.line is None else [one for one in view.line.accounts if one.name != view.name]


def _brief(account: LineAccount, view: View, reader: Reader) -> str:
    other = View(view.line, account, reader.now)
    if account.balance is not None:
        return f"{account.name} {account.balance.shown}"
    if other.case == "window" and other.bind is not None:
        return f"{account.name} {other.bind.id} {phrase.figure(other.bind, reader)}"
    return f"{account.name} {reader.say(f'status.state.{other.state}')}"
