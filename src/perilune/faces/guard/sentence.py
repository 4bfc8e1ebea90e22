"""The guard's one line."""

from collections.abc import Sequence
from datetime import timedelta

from perilune.core.messages import Voice, message
from perilune.quota.guard import Judged
from perilune.quota.wording import percent_left, window_word


def sentence(judged: Judged, voice: Voice) -> str:
    """The answer for one account in one line."""
    if judged.decision == "unchecked":
        return _unchecked(judged, voice)
    if judged.available is not None:
        amount = judged.available.shown(with_code=True)
        return voice.say(f"guard.{judged.decision}.money", account=judged.account, amount=amount, wanted=wanted(judged))
    line = voice.say(
        f"guard.{judged.decision}",
        account=judged.account,
        window=window_name(judged, voice),
        left=left(judged),
        wanted=wanted(judged),
    )
    if judged.decision == "safe" or judged.resets_at is None:
        return line
    clock = voice.clock(judged.resets_at, round_up=True)
    return line + voice.say("guard.resets", clock=clock, wait=judged.resets_at - voice.now)


def waiting_sentence(judged: Judged, voice: Voice) -> str:
    """What is waited for, and until when."""
    at = judged.resets_at or voice.now
    clock = voice.clock(at, round_up=True)
    return voice.say(
        "guard.waiting", account=judged.account, window=window_name(judged, voice), clock=clock, wait=at - voice.now
    )


def summary_table(judged: Sequence[Judged], voice: Voice) -> str:
    """All accounts as a Markdown table."""
    lines = [voice.say("guard.table"), "|---|---|---|"]
    for one in judged:
        line = sentence(one, voice).replace("|", "\\|")
        lines.append(f"| {one.account} | {one.decision} | {line} |")
    return "\n".join(lines) + "\n"


def window_name(judged: Judged, voice: Voice) -> str:
    """`5 h`, `7 days`, `quota`."""
    if judged.window is None:
        return "–"
    if judged.window in ("quota", "balance"):
        return voice.say(f"guard.{judged.window}")
    return window_word(judged.window, judged.label or judged.window, voice)


def left(judged: Judged) -> str:
    """`31%`, or `61` where a count was asked for."""
    if judged.wanted.kind == "count" and judged.left is not None:
        return f"{judged.left:g}"
    return "–" if judged.left_ratio is None else f"{percent_left(1 - judged.left_ratio)}%"


def wanted(judged: Judged) -> str:
    """`20%`, `50`, `CNY 30`."""
    return judged.wanted.text


def _unchecked(judged: Judged, voice: Voice) -> str:
    facts: dict[str, object] = {
        "account": judged.account,
        "window": window_name(judged, voice),
        "wanted": wanted(judged),
        "age": "–" if judged.age_s is None else voice.age_ago(timedelta(seconds=judged.age_s)),
    }
    match judged.reason:
        case "network" | "vendor":
            return _unreached(judged, voice)
        case "window_absent" if judged.window == "balance":
            return voice.say("guard.no_balance", **facts)
        case "window_absent":
            absent = "guard.no_window" if judged.window else "guard.no_windows"
            return voice.say(absent, **{**facts, "window": judged.window or ""})
        case "unit" if judged.available is not None:
            return voice.say("guard.no_share", **facts)
        case "unit":
            return voice.say("guard.no_counts", **facts)
        case "stale" if judged.age_s is not None:
            return voice.say("guard.stale", **facts)
        case _:
            return voice.say("guard.unread", **facts)


def _unreached(judged: Judged, voice: Voice) -> str:
    failure = judged.failure
    facts = failure.facts if failure else {}
    code = failure.code if failure else ""
    cause = code
    if message("en", f"guard.cause.{code}"):
        cause = voice.say(f"guard.cause.{code}", seconds=facts.get("seconds", "8"), status=facts.get("status", "–"))
    host = facts.get("host") or judged.account
    text = "guard.unreached" if judged.reason == "network" else "guard.unanswered"
    line = voice.say(text, host=host, cause=cause)
    if judged.age_s is None:
        return line + voice.say("guard.never")
    have = judged.available.shown(with_code=True) if judged.available else left(judged)
    return line + voice.say("guard.last", age=voice.age_ago(timedelta(seconds=judged.age_s)), left=have)
