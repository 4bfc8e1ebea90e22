"""A Messages answer, read and printed."""

from typing import Any

import msgspec

from perilune.core.errors import AnswerError, RequestError
from perilune.dialects.fields import encode
from perilune.dialects.form import Answer, Reasoning
from perilune.dialects.messages.blocks import print_block
from perilune.dialects.messages.wire import decode_answer, read_block
from perilune.dialects.stops import messages_stop, stop_from_messages
from perilune.dialects.usage import Usage, messages_usage, read_messages_usage


def parse_answer(body: bytes) -> Answer:
    """The answer behind a message.

    Raises: AnswerError PL-PARSE when it has no content list.
    """
    try:
        wire = decode_answer(body)
        parts = tuple(read_block(raw, "content") for raw in wire.content or ())
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, RequestError):
        raise AnswerError.of("PL-PARSE") from None
    if wire.content is None:
        raise AnswerError.of("PL-PARSE")
    return Answer(
        id=wire.id,
        model=wire.model,
        parts=parts,
        stop=stop_from_messages(wire.stop_reason or ""),
        stop_text=wire.stop_reason or "",
        stop_sequence=wire.stop_sequence,
        usage=read_messages_usage(wire.usage),
    )


def print_answer(answer: Answer) -> bytes:
    """The message that says this answer."""
    parts = [part for part in answer.parts if not (isinstance(part, Reasoning) and not part.text and not part.redacted)]
    wire: dict[str, Any] = {
        "id": answer.id,
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [print_block(_signed(part)) for part in parts],
        "stop_reason": messages_stop(answer.stop, answer.stop_sequence),
        "stop_sequence": answer.stop_sequence,
        "usage": messages_usage(answer.usage or Usage()),
    }
    return encode(wire)


def _signed(part: Any) -> Any:
    """Clients demand the field `signature` on a thought."""
    if isinstance(part, Reasoning) and part.signature is None and not part.redacted:
        return Reasoning(part.text, "")
    return part
