"""Tool loops over anthropic-python: Messages, streamed and not, with the thinking given back."""

import os
import subprocess
from typing import Any

from anthropic import Anthropic

SCHEMA = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
ASKED: dict[str, Any] = {
    "model": "kimi-for-coding",
    "max_tokens": 4096,
    "system": "You run commands.",
    "tools": [{"name": "bash", "description": "Runs.", "input_schema": SCHEMA}],
    "thinking": {"type": "enabled", "budget_tokens": 2048},
}
client = Anthropic(base_url=os.environ["GATEWAY"], auth_token="perilune-local", max_retries=0)


def ask(messages: list[Any], *, streams: bool) -> Any:
    if not streams:
        return client.messages.create(messages=messages, **ASKED)
    with client.messages.stream(messages=messages, **ASKED) as stream:
        return stream.get_final_message()


def loop(*, streams: bool) -> str:
    messages: list[Any] = [{"role": "user", "content": "run echo tool-$((40+2))"}]
    while (said := ask(messages, streams=streams)).stop_reason == "tool_use":
        messages.append(
            {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in said.content]}
        )
        messages.append({"role": "user", "content": [result(b) for b in said.content if b.type == "tool_use"]})
    return "".join(block.text for block in said.content if block.type == "text")


def result(call: Any) -> dict[str, Any]:
    said = subprocess.run(["sh", "-c", call.input["command"]], capture_output=True, text=True, check=True).stdout
    return {"type": "tool_result", "tool_use_id": call.id, "content": said}


for streams in (False, True):
    print("streamed" if streams else "whole", loop(streams=streams))
