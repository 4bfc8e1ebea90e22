"""What the monitor keeps: the last good snapshot of each account, failures, refusals, samples, flights.

Calls are synchronous; on an event loop they belong into a thread.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, delete, select, update

from perilune.core.numbers import plain
from perilune.quota.balance import BalanceSample, top_up
from perilune.quota.curves import KEPT, Mark
from perilune.quota.held import Held
from perilune.quota.snapshot import Balance, ReadFailure, Refusal, Snapshot
from perilune.store.drift import note_drift
from perilune.store.engine import Store
from perilune.store.hours import marks_of
from perilune.store.notices import move_edges
from perilune.store.rows import decoded, encoded
from perilune.store.samples import keep_balance, keep_windows
from perilune.store.schema import (
    attempts,
    balance_samples,
    events,
    latest,
    read_flights,
    reads,
    refusals,
    requests,
    window_hours,
    window_samples,
)
from perilune.store.times import from_ms, to_ms
from perilune.store.upsert import insert_for, upsert

_BURN_PERIOD = timedelta(days=7)
_HISTORY = (window_samples, window_hours, balance_samples, events, requests, attempts)


class ReadState(Struct, frozen=True, kw_only=True):
    """When an account was last tried, when the next try is allowed, how the last try failed."""

    tried_at: datetime
    next_at: datetime | None = None
    failure: ReadFailure | None = None


class Snapshots:
    """The monitor's tables."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def latest(self) -> dict[str, Snapshot]:
        """The last good snapshot of each account."""
        with self._store.read() as connection:
            rows = connection.execute(select(latest.c.account, latest.c.document)).all()
        found = ((str(account), decoded(document, Snapshot)) for account, document in rows)
        return {account: snapshot for account, snapshot in found if snapshot is not None}

    def reads(self) -> dict[str, ReadState]:
        """The state of reading, by account."""
        with self._store.read() as connection:
            rows = connection.execute(select(reads.c.account, reads.c.tried_at, reads.c.next_at, reads.c.failure)).all()
        return {
            str(account): ReadState(
                tried_at=from_ms(tried_at), next_at=from_ms(next_at), failure=decoded(failure, ReadFailure)
            )
            for account, tried_at, next_at, failure in rows
        }

    def refusals(self) -> dict[str, tuple[Refusal, ...]]:
        """Live refusals as they were recorded, by account."""
        with self._store.read() as connection:
            rows = connection.execute(select(refusals.c.account, refusals.c.document)).all()
        found: dict[str, tuple[Refusal, ...]] = {}
        for account, document in rows:
            refusal = decoded(document, Refusal)
            if refusal is not None:
                found[account] = (*found.get(account, ()), refusal)
        return found

    def balances(self, now: datetime) -> dict[str, tuple[BalanceSample, ...]]:
        """Balance samples of the last 7 days, by account."""
        columns = (
            balance_samples.c.account,
            balance_samples.c.at,
            balance_samples.c.available,
            balance_samples.c.voucher,
        )
        asked = select(*columns).where(balance_samples.c.at >= to_ms(now - _BURN_PERIOD)).order_by(balance_samples.c.at)
        found: dict[str, list[BalanceSample]] = {}
        with self._store.read() as connection:
            for account, at, available, voucher in connection.execute(asked):
                sample = BalanceSample(from_ms(at), Decimal(available), None if voucher is None else Decimal(voucher))
                found.setdefault(account, []).append(sample)
        return {account: tuple(samples) for account, samples in found.items()}

    def held(self, now: datetime) -> dict[str, Held]:
        """Everything a status is made of, by account."""
        snapshots, states, refused, balances = self.latest(), self.reads(), self.refusals(), self.balances(now)
        return {
            account: Held(
                snapshot=snapshots.get(account),
                failure=states[account].failure if account in states else None,
                refusals=refused.get(account, ()),
                balances=balances.get(account, ()),
                had_requests=partial(self._had_requests, account),
                past=partial(self._past, account, now - KEPT),
            )
            for account in {*snapshots, *states, *refused}
        }

    def save(self, snapshot: Snapshot, now: datetime, next_at: datetime | None = None) -> None:
        """Keep a good snapshot as the last one, with samples where something moved. A failure before it is over."""
        with self._store.begin() as connection:
            before = _document(connection, snapshot.account)
            upsert(connection, latest, [_latest_row(snapshot)])
            upsert(connection, reads, [_read_row(snapshot.account, now, next_at, None)])
            keep_windows(connection, snapshot)
            keep_balance(connection, snapshot)
            note_drift(connection, before, snapshot)
            if before is not None and before.balance is not None and snapshot.balance is not None:
                _note_top_up(connection, snapshot, before.balance, snapshot.balance)

    def amend(self, snapshot: Snapshot) -> None:
        """Replace the last snapshot by one that knows more of the same moment."""
        with self._store.begin() as connection:
            upsert(connection, latest, [_latest_row(snapshot)])

    def save_failure(self, failure: ReadFailure, next_at: datetime | None) -> None:
        """Keep a failed read beside the last good snapshot."""
        with self._store.begin() as connection:
            upsert(connection, reads, [_read_row(failure.account, failure.at, next_at, failure)])

    def refuse(self, refusal: Refusal) -> None:
        """Keep a vendor's no; a later one of the same kind replaces it."""
        row = {
            "account": refusal.account,
            "kind": refusal.kind,
            "at": to_ms(refusal.at),
            "until": to_ms(refusal.until),
            "document": encoded(refusal),
        }
        with self._store.begin() as connection:
            upsert(connection, refusals, [row])

    def accept(self, account: str) -> None:
        """An inference call succeeded: every refusal of the account is over."""
        with self._store.begin() as connection:
            connection.execute(delete(refusals).where(refusals.c.account == account))

    def take_flight(self, account: str, owner: str, now: datetime, lasts: timedelta) -> bool:
        """Take the right to read an account; False while another process has it."""
        row = {"account": account, "owner": owner, "expires_at": to_ms(now + lasts)}
        with self._store.begin() as connection:
            connection.execute(
                delete(read_flights).where(read_flights.c.account == account, read_flights.c.expires_at <= to_ms(now))
            )
            statement = insert_for(connection, read_flights).values(row).on_conflict_do_nothing()
            return connection.execute(statement.returning(read_flights.c.account)).first() is not None

    def land(self, account: str, owner: str) -> None:
        """Give the right to read back."""
        mine = (read_flights.c.account == account, read_flights.c.owner == owner)
        with self._store.begin() as connection:
            connection.execute(delete(read_flights).where(*mine))

    def is_flying(self, account: str, now: datetime) -> bool:
        """Whether some process is reading the account."""
        asked = select(read_flights.c.owner).where(
            read_flights.c.account == account, read_flights.c.expires_at > to_ms(now)
        )
        with self._store.read() as connection:
            return connection.execute(asked).first() is not None

    def forget(self, account: str) -> None:
        """Drop what is known now of an account; its history stays."""
        with self._store.begin() as connection:
            for table in (latest, reads, refusals, read_flights):
                connection.execute(delete(table).where(table.c.account == account))
            move_edges(connection, account, None)

    def rename(self, account: str, name: str) -> None:
        """Move everything of an account, history too, to another name; what that name knew last is replaced."""
        with self._store.begin() as connection:
            for table in (latest, reads, refusals):
                connection.execute(delete(table).where(table.c.account == name))
            for table in (latest, reads, refusals, *_HISTORY):
                connection.execute(update(table).where(table.c.account == account).values(account=name))
            _rename_documents(connection, name)
            move_edges(connection, account, name)

    def purge(self, account: str) -> None:
        """Drop the history of an account: samples, events, and the requests it was asked."""
        with self._store.begin() as connection:
            for table in _HISTORY:
                connection.execute(delete(table).where(table.c.account == account))

    def _past(self, account: str, since: datetime, window: str) -> list[Mark]:
        with self._store.read() as connection:
            return marks_of(connection, account, window, since)

    def _had_requests(self, account: str, start: datetime, end: datetime) -> bool:
        between = requests.c.received_at.between(to_ms(start), to_ms(end))
        asked = select(requests.c.id).where(requests.c.account == account, between).limit(1)
        with self._store.read() as connection:
            return connection.execute(asked).first() is not None


def _rename_documents(connection: Connection, name: str) -> None:
    """Let the documents of an account say its name."""
    for table, column, kind in ((latest, "document", Snapshot), (reads, "failure", ReadFailure)):
        text = connection.execute(select(table.c[column]).where(table.c.account == name)).scalar()
        found = decoded(text, kind)
        if found is not None:
            renamed = {column: encoded(replace(found, account=name))}
            connection.execute(update(table).where(table.c.account == name).values(renamed))
    for kind_of, text in connection.execute(
        select(refusals.c.kind, refusals.c.document).where(refusals.c.account == name)
    ):
        refusal = decoded(text, Refusal)
        if refusal is not None:
            this = (refusals.c.account == name, refusals.c.kind == kind_of)
            connection.execute(update(refusals).where(*this).values(document=encoded(replace(refusal, account=name))))


def _document(connection: Connection, account: str) -> Snapshot | None:
    text = connection.execute(select(latest.c.document).where(latest.c.account == account)).scalar()
    return decoded(text, Snapshot)


def _latest_row(snapshot: Snapshot) -> Mapping[str, object]:
    return {"account": snapshot.account, "fetched_at": to_ms(snapshot.fetched_at), "document": encoded(snapshot)}


def _read_row(
    account: str, tried_at: datetime, next_at: datetime | None, failure: ReadFailure | None
) -> Mapping[str, object]:
    return {
        "account": account,
        "tried_at": to_ms(tried_at),
        "next_at": to_ms(next_at),
        "failures": failure.count if failure else 0,
        "failure": encoded(failure) if failure else None,
    }


def _note_top_up(connection: Connection, snapshot: Snapshot, before: Balance, after: Balance) -> None:
    rise = top_up(before, after)
    if rise is None:
        return
    document = encoded({"amount": plain(rise, least_places=2), "currency": after.currency})
    row = {"at": to_ms(snapshot.fetched_at), "kind": "top_up", "account": snapshot.account, "document": document}
    connection.execute(events.insert().values(row))
