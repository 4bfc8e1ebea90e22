"""Errors as each dialect's clients read them, and the words for those this room raises."""

import json
import re
from datetime import UTC, datetime

import anthropic
import openai
import pytest

from perilune.core.errors import Problem
from perilune.core.messages import Voice
from perilune.dialects.errors import (
    ROWS,
    ClientError,
    ErrorKind,
    error_body,
    error_event,
    error_status,
    failed_relayed_response,
    failed_response,
    overflow_message,
    should_retry,
)
from perilune.dialects.events import TextDelta
from perilune.dialects.form import Dialect
from perilune.dialects.responses import ResponsesStreamEncoder
from perilune.dialects.sse import SseParser

SPENT = ClientError(
    kind=ErrorKind.SPENT,
    code="PL-QUOTA-5H",
    message="The 5-hour window of 'work' is spent.",
    why="Kimi counts in 5-hour windows.",
    fix=("perilune guard --wait",),
    retry_at=datetime(2026, 11, 20, 14, 7, tzinfo=UTC),
    upstream={"status": 403, "type": "access_terminated_error", "request_id": "r"},
    attempts=[{"slot": "work/kimi-for-coding", "outcome": "quota_spent", "status": 403, "ms": 412}],
    request_id="01ARZ",
)


def test_a_chat_error_has_the_documented_shape() -> None:
    assert json.loads(error_body(Dialect.CHAT, SPENT)) == {
        "error": {
            "message": "The 5-hour window of 'work' is spent.",
            "type": "insufficient_quota",
            "code": "PL-QUOTA-5H",
            "param": None,
            "why": "Kimi counts in 5-hour windows.",
            "fix": ["perilune guard --wait"],
            "retry_at": "2026-11-20T14:07:00Z",
            "upstream": {"status": 403, "type": "access_terminated_error", "request_id": "r"},
            "attempts": [{"slot": "work/kimi-for-coding", "outcome": "quota_spent", "status": 403, "ms": 412}],
        }
    }
    assert error_body(Dialect.RESPONSES, SPENT) == error_body(Dialect.CHAT, SPENT)


def test_a_messages_error_has_its_own_envelope_and_type() -> None:
    body = json.loads(error_body(Dialect.MESSAGES, SPENT))
    assert (body["type"], body["request_id"], body["error"]["type"]) == ("error", "01ARZ", "billing_error")
    assert body["error"]["code"] == "PL-QUOTA-5H"


def test_a_broken_stream_ends_with_one_error_event_and_no_end_mark() -> None:
    (chat,) = SseParser().feed(error_event(Dialect.CHAT, SPENT))
    assert json.loads(chat.data)["error"]["code"] == "PL-QUOTA-5H"
    (messages,) = SseParser().feed(error_event(Dialect.MESSAGES, SPENT))
    assert messages.name == b"error"
    assert json.loads(messages.data)["type"] == "error"


def test_a_broken_responses_stream_fails_with_the_next_number() -> None:
    encoder = ResponsesStreamEncoder(id="resp_1", model="m", created=1)
    before = SseParser().feed(encoder.encode(TextDelta("half")))
    (event,) = SseParser().feed(failed_response(SPENT, encoder))
    said = json.loads(event.data)
    assert (event.name, said["type"]) == (b"response.failed", "response.failed")
    assert said["sequence_number"] == len(before)
    assert said["response"]["status"] == "failed"
    assert said["response"]["error"]["code"] == "PL-QUOTA-5H"
    relayed = failed_relayed_response(SPENT, response_id="resp_1", model="m", created=1, number=7)
    assert json.loads(SseParser().feed(relayed)[0].data)["sequence_number"] == 7


def test_statuses_follow_the_table() -> None:
    assert error_status(Dialect.CHAT, ErrorKind.BUSY) == 503
    assert error_status(Dialect.MESSAGES, ErrorKind.BUSY) == 529
    assert error_status(Dialect.MESSAGES, ErrorKind.REFUSED) == 403
    assert {kind: row.status for kind, row in ROWS.items() if row.status not in (400, 403)} == {
        ErrorKind.KEY: 401,
        ErrorKind.BUDGET: 402,
        ErrorKind.SPENT: 402,
        ErrorKind.RATE: 429,
        ErrorKind.QUEUE: 429,
        ErrorKind.BUSY: 503,
        ErrorKind.TIMEOUT: 504,
        ErrorKind.MODEL: 404,
        ErrorKind.PATH: 404,
        ErrorKind.TOO_LARGE: 413,
    }


def test_only_short_rate_limits_invite_a_retry() -> None:
    assert should_retry(ErrorKind.RATE, 60) is True
    assert should_retry(ErrorKind.RATE, 61) is False
    assert should_retry(ErrorKind.QUEUE, 61) is True
    assert should_retry(ErrorKind.BUSY, 5) is None
    assert should_retry(ErrorKind.SPENT, None) is False


def test_agents_find_the_phrase_that_makes_them_shorten() -> None:
    messages = overflow_message(Dialect.MESSAGES, 558009, 262144, "More.")
    assert messages.startswith("prompt is too long: 558009 tokens > 262144 maximum")
    for dialect in (Dialect.CHAT, Dialect.RESPONSES):
        assert "maximum context length is 262144 tokens" in overflow_message(dialect, 558009, 262144, "More.")


def test_both_sdks_read_the_code() -> None:
    body = json.loads(error_body(Dialect.CHAT, SPENT))["error"]
    assert openai.APIError("x", request=None, body=body).code == "PL-QUOTA-5H"  # type: ignore[arg-type]
    shape = anthropic.types.ErrorResponse.model_validate(json.loads(error_body(Dialect.MESSAGES, SPENT)))
    assert shape.error.type == "billing_error"


@pytest.mark.parametrize(
    ("code", "variant", "facts"),
    [
        ("PL-UNSUPPORTED", "image_url", {"index": 3}),
        ("PL-UNSUPPORTED", "part", {"index": 3, "kind": "video_url"}),
        ("PL-UNSUPPORTED", "many", {"count": 2}),
        ("PL-UNSUPPORTED", "stored", {"field": "previous_response_id"}),
        ("PL-UNSUPPORTED", "prefill", {"index": 3}),
        ("PL-UNSUPPORTED", "tools", {"count": 129, "limit": 128}),
        ("PL-BODY-INVALID", "json", {"detail": "d"}),
        ("PL-BODY-INVALID", "duplicate", {"key": "model"}),
        ("PL-BODY-INVALID", "depth", {"limit": 64}),
        ("PL-BODY-INVALID", "shape", {"detail": "d"}),
    ],
)
def test_every_refusal_has_its_words_in_both_languages(code: str, variant: str, facts: dict[str, object]) -> None:
    problem = Problem(code=code, variant=variant, facts=facts)
    english, chinese = Voice().explain(problem), Voice(language="zh-CN").explain(problem)
    for words in (english, chinese):
        assert not re.search(r"[{}]", f"{words.what}{words.why}{words.fix}")
        assert words.what != code
        assert words.fix
    assert english.what != chinese.what
    assert words.what != Voice(language="zh-CN").explain(Problem(code=code)).what
