"""Tool loops over openai-python: Chat and Responses, streamed and not."""

import json
import os
import subprocess
from typing import Any

from openai import OpenAI

MODEL = "kimi-k2.6"
ASK = "run echo tool-$((40+2))"
PARAMETERS = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
CHAT_TOOLS = [{"type": "function", "function": {"name": "bash", "description": "Runs.", "parameters": PARAMETERS}}]
TOOLS = [{"type": "function", "name": "bash", "description": "Runs.", "parameters": PARAMETERS}]

client = OpenAI(base_url=os.environ["GATEWAY"] + "/v1", api_key="perilune-local", max_retries=0)


def run(arguments: str) -> str:
    command = json.loads(arguments)["command"]
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout


def ask_chat(messages: list[Any], *, streams: bool) -> Any:
    asked: dict[str, Any] = {"model": MODEL, "messages": messages, "tools": CHAT_TOOLS}
    if not streams:
        return client.chat.completions.create(**asked).choices[0].message
    with client.chat.completions.stream(**asked, stream_options={"include_usage": True}) as stream:
        for _ in stream:
            pass
        final = stream.get_final_completion()
    if final.usage is None or not final.usage.total_tokens:
        raise SystemExit("no usage in the stream")
    return final.choices[0].message


def call_of(call: Any) -> dict[str, Any]:
    function = {"name": call.function.name, "arguments": call.function.arguments}
    return {"id": call.id, "type": "function", "function": function}


def chat(*, streams: bool) -> str:
    """Until the model says something; its reasoning is dropped on purpose, as many programs drop it."""
    messages: list[Any] = [{"role": "user", "content": ASK}]
    while (said := ask_chat(messages, streams=streams)).tool_calls:
        calls = [call_of(call) for call in said.tool_calls]
        messages.append({"role": "assistant", "content": said.content, "tool_calls": calls})
        messages += [
            {"role": "tool", "tool_call_id": call.id, "content": run(call.function.arguments)}
            for call in said.tool_calls
        ]
    return str(said.content)


def ask_responses(items: list[Any], *, streams: bool) -> Any:
    asked: dict[str, Any] = {
        "model": MODEL, "input": items, "tools": TOOLS, "store": False, "include": ["reasoning.encrypted_content"],
    }  # fmt: skip
    if not streams:
        return client.responses.create(**asked)
    with client.responses.stream(**asked) as stream:
        for _ in stream:
            pass
        return stream.get_final_response()


def responses(*, streams: bool) -> str:
    items: list[Any] = [{"role": "user", "content": ASK}]
    while True:
        said = ask_responses(items, streams=streams)
        calls = [item for item in said.output if item.type == "function_call"]
        if not calls:
            return str(said.output_text)
        items += [item.model_dump(exclude_none=True) for item in said.output]
        items += [{"type": "function_call_output", "call_id": c.call_id, "output": run(c.arguments)} for c in calls]


for loop in (chat, responses):
    for streams in (False, True):
        print(loop.__name__, "streamed" if streams else "whole", loop(streams=streams))
