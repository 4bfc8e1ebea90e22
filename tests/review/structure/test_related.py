"""What a unit leans on is shown beside it: definitions of what it calls, and who calls what it changed."""

import pytest
from tests.patches.shapes import Repo
from tests.review.scripted import ScriptedAnswerer, findings, review

PRICE = "def price(item):\n    if item.count == 0:\n        return 0\n    return item.count * item.each\n"
CALLER = "from shop.price import price\n\n\ndef bill(items):\n    return [price(item) for item in items]\n"


async def _prompt(repo: Repo, effort: str) -> str:
    answerer = ScriptedAnswerer(findings())
    await review(repo, answerer, user={"effort": effort})
    return answerer.asked("generate")[0].user


@pytest.fixture
def shop(repo: Repo) -> Repo:
    repo.write("shop/price.py", PRICE)
    repo.write("shop/bill.py", CALLER)
    repo.write("web/page.py", "".join(f"value_{number} = {number}\n" for number in range(40)))
    repo.commit()
    return repo


async def test_the_definition_of_what_a_change_calls_is_shown_from_the_head(shop: Repo) -> None:
    added = "".join(f"row_{number} = price(items[{number}])\n" for number in range(12))
    shop.write("web/page.py", added + "".join(f"value_{number} = {number}\n" for number in range(40)))
    prompt = await _prompt(shop, "medium")
    assert "= shop/price.py: defines price\n1 def price(item):" in prompt
    assert "4     return item.count * item.each" in prompt
    assert "defines price" not in await _prompt(shop, "low")


async def test_who_calls_a_changed_signature_is_shown_at_high_effort(shop: Repo) -> None:
    shop.write("shop/price.py", PRICE.replace("def price(item):", "def price(item, currency, discount, country):"))
    assert "shop/bill.py: calls price" not in await _prompt(shop, "medium")
    assert "= shop/bill.py: calls price\n" in await _prompt(shop, "high")


async def test_context_is_never_longer_than_the_diff(shop: Repo) -> None:
    shop.write("shop/price.py", PRICE + "".join(f"# {number} padding to make it long\n" for number in range(400)))
    shop.commit()
    shop.write("web/page.py", "row = price(1)\n" + "".join(f"value_{number} = {number}\n" for number in range(40)))
    prompt = await _prompt(shop, "high")
    diff, _, related = prompt.partition("related code at the head")
    assert len(related) <= len(diff)
