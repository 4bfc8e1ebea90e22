"""An answer on its way back: the client's own names, ids its dialect takes, thoughts it can send again."""

import re
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from perilune.dialects.events import CallDelta, CallStarted, Finished, ReasoningSigned, StreamEvent, TextDelta
from perilune.dialects.form import Answer, Dialect, Part, Reasoning, StopReason, Text, ToolCall, Turn
from perilune.dialects.keys import History
from perilune.dialects.responses.items import Envelope
from perilune.dialects.seal import Seal, Sealed
from perilune.dialects.structured import without_fences
from perilune.dialects.target import Context, TurnKeys

_BAD_ID_CHARACTER = re.compile(r"[^A-Za-z0-9_-]")


class AnswerIds:
    """Call ids of one answer, fit for a Messages client and different from all its conversation has."""

    __slots__ = ("_taken",)

    def __init__(self, used: frozenset[str]) -> None:
        self._taken = set(used)

    def fitting(self, call_id: str) -> str:
        """The id the client gets for this call."""
        base = _BAD_ID_CHARACTER.sub("_", call_id) or "call"
        chosen, number = base, 2
        while chosen in self._taken:
            chosen, number = f"{base}_{number}", number + 1
        self._taken.add(chosen)
        return chosen


def restored(context: Context, answer: Answer, seal: Seal | None) -> Answer:
    """The upstream's whole answer as the client may see it."""
    ids = _ids(context)
    sign = signer(context, seal)
    parts: list[Part] = []
    for part in answer.parts:
        if isinstance(part, ToolCall) and context.structured_tool and part.name == context.structured_tool:
            parts.append(Text(part.arguments or "{}"))
        elif isinstance(part, ToolCall):
            parts.append(_named(context, part, ids))
        elif isinstance(part, Text) and context.strips_fences:
            parts.append(Text(without_fences(part.text)))
        elif isinstance(part, Reasoning):
            parts += _thought(context, part, sign)
        else:
            parts.append(part)
    answer = replace(answer, parts=tuple(parts))
    return replace(answer, stop=StopReason.END) if _ends_plainly(context, answer.stop) else answer


def signer(context: Context, seal: Seal | None) -> Callable[[str], str] | None:
    """How an unsigned thought gets our own token; None where it stays as it came."""
    if context.client is not Dialect.MESSAGES or context.upstream is Dialect.MESSAGES or seal is None:
        return None
    return lambda text: seal.sign(text, context.family)


def envelope_maker(context: Context, seal: Seal | None) -> Envelope | None:
    """How a thought is sealed for a Responses client; None where it did not ask for that."""
    if not context.wants_envelope or context.upstream is Dialect.RESPONSES or seal is None:
        return None
    return lambda text, signature: seal.seal(Sealed(text, context.family, signature))


def answer_keys(context: Context, turns: Iterable[Turn], answer: Answer) -> TurnKeys:
    """Under which an answer's thought is kept: as the client will send the turn back, under its own names."""
    history = History()
    for turn in turns:
        history.add(turn)
    return history.keys(Turn("assistant", restored(context, answer, None).parts))


class EventRestorer:
    """The same for a stream, event by event."""

    __slots__ = ("_context", "_ids", "_is_needed", "_structured")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._ids = _ids(context)
        self._structured: int | None = None
        self._is_needed = bool(context.names or context.structured_tool or self._ids)

    def restored(self, event: StreamEvent) -> StreamEvent | None:
        """The event the client gets, None for one it does not."""
        if isinstance(event, ReasoningSigned):
            return _proof(self._context, event)
        return self._changed(event) if self._is_needed else event

    def _changed(self, event: StreamEvent) -> StreamEvent | None:
        context = self._context
        if isinstance(event, CallDelta):
            return TextDelta(event.text) if event.index == self._structured else event
        if isinstance(event, CallStarted):
            if context.structured_tool and event.name == context.structured_tool:
                self._structured = event.index
                return None
            call = _named(context, ToolCall(event.id, event.name, "", namespace=event.namespace), self._ids)
            return CallStarted(event.index, call.id, call.name, call.namespace)
        if isinstance(event, Finished) and _ends_plainly(context, event.stop):
            return Finished(StopReason.END)
        return event


def _ids(context: Context) -> AnswerIds | None:
    is_crossing = context.client is Dialect.MESSAGES and context.upstream is not Dialect.MESSAGES
    return AnswerIds(context.used_ids) if is_crossing else None


def _named(context: Context, call: ToolCall, ids: AnswerIds | None) -> ToolCall:
    name, namespace = context.names.get(call.name, (call.name, call.namespace))
    return ToolCall(
        ids.fitting(call.id) if ids else call.id, name, call.arguments, namespace=namespace or call.namespace
    )


def _thought(context: Context, part: Reasoning, sign: Callable[[str], str] | None) -> list[Part]:
    if context.client is context.upstream:
        return [part]
    if part.redacted or not part.text:
        return []
    if context.client is Dialect.MESSAGES:
        return [Reasoning(part.text, sign(part.text) if sign is not None else "")]
    return [Reasoning(part.text, part.signature)]


def _proof(context: Context, event: ReasoningSigned) -> ReasoningSigned | None:
    """A maker's proof is for its own dialect; a Responses client's envelope carries the signature inside."""
    if context.client is context.upstream:
        return event
    if context.client is Dialect.RESPONSES and event.signature:
        return ReasoningSigned(event.signature)
    return None


def _ends_plainly(context: Context, stop: StopReason) -> bool:
    return bool(context.structured_tool) and stop is StopReason.TOOLS
