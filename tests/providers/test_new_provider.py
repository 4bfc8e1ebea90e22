"""A provider is one folder: nothing else has to know of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import perilune.providers
from perilune.catalog import load as catalogues
from perilune.config.schema import AccountConfig, Config
from perilune.gateway.slots import Resolver
from perilune.providers.contract import registry

SPEC = """id = "llama-farm"
label = "Llama Farm"
surfaces = ["chat"]
default_surface = "chat"
key_prefixes = ["lf-"]
default_cap = 7
default_model = "llama-9"
is_detectable = false

[environment]
keys = ["LLAMA_FARM_KEY"]
default_region = "eu"

[[regions]]
id = "eu"
label = "Europe"
site = "llama.example"
hosts = ["api.llama.example"]
currency = "USD"
read_base = "https://api.llama.example/v1"
bases = { chat = "https://api.llama.example/v1" }
console = "https://llama.example/console"
keys_page = "llama.example/keys"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A provider's folder beside the shipped ones."""
    folder = tmp_path / "llama_farm"
    folder.mkdir()
    (folder / "provider.toml").write_text(SPEC)
    monkeypatch.setattr(perilune.providers, "__path__", [*perilune.providers.__path__, str(tmp_path)])
    registry.providers.cache_clear()
    yield folder
    registry.providers.cache_clear()


def test_a_new_folder_is_a_plan_with_a_route(folder: Path) -> None:
    found = registry.providers()["llama-farm"]
    assert found.plan.label == "Llama Farm"
    account = AccountConfig(name="farm", plan="llama-farm", region="eu", key="env:LLAMA_FARM_KEY")
    resolver = Resolver(
        config=Config(accounts=(account,)),
        providers=registry.providers(),
        catalogue=catalogues.load(),
        secrets={},
    )
    [route] = resolver.routes().all
    [slot] = route.slots
    assert (slot.account, slot.config.model, slot.host) == ("farm", "llama-9", "api.llama.example")


def test_the_commands_know_it_without_a_change(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from perilune.compose.workbench import Workbench
    from perilune.faces.cli.run import run

    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    config = home / "config.toml"
    config.write_text('schema = 1\n[[accounts]]\nname = "farm"\nplan = "llama-farm"\nregion = "eu"\nkey = "env:LF"\n')
    config.chmod(0o600)
    bench = Workbench({"PERILUNE_HOME": str(home), "LF": "lf-EXAMPLE-000000000000"})
    assert run(["accounts", "list", "--json"], bench) == 0
    [account] = json.loads(capsys.readouterr().out)["accounts"]
    assert (account["plan"], account["region"]) == ("llama-farm", "eu")
