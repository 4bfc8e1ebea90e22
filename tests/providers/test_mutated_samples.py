"""A field that is removed or of another type loses itself; it never becomes another figure."""

import copy
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.samples import NOW, answered, binding, body_of

from perilune.core.errors import PeriluneError
from perilune.providers.contract.reading import reader_of
from perilune.quota.snapshot import Snapshot

SAMPLES = [
    ("kimi-code", "code-usages-legacy"),
    ("kimi-code", "code-usages-legacy-requests"),
    ("kimi-code", "code-usages-quota-model"),
    ("kimi-code", "code-usages-extra-usage"),
    ("moonshot", "dev-balance-ok"),
    ("openrouter", "openrouter-key-ok"),
]
REFUSALS = ("PL-PARSE", "PL-VENDOR", "PL-401-KEY")
WRONG = [None, "", "abc", "NaN", True, [], {}, -1, "-1", [1], {"a": 1}, "2026-13-45", 1e300]


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in entries:
        yield (*here, key)
        yield from paths(child, (*here, key))


def read(plan_id: str, body: Any) -> Snapshot:
    bound = binding(plan_id, "global" if plan_id == "openrouter" else "cn")
    reader = reader_of(plan_id)
    assert reader is not None
    return reader.understood(bound, answered(bound, reader.read_url(bound), body), NOW)


def read_or_code(plan_id: str, body: Any) -> Snapshot | str:
    """The snapshot, or the code of what could not be read."""
    try:
        return read(plan_id, body)
    except PeriluneError as error:
        return error.problem.code


def figures(snapshot: Snapshot) -> set[Decimal]:
    """Every figure that a person could be shown."""
    shown: list[Decimal | None] = []
    for window in snapshot.windows:
        shown += [window.used_ratio, window.used, window.limit, window.remaining]
        shown += [part.used_ratio for part in window.parts]
    if snapshot.balance is not None:
        shown += [snapshot.balance.available, snapshot.balance.voucher, snapshot.balance.cash]
    wallet = snapshot.extra_usage
    if wallet is not None:
        shown += [wallet.total, wallet.left, wallet.used_this_month, wallet.monthly_cap]
    return {figure for figure in shown if figure is not None}


def figures_of_parts(plan_id: str, body: Any) -> set[Decimal]:
    """The figures that any single reading of the whole sample gave: what a lost reading may uncover."""
    snapshot = read(plan_id, body)
    of_readings = [
        figure
        for window in snapshot.windows
        for reading in window.readings
        for figure in (reading.used_ratio, reading.used, reading.limit, reading.remaining)
    ]
    return figures(snapshot) | {figure for figure in of_readings if figure is not None}


def changed(body: Any, path: tuple[Any, ...], value: Any, *, is_removed: bool) -> Any:
    body = copy.deepcopy(body)
    place = body
    for key in path[:-1]:
        place = place[key]
    if is_removed:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return body


@pytest.mark.parametrize(("plan_id", "name"), SAMPLES)
@given(data=st.data())
def test_a_mutated_sample_gives_no_other_figure(plan_id: str, name: str, data: st.DataObject) -> None:
    body = body_of(name)
    path = data.draw(st.sampled_from(sorted(paths(body), key=repr)))
    is_removed = data.draw(st.booleans())
    value = data.draw(st.sampled_from(WRONG))
    snapshot = read_or_code(plan_id, changed(body, path, value, is_removed=is_removed))
    if isinstance(snapshot, str):
        assert snapshot in REFUSALS
        return
    allowed = figures_of_parts(plan_id, body) | (
        {Decimal(-1)} if value in (-1, "-1") and plan_id == "moonshot" else set()
    )
    if plan_id == "openrouter" or name.startswith("code-usages-extra"):
        allowed |= {Decimal(-1), Decimal("-0.01"), Decimal(0)}
    assert figures(snapshot) <= allowed


@pytest.mark.parametrize(("plan_id", "name"), SAMPLES)
@given(
    noise=st.recursive(
        st.none()
        | st.booleans()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=12)
        | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
        max_leaves=8,
    )
)
def test_any_json_is_read_or_refused_with_a_code(plan_id: str, name: str, noise: Any) -> None:
    for body in (noise, {**body_of(name), **noise} if isinstance(noise, dict) else noise):
        told = read_or_code(plan_id, body)
        assert isinstance(told, Snapshot) or told in REFUSALS
