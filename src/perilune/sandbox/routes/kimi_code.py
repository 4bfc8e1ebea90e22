"""Kimi Code: reading a membership and asking its models."""

from typing import Any

from perilune.sandbox import admission
from perilune.sandbox.accounts import Membership
from perilune.sandbox.http.reply import Reply
from perilune.sandbox.models import KIMI_CODE, Model, kimi_code_row
from perilune.sandbox.refusals import refuse
from perilune.sandbox.routes import usages
from perilune.sandbox.routes.call import Call, Envelope
from perilune.sandbox.routes.inference import count, infer
from perilune.sandbox.routes.keyring import account_of
from perilune.sandbox.rules import check
from perilune.sandbox.speech import Asked, Said
from perilune.sandbox.speech.asked import Surface
from perilune.sandbox.tickets import Ticket


class KimiCode:
    """Plays one region's host of Kimi Code; `region` None takes keys of both."""

    def __init__(self, region: str | None, envelope: Envelope = "chat") -> None:
        self.region = region
        self.envelope = envelope

    def member(self, call: Call) -> Membership:
        """The membership of the request's credential. Raises: Refused (401)."""
        account = account_of(call, Membership, self.region)
        if account is not None:
            return account
        is_known = bool(call.entry.account) or not call.secret
        raise refuse("code-err-401-invalid-auth" if is_known else "code-err-401-key-invalid")

    # House

    def welcome(self, call: Call, surface: Surface) -> None:
        member = self.member(call)
        admission.gate(call.request.header("user-agent"), call.world.behaviour, is_chat=surface == "chat")
        admission.standing(member)
        admission.quota(member, call.world.behaviour, surface)

    def model(self, call: Call, asked: Asked) -> Model:
        member = self.member(call)
        known = KIMI_CODE.get(asked.model)
        if known is None:
            if call.world.behaviour.unknown_code_model == "refuse":
                raise refuse("code-err-404-model", model=asked.model)
            return KIMI_CODE["kimi-for-coding"]
        if known.id not in member.models:
            raise refuse("code-err-401-no-model-access", model=known.id)
        return known

    def admit(self, call: Call, asked: Asked, model: Model, ticket: Ticket) -> int:
        check(asked, model, call.world.behaviour, "kimi-code")
        admission.member_cap(self.member(call), call.world.behaviour, ticket)
        return asked.prompt_tokens

    def charge(self, call: Call, model: Model, said: Said) -> None:
        admission.count_use(self.member(call), model, call.now)

    # reading

    def models(self, call: Call) -> Reply:
        member = self.member(call)
        admission.standing(member)
        listed = member.models if member.lists_only is None else member.lists_only
        rows = [kimi_code_row(model) for model in KIMI_CODE.values() if model.id in listed]
        return Reply.json({"object": "list", "data": rows})

    def usages(self, call: Call) -> Reply:
        member = self.member(call)
        admission.standing(member)
        return Reply.json(usages.told(member, call.now, call.world.behaviour))

    def me(self, call: Call) -> Reply:
        member = self.member(call)
        return Reply.json(_person(member)) if member.serves_me else Reply.text("404 page not found", 404)

    def count_tokens(self, call: Call) -> Reply:
        admission.standing(self.member(call))
        if not call.world.behaviour.serves_count_tokens:
            return Reply.text("404 page not found", 404)
        return Reply.json({"input_tokens": count(call, "messages")})

    def ask(self, call: Call, surface: Surface, ticket: Ticket) -> Reply:
        return infer(call, self, surface, ticket)


def _person(member: Membership) -> dict[str, Any]:
    return {
        "user_id": member.user_id,
        "nickname": "example",
        "status": "USER_STATUS_NORMAL",
        "region": "REGION_CN" if member.region == "cn" else "REGION_INTL",
        "user_level": 30,
        "user_level_name": member.level_name,
        "domain": 1,
        "domain_name": "DOMAIN_EXAMPLE",
        "created_time": "2026-06-11T13:26:47.561184Z",
        "last_login_time": "2026-11-20T03:12:03.033412Z",
    }
