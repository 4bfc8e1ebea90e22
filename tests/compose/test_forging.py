"""Which installation an address belongs to, and where its credential may travel."""

from pathlib import Path

import pytest

from perilune.compose.forging import installation_at, installation_of, installations, open_installation
from perilune.compose.workbench import Workbench
from perilune.core.errors import ConfigError, CredentialError, ReviewError
from perilune.forges.contract.client import ForgeClient
from perilune.net.control import ControlClient

CONFIG = """
schema = 1

[[forges]]
name = "own"
forge = "gitlab"
base_url = "https://git.example.org/code/"
token = "env:OWN_TOKEN"
"""


def bench(folder: Path, text: str = CONFIG, **environment: str) -> Workbench:
    (folder / "config.toml").write_text(text)
    return Workbench({"PERILUNE_HOME": str(folder), "OWN_TOKEN": "own-EXAMPLE-0001", **environment})


def test_an_address_below_a_path_is_known_with_its_groups(tmp_path: Path) -> None:
    config = bench(tmp_path).configuration().config
    one, address = installation_of(config, "https://git.example.org/code/group/sub/shop/-/merge_requests/7")
    assert (one.site.api, address.repository, address.number) == (
        "https://git.example.org/code/api/v4", "group/sub/shop", 7
    )  # fmt: skip
    assert one.site.git_url("group/sub/shop") == "https://git.example.org/code/group/sub/shop.git"
    assert installation_at(config, "gitlab", "git.example.org") == one
    assert installation_at(config, "gitea", "git.example.org") is None


def test_the_official_hosts_are_known_without_being_written_down(tmp_path: Path) -> None:
    here = bench(tmp_path, "schema = 1\n", GITHUB_TOKEN="ghp_EXAMPLE0001")
    one, _ = installation_of(here.configuration().config, "https://github.com/o/r/pull/1")
    token = one.token(here)
    assert token is not None
    assert token.reveal() == "ghp_EXAMPLE0001"
    assert not one.may_publish  # it was not written beside this host
    assert [each.site.spec.id for each in installations(here.configuration().config)] == ["gitea", "github", "gitlab"]


def test_a_host_nobody_wrote_down_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ReviewError) as raised:
        installation_of(bench(tmp_path).configuration().config, "https://evil.example/o/r/pull/1")
    assert raised.value.problem.code == "PL-REVIEW-HOST"
    assert "https://git.example.org/code" in str(raised.value.problem.facts["known"])


async def test_a_token_never_leaves_for_another_host(tmp_path: Path) -> None:
    here = bench(tmp_path)
    one, _ = installation_of(here.configuration().config, "https://git.example.org/code/g/r/-/merge_requests/7")
    async with ControlClient() as control:
        client = ForgeClient(open_installation(here, one, control).means)
        with pytest.raises(CredentialError) as raised:
            await client.read("https://evil.example/api/v4/user")
    assert raised.value.problem.code == "PL-401-HOST"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('base_url = "http://git.example.org"', "base_url"),
        ('base_url = "https://user:word@git.example.org"', "base_url"),
        ('token = "glpat-EXAMPLE"', "token"),
        ('webhook_secret = "a secret"', "webhook_secret"),
        ('colour = "red"', "colour"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_key(tmp_path: Path, line: str, key: str) -> None:
    text = f'schema = 1\n\n[[forges]]\nname = "x"\nforge = "gitlab"\n{line}\n'
    with pytest.raises(ConfigError) as raised:
        bench(tmp_path, text).configuration()
    assert key in str(raised.value.problem.facts)
    assert "EXAMPLE" not in str(raised.value.problem.facts)


def test_an_unknown_kind_names_those_there_are(tmp_path: Path) -> None:
    config = bench(tmp_path, 'schema = 1\n[[forges]]\nname = "x"\nforge = "sourcehut"\n').configuration().config
    with pytest.raises(ConfigError) as raised:
        installations(config)
    assert raised.value.problem.facts["choices"] == "gitea, github, gitlab"
