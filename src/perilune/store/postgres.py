"""PostgreSQL by URL, for several hosts on one store."""

from importlib.util import find_spec

from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from perilune.core.errors import ConfigError

_NAMES = ("postgres", "postgresql", "postgresql+psycopg")


def engine(url: str) -> Engine:
    """An engine on a server. Raises: ConfigError PL-CONFIG-VALUE for another kind of URL or a missing driver."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError.of("PL-CONFIG-VALUE", variant="STORE-URL", scheme=url.partition(":")[0]) from error
    if parsed.drivername not in _NAMES:
        raise ConfigError.of("PL-CONFIG-VALUE", variant="STORE-URL", scheme=parsed.drivername)
    if find_spec("psycopg") is None:
        raise ConfigError.of("PL-CONFIG-VALUE", variant="STORE-DRIVER")
    return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
