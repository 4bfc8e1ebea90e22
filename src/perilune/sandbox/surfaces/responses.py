"""OpenAI Responses, as Moonshot speaks it."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from perilune.sandbox.behaviour import Behaviour
from perilune.sandbox.refusals import Refusal
from perilune.sandbox.speech import Asked, Call, Said, Tool, Turn, Usage
from perilune.sandbox.surfaces.frames import Frame, Part, event_frame
from perilune.sandbox.surfaces.parts import as_dict, as_list, choice_of, parts_of, whole


def read(body: dict[str, Any]) -> Asked:
    """A Responses body as the vendor understands it."""
    given = body.get("input")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else as_list(given)
    instructions = body.get("instructions")
    turns = [Turn(role="system", text=instructions)] if isinstance(instructions, str) else []
    turns += _turns([item for item in items if isinstance(item, dict)])
    structured = as_dict(as_dict(body.get("text")).get("format")).get("type")
    return Asked(
        surface="responses",
        body=body,
        model=str(body.get("model") or ""),
        turns=tuple(turns),
        tools=tuple(_tool(tool) for tool in as_list(body.get("tools")) if isinstance(tool, dict)),
        is_stream=body.get("stream") is True,
        cap=whole(body.get("max_output_tokens")),
        effort=as_dict(body.get("reasoning")).get("effort"),
        choice=choice_of(body.get("tool_choice")),
        structured=structured if structured in ("json_object", "json_schema") else None,
        wants_usage=True,
    )


def _turns(items: list[dict[str, Any]]) -> list[Turn]:
    """Items as turns. A reasoning item belongs to the call or message behind it."""
    turns: list[Turn] = []
    thought: str | None = None
    for item in items:
        match item.get("type", "message"):
            case "reasoning":
                summary, _, _ = parts_of(item.get("summary"))
                thought = summary or str(item.get("encrypted_content") or "")
            case "function_call" | "custom_tool_call":
                told = f"{item.get('name')}{item.get('arguments', item.get('input'))}"
                call_id = str(item.get("call_id"))
                turns.append(Turn(role="assistant", calls=(told,), call_ids=(call_id,), reasoning=thought))
            case "function_call_output" | "custom_tool_call_output":
                thought = None
                output, _, _ = parts_of(item.get("output"))
                turns.append(Turn(role="tool", text=output, answers=(str(item.get("call_id")),)))
            case "message":
                text, last, images = parts_of(item.get("content"))
                role = str(item.get("role") or "user")
                kept = thought if role == "assistant" else None
                turns.append(Turn(role=role, text=text, last_part=last, images=images, reasoning=kept))
                thought = None
            case _:
                continue
    return turns


def _tool(tool: dict[str, Any]) -> Tool:
    return Tool(
        str(tool.get("name") or tool.get("type") or ""), str(tool.get("type") or ""), as_dict(tool.get("parameters"))
    )


class ResponsesWriter(Struct, frozen=True, kw_only=True):
    """Writes answers in Responses."""

    id: str
    model: str
    created: int
    behaviour: Behaviour
    shows_reasoning: bool = False
    shows_encrypted: bool = False

    def answer(self, said: Said) -> dict[str, Any]:
        """A whole `response`."""
        whole_answer = self._head("incomplete" if said.finish == "length" else "completed")
        whole_answer["output"] = [item for item, _ in self._items(said)]
        if said.finish == "length":
            whole_answer["incomplete_details"] = {"reason": "max_output_tokens"}
        if self.behaviour.usage != "none":
            whole_answer["usage"] = self._usage(said.usage)
        return whole_answer

    def stream(self, said: Said) -> Iterator[Frame]:
        """The stream with a sequence number that rises by one."""
        for number, (name, payload, part) in enumerate(self._events(said)):
            yield event_frame(name, {"sequence_number": number} | payload, part)

    def error(self, refusal: Refusal) -> Frame:
        """A failed response inside a stream."""
        failed = self._head("failed") | {"error": {"code": refusal.kind, "message": refusal.message}}
        return event_frame("response.failed", {"sequence_number": 999, "response": failed}, "tail")

    def _events(self, said: Said) -> Iterator[tuple[str, dict[str, Any], Part]]:
        yield "response.created", {"response": self._head("in_progress")}, "lead"
        yield "response.in_progress", {"response": self._head("in_progress")}, "lead"
        for index, (item, deltas) in enumerate(self._items(said)):
            opened = item | {"status": "in_progress"} | {name: [] for name in ("content", "summary") if name in item}
            if "arguments" in item:
                opened["arguments"] = ""
            yield "response.output_item.added", {"output_index": index, "item": opened}, "content"
            for name, payload in _inner_events(item, index, deltas):
                yield name, payload, "content"
            yield "response.output_item.done", {"output_index": index, "item": item}, "content"
        name = "response.incomplete" if said.finish == "length" else "response.completed"
        yield name, {"response": self.answer(said)}, "done"

    def _items(self, said: Said) -> list[tuple[dict[str, Any], list[str]]]:
        items: list[tuple[dict[str, Any], list[str]]] = []
        if said.reasoning and (self.shows_reasoning or self.shows_encrypted):
            thought = "".join(said.reasoning)
            summary = [{"type": "summary_text", "text": thought}]
            item: dict[str, Any] = {"id": f"rs_{self.id[5:]}", "type": "reasoning", "summary": summary}
            if self.shows_encrypted:
                item["encrypted_content"] = b64encode(thought.encode()).decode()
            items.append((item, said.reasoning))
        if said.text or not said.calls:
            part = {"type": "output_text", "text": "".join(said.text), "annotations": []}
            message = {"id": f"msg_{self.id[5:]}", "type": "message", "status": "completed", "role": "assistant"}
            items.append((message | {"content": [part]}, said.text))
        items += [(_call_item(call, self.id), [call.arguments]) for call in said.calls]
        return items

    def _head(self, status: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "model": self.model,
            "output": [],
        }

    @staticmethod
    def _usage(usage: Usage) -> dict[str, Any]:
        return {
            "input_tokens": usage.prompt,
            "input_tokens_details": {"cached_tokens": usage.cached},
            "output_tokens": usage.output,
            "output_tokens_details": {"reasoning_tokens": usage.reasoning},
            "total_tokens": usage.prompt + usage.output,
        }


def _call_item(call: Call, response_id: str) -> dict[str, Any]:
    return {
        "id": f"fc_{response_id[5:]}",
        "type": "function_call",
        "status": "completed",
        "call_id": call.id,
        "name": call.name,
        "arguments": call.arguments,
    }


def _inner_events(item: dict[str, Any], index: int, deltas: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events between an item's `added` and its `done`."""
    where: dict[str, Any] = {"item_id": item["id"], "output_index": index}
    match item["type"]:
        case "message":
            part = item["content"][0]
            where["content_index"] = 0
            yield "response.content_part.added", where | {"part": part | {"text": ""}}
            for piece in deltas:
                yield "response.output_text.delta", where | {"delta": piece, "logprobs": []}
            yield "response.output_text.done", where | {"text": part["text"], "logprobs": []}
            yield "response.content_part.done", where | {"part": part}
        case "reasoning":
            part = item["summary"][0]
            where["summary_index"] = 0
            yield "response.reasoning_summary_part.added", where | {"part": part | {"text": ""}}
            for piece in deltas:
                yield "response.reasoning_summary_text.delta", where | {"delta": piece}
            yield "response.reasoning_summary_text.done", where | {"text": part["text"]}
            yield "response.reasoning_summary_part.done", where | {"part": part}
        case "function_call":
            for piece in deltas:
                yield "response.function_call_arguments.delta", where | {"delta": piece}
            done = {"arguments": item["arguments"], "name": item["name"]}
            yield "response.function_call_arguments.done", where | done
