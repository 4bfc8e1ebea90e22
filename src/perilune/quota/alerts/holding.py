"""Whether a delayed alert still holds: what is over is not told after the quiet hours."""

from decimal import Decimal

from perilune.core.instants import parse_instant
from perilune.quota.alerts.blocks import is_unreachable
from perilune.quota.alerts.model import Alert, AlertRules
from perilune.quota.pace import pace_of
from perilune.quota.snapshot import Window
from perilune.quota.status import Judged


def still_holds(alert: Alert, judged: Judged | None, rules: AlertRules) -> bool:
    """True unless what is known now says that the alert is over. What happened once (a failover, a review) stays so."""
    if judged is None:
        return alert.account is None
    match alert.kind:
        case "spent" | "balance_empty":
            return judged.verdict.usable is False
        case "back":
            return judged.verdict.usable is True
        case "balance_low":
            return _is_still_low(judged, rules)
        case "upstream_down":
            return is_unreachable(judged.held.failure)
        case "upstream_up":
            return not is_unreachable(judged.held.failure)
        case "credential_refused" | "session_expired":
            return judged.held.failure is not None or judged.verdict.blocked_by == "credential"
        case _ if alert.window is not None:
            return _holds_for_window(alert, judged, rules)
    return True


def _is_still_low(judged: Judged, rules: AlertRules) -> bool:
    balance = judged.held.snapshot.balance if judged.held.snapshot else None
    if balance is None:
        return True
    floor = rules.floors.get(balance.currency)
    return rules.few_days is not None or (floor is not None and balance.available < floor)


def _holds_for_window(alert: Alert, judged: Judged, rules: AlertRules) -> bool:
    resets_at = parse_instant(alert.facts.get("resets_at"))
    if resets_at is not None and resets_at <= judged.now:
        return False
    window = next((one for one in judged.windows if one.id == alert.window), None)
    if window is None:
        return False
    if window.used_ratio is None or not window.is_reliable:
        return True
    if alert.kind == "runs_out_early":
        return _runs_out(window, judged, rules)
    level = alert.kind.rpartition("_")[2]
    return not level.isdigit() or window.used_ratio * 100 >= Decimal(level)


def _runs_out(window: Window, judged: Judged, rules: AlertRules) -> bool:
    read_at = judged.held.snapshot.fetched_at if judged.held.snapshot else judged.now
    pace = pace_of(window, read_at, rules.week)
    return pace is not None and not pace.lasts
