"""History's upkeep: by the service and by commands, by one process at a time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from perilune.compose import histories
from perilune.compose.histories import Housekeeping, asked_history, keep_tidy
from perilune.compose.workbench import Workbench
from perilune.config.schema import HistoryConfig
from perilune.core.errors import StoreError, UsageError
from perilune.store.events import Event, append
from perilune.store.schema import events, local_use

OLD = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench({"PERILUNE_HOME": str(tmp_path / "home"), "HOME": str(tmp_path), "KIMI_CODE_API_KEY": ""})


def remember(bench: Workbench, *moments: datetime) -> None:
    with bench.monitoring.store.begin() as connection:
        for at in moments:
            append(connection, Event(at=at, kind="back"))


def remembered(bench: Workbench) -> int:
    with bench.monitoring.store.read() as connection:
        return connection.execute(select(func.count()).select_from(events)).scalar_one()


def log_something(home: Path) -> None:
    file = home / ".kimi-code" / "sessions" / "a" / "wire.jsonl"
    file.parent.mkdir(parents=True)
    milliseconds = int((datetime.now(UTC) - timedelta(hours=1)).timestamp() * 1000)
    usage = '"usage":{"inputOther":10,"output":2}'
    file.write_text(f'{{"type":"usage.record","usageScope":"turn","time":{milliseconds},"model":"k",{usage}}}\n')


def test_the_service_tidies_up_once_a_day(bench: Workbench) -> None:
    keeping = Housekeeping(bench.monitoring.store, bench, HistoryConfig)
    remember(bench, OLD, bench.now())
    keeping.look()
    assert remembered(bench) == 1
    remember(bench, OLD)
    keeping.look()
    assert remembered(bench) == 2


def test_a_command_does_it_where_no_service_runs(bench: Workbench) -> None:
    remember(bench, OLD)
    keep_tidy(bench.monitoring.store, HistoryConfig(events_days=1), bench.now())
    assert remembered(bench) == 0


def test_a_store_that_is_locked_is_left_for_the_next_time(
    bench: Workbench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> bool:
        raise StoreError.of("PL-STORE-LOCKED", path="x", holder="y")

    remember(bench, OLD)
    monkeypatch.setattr(histories, "take_turn", locked)
    keep_tidy(bench.monitoring.store, HistoryConfig(), bench.now())
    assert remembered(bench) == 1
    assert "PL-STORE-LOCKED" in caplog.text


def test_how_long_is_a_setting(bench: Workbench) -> None:
    now = bench.now()
    remember(bench, now - timedelta(days=3), now)
    keep_tidy(bench.monitoring.store, HistoryConfig(events_days=2), now)
    assert remembered(bench) == 1


def test_logs_are_read_only_when_the_user_has_chosen_that(bench: Workbench, tmp_path: Path) -> None:
    log_something(tmp_path)
    for wanted, count in ((False, 0), (True, 1), (True, 1)):
        Housekeeping(bench.monitoring.store, bench, lambda wanted=wanted: HistoryConfig(local_logs=wanted)).look()
        with bench.monitoring.store.read() as connection:
            assert connection.execute(select(func.count()).select_from(local_use)).scalar_one() == count


def test_logs_that_are_no_longer_wanted_are_dropped(bench: Workbench, tmp_path: Path) -> None:
    log_something(tmp_path)
    Housekeeping(bench.monitoring.store, bench, lambda: HistoryConfig(local_logs=True)).look()
    keep_tidy(bench.monitoring.store, HistoryConfig(), bench.now() + timedelta(days=2))
    with bench.monitoring.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(local_use)).scalar_one() == 0


@pytest.mark.parametrize(
    ("since", "by", "tz"), [("soon", "day", None), ("3d", "week", None), ("3d", "day", "Nowhere/Else")]
)
def test_a_query_that_means_nothing_is_refused(bench: Workbench, since: str, by: str, tz: str | None) -> None:
    with pytest.raises(UsageError):
        asked_history(bench.monitoring, bench, since, by, tz)


def test_a_query_is_answered_in_its_zone(bench: Workbench) -> None:
    remember(bench, OLD)
    assert asked_history(bench.monitoring, bench, "3d", "day", "Asia/Kathmandu").tz == "Asia/Kathmandu"
