"""The output items of a Responses answer, as its JSON and its stream both carry them."""

from collections.abc import Callable
from typing import Any

from perilune.dialects.form import Reasoning, ToolCall
from perilune.dialects.usage import Usage, responses_usage

Envelope = Callable[[str, str | None], str]


def message_item(item_id: str, text: str, status: str = "completed") -> dict[str, Any]:
    content = [text_part(text)] if text else []
    return {"id": item_id, "type": "message", "status": status, "role": "assistant", "content": content}


def text_part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def reasoning_item(item_id: str, text: str, envelope: str) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": text}] if text else []
    item: dict[str, Any] = {"id": item_id, "type": "reasoning", "summary": summary}
    return item | {"encrypted_content": envelope} if envelope else item


def call_item(item_id: str, call: ToolCall, status: str = "completed") -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": item_id,
        "type": "function_call",
        "status": status,
        "call_id": call.id,
        "name": call.name,
        "arguments": call.arguments,
    }
    return item | {"namespace": call.namespace} if call.namespace else item


def envelope_of(thought: Reasoning, make: Envelope | None) -> str:
    """The envelope the upstream gave, else a new one where the client asked for it."""
    if thought.envelope or make is None or not thought.text:
        return thought.envelope
    return make(thought.text, thought.signature)


def response_object(
    *,
    response_id: str,
    model: str,
    created: int,
    status: str,
    output: list[dict[str, Any]],
    usage: Usage | None = None,
    reason: str | None = None,
    error: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The whole response object with every field its clients demand."""
    return {
        "id": response_id,
        "object": "response",
        "created_at": created,
        "status": status,
        "background": False,
        "error": error,
        "incomplete_details": None if reason is None else {"reason": reason},
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "store": False,
        "tool_choice": "auto",
        "tools": [],
        "usage": None if usage is None else responses_usage(usage),
    }
