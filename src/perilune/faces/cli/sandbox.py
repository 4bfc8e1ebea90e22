"""`perilune sandbox`: plays the vendors' services on this machine."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from perilune.core.messages import Voice, pick_language

if TYPE_CHECKING:
    from perilune.sandbox import SandboxHandle, World
    from perilune.sandbox.forge.app import ForgeApp
    from perilune.sandbox.http.certificates import Tls


class Teller(Protocol):
    """What this command needs of a session."""

    @property
    def voice(self) -> Voice: ...
    def answer(self, text: str = "") -> None: ...


class _Plain:
    """A teller for a command that runs without a session."""

    @property
    def voice(self) -> Voice:
        return Voice(language=pick_language(os.environ))

    def answer(self, text: str = "") -> None:
        click.echo(text)


@click.command("sandbox", help="The vendors' services, played locally.")
@click.option("--listen", default="127.0.0.1:9009", show_default=True, metavar="HOST:PORT")
@click.option("--scenario", default="pong", show_default=True, metavar="NAME|FILE")
@click.option("--forges", "with_forges", is_flag=True)
@click.option("--tls", type=click.Choice(["good", "wrong-name", "expired", "unknown-authority"]))
@click.pass_context
def command(ctx: click.Context, listen: str, scenario: str, *, with_forges: bool, tls: str | None) -> None:
    """Plays until it is interrupted; prints the address and the scenario's keys once it answers."""
    from perilune.sandbox import serve

    teller: Teller = ctx.obj if ctx.obj is not None else _Plain()

    def tell(handle: "SandboxHandle") -> None:
        teller.answer(teller.voice.say("sandbox.playing", url=handle.url, scenario=scenario))
        for line in key_lines(handle.world, teller.voice):
            teller.answer(line)
        for line in forge_lines(handle.url, forges, teller.voice):
            teller.answer(line)
        if handle.authority:
            teller.answer(teller.voice.say("sandbox.authority") + "\n" + handle.authority.strip())

    with _forges(with_forges) as forges:
        serve(listen, scenario, tell, forges, tls=None if tls is None else _tls(tls))


def _tls(word: str) -> "Tls":
    from perilune.sandbox.http.certificates import Tls

    return Tls(word)


@contextmanager
def _forges(are_wanted: bool) -> Iterator["ForgeApp | None"]:
    """Forges in a folder that ends with them, None where none are wanted."""
    if not are_wanted:
        yield None
        return
    from perilune.sandbox.forge.sample import sample_forges

    with tempfile.TemporaryDirectory(prefix="perilune-forges-") as folder:
        yield sample_forges(Path(folder))


def forge_lines(url: str, forges: "ForgeApp | None", voice: Voice) -> list[str]:
    """The configuration of each sample and its pull request, for pasting."""
    if forges is None:
        return []
    from perilune.sandbox.forge.sample import sample_pulls

    lines = [voice.say("sandbox.forges")]
    for pull in sample_pulls(forges):
        lines += [
            f'  [[forges]]\n  name = "sandbox-{pull.forge}"\n  forge = "{pull.forge}"',
            f'  base_url = "{url}/{pull.forge}"\n  token = "env:PERILUNE_SANDBOX_FORGE"',
            f"    PERILUNE_SANDBOX_FORGE={pull.token} perilune review --pr {url}{pull.path}",
        ]
    return lines


def key_lines(world: "World", voice: Voice) -> list[str]:
    """The scenario's keys in full, for pasting: they are invented and open nothing."""
    rows = [(name, key) for name, account in world.accounts.items() for key in account.keys]
    width = max((len(name) for name, _ in rows), default=0)
    return [voice.say("sandbox.keys"), *(f"  {name.ljust(width)}  {key}" for name, key in rows)] if rows else []
