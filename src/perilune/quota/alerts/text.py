"""An alert as one sentence in a reader's words."""

from decimal import ROUND_FLOOR, Decimal

from perilune.core.instants import parse_instant
from perilune.core.messages import Voice, message
from perilune.core.money import Money
from perilune.quota.alerts.model import Alert
from perilune.quota.wording import percent_used

LONGEST = 200
_MOMENTS = ("resets_at", "empty_at", "until", "since")


def alert_text(alert: Alert, voice: Voice) -> str:
    """The sentence of an alert, 200 characters at most."""
    facts: dict[str, object] = dict(alert.facts)
    facts["account"] = alert.account
    facts["window"] = _window(alert, voice)
    for name in _MOMENTS:
        at = parse_instant(alert.facts.get(name))
        if at is not None:
            facts[name] = voice.clock(at, round_up=name in ("resets_at", "until"))
            facts[f"{name}_wait"] = at - voice.now
    if "ratio" in alert.facts:
        facts["percent"] = percent_used(Decimal(alert.facts["ratio"]))
    if "per" in alert.facts:
        facts |= {"period": voice.say(f"notice.period.{alert.facts['per']}"), "percent": facts.get("percent", "100")}
    if "amount" in alert.facts:
        facts["amount"] = Money(Decimal(alert.facts["amount"]), alert.facts["currency"]).shown(with_code=True)
    text = voice.say(f"notice.{_form(alert, facts)}", **facts | _early(alert))
    return shortened(text + _behind(alert, voice))


def shortened(text: str) -> str:
    """The text on one line, of 200 characters at most."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def window_name(window_id: str, label: str, voice: Voice) -> str:
    """How an alert calls a window."""
    return voice.say(f"notice.word.{window_id}") if message("en", f"notice.word.{window_id}") else label


def _window(alert: Alert, voice: Voice) -> str:
    if alert.window is None:
        return ""
    return window_name(alert.window, alert.facts.get("label", alert.window), voice)


def _form(alert: Alert, facts: dict[str, object]) -> str:
    """Which of its sentences an alert takes."""
    match alert.kind:
        case kind if kind.startswith("window_"):
            return "level" if "resets_at" in facts else "level.untimed"
        case "spent" if alert.window is not None:
            return "spent" if "until" in facts else "spent.untimed"
        case "spent" if "code" in facts:
            return "spent.membership"
        case "spent":
            return "spent.account" if "until" in facts else "spent.account_untimed"
        case "back":
            return "back" if alert.window is not None else "back.account"
        case "balance_low":
            return _days_form(alert)
        case "balance_empty":
            return "balance_empty" if "amount" in facts else "balance_empty.unread"
        case "session_expired":
            return f"session_expired.{alert.facts.get('source', 'web')}"
        case kind:
            return kind


def _days_form(alert: Alert) -> str:
    days = alert.facts.get("days")
    if days is None:
        return "balance_low"
    whole = int(Decimal(days).to_integral_value(ROUND_FLOOR))
    return "balance_low.today" if whole < 1 else "balance_low.one" if whole == 1 else "balance_low.days"


def _early(alert: Alert) -> dict[str, object]:
    """What follows from two facts together: how early a window runs out, whole days."""
    found: dict[str, object] = {}
    empty_at, resets_at = parse_instant(alert.facts.get("empty_at")), parse_instant(alert.facts.get("resets_at"))
    if empty_at is not None and resets_at is not None:
        found["early"] = resets_at - empty_at
    if "days" in alert.facts:
        found["days"] = int(Decimal(alert.facts["days"]).to_integral_value(ROUND_FLOOR))
    return found


def _behind(alert: Alert, voice: Voice) -> str:
    """Where requests go meanwhile."""
    other = alert.facts.get("other")
    if alert.kind not in ("spent", "balance_empty") or other is None:
        return ""
    form = "notice.goes_to.money" if alert.facts.get("other_costs") == "money" else "notice.goes_to"
    return voice.say(form, other=other)
