"""Claude Code: the limits of whoever answers it. Its own only where requests go to its own vendor."""

from __future__ import annotations

from perilune.faces.statusline.drawn import Drawn
from perilune.faces.statusline.hosts.contexts import number, share_text, table
from perilune.faces.statusline.hues import SGR
from perilune.faces.statusline.view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from perilune.quota.line import Line, LineAccount

_BASE = "ANTHROPIC_BASE_URL"
_OTHER = "Claude"
_THEIR_WINDOWS = (("5h", "five_hour"), ("7d", "seven_day"))
_CONTEXT_COUNTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
_HIGH, _FULL = 75, 100


def render(drawn: Drawn) -> str:
    """One line, colour on the state part only."""
    base = drawn.environment.get(_BASE, "")
    account = None if drawn.is_broken else matching(drawn.view.line, base, drawn.view.account)
    theirs = None if account is not None else _theirs(drawn)
    if theirs is not None:
        pieces, state = theirs
        label = _OTHER
    else:
        shown = drawn if account is None else _of(drawn, account)
        pieces, state = shown.pieces(with_balance=False), shown.state
        has_figures = shown.view.case == "window" and not shown.is_broken and shown.template is None
        label = shown.view.account.vendor if has_figures and shown.view.account else ""
    return _line(drawn, label, pieces, state)


def matching(line: Line | None, base_url: str, shown: LineAccount | None) -> LineAccount | None:
    """The account behind a base address: by official host, or the one shown where the address is our own service."""
    if line is None or not base_url:
        return None
    host = base_url.partition("://")[2].partition("/")[0].rpartition("@")[2].lower()
    if line.listen and _is_ours(host, line.listen):
        return shown
    name = host.partition(":")[0]
    if shown is not None and name in shown.hosts:
        return shown
    return next((account for account in line.accounts if name in account.hosts), None)


def _is_ours(host: str, listen: str) -> bool:
    name, _, port = listen.rpartition(":")
    loopback = ("127.0.0.1", "localhost", "[::1]")
    return host == listen or (host.endswith(f":{port}") and host.rpartition(":")[0] in (*loopback, name))


def _of(drawn: Drawn, account: LineAccount) -> Drawn:
    view = View(drawn.view.line, account, drawn.reader.now)
    return Drawn(view, drawn.reader, is_ascii=drawn.is_ascii, template=drawn.template)


def _theirs(drawn: Drawn) -> tuple[list[str], str] | None:
    """The limits that the tool itself reports; None when it reports none."""
    limits = table(drawn.stdin, "rate_limits")
    pieces: list[str] = []
    highest = 0.0
    for name, key in _THEIR_WINDOWS:
        window = table(limits, key)
        used = number(window.get("used_percentage"))
        if used is None or used < 0:
            continue
        highest = max(highest, used)
        resets_at = number(window.get("resets_at"))
        wait = None if resets_at is None or pieces else int(resets_at) - drawn.reader.now
        reset = f" {drawn.reader.short(wait)}" if wait is not None and wait > 0 else ""
        pieces.append(f"{name} {int(used)}%{reset}")
    state = "spent" if highest >= _FULL else "high" if highest >= _HIGH else "ok"
    return (pieces, state) if pieces else None


def _line(drawn: Drawn, label: str, pieces: list[str], state: str) -> str:
    head, *rest = pieces
    if drawn.has_colour:
        head = f"\x1b[{SGR[state]}m{head}\x1b[0m"
    line = drawn.joined([head, *rest])
    line = f"{label} {line}" if label else line
    context = _context(drawn)
    return f"{line}{drawn.text(' │ ')}{context}" if context else line


def _context(drawn: Drawn) -> str | None:
    window = table(drawn.stdin, "context_window")
    percent = number(window.get("used_percentage"))
    if percent is not None:
        return share_text(percent / 100)
    size, used = number(window.get("context_window_size")), table(window, "current_usage")
    counts = [number(used.get(name)) for name in _CONTEXT_COUNTS]
    total = sum(count for count in counts if count is not None)
    return share_text(total / size) if size and size > 0 and any(count is not None for count in counts) else None
