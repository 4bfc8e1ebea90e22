"""Replies without an answer: a request that cannot be sent, a line that was too long, slots that all said no."""

from collections.abc import Sequence

from perilune.core.errors import Problem
from perilune.core.messages import Voice
from perilune.dialects.errors import ErrorKind
from perilune.dialects.form import Dialect
from perilune.gateway.admission import Refused
from perilune.gateway.answering import client_error, error_reply, with_overflow_phrase
from perilune.gateway.call import Attempt, Reply
from perilune.gateway.choosing import Full
from perilune.gateway.final import ending
from perilune.gateway.setup import Services, Setup
from perilune.gateway.shaping import Shaper
from perilune.gateway.slots import Route
from perilune.gateway.tally import Tally
from perilune.gateway.wording import problem_of
from perilune.providers.contract.outcome import OutcomeClass as Is

_NEXT_SERVICE_S = 5
Headers = Sequence[tuple[str, str]]


class Endings:
    """Writes the replies of one request that got no answer, and closes its tally."""

    def __init__(self, services: Services, setup: Setup, front: Dialect, tally: Tally) -> None:
        self._services = services
        self._setup = setup
        self._front = front
        self._tally = tally

    def refused(self, problem: Problem, kind: ErrorKind, headers: Headers, *, status: int | None = None) -> Reply:
        """Something is wrong with the request itself, or with who asks."""
        error = client_error(self._voice(), problem, kind, self._tally.id, self._tally.attempts)
        reply = error_reply(self._front, error, status=status, headers=headers)
        return self._closed(reply, problem, Is.BAD_REQUEST)

    def full(self, full: Full, headers: Headers) -> Reply:
        """No place came free in time."""
        refused = full.refused
        if refused.reason == "stopping":
            return self._stopping(headers)
        is_full = refused.reason == "full"
        facts: dict[str, object] = {
            "account": full.slot.account,
            "waited_s": round(refused.waited_s),
            "in_flight": refused.in_flight,
            "cap": refused.cap or 0,
        }
        code = "PL-GW-FULL" if is_full else "PL-GW-QUEUE"
        problem = Problem(code=code, facts=facts, variant="NO-COUNT" if is_full else _why_no_place(refused))
        error = client_error(self._voice(), problem, ErrorKind.QUEUE, self._tally.id, self._tally.attempts)
        reply = error_reply(self._front, error, retry_after_s=refused.retry_after_s, headers=headers)
        return self._closed(reply, problem, Is.RATE_CONCURRENCY)

    def _stopping(self, headers: Headers) -> Reply:
        """Whoever waits when the service stops is sent to its successor."""
        problem = Problem(code="PL-GW-SHUTDOWN")
        error = client_error(self._voice(), problem, ErrorKind.BUSY, self._tally.id, self._tally.attempts)
        reply = error_reply(self._front, error, retry_after_s=_NEXT_SERVICE_S, headers=headers)
        return self._closed(reply, problem, Is.BUSY)

    def no_slot(self, headers: Headers) -> Reply:
        """The route has no slot that could be asked at all."""
        problem = Problem(code="PL-GW-ROUTE", variant="NONE")
        error = client_error(self._voice(), problem, ErrorKind.MODEL, self._tally.id)
        return self._closed(error_reply(self._front, error, headers=headers), problem, Is.MODEL_UNKNOWN)

    def ended(
        self, route: Route, shaper: Shaper, attempts: list[Attempt], least_window: int, headers: Headers
    ) -> Reply:
        """No slot answered: the table of answers, with every attempt and every slot that was passed over."""
        if not attempts:
            return self.no_slot(headers)
        now = self._services.now()
        end = ending(attempts, self._front, now)
        problem = problem_of(
            end,
            attempts,
            {slot.name: slot for slot in route.slots},
            self._services,
            self._voice(),
            route=route.name,
            prompt_tokens=shaper.prompt_tokens,
            body_bytes=len(shaper.body.bytes),
            now=now,
        )
        outcome = end.deciding.outcome
        error = client_error(self._voice(), problem, end.kind, self._tally.id, attempts)
        need, limit = outcome.need or shaper.prompt_tokens, outcome.limit or least_window
        error = with_overflow_phrase(self._front, error, end, need, limit)
        reply = error_reply(
            self._front,
            error,
            status=end.status,
            retry_after_s=end.retry_after_s,
            retry=end.should_retry,
            headers=headers,
        )
        reply.attempts = attempts
        reply.route = route.name
        return self._closed(reply, problem, outcome.kind)

    def _closed(self, reply: Reply, problem: Problem, kind: Is) -> Reply:
        reply.problem = problem
        reply.attempts = reply.attempts or self._tally.attempts
        self._tally.finish(reply.status, kind, problem.code, bytes_out=len(reply.body))
        return reply

    def _voice(self) -> Voice:
        return self._services.voice(self._setup.language)


def _why_no_place(refused: Refused) -> str:
    """The variant of the words: the server of the places is gone, no cap is known, or all are in use."""
    if refused.is_cut_off:
        return "CUT-OFF"
    return "NO-CAP" if refused.cap is None else ""
