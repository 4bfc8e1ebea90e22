"""One read for accounts of one membership or organisation: what one of them read counts for the others."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from perilune.monitor.target import Target
from perilune.quota.snapshot import ReadFailure, Snapshot

_OWN_READ_EVERY = timedelta(days=1)


def shares(target: Target, previous: Snapshot | None, failure: ReadFailure | None, now: datetime) -> str | None:
    """The identity whose readings an account may take over, None where it reads by itself.

    Its own credential is tried at its first read, once a day, and while reading it fails.
    """
    if previous is None or previous.identity is None or failure is not None:
        return None
    if previous.profile_at is None or now - previous.profile_at >= _OWN_READ_EVERY:
        return None
    return previous.identity if previous.origin and previous.origin.startswith(f"{target.host}/") else None


def lender(previous: Snapshot, latest: Mapping[str, Snapshot], now: datetime, age: timedelta) -> Snapshot | None:
    """The newest reading of another account of the same identity, place and kind of source, not older than `age`."""
    same = [one for one in latest.values() if one.account != previous.account and _is_same(one, previous)]
    newest = max(same, key=lambda one: one.fetched_at, default=None)
    return newest if newest is not None and now - _local(newest) <= age else None


def lent(reading: Snapshot, previous: Snapshot) -> Snapshot:
    """Another account's reading as that of the account which `previous` is of."""
    return replace(
        reading,
        account=previous.account,
        credential=previous.credential,
        models=previous.models,
        live_models=previous.live_models,
        profile_title=previous.profile_title,
        profile_at=previous.profile_at,
        limits_refused_at=previous.limits_refused_at,
        tried=(),
        read_by=reading.account,
    )


def _is_same(one: Snapshot, previous: Snapshot) -> bool:
    where = (one.identity, one.plan, one.region, one.source)
    is_there = where == (previous.identity, previous.plan, previous.region, previous.source)
    return is_there and one.read_by is None and _host(one) == _host(previous)


def _host(snapshot: Snapshot) -> str:
    return (snapshot.origin or "").partition("/")[0]


def _local(snapshot: Snapshot) -> datetime:
    """When it was read by our clock."""
    return snapshot.fetched_at - timedelta(seconds=snapshot.clock_skew_s)
