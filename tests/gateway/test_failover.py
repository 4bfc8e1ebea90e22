"""Failover over the played vendors: which slot is asked next, and what the client gets when none answers."""

from datetime import timedelta

import pytest

from .conftest import Build, House, route

DIALECTS = ["chat", "responses", "messages"]
A, B = "api.moonshot.ai", "api.moonshot.cn"
TWO = ("ci/kimi-k2.6", "lab/kimi-k2.6")


def fault(house: House, host: str = A, count: int | None = 1, **what) -> None:
    house.world.queue_fault(host=host, count=count, **what)


def hosts(house: House) -> list[str]:
    return [seen.host for seen in house.seen()]


@pytest.fixture(
    params=[(d, s) for d in DIALECTS for s in (False, True)], ids=lambda p: f"{p[0]}{'-stream' if p[1] else ''}"
)
def way(request):
    """Each dialect, streamed and not: the decisions are the same."""
    return request.param


@pytest.mark.case("gateway FO-01")
@pytest.mark.case("gateway FO-20")
@pytest.mark.parametrize(
    ("slot", "refusal", "kind"),
    [
        ("work/kimi-for-coding", "code-err-403-5hour", "quota_spent"),
        ("ci/kimi-k2.6", "dev-err-429-balance-suspended", "balance_empty"),
        ("ci/kimi-k2.6", "dev-err-401-incorrect-key", "auth_refused"),
        ("ci/kimi-k2.6", "dev-err-404-model", "model_unknown"),
        ("work/kimi-for-coding", "code-err-401-no-model-access", "model_denied"),
        ("work/kimi-for-coding", "code-err-402-membership", "member_lapsed"),
        ("ci/kimi-k2.6", "dev-err-403-api-not-open", "permission"),
        ("work/kimi-for-coding", "code-err-403-terminated", "banned"),
    ],
)
async def test_a_slot_that_cannot_is_left_at_once(build: Build, way, slot: str, refusal: str, kind: str) -> None:
    house = build(route(slot, "lab/kimi-k2.6"))
    fault(house, host="*", refusal=refusal)
    answer = await house.client.ask(way[0], stream=way[1])
    assert (answer.status, answer.attempts, answer.headers["x-perilune-account"]) == (200, 2, "lab")
    assert len(house.seen()) == 2
    assert [row.outcome for row in house.rows.attempts[0]] == [kind, "ok"]
    assert house.in_flight() == 0


@pytest.mark.case("gateway FO-02")
async def test_a_server_fault_is_tried_once_more(build: Build, way) -> None:
    house = build(route(*TWO))
    fault(house, count=2, status=500, body="{}")
    answer = await house.client.ask(way[0], stream=way[1])
    assert (answer.status, hosts(house)) == (200, [A, A, B])


@pytest.mark.case("gateway FO-03")
async def test_a_long_rate_limit_is_not_waited_for(build: Build, way) -> None:
    house = build(route(*TWO))
    fault(house, refusal="dev-err-429-rpm", wait_s=30)
    answer = await house.client.ask(way[0], stream=way[1])
    assert (answer.status, hosts(house)) == (200, [A, B])


@pytest.mark.case("gateway FO-04")
async def test_a_short_rate_limit_is_waited_for(build: Build, monkeypatch) -> None:
    waits = _no_sleep(monkeypatch)
    house = build(route(*TWO))
    fault(house, refusal="dev-err-429-rpm", wait_s=2)
    answer = await house.client.chat()
    assert (answer.status, hosts(house), waits) == (200, [A, A], [2.0])


@pytest.mark.case("gateway FO-05")
@pytest.mark.parametrize(
    ("refusal", "code", "kind"),
    [
        ("dev-err-400-content-filter", "PL-400-FILTER", "content_filter"),
        ("dev-err-400-invalid-request", "PL-400-REQUEST", "invalid_request_error"),
    ],
)
async def test_what_the_prompt_caused_is_not_sent_elsewhere(build: Build, refusal, code, kind) -> None:
    house = build(route(*TWO))
    fault(house, refusal=refusal, facts={"reason": "x"})
    answer = await house.client.chat()
    assert (answer.status, answer.error["code"], answer.error["type"]) == (400, code, kind)
    assert hosts(house) == [A]
    assert answer.headers["x-should-retry"] == "false"


@pytest.mark.case("gateway FO-06")
async def test_an_overflow_goes_to_a_larger_window_only(build: Build, way) -> None:
    house = build(route("ci/kimi-k2.6", "lab/kimi-k2.7-code", "ci/kimi-k3"))
    fault(house, status=400, body=OVERFLOW)
    answer = await house.client.ask(way[0], stream=way[1])
    assert answer.status == 200
    assert [row.model for row in house.rows.attempts[0]] == ["kimi-k2.6", "kimi-k3"]


OVERFLOW = {
    "error": {
        "type": "invalid_request_error",
        "message": "Your request exceeded model token limit: 262144 (requested: 558009)",
    }
}


@pytest.mark.parametrize(
    ("dialect", "phrase"),
    [
        ("chat", "maximum context length is 262144 tokens"),
        ("messages", "prompt is too long: 558009 tokens > 262144 maximum"),
    ],
)
async def test_an_overflow_is_told_in_words_that_agents_know(build: Build, dialect: str, phrase: str) -> None:
    house = build(route("ci/kimi-k2.6"))
    fault(house, status=400, body=OVERFLOW)
    answer = await house.client.ask(dialect, stream=True)
    assert (answer.status, answer.error["code"]) == (400, "PL-400-TOKENS")
    assert phrase in answer.error["message"]
    assert "558,009" in answer.error["message"]


@pytest.mark.case("gateway FO-07")
async def test_a_good_answer_ends_it(build: Build) -> None:
    house = build(route(*TWO))
    assert (await house.client.chat()).headers["x-perilune-account"] == "ci"
    assert hosts(house) == [A]


@pytest.mark.case("gateway FO-08")
async def test_when_all_fail_the_first_to_be_back_decides(build: Build, way) -> None:
    house = build(route(*TWO))
    fault(house, host=A, refusal="dev-err-429-balance-suspended")
    fault(house, host=B, refusal="dev-err-429-tpd", facts={"current": 2, "limit": 1})
    answer = await house.client.ask(way[0], stream=way[1])
    assert (answer.status, answer.headers["x-should-retry"]) == (429, "false")
    assert 1 <= int(answer.headers["retry-after"]) <= 3600
    assert answer.error["code"] == "PL-GW-DOWN"
    assert [entry["outcome"] for entry in answer.error["attempts"]] == ["balance_empty", "rate_tpd"]
    assert [entry["code"] for entry in answer.error["attempts"]] == ["PL-BALANCE-EMPTY", "PL-429-RATE"]


@pytest.mark.case("gateway FO-09")
async def test_silence_and_closed_doors_lead_on(build: Build, way) -> None:
    house = build(
        route("ci/kimi-k2.6|first_content_timeout_s = 0.1", "lab/kimi-k2.6", gateway="answer_timeout_s = 0.1")
    )
    fault(house, hold="headers")
    answer = await house.client.ask(way[0], stream=way[1])
    assert (answer.status, hosts(house)) == (200, [A, B])
    assert house.rows.attempts[0][0].outcome == "timeout_first"


async def test_a_host_that_is_not_there_leads_on(build: Build) -> None:
    config = route("own/any-model", "lab/kimi-k2.6", gateway='allow_private = ["127.0.0.1"]')
    config = config.replace(
        "[gateway]",
        '[[accounts]]\nname = "own"\nplan = "openai-compatible"\nbase_url = "http://127.0.0.1:1/v1"\n[gateway]',
    )
    house = build(config)
    answer = await house.client.chat()
    assert (answer.status, hosts(house)) == (200, [B])
    assert house.rows.attempts[0][0].outcome == "net_connect"


@pytest.mark.case("gateway FO-10")
async def test_the_total_time_ends_everything(build: Build) -> None:
    house = build(route("ci/kimi-k2.6", "lab/kimi-k2.6", gateway="total_timeout_s = 0.1"))
    fault(house, hold="headers")
    answer = await house.client.chat()
    assert (answer.status, answer.headers["x-should-retry"]) == (504, "false")
    assert hosts(house) == [A]


@pytest.mark.case("gateway FO-11")
async def test_the_same_account_and_model_is_tried_once(build: Build) -> None:
    house = build(route("ci/kimi-k2.6", "ci/kimi-k2.6"))
    fault(house, count=None, refusal="dev-err-401-incorrect-key")
    assert (await house.client.chat()).status == 403
    assert hosts(house) == [A]


@pytest.mark.case("gateway FO-12")
async def test_no_money_on_the_only_slot(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    fault(house, refusal="dev-err-429-balance-suspended")
    answer = await house.client.chat()
    assert (answer.status, answer.error["code"], answer.error["type"]) == (
        402,
        "PL-BALANCE-EMPTY",
        "insufficient_quota",
    )
    assert answer.headers["x-should-retry"] == "false"
    assert "org-" not in answer.body.decode()


@pytest.mark.case("gateway FO-13")
async def test_refused_keys_do_not_blame_the_callers_own(build: Build) -> None:
    house = build(route(*TWO))
    fault(house, host="*", count=None, refusal="dev-err-401-incorrect-key")
    answer = await house.client.chat()
    assert (answer.status, answer.error["code"]) == (403, "PL-GW-DOWN")
    assert [entry["code"] for entry in answer.error["attempts"]] == ["PL-401-KEY", "PL-401-KEY"]


@pytest.mark.case("gateway FO-15")
async def test_there_are_at_most_five_attempts(build: Build, monkeypatch) -> None:
    _no_sleep(monkeypatch)
    slots = [f"{account}/{model}" for model in ("kimi-k2.6", "kimi-k3", "kimi-k2.7-code") for account in ("ci", "lab")]
    house = build(route(*slots))
    fault(house, host="*", count=None, refusal="dev-err-429-engine-overloaded")
    answer = await house.client.chat()
    assert (answer.status, len(house.seen()), answer.error["code"]) == (503, 5, "PL-GW-DOWN")


@pytest.mark.case("gateway FO-16")
async def test_a_reset_on_a_reused_connection_is_not_an_attempt(build: Build) -> None:
    house = build(route(*TWO))
    assert (await house.client.chat()).status == 200
    fault(house, reset="reused")
    answer = await house.client.chat()
    assert (answer.status, answer.attempts, answer.headers["x-perilune-account"]) == (200, 1, "ci")


@pytest.mark.case("gateway FO-17")
async def test_a_reset_on_a_fresh_connection_is_tried_once_more(build: Build, monkeypatch) -> None:
    _no_sleep(monkeypatch)
    house = build(route(*TWO))
    house.client.begin_closed()
    fault(house, count=2, reset="body")
    answer = await house.client.chat()
    assert (answer.status, answer.attempts, answer.headers["x-perilune-account"]) == (200, 3, "lab")
    assert [row.outcome for row in house.rows.attempts[0]] == ["net_reset", "net_reset", "ok"]


@pytest.mark.case("gateway FO-18")
async def test_when_all_are_cooling_nothing_is_asked(build: Build) -> None:
    house = build(route("ci/kimi-k2.6", "work/kimi-for-coding"))
    fault(house, host=A, refusal="dev-err-429-rpm", wait_s=20)
    fault(house, host="api.kimi.com", refusal="code-err-403-5hour", headers={"retry-after": "10800"})
    first = await house.client.chat()
    asked = len(house.seen())
    answer = await house.client.chat()
    assert (first.status, answer.status) == (429, 429)
    assert 19 <= int(answer.headers["retry-after"]) <= 20
    assert len(house.seen()) == asked == 2
    assert [entry["outcome"] for entry in answer.error["attempts"]] == ["skipped", "skipped"]


@pytest.mark.case("gateway TR-16")
async def test_chat_goes_on_over_messages(build: Build, way) -> None:
    house = build(route("ci/kimi-k2.6", "work/kimi-for-coding"))
    fault(house, refusal="dev-err-429-balance-suspended")
    answer = await house.client.ask(way[0], stream=way[1])
    assert (answer.status, answer.attempts) == (200, 2)
    assert house.seen()[1].path == "/coding/v1/messages"
    if way == ("chat", False):
        assert answer.json["choices"][0]["message"]["content"] == "PONG from sandbox"


@pytest.mark.case("gateway CD-01")
async def test_a_refused_key_is_asked_once(build: Build) -> None:
    house = build(route(*TWO))
    fault(house, count=None, refusal="dev-err-401-incorrect-key")
    for _ in range(20):
        assert (await house.client.chat()).status == 200
    assert hosts(house).count(A) == 1
    assert house.changes == [("account:ci", True)]
    assert [refusal.kind for refusal in house.readings.refusals] == ["credential"]


@pytest.mark.case("gateway CD-02")
async def test_a_spent_slot_is_tried_by_one_request_when_it_is_due(build: Build) -> None:
    import asyncio

    house = build(route("work/kimi-for-coding", "lab/kimi-k2.6"))
    house.world.queue_fault(host="api.kimi.com", refusal="code-err-403-5hour", headers={"retry-after": "3600"})
    for _ in range(3):
        assert (await house.client.chat()).headers["x-perilune-account"] == "lab"
    house.clock.advance(3601)
    house.world.queue_fault(host="api.kimi.com", hold="headers")
    probe = asyncio.ensure_future(house.client.chat())
    await asyncio.to_thread(house.world.wait_for, lambda world: world.held == 1)
    others = [await house.client.chat() for _ in range(3)]
    house.world.release()
    assert (await probe).headers["x-perilune-account"] == "work"
    assert [other.headers["x-perilune-account"] for other in others] == ["lab"] * 3
    assert (await house.client.chat()).headers["x-perilune-account"] == "work"


@pytest.mark.case("gateway CD-04")
async def test_a_failed_half_open_try_doubles_the_wait(build: Build, monkeypatch) -> None:
    _no_sleep(monkeypatch)
    house = build(route(*TWO))
    states = house.gateway.core.services.states
    fault(house, count=None, refusal="dev-err-429-rpm", retry_after="none", wait_s=0, facts={"wait": "some"})
    lengths = []
    for _ in range(4):
        await house.client.chat()
        state = next(state for state in states.all() if state.scope == "group:ci")
        lengths.append(round((state.until - house.clock()).total_seconds()))
        house.clock.advance(lengths[-1] + 1)
    assert lengths == [2, 4, 8, 16]


@pytest.mark.case("gateway CD-08")
async def test_a_conversation_that_moved_stays(build: Build) -> None:
    house = build(route(*TWO))
    fault(house, refusal="dev-err-429-rpm", wait_s=30)
    moved = {"prompt_cache_key": "conversation-1"}
    assert (await house.client.chat(**moved)).headers["x-perilune-account"] == "lab"
    house.clock.advance(31)
    assert (await house.client.chat(prompt_cache_key="conversation-2")).headers["x-perilune-account"] == "ci"
    assert (await house.client.chat(**moved)).headers["x-perilune-account"] == "lab"
    house.clock.advance(601)
    assert (await house.client.chat(**moved)).headers["x-perilune-account"] == "ci"


async def test_a_changed_key_reopens_its_account(build: Build) -> None:
    from perilune.core.secret import Secret

    house = build(route(*TWO), secrets={"ci": Secret("sk-wrong0000000"), "lab": _key("lab")})
    assert (await house.client.chat()).headers["x-perilune-account"] == "lab"
    config = house.gateway._parts.config
    house.gateway.reload(config, {"ci": _key("ci"), "lab": _key("lab")})
    assert (await house.client.chat()).headers["x-perilune-account"] == "ci"


def _key(account: str):
    from perilune.core.secret import Secret

    from .conftest import KEYS

    return Secret(KEYS[account])


def _no_sleep(monkeypatch) -> list[float]:
    """Waits of the request loop are noted, not slept."""
    waits: list[float] = []

    class Fast:
        def __getattr__(self, name):
            import asyncio

            return getattr(asyncio, name)

        async def sleep(self, seconds: float) -> None:
            waits.append(seconds)

    monkeypatch.setattr("perilune.gateway.run.asyncio", Fast())
    return waits


@pytest.mark.case("gateway CD-03")
async def test_money_on_the_account_reopens_it_without_an_answer(build: Build) -> None:
    from decimal import Decimal

    from perilune.quota.snapshot import Balance, Snapshot

    house = build(route(*TWO))
    fault(house, refusal="dev-err-429-balance-suspended")
    await house.client.chat()
    house.clock.advance(86_400)
    assert (await house.client.chat()).headers["x-perilune-account"] == "lab"
    now = house.clock()
    balance = Balance(currency="USD", available=Decimal(5))
    read = Snapshot(account="ci", plan="moonshot", region="intl", source="api-key", fetched_at=now, balance=balance)
    house.gateway.core.observed(read, "ci", now)
    assert house.gateway.core.services.states.is_quiet
    assert (await house.client.chat()).headers["x-perilune-account"] == "ci"


@pytest.mark.case("gateway QU-01")
async def test_a_window_read_as_spent_is_passed_over(build: Build) -> None:
    from perilune.quota.verdict import Verdict

    house = build(route("work/kimi-for-coding", "lab/kimi-k2.6"))
    until = house.clock() + timedelta(hours=2)
    house.readings.verdicts["work"] = Verdict(usable=False, blocked_by="5h", until=until)
    assert (await house.client.chat()).headers["x-perilune-account"] == "lab"
    assert hosts(house) == [B]
    fault(house, host=B, refusal="dev-err-429-balance-suspended")
    both = await house.client.chat()
    assert (both.status, both.error["code"]) == (402, "PL-GW-SPENT")
    skipped = next(entry for entry in both.error["attempts"] if entry["outcome"] == "skipped")
    assert (skipped["slot"], skipped["code"], skipped["reason"]) == (
        "work/kimi-for-coding",
        "PL-QUOTA-5H",
        "quota_spent",
    )


@pytest.mark.case("gateway QU-02")
@pytest.mark.parametrize(("reset_h", "account"), [(None, "work"), (2, "lab")])
async def test_an_old_reading_counts_only_with_a_reset_ahead(build: Build, reset_h, account) -> None:
    from perilune.quota.snapshot import Snapshot
    from perilune.quota.verdict import Verdict

    house = build(route("work/kimi-for-coding", "lab/kimi-k2.6"))
    now = house.clock()
    until = None if reset_h is None else now + timedelta(hours=reset_h)
    house.readings.verdicts["work"] = Verdict(usable=False, blocked_by="5h", until=until)
    house.readings.snapshots["work"] = Snapshot(
        account="work", plan="kimi-code", region="cn", source="api-key", fetched_at=now - timedelta(minutes=11)
    )
    assert (await house.client.chat()).headers["x-perilune-account"] == account


@pytest.mark.case("gateway QU-03")
async def test_unknown_never_blocks(build: Build) -> None:
    from perilune.quota.verdict import Verdict

    house = build(route("work/kimi-for-coding", "lab/kimi-k2.6"))
    house.readings.verdicts["work"] = Verdict(usable=None, blocked_by=None)
    assert (await house.client.chat()).headers["x-perilune-account"] == "work"


@pytest.mark.case("gateway QU-07")
@pytest.mark.parametrize("refusal", ["code-err-429-overloaded", "code-err-429-concurrency"])
async def test_rates_and_busy_change_no_window(build: Build, refusal: str, monkeypatch) -> None:
    _no_sleep(monkeypatch)
    house = build(route("work/kimi-for-coding", "lab/kimi-k2.6"))
    fault(house, host="api.kimi.com", count=2, refusal=refusal)
    assert (await house.client.chat()).status == 200
    assert house.readings.refusals == []


async def test_a_spent_quota_is_reported_with_its_window(build: Build) -> None:
    house = build(route("work/kimi-for-coding", "lab/kimi-k2.6"))
    fault(house, host="api.kimi.com", refusal="code-err-403-weekly")
    await house.client.chat()
    refusal = house.readings.refusals[0]
    assert (refusal.account, refusal.kind, refusal.window, refusal.code) == ("work", "quota", "7d", "PL-QUOTA-7D")


async def test_the_cap_is_learned_from_a_refusal(build: Build) -> None:
    house = build(route(*TWO))
    fault(house, refusal="dev-err-429-concurrency", facts={"limit": 3})
    assert (await house.client.chat()).headers["x-perilune-account"] == "lab"
    assert house.admission.state("ci").cap is not None
    assert house.admission.state("ci").cap <= 3


async def test_a_route_may_stop_where_the_table_would_go_on(build: Build) -> None:
    house = build(route(*TWO, extra='policy = { balance_empty = "stop" }'))
    fault(house, refusal="dev-err-429-balance-suspended")
    assert (await house.client.chat()).status == 402
    assert hosts(house) == [A]
