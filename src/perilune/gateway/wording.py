"""The facts behind an ending: what the sentences of its code need to know."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from perilune.catalog.models import closest
from perilune.core.errors import Problem
from perilune.core.messages import Voice
from perilune.core.money import Money
from perilune.gateway.call import Attempt
from perilune.gateway.final import Ending
from perilune.gateway.setup import Services
from perilune.gateway.slots import Slot
from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.quota.snapshot import Snapshot, Window
from perilune.quota.wording import percent_left, percent_used, window_word

_RATES = {Is.RATE_RPM: "RPM", Is.RATE_TPM: "TPM", Is.RATE_TPD: "TPD", Is.RATE_OTHER: ""}
_FIXED_VARIANTS = {
    "PL-401-HOST": "looks",
    "PL-404-PATH": "VENDOR",
    "PL-VENDOR": "GATEWAY",
    "PL-PARSE": "GATEWAY",
    "PL-NET-PROXY": "GATEWAY",
    "PL-NET-TLS": "unnamed",
    "PL-GW-STREAM": "NO-COUNT",
    "PL-GW-TIMEOUT": "NO-LIMIT",
}


def problem_of(
    end: Ending,
    attempts: Sequence[Attempt],
    slots: Mapping[str, Slot],
    services: Services,
    voice: Voice,
    *,
    route: str,
    prompt_tokens: int,
    body_bytes: int,
    now: datetime,
) -> Problem:
    """The problem that the client and the ledger are told."""
    attempt, outcome = end.deciding, end.deciding.outcome
    slot = slots.get(attempt.slot)
    facts: dict[str, object] = {
        "account": attempt.account,
        "model": attempt.model or "?",
        "route": route,
        "first": attempt.account,
        "status": outcome.status or 0,
        "slots": "\n".join(_line(one) for one in {a.slot: a for a in attempts}.values()),
        "need": outcome.need or prompt_tokens,
        "limit": outcome.limit or 0,
        "index": outcome.limit or 0,
    }
    if slot is not None:
        facts |= _of_slot(slot, slots, services)
    if end.code == "PL-400-TOKENS":
        facts["larger"] = _larger(outcome.limit or 0, slots.values(), services, voice)
    if outcome.retry_at is not None and outcome.retry_at > now:
        wait = outcome.retry_at - now
        facts |= {"until": outcome.retry_at, "back": voice.clock(outcome.retry_at, round_up=True), "wait": wait}
        facts["wait_s"] = max(-int(-wait.total_seconds() // 1), 1)
    variant = _variant(end.code, outcome, facts, services.accounts.snapshot(attempt.account), voice, body_bytes)
    return Problem(
        code=end.code,
        facts=facts,
        variant=variant,
        words=outcome.words,
        request_id=outcome.request_id,
        retry_at=outcome.retry_at,
        account=attempt.account,
    )


def _larger(limit: int, slots: Iterable[Slot], services: Services, voice: Voice) -> str:
    """The models of the route that take more; nothing where there is none."""
    found = {}
    for slot in slots:
        model = slot.config.model
        traits = services.accounts.traits(slot.account, slot.plan.id, model) if model is not None else None
        if model is not None and traits is not None and traits.context is not None and traits.context > limit > 0:
            found[model] = f"{model} ({traits.context:,})"
    return voice.say("keys.larger", models=", ".join(found.values())) if found else ""


def _of_slot(slot: Slot, slots: Mapping[str, Slot], services: Services) -> dict[str, object]:
    state = services.admission.state(slot.group)
    facts: dict[str, object] = {
        "vendor": slot.plan.label.split()[0],
        "plan": slot.plan.label,
        "host": slot.host,
        "port": next(iter(slot.targets.values())).port,
        "seconds": 10,
        "other": slot.looks_like or "",
    }
    if state.cap is not None:
        facts |= {"in_flight": state.in_flight, "cap": state.cap, "lower_cap": max(state.cap - 2, 1)}
    if slot.region is not None:
        facts["console"] = slot.region.console
    other = next((one.account for one in slots.values() if one.account != slot.account), None)
    return facts if other is None else facts | {"other_account": other}


def _variant(
    code: str,
    outcome: Outcome,
    facts: dict[str, object],
    snapshot: Snapshot | None,
    voice: Voice,
    body_bytes: int,
) -> str:
    """Put in what this code speaks of; the variant of its wording."""
    has_time = "until" in facts
    windows = () if snapshot is None else snapshot.windows
    match code:
        case "PL-QUOTA-UNKNOWN":
            return _unexplained(facts, windows, voice)
        case "PL-QUOTA-5H" | "PL-QUOTA-7D" | "PL-QUOTA-MONTH" | "PL-QUOTA-WINDOW":
            _put_window(outcome.window or "", facts, windows, voice)
            if outcome.facts:
                facts |= outcome.facts
                return "floor" if "floor" in outcome.facts else "taken"
            return "" if has_time else "untimed"
        case "PL-GW-SPENT":
            return "" if has_time else "NO-TIME"
        case "PL-BUDGET" | "PL-SPEND-STOP":
            return _put_budget(outcome.facts or {}, facts, voice)
        case "PL-BALANCE-EMPTY" if outcome.facts:
            facts |= outcome.facts
            return "floor"
        case "PL-BALANCE-EMPTY":
            return _put_balance(facts, snapshot)
        case "PL-429-RATE":
            return _rate(outcome, facts, has_time=has_time)
        case "PL-429-PARALLEL":
            return "" if "cap" in facts and facts["in_flight"] else "NO-CAP"
        case "PL-400-TOKENS":
            return ("" if outcome.need else "NO-NEED") if outcome.limit else "NO-NUMBERS"
        case "PL-400-BODY":
            facts |= {"size": _size(outcome.need or body_bytes), "most": _size(outcome.limit or 0)}
            return ""
        case "PL-404-MODEL":
            near = closest(str(facts["model"]), () if snapshot is None else snapshot.models)
            facts["closest"] = near[0] if near else ""
            return "" if near else "ALONE"
        case "PL-NET-REFUSED":
            return "cut" if outcome.kind is Is.NET_RESET else ""
        case _:
            return _FIXED_VARIANTS.get(code, "")


def _put_budget(told: Mapping[str, str], facts: dict[str, object], voice: Voice) -> str:
    facts |= told
    facts |= {"key": told.get("name", ""), "period": voice.say(f"budget.period.{told.get('per', 'month')}")}
    if told.get("kind") in ("owner", "account"):
        facts["parent"] = voice.say(f"budget.{told['kind']}", name=told["name"])
        return "PARENT"
    return "UNCOUNTED" if told.get("kind") == "uncounted" else ""


def _rate(outcome: Outcome, facts: dict[str, object], *, has_time: bool) -> str:
    facts["rate"] = _RATES.get(outcome.kind, "")
    if outcome.kind is Is.RATE_TPD:
        return "DAY"
    return ("" if outcome.limit else "NO-LIMIT") if has_time else "NO-TIME"


def _unexplained(facts: dict[str, object], windows: Sequence[Window], voice: Voice) -> str:
    read = [(window, window.used_ratio) for window in windows if window.used_ratio is not None]
    figures = (f"{window_word(window.id, window.label, voice)} {percent_used(used)}" for window, used in read)
    facts["windows"] = voice.say("windows.comma").join(figures)
    return "" if read else "unread"


def _put_window(spent: str, facts: dict[str, object], windows: Sequence[Window], voice: Voice) -> None:
    label = next((window.label for window in windows if window.id == spent), spent)
    facts["window"] = voice.say("windows.quota", window=window_word(spent, label, voice))
    rest = [(w, w.used_ratio) for w in windows if w.id != spent and w.used_ratio is not None and w.used_ratio < 1]
    longest = max(rest, key=lambda pair: pair[0].span_s or 0, default=None)
    facts["other"] = ""
    if longest is not None:
        window, used = longest
        word = voice.say("windows.quota", window=window_word(window.id, window.label, voice))
        facts["other"] = voice.say("windows.unused", window=word, percent=percent_left(used))


def _put_balance(facts: dict[str, object], snapshot: Snapshot | None) -> str:
    balance = None if snapshot is None else snapshot.balance
    if balance is None:
        return "unread"
    facts["available"] = Money(balance.available, balance.currency)
    if balance.cash is None:
        return ""
    facts["cash"] = Money(balance.cash, balance.currency)
    return "owed" if balance.cash < 0 else "cash"


def _line(attempt: Attempt) -> str:
    return f"{attempt.slot}: {attempt.outcome.code or attempt.outcome.kind.value}"


def _size(count: int) -> str:
    if count == 2 * 1024 * 1024:
        return "2 MiB"
    return f"{count / 1_000_000:.1f} MB" if count >= 1_000_000 else f"{count / 1000:.0f} kB"
