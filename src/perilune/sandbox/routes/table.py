"""Which host and path is played by what."""

from collections.abc import Callable
from typing import NamedTuple

from perilune.sandbox.accounts import Compatible
from perilune.sandbox.http.reply import Reply
from perilune.sandbox.routes import neighbours
from perilune.sandbox.routes.call import Call, Envelope
from perilune.sandbox.routes.kimi_code import KimiCode
from perilune.sandbox.routes.moonshot import Moonshot
from perilune.sandbox.routes.neighbours import Own, Router
from perilune.sandbox.routes.oauth import SignIn
from perilune.sandbox.routes.web import Web
from perilune.sandbox.speech.asked import Surface
from perilune.sandbox.tickets import Ticket
from perilune.sandbox.world import World

Read = Callable[[Call], Reply]
Ask = Callable[[Call, Surface, Ticket], Reply]


class Route(NamedTuple):
    """One path of one host: what answers, in which envelope it refuses, and whether it asks a model."""

    method: str
    read: Read | None = None
    ask: Ask | None = None
    surface: Surface = "chat"
    envelope: Envelope = "chat"


Table = dict[str, Route]
_RPC = "/apiv2/kimi.gateway"


def _kimi_code(region: str | None) -> Table:
    chat, messages = KimiCode(region), KimiCode(region, "messages")
    return {
        "/coding/v1/models": Route("GET", chat.models),
        "/coding/v1/usages": Route("GET", chat.usages),
        "/coding/v1/me": Route("GET", chat.me),
        "/coding/v1/chat/completions": Route("POST", ask=chat.ask, surface="chat"),
        "/coding/v1/messages": Route("POST", ask=messages.ask, surface="messages", envelope="messages"),
        "/coding/v1/messages/count_tokens": Route("POST", messages.count_tokens, envelope="messages"),
    }


def _moonshot(region: str | None) -> Table:
    chat, messages = Moonshot(region), Moonshot(region, "messages")
    return {
        "/v1/models": Route("GET", chat.models),
        "/v1/users/me": Route("GET", chat.me),
        "/v1/users/me/balance": Route("GET", chat.balance),
        "/v1/tokenizers/estimate-token-count": Route("POST", chat.estimate),
        "/v1/chat/completions": Route("POST", ask=chat.ask, surface="chat"),
        "/v1/responses": Route("POST", ask=chat.ask, surface="responses"),
        "/anthropic/v1/messages": Route("POST", ask=messages.ask, surface="messages", envelope="messages"),
        "/anthropic/v1/messages/count_tokens": Route("POST", messages.count_tokens, envelope="messages"),
    }


def _sign_in(region: str | None) -> Table:
    host = SignIn(region)
    return {
        "/api/oauth/device_authorization": Route("POST", host.start),
        "/api/oauth/token": Route("POST", host.token),
    }


def _web(region: str | None) -> Table:
    site = Web(region)
    member = f"{_RPC}.membership.v2.MembershipService"
    return {
        f"{_RPC}.billing.v1.BillingService/GetUsages": Route("POST", site.usages, envelope="web"),
        f"{member}/GetSubscriptionStats": Route("POST", site.stats, envelope="web"),
        f"{member}/GetSubscription": Route("POST", site.subscription, envelope="web"),
    }


def _router() -> Table:
    router = Router()
    return {
        "/api/v1/key": Route("GET", router.key, envelope="router"),
        "/api/v1/credits": Route("GET", router.credits, envelope="router"),
        "/api/v1/models": Route("GET", router.models, envelope="router"),
        "/api/v1/chat/completions": Route("POST", ask=router.ask, surface="chat", envelope="router"),
    }


def _own() -> Table:
    chat, messages = Own(), Own("messages")
    return {
        "/v1/models": Route("GET", chat.models),
        "/v1/chat/completions": Route("POST", ask=chat.ask, surface="chat"),
        "/v1/responses": Route("POST", ask=chat.ask, surface="responses"),
        "/v1/messages": Route("POST", ask=messages.ask, surface="messages", envelope="messages"),
        "/v1/messages/count_tokens": Route("POST", messages.count_tokens, envelope="messages"),
    }


_RELAY: Table = {"/api/user/credits": Route("GET", neighbours.relay_credits)}

HOSTS: dict[str, Table] = {
    "api.kimi.com": _kimi_code("cn"),
    "api.kimi.ai": _kimi_code("intl"),
    "api.moonshot.ai": _moonshot("intl"),
    "api.moonshot.cn": _moonshot("cn"),
    "auth.kimi.com": _sign_in("cn"),
    "auth.kimi.ai": _sign_in("intl"),
    "www.kimi.com": _web("cn"),
    "www.kimi.ai": _web("intl"),
    "openrouter.ai": _router(),
    "kimi-k2.ai": _RELAY,
    "api.deepseek.com": {"/user/balance": Route("GET", neighbours.deepseek_balance)},
    "api.siliconflow.cn": {"/v1/user/info": Route("GET", neighbours.siliconflow_user)},
    "api.z.ai": {"/api/monitor/usage/quota/limit": Route("GET", neighbours.zai_quota)},
}
_DIRECT: Table = {**_kimi_code(None), **_moonshot(None), **_sign_in(None), **_web(None), **_router(), **_RELAY}
_OWN = _own()
_BASES = ("/", "", "/coding", "/coding/v1", "/v1", "/anthropic", "/anthropic/v1", "/api/v1")


def split(world: World, path: str) -> tuple[str, str]:
    """Host and path of what was asked: `/HOST/PATH`, or "" and the path for clients that point here directly."""
    first, _, rest = path.removeprefix("/").partition("/")
    if first in HOSTS or first in _own_hosts(world):
        return first, f"/{rest}"
    return "", path


def find(world: World, host: str, path: str) -> Route | None:
    """The route of a path; a trailing slash makes no difference."""
    table = _DIRECT if not host else HOSTS.get(host) or (_OWN if host in _own_hosts(world) else {})
    return table.get(path.rstrip("/") or "/")


def is_base(path: str) -> bool:
    return path.rstrip("/") in _BASES


def _own_hosts(world: World) -> set[str]:
    return {account.host for account in world.accounts.values() if isinstance(account, Compatible)}
