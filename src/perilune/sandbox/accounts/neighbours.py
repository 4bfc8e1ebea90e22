"""Services beside the two plans: an aggregator, a relay, own endpoints, and three that only tell a balance."""

from decimal import Decimal

from msgspec import Struct, field


class OpenRouter(Struct, tag_field="plan", tag="openrouter", kw_only=True, forbid_unknown_fields=True):
    """One key of the aggregator. Units: USD; `limit` None means no cap on the key."""

    keys: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    label: str = "sk-or-v1-abc...xyz"
    limit: Decimal | None = Decimal(50)
    usage: Decimal = Decimal("11.75")
    usage_daily: Decimal = Decimal("0.5")
    usage_weekly: Decimal = Decimal("3.1")
    total_credits: Decimal = Decimal(50)
    is_free_tier: bool = False
    reads_credits: bool = True

    @property
    def remaining(self) -> Decimal | None:
        return None if self.limit is None else self.limit - self.usage

    @property
    def is_spent(self) -> bool:
        return self.total_credits <= self.usage or (self.remaining is not None and self.remaining <= 0)

    def charge(self, money: Decimal) -> None:
        self.usage += money
        self.usage_daily += money
        self.usage_weekly += money


class K2Relay(Struct, tag_field="plan", tag="kimi-k2", kw_only=True, forbid_unknown_fields=True):
    """Credits of the unofficial relay. `body` replaces the whole answer, `header` the header's text."""

    keys: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    consumed: Decimal = Decimal(120)
    remaining: Decimal = Decimal(380)
    header: str | None = None
    body: object = None


class DeepSeek(Struct, tag_field="plan", tag="deepseek", kw_only=True, forbid_unknown_fields=True):
    """A prepaid balance in decimal strings."""

    keys: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    currency: str = "USD"
    granted: Decimal = Decimal("2.50")
    topped_up: Decimal = Decimal("10.00")


class SiliconFlow(Struct, tag_field="plan", tag="siliconflow", kw_only=True, forbid_unknown_fields=True):
    """A balance inside a user record."""

    keys: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    gift: Decimal = Decimal("0.88")
    charged: Decimal = Decimal("88.00")


class Zai(Struct, tag_field="plan", tag="zai", kw_only=True, forbid_unknown_fields=True):
    """A coding plan told as percentages consumed; resets in epoch milliseconds."""

    keys: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    level: str = "pro"
    tokens_5h_percent: int = 42
    tokens_week_percent: int = 17
    tools_used: int = 4
    tools_limit: int = 100


class Compatible(Struct, tag_field="plan", tag="compatible", kw_only=True, forbid_unknown_fields=True):
    """Somebody's own endpoint that speaks Chat, Responses and Messages and has no rules of its own."""

    keys: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    host: str = "llm.example"
    models: list[str] = field(default_factory=lambda: ["local-model"])
    context: int = 131_072
    concurrency: int | None = None
