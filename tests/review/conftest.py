from pathlib import Path

import pytest
from tests.patches.shapes import Repo

CART = """\
from dataclasses import dataclass


@dataclass
class Cart:
    items: list[int]

    def total(self) -> int:
        return sum(self.items)

    def clear(self) -> None:
        self.items.clear()


def names(carts: list[Cart]) -> list[str]:
    found = []
    for cart in carts:
        found.append(str(cart))
    return found
"""
CART_AFTER = CART.replace(
    "        return sum(self.items)\n",
    "        return sum(self.items)\n\n    def mean(self) -> float:\n"
    "        total = self.total()\n        return total / len(self.items)\n",
).replace("        found.append(str(cart))\n", "        found.append(repr(cart))\n")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """An empty repository."""
    return Repo(tmp_path / "repo")


@pytest.fixture
def cart(repo: Repo) -> Repo:
    """A repository whose working tree changes one file in two places."""
    repo.write("src/cart.py", CART)
    repo.commit("base")
    repo.write("src/cart.py", CART_AFTER)
    return repo
