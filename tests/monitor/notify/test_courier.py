"""The courier: claimed before it is sent, tried three times, held back in quiet hours, never lost, never twice."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.monitor.notify.conftest import Build
from tests.support.loopback import LoopbackServer, answer

from perilune.core.messages import Voice
from perilune.monitor.alert import notice_of
from perilune.monitor.notify.channels import Outlet
from perilune.monitor.notify.courier import Courier
from perilune.monitor.notify.port import Message, Receipt
from perilune.quota.alerts.model import Alert
from perilune.quota.alerts.quiet import QuietHours
from perilune.store import deliveries, events, notices
from perilune.store.engine import Store, open_store

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NIGHT = QuietHours(time(22), time(8))
LATE = NOON.replace(hour=23)


class Phone:
    """A channel that answers as it is told and keeps what it got."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.answers: list[Receipt] = []
        self.rang = asyncio.Event()

    async def send(self, message: Message) -> Receipt:
        self.got.append(message)
        self.rang.set()
        return self.answers.pop(0) if self.answers else Receipt(is_taken=True, words="200")

    def refuses(self, times: int, words: str = "404 gone") -> None:
        self.answers += [Receipt(is_taken=False, words=words)] * times

    @property
    def kinds(self) -> list[str]:
        return [message.kind for message in self.got]


class House:
    """One store, a clock, and couriers over it."""

    def __init__(self, store: Store, outlet: Outlet) -> None:
        self.store = store
        self.now = NOON
        self.outlets = [outlet]
        self.over: set[str] = set()
        self.zone = UTC
        self.name: Any = str
        self.courier = self.another("one")

    def another(self, owner: str) -> Courier:
        return Courier(self.store, self, lambda: self.outlets, clock=lambda: self.now, owner=owner)

    def voice(self) -> Voice:
        return Voice(now=self.now, with_currency_codes=True)

    def holds(self, alerts: Sequence[Alert]) -> list[bool]:
        return [alert.kind not in self.over for alert in alerts]

    def post(self, kind: str, once: str | None = None, **facts: str) -> None:
        window = "5h" if kind.startswith(("window", "spent")) else None
        resets = {"ratio": "0.9", "label": "5h"} if kind.startswith("window") else {}
        alert = Alert(
            kind=kind, at=self.now, account="ci" if kind == "failover" else "work", window=window, facts=resets | facts
        )
        self.now += timedelta(milliseconds=1)
        with self.store.begin() as connection:
            names = [outlet.name for outlet in self.outlets if outlet.wants(alert)]
            notices.post(connection, notice_of(alert, self.now, once), names, timedelta(minutes=10))

    async def after(self, **span: float) -> None:
        self.now += timedelta(**span)
        await self.courier.deliver()

    def state(self, name: str = "phone") -> deliveries.ChannelState | None:
        with self.store.read() as connection:
            return deliveries.states(connection).get(name)

    def events(self) -> list[str]:
        with self.store.read() as connection:
            return [event.kind for event in events.recent(connection, 10)]


def outlet(phone: Phone, name: str = "phone", **fields: Any) -> Outlet:
    facts = {"kind": "ntfy", "events": ("all",), "accounts": (), "quiet": None}
    return Outlet(**{**facts, **fields}, name=name, channel=phone)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "perilune.db")
    yield opened
    opened.close()


@pytest.fixture
def phone() -> Phone:
    return Phone()


@pytest.fixture
def house(store: Store, phone: Phone) -> House:
    return House(store, outlet(phone))


async def test_a_notice_is_sent_once(house: House, phone: Phone) -> None:
    house.post("window_90", resets_at="2026-11-20T14:07:00Z")
    await house.after(seconds=1)
    await house.after(seconds=60)
    (message,) = phone.got
    assert message.text == "work 5 h: 90% used. Resets 14:07 (in 2h 07m)."
    assert (message.title, message.urgency, message.window) == ("Perilune", "high", "5h")
    state = house.state()
    assert state is not None
    assert (state.worked_at, state.failures) == (NOON + timedelta(seconds=1, milliseconds=1), 0)


async def test_two_couriers_over_one_store_send_it_once(house: House, phone: Phone, store: Store) -> None:
    house.post("spent")
    other = house.another("two")
    await asyncio.gather(house.courier.deliver(), other.deliver())
    assert phone.kinds == ["spent"]


async def test_what_a_killed_process_had_claimed_goes_again_under_the_same_id(
    house: House, phone: Phone, store: Store
) -> None:
    house.post("spent")
    with store.begin() as connection:
        (one,) = deliveries.due(connection, "phone", house.now)
        deliveries.claim(connection, "phone", [one.notice], "killed", house.now, timedelta(seconds=45))
    await house.after(seconds=30)
    assert phone.got == []
    await house.after(seconds=16)
    assert [message.id for message in phone.got] == [one.notice]


@pytest.mark.case("experience M4")
async def test_a_no_in_the_body_is_tried_three_times_then_told(
    store: Store, build: Build, server: LoopbackServer
) -> None:
    server.reply = lambda asked: answer(200, b'{"code":19021,"msg":"sign match fail"}')
    house = House(store, build("feishu", secrets={"key": server.url, "secret": "wrong"}))
    house.post("spent")
    await house.after(seconds=1)
    await house.after(seconds=5)
    assert len(server.requests) == 1
    await house.after(seconds=6)
    assert (len(server.requests), house.events()) == (2, [])
    await house.after(seconds=61)
    assert (len(server.requests), house.events()) == (3, ["notify_failed"])
    await house.after(hours=1)
    assert len(server.requests) == 3
    state = house.state("team")
    assert state is not None
    assert (state.failures, state.words) == (3, "code 19021, sign match fail")


async def test_what_a_channel_missed_goes_once_more_when_it_works_again(house: House, phone: Phone) -> None:
    house.post("spent")
    phone.refuses(3)
    for _ in range(3):
        await house.after(seconds=61)
    assert phone.kinds == ["spent"] * 3
    house.post("balance_low", amount="18.90", currency="CNY", days="3.2")
    await house.after(minutes=1)
    await house.after(seconds=1)
    assert phone.kinds == ["spent"] * 3 + ["balance_low", "spent"]
    await house.after(hours=1)
    assert len(phone.got) == 5
    assert phone.got[3].text == "work: CNY 18.90 available, about 3 days at this week's rate."


async def test_what_is_refused_again_and_again_does_not_go_for_ever(house: House, phone: Phone) -> None:
    house.post("spent")
    phone.refuses(3)
    for _ in range(3):
        await house.after(seconds=61)
    for _ in range(3):
        phone.answers = [Receipt(is_taken=True, words="200"), Receipt(is_taken=False, words="413")]
        house.post("review_failed", title="x", code="PL-NET-DNS")
        await house.after(minutes=1)
        await house.after(seconds=1)
    assert phone.kinds.count("spent") == 4


async def test_one_broken_channel_holds_up_no_other(house: House, phone: Phone) -> None:
    broken = Phone()
    broken.refuses(9)
    house.outlets.append(outlet(broken, "broken"))
    house.post("spent")
    house.post("back")
    await house.after(seconds=1)
    assert phone.kinds == ["spent", "back"]
    assert broken.kinds == ["spent"]


@pytest.mark.case("experience M5")
async def test_quiet_hours_let_spent_through_and_hold_the_rest_for_the_digest(store: Store, phone: Phone) -> None:
    house = House(store, outlet(phone, quiet=NIGHT))
    house.now = LATE
    house.post("window_90", resets_at="2026-11-21T12:00:00Z")
    house.post("spent", until="2026-11-21T12:00:00Z")
    await house.after(seconds=1)
    assert phone.kinds == ["spent"]
    house.post("runs_out_early", label="7d", empty_at="2026-11-21T10:00:00Z", resets_at="2026-11-21T12:00:00Z")
    await house.after(hours=8)
    assert phone.kinds == ["spent"]
    await house.after(hours=1)
    assert phone.kinds == ["spent", "digest"]
    assert phone.got[1].text.startswith("2 while it was quiet: work 5 h: 90% used.")
    assert len(phone.got[1].text) <= 200
    await house.after(hours=1)
    assert len(phone.got) == 2


async def test_after_quiet_hours_only_what_still_holds_is_told(store: Store, phone: Phone) -> None:
    house = House(store, outlet(phone, quiet=NIGHT))
    house.now = LATE
    house.post("window_75")
    house.post("window_90")
    house.post("balance_low", amount="18.90", currency="CNY")
    await house.after(seconds=1)
    house.over = {"balance_low"}
    await house.after(hours=9)
    assert phone.kinds == ["window_90"]


async def test_a_mute_holds_everything_and_its_end_sends_what_holds(house: House, phone: Phone, store: Store) -> None:
    with store.begin() as connection:
        deliveries.mute(connection, house.now + timedelta(hours=2))
    house.post("spent")
    await house.after(minutes=1)
    assert phone.got == []
    with store.begin() as connection:
        deliveries.mute(connection, None)
    await house.after(minutes=1)
    assert phone.kinds == ["spent"]
    with store.begin() as connection:
        deliveries.mute(connection, house.now + timedelta(hours=2))
    house.post("back")
    await house.after(minutes=1)
    await house.after(hours=2)
    assert phone.kinds == ["spent", "back"]


async def test_a_channel_gets_only_what_it_asked_for(store: Store) -> None:
    asked = {
        "all": ("all",), "key": ("spent", "key"), "levels": ("window",), "one": ("window_90",), "hosts": ("upstream",)
    }  # fmt: skip
    phones = {name: Phone() for name in asked}
    house = House(store, outlet(Phone(), "first"))
    house.outlets = [outlet(phones[name], name, events=events) for name, events in asked.items()]
    house.outlets.append(outlet(other := Phone(), "other", accounts=("ci",)))
    for kind in ("window_75", "window_90", "spent", "upstream_down", "review_done"):
        house.post(kind, host="api.kimi.com", since="2026-11-20T12:00:00Z", title="x", findings="1")
    house.post("credential_refused", since="2026-11-20T11:58:00Z", status="401")
    await house.after(seconds=1)
    assert {name: phone.kinds for name, phone in phones.items()} == {
        "all": ["window_75", "window_90", "spent", "credential_refused"], "key": ["spent", "credential_refused"],
        "levels": ["window_75", "window_90"], "one": ["window_90"], "hosts": ["upstream_down"],
    }  # fmt: skip
    assert other.got == []


async def test_a_place_without_a_screen_is_told_once_and_left_alone(house: House, phone: Phone) -> None:
    phone.answers = [Receipt(is_taken=False, words="headless", is_off=True)]
    house.post("spent")
    house.post("back")
    await house.after(seconds=1)
    await house.after(minutes=5)
    assert len(phone.got) == 1
    assert house.events() == ["notify_failed"]


async def test_at_most_twenty_messages_a_minute(house: House, phone: Phone) -> None:
    for number in range(25):
        house.post("review_failed", title=f"PR {number}", code="PL-NET-DNS")
    await house.after(seconds=1)
    assert len(phone.got) == 20
    await house.after(seconds=62)
    assert [message.text for message in phone.got] == [
        f"Review of PR {number} failed (PL-NET-DNS)." for number in range(25)
    ]


async def test_a_hidden_name_stays_hidden(house: House, phone: Phone) -> None:
    house.name = {"work": "A1", "ci": "A2"}.__getitem__
    house.post("spent", until="2026-11-20T14:07:00Z", label="5h", other="ci", other_costs="money")
    await house.after(seconds=1)
    assert phone.got[0].text == "A1 5 h is spent until 14:07. Requests go to A2 (pay per token)."
    assert "work" not in phone.got[0].document().decode()


async def test_what_is_told_once_is_told_once(house: House, phone: Phone) -> None:
    for _ in range(2):
        house.post("budget_soft", once="ci-bot 2026-11 90", key="ci-bot", percent="90", budget="USD 20", per="month")
    await house.after(seconds=1)
    assert [message.text for message in phone.got] == ["Gateway key ci-bot: 90% of USD 20 this month."]


async def test_several_failovers_in_ten_minutes_are_one(house: House, phone: Phone) -> None:
    facts = {"route": "default", "main": "work", "code": "PL-QUOTA-5H"}
    house.post("failover", **facts)
    await house.after(minutes=5)
    house.post("failover", **facts)
    await house.after(minutes=6)
    house.post("failover", **facts)
    await house.after(seconds=1)
    assert phone.kinds == ["failover", "failover"]
    assert phone.got[0].text == "default: work → ci (PL-QUOTA-5H)."


async def test_the_courier_runs_until_it_is_cancelled_and_wakes_for_what_is_new(house: House, phone: Phone) -> None:
    task = asyncio.create_task(house.courier.run())
    house.post("spent")
    house.courier.wake()
    async with asyncio.timeout(20):
        await phone.rang.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_old_notices_are_forgotten_with_their_deliveries(house: House, store: Store) -> None:
    house.post("spent")
    await house.after(seconds=1)
    with store.begin() as connection:
        notices.forget_before(connection, house.now + timedelta(days=1))
        assert connection.execute(text("SELECT count(*) FROM deliveries")).scalar() == 0
        assert notices.recent(connection, 5) == []
