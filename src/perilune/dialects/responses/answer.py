"""A Responses answer, read and printed."""

from typing import Any

import msgspec

from perilune.core.errors import AnswerError, RequestError
from perilune.dialects.fields import encode
from perilune.dialects.form import Answer, Part, Reasoning, Text, ToolCall
from perilune.dialects.responses.items import (
    Envelope,
    call_item,
    envelope_of,
    message_item,
    reasoning_item,
    response_object,
)
from perilune.dialects.responses.wire import (
    WireAnswer,
    decode_answer,
    decode_item,
    read_call,
    read_content,
    read_reasoning,
)
from perilune.dialects.stops import responses_stop, stop_from_responses
from perilune.dialects.usage import read_responses_usage


def parse_answer(body: bytes) -> Answer:
    """The answer behind a response object.

    Raises: AnswerError PL-PARSE when it has no output list.
    """
    try:
        wire = decode_answer(body)
        answer = answer_of(wire)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, RequestError):
        raise AnswerError.of("PL-PARSE") from None
    if wire.output is None:
        raise AnswerError.of("PL-PARSE")
    return answer


def answer_of(wire: WireAnswer) -> Answer:
    """The answer in a decoded response object."""
    parts = tuple(part for raw in wire.output or () for part in read_output_item(raw))
    reason = wire.incomplete_details.reason if wire.incomplete_details is not None else None
    has_calls = any(isinstance(part, ToolCall) for part in parts)
    return Answer(
        id=wire.id,
        model=wire.model,
        created=int(wire.created_at),
        parts=parts,
        stop=stop_from_responses(wire.status or "completed", reason or "", has_calls=has_calls),
        usage=read_responses_usage(wire.usage),
    )


def read_output_item(raw: msgspec.Raw | bytes) -> list[Part]:
    """The parts in one output item; hosted calls have none here."""
    item = decode_item(raw)
    match item.type:
        case "message":
            return [part for part in read_content(item.content, "output")[0] if isinstance(part, Text)]
        case "function_call" | "custom_tool_call":
            return [read_call(item)]
        case "reasoning":
            return [read_reasoning(item)]
        case _:
            return []


def print_answer(answer: Answer, envelope: Envelope | None = None) -> bytes:
    """The response object that says this answer; `envelope` seals thoughts for a client that asked for it."""
    status, reason = responses_stop(answer.stop)
    output: list[dict[str, Any]] = []
    texts: list[str] = []
    for part in answer.parts:
        if isinstance(part, Text):
            texts.append(part.text)
            continue
        _flush(texts, output, answer.id)
        if isinstance(part, Reasoning) and (part.text or part.envelope):
            output.append(reasoning_item(f"rs_{len(output)}_{answer.id}", part.text, envelope_of(part, envelope)))
        elif isinstance(part, ToolCall):
            call = ToolCall(part.id, part.name, part.arguments or "{}", namespace=part.namespace)
            output.append(call_item(f"fc_{len(output)}_{answer.id}", call))
    _flush(texts, output, answer.id)
    return encode(
        response_object(
            response_id=answer.id,
            model=answer.model,
            created=answer.created,
            status=status,
            output=output,
            usage=answer.usage,
            reason=reason,
        )
    )


def _flush(texts: list[str], output: list[dict[str, Any]], answer_id: str) -> None:
    if texts:
        output.append(message_item(f"msg_{len(output)}_{answer_id}", "".join(texts)))
        texts.clear()
