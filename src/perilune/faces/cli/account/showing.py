"""What `accounts list` and `accounts show` print."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

from perilune.catalog.plan import Plan
from perilune.config.schema import AccountConfig
from perilune.core.messages import Voice
from perilune.core.width import pad, width, wrap
from perilune.faces.text.fitting import fitted
from perilune.quota.document import AccountDocument, WindowDocument
from perilune.quota.wording import percent_used, window_word

_LABEL_COLUMN = 11
_COLUMNS = 80
_MODELS_SHOWN = 3


def table(
    rows: Sequence[Sequence[str]], room: int, right: Sequence[int] = (), spare: Sequence[int] = ()
) -> Iterator[str]:
    """Rows in columns two spaces apart, by display width; without the `spare` ones where there is no room for them."""
    found = fitted(rows, room, spare=spare)
    for row in rows:
        shown = zip(found.columns, found.widths, strict=True)
        yield "  ".join(pad(row[at], wide, "right" if at in right else "left") for at, wide in shown).rstrip()


def list_row(account: AccountConfig, plan: Plan, key: str, known: AccountDocument | None, voice: Voice) -> list[str]:
    """One line of the list: name, plan, region, source, key, cap, state, age."""
    cap = account.max_concurrent_requests or plan.default_cap
    age = voice.age(timedelta(seconds=known.age_s)) if known and known.age_s is not None else "–"
    state = known.state if known else "–"
    source = known.source if known else "api-key" if account.key else "–"
    return [account.name, account.plan, account.region or "–", source, key, str(cap or "–"), state, age]


def show_lines(
    account: AccountConfig,
    plan: Plan,
    key: str,
    host: str,
    known: AccountDocument | None,
    models: Sequence[str],
    proof: str,
    voice: Voice,
) -> Iterator[str]:
    """Everything about one account, one fact a line."""
    say = voice.say
    region = plan.region(account.region)
    place = say("accounts.place", region=region.id, site=region.site) if region else account.region
    title = known.plan_title if known else None
    yield from _fact(account.name, " · ".join(part for part in (plan.label, title, place) if part))
    parts = (key, account.key or "–", say("accounts.bound", host=host) if host else "")
    yield from _fact(say("accounts.key"), "   ".join(part for part in parts if part))
    if account.key:
        yield from _fact(say("accounts.verified"), proof)
    yield from _fact(say("accounts.read_by"), _sources(account, voice))
    if plan.windows:
        yield from _fact(say("accounts.windows"), _windows(plan, known, voice))
    yield from _fact(say("accounts.limits"), _limits(account, known, voice))
    yield from _fact(say("accounts.models"), _models(models, plan.default_model, known, voice))
    yield from _fact(say("accounts.last_read"), _last_read(known, voice))
    yield from _fact(say("accounts.last_error"), _last_error(known, voice))
    if plan.personal_use:
        yield from _fact(say("accounts.terms"), say("accounts.personal", plan=plan.label))


def _fact(label: str, text: str) -> Iterator[str]:
    first, *rest = wrap(text, _COLUMNS - _LABEL_COLUMN)
    yield (pad(label, _LABEL_COLUMN) if width(label) < _LABEL_COLUMN else f"{label} ") + first
    yield from (" " * _LABEL_COLUMN + line for line in rest)


def _sources(account: AccountConfig, voice: Voice) -> str:
    sources = ["api-key"] if account.source == "auto" else [account.source]
    listed = "   ".join(f"{number}. {source}" for number, source in enumerate(sources, start=1))
    off = account.cookie_source == "off" and account.source != "web-session"
    return f"{listed}   {voice.say('accounts.web_off')}" if off else listed


def _windows(plan: Plan, known: AccountDocument | None, voice: Voice) -> str:
    """The windows as reported, and those of the plan that were not."""
    if known is None or known.fetched_at is None:
        return voice.say("accounts.not_read")
    reported = {window.id for window in known.windows}
    absent = [window for window in plan.windows if window.id not in reported]
    parts = [_window(window, voice) for window in known.windows]
    parts += [
        voice.say("accounts.window_absent", window=window_word(window.id, window.label, voice)) for window in absent
    ]
    return " · ".join(parts)


def _window(window: WindowDocument, voice: Voice) -> str:
    name = window_word(window.id, window.label, voice)
    used = "–" if window.used_ratio is None else percent_used(Decimal(str(window.used_ratio)))
    return voice.say("accounts.window", window=name, used=used)


def _limits(account: AccountConfig, known: AccountDocument | None, voice: Voice) -> str:
    limits = known.limits if known else None
    is_read = known is not None and known.fetched_at is not None
    reported = limits.concurrency if limits and is_read else None
    server = reported if reported != account.max_concurrent_requests else None
    concurrency = str(server or account.max_concurrent_requests or "–")
    origin = "accounts.by_server" if server else "accounts.by_setting" if account.max_concurrent_requests else ""
    first = f"{concurrency} ({voice.say(origin)})" if origin else concurrency
    rpm = (limits.rpm if limits else None) or account.rpm or "–"
    tpm = (limits.tpm if limits else None) or account.tpm or "–"
    return voice.say("accounts.limit_values", concurrency=first, rpm=str(rpm), tpm=str(tpm))


def _models(models: Sequence[str], default: str | None, known: AccountDocument | None, voice: Voice) -> str:
    """The plan's own model first, then a few, then how many more."""
    if not models:
        return "–" if known and known.fetched_at else voice.say("accounts.not_read")
    ordered = sorted(models, key=lambda model: model != default)
    shown = voice.say("accounts.comma").join(ordered[:_MODELS_SHOWN])
    rest = len(ordered) - _MODELS_SHOWN
    return voice.say("accounts.more_models", shown=shown, count=rest) if rest > 0 else shown


def _last_read(known: AccountDocument | None, voice: Voice) -> str:
    if known is None or known.age_s is None:
        return "–"
    took = f"{known.took_ms} ms" if known.took_ms is not None else ""
    return ", ".join(part for part in (voice.age_ago(timedelta(seconds=known.age_s)), known.origin, took) if part)


def _last_error(known: AccountDocument | None, voice: Voice) -> str:
    if known is None or known.error is None:
        return voice.say("accounts.no_error") if known else "–"
    return f"{known.error.code}: {known.error.message}"
