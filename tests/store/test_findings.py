"""Findings, dismissals and pull requests on every database."""

from datetime import UTC, datetime, timedelta

from msgspec import structs

from perilune.patches.finding import Severity, State
from perilune.patches.model import Side
from perilune.store.engine import Store
from perilune.store.findings import (
    FindingRow,
    PullRow,
    finding_of_thread,
    findings_of,
    pull_row,
    save_findings,
    save_pull,
    suppress,
    suppressed_in,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PULL = "github/github.com/acme/shop/7"


def _row(number: int = 1, pull: str = PULL) -> FindingRow:
    return FindingRow(
        id=f"finding-{number}",
        pull=pull,
        run="run-1",
        fingerprint=f"{number}" * 64,
        fingerprint_code="c" * 64,
        path="shop/cart.py",
        side=Side.NEW,
        quote="total += price",
        symbol="Cart.add",
        severity=Severity.HIGH,
        title="Overflow",
        words="Overflow of total",
        state=State.POSTED,
        thread=f"thread-{number}",
        updated_at=NOW,
    )


def test_findings_of_a_pull_request_are_kept_and_changed(store: Store) -> None:
    with store.begin() as connection:
        save_findings(connection, [_row(1), _row(2), _row(3, "another")])
        save_findings(connection, [structs.replace(_row(1), state=State.CARRIED)])
        assert [(row.id, row.state) for row in findings_of(connection, PULL)] == [
            ("finding-1", State.CARRIED),
            ("finding-2", State.POSTED),
        ]
        assert findings_of(connection, PULL)[1] == _row(2)


def test_a_finding_is_found_by_its_thread(store: Store) -> None:
    with store.begin() as connection:
        save_findings(connection, [_row(1)])
        assert finding_of_thread(connection, PULL, "thread-1") == _row(1)
        assert finding_of_thread(connection, "another", "thread-1") is None


def test_what_is_not_wanted_holds_in_its_repository_until_its_end(store: Store) -> None:
    with store.begin() as connection:
        suppress(connection, "acme/shop", _row(1), "mira", NOW + timedelta(days=90))
        facts = suppressed_in(connection, "acme/shop", NOW)
        assert [(fact.fingerprint_code, fact.words) for fact in facts] == [("c" * 64, "Overflow of total")]
        assert suppressed_in(connection, "acme/other", NOW) == []
        assert suppressed_in(connection, "acme/shop", NOW + timedelta(days=90)) == []


def test_where_a_pull_request_stands_is_kept(store: Store) -> None:
    row = PullRow(pull=PULL, updated_at=NOW, is_paused=True, reviewed_head="a" * 40, reviewed_base="main", run="run-1")
    with store.begin() as connection:
        assert pull_row(connection, PULL) is None
        save_pull(connection, row)
        assert pull_row(connection, PULL) == row
