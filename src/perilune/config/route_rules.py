"""Rules of routes and limits that their types cannot say: amounts, floors, policies."""

from collections.abc import Callable, Iterator, Sequence

from perilune.config.layout import KeyPath
from perilune.config.outcomes import POLICY_CLASSES, PROMPT_CAUSED
from perilune.config.schema import Config, Floors
from perilune.core.amounts import CURRENCIES, parse_limit
from perilune.core.errors import Problem
from perilune.quota.guard import parse_wanted

Place = Callable[[KeyPath], str]


def rule_problems(config: Config, place: Place) -> Iterator[Problem]:
    """What is wrong with budgets, floors and policies."""
    yield from _limit_problems(config, place)
    yield from _floor_problems(config, place)
    yield from _policy_problems(config, place)


def _limit_problems(config: Config, place: Place) -> Iterator[Problem]:
    """Amounts that cannot be read: a limit that is not understood is not kept."""
    for currency, text in config.gateway.spend_stop.items():
        path = ("gateway", "spend_stop", currency)
        if currency not in CURRENCIES:
            yield _choice(place(path), "spend_stop", currency, CURRENCIES)
        elif parse_limit(text, currency) is None:
            yield _value("limit", place(path), "spend_stop", text)
    for owner, text in config.gateway.owner_budgets.items():
        if parse_limit(text) is None:
            yield _value("limit", place(("gateway", "owner_budgets", owner)), "owner_budgets", text)
    for index, account in enumerate(config.accounts):
        if account.budget is not None and parse_limit(account.budget) is None:
            yield _value("limit", place(("accounts", index, "budget")), "budget", account.budget)


def _floor_problems(config: Config, place: Place) -> Iterator[Problem]:
    """Floors that cannot be read."""
    written: list[tuple[KeyPath, Floors]] = [(("gateway", "min_left"), config.gateway.min_left)]
    for number, route in enumerate(config.gateway.routes):
        for index, slot in enumerate(route.slots):
            written.append((("gateway", "routes", number, "slots", index, "min_left"), slot.min_left))
    for path, floors in written:
        texts = [text for one in floors.values() for text in ((one,) if isinstance(one, str) else one.values())]
        for text in texts:
            if parse_wanted(text) is None:
                yield _value("floor", place(path), "min_left", text)


def _policy_problems(config: Config, place: Place) -> Iterator[Problem]:
    """A class there is none of, and what the prompt caused sent on to another vendor."""
    for number, route in enumerate(config.gateway.routes):
        for name, action in route.policy.items():
            path = place(("gateway", "routes", number, "policy", name))
            if name not in POLICY_CLASSES:
                yield _choice(path, "policy", name, POLICY_CLASSES)
            elif name in PROMPT_CAUSED and action != "stop":
                facts = {"place": path, "key": name, "value": f"'{action}'"}
                yield Problem(code="PL-CONFIG-VALUE", variant="prompt_caused", facts=facts)


def _choice(place: str, key: str, value: str, choices: Sequence[str]) -> Problem:
    facts = {"place": place, "key": key, "value": f"'{value}'", "choices": ", ".join(choices)}
    return Problem(code="PL-CONFIG-VALUE", variant="choice", facts=facts)


def _value(variant: str, place: str, key: str, value: str) -> Problem:
    return Problem(code="PL-CONFIG-VALUE", variant=variant, facts={"place": place, "key": key, "value": f"'{value}'"})
