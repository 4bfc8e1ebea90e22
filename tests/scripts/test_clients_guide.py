"""The guide's recipes as the script for real tools reads them."""

import json

import pytest
from scripts._clients.cache import LOCKS
from scripts._clients.clients import CLIENTS
from scripts._clients.guide import GUIDE, ORIGIN, recipe_of, recipes
from scripts._locks import faults

TEXT = """
## One

Words.

```sh
export BASE=http://127.0.0.1:8787
```

```sh
one ping
```

## None

Only words.

## Two

```python
print("ping")
```
"""


def test_every_block_but_the_last_is_the_setup() -> None:
    found = recipes(TEXT)
    assert found["One"] == ("sh", f"export BASE={ORIGIN}\n", "one ping\n")
    assert found["Two"].language == "python"
    assert found["Two"].setup == ""
    assert "None" not in found


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_every_tool_has_a_recipe_that_is_pointed_at_the_service(client: object) -> None:
    recipe = recipe_of(client.title, "http://127.0.0.1:1234")  # type: ignore[attr-defined]
    assert "http://127.0.0.1:1234" in recipe.setup + recipe.trial
    assert ORIGIN not in recipe.setup + recipe.trial


def test_no_recipe_of_the_guide_is_left_out() -> None:
    assert set(recipes(GUIDE.read_text(encoding="utf-8"))) == {client.title for client in CLIENTS}


@pytest.mark.parametrize("lock", sorted(LOCKS.glob("*.txt")), ids=lambda lock: lock.stem)
def test_python_tools_are_pinned_with_hashes_and_no_address(lock: object) -> None:
    assert list(faults(lock.stem, lock.read_text(encoding="utf-8"))) == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("lock", sorted(LOCKS.glob("*/package-lock.json")), ids=lambda lock: lock.parent.name)
def test_node_tools_are_pinned_with_hashes_and_no_address(lock: object) -> None:
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]  # type: ignore[attr-defined]
    for name, package in packages.items():
        assert "resolved" not in package
        assert not name or package["integrity"].startswith("sha512-")
