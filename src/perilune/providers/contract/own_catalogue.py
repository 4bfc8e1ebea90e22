"""Catalogue documents that providers ship in their own folders: `models.toml` and `prices.toml`, if any."""

from collections.abc import Iterable
from importlib.resources import files

from perilune.catalog.load import Document
from perilune.providers.contract.registry import Provider

_NAMES = ("models.toml", "prices.toml")


def own_documents(providers: Iterable[Provider]) -> list[Document]:
    """The documents of these providers, named by package and file, as `catalog.load` takes them."""
    found = ((provider.package, files(provider.package) / name) for provider in providers for name in _NAMES)
    return [
        Document(f"{package}/{file.name}", file.read_text(encoding="utf-8"))
        for package, file in found
        if file.is_file()
    ]
