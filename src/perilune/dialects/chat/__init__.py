"""OpenAI Chat Completions as Moonshot and its neighbours speak it."""

from perilune.dialects.chat.answer import parse_answer, print_answer
from perilune.dialects.chat.request_in import parse_request
from perilune.dialects.chat.request_out import print_request
from perilune.dialects.chat.stream_in import ChatStreamDecoder
from perilune.dialects.chat.stream_out import ChatStreamEncoder

__all__ = ["ChatStreamDecoder", "ChatStreamEncoder", "parse_answer", "parse_request", "print_answer", "print_request"]
