"""The service's log: a file of its own beside the store, redacted, of bounded size; warnings go to stderr as well."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from perilune.core.redact import redact

_MOST_BYTES = 1_000_000
_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class _Redacted(logging.Formatter):
    """Lines without anything that looks like a credential, whatever was logged."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class _Private(RotatingFileHandler):
    """A file that its owner alone can read."""

    def _open(self) -> TextIOWrapper:
        os.close(os.open(self.baseFilename, os.O_CREAT | os.O_WRONLY, 0o600))
        return super()._open()


@contextmanager
def service_log(file: Path) -> Iterator[None]:
    """Keep a log while the service runs. Where no file can be written there is none."""
    logger = logging.getLogger("perilune")
    told = logging.StreamHandler()
    told.setLevel(logging.WARNING)
    told.setFormatter(_Redacted("%(message)s"))
    handlers: list[logging.Handler] = [told]
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = _Private(file, maxBytes=_MOST_BYTES, backupCount=1, encoding="utf-8")
        kept.setFormatter(_Redacted(_FORMAT))
        handlers.append(kept)
    except OSError:
        pass  # the store tells of a folder that cannot be written
    before = logger.level
    logger.setLevel(logging.INFO)
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        logger.setLevel(before)
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
