"""`perilune accounts test`: the free calls, the list of models, one real request where it is asked for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from perilune.config.schema import AccountConfig
from perilune.core.errors import PeriluneError, Problem
from perilune.core.messages import Voice
from perilune.faces.adding.services import AddServices
from perilune.faces.cli.account.lookup import bind, find_account
from perilune.faces.cli.account.trying import named, report_lines, trial_lines, try_binding, unlisted
from perilune.faces.cli.session import Session
from perilune.gateway.trial import Trial, Verdict
from perilune.providers.contract.probing import Probed
from perilune.providers.contract.reading import reader_of
from perilune.quota.stamp import Stamp, VerifiedBy

_VERDICTS: dict[str, Verdict] = {
    "PL-401-KEY": "auth", "PL-401-HOST": "auth", "PL-LOGIN-EXPIRED": "auth", "PL-COOKIE-EXPIRED": "auth",
    "PL-402-MEMBER": "member", "PL-BALANCE-EMPTY": "balance", "PL-403-READ": "permission", "PL-404-READ": "endpoint",
    "PL-404-PATH": "endpoint", "PL-404-MODEL": "model", "PL-429-READ": "rate_limited", "PL-NET-DNS": "dns",
    "PL-NET-REFUSED": "connect", "PL-NET-TIMEOUT": "connect", "PL-NET-TLS": "tls", "PL-NET-PROXY": "proxy",
    "PL-NET-REDIRECT": "redirect", "PL-PARSE": "garbled", "PL-PARSE-SIZE": "garbled",
}  # fmt: skip
_SLOW = "PL-SLOW-FIRST"


class TrialServices(AddServices, Protocol):
    """What testing needs beside adding."""

    def try_inference(self, account: str, voice: Voice) -> Trial:
        """One tiny real request over one account."""
        ...

    def stamp_of(self, account: str) -> Stamp | None:
        """By what the account's key was shown to work."""
        ...


class TrialDocument(Struct, frozen=True, kw_only=True):
    """`perilune.account-test.v1`. `verified_by` is what showed last that this very key works, whatever came of this."""

    schema: Literal["perilune.account-test.v1"] = "perilune.account-test.v1"
    account: str
    ok: bool
    verdict: Verdict
    verified_by: VerifiedBy | None
    http_status: int | None = None
    latency_ms: int | None = None
    first_content_ms: int | None = None
    message: str
    provider_message: str | None = None
    retry_at: datetime | None = None
    warnings: Sequence[str] = ()
    models: int | None = None
    code: str | None = None


def try_account(session: Session, name: str, *, inference: bool, as_json: bool) -> int:
    """Test an account, tell it, and return the exit status."""
    services: TrialServices = session.workbench
    account = find_account(name, services.configuration())
    probed, problem = _free(session, services, account, as_json=as_json)
    trial = _asked(session, services, account, as_json=as_json) if inference and problem is None else None
    if as_json:
        found = trial.problem if trial else problem
        session.document(document_of(session, services, name, probed, trial, found))
        session.wants_json = False  # this document says what failed, too
    return session.fail(problem) if problem is not None else _end(session, trial)


def document_of(
    session: Session,
    services: TrialServices,
    name: str,
    probed: Probed | None,
    trial: Trial | None,
    problem: Problem | None,
) -> TrialDocument:
    """What came of a test, for programs."""
    stamp = services.stamp_of(name)
    verdict: Verdict = trial.verdict if trial else _VERDICTS.get(problem.code, "server") if problem else "ok"
    ok = trial.works if trial else verdict in ("ok", "rate_limited")
    message = session.voice.explain(problem).what if problem else session.voice.say(f"accounts.verified_{_word(stamp)}")
    is_slow = verdict == "slow"
    return TrialDocument(
        account=name,
        ok=ok,
        verdict=verdict,
        verified_by=stamp.by if stamp else None,
        http_status=probed.status if probed else None,
        latency_ms=probed.took_ms if probed else None,
        first_content_ms=trial.first_content_ms if trial else None,
        message=message,
        provider_message=problem.words if problem else None,
        retry_at=problem.retry_at if problem else None,
        warnings=[_SLOW if is_slow else problem.code] if ok and problem else [],
        models=len(probed.snapshot.models) if probed and probed.snapshot else None,
        code=_SLOW if is_slow else problem.code if problem else None,
    )


def _word(stamp: Stamp | None) -> str:
    return stamp.by if stamp else "none"


def _free(
    session: Session, services: TrialServices, account: AccountConfig, *, as_json: bool
) -> tuple[Probed | None, Problem | None]:
    """The free calls and the look at the list of models."""
    if reader_of(account.plan) is None:
        if not as_json:
            session.answer(session.voice.say("accounts.no_reading", plan=account.plan))
        return None, None
    try:
        binding = bind(account, services)
        probed = try_binding(binding, services)
    except PeriluneError as error:
        if not as_json:
            raise
        return None, named(error.problem, account.name)
    services.keep_reading(account.name, binding.secret, probed)
    if probed.verdict == "accepted" and not as_json:
        for line in report_lines(probed, services.plans[account.plan].default_model, session.voice):
            session.answer(line)
    if probed.problem is not None:
        return probed, named(probed.problem, account.name)
    slots = [slot for route in services.configuration().config.gateway.routes for slot in route.slots]
    return probed, unlisted(probed.snapshot.models if probed.snapshot else (), slots, account, probed.host)


def _asked(session: Session, services: TrialServices, account: AccountConfig, *, as_json: bool) -> Trial:
    """One real request, after saying what it costs."""
    session.note(session.voice.say(f"accounts.costs.{services.plans[account.plan].unit}"))
    trial = services.try_inference(account.name, session.voice)
    if not as_json:
        for line in trial_lines(trial, session.out.columns, session.voice):
            session.answer(line)
    return trial


def _end(session: Session, trial: Trial | None) -> int:
    """A key that works now or after a wait is no failure."""
    if trial is None or trial.problem is None or trial.verdict in ("client_gated", "slow"):
        return 0
    if trial.works:
        session.warn(trial.problem)
        return 0
    return session.fail(trial.problem)


def stamp_text(stamp: Stamp | None, session: Session) -> str:
    """By what a key was shown to work, and how long ago."""
    said = session.voice.say(f"accounts.verified_{_word(stamp)}")
    if stamp is None:
        return said
    ago = session.voice.age_ago(session.voice.now - stamp.at)
    return f"{said}, {ago}"
