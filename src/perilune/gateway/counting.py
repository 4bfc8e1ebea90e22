"""Token counts: asked of the same dialect behind, else of the account's own tokenizer, else estimated here.

No lease is taken and no answer is spent. Source: gateway reference 1.8.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from perilune.catalog.estimate import estimate_body
from perilune.core.errors import PeriluneError
from perilune.dialects.form import Dialect
from perilune.dialects.head import Body
from perilune.dialects.target import Target as Behind
from perilune.dialects.translate import translate_request
from perilune.gateway.answering import headers_to_vendor
from perilune.gateway.slots import Slot
from perilune.net.upstream import Outgoing, Target, Upstream, UpstreamError

Source = Literal["upstream", "tokenizer", "local"]
_NOT_THERE = (404, 405, 501)
_REMEMBERED = timedelta(hours=24)
_TIMEOUT_S = 10.0
_MOST_BYTES = 64 * 1024


class TokenCounter:
    """Climbs down the ladder and remembers which rungs an account does not have."""

    def __init__(self, upstream: Upstream, now: Callable[[], datetime]) -> None:
        self._upstream = upstream
        self._now = now
        self._missing: dict[tuple[str, Source], datetime] = {}

    async def count(self, slot: Slot | None, front: Dialect, body: Body) -> tuple[int, Source]:
        """The tokens of a request's prompt, and who counted them."""
        if slot is not None:
            if front is Dialect.MESSAGES and "messages" in slot.targets:
                found = await self._asked(slot, "upstream", slot.count_target(), self._as_sent(slot, body))
                if found is not None:
                    return found, "upstream"
            target = slot.tokenizer_target()
            if target is not None:
                found = await self._asked(slot, "tokenizer", target, self._for_tokenizer(slot, front, body))
                if found is not None:
                    return found, "tokenizer"
        return estimate_body(body.bytes), "local"

    async def _asked(self, slot: Slot, source: Source, target: Target | None, body: bytes | None) -> int | None:
        known_until = self._missing.get((slot.account, source))
        if target is None or body is None or (known_until is not None and known_until > self._now()):
            return None
        headers = headers_to_vendor(slot, "messages", {}, passes_agent=False, is_stream=False)
        try:
            exchange = await self._upstream.send(
                Outgoing("POST", target, headers, body), connect_timeout_s=5, first_timeout_s=_TIMEOUT_S
            )
            exchange.expect_within(_TIMEOUT_S, "idle")
            parts: list[bytes] = []
            while sum(map(len, parts)) < _MOST_BYTES and (chunk := await exchange.read()):
                parts.append(chunk)
            exchange.close()
        except UpstreamError:
            return None
        if exchange.status in _NOT_THERE:
            self._missing[slot.account, source] = self._now() + _REMEMBERED
        return _count_in(b"".join(parts)) if exchange.status == 200 else None

    def _as_sent(self, slot: Slot, body: Body) -> bytes:
        model = slot.config.model
        return body.bytes if model is None else body.spliced({"model": model})

    def _for_tokenizer(self, slot: Slot, front: Dialect, body: Body) -> bytes | None:
        model = slot.config.model or body.head.model
        if front is Dialect.CHAT:
            messages: Any = body.members.get("messages")
        else:
            try:
                target = Behind(dialect=Dialect.CHAT, model=model)
                messages = Body(translate_request(front, target, body.bytes).body).members.get("messages")
            except PeriluneError:
                return None
        return None if messages is None else msgspec.json.encode({"model": model, "messages": messages})


def _count_in(body: bytes) -> int | None:
    try:
        document = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    if not isinstance(document, dict):
        return None
    data = document.get("data")
    inner = data.get("total_tokens") if isinstance(data, dict) else None
    found = document.get("input_tokens", inner)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None
