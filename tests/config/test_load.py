"""Loading and judging a configuration."""

from pathlib import Path

import pytest
from tests.config.conftest import Completed

from perilune.config.load import load
from perilune.config.paths import find_paths
from perilune.config.settings import settings
from perilune.core.errors import ConfigError
from perilune.core.messages import Voice

WORK = '[[accounts]]\nname = "work"\nplan = "kimi-code"\nregion = "cn"\nkey = "vault:work"\n'


def _said(completed: Completed, text: str, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        completed(text, environment)
    assert caught.value.problem.exit_code == 2
    return f"{caught.value.problem.code} {Voice().explain(caught.value.problem).what}"


def test_without_a_file_everything_has_its_default(completed: Completed) -> None:
    loaded = completed()
    assert (loaded.exists, loaded.config.gateway.listen) == (False, "127.0.0.1:8787")


def test_an_unknown_key_names_its_line_and_the_nearest(completed: Completed) -> None:
    assert _said(completed, WORK + "\nmax_concurent_requests = 3\n") == (
        "PL-CONFIG-KEY config.toml:7: unknown key 'max_concurent_requests'. Nearest: max_concurrent_requests."
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (WORK.replace('"cn"', '"us"'), "PL-CONFIG-VALUE config.toml:4: region 'us' is not one of cn, intl."),
        ("[gateway]\nqueue_max = 0\n", "PL-CONFIG-VALUE config.toml:2: queue_max 0 is not a number >= 1."),
        ('[gateway]\nqueue_max = "x"\n', "PL-CONFIG-VALUE config.toml:2: queue_max 'x' is not a whole number."),
        ('[[accounts]]\nplan = "moonshot"\n', "PL-CONFIG-VALUE config.toml:1: name is missing."),
        ('a = "b\n', "PL-CONFIG-SYNTAX config.toml:1:7: TOML ends inside a string."),
        ('a = "b', "PL-CONFIG-SYNTAX config.toml:1:7: TOML ends inside a string."),
        ('[gateway]\nlisten = "8787"\n', "PL-CONFIG-VALUE config.toml:2: listen '8787' is not HOST:PORT."),
        (WORK + WORK, "PL-CONFIG-VALUE config.toml:7: name 'work' stands there twice."),
        (WORK.replace("vault:work", "sk-EXAMPLE"), "PL-CONFIG-VALUE config.toml:5: key is not a reference to a key."),
    ],
)
def test_faults_are_said_with_their_line(completed: Completed, text: str, said: str) -> None:
    assert _said(completed, text) == said


def test_a_slot_names_an_account_that_is_there(completed: Completed) -> None:
    text = WORK + '[[gateway.routes]]\nname = "default"\nslots = [\n  { account = "wrok" },\n]\n'
    assert _said(completed, text) == "PL-CONFIG-VALUE config.toml:9: account 'wrok' is not one of work."


def test_a_slot_may_name_an_account_of_the_environment(completed: Completed) -> None:
    text = '[[gateway.routes]]\nname = "default"\nslots = [{ account = "moonshot-env" }]\n'
    loaded = completed(text, {"MOONSHOT_API_KEY": "k"})
    assert [account.name for account in loaded.config.accounts] == ["moonshot-env"]


def test_the_environment_wins_over_the_file_and_flags_over_both(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[gateway]\nlisten = "127.0.0.1:1"\nqueue_max = 5\n')
    environment = {
        "PERILUNE_GATEWAY_LISTEN": "127.0.0.1:2",
        "PERILUNE_REVIEW_BUDGET_MAX_REQUESTS": "9",
        "PERILUNE_GATEWAY_REQUIRE_KEY": "yes",
        "PERILUNE_PROBE_HOSTS": "api.kimi.com, api.kimi.ai",
        "PERILUNE_ALERTS_BALANCE_FLOOR": "CNY=5,USD=1",
    }
    config = load(file, environment).config
    assert (config.gateway.listen, config.gateway.queue_max, config.gateway.require_key) == ("127.0.0.1:2", 5, True)
    assert config.review.budget.max_requests == 9
    assert config.probe.hosts == ("api.kimi.com", "api.kimi.ai")
    assert config.alerts.balance_floor == {"CNY": "5", "USD": "1"}
    assert load(file, environment, {"gateway.listen": "127.0.0.1:3"}).config.gateway.listen == "127.0.0.1:3"


def test_a_wrong_value_of_the_environment_names_the_variable(completed: Completed) -> None:
    said = _said(completed, "", {"PERILUNE_GATEWAY_QUEUE_MAX": "many"})
    assert said == "PL-CONFIG-VALUE PERILUNE_GATEWAY_QUEUE_MAX: gateway.queue_max 'many' is not a whole number."


def test_every_setting_has_a_variable_of_its_own() -> None:
    variables = [setting.variable for setting in settings().values()]
    assert len(set(variables)) == len(variables)
    assert settings()["review.budget.max_share"].variable == "PERILUNE_REVIEW_BUDGET_MAX_SHARE"


def test_a_file_that_others_can_read_draws_a_warning(completed: Completed, tmp_path: Path) -> None:
    completed("schema = 1\n")
    (tmp_path / "config.toml").chmod(0o644)
    (warning,) = completed().warnings
    assert Voice().explain(warning).what == "config.toml can be read by others (mode 644)."


@pytest.mark.case("gateway BU-07")
def test_an_official_address_as_an_own_endpoint_is_offered_its_plan(completed: Completed) -> None:
    text = '[[accounts]]\nname = "x"\nplan = "openai-compatible"\nbase_url = "https://api.kimi.com/coding/v1"\n'
    with pytest.raises(ConfigError) as caught:
        completed(text)
    assert Voice().explain(caught.value.problem).fix == ("perilune accounts set x --plan kimi-code --region cn",)


def test_an_address_of_a_file_is_repaired_in_memory_and_warned(completed: Completed) -> None:
    text = '[[accounts]]\nname = "x"\nplan = "openai-compatible"\nbase_url = "https://h:8443/v1/chat/completions/"\n'
    loaded = completed(text)
    assert loaded.config.accounts[0].base_url == "https://h:8443/v1"
    (warning,) = loaded.warnings
    assert (warning.code, warning.variant) == ("PL-CONFIG-BASEURL", "repaired")


def test_folders_follow_the_platform() -> None:
    home = Path("/home/me")
    linux = find_paths({}, "linux", home)
    assert linux.config_file == Path("/home/me/.config/perilune/config.toml")
    assert find_paths({"XDG_CONFIG_HOME": "relative"}, "linux", home).config_folder == linux.config_folder
    assert find_paths({"XDG_RUNTIME_DIR": "/run/me"}, "linux", home).runtime_folder == Path("/run/me/perilune")
    assert find_paths({}, "darwin", home).data_folder == Path("/home/me/Library/Application Support/perilune")
    one = find_paths({"PERILUNE_HOME": "/p"}, "linux", home)
    assert (one.config_folder, one.data_folder) == (Path("/p"), Path("/p"))
