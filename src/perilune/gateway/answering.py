"""Headers out, both ways: built new towards the vendor, allow-listed towards the client, and errors in its dialect."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

import perilune
from perilune.core.errors import Problem
from perilune.core.messages import Voice
from perilune.dialects.errors import ClientError, ErrorKind, error_body, error_status, overflow_message, should_retry
from perilune.dialects.form import Dialect
from perilune.gateway.call import Attempt, Reply
from perilune.gateway.final import Ending
from perilune.gateway.slots import Slot

USER_AGENT = f"perilune/{perilune.__version__}"
ANTHROPIC_VERSION = "2023-06-01"
_TO_CLIENT = frozenset({"x-request-id", "request-id"})
_TO_CLIENT_ENDINGS = ("-request-id", "trace-id")
_TO_CLIENT_STARTS = ("x-ratelimit-", "ratelimit-", "anthropic-ratelimit-")
JSON_TYPE = ("content-type", "application/json")
STREAM_HEADERS = (
    ("content-type", "text/event-stream; charset=utf-8"),
    ("cache-control", "no-cache"),
    ("x-accel-buffering", "no"),
)


def headers_to_vendor(
    slot: Slot, surface: str, client: Mapping[str, str], *, passes_agent: bool, is_stream: bool
) -> tuple[tuple[str, str], ...]:
    """All headers of a leaving request; nothing of the client's but what is named here."""
    agent = slot.sender.client_headers(client) if passes_agent else ()
    headers = [
        ("content-type", "application/json"),
        ("accept", "text/event-stream" if is_stream else "application/json"),
        ("accept-encoding", "identity"),
        *agent,
    ]
    if not any(name == "user-agent" for name, _ in agent):
        headers.append(("user-agent", USER_AGENT))
    auth = slot.auth_header()
    if auth is not None:
        headers.append(auth)
    if surface == "messages":
        headers.append(("anthropic-version", _clean(client.get("anthropic-version")) or ANTHROPIC_VERSION))
        betas = _clean(client.get("anthropic-beta")) if slot.ways.keeps_hosts_betas else ""
        if betas:
            headers.append(("anthropic-beta", betas))
    return tuple(headers)


def headers_to_client(vendor: Mapping[str, str]) -> list[tuple[str, str]]:
    """Those of the vendor's headers that a client may see."""
    return [(name, value) for name, value in vendor.items() if _may_pass(name)]


def own_headers(
    request_id: str, route: str | None, account: str | None, attempts: int, adjusted: Sequence[str], overhead_ms: float
) -> list[tuple[str, str]]:
    """Ours: who served, after how many attempts, what was changed."""
    headers = [("x-perilune-request-id", request_id)]
    if route is not None:
        headers.append(("x-perilune-route", _ascii(route)))
    if account is not None:
        headers.append(("x-perilune-account", _ascii(account)))
    headers.append(("x-perilune-attempts", str(attempts)))
    headers.append(("x-perilune-overhead-ms", f"{overhead_ms:.2f}"))
    if adjusted:
        headers.append(("x-perilune-adjusted", ",".join(adjusted)))
    return headers


def client_error(
    voice: Voice, problem: Problem, kind: ErrorKind, request_id: str, attempts: Sequence[Attempt] = ()
) -> ClientError:
    """A problem in the words of the client's error; the vendor's sentence is quoted once, behind the headline."""
    words = voice.explain(replace(problem, words=None))
    message = words.what
    if problem.words:
        message = f"{message} {voice.say('common.vendor_says', words=problem.words)}"
    sent = next((attempt for attempt in reversed(attempts) if attempt.was_sent), None)
    return ClientError(
        kind=kind,
        code=problem.code,
        message=message,
        why=words.why,
        fix=words.fix,
        retry_at=problem.retry_at,
        upstream=None if sent is None else _upstream(sent),
        attempts=[attempt_fields(attempt) for attempt in attempts],
        request_id=request_id,
    )


def attempt_fields(attempt: Attempt) -> dict[str, object]:
    """One entry of an error's list of attempts."""
    outcome = attempt.outcome
    fields: dict[str, object] = {
        "slot": attempt.slot,
        "outcome": "skipped" if attempt.is_skipped else outcome.kind.value,
        "status": outcome.status,
        "ms": attempt.total_ms,
        "code": outcome.code,
    }
    if attempt.is_skipped:
        fields["reason"] = outcome.kind.value
    if outcome.retry_at is not None:
        fields["retry_at"] = outcome.retry_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return fields


def error_reply(
    dialect: Dialect,
    error: ClientError,
    *,
    status: int | None = None,
    retry_after_s: int | None = None,
    retry: bool | None = None,
    headers: Sequence[tuple[str, str]] = (),
) -> Reply:
    """The reply that carries an error."""
    chosen = retry if retry is not None else should_retry(error.kind, retry_after_s)
    out = [JSON_TYPE, *headers]
    if chosen is not None:
        out.append(("x-should-retry", "true" if chosen else "false"))
    if retry_after_s is not None:
        out.append(("retry-after", str(retry_after_s)))
    return Reply(
        status=status or error_status(dialect, error.kind),
        headers=out,
        body=error_body(dialect, error),
        request_id=error.request_id,
    )


def with_overflow_phrase(dialect: Dialect, error: ClientError, end: Ending, need: int, limit: int) -> ClientError:
    """The two fixed phrases by which agents shorten their history."""
    if end.kind is not ErrorKind.OVERFLOW:
        return error
    return replace(error, message=overflow_message(dialect, need, limit, error.message))


def _upstream(attempt: Attempt) -> dict[str, object]:
    outcome = attempt.outcome
    return {"status": outcome.status, "type": outcome.vendor_type, "request_id": outcome.request_id}


def _may_pass(name: str) -> bool:
    return name in _TO_CLIENT or name.endswith(_TO_CLIENT_ENDINGS) or name.startswith(_TO_CLIENT_STARTS)


def _clean(value: str | None) -> str:
    return value if value and value.isprintable() and value.isascii() and len(value) < 1000 else ""


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
