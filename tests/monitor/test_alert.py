"""Looking for alerts over a store: posted once by whoever looks first, kept over restarts, with the right words."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from perilune.core.messages import Voice
from perilune.monitor.alert import Successor, Watch, look
from perilune.quota.alerts.model import AlertRules
from perilune.quota.alerts.text import alert_text
from perilune.quota.held import Known
from perilune.quota.snapshot import Balance, ReadFailure, Snapshot, Window
from perilune.quota.workdays import WorkWeek
from perilune.store import deliveries, notices
from perilune.store.engine import Store, open_store
from perilune.store.snapshots import Snapshots

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KNOWN = {"work": Known(name="work", plan="kimi-code", region="cn", vendor="Kimi")}


class Service:
    """One process: a store of its own over the same file, edges only in that."""

    def __init__(self, file: Path) -> None:
        self.store: Store = open_store(file)
        self.snapshots = Snapshots(self.store)
        self.now = NOW
        rules = AlertRules(is_early_on=False, floors={"CNY": Decimal(20)}, week=WorkWeek())
        self.watch = Watch(
            known=KNOWN,
            rules=rules,
            held=lambda: self.snapshots.held(self.now),
            channels=lambda alert: ["phone"],
            successor=lambda account, judged: Successor("ci", True),
        )

    def reads(self, ratio: str, minutes: float = 5) -> None:
        self.now += timedelta(minutes=minutes)
        resets_at = NOW + timedelta(hours=4)
        window = Window(id="5h", label="5-hour", span_s=18_000, used_ratio=Decimal(ratio), resets_at=resets_at)
        self.save(Snapshot(account="work", plan="kimi-code", region="cn", source="api-key", fetched_at=self.now,
                           windows=(window,)))  # fmt: skip

    def save(self, snapshot: Snapshot) -> None:
        self.snapshots.save(snapshot, self.now)

    def look(self) -> list[str]:
        return [alert.kind for alert in look(self.store, self.watch, self.now)]

    def uses(self, ratio: str, minutes: float = 5) -> list[str]:
        self.reads(ratio, minutes)
        return self.look()

    def text(self, language: str = "en") -> str:
        with self.store.read() as connection:
            (newest, *_) = notices.recent(connection, 1)
        return alert_text(newest.alert, Voice(language=language, now=self.now, with_currency_codes=True))

    def due(self) -> list[str]:
        with self.store.read() as connection:
            return [one.alert.kind for one in deliveries.due(connection, "phone", self.now)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "perilune.db"


@pytest.fixture
def service(file: Path) -> Iterator[Service]:
    running = Service(file)
    yield running
    running.store.close()


@pytest.fixture
def again(file: Path, service: Service) -> Iterator[Service]:
    """The same after a restart."""
    running = Service(file)
    yield running
    running.store.close()


@pytest.mark.case("experience M1")
def test_a_restart_within_a_cycle_repeats_nothing(service: Service, again: Service) -> None:
    assert service.uses("0.74") == []
    assert service.uses("0.76") == ["window_75"]
    again.now = service.now
    assert again.look() == []
    assert again.uses("0.78") == []


def test_what_fell_due_between_two_processes_is_told_by_the_second(service: Service, again: Service) -> None:
    assert service.uses("0.60") == []
    again.now = service.now
    assert again.uses("0.93", minutes=60) == ["window_90"]
    service.now = again.now
    assert service.look() == []
    assert again.due() == ["window_90"]


def test_many_processes_that_look_at_once_post_it_once(file: Path, service: Service) -> None:
    assert service.uses("0.60") == []
    service.reads("1.0")
    found: list[str] = []
    started = threading.Barrier(4)

    def one() -> None:
        process = Service(file)
        process.now = service.now
        started.wait()
        found.extend(process.look())
        process.store.close()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["spent"]
    assert service.due() == ["spent"]


def test_the_sentences_are_those_of_the_reference(service: Service) -> None:
    service.uses("0.60")
    service.uses("0.905", minutes=186)
    assert service.text() == "work 5 h: 90% used. Resets 16:00 (in 49m)."
    assert service.text("zh-CN") == "work 5 小时窗口：已用 90%，16:00 重置（49 分钟后）。"
    service.uses("1.0")
    assert service.text() == "work 5 h is spent until 16:00. Requests go to ci (pay per token)."
    assert service.text("zh-CN") == "work 5 小时窗口已用完，16:00 恢复。请求改走 ci（按量计费）。"


def test_a_refused_key_says_since_when_and_what_to_do(service: Service) -> None:
    service.uses("0.60")
    failure = ReadFailure(account="work", at=service.now, code="PL-401-KEY", since=service.now - timedelta(minutes=7))
    service.snapshots.save_failure(failure, None)
    assert service.look() == ["credential_refused"]
    assert service.text() == "work: key refused (401) since 11:58. perilune accounts rotate work"
    assert service.text("zh-CN") == "work：密钥自 11:58 起被拒（401）。perilune accounts rotate work"


def test_a_low_and_an_empty_balance_in_words(service: Service) -> None:
    for amount, kind in (("30", []), ("18.90", ["balance_low"]), ("0", ["balance_empty"])):
        service.now += timedelta(minutes=5)
        balance = Balance(currency="CNY", available=Decimal(amount))
        service.save(Snapshot(account="work", plan="moonshot", region="cn", source="api-key", fetched_at=service.now,
                              balance=balance))  # fmt: skip
        assert service.look() == kind
    assert service.text() == "work has no money left: available CNY 0.00. Requests go to ci (pay per token)."
    assert service.text("zh-CN") == "work 余额不足：可用 CNY 0.00。请求改走 ci（按量计费）。"


def test_a_renamed_account_keeps_what_was_told_and_a_removed_one_begins_anew(service: Service) -> None:
    service.uses("0.70")
    assert service.uses("0.80") == ["window_75"]
    service.snapshots.rename("work", "job")
    with service.store.read() as connection:
        assert list(notices.all_edges(connection)) == ["job"]
    service.snapshots.forget("job")
    with service.store.read() as connection:
        assert notices.all_edges(connection) == {}
