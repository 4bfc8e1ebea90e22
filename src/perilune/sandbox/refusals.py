"""The vendors' fixed refusals by name: status, type and sentence.

Names are those of the contract samples where one exists. Placeholders are filled by `refuse`.
"""

from typing import Any

from msgspec import Struct, field, structs

_INVALID = "invalid_request_error"
_RATE = "rate_limit_reached_error"
_TERMINATED = "access_terminated_error"


class Refusal(Struct, frozen=True, kw_only=True):
    """One refusal, not yet in any envelope. Units: `wait_s` seconds until it is worth trying again."""

    status: int
    kind: str
    message: str
    wait_s: float | None = None
    headers: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, object] | None = None


class Refused(Exception):  # noqa: N818 -- a refusal is an outcome here, not an error of ours
    """Raised while a request is being judged; ends it with the refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def _of(status: int, kind: str, message: str, wait_s: float | None = None) -> Refusal:
    return Refusal(status=status, kind=kind, message=message, wait_s=wait_s)


REFUSALS = {
    # Kimi Code
    "code-err-400-body-size": _of(400, _INVALID, "total message size {size} exceeds limit {limit}"),
    "code-err-400-token-limit": _of(
        400, _INVALID, "Invalid request: Your request exceeded model token limit: {limit} (requested: {requested})"
    ),
    "code-err-401-invalid-auth": _of(401, "invalid_authentication_error", "Invalid Authentication"),
    "code-err-401-key-invalid": _of(
        401,
        "invalid_authentication_error",
        "The API Key appears to be invalid or may have expired. Please verify your credentials and try again.",
    ),
    "code-err-401-no-model-access": _of(
        401, "invalid_authentication_error", "Your current subscription does not have access to {model}."
    ),
    "code-err-402-membership": _of(
        402,
        _INVALID,
        "We're unable to verify your membership benefits at this time. Please ensure your membership is active.",
    ),
    "code-err-403-5hour": _of(
        403,
        _TERMINATED,
        "You've reached your 5-hour usage limit. Your quota will reset when the current 5-hour window ends.",
    ),
    "code-err-403-weekly": _of(
        403,
        _TERMINATED,
        "You've reached your weekly (7-day) usage limit. Your quota will reset when the current 7-day window ends. "
        "To continue now, purchase extra usage or upgrade your plan: "
        "https://www.kimi.com/membership/subscription?tab=quota",
    ),
    "code-err-403-monthly": _of(403, _TERMINATED, "You've reached your monthly usage limit for this billing cycle."),
    "code-err-403-anthropic-shape": _of(
        403,
        "permission_error",
        "You've reached your usage limit for this billing cycle. Your quota will be refreshed in the next cycle. "
        "To continue now, purchase extra usage or upgrade your plan: https://www.kimi.com/code/#pricing",
    ),
    "code-err-403-client-not-allowed": _of(
        403,
        _TERMINATED,
        "Kimi For Coding is currently only available for Coding Agents such as Kimi CLI, Claude Code, Roo Code, "
        "Kilo Code, etc.",
    ),
    "code-err-403-terminated": _of(403, _TERMINATED, "Access terminated."),
    "code-err-404-model": _of(404, "resource_not_found_error", "Not found the model {model} or Permission denied"),
    "code-err-429-5hour-old": _of(
        429,
        _RATE,
        "You've reached your usage limit for this period. Your quota will be refreshed in the next period.",
    ),
    "code-err-429-concurrency": _of(
        429, _RATE, "We're receiving too many requests at the moment. Please wait a moment and try again."
    ),
    "code-err-429-overloaded": _of(
        429, "engine_overloaded_error", "The engine is currently overloaded, please try again later"
    ),
    # Moonshot
    "dev-err-400-content-filter": _of(
        400, "content_filter", "The request was rejected because it was considered high risk"
    ),
    "dev-err-400-file-purpose": _of(400, _INVALID, "Invalid purpose: only 'file-extract' accepted"),
    "dev-err-400-input-too-long": _of(400, _INVALID, "Input token length too long"),
    "dev-err-400-invalid-request": _of(400, _INVALID, "Invalid request: {reason}"),
    "dev-err-400-reasoning-missing": _of(
        400,
        _INVALID,
        "thinking is enabled but reasoning_content is missing in assistant tool call message at index {index}",
    ),
    "dev-err-400-temperature-fixed": _of(400, _INVALID, "invalid {parameter}: only {value} is allowed for this model"),
    "dev-err-400-thinking-type": _of(400, _INVALID, "invalid thinking: only type=enabled is allowed for this model"),
    "dev-err-400-token-limit": _of(400, _INVALID, "Your request exceeded model token limit : {limit}"),
    "dev-err-401-incorrect-key": _of(401, "incorrect_api_key_error", "Incorrect API key provided"),
    "dev-err-401-invalid-authentication": _of(401, "invalid_authentication_error", "Invalid Authentication"),
    "dev-err-403-api-not-open": _of(403, "permission_denied_error", "The API you are accessing is not open"),
    "dev-err-403-ip": _of(403, "permission_denied_error", "Your IP is not allowed to access this organization"),
    "dev-err-404-model": _of(404, "resource_not_found_error", "Not found the model {model} or Permission denied"),
    "dev-err-429-balance-suspended": _of(
        429,
        "exceeded_current_quota_error",
        "Your account {account} is suspended due to insufficient balance, please recharge your account or check "
        "your plan and billing details",
    ),
    "dev-err-429-concurrency": _of(
        429,
        _RATE,
        "Your account {account} request reached organization max concurrency: {limit}, "
        "please try again after {wait} seconds",
        1,
    ),
    "dev-err-429-engine-overloaded": _of(
        429, "engine_overloaded_error", "The engine is currently overloaded, please try again later", 1
    ),
    "dev-err-429-rpm": _of(
        429,
        _RATE,
        "Your account {account} request reached organization max RPM: {limit}, please try again after {wait} seconds",
        1,
    ),
    "dev-err-429-tpd": _of(
        429,
        _RATE,
        "Your account {account} request reached organization TPD rate limit, current:{current}, limit:{limit}",
    ),
    "dev-err-429-tpm": _of(
        429,
        _RATE,
        "Your account {account} request reached organization TPM rate limit, current:{current}, limit:{limit}",
        1,
    ),
    "dev-err-499-client-closed": _of(499, "client_closed_request", "client closed request"),
    "dev-err-500-server": _of(500, "server_error", "Failed to extract file: unknown"),
    "dev-err-500-unexpected": _of(500, "unexpected_output", "invalid state transition"),
    # seen in the wild, without a sample of their own
    "wild-400-both-thinking": _of(400, _INVALID, "cannot specify both 'thinking' and 'reasoning_effort'"),
    "wild-400-tool-choice": _of(400, _INVALID, "tool_choice '{choice}' is incompatible with thinking enabled"),
    "wild-400-word-json": _of(400, _INVALID, "'messages' must contain the word 'json' in some form"),
    "wild-400-json-schema": _of(
        400, _INVALID, "Invalid request: response_format json_schema is not supported for this model"
    ),
    "wild-400-function-name": _of(
        400,
        _INVALID,
        "Invalid request: function name is invalid, must start with a letter and can contain letters, numbers, "
        "underscores, and dashes",
    ),
    "wild-400-budget-tokens": _of(400, _INVALID, "thinking.enabled.budget_tokens: Field required"),
    "wild-429-token-quota": _of(
        429,
        "exceeded_current_quota_error",
        "You exceeded your current token quota: {account}, please check your account balance",
    ),
    "wild-429-spending-limit": _of(
        429,
        "exceeded_current_quota_error",
        "Account {account} is suspended, possibly due to reaching the monthly spending limit or failure to pay past "
        "invoices.",
    ),
    "wild-402-balance": _of(402, "exceeded_current_quota_error", "Insufficient balance, please recharge your account"),
    "wild-503-unavailable": _of(503, "server_unavailable", "The server is temporarily unavailable"),
    # OpenRouter
    "router-400-context": _of(
        400, "", "This endpoint's maximum context length is {limit} tokens. However, you requested about {requested}."
    ),
    "router-401": _of(401, "", "No auth credentials found"),
    "router-402": _of(402, "", "This request requires more credits, or fewer max_tokens."),
    "router-403-moderation": Refusal(
        status=403,
        kind="",
        message="Your input was flagged",
        metadata={"reasons": ["violence"], "flagged_input": "…", "provider_name": "Example", "model_slug": "example"},
    ),
    "router-404-routing": _of(404, "", "No endpoints found matching your data policy."),
    "router-404-providers": _of(404, "", "No allowed providers are available for the selected model."),
    "router-404-model": _of(404, "", "{model} is not a valid model ID"),
    "router-429-provider": Refusal(
        status=429,
        kind="",
        message="Provider returned error",
        metadata={"raw": "example/model is temporarily rate-limited upstream", "provider_name": "Example"},
    ),
    "router-429-free": _of(429, "", "Rate limit exceeded: free-models-per-day."),
    "router-502": _of(502, "", "Provider disconnected"),
    "router-503": _of(503, "", "No available model provider meets your routing requirements."),
}

_EXAMPLES: dict[str, object] = {
    "size": 5_943_865,
    "limit": 262_144,
    "requested": 558_009,
    "model": "kimi-k2-0905-preview",
    "reason": "messages is required",
    "index": 2,
    "parameter": "temperature",
    "value": 1,
    "account": "org-0000<ak-0000>",
    "current": 500_123,
    "wait": 1,
    "choice": "specified",
}


def refusal(name: str, /, *, wait_s: float | None = None, **facts: Any) -> Refusal:
    """The refusal of that name with its sentence filled; facts that are not given take invented values.

    Raises: KeyError for a name that does not exist.
    """
    known = REFUSALS[name]
    wait_s = known.wait_s if wait_s is None else wait_s
    wait = {} if wait_s is None else {"wait": max(1, -(-int(wait_s * 1000) // 1000))}
    message = known.message.format_map({**_EXAMPLES, **wait, **facts})
    return structs.replace(known, message=message, wait_s=wait_s)


def refuse(name: str, /, *, wait_s: float | None = None, **facts: Any) -> Refused:
    """The same as an exception to raise."""
    return Refused(refusal(name, wait_s=wait_s, **facts))
