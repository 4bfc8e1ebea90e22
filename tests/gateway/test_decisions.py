"""The tables themselves: failover, states, endings, clocks, guard of headers. Pure, and for many inputs."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.config.overrides import unwrapped
from perilune.config.schema import GatewayConfig, SlotConfig
from perilune.core.errors import Problem
from perilune.core.messages import Voice, message
from perilune.dialects.form import Dialect
from perilune.gateway.call import Attempt
from perilune.gateway.clocks import Clocks
from perilune.gateway.failover import MOST_TRIES_PER_SLOT, PROMPT_CAUSED, Move, Situation, decide
from perilune.gateway.final import ending
from perilune.gateway.override import override_changes
from perilune.gateway.state_rules import RULES, next_day_in_beijing
from perilune.gateway.states import States
from perilune.gateway.sticky import Stays
from perilune.providers.contract.classify import code_of, plain_code
from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.providers.contract.registry import providers
from perilune.providers.contract.table import Found
from perilune.providers.contract.words import VendorError

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KINDS = st.sampled_from(sorted(Is))
SITUATIONS = st.builds(
    Situation,
    is_committed=st.booleans(),
    tries=st.integers(1, 3),
    any_byte=st.booleans(),
    retry_after_s=st.none() | st.floats(0, 100_000),
    remaining_s=st.floats(0, 1800),
    rate_wait_s=st.floats(0, 60),
    rate_rule=st.sampled_from(["wait_then_failover", "failover", "wait"]),
    policy=st.none() | st.sampled_from(["next", "same_then_next", "wait", "stop"]),
    jitter=st.floats(0, 1),
    was_corrected=st.booleans(),
    can_correct=st.booleans(),
    can_speak_messages=st.booleans(),
    was_requeued=st.booleans(),
    others_in_flight=st.integers(0, 30),
    unknowns=st.integers(1, 3),
    has_next=st.booleans(),
)


@given(KINDS, SITUATIONS)
def test_nobody_else_is_asked_after_content_or_for_what_the_prompt_caused(kind: Is, now: Situation) -> None:
    step = decide(kind, now)
    if now.is_committed or kind in (Is.BAD_REQUEST, Is.CONTENT_FILTERED, Is.CLIENT_GONE, Is.TIMEOUT_TOTAL):
        assert step.move is Move.STOP
    if kind in PROMPT_CAUSED:
        assert step.move in (Move.STOP, Move.CORRECTED, Move.LARGER)


@given(KINDS, SITUATIONS)
def test_a_wait_always_fits_the_deadline(kind: Is, now: Situation) -> None:
    step = decide(kind, now)
    if step.move is Move.SAME:
        assert step.wait_s < now.remaining_s
    if step.move is Move.SAME and now.policy != "wait":
        assert now.tries < MOST_TRIES_PER_SLOT
    if step.move is Move.CORRECTED:
        assert not now.was_corrected


@given(st.lists(KINDS, min_size=1, max_size=30), SITUATIONS)
def test_every_request_comes_to_an_end(kinds: list[Is], base: Situation) -> None:
    """Whatever the slots answer, moves that stay on one slot are bounded: two tries each."""
    from msgspec.structs import replace

    tries = 1
    for kind in kinds:
        step = decide(kind, replace(base, tries=tries, policy=None, was_corrected=tries > 1, was_requeued=tries > 1))
        if step.move in (Move.SAME, Move.REQUEUE, Move.CORRECTED):
            tries += 1
        elif step.move is Move.AS_MESSAGES:
            base = replace(base, can_speak_messages=False)
        else:
            tries = 1
        assert tries <= MOST_TRIES_PER_SLOT


FACTS = {
    "account": "work", "model": "m", "route": "default", "vendor": "V", "plan": "P", "host": "h", "status": 500,
    "need": 2, "limit": 1, "index": 3, "console": "https://c", "other_account": "ci", "port": 443, "seconds": 10,
    "size": "3 MB", "most": "2 MiB", "slots": "s", "window": "5 h", "back": "14:07", "wait": timedelta(minutes=3),
    "other": "", "windows": "5 h 1%", "available": "0", "rate": "RPM", "wait_s": 2, "in_flight": 3, "cap": 2,
    "lower_cap": 1, "closest": "n", "kind": "text", "detail": "d", "feature": "f", "tokens": 3, "limit_s": 4,
    "issuer": "i", "proxy": "p", "code": "c", "scode": "s", "first": "work", "until": NOW,
}  # fmt: skip


@pytest.mark.case("gateway CL-22")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("kind", sorted(set(Is) - {Is.OK, Is.CLIENT_GONE}))
def test_every_class_has_a_headline_and_a_fix(kind: Is, language) -> None:
    variants = {"PL-404-PATH": "VENDOR", "PL-VENDOR": "GATEWAY", "PL-PARSE": "GATEWAY"}
    code = plain_code(kind)
    words = Voice(language=language, now=NOW).explain(Problem(code=code, facts=FACTS, variant=variants.get(code, "")))
    assert words.what != code
    assert words.fix
    assert message(language, f"{code}.what") or message(language, f"{code}.title")


@pytest.mark.parametrize(
    ("window", "code"), [("5h", "5H"), ("7d", "7D"), ("month", "MONTH"), ("3h", "WINDOW"), (None, "UNKNOWN")]
)
def test_a_spent_window_has_its_own_code(window, code) -> None:
    assert code_of(Found(kind=Is.QUOTA_SPENT, window=window), 403, VendorError()) == f"PL-QUOTA-{code}"


def attempt(slot: str, kind: Is, in_s: float | None = None, status: int | None = None) -> Attempt:
    at = None if in_s is None else NOW + timedelta(seconds=in_s)
    outcome = Outcome(kind=kind, code=plain_code(kind), retry_at=at, status=status)
    return Attempt(slot=slot, account=slot, model="m", surface="chat", outcome=outcome, started_at=NOW)


ENDINGS = [
    ([attempt("a", Is.BALANCE_EMPTY)], 402, "PL-BALANCE-EMPTY", None, False),
    ([attempt("a", Is.QUOTA_SPENT, 60), attempt("b", Is.BALANCE_EMPTY)], 402, "PL-GW-SPENT", 60, False),
    ([attempt("a", Is.AUTH_REFUSED), attempt("b", Is.AUTH_REFUSED)], 403, "PL-GW-DOWN", None, False),
    ([attempt("a", Is.AUTH_REFUSED), attempt("b", Is.BALANCE_EMPTY)], 402, "PL-GW-DOWN", None, False),
    ([attempt("a", Is.RATE_RPM, 20), attempt("b", Is.QUOTA_SPENT, 10_800)], 429, "PL-GW-DOWN", 20, True),
    ([attempt("a", Is.RATE_RPM, 90)], 429, "PL-429-RATE", 90, False),
    ([attempt("a", Is.BUSY), attempt("b", Is.QUOTA_SPENT, 20)], 402, "PL-GW-DOWN", 20, False),
    ([attempt("a", Is.BUSY), attempt("b", Is.QUOTA_SPENT, 40)], 503, "PL-GW-DOWN", 1, None),
    ([attempt("a", Is.TIMEOUT_FIRST)], 504, "PL-GW-TIMEOUT", None, False),
    ([attempt("a", Is.MODEL_UNKNOWN)], 404, "PL-404-MODEL", None, False),
    ([attempt("a", Is.BALANCE_EMPTY), attempt("b", Is.BAD_REQUEST)], 400, "PL-400-REQUEST", None, False),
    ([attempt("a", Is.BODY_TOO_LARGE)], 413, "PL-400-BODY", None, False),
    ([attempt("a", Is.UNKNOWN, status=418)], 418, "PL-VENDOR", 1, None),
]


@pytest.mark.parametrize(("attempts", "status", "code", "wait", "retry"), ENDINGS)
def test_the_first_to_be_back_decides(attempts, status, code, wait, retry) -> None:
    end = ending(attempts, Dialect.CHAT, NOW)
    assert (end.status, end.code, end.retry_after_s, end.should_retry) == (status, code, wait, retry)


def test_messages_clients_get_their_own_status_for_overload() -> None:
    assert ending([attempt("a", Is.BUSY)], Dialect.MESSAGES, NOW).status == 529


def failing(states: States, kind: Is, now: datetime, **more):
    return states.failed(Outcome(kind=kind, code=plain_code(kind), **more), lambda scope: f"{scope}:x", now)


def test_three_faults_in_a_minute_close_a_slot() -> None:
    states = States()
    assert failing(states, Is.TRANSIENT, NOW) is None
    assert failing(states, Is.TRANSIENT, NOW + timedelta(seconds=30)) is None
    assert failing(states, Is.TRANSIENT, NOW + timedelta(seconds=100)) is None
    assert failing(states, Is.TRANSIENT, NOW + timedelta(seconds=101)) is None
    state = failing(states, Is.TRANSIENT, NOW + timedelta(seconds=102))
    assert state is not None
    assert state.until == NOW + timedelta(seconds=107)


@pytest.mark.parametrize("kind", sorted(RULES))
def test_a_success_closes_whatever_was_open(kind: Is) -> None:
    states = States()
    for _ in range(3):
        failing(states, kind, NOW)
    scope = f"{RULES[kind].scope}:x"
    assert states.blocking((scope,), NOW) is not None
    states.succeeded((scope,))
    assert states.is_calm


def test_only_one_request_is_let_through_half_open() -> None:
    states = States()
    failing(states, Is.PERMISSION, NOW)
    later = NOW + timedelta(minutes=16)
    scopes = ("account:x", "slot:y")
    assert states.admit(scopes, NOW) is None
    assert states.admit(scopes, later) == ("account:x",)
    assert states.admit(scopes, later) is None
    assert states.admit(scopes, later + timedelta(seconds=31)) == ("account:x",)
    states.give_back(("account:x",))
    assert states.admit(scopes, later) == ("account:x",)


def test_a_refused_key_is_reopened_once_by_a_free_read() -> None:
    states, kinds = States(), frozenset({Is.AUTH_REFUSED})
    failing(states, Is.AUTH_REFUSED, NOW)
    assert states.blocking(("account:x",), NOW + timedelta(days=99)) is not None
    assert states.evidence("account:x", kinds)
    assert states.admit(("account:x",), NOW) == ("account:x",)
    failing(states, Is.AUTH_REFUSED, NOW)
    assert not states.evidence("account:x", kinds)
    assert states.blocking(("account:x",), NOW + timedelta(days=99)) is not None


def test_a_ban_ends_by_hand_only() -> None:
    states = States()
    failing(states, Is.BANNED, NOW)
    assert not states.evidence("account:x", frozenset(Is))
    states.clear(("account:x",))
    assert states.is_quiet


def test_a_day_limit_begins_anew_in_beijing() -> None:
    assert next_day_in_beijing(NOW) == datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
    state = failing(States(), Is.RATE_TPD, NOW.replace(hour=15, minute=30))
    assert state.until == datetime(2026, 11, 20, 16, 0, tzinfo=UTC)


def test_a_stay_on_money_ends_after_half_an_hour() -> None:
    stays = Stays()
    stays.served("r", "s", "b", NOW, is_main=False)
    for minutes in (9, 18, 27, 31):
        at = NOW + timedelta(minutes=minutes)
        slot = stays.slot_of("r", "s", at, money_instead_of_quota=True)
        if slot is not None:
            stays.served("r", "s", slot, at, is_main=False)
    assert slot is None


def test_the_clocks_follow_client_slot_and_prompt() -> None:
    clocks = Clocks.of(GatewayConfig())
    assert clocks.for_client({"x-stainless-timeout": "600"}).client_s == 600
    assert clocks.for_client({"x-stainless-timeout": "NOT_GIVEN", "x-stainless-read-timeout": "30"}).client_s == 30
    assert clocks.for_client({"x-stainless-timeout": "nan"}).client_s is None
    assert clocks.first_for(SlotConfig(account="a"), 100) == 300
    assert clocks.first_for(SlotConfig(account="a"), 100_001) == 600
    assert clocks.first_for(SlotConfig(account="a", first_content_timeout_s=7), 100_001) == 7


def test_an_override_is_unwrapped_and_merged() -> None:
    from msgspec import Raw

    from perilune.dialects.splice import REMOVE

    assert unwrapped({"openaiCompatible": {"a": 1}}, providers()) == {"a": 1}
    assert unwrapped({"moonshot": {"a": 1}}, providers()) == {"a": 1}
    assert unwrapped({"other": {"a": 1}}, providers()) == {"other": {"a": 1}}
    members = {"thinking": Raw(b'{"type":"enabled","keep":"all"}')}
    override = {"thinking": {"type": "disabled", "keep": None}, "temperature": None, "n": 2}
    assert override_changes(override, members) == {"thinking": {"type": "disabled"}, "temperature": REMOVE, "n": 2}
