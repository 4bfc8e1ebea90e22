"""Every setting there is, with its default. Unknown keys are refused when a file is read."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from perilune.config.schema_review import ReviewConfig

Thinking = Literal["off", "on", "low", "medium", "high", "max"]
SurfaceName = Literal["chat", "responses", "messages"]
SourceMode = Literal["auto", "api-key", "cli-login", "web-session"]
CookieMode = Literal["auto", "manual", "off"]
Floors = dict[Literal["interactive", "review", "batch"], str | dict[str, str]]
ChannelKind = Literal[
    "desktop", "ntfy", "bark", "feishu", "dingtalk", "wecom", "telegram", "slack", "email", "webhook", "exec"
]
MailTls = Literal["starttls", "tls", "none"]
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]


class AccountConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A named credential of one plan in one region.

    Shape: `key` and `web_session` (a pasted session of the web site) are references, never the secret itself. `browser`
    names the one browser that `cookie_source = "auto"` may open, with `:container=N` behind it; absent means all.
    """

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    plan: str
    region: str = ""
    key: str | None = None
    base_url: str | None = None
    source: SourceMode = "auto"
    cookie_source: CookieMode = "off"
    web_session: str | None = None
    browser: str | None = None
    max_concurrent_requests: Positive | None = None
    extra_usage: bool = False
    rpm: Positive | None = None
    tpm: Positive | None = None
    auth: Literal["bearer", "x-api-key"] | None = None
    paused: bool = False
    budget: str | None = None


class SlotConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One place of a route: an account plus model, thinking, limits and override.

    Shape: `min_left` is what each priority leaves to those above it, of every window or by window: `20%`, `50`,
    `CNY30`.
    """

    account: str
    model: str | None = None
    surface: SurfaceName | None = None
    thinking: Thinking | None = None
    override: dict[str, Any] | None = None
    max_output_tokens: Positive | None = None
    max_input_tokens: Positive | None = None
    first_content_timeout_s: Seconds | None = None
    min_left: Floors = field(default_factory=dict)


class RouteConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An ordered list of slots for the models that match; the first is main, the rest fallbacks."""

    name: str
    match: tuple[str, ...] = ("*",)
    slots: tuple[SlotConfig, ...] = ()
    policy: dict[str, Literal["next", "same_then_next", "wait", "stop"]] = field(default_factory=dict)
    on_rate_limit: Literal["wait_then_failover", "failover", "wait"] = "wait_then_failover"
    on_full: Literal["wait", "next", "stay"] = "wait"
    prefer: Literal["order", "last_longer"] = "order"


class GatewayConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The gateway. Units: names ending `_s` are seconds, `body_max` bytes.

    Shape: `spend_stop` by currency (`CNY = "50/day"`), `owner_budgets` by owner (`ana = "USD 10/month"`), an account's
    `budget` alike.
    """

    listen: str = "127.0.0.1:8787"
    hosts: tuple[str, ...] = ()
    allow_private: tuple[str, ...] = ()
    require_key: bool = False
    forward_user_agent: Literal["auto", "never"] = "auto"
    connect_timeout_s: Seconds = 10
    first_content_timeout_s: Seconds = 300
    answer_timeout_s: Seconds = 900
    idle_timeout_s: Seconds = 300
    total_timeout_s: Seconds = 1800
    queue_timeout_s: Seconds = 60
    queue_patience_s: Annotated[float, Meta(ge=0)] = 2
    queue_max: Positive = 1000
    max_concurrent_requests: Positive | None = None
    min_left: Floors = field(default_factory=lambda: {"interactive": "0%", "review": "5%", "batch": "20%"})
    spend_stop: dict[str, str] = field(default_factory=dict)
    owner_budgets: dict[str, str] = field(default_factory=dict)
    redis_failure: Literal["divide", "closed", "open"] = "divide"
    rate_wait_s: Annotated[float, Meta(ge=0)] = 5
    max_attempts: Positive = 5
    body_max: Positive = 32 * 1024 * 1024
    drain_s: Annotated[float, Meta(ge=0)] = 30
    keepalive_after_s: Annotated[float, Meta(ge=0)] = 0
    stream_upstream: bool = True
    stickiness: Literal["auto", "off"] = "auto"
    reasoning_store: Literal["memory", "shared", "off"] = "memory"
    routes: tuple[RouteConfig, ...] = ()


class ProbeConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which official hosts `perilune add` may ask; empty means all."""

    hosts: tuple[str, ...] = ()


class MonitorConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Background reading of accounts."""

    interval_s: Annotated[int, Meta(ge=60)] = 300


class HistoryConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How long history is kept, in days: every reading, then the last of each hour, then of each day.

    Shape: absent `daily_days` and `requests_days` are for good. `local_logs` counts what the vendors' own command lines
    logged on this machine.
    """

    raw_days: Positive = 56
    hourly_days: Positive = 400
    daily_days: Positive | None = None
    events_days: Positive = 400
    requests_days: Positive | None = None
    local_logs: bool = False


class PaceConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Pace. `work_days` are ISO weekdays."""

    work_days: tuple[Annotated[int, Meta(ge=1, le=7)], ...] = (1, 2, 3, 4, 5, 6, 7)


class AlertsConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """When a state is called high, and what is told. Floors are amounts as text, by currency.

    Shape: `levels` in percent used; `days_left` tells of a balance that lasts fewer days, 0 is off; `hide_names` calls
    accounts A1, A2 … in notifications.
    """

    high_ratio: Annotated[float, Meta(gt=0, le=1)] = 0.75
    balance_floor: dict[str, str] = field(default_factory=lambda: {"CNY": "20", "USD": "3"})
    levels: tuple[Annotated[int, Meta(ge=1, le=100)], ...] = (75, 90)
    early: bool = True
    days_left: Annotated[float, Meta(ge=0)] = 0
    hide_names: bool = False


class NotifyConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A channel that notifications go to.

    Shape: `key` and `secret` are references, never the secret itself: `key` is the token, the device key, the password,
    or the whole address of a bot; `secret` what messages are signed with. `url` is an address without a secret in it.
    `events` and `accounts` say what goes there; `quiet` is `22:00-08:00`.
    """

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    channel: ChannelKind
    events: tuple[str, ...] = ("all",)
    accounts: tuple[str, ...] = ()
    quiet: str | None = None
    url: str | None = None
    key: str | None = None
    secret: str | None = None
    to: tuple[str, ...] = ()
    server: str | None = None
    tls: MailTls = "starttls"
    user: str | None = None
    sender: str | None = None
    command: tuple[str, ...] = ()
    click: str | None = None


class DisplayConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How figures are shown."""

    percent: Literal["used", "left"] = "used"
    clock: Literal["24h", "12h"] = "24h"
    ambiguous_width: Annotated[int, Meta(ge=1, le=2)] = 1
    lang: str | None = None
    tz: str | None = None


class ForgeConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One installation of a forge.

    Shape: `token`, `webhook_secret` and `webhook_signing_token` (GitLab) are references, never the secret itself;
    `base_url` is the address people open, absent for the official one. A token is sent to that host alone.
    `repositories` are listed for open pull requests; those that webhooks told of need not be named.
    """

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    forge: str
    base_url: str | None = None
    token: str | None = None
    webhook_secret: str | None = None
    webhook_signing_token: str | None = None
    repositories: tuple[str, ...] = ()


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The whole of `config.toml`."""

    schema: Literal[1] = 1
    accounts: tuple[AccountConfig, ...] = ()
    gateway: GatewayConfig = GatewayConfig()
    probe: ProbeConfig = ProbeConfig()
    monitor: MonitorConfig = MonitorConfig()
    history: HistoryConfig = HistoryConfig()
    pace: PaceConfig = PaceConfig()
    alerts: AlertsConfig = AlertsConfig()
    display: DisplayConfig = DisplayConfig()
    review: ReviewConfig = ReviewConfig()
    forges: tuple[ForgeConfig, ...] = ()
    notify: tuple[NotifyConfig, ...] = ()
