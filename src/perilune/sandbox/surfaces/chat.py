"""OpenAI Chat, as Moonshot and Kimi Code speak it."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from perilune.sandbox.behaviour import Behaviour
from perilune.sandbox.refusals import Refusal
from perilune.sandbox.speech import Asked, Said, Tool, Turn, Usage
from perilune.sandbox.surfaces.frames import Frame, data_frame
from perilune.sandbox.surfaces.parts import as_dict, as_list, choice_of, parts_of, whole


def read(body: dict[str, Any]) -> Asked:
    """A Chat body as the vendor understands it."""
    thinking = as_dict(body.get("thinking"))
    stream_options = as_dict(body.get("stream_options"))
    structured = as_dict(body.get("response_format")).get("type")
    return Asked(
        surface="chat",
        body=body,
        model=str(body.get("model") or ""),
        turns=tuple(_turn(message) for message in as_list(body.get("messages")) if isinstance(message, dict)),
        tools=tuple(_tool(tool) for tool in as_list(body.get("tools")) if isinstance(tool, dict)),
        is_stream=body.get("stream") is True,
        cap=whole(body.get("max_completion_tokens")) or whole(body.get("max_tokens")),
        thinking=thinking.get("type") if thinking.get("type") in ("enabled", "disabled") else None,
        effort=body.get("reasoning_effort") if "reasoning_effort" in body else thinking.get("effort"),
        choice=choice_of(body.get("tool_choice")),
        structured=structured if structured in ("json_object", "json_schema") else None,
        wants_usage=stream_options.get("include_usage") is True,
    )


def _turn(message: dict[str, Any]) -> Turn:
    text, last, images = parts_of(message.get("content"))
    calls = [call for call in as_list(message.get("tool_calls")) if isinstance(call, dict)]
    result_of = message.get("tool_call_id") if message.get("role") == "tool" else None
    reasoning = message.get("reasoning_content")
    return Turn(
        role=str(message.get("role") or ""),
        text=text,
        last_part=last,
        images=images,
        calls=tuple(
            f"{as_dict(c.get('function')).get('name')}{as_dict(c.get('function')).get('arguments')}" for c in calls
        ),
        call_ids=tuple(str(call.get("id")) for call in calls),
        answers=(str(result_of),) if message.get("role") == "tool" else (),
        reasoning=reasoning if isinstance(reasoning, str) else None,
    )


def _tool(tool: dict[str, Any]) -> Tool:
    function = as_dict(tool.get("function"))
    return Tool(str(function.get("name") or ""), str(tool.get("type") or ""), as_dict(function.get("parameters")))


class ChatWriter(Struct, frozen=True, kw_only=True):
    """Writes answers in Chat. `model` is the one that really served."""

    id: str
    model: str
    created: int
    behaviour: Behaviour
    wants_usage: bool = False
    echoes_system: bool = True

    def answer(self, said: Said) -> dict[str, Any]:
        """A whole `chat.completion`."""
        message: dict[str, Any] = {"role": "assistant", "content": "".join(said.text)}
        if said.reasoning:
            message["reasoning_content"] = "".join(said.reasoning)
        if said.calls:
            message["tool_calls"] = [
                {"id": call.id, "type": call.kind, "function": {"name": call.name, "arguments": call.arguments}}
                for call in said.calls
            ]
        answer: dict[str, Any] = {
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [{"index": 0, "message": message, "finish_reason": said.finish}],
        }
        if self.behaviour.usage != "none":
            answer["usage"] = self._usage(said.usage)
        return answer

    def stream(self, said: Said) -> Iterator[Frame]:
        """The stream in the vendor's order: role, reasoning, text, tool calls, finish, usage, end."""
        yield self._delta({"role": "assistant", "content": ""}, "lead")
        for piece in said.reasoning:
            yield self._delta({"reasoning_content": piece})
        for piece in said.text:
            yield self._delta({"content": piece})
        for index, call in enumerate(said.calls):
            start = {"index": index, "id": call.id, "type": call.kind, "function": {"name": call.name, "arguments": ""}}
            yield self._delta({"tool_calls": [start]})
            half = call.arguments.find(":") + 1 or len(call.arguments) // 2
            for piece in (call.arguments[:half], call.arguments[half:]):
                yield self._delta({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        yield self._finish(said)
        if self.wants_usage and self.behaviour.usage in ("usual", "last-only", "different"):
            yield data_frame(self._chunk([], with_fingerprint=False) | {"usage": self._usage(said.usage)}, "tail")
        if self.behaviour.sends_done:
            yield Frame(b"data: [DONE]\n\n", "done")

    def error(self, refusal: Refusal) -> Frame:
        """An error inside a stream."""
        return data_frame({"error": {"type": refusal.kind, "message": refusal.message}}, "tail")

    def _finish(self, said: Said) -> Frame:
        choice: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": said.finish}
        if self.behaviour.usage in ("usual", "choice-only", "different"):
            plain = self._plain(said.usage)
            if self.behaviour.usage == "different":
                plain = {name: count // 2 for name, count in plain.items()}
            choice["usage"] = plain
        return data_frame(self._chunk([choice]), "tail")

    def _delta(self, delta: dict[str, Any], part: Any = "content") -> Frame:
        return data_frame(self._chunk([{"index": 0, "delta": delta, "finish_reason": None}]), part)

    def _chunk(self, choices: list[Any], *, with_fingerprint: bool = True) -> dict[str, Any]:
        chunk: dict[str, Any] = {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }
        return chunk | {"system_fingerprint": "fpv0_00000000"} if with_fingerprint else chunk

    @staticmethod
    def _plain(usage: Usage) -> dict[str, int]:
        total = usage.prompt + usage.output
        return {"prompt_tokens": usage.prompt, "completion_tokens": usage.output, "total_tokens": total}

    def _usage(self, usage: Usage) -> dict[str, Any]:
        counted: dict[str, Any] = self._plain(usage)
        where = self.behaviour.cached
        if not usage.cached or where == "none":
            return counted
        if where in ("both", "top", "different"):
            counted["cached_tokens"] = usage.cached
        if where in ("both", "nested", "different"):
            nested = usage.cached // 2 if where == "different" else usage.cached
            counted["prompt_tokens_details"] = {"cached_tokens": nested}
        return counted
