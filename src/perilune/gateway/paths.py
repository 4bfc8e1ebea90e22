"""The paths in front, and what an unknown one was probably meant to be."""

from difflib import get_close_matches
from enum import StrEnum

from perilune.dialects.form import Dialect


class Endpoint(StrEnum):
    """What a path stands for."""

    CHAT = "/v1/chat/completions"
    RESPONSES = "/v1/responses"
    MESSAGES = "/v1/messages"
    COUNT = "/v1/messages/count_tokens"
    ESTIMATE = "/v1/tokenizers/estimate-token-count"
    MODELS = "/v1/models"


ALIASES = ("/coding", "/anthropic")
BASES = frozenset(
    {"/", "/v1", "/v1/", "/coding", "/coding/", "/anthropic", "/anthropic/", "/coding/v1", "/anthropic/v1"}
)
FRONTS: dict[str, Dialect] = {
    Endpoint.CHAT: Dialect.CHAT,
    Endpoint.RESPONSES: Dialect.RESPONSES,
    Endpoint.MESSAGES: Dialect.MESSAGES,
}
_KNOWN = frozenset(Endpoint)


def known(path: str) -> tuple[Endpoint | None, str]:
    """The endpoint of a path, aliases taken off, and what follows it (a model's id); None for an unknown path."""
    plain = _without_alias(path)
    if plain in _KNOWN:
        return Endpoint(plain), ""
    if plain.startswith("/v1/models/"):
        return Endpoint.MODELS, plain.removeprefix("/v1/models/")
    trimmed = plain.rstrip("/")
    return (Endpoint(trimmed), "") if trimmed in _KNOWN else (None, "")


def is_ours(path: str) -> bool:
    """True for every path that the gateway answers, unknown ones included."""
    return path.startswith(("/v1/", "/coding/", "/anthropic/")) or path in ("/v1", "/coding", "/anthropic")


def dialect_of(path: str) -> Dialect:
    """The dialect in which an error on this path is told."""
    is_messages = path.startswith("/anthropic") or "/messages" in path
    return Dialect.MESSAGES if is_messages else Dialect.RESPONSES if "/responses" in path else Dialect.CHAT


def has_version_twice(path: str) -> bool:
    """True for `/v1/v1/…`, which a base URL with `/v1` too much makes."""
    return _without_alias(path).startswith("/v1/v1/")


def nearest(path: str) -> str:
    """The known path that is most like this one."""
    plain = _without_alias(path)
    if has_version_twice(path):
        plain = plain.removeprefix("/v1")
    found = get_close_matches(plain, [str(endpoint) for endpoint in Endpoint], n=1, cutoff=0.1)
    return found[0] if found else str(Endpoint.CHAT)


def _without_alias(path: str) -> str:
    for alias in ALIASES:
        if path.startswith(alias + "/"):
            return path.removeprefix(alias)
    return path
