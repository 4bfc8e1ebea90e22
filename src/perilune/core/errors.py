"""Errors: one tree, one shape, one stable code each.

    PeriluneError            what happened, to whom, what to do next, when to retry; everything below carries a Problem
    ├── UsageError           the command was written wrong (PL-USAGE, PL-ADD-MANY …)
    ├── ConfigError          configuration that cannot be used (PL-CONFIG-…)
    ├── CredentialError      no credential, unreadable, or refused (PL-401-…, PL-CRED-…, PL-SECRET-READ)
    ├── QuotaError           quota, balance, membership or budget is spent (PL-QUOTA-…, PL-BALANCE-EMPTY, PL-402-MEMBER)
    ├── UnreachableError     it could not be checked: network, vendor down, throttled read (PL-NET-…, PL-5XX-READ)
    ├── RequestError         a model request cannot be sent as it is (PL-UNSUPPORTED, PL-BODY-INVALID)
    ├── AnswerError          the vendor answered, but not what this version understands (PL-PARSE…, PL-VENDOR)
    ├── StoreError           our own database (PL-STORE-…)
    └── ReviewError          the reviewer cannot go on (PL-REVIEW-…)

Expected outcomes of probing and failover are values (`providers.contract.outcome`), not exceptions. Texts live in
`core.messages`; an error holds the code and the facts, and is put into words by a `Voice` where a person reads it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from msgspec import Struct, field

from perilune.core.codes import CODES, VARIANT_EXITS


class Problem(Struct, frozen=True, kw_only=True):
    """One thing that went wrong, as facts.

    Shape: `facts` fill the placeholders of the message `CODE.what`, `CODE.why`, `CODE.fix.N`; `variant` picks another
    wording (`CODE.what.VARIANT`), the first of several words that has one; `words` is the vendor's own sentence,
    already redacted; `tried` is evidence per host.
    """

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)
    variant: str = ""
    words: str | None = None
    request_id: str | None = None
    tried: tuple[str, ...] = ()
    retry_at: datetime | None = None
    account: str | None = None

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"{self.code} is not in core.codes")

    @property
    def exit_code(self) -> int:
        return VARIANT_EXITS.get((self.code, self.variant), CODES[self.code])


class PeriluneError(Exception):
    """Base of every error a person may read; `problem` holds the facts."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem

    @classmethod
    def of(
        cls,
        code: str,
        *,
        variant: str = "",
        words: str | None = None,
        retry_at: datetime | None = None,
        account: str | None = None,
        **facts: object,
    ) -> Self:
        """The error of `code` with its facts as keyword arguments."""
        problem = Problem(code=code, facts=facts, variant=variant, words=words, retry_at=retry_at, account=account)
        return cls(problem)

    def __str__(self) -> str:
        return f"{self.problem.code} {dict(self.problem.facts)!r}"


class UsageError(PeriluneError):
    """The command was written wrong."""


class ConfigError(PeriluneError):
    """Configuration that cannot be used."""


class CredentialError(PeriluneError):
    """No credential, an unreadable one, or a refused one."""


class QuotaError(PeriluneError):
    """Quota, balance, membership or budget is spent."""


class UnreachableError(PeriluneError):
    """It could not be checked: network, vendor down, throttled."""


class RequestError(PeriluneError):
    """A model request cannot be sent as it is: not understood, or not sayable in the dialect behind."""


class AnswerError(PeriluneError):
    """The vendor answered, but not what this version understands."""


class StoreError(PeriluneError):
    """Our own database cannot be used."""


class ReviewError(PeriluneError):
    """The reviewer cannot go on."""
