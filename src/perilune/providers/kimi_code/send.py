"""How a request leaves for Kimi Code: in Messages, which takes any client; in Chat only for a caller that it lists.

No client is imitated: the one User-Agent passed along is that of the coding agent that really is calling.
"""

from collections.abc import Mapping

from perilune.catalog.plan import Surface
from perilune.dialects.form import Dialect
from perilune.dialects.splice import REMOVE
from perilune.providers.contract.outcome import OutcomeClass
from perilune.providers.contract.parameters import shape_by_traits
from perilune.providers.contract.send import Asked, Choice, Shaped, Ways, auth_header
from perilune.providers.contract.table import Found

__all__ = ["auth_header", "choose_surface", "client_headers", "refuse_before", "shape", "ways"]

LARGEST_TEXT = 2_097_152
_WAYS = Ways(
    family="kimi",
    streams_always=True,
    needs_reasoning=True,
    takes_system_turns=False,
    takes_session=False,
    renumbers_calls=True,
)
_PASSED_ALONG = ("user-agent", "x-msh-platform", "x-msh-version")


def choose_surface(choice: Choice) -> Surface:
    """Chat for a listed agent that speaks Chat and was not refused there, else Messages."""
    is_chat = choice.front is Dialect.CHAT and choice.agent_listed and not choice.gated
    return "chat" if is_chat and choice.wanted != "messages" else "messages"


def ways(host: str) -> Ways:
    """One family with the pay-per-token platform: reasoning of either is taken by both."""
    return _WAYS


def shape(asked: Asked) -> Shaped:
    """The traits' rules; what is not known to be taken on Messages is taken out."""
    shaped = shape_by_traits(asked)
    if asked.surface is not Dialect.MESSAGES or asked.head.context_management is None:
        return shaped
    changes = shaped.changes | {"context_management": REMOVE}
    return Shaped(changes, (*shaped.adjusted, "context_management"))


def client_headers(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The agent's own name, platform and version; never its device."""
    return tuple((name, headers[name]) for name in _PASSED_ALONG if name in headers)


def refuse_before(text_bytes: int) -> Found | None:
    """More text than the plan takes is not sent at all."""
    if text_bytes <= LARGEST_TEXT:
        return None
    return Found(kind=OutcomeClass.BODY_TOO_LARGE, limit=LARGEST_TEXT, need=text_bytes)
