"""Frames: the pieces of an answer on the wire, already encoded."""

from typing import Any, Literal

import msgspec
from msgspec import Struct

encode = msgspec.json.Encoder().encode
Part = Literal["lead", "content", "tail", "done"]


class Frame(Struct, frozen=True):
    """One server-sent event. `part` says whether it comes before the content, carries it, or ends the answer."""

    data: bytes
    part: Part = "content"


def data_frame(payload: Any, part: Part = "content") -> Frame:
    """`data: {…}` as the Chat surface sends it."""
    return Frame(b"data: " + encode(payload) + b"\n\n", part)


def event_frame(name: str, payload: dict[str, Any], part: Part = "content") -> Frame:
    """`event: name` with data that carries the same `type`."""
    return Frame(b"event: " + name.encode() + b"\ndata: " + encode({"type": name} | payload) + b"\n\n", part)
