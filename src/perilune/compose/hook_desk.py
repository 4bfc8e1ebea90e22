"""Webhooks of configured forges: checked, taken once, turned into durable jobs before any outside call."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from perilune.compose.forging import Installation, installations
from perilune.compose.previewing import user_settings
from perilune.compose.submitting import submit_trigger
from perilune.core.addresses import host_of
from perilune.core.errors import PeriluneError, StoreError
from perilune.faces.api.hooks import HookAnswer
from perilune.forges.contract.hooks import Delivery, HookFault
from perilune.review.settings import settings_of
from perilune.review.trigger import REVIEW, Cancel, Ignored, Trigger, decide
from perilune.store.job_rows import JobState
from perilune.store.jobs import Jobs
from perilune.store.outbox import Deliveries

if TYPE_CHECKING:
    from perilune.compose.workbench import Workbench
    from perilune.store.engine import Store

_FAULTS = {"sign": (401, "PL-HOOK-SIGN"), "stale": (401, "PL-HOOK-STALE"), "body": (400, "PL-HOOK-BODY")}
_OPEN = (JobState.QUEUED, JobState.DEFERRED, JobState.RUNNING)
_MOST_OPEN = 500
_log = logging.getLogger(__name__)


class _Taken(Struct, frozen=True):
    """A delivery and the installation whose secret has signed it."""

    one: Installation
    delivery: Delivery

    @property
    def id(self) -> str:
        site = self.one.site
        return f"{site.spec.id}/{host_of(site.base_url)}/{self.delivery.id}"


class WebhookDesk:
    """The desk of one home. `submitted` is told of new jobs, `missed` of deliveries that could not be kept."""

    def __init__(
        self,
        bench: "Workbench",
        store: "Store",
        submitted: Callable[[], None] = lambda: None,
        missed: Callable[[], None] = lambda: None,
    ) -> None:
        self._missed = missed
        self._bench = bench
        self._jobs = Jobs(store)
        self._deliveries = Deliveries(store)
        self._submitted = submitted

    async def take(self, forge: str, headers: Mapping[str, str], body: bytes) -> HookAnswer:
        """What became of a delivery. No outside call is made here."""
        return await asyncio.to_thread(self._take, forge, headers, body)

    def _take(self, forge: str, headers: Mapping[str, str], body: bytes) -> HookAnswer:
        now = self._bench.now()
        found = self._verified(forge, headers, body, now)
        if isinstance(found, HookAnswer):
            return found
        try:
            return self._answered(found, now)
        except StoreError as error:
            _log.warning("a webhook cannot be kept: %s", error.problem.code)
            self._missed()  # not every forge sends it again
            return _refused(503, error.problem.code)

    def _verified(self, forge: str, headers: Mapping[str, str], body: bytes, now: datetime) -> "_Taken | HookAnswer":
        known = [one for one in installations(self._bench.configuration().config) if one.site.spec.id == forge]
        if not known:
            return HookAnswer(404, {"error": {"code": "PL-HOOK-NOSECRET"}})
        faults: list[HookFault] = []
        has_secret = False
        for one in known:
            secrets = self._secrets(one)
            has_secret = has_secret or bool(secrets)
            result = one.kind.hooks.verify(headers, body, secrets, now) if secrets else HookFault("sign")
            if isinstance(result, Delivery):
                return _Taken(one, result)
            faults.append(result)
        if not has_secret:
            return _refused(503, "PL-HOOK-NOSECRET")
        # A delivery whose signature holds and that is refused for another reason says more than a wrong signature.
        worst = next((fault for fault in faults if fault.why != "sign"), faults[0])
        return _refused(*_FAULTS[worst.why])

    def _secrets(self, one: Installation) -> tuple[str, ...]:
        try:
            return one.secrets(self._bench)
        except PeriluneError as error:
            _log.warning("the webhook secret of %s cannot be read: %s", one.site.base_url, error.problem.code)
            return ()

    def _answered(self, taken: "_Taken", now: datetime) -> HookAnswer:
        if not self._deliveries.take(taken.id, now):
            return HookAnswer(200, {"accepted": False, "reason": "duplicate", "run_id": self._deliveries.job(taken.id)})
        try:
            job, reason, key = self._decided(taken, now)
        except PeriluneError:
            self._deliveries.forget(taken.id)  # the forge may send it again
            raise
        self._deliveries.settle(taken.id, job, reason)
        if reason is not None:
            return HookAnswer(200, {"accepted": False, "reason": reason, "run_id": job})
        return HookAnswer(202, {"accepted": True, "run_id": job, "key": key})

    def _decided(self, taken: "_Taken", now: datetime) -> tuple[str | None, str | None, str | None]:
        """The job, the reason there is no new one, and the job's key."""
        site = taken.one.site
        event = taken.one.kind.hooks.read(taken.delivery)
        settings, _ = settings_of(None, user_settings(self._bench.configuration().config))
        match decide(event, site.spec.id, host_of(site.base_url), settings):
            case Ignored(reason):
                return None, reason, None
            case Cancel(where, reason):
                self._cancel(where.subject, reason, now)
                return None, reason, None
            case Trigger() as trigger:
                return self._submit(trigger, now)

    def _submit(self, trigger: Trigger, now: datetime) -> tuple[str, str | None, str]:
        submitted = submit_trigger(self._jobs, trigger, now)
        if not submitted.is_new:
            return submitted.id, "known", trigger.key
        self._submitted()
        return submitted.id, None, trigger.key

    def _cancel(self, subject: str, reason: str, now: datetime) -> None:
        for row in self._jobs.recent(_MOST_OPEN, open_only=True):
            if row.subject == subject and row.kind == REVIEW and row.state in _OPEN:
                self._jobs.stop(row.id, "cancelled", reason, now)


def _refused(status: int, code: str) -> HookAnswer:
    """A refusal without any detail."""
    return HookAnswer(status, {"error": {"code": code}})
