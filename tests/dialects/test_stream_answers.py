"""Random answers: streamed or whole, however the bytes are cut, a client of any dialect is told the same."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perilune.dialects import chat, messages, responses
from perilune.dialects.content import Relay
from perilune.dialects.events import StreamEvent
from perilune.dialects.form import Answer, Dialect, Part, Reasoning, StopReason, Text, ToolCall
from perilune.dialects.stream import StreamTranslator, answer_to_stream, collect, encoder_for, events_of
from perilune.dialects.target import Context, Frame
from perilune.dialects.translate import parse_answer, translate_answer
from perilune.dialects.usage import Usage

TEXT = st.text(min_size=1, max_size=20)
NAME = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{2,10}", fullmatch=True)
VALUES = st.integers() | TEXT | st.lists(st.booleans(), max_size=2)
ARGUMENTS = st.dictionaries(TEXT, VALUES, max_size=3).map(json.dumps)
PRINT = {
    Dialect.CHAT: chat.print_answer,
    Dialect.MESSAGES: messages.print_answer,
    Dialect.RESPONSES: responses.print_answer,
}
FRAME = Frame(id="answer_1", model="asked", created=1_795_000_000)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """What a model says: perhaps a thought, perhaps a text, perhaps calls, and why it stopped."""
    parts: list[Part] = []
    parts += [Reasoning(draw(TEXT))] if draw(st.booleans()) else []
    parts += [Text(draw(TEXT))] if draw(st.booleans()) else []
    calls = draw(st.lists(st.tuples(NAME, ARGUMENTS), max_size=3))
    parts += [ToolCall(f"call_{n}", name, arguments) for n, (name, arguments) in enumerate(calls)]
    if not parts:
        parts.append(Text(draw(TEXT)))
    stop = StopReason.TOOLS if calls else draw(st.sampled_from([StopReason.END, StopReason.LENGTH]))
    total, read = draw(st.integers(0, 10_000)), draw(st.integers(0, 500))
    usage = Usage(total + read, cache_read=read, output_total=draw(st.integers(0, 5_000)))
    return Answer(id="up_1", model="kimi-k2.6", created=1_795_000_000, parts=tuple(parts), stop=stop, usage=usage)


def stream_of(dialect: Dialect, answer: Answer) -> bytes:
    """The upstream's stream of this answer."""
    context = Context(client=dialect, upstream=dialect, include_usage=True)
    encoder = encoder_for(context, Frame(id=answer.id, model=answer.model, created=answer.created))
    return b"".join(encoder.encode(event) for event in in_pieces(answer))


def in_pieces(answer: Answer) -> list[StreamEvent]:
    return list(events_of(answer))


def cut(data: st.DataObject, stream: bytes) -> list[bytes]:
    places = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    return [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]


def said(answer: Answer) -> tuple[object, ...]:
    """What an answer says, without ids and borders."""
    texts = "".join(part.text for part in answer.parts if isinstance(part, Text))
    thoughts = "".join(part.text for part in answer.parts if isinstance(part, Reasoning))
    calls = [(part.id, part.name, part.arguments) for part in answer.parts if isinstance(part, ToolCall)]
    usage = answer.usage
    counts = None if usage is None else (usage.input_total, usage.cache_read or 0, usage.output_total)
    return answer.model, texts, thoughts, calls, answer.stop, counts


@pytest.mark.parametrize("upstream", list(Dialect))
@pytest.mark.parametrize("client", list(Dialect))
@settings(max_examples=30)
@given(answer=answers(), data=st.data())
def test_a_translated_stream_says_what_the_translated_answer_says(
    upstream: Dialect, client: Dialect, answer: Answer, data: st.DataObject
) -> None:
    context = Context(client=client, upstream=upstream, include_usage=True)
    whole = parse_answer(client, translate_answer(context, PRINT[upstream](answer), FRAME))
    translator = StreamTranslator(context, FRAME)
    pieces = [translator.feed(chunk) for chunk in cut(data, stream_of(upstream, answer))]
    streamed = collect(client, [*pieces, translator.end()]).answer()
    assert said(streamed) == said(whole)
    turned = collect(client, [answer_to_stream(context, PRINT[upstream](answer), FRAME)]).answer()
    assert said(turned) == said(whole)


@pytest.mark.parametrize("dialect", list(Dialect))
@settings(max_examples=40)
@given(answer=answers(), data=st.data())
def test_a_relayed_stream_is_the_same_bytes_and_the_same_count(
    dialect: Dialect, answer: Answer, data: st.DataObject
) -> None:
    stream = stream_of(dialect, answer)
    relay = Relay(dialect)
    assert b"".join([*(relay.feed(chunk) for chunk in cut(data, stream)), relay.end()]) == stream
    usage = relay.meter.metered(0)
    assert answer.usage is not None
    assert (usage.input_total, usage.output_total) == (answer.usage.input_total, answer.usage.output_total)
    assert relay.meter.finished is not None


@settings(max_examples=40)
@given(answer=answers())
def test_every_single_cut_of_a_translated_stream_gives_the_same_bytes(answer: Answer) -> None:
    context = Context(client=Dialect.CHAT, upstream=Dialect.MESSAGES, include_usage=True)
    stream = stream_of(Dialect.MESSAGES, answer)
    once = StreamTranslator(context, FRAME)
    expected = once.feed(stream) + once.end()
    for place in range(0, len(stream), 7):
        translator = StreamTranslator(context, FRAME)
        assert translator.feed(stream[:place]) + translator.feed(stream[place:]) + translator.end() == expected
