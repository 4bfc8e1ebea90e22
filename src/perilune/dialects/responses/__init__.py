"""OpenAI Responses as Codex asks and Moonshot answers it; stateless."""

from perilune.dialects.responses.answer import parse_answer, print_answer
from perilune.dialects.responses.request_in import parse_request
from perilune.dialects.responses.request_out import print_items, print_request
from perilune.dialects.responses.stream_in import ResponsesStreamDecoder
from perilune.dialects.responses.stream_out import ResponsesStreamEncoder

__all__ = [
    "ResponsesStreamDecoder",
    "ResponsesStreamEncoder",
    "parse_answer",
    "parse_request",
    "print_answer",
    "print_items",
    "print_request",
]
