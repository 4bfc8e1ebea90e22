"""What was used, put together from the ledger, the readings and other programs' logs."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest

from perilune.core.encode import to_builtins
from perilune.core.schemas import schema_files
from perilune.monitor.history import Asked, history
from perilune.monitor.local_use import take_in
from perilune.providers.contract.local_logs import LocalLogs, local_logs
from perilune.quota.history import By, CostDocument, HistoryDocument, HistoryRow
from perilune.quota.snapshot import Balance, Snapshot, Window
from perilune.store import keys, ledger, local_use
from perilune.store.engine import Store, open_store
from perilune.store.keys import StoredKey
from perilune.store.schema import local_use as local_use_table
from perilune.store.snapshots import Snapshots
from perilune.store.times import to_ms

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
KEPT = timedelta(days=400)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "store.db")
    yield opened
    opened.close()


def served(number: int, at: datetime, **changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "id": f"r{number}", "received_at": to_ms(at), "owner": "me", "surface": "chat", "is_stream": False,
        "account": "work", "model_served": "k2", "route": "default", "outcome": "ok", "attempts": 1,
        "input_tokens": 1000, "cache_read_tokens": 100, "output_tokens": 50, "unit_of_cost": "quota",
        "is_estimated": False, "may_bill_more": False, "purpose": "client", "total_ms": 2000,
        "currency": None, "cost": None, "key_id": None,
    }  # fmt: skip
    return base | changes


def paid(number: int, at: datetime, cost: str | None, currency: str = "USD", **changes: Any) -> dict[str, Any]:
    return served(
        number, at, account="ci", unit_of_cost="money", currency=currency if cost else None, cost=cost, **changes
    )


def serve(store: Store, *rows: dict[str, Any]) -> None:
    with store.begin() as connection:
        ledger.insert_rows(connection, rows, [])


def read(store: Store, at: datetime, used: str, resets_at: datetime, window: str = "5h") -> None:
    span = 18_000 if window == "5h" else 604_800
    one = Window(id=window, label=window, span_s=span, used_ratio=Decimal(used), resets_at=resets_at)
    snapshot = Snapshot(account="work", plan="kimi-code", region="cn", source="api-key", fetched_at=at, windows=(one,))
    Snapshots(store).save(snapshot, at)


def read_money(store: Store, at: datetime, amount: str) -> None:
    balance = Balance(currency="CNY", available=Decimal(amount))
    snapshot = Snapshot(account="lab", plan="moonshot", region="cn", source="api-key", fetched_at=at, balance=balance)
    Snapshots(store).save(snapshot, at)


def ask(store: Store, by: By = "day", days: int = 3, *, with_logs: bool = False) -> HistoryDocument:
    asked = Asked(since=NOW - timedelta(days=days), until=NOW, by=by, zone=SHANGHAI, with_logs=with_logs)
    found = history(store, asked)
    schema = json.loads(schema_files()["history"].read_bytes())
    jsonschema.validate(to_builtins(found), schema, format_checker=jsonschema.FormatChecker())
    return found


def by_label(found: HistoryDocument) -> dict[str | None, HistoryRow]:
    return {row.label: row for row in found.rows if not row.estimated}


def test_a_day_is_one_of_the_reader_s_zone(store: Store) -> None:
    midnight = datetime(2026, 11, 19, 16, tzinfo=UTC)  # 00:00 on the 20th there
    serve(store, served(1, midnight - timedelta(seconds=1)), served(2, midnight), served(3, midnight))
    rows = by_label(ask(store))
    assert (rows["2026-11-19"].requests, rows["2026-11-20"].requests) == (1, 2)
    assert rows["2026-11-20"].start == midnight


def test_a_gap_is_no_data_and_a_read_day_without_requests_is_none_used(store: Store) -> None:
    serve(store, served(1, NOW - timedelta(days=3)))
    read(store, NOW - timedelta(days=1), "0.4", NOW)
    found = ask(store, days=9)
    assert [(row.label, row.requests) for row in found.rows] == [
        ("2026-11-17", 1), ("2026-11-18", None), ("2026-11-19", 0), ("2026-11-20", None),
    ]  # fmt: skip
    assert found.recorded_since == NOW - timedelta(days=3)


def test_currencies_stay_apart_and_plan_quota_costs_nothing(store: Store) -> None:
    serve(
        store, served(1, NOW - timedelta(hours=2)), paid(2, NOW - timedelta(hours=2), "1.10"),
        paid(3, NOW - timedelta(hours=1), "0.11"), paid(4, NOW - timedelta(hours=1), "7", "CNY"),
        paid(5, NOW - timedelta(hours=1), None),
    )  # fmt: skip
    (row,) = ask(store).rows
    assert row.requests == 5
    assert row.unpriced == 1
    told = {(cost.unit, cost.cost.currency if cost.cost else None): cost for cost in row.costs}
    assert told["quota", None] == CostDocument("quota", 1, None)
    assert {currency: cost.cost and cost.cost.amount for (_, currency), cost in told.items()} == {
        None: None, "USD": "1.21", "CNY": "7.00",
    }  # fmt: skip
    assert ask(store).currencies == ["CNY", "USD"]


def test_the_peak_of_a_day_is_the_most_that_was_read_in_it(store: Store) -> None:
    reset = NOW - timedelta(hours=1)
    for minutes, used in ((0, "0.5"), (30, "0.97"), (61, "0.02")):
        read(store, reset - timedelta(hours=1) + timedelta(minutes=minutes), used, reset if minutes < 60 else NOW)
    (row,) = ask(store).rows
    assert [(peak.window, peak.used_ratio) for peak in row.peaks] == [("5h", 0.97)]


@pytest.mark.parametrize(
    ("by", "labels"),
    [("model", ["k2", "k3"]), ("route", ["default", None]), ("account", ["ci", "work"]), ("key", ["laptop", None])],
)
def test_rows_are_what_was_asked_for(store: Store, by: By, labels: list[str | None]) -> None:
    with store.begin() as connection:
        keys.create(connection, StoredKey(id="k1", name="laptop", digest="d", tail="t", created_at=NOW))
    serve(
        store, served(1, NOW - timedelta(hours=1), key_id="k1"),
        paid(2, NOW - timedelta(hours=1), "1", model_served="k3", route=None, outcome="busy"),
    )  # fmt: skip
    found = ask(store, by)
    assert [row.label for row in found.rows] == labels
    assert sum(row.requests or 0 for row in found.rows) == 2
    assert sum(row.failed or 0 for row in found.rows) == 1


def test_an_account_that_was_only_read_has_its_peak(store: Store) -> None:
    read(store, NOW - timedelta(hours=1), "0.4", NOW + timedelta(hours=1))
    (row,) = ask(store, "account").rows
    assert (row.label, row.requests, row.peaks[0].used_ratio) == ("work", 0, 0.4)


def test_runs_of_windows_top_ups_and_spending_are_told(store: Store) -> None:
    reset = NOW - timedelta(hours=4)
    read(store, reset - timedelta(hours=2), "0.4", reset)
    read(store, reset - timedelta(hours=1), "1.0", reset)
    read(store, reset + timedelta(hours=1), "0.1", reset + timedelta(hours=5))
    for hours, amount in ((20, "30"), (10, "24"), (5, "70"), (1, "69.5")):
        read_money(store, NOW - timedelta(hours=hours), amount)
    found = ask(store)
    spent_at = reset - timedelta(hours=1)
    assert [(one.used_ratio, one.begun_by, one.spent_at) for one in found.cycles] == [
        (1.0, "unknown", spent_at), (0.1, "reset", None),
    ]  # fmt: skip
    (top_up,) = found.top_ups
    assert (top_up.account, top_up.amount.amount) == ("lab", "46.00")
    (spending,) = found.spending
    assert (spending.spent.amount, spending.burn_per_day and spending.burn_per_day.amount) == ("6.50", "11.14286")


def test_by_hour_the_rhythm_of_each_window_is_told(store: Store) -> None:
    read(store, NOW - timedelta(hours=3), "0.1", NOW + timedelta(hours=1))
    read(store, NOW - timedelta(hours=1), "0.3", NOW + timedelta(hours=1))
    found = ask(store, "hour", days=1)
    local = (NOW - timedelta(hours=1)).astimezone(SHANGHAI)
    assert found.rhythms[0].hours[local.weekday()][local.hour] == 0.2
    assert [row.requests for row in found.rows] == [0, None, 0]


def test_nothing_recorded_gives_no_rows(store: Store) -> None:
    found = ask(store)
    assert (found.rows, found.recorded_since, found.currencies) == ([], None, [])


# -- logs of other programs ------------------------------------------------------------------------------------------


def newer(at: datetime, tokens: tuple[int, int, int, int], scope: str = "turn") -> str:
    usage = dict(zip(("inputOther", "inputCacheRead", "inputCacheCreation", "output"), tokens, strict=True))
    return json.dumps(
        {"type": "usage.record", "usageScope": scope, "time": to_ms(at), "model": "kimi-code/k3", "usage": usage}
    )


def older(at: datetime, message: str, tokens: tuple[int, int, int, int]) -> str:
    names = ("input_other", "input_cache_read", "input_cache_creation", "output")
    payload = {"message_id": message, "token_usage": dict(zip(names, tokens, strict=True))}
    return json.dumps({"timestamp": at.timestamp(), "message": {"type": "StatusUpdate", "payload": payload}})


@pytest.fixture
def homes(tmp_path: Path) -> tuple[Path, Path]:
    new = tmp_path / ".kimi-code" / "sessions" / "project" / "session_1" / "agents" / "main" / "wire.jsonl"
    old = tmp_path / ".kimi" / "sessions" / "hash" / "session" / "wire.jsonl"
    for file in (new, old):
        file.parent.mkdir(parents=True)
    return new, old


def logs(home: Path) -> list[LocalLogs]:
    return list(local_logs({}, home))


def look(store: Store, home: Path) -> int:
    return take_in(store, logs(home), NOW, KEPT)


def logged(store: Store, by: By = "day") -> list[tuple[str | None, int | None, int | None, int | None]]:
    rows = ask(store, by, with_logs=True).rows
    return [(row.label, row.requests, row.input_tokens, row.output_tokens) for row in rows if row.estimated]


def test_both_command_lines_logs_are_counted(store: Store, tmp_path: Path, homes: tuple[Path, Path]) -> None:
    new, old = homes
    chatter = json.dumps({"type": "context.append_message", "message": {"role": "user", "content": "my secret plan"}})
    new.write_text(f"{chatter}\n{newer(NOW, (10, 4, 1, 2))}\n{newer(NOW, (999, 0, 0, 9), 'session')}\nnot json\n")
    old.write_text(f"{older(NOW - timedelta(minutes=5), 'chatcmpl-1', (100, 0, 0, 7))}\n")
    before = [(file.stat().st_mtime_ns, file.read_bytes()) for file in homes]
    assert look(store, tmp_path) == 2
    assert [(file.stat().st_mtime_ns, file.read_bytes()) for file in homes] == before
    read_to = NOW + timedelta(minutes=1)
    with store.read() as connection:
        totals = local_use.totals(connection, NOW - timedelta(days=1), read_to, by_model=True)
    assert {(one.label, one.input_tokens, one.cache_read_tokens, one.output_tokens) for one in totals} == {
        ("kimi-code/k3", 15, 4, 2), (None, 100, 0, 7),
    }  # fmt: skip
    assert b"secret plan" not in Path(str(store.path)).read_bytes()


def test_only_what_is_new_is_read_and_a_half_written_line_waits(
    store: Store, tmp_path: Path, homes: tuple[Path, Path]
) -> None:
    new, _ = homes
    first, second = newer(NOW - timedelta(hours=2), (1, 0, 0, 1)), newer(NOW - timedelta(hours=1), (2, 0, 0, 2))
    new.write_text(f"{first}\n{second[:20]}")
    assert look(store, tmp_path) == 1
    assert look(store, tmp_path) == 0
    new.write_text(f"{first}\n{second}\n")
    assert look(store, tmp_path) == 1
    assert logged(store) == [("2026-11-20", 2, 3, 3)]


def test_a_record_counts_once_however_often_it_is_copied(
    store: Store, tmp_path: Path, homes: tuple[Path, Path]
) -> None:
    new, old = homes
    line = newer(NOW - timedelta(hours=2), (1, 0, 0, 1))
    new.write_text(f"{line}\n{line}\n")
    copy = new.parent.parent / "fork" / "wire.jsonl"
    copy.parent.mkdir()
    copy.write_text(f"{line}\n")
    update = older(NOW - timedelta(hours=1), "chatcmpl-1", (5, 0, 0, 5))
    old.write_text(f"{update}\n{update}\n")
    look(store, tmp_path)
    new.write_text(f"{newer(NOW - timedelta(minutes=30), (9, 0, 0, 9))}\n")  # shorter: begun anew
    look(store, tmp_path)
    assert logged(store) == [("2026-11-20", 3, 15, 15)]


def test_what_came_through_the_gateway_is_in_the_ledger_alone(
    store: Store, tmp_path: Path, homes: tuple[Path, Path]
) -> None:
    new, _ = homes
    at = NOW - timedelta(hours=1)
    new.write_text(f"{newer(at, (900, 100, 0, 50))}\n{newer(at, (900, 100, 0, 51))}\n")
    look(store, tmp_path)
    assert logged(store) == [("2026-11-20", 2, 2000, 101)]
    serve(store, served(1, at - timedelta(seconds=3)))
    assert logged(store) == [("2026-11-20", 1, 1000, 51)]
    assert by_label(ask(store, with_logs=True))["2026-11-20"].requests == 1
    assert logged(store, "model") == [("kimi-code/k3", 1, 1000, 51)]


def test_logs_are_no_part_of_an_answer_that_did_not_ask_for_them(
    store: Store, tmp_path: Path, homes: tuple[Path, Path]
) -> None:
    new, _ = homes
    new.write_text(f"{newer(NOW - timedelta(hours=1), (9, 0, 0, 9))}\n")
    look(store, tmp_path)
    assert ask(store).rows == []
    with store.begin() as connection:
        local_use.forget_all(connection)
        assert connection.execute(local_use_table.select()).all() == []
    assert look(store, tmp_path) == 1


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"usage.record"}', b'{"type":"usage.record","usage":{"output":-5},"time":1}',
        b'{"type":"usage.record","usage":{"output":1e300},"time":1700000000000}',
        b'{"type":"usage.record","usage":{"output":5},"time":"soon"}',
        b'{"message":{"type":"StatusUpdate","payload":"no"},"timestamp":1}', b'"usage.record" [',
        b'{"message":"StatusUpdate","type":"StatusUpdate"}', b'["usage.record"]',
    ],
)  # fmt: skip
def test_a_line_that_tells_of_no_use_is_passed_over(tmp_path: Path, line: bytes) -> None:
    (logs_of,) = logs(tmp_path)
    assert logs_of.read(line) is None
    assert logs_of.files() == []
