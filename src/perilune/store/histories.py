"""Kept readings by account, as forecasts ask for them."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import select

from perilune.quota.forecast import History, Sample
from perilune.store.engine import Store
from perilune.store.schema import balance_samples, window_samples
from perilune.store.times import from_ms, to_ms


def histories(store: Store, since: datetime) -> dict[str, History]:
    """The samples of every account since a moment, oldest first."""
    windows: dict[str, dict[str, list[Sample]]] = {}
    balances: dict[str, list[datetime]] = {}
    table = window_samples.c
    asked = select(table.account, table.window, table.at, table.used_ratio, table.resets_at)
    of_balance = select(balance_samples.c.account, balance_samples.c.at)
    with store.read() as connection:
        for account, window, at, ratio, resets_at in connection.execute(
            asked.where(table.at >= to_ms(since), table.is_reliable).order_by(table.at)
        ):
            sample = Sample(
                at=from_ms(at), used_ratio=None if ratio is None else Decimal(ratio), resets_at=from_ms(resets_at)
            )
            windows.setdefault(account, {}).setdefault(window, []).append(sample)
        for account, at in connection.execute(
            of_balance.where(balance_samples.c.at >= to_ms(since)).order_by(balance_samples.c.at)
        ):
            balances.setdefault(account, []).append(from_ms(at))
    names = {*windows, *balances}
    return {name: History(windows=windows.get(name, {}), balances=balances.get(name, ())) for name in names}
