"""Refusals in, classes out: every vendor's table row by row, and the odd bodies that must never raise."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.providers.contract.classify import classify
from perilune.providers.contract.outcome import Answered, Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.providers.contract.registry import providers

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ACCOUNT = "Your account org-0000<ak-0000> request reached organization"


def outcome(
    plan: str, status: int | None, body: object, headers: dict[str, str] | None = None, **more: object
) -> Outcome:
    module = providers()[plan].module("errors")
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    answered = Answered(status=status, headers=headers or {}, body=raw, surface="chat", **more)
    return classify(None if module is None else module.classify, answered, NOW)


def error(message: str, kind: str = "") -> dict[str, object]:
    return {"error": {"type": kind, "message": message} if kind else {"message": message}}


def test_every_plan_that_has_ways_of_its_own_is_found() -> None:
    assert {name for name, provider in providers().items() if provider.module("errors")} == {
        "kimi-code",
        "moonshot",
        "openrouter",
    }


ODD = [
    b"",
    b"null",
    b"{}",
    b'{"error":null}',
    b'"just text"',
    b'{"error":"text"}',
    b'{"error":{"message":null,"code":{}}}',
    b"\xff\xfe\x00",
    b"[" * 5000,
    b'{"error":{"message":"' + b"x" * 5_000_000 + b'"}}',
]


@pytest.mark.case("gateway CL-01")
@pytest.mark.parametrize("plan", sorted(providers()))
@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("status", [None, 200, 302, 400, 401, 402, 403, 404, 418, 429, 499, 500, 503, 999])
def test_any_body_gives_a_class(plan: str, body: bytes, status: int | None) -> None:
    assert isinstance(outcome(plan, status, body).kind, Is)


@given(st.binary(max_size=400), st.none() | st.integers(100, 999), st.sampled_from(sorted(providers())))
def test_any_bytes_give_a_class(body: bytes, status: int | None, plan: str) -> None:
    assert isinstance(outcome(plan, status, body).kind, Is)


@pytest.mark.case("gateway CL-02")
@pytest.mark.parametrize("text", ["Invalid Authentication", "Incorrect API key provided"])
def test_either_401_is_a_refused_key(text: str) -> None:
    for plan in ("moonshot", "kimi-code", "openai-compatible"):
        assert outcome(plan, 401, error(text)).kind is Is.AUTH_REFUSED


@pytest.mark.case("gateway CL-03")
def test_402_is_money_but_membership_at_kimi_code() -> None:
    assert outcome("openai-compatible", 402, error("payment required")).kind is Is.BALANCE_EMPTY
    assert outcome("moonshot", 402, error("payment required")).kind is Is.BALANCE_EMPTY
    assert outcome("kimi-code", 402, error("payment required", "invalid_request_error")).kind is Is.MEMBER_LAPSED


@pytest.mark.case("gateway CL-04")
def test_404_tells_an_unknown_model_from_a_denied_one() -> None:
    assert outcome("openai-compatible", 404, error("The model x does not exist")).kind is Is.MODEL_UNKNOWN
    denied = {"error": {"message": "The publisher model x: project does not have access", "status": "NOT_FOUND"}}
    assert outcome("openai-compatible", 404, denied).kind is Is.MODEL_DENIED


@pytest.mark.case("gateway CL-05")
@pytest.mark.case("gateway CL-09")
@pytest.mark.case("gateway CL-14")
@pytest.mark.parametrize(
    "text",
    [
        "You exceeded your current quota, please check your plan and billing details.",
        "Account is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices.",
        "Insufficient balance or no resource package. Please recharge.",
    ],
)
def test_429_about_money_is_money(text: str) -> None:
    for plan in ("openai-compatible", "moonshot"):
        assert outcome(plan, 429, error(text)).kind is Is.BALANCE_EMPTY


def test_429_too_many_requests() -> None:
    body = error("We're receiving too many requests at the moment.", "rate_limit_reached_error")
    assert outcome("openai-compatible", 429, body).kind is Is.RATE_OTHER
    assert outcome("moonshot", 429, body).kind is Is.RATE_OTHER
    seen = outcome("kimi-code", 429, body, in_flight=3, cap=30)
    assert (seen.kind, seen.limit) == (Is.RATE_CONCURRENCY, None)


@pytest.mark.case("gateway CL-07")
@pytest.mark.parametrize("status", [500, 502, 504, 408, 409, 425])
def test_server_faults_are_transient(status: int) -> None:
    assert outcome("openai-compatible", status, b"<html>bad gateway</html>").kind is Is.TRANSIENT


@pytest.mark.case("gateway CL-07")
@pytest.mark.parametrize("status", [503, 529])
def test_overload_is_busy(status: int) -> None:
    assert outcome("anthropic-compatible", status, b"").kind is Is.BUSY


@pytest.mark.case("gateway CL-08")
@pytest.mark.case("gateway CL-10")
@pytest.mark.case("gateway CL-11")
@pytest.mark.case("gateway CL-13")
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"code": "insufficient_quota"}}, Is.BALANCE_EMPTY),
        (b"insufficient_quota", Is.BALANCE_EMPTY),
        ({"error": {"type": "credit_balance_too_low"}}, Is.BALANCE_EMPTY),
        ({"error": {"code": "invalid_api_key"}}, Is.AUTH_REFUSED),
        (b"Rate limit reached, retry after 5s", Is.RATE_OTHER),
        (b"read ECONNRESET", Is.NET_RESET),
        (b"socket hang up", Is.NET_RESET),
        (b"getaddrinfo ENOTFOUND api.example", Is.NET_DNS),
        (b"certificate mismatch", Is.NET_TLS),
        (b"connect ETIMEDOUT 10.0.0.1:443", Is.NET_CONNECT),
        (b"something else", Is.UNKNOWN),
    ],
)
def test_without_a_status_the_words_decide(body: object, kind: Is) -> None:
    assert outcome("openai-compatible", None, body).kind is kind


@pytest.mark.case("gateway CL-11")
def test_the_wait_is_taken_from_the_sentence() -> None:
    seen = outcome("openai-compatible", None, b"Rate limit reached, retry after 5s")
    assert (seen.retry_after_s, seen.retry_at) == (5, NOW + timedelta(seconds=5))


@pytest.mark.case("gateway CL-12")
def test_an_overflow_names_the_limit() -> None:
    text = "This model's maximum context length is 128000 tokens, however you requested 130000 tokens"
    seen = outcome("openai-compatible", 400, error(text, "invalid_request_error"))
    assert (seen.kind, seen.limit) == (Is.CONTEXT_OVERFLOW, 128_000)
    of = outcome("openai-compatible", 400, error("maximum context length of 128000 tokens"))
    assert of.limit == 128_000


MOONSHOT = [
    (400, "content_filter", "rejected because it was considered high risk", Is.CONTENT_FILTERED, None, None, None),
    (400, "invalid_request_error", "Input token length too long", Is.CONTEXT_OVERFLOW, None, None, None),
    (
        400,
        "invalid_request_error",
        "Your request exceeded model token limit : 262144",
        Is.CONTEXT_OVERFLOW,
        262144,
        None,
        None,
    ),
    (
        400,
        "invalid_request_error",
        "Your request exceeded model token limit: 262144 (requested: 558009)",
        Is.CONTEXT_OVERFLOW,
        262144,
        558009,
        None,
    ),
    (
        400,
        "invalid_request_error",
        "thinking is enabled but reasoning_content is missing in assistant tool call message at index 2",
        Is.BAD_PARAM,
        2,
        None,
        "reasoning_content",
    ),
    (
        400,
        "invalid_request_error",
        "invalid temperature: only 1 is allowed for this model",
        Is.BAD_PARAM,
        None,
        None,
        "temperature",
    ),
    (400, "invalid_request_error", "invalid top_p: only 0.95 is allowed", Is.BAD_PARAM, None, None, "top_p"),
    (400, "invalid_request_error", "only 1 is allowed for this model", Is.BAD_PARAM, None, None, "sampling"),
    (
        400,
        "invalid_request_error",
        "invalid thinking: only type=enabled is allowed for this model",
        Is.BAD_PARAM,
        None,
        None,
        "thinking",
    ),
    (
        400,
        "invalid_request_error",
        "cannot specify both 'thinking' and 'reasoning_effort'",
        Is.BAD_PARAM,
        None,
        None,
        "thinking",
    ),
    (
        400,
        "invalid_request_error",
        "tool_choice 'specified' is incompatible with thinking enabled",
        Is.BAD_PARAM,
        None,
        None,
        "tool_choice",
    ),
    (
        400,
        "invalid_request_error",
        "'messages' must contain the word 'json'",
        Is.BAD_PARAM,
        None,
        None,
        "response_format",
    ),
    (400, "invalid_request_error", "json_schema is not supported", Is.BAD_PARAM, None, None, "response_format"),
    (400, "invalid_request_error", "Invalid request: messages is required", Is.BAD_REQUEST, None, None, None),
    (400, "invalid_request_error", "Invalid purpose: only 'file-extract' accepted", Is.BAD_REQUEST, None, None, None),
    (401, "invalid_authentication_error", "Invalid Authentication", Is.AUTH_REFUSED, None, None, None),
    (401, "incorrect_api_key_error", "Incorrect API key provided", Is.AUTH_REFUSED, None, None, None),
    (401, "other", "no", Is.AUTH_REFUSED, None, None, None),
    (403, "forbidden", "insufficient balance", Is.BALANCE_EMPTY, None, None, None),
    (403, "permission_denied_error", "The API you are accessing is not open", Is.PERMISSION, None, None, None),
    (402, "anything", "x", Is.BALANCE_EMPTY, None, None, None),
    (
        404,
        "resource_not_found_error",
        "Not found the model kimi-x or Permission denied",
        Is.MODEL_UNKNOWN,
        None,
        None,
        None,
    ),
    (
        404,
        "resource_not_found_error",
        "Not found the model kimi-k2.6 or Permission denied",
        Is.MODEL_DENIED,
        None,
        None,
        None,
    ),
    (429, "exceeded_current_quota_error", "Your account is suspended", Is.BALANCE_EMPTY, None, None, None),
    (429, "exceeded_current_quota_error", "You exceeded your current token quota", Is.BALANCE_EMPTY, None, None, None),
    (429, "engine_overloaded_error", "x", Is.BUSY, None, None, None),
    (429, "other", "The engine is currently overloaded, please try again later", Is.BUSY, None, None, None),
    (
        429,
        "rate_limit_reached_error",
        f"{ACCOUNT} max concurrency: 3, please try again",
        Is.RATE_CONCURRENCY,
        3,
        None,
        None,
    ),
    (429, "rate_limit_reached_error", f"{ACCOUNT} max RPM: 200, please try again", Is.RATE_RPM, 200, None, None),
    (
        429,
        "rate_limit_reached_error",
        f"{ACCOUNT} TPM rate limit, current:500123, limit:500000",
        Is.RATE_TPM,
        500000,
        None,
        None,
    ),
    (
        429,
        "rate_limit_reached_error",
        f"{ACCOUNT} TPD rate limit, current:1505241, limit:1500000",
        Is.RATE_TPD,
        1500000,
        None,
        None,
    ),
    (429, "rate_limit_reached_error", "slow down", Is.RATE_OTHER, None, None, None),
    (429, "", "Account is suspended", Is.BALANCE_EMPTY, None, None, None),
    (499, "client_closed_request", "client closed request", Is.CLIENT_GONE, None, None, None),
    (500, "server_error", "x", Is.TRANSIENT, None, None, None),
    (500, "unexpected_output", "x", Is.TRANSIENT, None, None, None),
    (503, "server_unavailable", "x", Is.TRANSIENT, None, None, None),
]


@pytest.mark.case("gateway CL-15")
@pytest.mark.parametrize(("status", "kind", "text", "expected", "limit", "need", "parameter"), MOONSHOT)
def test_moonshot_row(status, kind, text, expected, limit, need, parameter) -> None:
    seen = outcome("moonshot", status, error(text, kind), models=("kimi-k2.6",))
    assert (seen.kind, seen.limit, seen.need, seen.parameter) == (expected, limit, need, parameter)


CYCLE = "You've reached your usage limit for this billing cycle. Your quota will be refreshed in the next cycle."
AGENTS = "Kimi For Coding is currently only available for Coding Agents such as Kimi CLI, Claude Code, Roo Code, etc."
KIMI_CODE = [
    (400, "", "total message size 5943865 exceeds limit 2097152", Is.BODY_TOO_LARGE, None, 2097152),
    (400, "", "exceeded model token limit: 262144 (requested: 558009)", Is.CONTEXT_OVERFLOW, None, 262144),
    (400, "invalid_request_error", "invalid temperature: only 1 is allowed for this model", Is.BAD_PARAM, None, None),
    (400, "content_filter", "considered high risk", Is.CONTENT_FILTERED, None, None),
    (
        401,
        "",
        "Your current subscription does not have access to kimi-for-coding-highspeed.",
        Is.MODEL_DENIED,
        None,
        None,
    ),
    (401, "", "no entry for k3-256k here", Is.MODEL_DENIED, None, None),
    (401, "", "The API Key appears to be invalid or may have expired.", Is.AUTH_REFUSED, None, None),
    (402, "invalid_request_error", "We're unable to verify your membership benefits", Is.MEMBER_LAPSED, None, None),
    (402, "other", "x", Is.MEMBER_LAPSED, None, None),
    (403, "access_terminated_error", "You've reached your 5-hour usage limit.", Is.QUOTA_SPENT, "5h", None),
    (403, "access_terminated_error", "You've reached your weekly (7-day) usage limit.", Is.QUOTA_SPENT, "7d", None),
    (
        403,
        "permission_error",
        "You've reached your monthly usage limit for this billing cycle.",
        Is.QUOTA_SPENT,
        "month",
        None,
    ),
    (403, "access_terminated_error", CYCLE, Is.QUOTA_SPENT, None, None),
    (403, "access_terminated_error", "quota exhausted", Is.QUOTA_SPENT, None, None),
    (403, "access_terminated_error", AGENTS, Is.CLIENT_GATED, None, None),
    (403, "access_terminated_error", AGENTS + " Mind your quota.", Is.CLIENT_GATED, None, None),
    (403, "access_terminated_error", AGENTS + " You've reached your usage limit.", Is.QUOTA_SPENT, None, None),
    (403, "permission_error", "Access terminated.", Is.BANNED, None, None),
    (403, "access_terminated_error", "goodbye", Is.BANNED, None, None),
    (403, "forbidden", "no", Is.PERMISSION, None, None),
    (404, "", "Not found the model kimi-x or Permission denied", Is.MODEL_UNKNOWN, None, None),
    (404, "", "Not found the model k3-256k or Permission denied", Is.MODEL_DENIED, None, None),
    (429, "rate_limit_reached_error", "You've reached your usage limit for this period.", Is.QUOTA_SPENT, None, None),
    (429, "x", "monthly usage limit reached", Is.QUOTA_SPENT, "month", None),
    (429, "exceeded_current_quota_error", "no more", Is.QUOTA_SPENT, None, None),
    (429, "engine_overloaded_error", "x", Is.BUSY, None, None),
    (429, "rate_limit_reached_error", "overloaded", Is.BUSY, None, None),
    (429, "rate_limit_reached_error", "max concurrency: 30", Is.RATE_CONCURRENCY, None, 30),
    (429, "rate_limit_reached_error", "max RPM: 9", Is.RATE_RPM, None, 9),
    (429, "rate_limit_reached_error", "TPM rate limit, current:2, limit:1", Is.RATE_TPM, None, 1),
    (429, "rate_limit_reached_error", "TPD rate limit, current:2, limit:1", Is.RATE_TPD, None, 1),
    (429, "rate_limit_reached_error", "too many requests", Is.RATE_CONCURRENCY, None, None),
    (429, "rate_limit_reached_error", "slow down", Is.RATE_OTHER, None, None),
    (499, "", "", Is.CLIENT_GONE, None, None),
    (500, "", "", Is.TRANSIENT, None, None),
    (529, "overloaded_error", "", Is.TRANSIENT, None, None),
]


@pytest.mark.case("gateway CL-16")
@pytest.mark.case("gateway CL-18")
@pytest.mark.parametrize("anthropic", [False, True], ids=["openai", "anthropic"])
@pytest.mark.parametrize(("status", "kind", "text", "expected", "window", "limit"), KIMI_CODE)
def test_kimi_code_row(status, kind, text, expected, window, limit, anthropic) -> None:
    body = {"type": "error", **error(text, kind)} if anthropic else error(text, kind)
    seen = outcome("kimi-code", status, body, models=("k3-256k",), in_flight=3, cap=30)
    assert (seen.kind, seen.window, seen.limit) == (expected, window, limit)


def test_an_unexplained_429_near_the_cap_is_about_concurrency() -> None:
    assert outcome("kimi-code", 429, error("slow down"), in_flight=24, cap=30).kind is Is.RATE_CONCURRENCY
    assert outcome("kimi-code", 429, error("slow down"), in_flight=23, cap=30).kind is Is.RATE_OTHER


@pytest.mark.case("gateway CL-19")
@pytest.mark.parametrize("plan", ["moonshot", "kimi-code", "openai-compatible"])
def test_an_echoed_prompt_means_nothing(plan: str) -> None:
    text = "Invalid request: messages[0].content 'credit suspended quota' is not allowed here"
    assert outcome(plan, 400, error(text, "invalid_request_error")).kind is Is.BAD_REQUEST
    echoed = {"error": {"message": "no"}, "request": "insufficient balance, usage limit"}
    assert outcome(plan, 400, echoed).kind is Is.BAD_REQUEST


@pytest.mark.case("gateway CL-20")
def test_an_overloaded_engine_is_not_a_spent_quota() -> None:
    seen = outcome("kimi-code", 429, error("The engine is currently overloaded, please try again later"))
    assert (seen.kind, seen.window) == (Is.BUSY, None)


@pytest.mark.case("gateway CL-21")
def test_openrouter_errors_inside_a_200() -> None:
    assert outcome("openrouter", 200, {"error": {"code": 402, "message": "x"}}).kind is Is.BALANCE_EMPTY
    flagged = {"error": {"code": 403, "message": "flagged", "metadata": {"reasons": ["x"], "flagged_input": "y"}}}
    assert outcome("openrouter", 403, flagged).kind is Is.CONTENT_FILTERED


OPENROUTER = [
    (400, "maximum context length", Is.CONTEXT_OVERFLOW),
    (400, "bad", Is.BAD_REQUEST),
    (401, "no", Is.AUTH_REFUSED),
    (403, "no", Is.PERMISSION),
    (404, "No endpoints found for x", Is.ROUTING_REFUSED),
    (404, "No allowed providers are available", Is.ROUTING_REFUSED),
    (404, "x", Is.MODEL_UNKNOWN),
    (408, "x", Is.TRANSIENT),
    (502, "x", Is.TRANSIENT),
    (503, "x", Is.TRANSIENT),
    (429, "Rate limit exceeded: free-models-per-day", Is.RATE_TPD),
    (429, "Provider returned error", Is.RATE_OTHER),
]


@pytest.mark.parametrize(("status", "text", "expected"), OPENROUTER)
def test_openrouter_row(status, text, expected) -> None:
    assert outcome("openrouter", status, {"error": {"code": status, "message": text}}).kind is expected
    assert outcome("openrouter", None, {"error": {"code": status, "message": text}}).kind is expected


GENERIC = [
    (403, error("you hit your usage limit"), Is.QUOTA_SPENT),
    (403, error("no", "permission_error"), Is.PERMISSION),
    (401, error("no", "permission_error"), Is.AUTH_REFUSED),
    (404, error("No allowed-providers are available"), Is.ROUTING_REFUSED),
    (404, error("x"), Is.ENDPOINT_UNKNOWN),
    (404, b"<html><body>page not found</body></html>", Is.ENDPOINT_UNKNOWN),
    (404, b"", Is.ENDPOINT_UNKNOWN),
    (404, error("model: x", "not_found_error"), Is.MODEL_UNKNOWN),
    (405, b"", Is.ENDPOINT_UNKNOWN),
    (501, b"", Is.ENDPOINT_UNKNOWN),
    (302, b"", Is.GARBLED),
    (200, b"<html>log in to this wifi</html>", Is.GARBLED),
    (413, error("too big", "request_too_large"), Is.BODY_TOO_LARGE),
    (413, error("too many tokens in prompt"), Is.CONTEXT_OVERFLOW),
    (400, error("prompt is too long: 210000 tokens > 200000 maximum", "invalid_request_error"), Is.CONTEXT_OVERFLOW),
    (400, error("x", "content_policy_violation"), Is.CONTENT_FILTERED),
    (400, error("temperature must be 1"), Is.BAD_PARAM),
    (422, error("nope"), Is.BAD_REQUEST),
    (418, error("teapot"), Is.UNKNOWN),
]


@pytest.mark.parametrize(("status", "body", "expected"), GENERIC)
def test_generic_row(status, body, expected) -> None:
    assert outcome("openai-compatible", status, body).kind is expected


@pytest.mark.case("gateway CL-23")
def test_organisation_and_key_ids_are_masked() -> None:
    seen = outcome(
        "moonshot", 429, error("Your account org-abcdef<ak-defghi> is suspended", "exceeded_current_quota_error")
    )
    assert seen.words is not None
    assert "abcdef" not in seen.words
    assert "defghi" not in seen.words


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (403, error("Your IP is not allowed to access this organization", "permission_denied_error"), "PL-403-IP"),
        (403, error("The API you are accessing is not open", "permission_denied_error"), "PL-403-DENIED"),
        (400, error("reasoning_content is missing", "invalid_request_error"), "PL-REASONING-LOST"),
        (302, b"", "PL-NET-REDIRECT"),
        (429, error("x", "engine_overloaded_error"), "PL-429-BUSY"),
    ],
)
def test_the_code_says_what_happened(status, body, code) -> None:
    assert outcome("moonshot", status, body).code == code
