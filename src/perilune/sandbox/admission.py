"""Admission: whether an account may have this answer now. Refuses in the vendor's order and words."""

from datetime import datetime
from decimal import Decimal

from msgspec import structs

from perilune.sandbox.accounts import Membership, Organisation
from perilune.sandbox.behaviour import Behaviour
from perilune.sandbox.models import Model
from perilune.sandbox.refusals import Refused, refusal, refuse
from perilune.sandbox.speech import Asked
from perilune.sandbox.tickets import Ticket

DEFAULT_CAP = 32_768
_SENTENCES = {"5h": "code-err-403-5hour", "7d": "code-err-403-weekly", "month": "code-err-403-monthly"}
_EXTRA_PRICE = Decimal("0.05")


def standing(member: Membership) -> None:
    """A membership must be active, for reading and for asking. Raises: Refused (402)."""
    if member.state == "lapsed":
        raise refuse("code-err-402-membership")


def gate(agent: str, behaviour: Behaviour, *, is_chat: bool) -> None:
    """Only listed coding agents use the Chat surface of Kimi Code."""
    is_closed = behaviour.gate == "all" or (behaviour.gate == "chat" and is_chat)
    if is_closed and not any(agent.lower().startswith(prefix.lower()) for prefix in behaviour.agents):
        raise refuse("code-err-403-client-not-allowed")


def quota(member: Membership, behaviour: Behaviour, surface: str) -> None:
    """A membership needs room in every window, or Extra Usage to spend."""
    if member.state == "banned":
        raise refuse("code-err-403-terminated")
    full = member.full_window()
    if full is None or (member.wallet is not None and member.wallet.is_spendable):
        return
    raise _quota_refusal(member, behaviour, full, surface)


def _quota_refusal(member: Membership, behaviour: Behaviour, window: str, surface: str) -> Refused:
    match member.quota_words:
        case "old":
            name = "code-err-429-5hour-old"
        case "billing-cycle":
            name = "code-err-403-anthropic-shape"
        case _:
            name = _SENTENCES.get(window, "code-err-403-anthropic-shape")
    said = refusal(name)
    kind = said.kind
    if said.status == 403:
        kind = behaviour.messages_quota_type if surface == "messages" else "access_terminated_error"
    return Refused(structs.replace(said, kind=kind, status=member.quota_status or said.status))


def member_cap(member: Membership, behaviour: Behaviour, ticket: Ticket) -> None:
    """A membership answers so many requests at once."""
    if ticket.traffic.admitted < member.parallel:
        return
    if behaviour.concurrency_words == "max":
        raise refuse("dev-err-429-concurrency", limit=member.parallel, account="u_0001")
    raise refuse("code-err-429-concurrency")


def count_use(member: Membership, model: Model, now: datetime) -> None:
    """Counts one admitted request: in the windows while they have room, then from the wallet."""
    if member.full_window() is None or member.wallet is None:
        member.fill(model.weight, now)
    else:
        member.wallet.spend(_EXTRA_PRICE * model.weight)


def permission(organisation: Organisation) -> None:
    """The organisation's own refusals: closed API, address not allowed."""
    if not organisation.is_open:
        raise refuse("dev-err-403-api-not-open")
    if not organisation.ip_allowed:
        raise refuse("dev-err-403-ip")


def balance(organisation: Organisation) -> None:
    """No answer without money."""
    if organisation.available > 0:
        return
    if organisation.empty_status == 402:
        raise refuse("wild-402-balance")
    said = refusal("dev-err-429-balance-suspended", account=who(organisation))
    raise Refused(structs.replace(said, status=organisation.empty_status))


def who(organisation: Organisation) -> str:
    """How the vendor names an organisation and its key inside a sentence."""
    return f"{organisation.org_id}<{organisation.key_id}>"


def rates(organisation: Organisation, asked: Asked, ticket: Ticket, now: datetime) -> int:
    """Concurrency, RPM, TPM and TPD of the whole organisation; gives the tokens it is admitted with."""
    limits, traffic = organisation.effective_limits, ticket.traffic
    account, wait = who(organisation), max(traffic.wait_s(now), 1)
    tokens = asked.prompt_tokens + (asked.cap or DEFAULT_CAP)
    if traffic.admitted >= limits.concurrency:
        raise refuse("dev-err-429-concurrency", account=account, limit=limits.concurrency)
    if traffic.requests_of_minute(now) >= limits.rpm:
        raise refuse("dev-err-429-rpm", account=account, limit=limits.rpm, wait_s=wait)
    minute = traffic.tokens_of_minute(now) + tokens
    if minute > limits.tpm:
        raise refuse("dev-err-429-tpm", account=account, current=minute, limit=limits.tpm, wait_s=wait)
    day = traffic.tokens_of_day(now) + tokens
    if limits.tpd is not None and day > limits.tpd:
        raise refuse("dev-err-429-tpd", account=account, current=day, limit=limits.tpd)
    return tokens
