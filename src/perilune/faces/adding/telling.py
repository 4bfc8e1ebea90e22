"""What is said while a key is tried and saved."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from perilune.catalog.plan import Plan, Region
from perilune.core.errors import Problem
from perilune.core.messages import Voice
from perilune.core.money import Money
from perilune.core.numbers import plain
from perilune.core.width import pad, width, wrap
from perilune.monitor.detect import Detection, Target, Tried
from perilune.providers.contract.paste import Removed
from perilune.quota.snapshot import Snapshot, Window
from perilune.quota.wording import percent_left, window_word

_COLUMNS = 80
_LAYERS = {"PL-NET-DNS": "dns", "PL-NET-REFUSED": "refused", "PL-NET-TIMEOUT": "timeout", "PL-NET-TLS": "tls",
           "PL-NET-PROXY": "proxy", "PL-NET-REDIRECT": "redirect"}  # fmt: skip


def announcement(hosts: Sequence[Target], voice: Voice) -> list[str]:
    """Where the key goes, before it goes there."""
    pairs = [[target.host for target in group] for _, group in groupby(hosts, key=lambda target: target.plan.id)]
    named = voice.say("add.then").join(voice.say("add.and").join(pair) for pair in pairs)
    message_id = "add.trying" if len(hosts) > 1 else "add.trying_one"
    return wrap(voice.say(message_id, hosts=named), _COLUMNS)


def probe_lines(tried: Sequence[Tried], voice: Voice) -> Iterator[str]:
    """One line per host."""
    column = max(27, *(width(one.target.base) + 2 for one in tried))
    for one in tried:
        verdict = voice.say(f"add.{one.probed.verdict.replace('-', '_')}")
        yield f"  {pad(one.target.base, column)}{pad(verdict, 11)}{_detail(one, voice)}".rstrip()


def _detail(one: Tried, voice: Voice) -> str:
    if one.probed.verdict == "accepted":
        shape = "" if one.probed.snapshot else voice.say("add.shape_unknown")
        return " ".join(part for part in (f"{one.probed.took_ms or 0} ms", shape) if part)
    return str(one.probed.status) if one.probed.status is not None else _layer(one, voice)


def _layer(one: Tried, voice: Voice) -> str:
    code = one.probed.problem.code if one.probed.problem else ""
    return voice.say(f"add.layer.{_LAYERS.get(code, 'other')}")


def evidence(tried: Sequence[Tried], voice: Voice) -> tuple[str, ...]:
    """What was tried, as an error shows it: `api.kimi.com/coding 401`; those not reached last."""
    said = [f"{_short(one.target)} {one.probed.status}" for one in tried if one.probed.status is not None]
    silent = [
        voice.say("add.silent", host=_short(one.target), layer=_layer(one, voice))
        for one in tried
        if one.probed.status is None
    ]
    return (*said, *silent)


def _short(target: Target) -> str:
    return target.base.removesuffix("/v1")


def removed_text(removed: Sequence[Removed], voice: Voice, *, in_error: bool = False) -> str:
    """What was taken off the paste, `a pair of quotes and 1 line break`; empty when nothing was."""
    words = [_removed_word(one, voice, in_error=in_error) for one in removed]
    ordered = words if in_error else sorted(words, key=lambda word: word[0])
    return voice.say("add.and_removed").join(word for _, word in ordered)


def _removed_word(one: Removed, voice: Voice, *, in_error: bool) -> tuple[int, str]:
    what = one.what
    if what == "trailing_line_break" and not in_error:
        what = "line_break"
    suffix = ".many" if one.count > 1 else ""
    order = 1 if "line_break" in what else 0
    return order, voice.say(f"add.removed.{what}{suffix}", count=one.count, text=one.text)


def result_line(plan: Plan, region: Region | None, snapshot: Snapshot | None, voice: Voice) -> str:
    """`Kimi Code · cn (kimi.com) · Allegretto · 5 h 61 left · 7 days 1834 left`."""
    place = voice.say("add.place", region=region.id, site=region.site) if region else ""
    parts = [plan.label, place]
    if plan.unit == "quota":
        parts.append((snapshot.plan_title if snapshot else None) or voice.say("add.no_title"))
    if snapshot is not None:
        parts += [_window_part(window, voice) for window in snapshot.windows]
    if snapshot is not None and snapshot.balance is not None:
        money = Money(snapshot.balance.available, snapshot.balance.currency)
        parts.append(voice.say("add.available", money=money))
    return " · ".join(part for part in parts if part)


def _window_part(window: Window, voice: Voice) -> str:
    name = window_word(window.id, window.label, voice)
    if window.unit == "requests" and window.remaining is not None:
        return voice.say("add.window", window=name, left=plain(window.remaining))
    if window.used_ratio is None:
        return voice.say("add.window", window=name, left="–")
    return voice.say("add.window", window=name, left=f"{percent_left(window.used_ratio)}%")


def wrapped_result(line: str, mark: str, columns: int) -> list[str]:
    """The result with its mark, broken between its parts where it is wider than the screen."""
    lines: list[str] = []
    room = min(columns, _COLUMNS)
    for part in line.split(" · "):
        longer = f"{lines[-1]} · {part}" if lines else f"{mark} {part}"
        if lines and width(longer) > room:
            lines.append(f"  {part}")
        else:
            lines[-1:] = [longer]
    return lines


def failure(detection: Detection, removed: Sequence[Removed], voice: Voice, *, is_narrowed: bool) -> Problem:
    """Why nothing was saved."""
    tried = evidence(detection.tried, voice)
    facts: dict[str, object] = {"removed": removed_text(removed, voice, in_error=True)} if removed else {}
    facts["pages"] = voice.say("add.or").join(_pages(detection))
    match detection.outcome:
        case "refused":
            return Problem(code="PL-401-ALL", variant="some" if is_narrowed else "", facts=facts, tried=tried)
        case "unsure":
            return _unsure(detection, facts, tried, voice)
        case "forbidden" if detection.chosen and detection.chosen.probed.problem:
            problem = detection.chosen.probed.problem
            named = {"host": detection.chosen.target.host, **problem.facts, "account": voice.say("add.this_key")}
            return Problem(
                code="PL-403-READ", facts=named, words=problem.words, tried=tried, request_id=problem.request_id
            )
        case _:
            return _not_reached(detection, facts, tried)


def _pages(detection: Detection) -> list[str]:
    """Where keys are made, for every region of the plans that were not reached, or else were asked."""
    asked = detection.with_verdict("not-reached") or detection.tried
    plans = {one.target.plan.id: one.target.plan for one in asked}
    return [region.keys_page for plan in plans.values() for region in sorted(plan.regions, key=lambda one: one.id)]


def _unsure(detection: Detection, facts: dict[str, object], tried: tuple[str, ...], voice: Voice) -> Problem:
    silent = detection.with_verdict("not-reached")
    hosts = voice.say("add.and").join(one.target.host for one in silent)
    facts |= {"hosts": hosts, "host": hosts}
    if len(silent) > 1:
        return Problem(code="PL-ADD-UNSURE", variant="many", facts=facts, tried=tried)
    target, code = silent[0].target, silent[0].probed.problem.code if silent[0].probed.problem else ""
    facts |= {"plan": target.plan.label, "region": target.region.id}
    return Problem(code="PL-ADD-UNSURE", variant="dns" if code == "PL-NET-DNS" else "", facts=facts, tried=tried)


def _not_reached(detection: Detection, facts: dict[str, object], tried: tuple[str, ...]) -> Problem:
    found = next((one.probed.problem for one in detection.tried if one.probed.problem), None)
    if found is None:
        return Problem(code="PL-ADD-UNSURE", variant="many", facts={**facts, "hosts": "–"}, tried=tried)
    variant = f"{found.variant} add".strip()
    return Problem(code=found.code, variant=variant, facts={**found.facts, **facts}, tried=tried)
