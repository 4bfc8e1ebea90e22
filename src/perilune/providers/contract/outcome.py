"""How one try of one slot ended, as a closed set of classes that every vendor's answers are mapped to."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class OutcomeClass(StrEnum):
    """What came of an attempt. What each class does is the gateway's failover table."""

    OK = "ok"
    AUTH_REFUSED = "auth_refused"
    MEMBER_LAPSED = "member_lapsed"
    BALANCE_EMPTY = "balance_empty"
    QUOTA_SPENT = "quota_spent"
    CLIENT_GATED = "client_gated"
    BANNED = "banned"
    PERMISSION = "permission"
    RATE_CONCURRENCY = "rate_concurrency"
    RATE_RPM = "rate_rpm"
    RATE_TPM = "rate_tpm"
    RATE_TPD = "rate_tpd"
    RATE_OTHER = "rate_other"
    BUSY = "busy"
    TRANSIENT = "transient"
    MODEL_UNKNOWN = "model_unknown"
    MODEL_DENIED = "model_denied"
    ENDPOINT_UNKNOWN = "endpoint_unknown"
    ROUTING_REFUSED = "routing_refused"
    BAD_PARAM = "bad_param"
    BAD_REQUEST = "bad_request"
    CONTENT_FILTERED = "content_filtered"
    CONTEXT_OVERFLOW = "context_overflow"
    BODY_TOO_LARGE = "body_too_large"
    NET_DNS = "net_dns"
    NET_TLS = "net_tls"
    NET_CONNECT = "net_connect"
    NET_RESET = "net_reset"
    NET_PROXY = "net_proxy"
    TIMEOUT_FIRST = "timeout_first"
    TIMEOUT_IDLE = "timeout_idle"
    TIMEOUT_TOTAL = "timeout_total"
    STREAM_CUT = "stream_cut"
    GARBLED = "garbled"
    CLIENT_GONE = "client_gone"
    UNKNOWN = "unknown"


class Answered(Struct, frozen=True, kw_only=True):
    """What a vendor sent back, as the classifier sees it.

    Shape: `status` None when the error came inside a stream; header names lower case; `body` at most 64 KiB.
    `in_flight` and `cap` are our own counters for the account at that moment; `models` the account's live list.
    """

    status: int | None
    headers: dict[str, str]
    body: bytes
    surface: str
    in_flight: int = 0
    cap: int | None = None
    models: tuple[str, ...] = ()
    model: str | None = None


class Outcome(Struct, frozen=True, kw_only=True):
    """One attempt's end, with everything learned from the vendor's words.

    Shape: `code` is our PL code; `window` a window id when the sentence named one; `limit` and `need` the numbers of a
    cap, rate or context refusal; `parameter` what a `bad_param` is about; `words` the vendor's sentence, redacted;
    `facts` what an outcome of our own finding is told with.
    Units: `retry_after_s` seconds from the answer.
    """

    kind: OutcomeClass
    code: str | None = None
    status: int | None = None
    vendor_type: str | None = None
    words: str | None = None
    request_id: str | None = None
    window: str | None = None
    retry_after_s: float | None = None
    retry_at: datetime | None = None
    limit: int | None = None
    need: int | None = None
    parameter: str | None = None
    facts: dict[str, str] | None = None
