"""Notices and deliveries on every database: posted once, claimed once, held, failed, revived."""

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from perilune.monitor.alert import Watch, look
from perilune.quota.alerts.model import Alert, AlertRules, Edges, WindowEdges
from perilune.quota.held import Known
from perilune.quota.snapshot import Snapshot, Window
from perilune.quota.workdays import WorkWeek
from perilune.store import deliveries, notices
from perilune.store.engine import Store
from perilune.store.notices import Notice
from perilune.store.snapshots import Snapshots

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SOON = NOW + timedelta(seconds=45)
TEN = timedelta(minutes=10)


def notice(number: int, kind: str = "spent", *, once: str | None = None, topic: str | None = None) -> Notice:
    alert = Alert(kind=kind, at=NOW + timedelta(milliseconds=number), account="work", facts={"label": "5h"})
    return Notice(id=f"{number:026}", alert=alert, once=once or str(number), topic=topic)


def post(store: Store, *given: Notice) -> list[bool]:
    with store.begin() as connection:
        return [notices.post(connection, one, ["phone", "desk"], TEN) for one in given]


def due(store: Store, channel: str = "phone", after: timedelta = timedelta(seconds=1)) -> list[str]:
    with store.read() as connection:
        return [one.notice[-1] for one in deliveries.due(connection, channel, NOW + after)]


def test_what_may_be_told_once_is_posted_once(store: Store) -> None:
    assert post(store, notice(1, once="a"), notice(2, once="a"), notice(3, once="b")) == [True, False, True]
    assert due(store) == ["1", "3"]
    assert due(store, "desk") == ["1", "3"]


def test_a_topic_is_told_as_one_within_its_time(store: Store) -> None:
    late = Alert(kind="failover", at=NOW + timedelta(minutes=11))
    later = Notice(id="9" * 26, alert=late, once="9", topic="failover default")
    first, second = notice(1, topic="failover default"), notice(2, topic="failover default")
    assert post(store, first, second, later) == [True, False, True]


def test_a_claim_excludes_others_until_it_runs_out(store: Store) -> None:
    post(store, notice(1), notice(2))
    ids = [f"{number:026}" for number in (1, 2)]
    with store.begin() as connection:
        assert deliveries.claim(connection, "phone", ids[:1], "one", NOW + timedelta(seconds=1), SOON - NOW) == {ids[0]}
    with store.begin() as connection:
        assert deliveries.claim(connection, "phone", ids, "two", NOW + timedelta(seconds=2), SOON - NOW) == {ids[1]}
    assert due(store) == []
    assert due(store, after=timedelta(seconds=60)) == ["1", "2"]
    with store.read() as connection:
        at = deliveries.next_due(connection, ["phone"], NOW)
    assert at == NOW + timedelta(seconds=46)


def test_many_that_claim_at_once_share_what_there_is(store: Store) -> None:
    post(store, *(notice(number) for number in range(9)))
    ids = [f"{number:026}" for number in range(9)]
    taken: list[set[str]] = []
    started = threading.Barrier(3)

    def one(owner: str) -> None:
        started.wait()
        with store.begin() as connection:
            taken.append(deliveries.claim(connection, "phone", ids, owner, NOW + timedelta(seconds=1), SOON - NOW))

    threads = [threading.Thread(target=one, args=(str(number),)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found for each in taken for found in each) == ids


def test_failing_three_times_ends_it_until_the_channel_works_again(store: Store) -> None:
    post(store, notice(1))
    first = f"{1:026}"
    for again_at in (SOON, SOON, None):
        with store.begin() as connection:
            deliveries.failed(connection, "phone", [first], NOW, "404 gone", again_at)
    assert due(store, after=timedelta(hours=1)) == []
    with store.begin() as connection:
        state = deliveries.states(connection)["phone"]
        assert (state.failures, state.words, state.failed_at) == (3, "404 gone", NOW)
        assert deliveries.revive(connection, "phone", NOW - timedelta(days=1), SOON) == 1
        assert deliveries.states(connection).keys() == {"phone"}
    assert due(store, after=timedelta(hours=1)) == ["1"]
    with store.begin() as connection:
        deliveries.sent(connection, "phone", [first], SOON)
        assert deliveries.count_sent(connection, "phone", NOW) == 1
        state = deliveries.states(connection)["phone"]
    assert (state.failures, state.words, state.worked_at) == (0, None, SOON)


def test_a_mute_ends_by_itself_or_by_hand(store: Store) -> None:
    with store.begin() as connection:
        assert deliveries.muted_until(connection, NOW) is None
        deliveries.mute(connection, NOW + timedelta(hours=2))
        deliveries.mute(connection, NOW + timedelta(hours=1))
        assert deliveries.muted_until(connection, NOW) == NOW + timedelta(hours=1)
        assert deliveries.muted_until(connection, NOW + timedelta(hours=1)) is None
        deliveries.mute(connection, None)
        assert deliveries.muted_until(connection, NOW) is None


def test_edges_are_kept_moved_and_dropped_with_their_account(store: Store) -> None:
    edges = Edges(read_at=NOW, windows={"5h": WindowEdges(ratio=Decimal("0.93"), resets_at=SOON, passed=(75, 90))})
    with store.begin() as connection:
        notices.save_edges(connection, "work", edges, NOW)
        notices.save_edges(connection, "work", edges, SOON)
        assert notices.all_edges(connection) == {"work": edges}
    Snapshots(store).rename("work", "job")
    with store.begin() as connection:
        assert notices.all_edges(connection) == {"job": edges}
    Snapshots(store).forget("job")
    with store.begin() as connection:
        assert notices.all_edges(connection) == {}


def test_looks_at_the_same_time_post_an_alert_once(store: Store) -> None:
    snapshots, found = Snapshots(store), []
    rules = AlertRules(is_early_on=False, week=WorkWeek())
    known = {"work": Known(name="work", plan="kimi-code", region="cn")}

    def watch(now: datetime) -> Watch:
        return Watch(known=known, rules=rules, held=lambda: snapshots.held(now), channels=lambda alert: ["phone"])

    def reads(ratio: str, now: datetime) -> None:
        window = Window(id="5h", label="5h", used_ratio=Decimal(ratio), resets_at=NOW + timedelta(hours=4))
        snapshots.save(
            Snapshot(
                account="work", plan="kimi-code", region="cn", source="api-key", fetched_at=now, windows=(window,)
            ),
            now,
        )

    reads("0.60", NOW)
    assert look(store, watch(NOW), NOW) == []
    reads("0.93", SOON)
    started = threading.Barrier(3)

    def one() -> None:
        started.wait()
        found.extend(alert.kind for alert in look(store, watch(SOON), SOON))

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["window_90"]
    assert due(store, after=timedelta(minutes=5)) != []
