"""`perilune up`: the service, in the foreground until it is told to stop."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import click
from msgspec import Struct

from perilune.core.errors import CredentialError, UsageError
from perilune.core.messages import Voice
from perilune.core.secret import Secret
from perilune.faces.cli.session import Session


class UpOptions(Struct, frozen=True, kw_only=True):
    """How the service is wanted. `listen` None takes the configured address."""

    listen: str | None = None
    is_demo: bool = False
    token: Secret | None = None


class RouteFacts(Struct, frozen=True):
    """One route as the ready message names it."""

    name: str
    accounts: tuple[str, ...]
    caps: tuple[int | None, ...]


class ReadyFacts(Struct, frozen=True, kw_only=True):
    """What the ready message tells. `personal` are accounts of one person's own plans, `hooks` paths of webhooks."""

    version: str
    url: str
    is_local: bool
    is_demo: bool
    wants_key: bool
    accounts: int
    interval_s: int
    routes: tuple[RouteFacts, ...]
    personal: tuple[tuple[str, str], ...] = ()
    hooks: tuple[str, ...] = ()


class UpServices(Protocol):
    """What this command needs."""

    def up(self, options: UpOptions, ready: Callable[[ReadyFacts], None], before: Callable[[str], None]) -> int:
        """Serve until stopped and return the exit status.

        Shape: `before` is told the address before a network address is listened on; `ready` once it answers.
        """
        ...


@click.command("up")
@click.option("--listen", metavar="HOST:PORT")
@click.option("--open", "opens", is_flag=True)
@click.option("--demo", is_flag=True)
@click.option("--token-file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def command(session: Session, listen: str | None, opens: bool, demo: bool, token_file: Path | None) -> int:
    """Run gateway, monitor, reviewer and dashboard in one process."""
    services: UpServices = session.workbench
    options = UpOptions(listen=listen, is_demo=demo, token=_token(session, token_file))

    def ready(facts: ReadyFacts) -> None:
        session.note("\n".join(ready_lines(facts, session.voice)))
        session.stderr.flush()
        if opens:
            import webbrowser

            webbrowser.open(facts.url + "/")

    def before(address: str) -> None:
        session.note(session.voice.say("up.in_clear", listen=address))

    return services.up(options, ready, before)


def ready_lines(facts: ReadyFacts, voice: Voice) -> list[str]:
    """The ready message."""
    say = voice.say
    reach = say("up.reach_local" if facts.is_local else "up.reach_network")
    lines = [say("up.ready", version=facts.version, url=facts.url, reach=reach)]
    lines.append(say("up.gateway", routes=_routes(facts.routes, voice)))
    lines.append(say("up.dashboard", url=facts.url))
    monitor = "up.monitor_one" if facts.accounts == 1 else "up.monitor"
    lines.append(say(monitor, count=facts.accounts, minutes=round(facts.interval_s / 60)))
    lines.append(say("up.reviews_hooks", paths=", ".join(facts.hooks)) if facts.hooks else say("up.reviews"))
    if not facts.is_local:
        lines += [say("up.terms", account=account, plan=plan) for account, plan in facts.personal]
    if facts.is_demo:
        lines.append(say("up.demo_no_key" if facts.wants_key else "up.demo"))
    lines.append(say("up.point"))
    return lines


def _routes(routes: tuple[RouteFacts, ...], voice: Voice) -> str:
    if not routes:
        return voice.say("up.routes_none")
    first = f"{routes[0].name} {' → '.join(routes[0].accounts)}"
    caps = [str(cap) if cap is not None else "–" for cap in routes[0].caps]
    if caps:
        first = voice.say("up.caps", route=first, caps=voice.say("up.and").join(caps))
    return voice.say("up.routes_one" if len(routes) == 1 else "up.routes_many", route=first, count=len(routes))


def _token(session: Session, file: Path | None) -> Secret | None:
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CredentialError.of(
                "PL-SECRET-READ", variant="file", path=str(file), account="--token-file"
            ) from error
    else:
        text = session.environment.get("PERILUNE_TOKEN", "").strip()
    if text and len(text) < 16:
        raise UsageError.of("PL-LISTEN", variant="short")
    return Secret(text) if text else None
