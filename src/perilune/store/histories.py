"""Kept readings by account, as forecasts ask for them."""

from datetime import datetime, timedelta

from sqlalchemy import select

from perilune.quota.curves import KEPT
from perilune.quota.samples import History, Sample
from perilune.store.engine import Store
from perilune.store.rows import sample_of
from perilune.store.schema import balance_samples, window_hours
from perilune.store.times import from_ms, to_ms

_BALANCES = timedelta(days=7)


def histories(store: Store, now: datetime) -> dict[str, History]:
    """The last readings of each hour and cycle of 56 days, and when balances were read in a week, oldest first."""
    windows: dict[str, dict[str, list[Sample]]] = {}
    balances: dict[str, list[datetime]] = {}
    hours, money = window_hours.c, balance_samples.c
    columns = (hours.at, hours.used_ratio, hours.resets_at, hours.limit, hours.began_at, hours.readings)
    asked = select(hours.account, hours.window, *columns).where(hours.hour >= to_ms(now - KEPT), hours.is_reliable)
    of_balance = select(money.account, money.at).where(money.at >= to_ms(now - _BALANCES)).order_by(money.at)
    with store.read() as connection:
        for account, window, *row in connection.execute(asked.order_by(hours.hour, hours.id)):
            windows.setdefault(account, {}).setdefault(window, []).append(sample_of(row))
        for account, at in connection.execute(of_balance):
            balances.setdefault(account, []).append(from_ms(at))
    names = {*windows, *balances}
    return {name: History(windows=windows.get(name, {}), balances=balances.get(name, ())) for name in names}
