"""Tables. Times are whole milliseconds since 1970 UTC, money and ratios exact decimal text, documents JSON.

A change here comes with a migration; `tests/store` compares both.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

# -- monitor ---------------------------------------------------------------------------------------------------------

latest = Table(
    "latest",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("fetched_at", BigInteger, nullable=False),
    Column("document", Text, nullable=False),  # quota.snapshot.Snapshot
)

reads = Table(
    "reads",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("tried_at", BigInteger, nullable=False),
    Column("next_at", BigInteger),
    Column("failures", Integer, nullable=False, default=0),
    Column("failure", Text),  # quota.snapshot.ReadFailure
)

read_flights = Table(
    "read_flights",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

refusals = Table(
    "refusals",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("document", Text, nullable=False),  # quota.snapshot.Refusal
)

window_samples = Table(
    "window_samples",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account", String(64), nullable=False),
    Column("window", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("used_ratio", String(40)),
    Column("used", String(40)),
    Column("limit", String(40)),
    Column("resets_at", BigInteger),
    Column("origin", String(32)),
    Column("is_reliable", Boolean, nullable=False),
    Column("has_conflict", Boolean, nullable=False),
    Index("window_samples_by_time", "account", "window", "at"),
)

# The last reading of each hour and cycle; of each day, once it is old. What charts and forecasts read.
window_hours = Table(
    "window_hours",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account", String(64), nullable=False),
    Column("window", String(64), nullable=False),
    Column("hour", BigInteger, nullable=False),  # its beginning
    Column("began_at", BigInteger, nullable=False),  # the first of the readings it stands for
    Column("at", BigInteger, nullable=False),  # the last of them
    Column("readings", Integer, nullable=False),
    Column("used_ratio", String(40)),
    Column("peak_ratio", String(40)),
    Column("used", String(40)),
    Column("limit", String(40)),
    Column("resets_at", BigInteger),
    Column("origin", String(32)),
    Column("is_reliable", Boolean, nullable=False),
    Column("has_conflict", Boolean, nullable=False),
    Index("window_hours_by_window", "account", "window", "hour"),
    Index("window_hours_by_time", "hour"),
)

balance_samples = Table(
    "balance_samples",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("available", String(40), nullable=False),
    Column("voucher", String(40)),
    Column("cash", String(40)),
    Index("balance_samples_by_time", "account", "at"),
)

# -- gateway ---------------------------------------------------------------------------------------------------------

requests = Table(
    "requests",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("received_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("owner", String(64), nullable=False),
    Column("key_id", String(36)),
    Column("purpose", String(16), nullable=False, default="client"),
    Column("run", String(36)),
    Column("unit", String(64)),
    Column("pass", String(32)),
    Column("session", String(64)),  # a digest, never the client's own id
    Column("route", String(64)),
    Column("slot", String(265)),  # account/model as the route names it
    Column("surface", String(16), nullable=False),  # the dialect in front
    Column("surface_behind", String(16)),
    Column("model_asked", String(200)),
    Column("is_stream", Boolean, nullable=False),
    Column("account", String(64)),
    Column("model_served", String(200)),
    Column("outcome", String(32), nullable=False),
    Column("status", Integer),
    Column("code", String(32)),
    Column("attempts", Integer, nullable=False),
    Column("queued_ms", Integer),
    Column("first_content_ms", Integer),
    Column("total_ms", Integer),
    Column("input_tokens", Integer),
    Column("cache_read_tokens", Integer),
    Column("cache_write_tokens", Integer),
    Column("output_tokens", Integer),
    Column("reasoning_tokens", Integer),
    Column("is_estimated", Boolean, nullable=False, default=False),
    Column("may_bill_more", Boolean, nullable=False, default=False),
    Column("cost", String(40)),
    Column("currency", String(3)),
    Column("unit_of_cost", String(8)),  # money | quota
    Column("price", String(300)),  # which dated price the cost was counted with
    Column("vendor_request_id", String(200)),
    Column("adjusted", Text),
    Column("bytes_in", Integer),
    Column("bytes_out", Integer),
    Index("requests_by_time", "received_at"),
    Index("requests_by_account", "account", "received_at"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("request_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("started_at", BigInteger, nullable=False),
    Column("account", String(64), nullable=False),
    Column("model", String(200)),
    Column("surface", String(16)),
    Column("outcome", String(32), nullable=False),
    Column("status", Integer),
    Column("code", String(32)),
    Column("was_sent", Boolean, nullable=False),
    Column("total_ms", Integer),
    Column("first_content_ms", Integer),
    Column("vendor_request_id", String(200)),
    Column("cost", String(40)),
    Column("words", String(400)),
)

scope_states = Table(
    "scope_states",
    metadata,
    Column("scope", String(300), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("code", String(32)),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("document", Text, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

permits = Table(
    "permits",
    metadata,
    Column("scope", String(300), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("account_group", String(64), nullable=False),
    Column("place", Integer, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", BigInteger, nullable=False),  # clock ticks since boot, where the system tells
    Column("host", String(64), nullable=False),  # a digest of host, boot and pid namespace
    Column("expires_at", BigInteger, nullable=False),
    Index("leases_by_place", "account_group", "place", unique=True),
)

learned = Table(
    "learned",
    metadata,
    Column("scope", String(300), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("value", String(200), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger),
)

gateway_keys = Table(
    "gateway_keys",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("tail", String(8), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("document", Text, nullable=False),
)

# Requests that other programs on this machine logged: counts alone, nothing of what was said.
local_use = Table(
    "local_use",
    metadata,
    Column("id", String(32), primary_key=True),  # a digest of the log's own record
    Column("at", BigInteger, nullable=False),
    Column("origin", String(32), nullable=False),
    Column("model", String(200)),
    Column("input_tokens", Integer, nullable=False),
    Column("cache_read_tokens", Integer, nullable=False),
    Column("cache_write_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Index("local_use_by_time", "at"),
)

# How far each log has been read.
local_logs = Table(
    "local_logs",
    metadata,
    Column("file", String(32), primary_key=True),  # a digest of its path
    Column("origin", String(32), nullable=False),
    Column("read_to", BigInteger, nullable=False),
    Column("looked_at", BigInteger, nullable=False),
)

# -- reviewer --------------------------------------------------------------------------------------------------------

review_answers = Table(
    "review_answers",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("run", String(36), nullable=False),
    Column("document", LargeBinary, nullable=False),
)

review_runs = Table(
    "review_runs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("status", String(16), nullable=False),
    Column("title", String(400), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("review_runs_by_time", "started_at"),
)

# -- house -----------------------------------------------------------------------------------------------------------

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("account", String(64)),
    Column("document", Text, nullable=False),
    Index("events_by_time", "at"),
)
