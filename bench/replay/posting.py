"""The three played forges over one repository: reviews published on each, as their own pull requests."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct, structs

from perilune.compose.pull_reviews import StoredOutbox
from perilune.core.messages import Voice
from perilune.core.secret import Secret
from perilune.forges.contract.client import ForgeMeans
from perilune.forges.contract.port import Forge, PullAddress
from perilune.forges.contract.registry import forge_kinds
from perilune.forges.contract.spec import ForgeSite
from perilune.net.control import ControlClient
from perilune.review.publish.publisher import Publisher, Publishing
from perilune.review.publish.sending import Sender
from perilune.review.pulls.carry import Carry, known_before
from perilune.review.result import Publication, ReviewResult
from perilune.sandbox.clock import Clock
from perilune.sandbox.forge import ForgeThread, Pull, Repository, User
from perilune.store.engine import Store, open_store

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_PATH = "team/shop"


class Desk(Struct):
    """One forge with a copy of the repository, and who writes there."""

    repository: Repository
    author: User
    forge: Forge
    store: Store
    clock: Clock

    def open(self, base: str, head: str) -> Pull:
        """A pull request."""
        return self.repository.open_pull(self.author, head=head, base=base, title="Change", body="Because.")

    def push(self, pull: Pull, branch: str) -> None:
        """The pull request's branch moved to another one's commit."""
        bare = self.repository.bare
        commit = bare.tip(f"refs/heads/{branch}")
        if commit is None:
            raise KeyError(branch)
        bare.point(pull.head_ref, commit)
        self.repository.refresh()

    async def carry(self, pull: Pull, files: Mapping[str, str | None]) -> Carry:
        """What our own threads say of the heads before, as a run without any database reads it."""
        address = PullAddress(_PATH, pull.number)
        threads, me = await self.forge.threads(address), await self.forge.identity()
        lines = {path: text.split("\n") for path, text in files.items() if text is not None}
        return Carry(known_before([], threads, me), {}, lines.get, (), self.clock.now())

    async def publish(self, pull: Pull, result: ReviewResult) -> Publication:
        """A review said on the pull request."""
        address = PullAddress(_PATH, pull.number)
        run = (
            f"{self.forge.site.spec.id}-{pull.number}-{pull.head[:12]}"  # each forge is written to by a run of its own
        )
        result = structs.replace(result, run_id=run)
        outbox = StoredOutbox(self.store)
        sender = Sender(self.forge, address, outbox, self.clock.now, _waiting(self.clock))
        publisher = Publisher(self.forge, outbox, sender, Voice(language="en"))
        return await publisher.publish(result, await self.forge.pull(address), Publishing(has_summary=False))


@asynccontextmanager
async def desks(folder: Path, bare: Path) -> AsyncIterator[dict[str, Desk]]:
    """A desk on every forge, over copies of a bare repository."""
    clock = Clock(NOW, frozen=True)
    store = open_store(folder / "store.sqlite3")
    try:
        async with ControlClient() as control:
            with ForgeThread(folder / "forges", clock=clock) as played:
                yield {dialect: _desk(played, dialect, clock, control, store, bare) for dialect in forge_kinds()}
    finally:
        store.close()
        shutil.rmtree(folder / "forges", ignore_errors=True)


def _desk(played: ForgeThread, dialect: str, clock: Clock, control: ControlClient, store: Store, bare: Path) -> Desk:
    forge = played.forges[dialect]  # type: ignore[index]
    is_app = dialect == "github"
    name = "perilune[bot]" if is_app else "perilune-bot"
    bot, author = forge.user(name, is_bot=is_app, is_app=is_app), forge.user("ada")
    repository = forge.repository(_PATH, {"ada": "write", name: "write"}, source=bare)
    kind = forge_kinds()[dialect]
    site = ForgeSite(spec=kind.spec, base_url=f"{played.url}/{dialect}")
    means = ForgeMeans(
        site=site, control=control, token=Secret(bot.token), pause=_waiting(clock), now=clock.now
    )  # fmt: skip
    return Desk(repository, author, kind.open(means), store, clock)


def _waiting(clock: Clock) -> Callable[[float], Awaitable[None]]:
    async def pause(seconds: float) -> None:
        clock.advance(seconds)

    return pause
