"""Whatever comes in: a refusal with a code, or a sound body; never another exception."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perilune.core.errors import AnswerError, RequestError
from perilune.dialects.content import Relay
from perilune.dialects.form import Dialect
from perilune.dialects.head import Body
from perilune.dialects.pass_through import pass_through
from perilune.dialects.seal import Seal
from perilune.dialects.stream import StreamTranslator, answer_to_stream
from perilune.dialects.target import Context, Frame, Hooks, Target
from perilune.dialects.thinking import wanted_thinking
from perilune.dialects.translate import translate_answer, translate_request

T = TypeVar("T")


def one_of(words: str) -> st.SearchStrategy[str]:
    """One word of these."""
    return st.sampled_from(words.split())


WORDS = one_of(
    "user assistant system developer tool text image image_url input_text output_text tool_use tool_result "
    "thinking redacted_thinking function function_call function_call_output message reasoning auto none any "
    "required a b {} response.created response.completed response.output_item.added response.output_item.done "
    "stop tool_calls content_block_start content_block_delta message_start message_delta text_delta json_schema "
    "plr1.x data:image/png;base64,AA https://example.com/a"
)
KEYS = one_of(
    "model messages input system instructions role content type text tools name function arguments tool_calls id "
    "index tool_call_id tool_use_id call_id output image_url url source data media_type thinking signature "
    "reasoning_content choices delta finish_reason usage error response item item_id output_index content_block "
    "message prompt_tokens input_tokens tool_choice response_format json_schema schema output_config format "
    "summary encrypted_content stop metadata user_id n stream max_tokens parameters input_schema namespace "
    "stop_reason partial_json status"
)
SCALARS = st.none() | st.booleans() | st.integers(-2, 5) | st.floats(allow_nan=False) | WORDS | st.text(max_size=3)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=14,
)
PARTS = st.fixed_dictionaries({"type": WORDS}, optional={}).flatmap(
    lambda part: st.dictionaries(KEYS, JSON, max_size=4).map(lambda more: more | part)
)
TURNS = st.fixed_dictionaries(
    {"role": WORDS, "content": st.lists(PARTS, max_size=3) | WORDS | st.none()},
    optional={"tool_calls": JSON, "tool_call_id": WORDS, "type": WORDS, "call_id": WORDS, "name": WORDS},
)
BODIES = st.dictionaries(KEYS, JSON, max_size=4).flatmap(
    lambda more: st.fixed_dictionaries(
        {"messages": st.lists(TURNS, max_size=4), "input": st.lists(TURNS | PARTS, max_size=4) | WORDS},
        optional={"tools": st.lists(PARTS, max_size=2), "stream": st.booleans()},
    ).map(lambda body: more | body)
)
DIALECTS = st.sampled_from(list(Dialect))
HOOKS = Hooks(seal=Seal(b"k" * 32), recall=lambda keys: None, family_of=lambda signature: None)
FRAME = Frame(id="a", model="m", seal=HOOKS.seal)
TARGETS = st.builds(
    Target,
    dialect=DIALECTS,
    takes_system_turns=st.booleans(),
    needs_reasoning=st.booleans(),
    checks_signatures=st.booleans(),
    renumbers_calls=st.booleans(),
    takes_partial=st.booleans(),
    takes_image_urls=st.booleans(),
    structured=st.sampled_from(["native", "json_object", "tool", "prompt"]),
    function_name=st.sampled_from([None, "^[a-zA-Z_][a-zA-Z0-9-_]{2,63}$"]),
)


def unless_refused(act: Callable[[], T]) -> T | None:
    """What the act gives, None when it was refused in the proper way; any other exception is a fault."""
    try:
        return act()
    except (RequestError, AnswerError):
        return None


@settings(max_examples=150)
@given(source=DIALECTS, target=TARGETS, body=BODIES)
def test_any_request_is_refused_or_sound(source: Dialect, target: Target, body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    done = unless_refused(lambda: translate_request(source, target, raw, HOOKS))
    if done is not None:
        assert isinstance(json.loads(done.body), dict)
        assert all(name.isascii() for name in done.adjusted)


@settings(max_examples=100)
@given(target=TARGETS, body=BODIES)
def test_any_passed_request_is_refused_or_sound(target: Target, body: dict[str, Any]) -> None:
    read = unless_refused(lambda: Body(json.dumps(body).encode()))
    if read is None:
        return
    wanted_thinking(read.head)
    done = unless_refused(lambda: pass_through(target.dialect, read, target, HOOKS))
    assert done is None or isinstance(json.loads(done.body), dict)


@settings(max_examples=150)
@given(upstream=DIALECTS, client=DIALECTS, events=st.lists(JSON | st.dictionaries(KEYS, JSON, min_size=1), max_size=5))
def test_any_stream_is_translated_and_watched_without_a_fault(
    upstream: Dialect, client: Dialect, events: list[Any]
) -> None:
    wire = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    translator = StreamTranslator(Context(client=client, upstream=upstream, wants_envelope=True), FRAME)
    translator.feed(wire)
    translator.end()
    translator.answer.answer()
    relay = Relay(upstream, drops_usage=True)
    relay.feed(wire)
    relay.end()


@settings(max_examples=100)
@given(upstream=DIALECTS, client=DIALECTS, body=st.dictionaries(KEYS, JSON))
def test_any_answer_is_translated_or_said_to_be_none(upstream: Dialect, client: Dialect, body: dict[str, Any]) -> None:
    context = Context(client=client, upstream=upstream)
    for convert in (translate_answer, answer_to_stream):
        unless_refused(lambda convert=convert: convert(context, json.dumps(body).encode(), FRAME))


@given(st.binary(max_size=60))
@pytest.mark.parametrize("dialect", list(Dialect))
def test_any_bytes_are_taken(dialect: Dialect, raw: bytes) -> None:
    relay = Relay(dialect)
    assert raw.startswith(relay.feed(raw))
    relay.end()
    StreamTranslator(Context(client=Dialect.CHAT, upstream=dialect), FRAME).feed(raw)
    with pytest.raises(RequestError):
        Body(b"\xff" + raw)
