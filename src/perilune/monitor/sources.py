"""Reading one account by its credential sources in order, each opened only as far as it is needed."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
from msgspec import Struct

from perilune.core.errors import CredentialError, PeriluneError, Problem
from perilune.monitor.waiting import patience
from perilune.net.control import ControlClient
from perilune.providers.contract.reading import Binding, Reader
from perilune.providers.contract.sources import session_reader
from perilune.quota.snapshot import Snapshot, Source, SourceTry
from perilune.quota.sources import ABSENT, REFUSED, after, gives_way_to_candidate

_EQUAL_AGAIN = timedelta(seconds=60)
_MEMBERSHIP = "PL-402-MEMBER"
_REFUSAL: dict[Source, str] = {
    "api-key": "PL-401-KEY",
    "cli-login": "PL-LOGIN-EXPIRED",
    "web-session": "PL-COOKIE-EXPIRED",
}


class SourceOption(Struct, frozen=True, kw_only=True):
    """One source an account may be read by.

    Shape: `open` yields the credentials there are, best first, and raises CredentialError when there is none; one that
    `is_late` opens files of browsers and is only asked when everything before it has failed.
    """

    source: Source
    host: str
    open: Callable[[], Iterator[Binding]]
    is_late: bool = False


class SourcedTarget(Protocol):
    """A target as far as its sources go."""

    @property
    def name(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def bind(self) -> Callable[[], Binding]: ...
    @property
    def sources(self) -> Sequence[SourceOption]: ...
    @property
    def sessions(self) -> Callable[[], Iterator[Binding]] | None: ...


class OpenedSource(Struct, frozen=True, kw_only=True):
    """A source whose first credential is known, or why there is none; neither for a late one."""

    option: SourceOption
    binding: Binding | None = None
    problem: Problem | None = None

    def candidates(self) -> Iterator[Binding]:
        """The credentials of this source, the first as it was opened."""
        if self.binding is not None:
            yield self.binding
        elif self.option.is_late:
            yield from self.option.open()


class SourceRead(Struct, frozen=True, kw_only=True):
    """What came of all sources: a snapshot and the credential it was read by, or the problem to tell.

    `membership` is set where an earlier source was told that there is no membership: it stays the verdict. `refused` is
    a fingerprint of the credential that the problem is about.
    """

    snapshot: Snapshot | None = None
    binding: Binding | None = None
    problem: Problem | None = None
    membership: Problem | None = None
    refused: str | None = None


def open_sources(target: SourcedTarget) -> list[OpenedSource]:
    """The sources of a target, opened but for the late ones.

    Raises: CredentialError when none of them can have a credential.
    """
    options = target.sources or (SourceOption(source="api-key", host=target.host, open=lambda: iter((target.bind(),))),)
    opened = [_opened(option) for option in options]
    if not any(one.binding or one.option.is_late for one in opened):
        raise CredentialError(told([one.problem for one in opened if one.problem], target.name))
    return opened


def credential_of(opened: Sequence[OpenedSource]) -> str:
    """A digest of all credentials at hand: it changes when any of them does."""
    prints = [fingerprint_of(one.binding) for one in opened if one.binding]
    return prints[0] if len(prints) == 1 else hashlib.sha256("\n".join(prints).encode()).hexdigest()[:32]


def fingerprint_of(binding: Binding) -> str:
    """A digest of one credential, comparable on this machine only."""
    return binding.secret.fingerprint(binding.salt or b"-")


def told(problems: Sequence[Problem], account: str) -> Problem:
    """Of several sources' problems the one that is told: the first that is more than an absence."""
    present = [problem for problem in problems if problem.code not in ABSENT]
    if present:
        return present[0]
    return problems[0] if len(problems) == 1 else Problem(code="PL-CRED-NONE", account=account)


async def read_sources(
    target: SourcedTarget,
    opened: Sequence[OpenedSource],
    reader: Reader,
    client: ControlClient,
    now: datetime,
    previous: Snapshot | None,
    *,
    refused: str | None = None,
    is_forced: bool = False,
) -> SourceRead:
    """Ask the sources in order until one answers. Cancelling stops everything.

    A credential known as `refused`, or from earlier reads, is not sent again, unless the read is forced.
    """
    run = _Run(target, reader, client, now, previous, refused, is_forced=is_forced)
    for source in opened:
        if await run.ask(source):
            break
    return run.result()


class _Run:
    """One read of one account over its sources."""

    def __init__(
        self,
        target: SourcedTarget,
        reader: Reader,
        client: ControlClient,
        now: datetime,
        previous: Snapshot | None,
        refused: str | None,
        *,
        is_forced: bool,
    ) -> None:
        self._target, self._reader, self._client, self._now = target, reader, client, now
        self._previous = previous
        self._before = () if previous is None else previous.tried
        self._known = () if is_forced else self._before
        self._refused = refused
        self._problems: list[Problem] = []
        self._tried: list[SourceTry] = []
        self._closed_hosts: set[str] = set()
        self._found: tuple[Snapshot, Binding] | None = None

    async def ask(self, source: OpenedSource) -> bool:
        """Ask one source; true when no other is to be asked."""
        if source.option.host in self._closed_hosts:
            return False
        waiting = self._waiting(source.option)
        if waiting is not None:
            self._tried.append(waiting)
            return self._ends(waiting.code, source.option.host)
        if source.problem is not None:
            self._note(source.option, source.problem, None)
            return False
        seen: set[str] = set()
        candidates = source.candidates()
        while True:
            try:
                binding = await asyncio.to_thread(next, candidates, None)
            except CredentialError as error:
                self._note(source.option, error.problem, None)
                return False
            if binding is None:
                return False
            credential = fingerprint_of(binding)
            if credential in seen:
                continue
            seen.add(credential)
            problem = await self._read(binding, credential)
            if problem is None:
                return True
            self._note(source.option, problem, credential)
            if not gives_way_to_candidate(problem.code):
                return self._ends(problem.code, source.option.host)

    def result(self) -> SourceRead:
        """What came of it."""
        if self._found is None:
            problem = told(self._problems, self._target.name)
            about = (one.credential for one in self._tried if one.code == problem.code)
            return SourceRead(problem=problem, refused=next(about, None) if problem.code in REFUSED else None)
        snapshot, binding = self._found
        snapshot = msgspec.structs.replace(snapshot, tried=tuple(self._tried))
        membership = next((problem for problem in self._problems if problem.code == _MEMBERSHIP), None)
        return SourceRead(snapshot=snapshot, binding=binding, membership=membership)

    async def _read(self, binding: Binding, credential: str) -> Problem | None:
        if self._is_hopeless(credential):
            facts = {"host": binding.host, "site": binding.region.site}
            code = _REFUSAL[binding.source]
            return Problem(code=code, variant="refused", facts=facts, account=self._target.name)
        try:
            self._found = await self._enriched(binding), binding
        except PeriluneError as error:
            return error.problem
        return None

    async def _enriched(self, binding: Binding) -> Snapshot:
        """The reading of a credential, with what a web session adds to a key's in its moment of grace."""
        web = session_reader(binding.plan.id)
        if self._target.sessions is None or web is None or binding.source == "web-session":
            return await self._reader.read(binding, self._client, self._now, self._previous)
        calls = web.enrichment(self._target.sessions(), self._client, self._now)
        try:
            snapshot = await self._reader.read(binding, self._client, self._now, self._previous)
            return await web.enriched(snapshot, calls)
        finally:
            await calls.stop()

    def _waiting(self, option: SourceOption) -> SourceTry | None:
        """What a source is still left alone for; reading by force does not break it."""
        same = (one for one in self._before if one.source == option.source and one.host == option.host)
        return next((one for one in same if one.retry_at is not None and one.retry_at > self._now), None)

    def _retry(self, option: SourceOption, problem: Problem) -> tuple[datetime | None, int]:
        """When a source in trouble is asked again, and the how many-th trouble in a row this is."""
        if after(problem.code) != "other-host":
            return None, 1
        same = (one for one in self._before if (one.source, one.code) == (option.source, problem.code))
        count = next((one.count for one in same), 0) + 1
        return problem.retry_at or self._now + patience(problem.code, count), count

    def _ends(self, code: str, host: str) -> bool:
        step = after(code)
        if step == "other-host":
            self._closed_hosts.add(host)
        return step == "stop"

    def _is_hopeless(self, credential: str) -> bool:
        """Whether a credential was refused twice, at least a minute apart: then it is not sent again."""
        known = self._refused_before(credential)
        again = known is not None and known.since is not None and known.at - known.since >= _EQUAL_AGAIN
        return again or credential == self._refused

    def _refused_before(self, credential: str) -> SourceTry | None:
        return next((one for one in self._known if one.credential == credential and one.code in REFUSED), None)

    def _note(self, option: SourceOption, problem: Problem, credential: str | None) -> None:
        self._problems.append(problem)
        before = self._refused_before(credential) if credential else None
        since = before.since if before is not None and before.code == problem.code else self._now
        retry_at, count = self._retry(option, problem) if credential else (None, 1)
        self._tried.append(
            SourceTry(
                source=option.source,
                code=problem.code,
                at=self._now,
                host=option.host if credential else None,
                credential=credential,
                since=since if problem.code in REFUSED else None,
                retry_at=retry_at,
                count=count,
            )
        )


def _opened(option: SourceOption) -> OpenedSource:
    if option.is_late:
        return OpenedSource(option=option)
    try:
        return OpenedSource(option=option, binding=next(option.open(), None))
    except CredentialError as error:
        return OpenedSource(option=option, problem=error.problem)
