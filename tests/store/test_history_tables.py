"""Hours of windows, and what is dropped with age, on every database."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from perilune.quota.curves import curves_of
from perilune.quota.cycles import rises
from perilune.quota.samples import Sample
from perilune.quota.snapshot import Balance, Snapshot, Window
from perilune.store import events, learned, retention, sqlite
from perilune.store.engine import Store, open_store
from perilune.store.events import Event
from perilune.store.lessons import Learned
from perilune.store.quick import quick_held
from perilune.store.recorded import window_pasts
from perilune.store.retention import Keep, Pieces, take_turn, tidy
from perilune.store.samples import keep_windows
from perilune.store.schema import (
    attempts,
    balance_samples,
    latest,
    local_use,
    reads,
    requests,
    window_hours,
    window_samples,
)
from perilune.store.snapshots import Snapshots
from perilune.store.times import to_ms
from perilune.store.versions import migrate

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
BEFORE_HOURS = "0005"


def reading(at: datetime, used: str | None, resets_at: datetime | None, *, is_reliable: bool = True) -> Snapshot:
    ratio = None if used is None else Decimal(used)
    window = Window(
        id="7d", label="7-day", span_s=604_800, used_ratio=ratio, resets_at=resets_at, is_reliable=is_reliable
    )
    return Snapshot(account="work", plan="kimi-code", region="cn", source="api-key", fetched_at=at, windows=(window,))


def money(at: datetime, amount: str) -> Snapshot:
    balance = Balance(currency="CNY", available=Decimal(amount))
    return Snapshot(account="lab", plan="moonshot", region="cn", source="api-key", fetched_at=at, balance=balance)


def keep(store: Store, *snapshots: Snapshot) -> None:
    kept = Snapshots(store)
    for snapshot in snapshots:
        kept.save(snapshot, snapshot.fetched_at)


def past(store: Store, at: datetime = NOW) -> list[Sample]:
    with store.read() as connection:
        found = window_pasts(connection, at - timedelta(days=56), at + timedelta(days=56))
        return found.get(("work", "7d"), [])


def empty(store: Store) -> None:
    with store.begin() as connection:
        for table in (window_samples, window_hours, balance_samples, latest, reads):
            connection.execute(delete(table))


def test_an_hour_keeps_its_last_reading_and_how_many_there_were(store: Store) -> None:
    start, reset = NOW - timedelta(hours=3), NOW + WEEK
    keep(store, *(reading(start + timedelta(minutes=20 * n), f"0.{n + 1}", reset) for n in range(6)))
    assert [(one.used_ratio, one.readings, one.first_at) for one in past(store)] == [
        (Decimal("0.3"), 3, start),
        (Decimal("0.6"), 3, start + timedelta(hours=1)),
    ]


def test_a_reset_inside_an_hour_hides_nothing_of_the_cycle_before(store: Store) -> None:
    at, reset = NOW - timedelta(hours=1), NOW - timedelta(minutes=40)
    keep(store, reading(at, "0.98", reset), reading(at + timedelta(minutes=30), "0.02", reset + WEEK))
    assert [one.used_ratio for one in past(store)] == [Decimal("0.98"), Decimal("0.02")]


def test_an_unreliable_reading_does_not_stand_for_its_hour(store: Store) -> None:
    at, reset = NOW - timedelta(hours=1), NOW + WEEK
    keep(store, reading(at, "0.3", reset), reading(at + timedelta(minutes=5), "1.2", reset, is_reliable=False))
    assert [one.used_ratio for one in past(store)] == [Decimal("0.3")]


def test_a_renamed_account_takes_its_hours_along_and_a_purge_drops_them(store: Store) -> None:
    keep(store, reading(NOW, "0.3", NOW + WEEK))
    Snapshots(store).rename("work", "job")
    assert len(Snapshots(store).held(NOW)["job"].past("7d")) == 1
    Snapshots(store).purge("job")
    assert Snapshots(store).held(NOW)["job"].past("7d") == []


def test_old_readings_become_hours_then_days(store: Store) -> None:
    def count(table: object = window_samples) -> int:
        with store.read() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]

    for age in (500, 57, 1):
        at = (NOW - timedelta(days=age)).replace(hour=1)
        keep(store, *(reading(at + timedelta(minutes=20 * n), f"0.{n + 10}", at + WEEK) for n in range(9)))
    assert (count(), count(window_hours)) == (27, 9)
    assert tidy(store, NOW, Keep()) == 20
    assert (count(), count(window_hours)) == (9, 7)
    assert tidy(store, NOW, Keep()) == 0
    old = past(store, NOW - timedelta(days=450))[0]
    assert (old.used_ratio, old.readings) == (Decimal("0.18"), 9)


def test_the_newest_reading_stays_however_old_it_is(store: Store) -> None:
    at = NOW - timedelta(days=3000)
    keep(store, reading(at, "0.3", at + WEEK), reading(at + timedelta(minutes=40), "0.4", at + WEEK))
    keep(store, money(at, "9.00"), money(at + timedelta(minutes=1), "8.00"))
    tidy(store, NOW, Keep(daily_days=400))
    with store.read() as connection:
        for table, ratio in ((window_samples, "0.4"), (window_hours, "0.4")):
            assert connection.execute(select(table.c.used_ratio)).scalars().all() == [ratio]
        assert connection.execute(select(balance_samples.c.available)).scalars().all() == ["8"]


def test_events_lessons_and_requests_end_with_their_time(store: Store) -> None:
    old, young = NOW - timedelta(days=401), NOW - timedelta(days=399)
    with store.begin() as connection:
        for at in (old, young):
            events.append(connection, Event(at=at, kind="back", account="work"))
            lesson = Learned(scope="g", name=f"cap{at.day}", value="3", at=at, until=at + timedelta(days=400))
            learned.keep(connection, lesson)
            row = {"received_at": to_ms(at), "owner": "me", "surface": "chat", "is_stream": False, "outcome": "ok",
                   "attempts": 1}  # fmt: skip
            connection.execute(requests.insert().values(id=f"{at:%d}", **row))
            attempt = {"number": 1, "started_at": to_ms(at), "account": "work", "outcome": "ok", "was_sent": True}
            connection.execute(attempts.insert().values(request_id=f"{at:%d}", **attempt))
            use = {"input_tokens": 1, "cache_read_tokens": 0, "cache_write_tokens": 0, "output_tokens": 1}
            connection.execute(local_use.insert().values(id=f"{at:%d}", at=to_ms(at), origin="log", **use))
    tidy(store, NOW, Keep())
    with store.read() as connection:
        assert [event.at for event in events.recent(connection, 9)] == [young]
        assert [lesson.at for lesson in learned.known(connection, old)] == [young]
        assert connection.execute(select(requests.c.id)).scalars().all() == [f"{old:%d}", f"{young:%d}"]
        assert connection.execute(select(local_use.c.id)).scalars().all() == [f"{young:%d}"]
    tidy(store, NOW, Keep(requests_days=400), Pieces(1))
    with store.read() as connection:
        assert connection.execute(select(requests.c.id)).scalars().all() == [f"{young:%d}"]
        assert connection.execute(select(attempts.c.request_id)).scalars().all() == [f"{young:%d}"]


def test_tidying_up_stops_between_two_steps(store: Store) -> None:
    at = NOW - timedelta(days=100)
    keep(store, *(reading(at + timedelta(minutes=40 * n), f"0.{n + 10}", at + WEEK) for n in range(9)))
    answers = [True, True, False]
    pieces = Pieces(1, goes_on=lambda: answers.pop(0) if answers else False)
    assert tidy(store, NOW, Keep(), pieces) == 2
    assert tidy(store, NOW, Keep(), Pieces(1, most=3)) == 3
    assert tidy(store, NOW, Keep()) == 3


def test_one_process_a_day_tidies_up(store: Store) -> None:
    assert take_turn(store, "one", NOW)
    assert not take_turn(store, "other", NOW + timedelta(hours=23))
    assert take_turn(store, "other", NOW + timedelta(hours=24))


@given(
    steps=st.lists(st.tuples(st.integers(1, 40_000), st.integers(0, 40), st.booleans()), min_size=2, max_size=25),
    keep_days=st.tuples(st.integers(1, 60), st.integers(1, 60)),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_thinning_loses_no_newest_value_and_invents_no_use(
    store: Store, steps: list[tuple[int, int, bool]], keep_days: tuple[int, int]
) -> None:
    empty(store)
    at, reset, used = NOW - timedelta(days=120), NOW - timedelta(days=113), 0
    written: list[tuple[datetime, int, datetime]] = []
    for minutes, more, skips in steps:
        at += timedelta(minutes=minutes % 3000 if skips else minutes % 50 + 1)
        while reset <= at:
            reset, used = reset + WEEK, 0
        used += more
        written.append((at, used, reset))
    with store.begin() as connection:
        for at, used, reset in written:
            keep_windows(connection, reading(at, str(Decimal(used) / 1000), reset))
    truth = sum(use for _, use in rises(_raw(store)))
    tidy(store, NOW, Keep(raw_days=min(keep_days), hourly_days=sum(keep_days)))
    last = written[-1]
    newest = past(store, NOW - timedelta(days=100))[-1]
    assert _raw(store)[-1].at == newest.at
    assert abs((newest.used_ratio or 0) - Decimal(last[1]) / 1000) < Decimal("0.005")
    assert sum(use for _, use in rises(past(store, NOW - timedelta(days=100)))) <= truth
    ats = [one.at for one in past(store, NOW - timedelta(days=100))]
    assert all(one < other for one, other in pairwise(ats))


def _raw(store: Store) -> list[Sample]:
    asked = select(window_samples.c.at, window_samples.c.used_ratio, window_samples.c.resets_at)
    with store.read() as connection:
        rows = connection.execute(asked.order_by(window_samples.c.at)).all()
    instant = datetime(1970, 1, 1, tzinfo=UTC)
    return [
        Sample(
            at=instant + timedelta(milliseconds=at),
            used_ratio=Decimal(used),
            resets_at=instant + timedelta(milliseconds=resets_at),
        )
        for at, used, resets_at in rows
    ]


def test_a_store_of_an_earlier_version_gets_its_hours_filled(target: str, tmp_path: Path) -> None:
    from sqlalchemy import inspect, text

    store = open_store(target)
    keep(store, *(reading(NOW + timedelta(minutes=20 * n), f"0.{n + 10}", NOW + WEEK) for n in range(7)))
    with store.read() as connection:
        expected = connection.execute(select(window_hours).order_by(window_hours.c.hour)).all()
    with store.begin() as connection:
        for table in set(inspect(connection).get_table_names()) - _tables_before_hours(tmp_path):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{BEFORE_HOURS}'"))
    store.close()
    again = open_store(target)
    with again.read() as connection:
        found = connection.execute(select(window_hours).order_by(window_hours.c.hour)).all()
    again.close()
    assert [row[1:] for row in found] == [row[1:] for row in expected]
    assert retention.DAY_MS == 86_400_000


def _tables_before_hours(folder: Path) -> set[str]:
    """The tables that the version before the hours had."""
    from sqlalchemy import inspect

    engine = sqlite.engine(folder / "before.sqlite3", 5)
    with engine.begin() as connection:
        migrate(connection, BEFORE_HOURS)
        names = set(inspect(connection).get_table_names())
    engine.dispose()
    return names


def test_a_status_is_told_with_eight_weeks_of_hours_by_either_way_of_reading(target: str) -> None:
    store = open_store(target)
    reset = NOW + timedelta(days=1)
    for hours in range(0, 24 * 7 * 4, 6):
        at = reset - WEEK * 4 + timedelta(hours=hours)
        if at < NOW:
            end = reset - WEEK * ((reset - at) // WEEK)
            keep(store, reading(at, f"{(at - end + WEEK) / WEEK * 0.5:.3f}", end))
    slow = Snapshots(store).held(NOW)["work"].past("7d")
    assert len(curves_of(slow, reset.timestamp())) == 3
    if store.path is not None:
        quick = quick_held(store.path, NOW)
        assert quick is not None
        assert [tuple(row) for row in quick["work"].past("7d")] == list(slow)
    store.close()
