"""Every forge that is found, over its played counterpart: fixtures that several rooms share."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import Struct

from perilune.core.secret import Secret
from perilune.forges.contract.client import ForgeMeans
from perilune.forges.contract.port import Forge, PullAddress
from perilune.forges.contract.registry import forge_kinds
from perilune.forges.contract.spec import ForgeSite
from perilune.net.control import ControlClient
from perilune.sandbox.clock import Clock
from perilune.sandbox.forge import Forge as Played
from perilune.sandbox.forge import ForgeThread, Pull, Repository, User
from perilune.sandbox.forge.git import BareRepository

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OLD = "".join(f"line {number}\n" for number in range(1, 41))
ENDINGS_AFTER = {"crlf.txt": "one\r\ntwo\r\nthree\r\n", "open.txt": "first\nlast"}
NEW = OLD.replace("line 5\n", "line five\nadded one\nadded two\nadded three\n").replace("line 30\n", "")


class Scene(Struct):
    """One pull request on one played forge, and the adapter that is pointed at it."""

    played: Played
    repository: Repository
    pull: Pull
    bot: User
    author: User
    forge: Forge
    address: PullAddress
    threads: ForgeThread
    clock: Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW, frozen=True)


@pytest.fixture(scope="session")
def repository_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bare repository of the scene, made once and copied."""
    folder = tmp_path_factory.mktemp("template") / "shop.git"
    bare = BareRepository.create(folder)
    bare.commit("refs/heads/main", {"a.txt": OLD, "old.txt": OLD, "keep.txt": "kept\n"})
    base = bare.tip("refs/heads/main")
    files = {"a.txt": NEW, "old.txt": None, "new.txt": OLD.replace("line 9\n", "line nine\n"), "b.txt": "one\ntwo\n"}
    bare.commit("refs/heads/topic", files | ENDINGS_AFTER, "Change things", parent=base)
    return folder


@pytest.fixture
def played(tmp_path: Path, clock: Clock) -> Iterator[ForgeThread]:
    """All three forges on one port."""
    with ForgeThread(tmp_path / "forges", clock=clock) as forges:
        yield forges


@pytest.fixture(params=sorted(forge_kinds()))
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def scene(played: ForgeThread, dialect: str, clock: Clock, repository_template: Path) -> AsyncIterator[Scene]:
    """A pull request with two hunks, a renamed file and a new one."""
    async with ControlClient() as control:
        yield open_scene(played, dialect, clock, control, repository_template)


def open_scene(played: ForgeThread, dialect: str, clock: Clock, control: ControlClient, template: Path) -> Scene:
    """The scene on one of the played forges."""
    forge = played.forges[dialect]  # type: ignore[index]
    author = forge.user("ada")
    is_app = dialect == "github"
    name = "perilune[bot]" if is_app else "perilune-bot"
    bot = forge.user(name, is_bot=is_app, is_app=is_app)
    repository = forge.repository("team/shop", {"ada": "write", name: "write"}, source=template)
    pull = repository.open_pull(author, head="topic", title="Change things", body="Because.")
    return Scene(
        played=forge,
        repository=repository,
        pull=pull,
        bot=bot,
        author=author,
        forge=adapter(played, dialect, clock, control, bot.token),
        address=PullAddress("team/shop", pull.number),
        threads=played,
        clock=clock,
    )


def adapter(played: ForgeThread, dialect: str, clock: Clock, control: ControlClient, token: str) -> Forge:
    """The adapter of a dialect over the played forge; it waits by moving the forge's clock."""
    kind = forge_kinds()[dialect]
    site = ForgeSite(spec=kind.spec, base_url=f"{played.url}/{dialect}")
    return kind.open(ForgeMeans(site=site, control=control, token=Secret(token), pause=waiting(clock), now=clock.now))


def waiting(clock: Clock) -> Callable[[float], Awaitable[None]]:
    """A pause that moves a clock."""

    async def pause(seconds: float) -> None:
        clock.advance(seconds)

    return pause
