"""The Overview page: what now, every account with its binding limit large, the gateway, what happened."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from perilune.faces.api.ports import (
    EventDocument,
    LedgerRow,
    ReviewDocument,
    RouteDocument,
    RoutesDocument,
    ServiceFacts,
    SlotDocument,
)
from perilune.faces.text.figures import figures, money
from perilune.faces.text.moments import age, back_phrase, pace_phrase, reset_phrase, server_now, stale_phrase
from perilune.faces.text.status import days_words
from perilune.faces.web.now import now_sentence
from perilune.faces.web.reader import Reader
from perilune.quota.document import AccountDocument, BalanceDocument, ErrorDocument, StatusDocument, WindowDocument
from perilune.quota.wording import window_word

_GLYPHS = {"ok": "✓", "high": "▲", "spent": "●", "stale": "◌", "error": "✗", "unknown": "–"}
_WHOLE = 1000


class Surroundings(Struct, frozen=True, kw_only=True):
    """What the page shows beside the accounts."""

    facts: ServiceFacts
    routes: RoutesDocument
    requests: Sequence[LedgerRow]
    events: Sequence[EventDocument]
    reviews: Sequence[ReviewDocument]


class LimitView(Struct, frozen=True, kw_only=True):
    """One window of a card. Units: `fill` and `tick` thousandths of the bar."""

    label: str
    first: str
    second: str
    state: str
    state_word: str
    is_binding: bool
    is_reliable: bool
    fill: int
    tick: int | None
    value_now: int | None
    aria_label: str
    aria_text: str
    reset_line: str
    pace_line: str | None


class BalanceView(Struct, frozen=True, kw_only=True):
    """The money of a card."""

    label: str
    available: str
    parts: Sequence[str]
    spend_line: str
    state: str
    state_word: str


class CardView(Struct, frozen=True, kw_only=True):
    """One account."""

    name: str
    plan_line: str
    state: str
    state_word: str
    glyph: str
    limits: Sequence[LimitView]
    balance: BalanceView | None
    error: ErrorDocument | None
    notes: Sequence[str]
    age_line: str
    source_line: str


class SlotView(Struct, frozen=True, kw_only=True):
    """One row of a route."""

    name: str
    role: str
    state: str
    css: str
    load: str


class RouteView(Struct, frozen=True):
    """One route."""

    name: str
    slots: Sequence[SlotView]


class RequestView(Struct, frozen=True, kw_only=True):
    """One request."""

    time: str
    account: str
    model: str
    outcome: str
    attempts: int
    tokens: str


class EventView(Struct, frozen=True):
    """One event."""

    iso: str
    time: str
    text: str


class ReviewView(Struct, frozen=True):
    """One review."""

    title: str
    line: str


class OverviewView(Struct, frozen=True, kw_only=True):
    """The whole page. `states` changes when an account's state does, and only then."""

    now_sentence: str
    states: str
    problems: Sequence[ErrorDocument]
    accounts: Sequence[CardView]
    routes: Sequence[RouteView]
    requests: Sequence[RequestView]
    events: Sequence[EventView]
    reviews: Sequence[ReviewView]
    gateway_line: str
    curl: str


def overview_view(status: StatusDocument, around: Surroundings, reader: Reader) -> OverviewView:
    """The page of a status document and its surroundings, in the reader's words."""
    reader = reader.for_currencies({one.balance.available.currency for one in status.accounts if one.balance})
    return OverviewView(
        now_sentence=now_sentence(status, around.routes, reader.voice),
        states=" ".join(f"{account.name}:{account.state}" for account in status.accounts),
        problems=around.routes.problems,
        accounts=[_card(account, status.generated_at, reader) for account in status.accounts],
        routes=[_route(route, reader) for route in around.routes.routes],
        requests=[_request(row, reader) for row in around.requests],
        events=[EventView(one.at.isoformat(), reader.voice.clock(one.at), one.text) for one in around.events],
        reviews=[_review(review, reader) for review in around.reviews],
        gateway_line=_gateway_line(around.routes, reader),
        curl=_curl(around.facts.listen, around.routes),
    )


def _card(account: AccountDocument, generated_at: datetime, reader: Reader) -> CardView:
    reader = reader.at(server_now(account, generated_at))
    told = age(account, reader.voice) or reader.say("status.new")
    windows = sorted(account.windows, key=lambda window: window.id != _leading(account))
    return CardView(
        name=account.name,
        plan_line=reader.plan_line(account),
        state=account.state,
        state_word=reader.say(f"status.state.{account.state}"),
        glyph=_GLYPHS[account.state],
        limits=[_limit(window, account, reader) for window in windows],
        balance=_balance(account, reader),
        error=account.error if account.state in ("error", "spent", "stale") else None,
        notes=[note.message for note in account.notes],
        age_line=told,
        source_line=f"{account.origin or account.source}, {told}",
    )


def _limit(window: WindowDocument, account: AccountDocument, reader: Reader) -> LimitView:
    first, second = figures(window, reader.percent)
    other = "left" if reader.percent == "used" else "used"
    first, second = reader.say(f"status.{reader.percent}", figure=first), reader.say(f"status.{other}", figure=second)
    label = window_word(window.id, window.label, reader.voice)
    word = reader.say(f"status.state.{window.state}")
    used = min(window.used_ratio or 0.0, 1.0)
    shown = used if reader.percent == "used" else 1 - used
    tick = None if window.pace is None else window.pace.expected_ratio
    if tick is not None and reader.percent == "left":
        tick = 1 - tick
    return LimitView(
        label=label,
        first=first,
        second=second,
        state=window.state,
        state_word=word,
        is_binding=window.id == _leading(account),
        is_reliable=window.reliable,
        fill=0 if window.used_ratio is None else _fill(shown),
        tick=None if tick is None else min(round(tick * _WHOLE), _WHOLE - 5),
        value_now=None if window.used_ratio is None else round(shown * 100),
        aria_label=reader.say("web.meter", account=account.name, window=label),
        aria_text=f"{first}, {second}, {word}",
        reset_line=_below(window, account, reader),
        pace_line=pace_phrase(window, reader.voice) or None,
    )


def _leading(account: AccountDocument) -> str | None:
    """The window that is shown first and large: the one that blocks, else the binding one."""
    blocking = account.effective.blocked_by
    return blocking if any(window.id == blocking for window in account.windows) else account.effective.binding


def _below(window: WindowDocument, account: AccountDocument, reader: Reader) -> str:
    if window.state == "spent":
        return back_phrase(window, account, reader.voice)
    if window.state == "stale" and window.used_ratio is not None:
        return stale_phrase(account, reader.voice)
    reset = reset_phrase(window, reader.voice)
    return f"{reader.say('status.conflict')} {reset}" if window.conflict else reset


def _fill(ratio: float) -> int:
    """At least a sliver where anything is used, never full before it is."""
    if ratio <= 0:
        return 0
    return _WHOLE if ratio >= 1 else min(max(round(ratio * _WHOLE), 5), _WHOLE - 5)


def _balance(account: AccountDocument, reader: Reader) -> BalanceView | None:
    balance = account.balance
    if balance is None:
        return None
    parts = {"voucher": balance.voucher, "cash": balance.cash, "owed": balance.deficit}
    said = [reader.say(f"status.balance.{name}", amount=money(m, reader.voice)) for name, m in parts.items() if m]
    return BalanceView(
        label=reader.say("status.balance"),
        available=money(balance.available, reader.voice),
        parts=said,
        spend_line=_spend(balance, reader),
        state=account.state,
        state_word=reader.say(f"status.state.{account.state}"),
    )


def _spend(balance: BalanceDocument, reader: Reader) -> str:
    if balance.burn_per_day is None:
        return reader.say("status.burn.unknown")
    burn = reader.say("status.burn", amount=money(balance.burn_per_day, reader.voice))
    return burn if balance.days_left is None else f"{burn} · {days_words(balance.days_left, reader.voice)}"


def _route(route: RouteDocument, reader: Reader) -> RouteView:
    return RouteView(route.name, [_slot(slot, reader) for slot in route.slots])


def _slot(slot: SlotDocument, reader: Reader) -> SlotView:
    role = reader.say("web.main") if slot.role == "main" else reader.say("web.fallback", position=slot.position)
    state = reader.say(f"web.slot.{slot.state}")
    if slot.until is not None:
        state = reader.say("web.until", state=state, clock=reader.voice.clock(slot.until, round_up=True))
    cap = "–" if slot.cap is None else str(slot.cap)
    css = {"ok": "ok", "standby": "", "throttled": "high", "degraded": "high"}.get(slot.state, "spent")
    name = f"{slot.account} · {slot.model}" if slot.model else slot.account
    return SlotView(name=name, role=role, state=state, css=css, load=f"{slot.in_flight} / {cap}")


def _request(row: LedgerRow, reader: Reader) -> RequestView:
    tokens = " / ".join("–" if count is None else f"{count:,}" for count in (row.input_tokens, row.output_tokens))
    return RequestView(
        time=row.received_at.astimezone(reader.voice.zone).strftime("%H:%M:%S"),
        account=row.account or "–",
        model=row.model or "–",
        outcome=row.code or row.outcome,
        attempts=row.attempts,
        tokens=tokens,
    )


def _review(review: ReviewDocument, reader: Reader) -> ReviewView:
    found = [f"{count} {reader.say(f'web.severity.{name}')}" for name, count in review.findings.items() if count]
    one = "web.review_line_one" if review.requests == 1 else "web.review_line"
    line = reader.say(
        one,
        findings=", ".join(found) or reader.say("web.review_clean"),
        requests="–" if review.requests is None else review.requests,
        time=review.started_at,
    )
    return ReviewView(review.title, line)


def _gateway_line(routes: RoutesDocument, reader: Reader) -> str:
    line = reader.say("web.gateway_line", requests=routes.requests_today, failovers=routes.failovers_today)
    if routes.first_content_p95_ms is None:
        return line
    return f"{line} · {reader.say('web.gateway_speed', seconds=f'{routes.first_content_p95_ms / 1000:.1f}')}"


def _curl(listen: str, routes: RoutesDocument) -> str:
    model = next((slot.model for route in routes.routes for slot in route.slots if slot.model), "default")
    return (
        f"curl http://{listen}/v1/chat/completions -H 'content-type: application/json' \\\n"
        ' -d \'{"model": "' + model + '", "messages": [{"role": "user", "content": "ping"}]}\''
    )
