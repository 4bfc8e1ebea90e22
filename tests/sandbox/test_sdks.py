"""The real SDKs, pointed straight at the sandbox."""

import anthropic
import openai

from perilune.sandbox import SandboxThread, keys

PING = [{"role": "user", "content": "ping"}]


def openai_client(sandbox: SandboxThread, key: str = keys.MOONSHOT_INTL, path: str = "/v1") -> openai.OpenAI:
    return openai.OpenAI(base_url=sandbox.url + path, api_key=key, max_retries=0)


def anthropic_client(sandbox: SandboxThread, path: str = "/coding", key: str = keys.KIMI_CN) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=sandbox.url + path, auth_token=key, max_retries=0)


def test_openai_lists_models_and_chats(sandbox: SandboxThread) -> None:
    with openai_client(sandbox) as client:
        assert "kimi-k2.6" in [model.id for model in client.models.list()]
        answer = client.chat.completions.create(model="kimi-k2.6", messages=PING)
    assert answer.choices[0].message.content == "PONG from sandbox"
    assert answer.choices[0].message.reasoning_content == "The user pings."
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_openai_streams_chat_with_usage_last(sandbox: SandboxThread) -> None:
    with openai_client(sandbox) as client:
        options = {"include_usage": True}
        chunks = list(
            client.chat.completions.create(model="kimi-k2.6", messages=PING, stream=True, stream_options=options)
        )
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "PONG from sandbox"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None


def test_openai_responses_whole_and_streamed(sandbox: SandboxThread) -> None:
    with openai_client(sandbox) as client:
        assert client.responses.create(model="kimi-k3", input="ping").output_text == "PONG from sandbox"
        events = list(
            client.responses.create(model="kimi-k3", input="ping", stream=True, reasoning={"summary": "auto"})
        )
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == "PONG from sandbox"
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_anthropic_messages_whole_streamed_and_counted(sandbox: SandboxThread) -> None:
    with anthropic_client(sandbox) as client:
        asked = {"model": "kimi-for-coding", "max_tokens": 100, "messages": PING}
        assert client.messages.create(**asked).content[0].text == "PONG from sandbox"
        with client.messages.stream(**asked, thinking={"type": "enabled", "budget_tokens": 1024}) as stream:
            message = stream.get_final_message()
        assert [block.type for block in message.content] == ["thinking", "text"]
        assert message.content[0].signature == "c2ln"
        assert client.messages.count_tokens(model="kimi-for-coding", messages=PING).input_tokens > 0


def test_anthropic_on_the_platform_with_an_api_key(sandbox: SandboxThread) -> None:
    with anthropic.Anthropic(base_url=f"{sandbox.url}/anthropic", api_key=keys.MOONSHOT_INTL, max_retries=0) as client:
        message = client.messages.create(model="kimi-k3", max_tokens=100, messages=PING)
    assert message.content[-1].text == "PONG from sandbox"


def test_a_tool_loop_ends_with_the_final_text(sandbox: SandboxThread) -> None:
    bash = {
        "type": "function",
        "function": {"name": "Bash", "parameters": {"type": "object", "properties": {"command": {"type": "string"}}}},
    }
    with openai_client(sandbox) as client:
        messages = [{"role": "user", "content": "run echo hi"}]
        first = client.chat.completions.create(model="kimi-k2.6", messages=messages, tools=[bash]).choices[0]
        assert first.finish_reason == "tool_calls"
        call = first.message.tool_calls[0]
        assert (call.id, call.function.name, call.function.arguments) == ("Bash:0", "Bash", '{"command": "echo hi"}')
        messages += [
            first.message.model_dump(exclude_none=True),
            {"role": "tool", "tool_call_id": call.id, "content": "hi"},
        ]
        last = client.chat.completions.create(model="kimi-k2.6", messages=messages, tools=[bash]).choices[0]
    assert last.message.content == "PONG from sandbox"


def test_an_anthropic_tool_loop_ends_with_the_final_text(sandbox: SandboxThread) -> None:
    bash = {"name": "Bash", "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}}}
    with anthropic_client(sandbox) as client:
        asked = {"model": "k3", "max_tokens": 100, "tools": [bash]}
        messages = [{"role": "user", "content": "run echo hi"}]
        with client.messages.stream(**asked, messages=messages) as stream:
            first = stream.get_final_message()
        use = first.content[-1]
        assert (first.stop_reason, use.name, use.input) == ("tool_use", "Bash", {"command": "echo hi"})
        messages.append({"role": "assistant", "content": [block.model_dump() for block in first.content]})
        messages.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "hi"}]})
        last = client.messages.create(**asked, messages=messages)
    assert last.content[-1].text == "PONG from sandbox"
