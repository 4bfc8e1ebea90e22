"""Parameter rules of models with fixed sampling: what is taken out, renamed or lowered before a request leaves.

Source: gateway reference 2.2. Which rule holds for which model is data (`catalog/models.toml`).
"""

from perilune.catalog.models import Model
from perilune.core.errors import RequestError
from perilune.dialects.form import Dialect
from perilune.dialects.splice import REMOVE
from perilune.providers.contract.send import Asked, Shaped
from perilune.providers.contract.send import shape as shape_free
from perilune.providers.contract.thinking_fields import thinking_changes

_SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "top_k")
_FOREIGN = ("service_tier", "seed", "logit_bias", "client_metadata")
_DEFAULT_LIMIT = 8192


def shape_by_traits(asked: Asked) -> Shaped:
    """All rules of a model that is known; an unknown one keeps what the client said."""
    traits = asked.traits
    if traits is None:
        return shape_free(asked)
    changes: dict[str, object] = {}
    adjusted: list[str] = []
    if traits.sampling == "fixed":
        _drop_sampling(asked, changes, adjusted)
        _drop_foreign(asked, changes, adjusted)
    _set_limit(asked, traits, changes, adjusted)
    changes |= thinking_changes(asked, traits)
    return Shaped(changes, tuple(adjusted))


def _drop_sampling(asked: Asked, changes: dict[str, object], adjusted: list[str]) -> None:
    for name in _SAMPLING:
        if getattr(asked.head, name) is not None:
            changes[name] = REMOVE
            adjusted.append(name)
    if asked.head.n == 1:
        changes["n"] = REMOVE
    elif asked.head.n is not None:
        raise RequestError.of("PL-UNSUPPORTED", variant="many", count=str(asked.head.n)[:20])


def _drop_foreign(asked: Asked, changes: dict[str, object], adjusted: list[str]) -> None:
    """Fields that these vendors do not have; some of them tell about the client's machine and sessions."""
    for name in _FOREIGN:
        if getattr(asked.head, name) is not None:
            changes[name] = REMOVE
            adjusted.append(name)


def _set_limit(asked: Asked, traits: Model, changes: dict[str, object], adjusted: list[str]) -> None:
    said = asked.head.max_output
    limit = said
    if limit is None and asked.surface is Dialect.MESSAGES:
        limit = traits.max_output_default or _DEFAULT_LIMIT
    if asked.cap is not None:
        limit = asked.cap if limit is None else min(limit, asked.cap)
    if limit is not None and traits.context is not None and limit + asked.prompt_tokens > traits.context:
        limit = max(traits.context - asked.prompt_tokens, 1)
    if limit != said and said is not None:
        adjusted.append("max_tokens")
    is_renamed = asked.surface is Dialect.CHAT and traits.sampling == "fixed"
    if is_renamed and asked.head.max_tokens is not None:
        changes["max_tokens"] = REMOVE
        changes["max_completion_tokens"] = limit
    elif limit != said:
        changes[_limit_name(asked)] = limit


def _limit_name(asked: Asked) -> str:
    if asked.surface is Dialect.MESSAGES:
        return "max_tokens"
    return "max_output_tokens" if asked.surface is Dialect.RESPONSES else "max_completion_tokens"
