"""Outcome classes by name, as a route's policy names them. A test holds them to those that the gateway knows."""

PROMPT_CAUSED = ("bad_request", "content_filtered", "bad_param", "context_overflow", "body_too_large")
POLICY_CLASSES = (
    "auth_refused", "member_lapsed", "balance_empty", "quota_spent", "client_gated", "banned", "permission",
    "rate_concurrency", "rate_rpm", "rate_tpm", "rate_tpd", "rate_other", "busy", "transient", "model_unknown",
    "model_denied", "endpoint_unknown", "routing_refused", *PROMPT_CAUSED, "net_dns", "net_tls", "net_connect",
    "net_reset", "net_proxy", "timeout_first", "timeout_idle", "timeout_total", "stream_cut", "garbled", "unknown",
)  # fmt: skip
