"""What happens in a streamed answer, in the internal form. Decoders make these, encoders print them."""

from msgspec import Struct

from perilune.dialects.form import StopReason
from perilune.dialects.usage import Usage


class Started(Struct, frozen=True, gc=False):
    """The answer has begun; empty fields were not said."""

    id: str = ""
    model: str = ""
    created: int = 0


class TextDelta(Struct, frozen=True, gc=False):
    text: str


class ReasoningDelta(Struct, frozen=True, gc=False):
    text: str


class ReasoningSigned(Struct, frozen=True, gc=False):
    """The proof of the thought that just ended: a signature, a maker's opaque block, or a Responses envelope."""

    signature: str = ""
    redacted: str = ""
    envelope: str = ""


class CallStarted(Struct, frozen=True, gc=False):
    """A tool call has begun. `index` tells calls apart that are streamed side by side."""

    index: int
    id: str
    name: str
    namespace: str = ""


class CallDelta(Struct, frozen=True, gc=False):
    index: int
    text: str


class UsageSeen(Struct, frozen=True, gc=False):
    usage: Usage


class Finished(Struct, frozen=True, gc=False):
    """The model stopped; usage may still follow. `text` is the source's own word."""

    stop: StopReason
    text: str = ""
    stop_sequence: str | None = None


class Failed(Struct, frozen=True, gc=False):
    """The upstream said that it failed; `json` is its error object."""

    json: bytes


class Ended(Struct, frozen=True, gc=False):
    """The end mark of the stream."""


StreamEvent = (
    Started
    | TextDelta
    | ReasoningDelta
    | ReasoningSigned
    | CallStarted
    | CallDelta
    | UsageSeen
    | Finished
    | Failed
    | Ended
)
