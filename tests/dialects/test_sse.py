"""Server-sent events: any cut, any line end, any size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.dialects.sse import LARGEST_EVENT, SseEvent, SseParser, encode_comment, encode_event

WIRE = 'event: a\ndata: {"x":"héllo 月"}\n\n: waiting\n\ndata: one\ndata: two\n\nid: 7\ndata:x\n\ndata\n\n'.encode()
EVENTS = [
    SseEvent(b"a", '{"x":"héllo 月"}'.encode()),
    SseEvent(b"", b"one\ntwo"),
    SseEvent(b"", b"x"),
    SseEvent(b"", b""),
]


def parsed(chunks: list[bytes]) -> list[SseEvent]:
    parser = SseParser()
    return [event for chunk in chunks for event in parser.feed(chunk)] + parser.end()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_single_cut_gives_the_same_events(end: bytes) -> None:
    wire = WIRE.replace(b"\n", end)
    for cut in range(len(wire) + 1):
        assert parsed([wire[:cut], wire[cut:]]) == EVENTS


@given(st.data())
def test_any_rechunking_gives_the_same_events(data: st.DataObject) -> None:
    wire = WIRE.replace(b"\n", data.draw(st.sampled_from([b"\n", b"\r\n", b"\r"])))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=12)))
    chunks = [wire[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    assert parsed(chunks) == EVENTS


def test_an_event_comes_with_its_last_byte_and_not_later() -> None:
    parser = SseParser()
    assert parser.feed(b"data: x\r\n\r") == [SseEvent(b"", b"x")]
    assert parser.feed(b"\ndata: y\r\r") == [SseEvent(b"", b"y")]


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert parsed([b"\xef", b"\xbb\xbfdata: x\n\n"]) == [SseEvent(b"", b"x")]


def test_an_event_without_its_empty_line_is_read_at_the_end() -> None:
    assert parsed([b"data: x\n\ndata: [DO", b"NE]"]) == [SseEvent(b"", b"x"), SseEvent(b"", b"[DONE]")]


def test_an_event_above_eight_mebibytes_ends_the_stream() -> None:
    parser = SseParser()
    piece = b"x" * (1024 * 1024)
    parser.feed(b"data: ")
    for _ in range(9):
        assert parser.feed(piece) == []
    assert parser.is_garbled
    assert parser.feed(b"\n\ndata: y\n\n") == []


def test_an_event_of_just_under_eight_mebibytes_passes() -> None:
    parser = SseParser()
    data = b"x" * (LARGEST_EVENT - 16)
    assert parser.feed(b"data: " + data) == []
    assert parser.feed(b"\n\n") == [SseEvent(b"", data)]


@given(st.text().map(lambda text: text.replace("\r", " ").encode()), st.sampled_from([b"", b"message_stop"]))
def test_what_is_encoded_is_read_back(data: bytes, name: bytes) -> None:
    assert parsed([encode_event(data, name)]) == [SseEvent(name, data)]


def test_a_comment_is_no_event() -> None:
    assert parsed([encode_comment(b"waiting"), b"data: x\n\n"]) == [SseEvent(b"", b"x")]
