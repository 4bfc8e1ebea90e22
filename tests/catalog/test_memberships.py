"""Tiers, memberships, titles and agents: every row of the references."""

import pytest

from perilune.catalog.load import Catalogue, load


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


@pytest.mark.parametrize(
    ("number", "usd", "cny", "concurrency", "rpm", "tpm", "tpd"),
    [
        (0, 1, 0, 1, 3, 500_000, 1_500_000),
        (1, 10, 50, 50, 200, 2_000_000, None),
        (2, 20, 100, 100, 500, 3_000_000, None),
        (3, 100, 500, 200, 5_000, 3_000_000, None),
        (4, 1_000, 5_000, 400, 5_000, 4_000_000, None),
        (5, 3_000, 20_000, 1_000, 10_000, 5_000_000, None),
    ],
)
def test_each_tier(
    catalogue: Catalogue, number: int, usd: int, cny: int, concurrency: int, rpm: int, tpm: int, tpd: int | None
) -> None:
    tier = catalogue.tiers.of(number)
    assert tier is not None
    assert tier.top_up == {"USD": usd, "CNY": cny}
    assert (tier.concurrency, tier.rpm, tier.tpm, tier.tpd) == (concurrency, rpm, tpm, tpd)


def test_nothing_known_means_the_first_paid_tier(catalogue: Catalogue) -> None:
    tier = catalogue.tiers.of(catalogue.tiers.first_guess)
    assert tier is not None
    assert tier.concurrency == 50


@pytest.mark.parametrize(
    ("level", "title"),
    [
        ("LEVEL_FREE", "Adagio"),
        ("LEVEL_TRIAL", "Andante"),
        ("LEVEL_BASIC", "Moderato"),
        ("LEVEL_INTERMEDIATE", "Allegretto"),
        ("LEVEL_ADVANCED", "Allegro"),
        ("LEVEL_PREMIUM", "Vivace"),
        ("LEVEL_STANDARD", "LEVEL_STANDARD"),
        ("LEVEL_FUTURE", "LEVEL_FUTURE"),
        ("", None),
        ("  ", None),
        ("LEVEL_UNSPECIFIED", None),
        (7, None),
        (None, None),
    ],
)
@pytest.mark.parametrize("version", [None, "GOODS_VERSION_V1"])
def test_a_level_has_a_title(catalogue: Catalogue, level: object, title: str | None, version: str | None) -> None:
    assert catalogue.memberships.title_of(level, version) == title


@pytest.mark.parametrize("version", ["GOODS_VERSION_V2", 1, ""])
def test_a_later_version_has_no_title_by_level(catalogue: Catalogue, version: object) -> None:
    assert catalogue.memberships.title_of("LEVEL_BASIC", version) is None


@pytest.mark.parametrize(
    ("era", "region", "names", "prices", "windows"),
    [
        ("2025", "cn", "Andante Moderato Allegretto", [49, 99, 199], ("7d", "5h")),
        ("early 2026", "cn", "Adagio Andante Moderato Allegretto Allegro", [0, 49, 99, 199, 699], ("7d", "5h")),
        ("early 2026", "intl", "Adagio Moderato Allegretto Allegro Vivace", [0, 19, 39, 99, 199], ("7d", "5h")),
        ("2026-09", "cn", "Go Plus Pro Max", [49, 99, 199, 699], ("5h", "month")),
        ("2026-09", "intl", "Go Plus Pro Max", [None] * 4, ("5h", "month")),
    ],
)
def test_each_membership_era(
    catalogue: Catalogue, era: str, region: str, names: str, prices: list[int | None], windows: tuple[str, ...]
) -> None:
    sold = next(m for m in catalogue.memberships.membership if (m.since, m.region) == (era, region))
    assert [level.name for level in sold.levels] == names.split()
    assert [level.monthly for level in sold.levels] == prices
    assert sold.windows == windows


def test_yearly_prices_and_multiples_of_the_international_levels(catalogue: Catalogue) -> None:
    sold = next(m for m in catalogue.memberships.membership if (m.since, m.region) == ("early 2026", "intl"))
    assert [level.yearly for level in sold.levels] == [None, 180, 372, 948, 1908]
    assert [level.multiple for level in sold.levels] == [None, 1, 5, 15, 30]


def test_what_is_on_sale_now(catalogue: Catalogue) -> None:
    for region in ("cn", "intl"):
        sold = catalogue.memberships.on_sale(region)
        assert sold is not None
        assert sold.since == "2026-09"
    assert catalogue.memberships.on_sale("mars") is None


@pytest.mark.parametrize(
    ("user_agent", "product"),
    [
        ("KimiCLI/1.49.0", "kimi-cli"),
        ("kimi-code-cli/2.1.0", "kimi-code-cli"),
        ("claude-cli/2.1.0 (external, cli)", "claude-cli"),
        ("claude-code/1.0", "claude-code"),
        ("RooCode/3.1", "roo-code"),
        ("KiloCode/4", "kilo-code"),
        ("OpenAI/Python 3.52", None),
        ("my KimiCLI/1", None),
        ("", None),
        (None, None),
    ],
)
def test_agents_are_known_by_how_their_user_agent_begins(
    catalogue: Catalogue, user_agent: str | None, product: str | None
) -> None:
    agent = catalogue.agents.named_by(user_agent)
    assert (None if agent is None else agent.product) == product
