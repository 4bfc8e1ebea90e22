"""The golden document G1: three accounts as the screens of the reference show them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from perilune.core.messages import Language, Voice
from perilune.core.money import MoneyDocument
from perilune.faces.text.look import GatewayGlance, Look
from perilune.providers.contract.registry import providers
from perilune.quota.document import (
    AccountDocument,
    BalanceDocument,
    EffectiveDocument,
    LimitsDocument,
    PaceDocument,
    StatusDocument,
    WindowDocument,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
GATEWAY = GatewayGlance(address="127.0.0.1:8787", route="default", slots=("work", "ci"), failovers_today=0)
FIVE_HOURS = WindowDocument(
    id="5h", label="5-hour", span_s=18_000, used_ratio=0.695, used=139, limit=200, remaining=61, unit="requests",
    resets_at=datetime(2026, 11, 20, 14, 7, tzinfo=UTC), reliable=True, conflict=False, state="high",
    pace=PaceDocument(
        expected_ratio=0.576, stage="ahead", lasts=False, empty_at=datetime(2026, 11, 20, 13, 15, 38, tzinfo=UTC)
    ),
)  # fmt: skip
SEVEN_DAYS = WindowDocument(
    id="7d", label="7-day", span_s=604_800, used_ratio=0.1045, used=214, limit=2048, remaining=1834, unit="requests",
    resets_at=datetime(2026, 11, 25, 15, 23, tzinfo=UTC), reliable=True, conflict=False, state="ok",
    pace=PaceDocument(expected_ratio=0.2656, stage="far-behind", lasts=True, empty_at=None),
)  # fmt: skip
WORK = AccountDocument(
    name="work", plan="kimi-code", region="cn", plan_title="Allegretto", source="api-key", state="high",
    fetched_at=datetime(2026, 11, 20, 11, 59, 48, tzinfo=UTC), age_s=12, windows=[FIVE_HOURS, SEVEN_DAYS], balance=None,
    effective=EffectiveDocument(usable=True, blocked_by=None, until=None, binding="5h", remaining_ratio=0.305),
    limits=LimitsDocument(concurrency=30, rpm=None, tpm=None), error=None,
    origin="api.kimi.com/coding/v1/usages", took_ms=212,
)  # fmt: skip


def balance_account(
    name: str, region: str, currency: str, amounts: tuple[str, str, str], burn: str | None, days: float | None
) -> AccountDocument:
    available, voucher, cash = (MoneyDocument(amount, currency) for amount in amounts)
    return AccountDocument(
        name=name, plan="moonshot", region=region, plan_title=None, source="api-key", state="ok",
        fetched_at=datetime(2026, 11, 20, 11, 59, 51, tzinfo=UTC), age_s=9, windows=[],
        balance=BalanceDocument(
            available=available, voucher=voucher, cash=cash, deficit=None,
            burn_per_day=MoneyDocument(burn, currency) if burn else None, days_left=days,
        ),
        effective=EffectiveDocument(
            usable=True, blocked_by=None, until=None, binding="balance", remaining_ratio=None
        ),
        limits=LimitsDocument(concurrency=None, rpm=None, tpm=None), error=None,
        origin="api.moonshot.ai/v1/users/me/balance", took_ms=180,
    )  # fmt: skip


CI = balance_account("ci", "intl", "USD", ("18.42731", "5.00", "13.42731"), "1.15", 16.0)
LAB = balance_account("lab", "cn", "CNY", ("49.58894", "46.58893", "3.00001"), None, None)
G1 = StatusDocument(generated_at=NOW, accounts=[WORK, CI, LAB], errors=[])


def voice(language: Language = "en") -> Voice:
    return Voice(language=language, zone=ZoneInfo("Asia/Shanghai"), now=NOW)


def look(columns: int = 80, *, is_ascii: bool = False) -> Look:
    plans = {plan_id: provider.plan for plan_id, provider in providers().items()}
    return Look(columns=columns, is_ascii=is_ascii, plans=plans)
