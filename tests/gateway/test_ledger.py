"""The ledger: rows built from facts, priced by their day, written in batches, surviving a kill."""

import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from perilune.catalog.load import Catalogue, Document, load
from perilune.catalog.plan import Plan, Region
from perilune.core.errors import StoreError
from perilune.dialects.usage import Usage
from perilune.gateway.ledger import LedgerWriter
from perilune.gateway.pricing import Pricing
from perilune.gateway.record import AttemptRecord, RequestRecord
from perilune.store import ledger
from perilune.store.engine import Store, open_store
from perilune.store.ledger import Attempt, Request

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
USAGE = Usage(input_total=412, cache_read=256, output_total=37)


def _region(region_id: str, currency: str) -> Region:
    return Region(
        id=region_id, label="", site="", hosts=(), currency=currency, bases={}, read_base="", console="", keys_page=""
    )


PLANS = {
    "moonshot": Plan(id="moonshot", label="", regions=(_region("intl", "USD"), _region("cn", "CNY"))),
    "kimi-code": Plan(id="kimi-code", label="", unit="quota", regions=(_region("cn", "CNY"),)),
    "openai-compatible": Plan(id="openai-compatible", label=""),
}
ACCOUNTS = {"ci": "moonshot", "cn": "moonshot", "work": "kimi-code"}


def _pricing(catalogue: Catalogue | None = None) -> Pricing:
    loaded = catalogue or load()
    return Pricing(lambda: loaded, PLANS.get, ACCOUNTS.get)


def _request(number: int = 1, **facts: Any) -> RequestRecord:
    request = RequestRecord(
        id=f"r{number}", received_at=NOW, ended_at=NOW, owner="local", key_id=None, purpose="client", run=None,
        unit=None, stage=None, session=None, route="default", surface="chat", model_asked="any", is_stream=True,
        account="ci", plan="moonshot", region="intl", model_served="kimi-k2.6", outcome="ok", status=200, code=None,
        attempts=1, queued_ms=0, first_content_ms=100, total_ms=200, usage=USAGE, is_estimated=False, adjusted=(),
        bytes_in=1, bytes_out=2,
    )  # fmt: skip
    return replace(request, **facts)


def _attempt(number: int = 1, account: str = "ci", **facts: Any) -> AttemptRecord:
    attempt = AttemptRecord(
        number=number, started_at=NOW, account=account, model="kimi-k2.6", surface="chat", outcome="ok", status=200,
        code=None, was_sent=True, total_ms=200, first_content_ms=100, vendor_request_id="v1", words=None,
    )  # fmt: skip
    return replace(attempt, **facts)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "perilune.sqlite3")
    yield opened
    opened.close()


@contextmanager
def _writer(store: Store, **settings: Any) -> Iterator[LedgerWriter]:
    writer = LedgerWriter(store, settings.pop("pricing", None) or _pricing(), **settings)
    try:
        yield writer
    finally:
        writer.close()


def _kept(store: Store, request: RequestRecord, *attempts: AttemptRecord, pricing: Pricing | None = None) -> Request:
    with _writer(store, pricing=pricing) as writer:
        writer.record(request, attempts or [_attempt()])
    with store.read() as connection:
        return next(row for row in ledger.recent(connection, 100) if row.id == request.id)


def _attempts(store: Store, request_id: str = "r1") -> list[Attempt]:
    with store.read() as connection:
        return ledger.attempts_of(connection, request_id)


def test_a_request_is_kept_with_its_cost_and_its_price(store: Store) -> None:
    kept = _kept(store, _request(adjusted=("temperature", "max_tokens")))
    assert (kept.cost, kept.currency, kept.unit_of_cost) == (Decimal("0.00033716"), "USD", "money")
    assert (kept.slot, kept.account, kept.model) == ("ci/kimi-k2.6", "ci", "kimi-k2.6")
    with store.read() as connection:
        row = connection.exec_driver_sql(
            "SELECT price, adjusted, vendor_request_id, surface_behind FROM requests"
        ).one()
    assert tuple(row) == ("kimi-k2.6 USD", "temperature,max_tokens", "v1", "chat")


@pytest.mark.case("gateway LE-02")
def test_plan_quota_is_no_money(store: Store) -> None:
    kept = _kept(store, _request(account="work", plan="kimi-code", region="cn"), _attempt(account="work"))
    assert (kept.cost, kept.currency, kept.unit_of_cost) == (None, None, "quota")
    assert (kept.input_tokens, kept.output_tokens) == (412, 37)
    assert _attempts(store)[0].cost is None


@pytest.mark.case("gateway LE-04")
def test_a_failover_is_one_request_and_two_attempts_of_which_the_failed_one_cost_nothing(store: Store) -> None:
    failed = _attempt(1, "cn", outcome="balance_empty", status=429, code="PL-BALANCE-EMPTY", words="no money")
    kept = _kept(store, _request(attempts=2), failed, _attempt(2))
    assert (kept.attempts, kept.cost) == (2, Decimal("0.00033716"))
    first, second = _attempts(store)
    assert (first.outcome, first.cost, first.words) == ("balance_empty", Decimal(0), "no money")
    assert (second.outcome, second.cost) == ("ok", Decimal("0.00033716"))


def test_a_failed_attempt_on_plan_quota_has_no_cost(store: Store) -> None:
    _kept(store, _request(attempts=2), _attempt(1, "work", outcome="quota_spent"), _attempt(2))
    assert [attempt.cost for attempt in _attempts(store)] == [None, Decimal("0.00033716")]


def test_each_region_is_priced_in_its_own_currency(store: Store) -> None:
    kept = _kept(store, _request(account="cn", region="cn"), _attempt(account="cn"))
    assert (kept.currency, kept.cost) == ("CNY", Decimal("0.0022946"))  # 156 x 6.5 + 256 x 1.1 + 37 x 27


@pytest.mark.parametrize(
    ("facts", "cost", "unit"),
    [
        ({"model_served": "unheard-of"}, None, "money"),
        ({"usage": None}, None, "money"),
        ({"usage": Usage(input_total=5)}, None, "money"),
        ({"usage": None, "outcome": "busy", "status": 503}, Decimal(0), "money"),
        ({"outcome": "stream_cut", "is_estimated": True}, Decimal("0.00033716"), "money"),
        ({"account": None, "plan": None, "region": None, "outcome": "quota_spent"}, None, None),
        ({"plan": "gone"}, None, None),
    ],
)
def test_what_is_not_known_costs_null_and_what_failed_costs_nothing(
    store: Store, facts: dict[str, Any], cost: Decimal | None, unit: str | None
) -> None:
    kept = _kept(store, _request(**facts))
    assert (kept.cost, kept.unit_of_cost) == (cost, unit)


@pytest.mark.parametrize(
    ("outcome", "was_sent", "more"),
    [("stream_cut", True, True), ("client_gone", True, True), ("client_gone", False, False), ("ok", True, False)],
)
def test_a_cut_answer_may_be_billed_for_more(store: Store, outcome: str, was_sent: bool, more: bool) -> None:
    assert _kept(store, _request(outcome=outcome), _attempt(was_sent=was_sent)).may_bill_more is more


def test_a_plan_without_a_currency_is_priced_by_the_user_s_row(store: Store) -> None:
    own = '[[price]]\nmodel = "mine"\ncurrency = "CNY"\ninput_miss = 1\noutput = 2\n'
    pricing = _pricing(load(override=Document("prices.toml", own)))
    request = _request(plan="openai-compatible", region=None, model_served="mine")
    kept = _kept(store, request, pricing=pricing)
    assert (kept.currency, kept.cost) == ("CNY", Decimal("0.000486"))


def test_rows_keep_the_price_of_their_day(store: Store) -> None:
    own = (
        '[[price]]\nmodel = "kimi-k2.6"\ncurrency = "USD"\ninput_miss = 1\noutput = 1\nto = 2026-11-20\n'
        '[[price]]\nmodel = "kimi-k2.6"\ncurrency = "USD"\ninput_miss = 2\noutput = 2\nfrom = 2026-11-20\n'
    )
    pricing = _pricing(load(override=Document("prices.toml", own)))
    before = _kept(store, _request(1, received_at=NOW - timedelta(days=1)), pricing=pricing)
    after = _kept(store, _request(2), pricing=pricing)
    assert (before.cost, after.cost) == (Decimal("0.000449"), Decimal("0.000898"))


def test_text_from_outside_that_is_too_long_is_cut_not_lost(store: Store) -> None:
    kept = _kept(store, _request(model_asked="m" * 5000, model_served=None), _attempt(words="w" * 5000))
    assert len(kept.model or "") == 200
    assert len(_attempts(store)[0].words or "") == 400


def test_rows_are_written_in_batches_without_being_asked(store: Store) -> None:
    batches: list[int] = []
    is_done = threading.Event()

    def written(count: int) -> None:
        batches.append(count)
        if sum(batches) == 1200:
            is_done.set()

    with _writer(store, on_written=written) as writer:
        for number in range(1200):
            writer.record(_request(number), [_attempt()])
        assert is_done.wait(20)
        assert writer.buffered == 0
        assert writer.written == 1200
    assert max(batches) <= 500


class _Closed(Store):
    """A store that cannot be written until it is told so."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.engine, store.path)
        self.tried = threading.Event()
        self.is_open = False

    def begin(self) -> Any:
        if not self.is_open:
            self.tried.set()
            raise StoreError.of("PL-STORE-FULL", path="p", folder="f")
        return super().begin()


def test_a_full_buffer_drops_and_counts_and_a_store_that_recovers_gets_the_rest(store: Store) -> None:
    closed = _Closed(store)
    with _writer(closed, capacity=3) as writer:
        for number in range(5):
            writer.record(_request(number), [_attempt()])
        assert (writer.dropped, writer.buffered) == (2, 3)
        assert closed.tried.wait(20)
        closed.is_open = True
    assert writer.problem is None
    assert (writer.written, writer.buffered) == (3, 0)
    with store.read() as connection:
        assert len(ledger.recent(connection, 10)) == 3


def test_what_a_closed_store_refuses_to_the_end_is_counted(store: Store) -> None:
    with _writer(_Closed(store)) as writer:
        writer.record(_request(), [_attempt()])
    assert writer.dropped == 1
    assert writer.problem is not None


def test_one_row_that_cannot_be_written_takes_no_other_with_it(store: Store) -> None:
    with _writer(store) as writer:
        writer.record(_request(1), [_attempt()])
        writer.record(_request(2, outcome=None), [_attempt()])
        writer.record(_request(3), [_attempt()])
    assert (writer.written, writer.dropped) == (2, 1)
    with store.read() as connection:
        assert {row.id for row in ledger.recent(connection, 10)} == {"r1", "r3"}


_KILLED = """
import sys, time
sys.path[:0] = sys.argv[3:]
from datetime import UTC, datetime
from pathlib import Path
from msgspec.structs import replace
from perilune.gateway.ledger import LedgerWriter
from perilune.store.engine import open_store
sys.path.insert(0, sys.argv[2])
from tests.gateway.test_ledger import _attempt, _pricing, _request
writer = LedgerWriter(open_store(Path(sys.argv[1])), _pricing())
attempts = [_attempt()]
for number in range(10_000):
    at = datetime.now(UTC)
    writer.record(replace(_request(number), received_at=at), attempts)
    if number % 10 == 9:
        print(number, int(at.timestamp() * 1000), flush=True)
        time.sleep(0.001)
print("all", flush=True)
time.sleep(60)
"""


@pytest.mark.case("gateway LE-06")
@pytest.mark.parametrize("after", [1_500, 6_000])
def test_a_kill_loses_at_most_the_last_quarter_of_a_second(tmp_path: Path, after: int) -> None:
    path = tmp_path / "perilune.sqlite3"
    open_store(path).close()
    root = Path(__file__).resolve().parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(path), str(root), *sys.path], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child.stdout:
        told = [tuple(map(int, child.stdout.readline().split())) for _ in range(after // 10)]
        child.send_signal(signal.SIGKILL)
        child.wait(timeout=10)
        told += [tuple(map(int, line.split())) for line in child.stdout if len(line.split()) == 2]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute("SELECT id, received_at FROM requests ORDER BY received_at").fetchall()
    kept = {int(row[0].removeprefix("r")) for row in rows}
    assert kept == set(range(len(kept)))
    lost_since = [at for number, at in told if number not in kept]
    assert not lost_since or told[-1][1] - lost_since[0] <= 250
