"""Anthropic Messages as Kimi Code, Moonshot and Anthropic speak it."""

from perilune.dialects.messages.answer import parse_answer, print_answer
from perilune.dialects.messages.request_in import parse_request
from perilune.dialects.messages.request_out import print_request, print_turn
from perilune.dialects.messages.stream_in import MessagesStreamDecoder
from perilune.dialects.messages.stream_out import MessagesStreamEncoder

__all__ = [
    "MessagesStreamDecoder",
    "MessagesStreamEncoder",
    "parse_answer",
    "parse_request",
    "print_answer",
    "print_request",
    "print_turn",
]
