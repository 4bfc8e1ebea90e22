import pytest

from perilune.core.errors import ConfigError
from perilune.net.upstream_map import dialled, original, parse_upstream

UPSTREAM = "http://127.0.0.1:9009"
USAGES = "https://api.kimi.com/coding/v1/usages"


@pytest.mark.case("accounts 1.16")
def test_an_official_host_is_replaced_by_the_stand_in() -> None:
    assert dialled(USAGES, UPSTREAM) == "http://127.0.0.1:9009/api.kimi.com/coding/v1/usages"


def test_what_is_dialled_leads_back_to_the_original() -> None:
    assert original(dialled(f"{USAGES}?a=1", UPSTREAM), UPSTREAM) == f"{USAGES}?a=1"
    assert original("https://elsewhere.example/", UPSTREAM) == "https://elsewhere.example/"


def test_without_a_stand_in_and_on_loopback_nothing_is_replaced() -> None:
    assert dialled(USAGES, None) == USAGES
    assert dialled("http://127.0.0.1:5/x", UPSTREAM) == "http://127.0.0.1:5/x"


@pytest.mark.parametrize("text", ["http://127.0.0.1:9009/", "http://[::1]:9009", " http://localhost:1 "])
def test_a_loopback_address_is_taken(text: str) -> None:
    assert parse_upstream(text) == text.strip().rstrip("/")


@pytest.mark.parametrize("text", [None, "", "  "])
def test_no_address_is_none(text: str | None) -> None:
    assert parse_upstream(text) is None


@pytest.mark.parametrize(
    "text",
    ["http://192.168.0.1:9009", "https://api.kimi.com", "127.0.0.1:9009", "http://u@127.0.0.1/", "http://127.0.0.1:x"],
)
def test_any_other_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_upstream(text)
    assert caught.value.problem.code == "PL-SANDBOX"
    assert caught.value.problem.exit_code == 2
