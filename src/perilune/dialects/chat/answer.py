"""A Chat answer, read and printed."""

from typing import Any

import msgspec

from perilune.core.errors import AnswerError
from perilune.dialects.chat.request_in import assistant_parts
from perilune.dialects.chat.wire import WireAnswer, decode_answer
from perilune.dialects.fields import encode
from perilune.dialects.form import Answer, Reasoning, Text, ToolCall
from perilune.dialects.stops import chat_stop, stop_from_chat
from perilune.dialects.usage import Usage, chat_usage, read_chat_usage


def parse_answer(body: bytes) -> Answer:
    """The answer behind a Chat completion.

    Raises: AnswerError PL-PARSE when there is no choice with a message.
    """
    try:
        wire = decode_answer(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise AnswerError.of("PL-PARSE") from None
    choice = wire.choices[0] if wire.choices else None
    if choice is None or choice.message is None:
        raise AnswerError.of("PL-PARSE")
    parts = assistant_parts(choice.message)
    has_calls = any(isinstance(part, ToolCall) for part in parts)
    return Answer(
        id=wire.id,
        model=wire.model,
        created=int(wire.created),
        parts=parts,
        stop=stop_from_chat(choice.finish_reason or "", has_calls=has_calls),
        stop_text=choice.finish_reason or "",
        usage=_usage(wire),
    )


def print_answer(answer: Answer) -> bytes:
    """The Chat completion that says this answer."""
    text = "".join(part.text for part in answer.parts if isinstance(part, Text))
    thoughts = [part.text for part in answer.parts if isinstance(part, Reasoning) and part.text]
    calls = [part for part in answer.parts if isinstance(part, ToolCall)]
    message: dict[str, Any] = {"role": "assistant", "content": text if text or not calls else None}
    if thoughts:
        message["reasoning_content"] = "\n\n".join(thoughts)
    if calls:
        message["tool_calls"] = [_call(call) for call in calls]
    wire: dict[str, Any] = {
        "id": answer.id,
        "object": "chat.completion",
        "created": answer.created,
        "model": answer.model,
        "choices": [{"index": 0, "message": message, "finish_reason": chat_stop(answer.stop, answer.stop_text)}],
    }
    if answer.usage is not None:
        wire["usage"] = chat_usage(answer.usage)
    return encode(wire)


def _usage(wire: WireAnswer) -> Usage | None:
    return read_chat_usage(wire.usage) or read_chat_usage(wire.choices[0].usage)


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}
