"""What went wrong on the way to a vendor, as outcomes: by layer, by clock, by the place in the stream."""

from perilune.core.redact import vendor_words
from perilune.net.upstream import Layer, UpstreamError
from perilune.providers.contract.classify import plain_code
from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is

_LAYERS: dict[Layer, Is] = {
    Layer.DNS: Is.NET_DNS,
    Layer.TCP: Is.NET_CONNECT,
    Layer.GUARD: Is.NET_CONNECT,
    Layer.TLS: Is.NET_TLS,
    Layer.RESET: Is.NET_RESET,
    Layer.GARBLED: Is.GARBLED,
}
_CLOCKS: dict[str | None, Is] = {
    "connect": Is.NET_CONNECT,
    "first": Is.TIMEOUT_FIRST,
    "answer": Is.TIMEOUT_FIRST,
    "idle": Is.TIMEOUT_IDLE,
    "total": Is.TIMEOUT_TOTAL,
}


def outcome_of(error: UpstreamError, *, in_body: bool, status: int | None = None) -> Outcome:
    """The outcome of a failed exchange. A connection that ends inside the body has cut the answer."""
    kind = _CLOCKS.get(error.clock, Is.TIMEOUT_FIRST) if error.layer is Layer.TIMEOUT else _LAYERS[error.layer]
    if kind is Is.NET_RESET and in_body:
        kind = Is.STREAM_CUT
    code = "PL-NET-TIMEOUT" if error.clock == "connect" else plain_code(kind)
    if kind is Is.NET_RESET:
        code = "PL-NET-REFUSED"
    return plain_outcome(kind, code=code, words=error.detail or None, status=status)


def plain_outcome(kind: Is, *, code: str | None = None, words: str | None = None, status: int | None = None) -> Outcome:
    """An outcome of our own finding."""
    said = vendor_words(words) if words else None
    return Outcome(kind=kind, code=code or plain_code(kind), words=said, status=status)
