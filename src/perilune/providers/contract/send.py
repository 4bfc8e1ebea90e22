"""How a request leaves for a vendor: what a provider decides, and what happens for one that has no ways of its own."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from perilune.catalog.models import Model
from perilune.catalog.plan import Plan, Surface
from perilune.dialects.form import Dialect
from perilune.dialects.head import Head
from perilune.dialects.thinking import Thinking
from perilune.providers.contract.table import Found


class Choice(Struct, frozen=True, kw_only=True):
    """What the surface is chosen by.

    Shape: `agent_listed` says that the caller's User-Agent is a listed coding agent's and may be passed along; `gated`
    that this surface has refused that agent within the last 24 h; `wanted` is the slot's own setting.
    """

    plan: Plan
    front: Dialect
    agent_listed: bool = False
    gated: bool = False
    wanted: Surface | None = None


class Asked(Struct, frozen=True, kw_only=True):
    """A request about to leave, in the dialect of the surface it goes to.

    Shape: `traits` None for an unknown model, which gets nothing extra; `thinking` is the slot's word, else the
    client's, None when neither spoke; `cap` is the slot's output limit. Units: `prompt_tokens` estimated.
    """

    surface: Dialect
    head: Head
    model: str
    traits: Model | None
    thinking: Thinking | None = None
    cap: int | None = None
    prompt_tokens: int = 0


class Ways(Struct, frozen=True, kw_only=True):
    """What a body depends on besides its parameters.

    Shape: `family` names the makers whose reasoning signatures are each other's; `streams_always` says that a request
    for a whole answer is sent as a stream and collected, so that silence can be told from work; `names_session` that a
    conversation known by a header is named to it, for its cache; the rest is as in `dialects.target.Target`.
    """

    family: str = ""
    streams_always: bool = False
    checks_signatures: bool = False
    needs_reasoning: bool = False
    takes_image_urls: bool = True
    takes_system_turns: bool = True
    takes_partial: bool = False
    takes_session: bool = True
    names_session: bool = False
    renumbers_calls: bool = False
    keeps_hosts_betas: bool = False


class Shaped(Struct, frozen=True):
    """Top-level values to replace, insert or take out, and what of that is reported to the client."""

    changes: dict[str, object]
    adjusted: tuple[str, ...] = ()


class Sender(Protocol):
    """A provider's `send` module."""

    def choose_surface(self, choice: Choice) -> Surface:
        """The surface behind."""
        ...

    def shape(self, asked: Asked) -> Shaped:
        """The parameter rules. Raises: RequestError PL-UNSUPPORTED."""
        ...

    def ways(self, host: str) -> Ways:
        """What a body for this host depends on."""
        ...

    def client_headers(self, headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Headers of a listed coding agent that are passed along unchanged."""
        ...

    def auth_header(self, host: str, configured: str | None) -> str:
        """`authorization` or `x-api-key`."""
        ...

    def refuse_before(self, text_bytes: int) -> Found | None:
        """What is known to be refused without a call."""
        ...


def choose_surface(choice: Choice) -> Surface:
    """The slot's surface, else the dialect in front where the plan speaks it, else the plan's first."""
    plan = choice.plan
    if choice.wanted is not None and choice.wanted in plan.surfaces:
        return choice.wanted
    if plan.default_surface == "same":
        front = choice.front.value
        return front if front in plan.surfaces else plan.surfaces[0]
    return plan.default_surface


def shape(asked: Asked) -> Shaped:
    """Nothing but the slot's output limit: an unknown model is not told anything the client did not say."""
    changes: dict[str, object] = {}
    limit = asked.head.max_output
    if asked.cap is None or (limit is not None and limit <= asked.cap):
        return Shaped(changes)
    changes[limit_field(asked)] = asked.cap
    return Shaped(changes, ("max_tokens",))


def ways(host: str) -> Ways:
    """Nothing is assumed of an endpoint that is not known."""
    return Ways()


def client_headers(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Nothing of the client's is passed along."""
    return ()


def auth_header(host: str, configured: str | None) -> str:
    """Bearer, unless the account says otherwise."""
    return "x-api-key" if configured == "x-api-key" else "authorization"


def refuse_before(text_bytes: int) -> Found | None:
    """Nothing is known beforehand."""
    return None


def limit_field(asked: Asked) -> str:
    """The name under which this body says its output limit."""
    if asked.surface is Dialect.RESPONSES:
        return "max_output_tokens"
    if asked.surface is Dialect.MESSAGES:
        return "max_tokens"
    return "max_completion_tokens" if asked.head.max_completion_tokens is not None else "max_tokens"
