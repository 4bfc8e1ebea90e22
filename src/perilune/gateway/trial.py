"""One tiny real request to one slot, as its routes would send it, and what its end means for the account.

Free reads pass where every answer is refused; only an answer proves that answers come. Source: gateway reference 3.2.
"""

from typing import Literal

import msgspec
from msgspec import Struct

from perilune.core.errors import Problem
from perilune.dialects.form import Dialect
from perilune.gateway.call import Attempt, Call, Reply
from perilune.gateway.clocks import Clocks
from perilune.gateway.core import Core
from perilune.gateway.slots import Route, Slot
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.providers.contract.send import Choice

Verdict = Literal[
    "ok", "auth", "model_denied", "member", "balance", "quota", "client_gated", "banned", "permission", "model",
    "endpoint", "routing", "bad_request", "rate_limited", "server", "dns", "connect", "tls", "proxy", "redirect",
    "garbled", "slow",
]  # fmt: skip

OUTPUT_LIMIT = 16
BEYOND_THINKING = 64
_CLOCKS = Clocks(connect_s=5, first_content_s=60, answer_s=60, idle_s=30, total_s=90, queue_s=30)
_VERDICTS: dict[Is, Verdict] = {
    Is.OK: "ok",
    Is.AUTH_REFUSED: "auth",
    Is.MEMBER_LAPSED: "member",
    Is.BALANCE_EMPTY: "balance",
    Is.QUOTA_SPENT: "quota",
    Is.CLIENT_GATED: "client_gated",
    Is.BANNED: "banned",
    Is.PERMISSION: "permission",
    Is.RATE_CONCURRENCY: "rate_limited",
    Is.RATE_RPM: "rate_limited",
    Is.RATE_TPM: "rate_limited",
    Is.RATE_TPD: "rate_limited",
    Is.RATE_OTHER: "rate_limited",
    Is.BUSY: "rate_limited",
    Is.TRANSIENT: "server",
    Is.MODEL_UNKNOWN: "model",
    Is.MODEL_DENIED: "model_denied",
    Is.ENDPOINT_UNKNOWN: "endpoint",
    Is.ROUTING_REFUSED: "routing",
    Is.NET_DNS: "dns",
    Is.NET_TLS: "tls",
    Is.NET_CONNECT: "connect",
    Is.NET_RESET: "connect",
    Is.NET_PROXY: "proxy",
    Is.TIMEOUT_FIRST: "slow",
    Is.TIMEOUT_IDLE: "slow",
    Is.TIMEOUT_TOTAL: "slow",
    Is.STREAM_CUT: "garbled",
    Is.GARBLED: "garbled",
    Is.UNKNOWN: "server",
}
_WORKS = ("ok", "rate_limited", "slow")


class Trial(Struct, frozen=True, kw_only=True):
    """What came of it.

    Shape: `works` says that the key works, be it throttled now; `surface` is the one behind; `problem` what went
    wrong, None where nothing did; `lists_agents` that the plan's chat route takes listed coding agents only. Units:
    `tokens` both ways, metered up to the first content; `first_content_ms` milliseconds.
    """

    verdict: Verdict
    works: bool
    surface: str
    model: str
    tokens: int | None = None
    first_content_ms: int | None = None
    problem: Problem | None = None
    lists_agents: bool = False


async def try_slot(core: Core, route: str, model: str) -> Trial:
    """Ask the only slot of a route once, for no more than its first content."""
    slot = _only_slot(core.setup.routes.named(route))
    front = _front(slot)
    call = Call(front=front, body=_body(front, slot, model), route=route, insists=True, clocks=_CLOCKS, purpose="test")
    reply = await core.answer(call)
    attempt = reply.attempts[-1] if reply.attempts else None
    is_answered = reply.status == 200
    if reply.chunks is not None:
        try:
            await anext(aiter(reply.chunks), b"")
        finally:
            await reply.chunks.aclose()
    verdict = "ok" if is_answered else verdict_of(attempt, reply.problem)
    return Trial(
        verdict=verdict,
        works=verdict in _WORKS,
        surface=attempt.surface or front.value if attempt else front.value,
        model=attempt.model or model if attempt else model,
        tokens=_tokens(reply),
        first_content_ms=attempt.first_content_ms if attempt else None,
        problem=None if is_answered else reply.problem,
        lists_agents=_lists_agents(slot),
    )


def verdict_of(attempt: Attempt | None, problem: Problem | None) -> Verdict:
    """The verdict on a request that got no answer."""
    code = "" if problem is None else problem.code
    if code == "PL-NET-REDIRECT":
        return "redirect"
    if code in ("PL-GW-QUEUE", "PL-GW-FULL"):
        return "rate_limited"
    return "bad_request" if attempt is None else _VERDICTS.get(attempt.outcome.kind, "bad_request")


def _only_slot(route: Route | None) -> Slot:
    if route is None or len(route.slots) != 1:
        raise ValueError("a trial needs a route of one slot")
    return route.slots[0]


def _front(slot: Slot) -> Dialect:
    """The dialect that the slot's surface speaks by itself, so that nothing is translated on the way."""
    first = slot.config.surface if slot.config.surface in slot.plan.surfaces else slot.plan.default_surface
    return Dialect(slot.plan.surfaces[0] if first in (None, "same") else first)


def _body(front: Dialect, slot: Slot, model: str) -> bytes:
    """A ping in one dialect."""
    limit = OUTPUT_LIMIT
    budget = _thinking_budget(slot.config.override or {})
    if budget is not None and front is Dialect.MESSAGES:
        limit = budget + BEYOND_THINKING
    said: dict[str, object] = {"model": model, "stream": True}
    if front is Dialect.RESPONSES:
        said |= {"input": "ping", "max_output_tokens": limit, "store": False}
    else:
        said |= {"messages": [{"role": "user", "content": "ping"}], "max_tokens": limit}
    return msgspec.json.encode(said)


def _thinking_budget(override: dict[str, object]) -> int | None:
    thinking = override.get("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    return budget if isinstance(budget, int) else None


def _tokens(reply: Reply) -> int | None:
    usage = reply.usage
    if usage is None or (usage.input_total is None and usage.output_total is None):
        return None
    return (usage.input_total or 0) + (usage.output_total or 0)


def _lists_agents(slot: Slot) -> bool:
    """True where the plan has a chat route that a caller without a listed name is kept from."""
    unlisted = Choice(plan=slot.plan, front=Dialect.CHAT)
    return "chat" in slot.plan.surfaces and slot.sender.choose_surface(unlisted) != "chat"
