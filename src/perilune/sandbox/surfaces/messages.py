"""Anthropic Messages, as Moonshot and Kimi Code speak it."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from perilune.sandbox.behaviour import Behaviour
from perilune.sandbox.refusals import Refusal
from perilune.sandbox.speech import Asked, Said, Tool, Turn, Usage
from perilune.sandbox.surfaces.frames import Frame, event_frame
from perilune.sandbox.surfaces.parts import as_dict, as_list, choice_of, parts_of, whole

_STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
_THINKING = {"enabled": "enabled", "adaptive": "enabled", "disabled": "disabled"}


def read(body: dict[str, Any]) -> Asked:
    """A Messages body as the vendor understands it."""
    thinking = as_dict(body.get("thinking"))
    system, _, _ = parts_of(body.get("system"))
    turns = [Turn(role="system", text=system)] if system else []
    turns += [_turn(message) for message in as_list(body.get("messages")) if isinstance(message, dict)]
    return Asked(
        surface="messages",
        body=body,
        model=str(body.get("model") or ""),
        turns=tuple(turns),
        tools=tuple(_tool(tool) for tool in as_list(body.get("tools")) if isinstance(tool, dict)),
        is_stream=body.get("stream") is True,
        cap=whole(body.get("max_tokens")),
        thinking=_THINKING.get(str(thinking.get("type"))),  # type: ignore[arg-type]
        effort=as_dict(body.get("output_config")).get("effort"),
        choice=choice_of(body.get("tool_choice")),
        wants_usage=True,
    )


def _turn(message: dict[str, Any]) -> Turn:
    blocks = [block for block in as_list(message.get("content")) if isinstance(block, dict)]
    text, last, images = parts_of(message.get("content"))
    uses = [block for block in blocks if block.get("type") == "tool_use"]
    results = [block for block in blocks if block.get("type") == "tool_result"]
    thoughts = [block.get("thinking") for block in blocks if block.get("type") == "thinking"]
    result_text = "\n".join(parts_of(block.get("content"))[0] for block in results)
    return Turn(
        role=str(message.get("role") or ""),
        text="\n".join(part for part in (text, result_text) if part),
        last_part=last,
        images=images,
        calls=tuple(f"{use.get('name')}{msgspec.json.encode(use.get('input')).decode()}" for use in uses),
        call_ids=tuple(str(use.get("id")) for use in uses),
        answers=tuple(str(result.get("tool_use_id")) for result in results),
        reasoning="".join(str(thought) for thought in thoughts) if thoughts else None,
    )


def _tool(tool: dict[str, Any]) -> Tool:
    kind = "function" if tool.get("type") in (None, "custom") else str(tool["type"])
    return Tool(str(tool.get("name") or ""), kind, as_dict(tool.get("input_schema")))


class MessagesWriter(Struct, frozen=True, kw_only=True):
    """Writes answers in Messages."""

    id: str
    model: str
    behaviour: Behaviour

    def answer(self, said: Said) -> dict[str, Any]:
        """A whole `message`."""
        content: list[dict[str, Any]] = []
        if said.reasoning:
            content.append({"type": "thinking", "thinking": "".join(said.reasoning), "signature": said.signature})
        if said.text or not said.calls:
            content.append({"type": "text", "text": "".join(said.text)})
        for call in said.calls:
            arguments = msgspec.json.decode(call.arguments)
            content.append({"type": "tool_use", "id": call.id, "name": call.name, "input": arguments})
        usage = {} if self.behaviour.usage == "none" else {"usage": self._usage(said.usage)}
        return self._head(content, _STOPS[said.finish]) | usage

    def stream(self, said: Said) -> Iterator[Frame]:
        """The stream: start, block by block, the delta with the stop reason, stop."""
        first = self._usage(said.usage) | {"output_tokens": 0}
        yield event_frame("message_start", {"message": self._head([], None) | {"usage": first}}, "lead")
        if self.behaviour.pings:
            yield event_frame("ping", {}, "lead")
        index = 0
        if said.reasoning:
            thoughts = [{"type": "thinking_delta", "thinking": piece} for piece in said.reasoning]
            thoughts.append({"type": "signature_delta", "signature": said.signature})
            yield from _block(index, {"type": "thinking", "thinking": "", "signature": ""}, thoughts)
            index += 1
        if said.text or not said.calls:
            texts = [{"type": "text_delta", "text": piece} for piece in said.text]
            yield from _block(index, {"type": "text", "text": ""}, texts)
            index += 1
        for call in said.calls:
            half = call.arguments.find(":") + 1 or len(call.arguments) // 2
            halves = (call.arguments[:half], call.arguments[half:])
            parts = [{"type": "input_json_delta", "partial_json": piece} for piece in halves]
            yield from _block(index, {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}, parts)
            index += 1
        stop = {"stop_reason": _STOPS[said.finish], "stop_sequence": None}
        yield event_frame("message_delta", {"delta": stop} | self._last_usage(said.usage), "tail")
        if self.behaviour.sends_done:
            yield event_frame("message_stop", {}, "done")

    def error(self, refusal: Refusal) -> Frame:
        """An error inside a stream."""
        return event_frame("error", {"error": {"type": refusal.kind, "message": refusal.message}}, "tail")

    def _head(self, content: list[Any], stop_reason: str | None) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": None,
        }

    @staticmethod
    def _usage(usage: Usage) -> dict[str, Any]:
        return {
            "input_tokens": usage.prompt - usage.cached,
            "cache_read_input_tokens": usage.cached,
            "cache_creation_input_tokens": 0,
            "output_tokens": usage.output,
        }

    def _last_usage(self, usage: Usage) -> dict[str, Any]:
        match self.behaviour.usage:
            case "none":
                return {}
            case "last-only" | "different":
                return {"usage": self._usage(usage)}
            case _:
                return {"usage": {"output_tokens": usage.output}}


def _block(index: int, start: dict[str, Any], deltas: list[dict[str, Any]]) -> Iterator[Frame]:
    yield event_frame("content_block_start", {"index": index, "content_block": start})
    for delta in deltas:
        yield event_frame("content_block_delta", {"index": index, "delta": delta})
    yield event_frame("content_block_stop", {"index": index})
