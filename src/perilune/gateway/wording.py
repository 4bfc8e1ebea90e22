"""The facts behind an ending: what the sentences of its code need to know."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from perilune.core.errors import Problem
from perilune.gateway.call import Attempt
from perilune.gateway.final import Ending
from perilune.gateway.ports import Accounts
from perilune.gateway.slots import Slot
from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is

_RATES = {Is.RATE_RPM: "RPM", Is.RATE_TPM: "TPM", Is.RATE_TPD: "TPD", Is.RATE_OTHER: ""}


def problem_of(
    end: Ending,
    attempts: Sequence[Attempt],
    slots: Mapping[str, Slot],
    accounts: Accounts,
    *,
    route: str,
    prompt_tokens: int,
    body_bytes: int,
    now: datetime,
) -> Problem:
    """The problem that the client and the ledger are told."""
    attempt = end.deciding
    outcome = attempt.outcome
    slot = slots.get(attempt.slot)
    facts: dict[str, object] = {
        "account": attempt.account,
        "model": attempt.model or "?",
        "route": route,
        "first": attempt.account,
        "vendor": slot.plan.label.split()[0] if slot is not None else "The vendor",
        "plan": slot.plan.label if slot is not None else "",
        "host": slot.host if slot is not None else "",
        "status": outcome.status or 0,
        "slots": "; ".join(_line(one) for one in {a.slot: a for a in attempts}.values()),
    }
    other = next((name for name, one in slots.items() if one.account != attempt.account), None)
    if other is not None:
        facts["other_account"] = slots[other].account
    if slot is not None and slot.region is not None:
        facts["console"] = slot.region.console
    if outcome.retry_at is not None and outcome.retry_at > now:
        facts |= {"until": outcome.retry_at, "wait": outcome.retry_at - now}
        facts["wait_s"] = max(-int(-(outcome.retry_at - now).total_seconds() // 1), 1)
    variant = _add_facts(end.code, outcome, facts, accounts, prompt_tokens, body_bytes)
    return Problem(
        code=end.code,
        facts=facts,
        variant=variant,
        words=outcome.words,
        request_id=outcome.request_id,
        retry_at=outcome.retry_at,
        account=attempt.account,
    )


def _add_facts(
    code: str, outcome: Outcome, facts: dict[str, object], accounts: Accounts, prompt_tokens: int, body_bytes: int
) -> str:
    """Put in what this code speaks of; the variant of its wording."""
    has_time = "until" in facts
    if code.startswith("PL-QUOTA-"):
        return _quota(code, outcome, facts, accounts)
    if code == "PL-GW-SPENT":
        return "" if has_time else "NO-TIME"
    if code == "PL-BALANCE-EMPTY":
        return "NO-FIGURES"
    if code == "PL-429-RATE":
        facts["rate"] = _RATES.get(outcome.kind, "")
        facts["limit"] = outcome.limit or 0
        if outcome.kind is Is.RATE_TPD:
            return "DAY"
        return ("" if outcome.limit else "NO-LIMIT") if has_time else "NO-TIME"
    if code == "PL-429-PARALLEL":
        return "NO-CAP"
    if code == "PL-400-TOKENS":
        facts["need"] = outcome.need or prompt_tokens
        facts["limit"] = outcome.limit or 0
        return "" if outcome.limit and outcome.need else "NO-NEED" if outcome.limit else "NO-NUMBERS"
    if code == "PL-400-BODY":
        facts["size"] = _size(outcome.need or body_bytes)
        facts["most"] = _size(outcome.limit or 0)
        return ""
    if code == "PL-REASONING-LOST":
        facts["index"] = outcome.limit or 0
    return "NO-LIMIT" if code == "PL-GW-TIMEOUT" else "NO-COUNT" if code == "PL-GW-STREAM" else ""


def _quota(code: str, outcome: Outcome, facts: dict[str, object], accounts: Accounts) -> str:
    windows = [window for window in accounts.windows(str(facts["account"])) if window.used_ratio is not None]
    if code == "PL-QUOTA-UNKNOWN":
        facts["windows"] = ", ".join(f"{w.label} {int((w.used_ratio or 0) * 100)}%" for w in windows)
        return "" if windows else "UNREAD"
    facts["window"] = outcome.window or ""
    if "until" not in facts:
        return "NO-TIME"
    rest = [window for window in windows if window.id != outcome.window and (window.used_ratio or 0) < 1]
    longest = max(rest, key=lambda window: window.span_s or 0, default=None)
    if longest is None:
        return ""
    facts |= {"rest_window": longest.label, "rest_percent": int((1 - (longest.used_ratio or 0)) * 100)}
    return "REST"


def _line(attempt: Attempt) -> str:
    return f"{attempt.slot}: {attempt.outcome.code or attempt.outcome.kind.value}"


def _size(count: int) -> str:
    if count == 2 * 1024 * 1024:
        return "2 MiB"
    return f"{count / 1_000_000:.1f} MB" if count >= 1_000_000 else f"{count / 1000:.0f} kB"
