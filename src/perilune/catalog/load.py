"""The catalogue as one object: shipped files, providers' own documents, and the user's text over both."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from perilune.catalog.agents import Agents
from perilune.catalog.models import Model, closest, find
from perilune.catalog.prices import CallPrice, Kind, Price, find_price, overlapping
from perilune.catalog.tiers import Tiers
from perilune.catalog.titles import Memberships
from perilune.core.decoding import converted
from perilune.core.errors import ConfigError

_T = TypeVar("_T")


class Document(Struct, frozen=True):
    """A catalogue document that was read elsewhere: where it is from, for errors, and its TOML text."""

    name: str
    text: str


class _Rows(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    model: tuple[Model, ...] = ()
    price: tuple[Price, ...] = ()
    call_price: tuple[CallPrice, ...] = ()
    effort_aliases: dict[str, dict[str, str]] = {}


class Catalogue(Struct, frozen=True, kw_only=True):
    """Every model and price there is, the user's own rows first."""

    models: tuple[Model, ...]
    prices: tuple[Price, ...]
    call_prices: tuple[CallPrice, ...]
    effort_aliases: Mapping[str, Mapping[str, str]]
    tiers: Tiers
    memberships: Memberships
    agents: Agents

    def model(self, plan: str, name: str) -> Model | None:
        """The traits of a model on a plan; None when unknown, and then nothing extra is done to a request."""
        return find(self.models, plan, name)

    def price(self, plan: str, model: str, currency: str, at: datetime, kind: Kind = "standard") -> Price | None:
        """The price of a model at a moment, also under the names its row matches; None is no price."""
        direct = find_price(self.prices, plan, model, currency, at, kind)
        known = self.model(plan, model) if direct is None else None
        if known is None or plan not in known.plans:
            return direct
        return find_price(self.prices, plan, known.id, currency, at, kind)

    def call_price(self, plan: str, name: str, currency: str) -> CallPrice | None:
        """What one call of a hosted tool costs."""
        fitting = (p for p in self.call_prices if (p.plan, p.name, p.currency) == (plan, name, currency))
        return next(fitting, None)

    def closest_model(self, plan: str, name: str, day: date, live: Iterable[str] = ()) -> str | None:
        """The name a mistyped or retired one was probably meant to be: from the live list, else what is not retired."""
        offered = list(live) or [m.id for m in self.models if m.names(plan) and m.state_on(day) != "retired"]
        return next(iter(closest(name, (candidate for candidate in offered if candidate != name))), None)


def load(extra: Iterable[Document] = (), override: Document | None = None) -> Catalogue:
    """The catalogue with further documents and, over everything, the user's own.

    Raises: ConfigError PL-CONFIG-VALUE naming the document when it does not parse or prices one day twice.
    """
    layers = [_own_rows(override)] if override else []
    layers += [_rows(document) for document in extra]
    layers.append(_shipped_rows())
    return Catalogue(
        models=tuple(row for layer in layers for row in layer.model),
        prices=tuple(row for layer in layers for row in layer.price),
        call_prices=tuple(row for layer in layers for row in layer.call_price),
        effort_aliases={plan: row for layer in reversed(layers) for plan, row in layer.effort_aliases.items()},
        tiers=_shipped("tiers.toml", Tiers),
        memberships=_shipped("memberships.toml", Memberships),
        agents=_shipped("agents.toml", Agents),
    )


def _own_rows(document: Document) -> _Rows:
    """The user's rows, marked as such. A model row that repeats a shipped id says only what differs."""
    rows = _rows(document, _over_shipped)
    replace = msgspec.structs.replace
    models = tuple(replace(row, is_override=True) for row in rows.model)
    prices = tuple(replace(row, is_override=True) for row in rows.price)
    return replace(rows, model=models, price=prices)


def _over_shipped(tables: dict[str, Any]) -> dict[str, Any]:
    rows = tables.get("model", ())
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return tables  # conversion says what is wrong with it
    shipped = {row.id: msgspec.structs.asdict(row) for row in _shipped_rows().model}
    own = [{**shipped.get(str(table.get("id")), {}), **table} for table in rows]
    return {**tables, "model": own}


def _rows(document: Document, complete: Callable[[dict[str, Any]], dict[str, Any]] = dict) -> _Rows:
    try:
        rows = converted(complete(_tables(document.text)), _Rows)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise _refused(document, str(error)) from error
    twice = overlapping(rows.price)
    if twice:
        raise _refused(document, f"two prices on one day: {twice[0][0].label()}")
    return rows


def _refused(document: Document, reason: str) -> ConfigError:
    return ConfigError.of("PL-CONFIG-VALUE", variant="CATALOGUE", file=document.name, reason=reason)


@cache
def _shipped_rows() -> _Rows:
    models: _Rows = _shipped("models.toml", _Rows)
    prices: _Rows = _shipped("prices.toml", _Rows)
    return msgspec.structs.replace(prices, model=models.model, effort_aliases=models.effort_aliases)


@cache
def _shipped(name: str, kind: type[_T]) -> _T:
    return converted(_tables((files("perilune.catalog") / name).read_text(encoding="utf-8")), kind)


def _tables(text: str) -> dict[str, Any]:
    return tomllib.loads(text, parse_float=Decimal)
