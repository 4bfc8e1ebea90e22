"""Accounts of the environment."""

import pytest
from tests.config.conftest import Completed

from perilune.core.errors import ConfigError
from perilune.vault.vault import Vault


def _only(loaded):  # type: ignore[no-untyped-def]
    (account,) = loaded.config.accounts
    return account


@pytest.mark.case("accounts 1.1")
def test_a_kimi_code_key_alone_is_an_account_in_cn(completed: Completed) -> None:
    loaded = completed(environment={"KIMI_CODE_API_KEY": "kimi-code-token"})
    account = _only(loaded)
    assert (account.name, account.plan, account.region) == ("kimi-code-env", "kimi-code", "cn")
    assert loaded.origins == {"kimi-code-env": "environment"}


def test_the_name_that_other_tools_share_is_not_read(completed: Completed) -> None:
    assert completed(environment={"KIMI_API_KEY": "kimi-api-token"}).config.accounts == ()


@pytest.mark.case("accounts 1.3")
def test_of_both_the_own_name_counts(completed: Completed, tmp_path) -> None:  # type: ignore[no-untyped-def]
    environment = {"KIMI_CODE_API_KEY": "mine", "KIMI_API_KEY": "other"}
    account = _only(completed(environment=environment))
    assert Vault(tmp_path, environment).read(account.key, account.name).reveal() == "mine"


@pytest.mark.case("accounts 1.4")
def test_the_first_of_two_names_wins(completed: Completed) -> None:
    account = _only(completed(environment={"MOONSHOT_KEY": "b", "MOONSHOT_API_KEY": "a"}))
    assert account.key == "env:MOONSHOT_API_KEY"


@pytest.mark.case("accounts 1.5")
def test_quotes_inside_the_value_are_removed(completed: Completed, tmp_path) -> None:  # type: ignore[no-untyped-def]
    environment = {"MOONSHOT_KEY": '"quoted-token"'}
    account = _only(completed(environment=environment))
    assert Vault(tmp_path, environment).read(account.key, account.name).reveal() == "quoted-token"


@pytest.mark.case("accounts 1.6")
def test_an_unknown_region_word_is_intl_with_one_warning(completed: Completed) -> None:
    loaded = completed(environment={"MOONSHOT_API_KEY": "k", "MOONSHOT_REGION": "moon"})
    assert _only(loaded).region == "intl"
    (warning,) = loaded.warnings
    assert warning.facts["place"] == "MOONSHOT_REGION"


@pytest.mark.parametrize(
    ("word", "region"),
    [
        ("intl", "intl"),
        ("AI", "intl"),
        ("Global", "intl"),
        ("cn", "cn"),
        ("'china'", "cn"),
        ("mainland-cn", "cn"),
        ("", "intl"),
    ],
)
def test_region_words(completed: Completed, word: str, region: str) -> None:
    loaded = completed(environment={"MOONSHOT_API_KEY": "k", "MOONSHOT_REGION": word})
    assert _only(loaded).region == region
    assert loaded.warnings == ()


def test_white_space_is_no_key(completed: Completed) -> None:
    assert completed(environment={"MOONSHOT_API_KEY": "   "}).config.accounts == ()


@pytest.mark.parametrize(
    ("address", "region", "own"),
    [
        ("https://api.kimi.ai/coding/v1", "intl", None),
        ("https://api.kimi.com/coding/v1", "cn", None),
        ("https://proxy.example.com/kimi", "cn", "https://proxy.example.com/kimi"),
        ("http://127.0.0.1:9009/x", "cn", "http://127.0.0.1:9009/x"),
    ],
)
def test_the_region_follows_the_address(completed: Completed, address: str, region: str, own: str | None) -> None:
    account = _only(completed(environment={"KIMI_CODE_API_KEY": "k", "KIMI_CODE_BASE_URL": address}))
    assert (account.region, account.base_url) == (region, own)


def test_an_address_below_the_sandbox_stands_for_the_official_one(completed: Completed) -> None:
    upstream = "http://127.0.0.1:9009"
    environment = {
        "KIMI_CODE_API_KEY": "k",
        "KIMI_CODE_BASE_URL": f"{upstream}/api.kimi.ai/coding/v1",
        "PERILUNE_UPSTREAM": upstream,
    }
    account = _only(completed(environment=environment))
    assert (account.region, account.base_url) == ("intl", None)


@pytest.mark.case("accounts 1.12")
@pytest.mark.parametrize(
    "address", ["not a url", "http://proxy.example.com/kimi", "https://api.kimi.com@proxy.example.com/kimi"]
)
def test_an_address_that_breaks_the_rules_stops_before_anything_is_sent(completed: Completed, address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        completed(environment={"KIMI_CODE_API_KEY": "k", "KIMI_CODE_BASE_URL": address})
    assert caught.value.problem.code == "PL-CONFIG-BASEURL"


@pytest.mark.case("accounts 1.14")
def test_file_and_environment_are_two_accounts_each_with_its_own(completed: Completed) -> None:
    text = '[[accounts]]\nname = "mine"\nplan = "moonshot"\nregion = "cn"\nkey = "vault:mine"\n'
    loaded = completed(text, {"MOONSHOT_API_KEY": "k"})
    assert [(a.name, a.region, a.key) for a in loaded.config.accounts] == [
        ("mine", "cn", "vault:mine"),
        ("moonshot-env", "intl", "env:MOONSHOT_API_KEY"),
    ]


def test_a_variable_that_the_file_already_names_implies_no_second_account(completed: Completed) -> None:
    text = '[[accounts]]\nname = "ci"\nplan = "moonshot"\nregion = "intl"\nkey = "env:MOONSHOT_API_KEY"\n'
    assert [account.name for account in completed(text, {"MOONSHOT_API_KEY": "k"}).config.accounts] == ["ci"]


FIXED = {"API_LLM_PROVIDER_MODEL": "kimi-k2.6", "API_OPEN_AI_API_KEY": "sk-EXAMPLE"}


@pytest.mark.case("gateway FX-01")
def test_three_variables_are_one_account_on_one_route(completed: Completed) -> None:
    loaded = completed(environment=FIXED | {"API_OPENAI_FORCE_BASE_URL": "https://api.moonshot.cn/v1"})
    account = _only(loaded)
    assert (account.name, account.plan, account.region, account.base_url) == ("fixed", "moonshot", "cn", None)
    (route,) = loaded.config.gateway.routes
    assert (route.match, [(slot.account, slot.model) for slot in route.slots]) == (("*",), [("fixed", "kimi-k2.6")])
    assert loaded.origins == {"fixed": "fixed"}


def test_a_coding_address_is_the_coding_plan_with_its_cap(completed: Completed) -> None:
    loaded = completed(environment=FIXED | {"API_OPENAI_FORCE_BASE_URL": "https://api.kimi.com/coding/v1"})
    account = _only(loaded)
    assert (account.plan, account.region, account.max_concurrent_requests) == ("kimi-code", "cn", 30)


@pytest.mark.parametrize(
    ("address", "plan", "kept"),
    [
        ("https://api.anthropic.com/v1", "anthropic-compatible", "https://api.anthropic.com/v1"),
        ("https://llm.example.com/v1/chat/completions", "openai-compatible", "https://llm.example.com/v1"),
    ],
)
def test_other_addresses_are_own_endpoints(completed: Completed, address: str, plan: str, kept: str) -> None:
    account = _only(completed(environment=FIXED | {"API_OPENAI_FORCE_BASE_URL": address}))
    assert (account.plan, account.base_url) == (plan, kept)


@pytest.mark.case("gateway FX-03")
def test_a_model_of_auto_is_not_fixed(completed: Completed) -> None:
    environment = FIXED | {"API_LLM_PROVIDER_MODEL": "auto", "API_OPENAI_FORCE_BASE_URL": "https://api.moonshot.cn/v1"}
    assert completed(environment=environment).config.accounts == ()


def test_a_file_wins_over_fixed_mode(completed: Completed) -> None:
    environment = FIXED | {"API_OPENAI_FORCE_BASE_URL": "https://api.moonshot.cn/v1"}
    assert completed("schema = 1\n", environment).config.accounts == ()


def test_one_missing_variable_is_named(completed: Completed) -> None:
    from perilune.config.fixed import fixed_mode

    environment = {"API_LLM_PROVIDER_MODEL": "m", "API_OPENAI_FORCE_BASE_URL": "https://api.moonshot.cn/v1"}
    assert completed(environment=environment).config.accounts == ()
    assert fixed_mode(environment, {}).missing == ("API_OPEN_AI_API_KEY",)
