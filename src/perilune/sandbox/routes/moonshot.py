"""The Moonshot platform: an organisation's money, limits and models."""

from decimal import Decimal
from typing import Any

from perilune.sandbox import admission
from perilune.sandbox.accounts import Organisation
from perilune.sandbox.http.reply import Reply
from perilune.sandbox.models import MOONSHOT, Model, moonshot_row
from perilune.sandbox.refusals import refuse
from perilune.sandbox.routes.call import Call, Envelope
from perilune.sandbox.routes.inference import count, infer
from perilune.sandbox.routes.keyring import account_of
from perilune.sandbox.rules import check
from perilune.sandbox.speech import Asked, Said
from perilune.sandbox.speech.asked import Surface
from perilune.sandbox.tickets import Ticket


class Moonshot:
    """Plays one region's host of the platform; `region` None takes keys of both."""

    def __init__(self, region: str | None, envelope: Envelope = "chat") -> None:
        self.region = region
        self.envelope = envelope

    def organisation(self, call: Call) -> Organisation:
        """The organisation of the request's key. Raises: Refused (401)."""
        account = account_of(call, Organisation, self.region)
        if account is not None:
            return account
        is_known = bool(call.entry.account) or not call.secret
        raise refuse("dev-err-401-invalid-authentication" if is_known else "dev-err-401-incorrect-key")

    # House

    def welcome(self, call: Call, surface: Surface) -> None:
        organisation = self.organisation(call)
        admission.permission(organisation)
        admission.balance(organisation)

    def model(self, call: Call, asked: Asked) -> Model:
        organisation = self.organisation(call)
        model = MOONSHOT.get(asked.model)
        is_offered = model is not None and (organisation.models is None or model.id in organisation.models)
        if model is None or not is_offered or organisation.paid < model.needs_paid:
            raise refuse("dev-err-404-model", model=asked.model)
        return model

    def admit(self, call: Call, asked: Asked, model: Model, ticket: Ticket) -> int:
        tokens = admission.rates(self.organisation(call), asked, ticket, call.now)
        check(asked, model, call.world.behaviour, "moonshot")
        return tokens

    def charge(self, call: Call, model: Model, said: Said) -> None:
        organisation = self.organisation(call)
        currency = "CNY" if organisation.region == "cn" else "USD"
        usage = said.usage
        organisation.charge(model.price(currency, usage.cached, usage.prompt - usage.cached, usage.output))

    # reading

    def models(self, call: Call) -> Reply:
        organisation = self.organisation(call)
        shown = MOONSHOT if organisation.models is None else organisation.models
        return Reply.json({"object": "list", "data": [moonshot_row(MOONSHOT[name]) for name in shown]})

    def balance(self, call: Call) -> Reply:
        organisation = self.organisation(call)
        data = {
            "available_balance": _amount(organisation.available),
            "voucher_balance": _amount(organisation.voucher),
            "cash_balance": _amount(organisation.cash),
        }
        return Reply.json({"code": 0, "data": data, "scode": "0x0", "status": True})

    def me(self, call: Call) -> Reply:
        organisation = self.organisation(call)
        if not organisation.serves_me:
            return Reply.text("404 page not found", 404)
        return Reply.json({"code": 0, "data": _identity(organisation), "scode": "0x0", "status": True})

    def estimate(self, call: Call) -> Reply:
        self.organisation(call)
        return Reply.json({"data": {"total_tokens": count(call, "chat")}})

    def count_tokens(self, call: Call) -> Reply:
        self.organisation(call)
        if not call.world.behaviour.serves_count_tokens:
            return Reply.text("404 page not found", 404)
        return Reply.json({"input_tokens": count(call, "messages")})

    def ask(self, call: Call, surface: Surface, ticket: Ticket) -> Reply:
        return infer(call, self, surface, ticket)


def _amount(money: Decimal) -> int | float:
    """Money as the vendor writes it: a JSON number with five decimals at most."""
    rounded = round(money, 5)
    return int(rounded) if rounded == 0 else float(rounded)


def _identity(organisation: Organisation) -> dict[str, Any]:
    limits = organisation.effective_limits
    tier = f"enterprise-tier-{organisation.tier}"
    return {
        "organization": {
            "id": organisation.org_id,
            "max_concurrency": limits.concurrency,
            "max_request_per_minute": limits.rpm,
            "max_token_per_minute": limits.tpm,
            "max_token_quota": limits.tpd or 0,
        },
        "user": {"id": "u_0001", "user_group_id": tier, "user_state": "active"},
        "user_group_id": tier,
        "project": {"id": "proj-0000"},
        "access_key": {"id": organisation.key_id},
    }
