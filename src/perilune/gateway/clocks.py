"""The clocks of one request. Source: gateway reference 5.3."""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from perilune.config.schema import GatewayConfig, SlotConfig

LARGE_PROMPT_TOKENS = 100_000
_LARGE_PROMPT_FIRST_S = 600.0
_CLIENT_TIMEOUTS = ("x-stainless-timeout", "x-stainless-read-timeout")


class Clocks(Struct, frozen=True, kw_only=True):
    """How long each part may take. Units: seconds; `client_s` what the client itself waits for the first byte."""

    connect_s: float = 10
    first_content_s: float = 300
    answer_s: float = 900
    idle_s: float = 300
    total_s: float = 1800
    queue_s: float = 60
    patience_s: float = 2
    rate_wait_s: float = 5
    client_s: float | None = None

    @classmethod
    def of(cls, config: GatewayConfig) -> "Clocks":
        """The clocks of the configuration."""
        return cls(
            connect_s=config.connect_timeout_s,
            first_content_s=config.first_content_timeout_s,
            answer_s=config.answer_timeout_s,
            idle_s=config.idle_timeout_s,
            total_s=config.total_timeout_s,
            queue_s=config.queue_timeout_s,
            patience_s=config.queue_patience_s,
            rate_wait_s=config.rate_wait_s,
        )

    def for_client(self, headers: Mapping[str, str]) -> "Clocks":
        """With the client's own timeout, which shortens the time up to its first byte and never a running answer."""
        for name in _CLIENT_TIMEOUTS:
            seconds = _positive(headers.get(name))
            if seconds is not None:
                return replace(self, client_s=seconds)
        return self

    def first_for(self, slot: SlotConfig, prompt_tokens: int) -> float:
        """The limit up to the first content on a slot; a large prompt gets longer unless the slot says its own."""
        if slot.first_content_timeout_s is not None:
            return slot.first_content_timeout_s
        if prompt_tokens > LARGE_PROMPT_TOKENS:
            return max(self.first_content_s, _LARGE_PROMPT_FIRST_S)
        return self.first_content_s


def _positive(text: str | None) -> float | None:
    try:
        value = float(text) if text else 0.0
    except ValueError:
        return None
    return value if 0 < value < 1e6 else None
