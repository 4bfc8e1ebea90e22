"""Services beside the two plans: the aggregator, own endpoints, and readers of a balance."""

from decimal import Decimal
from typing import Any, TypeVar

from msgspec import structs

from perilune.sandbox.accounts import Compatible, DeepSeek, K2Relay, OpenRouter, SiliconFlow, Zai
from perilune.sandbox.http.reply import Reply
from perilune.sandbox.models import CREATED, MOONSHOT, Model, unruled
from perilune.sandbox.refusals import Refusal, Refused, refuse
from perilune.sandbox.routes.call import Call, Envelope
from perilune.sandbox.routes.inference import count, infer
from perilune.sandbox.routes.keyring import account_of
from perilune.sandbox.speech import Asked, Said
from perilune.sandbox.speech.asked import Surface
from perilune.sandbox.tickets import Ticket

_ROUTER_PREFIX = "moonshotai/"


_T = TypeVar("_T")
_UNAUTHORIZED = Refusal(status=401, kind="invalid_api_key", message="Invalid API key")


def _owner(call: Call, kind: type[_T], otherwise: Refusal = _UNAUTHORIZED) -> _T:
    account = account_of(call, kind, None)
    if account is None:
        raise Refused(otherwise)
    return account


class Router:
    """Plays the aggregator."""

    envelope: Envelope = "router"

    def owner(self, call: Call) -> OpenRouter:
        return _owner(call, OpenRouter, refuse("router-401").refusal)

    def welcome(self, call: Call, surface: Surface) -> None:
        if self.owner(call).is_spent:
            raise refuse("router-402")

    def model(self, call: Call, asked: Asked) -> Model:
        known = MOONSHOT.get(asked.model.removeprefix(_ROUTER_PREFIX))
        if known is None or not asked.model.startswith(_ROUTER_PREFIX):
            raise refuse("router-404-model", model=asked.model)
        return structs.replace(known, id=asked.model, is_fixed=False)

    def admit(self, call: Call, asked: Asked, model: Model, ticket: Ticket) -> int:
        if asked.prompt_tokens > model.context:
            raise refuse("router-400-context", limit=model.context, requested=asked.prompt_tokens)
        return asked.prompt_tokens

    def charge(self, call: Call, model: Model, said: Said) -> None:
        usage = said.usage
        self.owner(call).charge(model.price("USD", usage.cached, usage.prompt - usage.cached, usage.output))

    def ask(self, call: Call, surface: Surface, ticket: Ticket) -> Reply:
        return infer(call, self, surface, ticket)

    def key(self, call: Call) -> Reply:
        return Reply.json({"data": _router_key(self.owner(call))})

    def credits(self, call: Call) -> Reply:
        owner = self.owner(call)
        if not owner.reads_credits:
            raise Refused(Refusal(status=403, kind="", message="Only management keys can read credits"))
        return Reply.json(
            {"data": {"total_credits": _number(owner.total_credits), "total_usage": _number(owner.usage)}}
        )

    def models(self, call: Call) -> Reply:
        rows = [{"id": f"{_ROUTER_PREFIX}{m.id}", "name": m.id, "context_length": m.context} for m in MOONSHOT.values()]
        return Reply.json({"data": rows})


class Own:
    """Plays somebody's own endpoint: any of its models, no rules."""

    envelope: Envelope = "chat"

    def __init__(self, envelope: Envelope = "chat") -> None:
        self.envelope = envelope

    def owner(self, call: Call) -> Compatible:
        return _owner(call, Compatible)

    def welcome(self, call: Call, surface: Surface) -> None:
        self.owner(call)

    def model(self, call: Call, asked: Asked) -> Model:
        owner = self.owner(call)
        if asked.model not in owner.models:
            raise Refused(
                Refusal(status=404, kind="model_not_found", message=f"The model {asked.model} does not exist")
            )
        return unruled(asked.model, owner.context)

    def admit(self, call: Call, asked: Asked, model: Model, ticket: Ticket) -> int:
        cap = self.owner(call).concurrency
        if cap is not None and ticket.traffic.admitted >= cap:
            raise Refused(Refusal(status=429, kind="rate_limit_exceeded", message="Rate limit reached", wait_s=1))
        if asked.prompt_tokens > model.context:
            words = f"This model's maximum context length is {model.context} tokens"
            raise Refused(Refusal(status=400, kind="context_length_exceeded", message=words))
        return asked.prompt_tokens

    def charge(self, call: Call, model: Model, said: Said) -> None:
        """Nobody counts here."""

    def ask(self, call: Call, surface: Surface, ticket: Ticket) -> Reply:
        return infer(call, self, surface, ticket)

    def models(self, call: Call) -> Reply:
        rows = [
            {"id": name, "object": "model", "created": CREATED, "owned_by": "own"} for name in self.owner(call).models
        ]
        return Reply.json({"object": "list", "data": rows})

    def count_tokens(self, call: Call) -> Reply:
        self.owner(call)
        return Reply.json({"input_tokens": count(call, "messages")})


def relay_credits(call: Call) -> Reply:
    """Credits of the unofficial relay."""
    owner = _owner(call, K2Relay)
    body = {"total_credits_consumed": _number(owner.consumed), "credits_remaining": _number(owner.remaining)}
    reply = Reply.json(body if owner.body is None else owner.body)
    reply.put_header("X-Credits-Remaining", owner.header or str(owner.remaining))
    return reply


def deepseek_balance(call: Call) -> Reply:
    owner = _owner(call, DeepSeek)
    total = owner.granted + owner.topped_up
    info = {
        "currency": owner.currency,
        "total_balance": f"{total:.2f}",
        "granted_balance": f"{owner.granted:.2f}",
        "topped_up_balance": f"{owner.topped_up:.2f}",
    }
    return Reply.json({"is_available": total > 0, "balance_infos": [info]})


def siliconflow_user(call: Call) -> Reply:
    owner = _owner(call, SiliconFlow)
    data: dict[str, Any] = {"id": "u1", "name": "x", "image": "", "email": "", "isAdmin": False}
    data |= {"balance": f"{owner.gift:.2f}", "status": "normal", "introduction": "", "role": ""}
    data |= {"chargeBalance": f"{owner.charged:.2f}", "totalBalance": f"{owner.gift + owner.charged:.2f}"}
    return Reply.json({"code": 20000, "message": "OK", "status": True, "data": data})


def zai_quota(call: Call) -> Reply:
    owner = _owner(call, Zai)
    now = int(call.now.timestamp() * 1000)
    limits: list[dict[str, Any]] = [
        {"type": "TOKENS_LIMIT", "unit": 3, "number": 5, "percentage": owner.tokens_5h_percent},
        {"type": "TOKENS_LIMIT", "unit": 6, "number": 1, "percentage": owner.tokens_week_percent},
        {
            "type": "TIME_LIMIT",
            "unit": 5,
            "usage": owner.tools_limit,
            "currentValue": owner.tools_used,
            "remaining": owner.tools_limit - owner.tools_used,
            "percentage": owner.tools_used * 100 // owner.tools_limit,
        },
    ]
    for hours, limit in zip((3, 96, 240), limits, strict=True):
        limit["nextResetTime"] = now + hours * 3_600_000
    return Reply.json({"code": 200, "msg": "ok", "success": True, "data": {"level": owner.level, "limits": limits}})


def _router_key(owner: OpenRouter) -> dict[str, Any]:
    return {
        "label": owner.label,
        "limit": None if owner.limit is None else _number(owner.limit),
        "limit_remaining": None if owner.remaining is None else _number(owner.remaining),
        "limit_reset": None if owner.limit is None else "monthly",
        "include_byok_in_limit": False,
        "usage": _number(owner.usage),
        "usage_daily": _number(owner.usage_daily),
        "usage_weekly": _number(owner.usage_weekly),
        "usage_monthly": _number(owner.usage),
        "byok_usage": 0,
        "byok_usage_daily": 0,
        "byok_usage_weekly": 0,
        "byok_usage_monthly": 0,
        "is_free_tier": owner.is_free_tier,
        "is_management_key": False,
        "is_provisioning_key": False,
        "expires_at": None,
        "creator_user_id": "user_0001",
        "rate_limit": {
            "requests": 1000,
            "interval": "1h",
            "note": "This field is deprecated and safe to ignore.",
        },
    }


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
