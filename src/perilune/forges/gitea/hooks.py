"""Gitea's and Forgejo's webhooks. An empty signature means a hook without a secret, and is refused."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec

from perilune.forges.contract.hooks import (
    Delivery,
    EventKind,
    HookComment,
    HookEvent,
    HookFault,
    delivery_id,
    document_of,
    is_signed,
    number,
    table,
    tables,
    text,
)
from perilune.forges.contract.port import Person

_RUNS = ("opened", "reopened", "synchronized", "synchronize", "ready_for_review")
_SIGNATURES = ("x-gitea-signature", "x-forgejo-signature")
_IDS = ("x-gitea-delivery", "x-forgejo-delivery")
_EVENTS = ("x-gitea-event", "x-forgejo-event")


class GiteaHooks:
    """Bare hex signature over the raw body, which may be a form."""

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> Delivery | HookFault:
        given = next((headers[name] for name in _SIGNATURES if headers.get(name)), "")
        given = given or headers.get("x-hub-signature-256", "").removeprefix("sha256=")
        if not is_signed(given, body, secrets):
            return HookFault("sign")
        content = body
        if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            content = parse_qs(body.decode(errors="replace")).get("payload", [""])[0].encode()
        document = document_of(content)
        if document is None:
            return HookFault("body")
        number_ = delivery_id(_first(headers, _IDS), body)
        return Delivery(id=number_, event=_first(headers, _EVENTS) or "", document=document)

    def read(self, delivery: Delivery) -> HookEvent:
        document, action = delivery.document, text(delivery.document, "action")
        if delivery.event.startswith("pull_request") and "comment" not in document:
            kind: EventKind = "run" if action in _RUNS else "cancel" if action == "closed" else "other"
            return _event(document, kind, table(document, "pull_request"))
        if "comment" in document:
            return _commented(document, action)
        return _event(document, "other", {})


def _commented(document: Mapping[str, Any], action: str) -> HookEvent:
    in_thread = "pull_request" in document and "issue" not in document
    pull = table(document, "pull_request") or table(document, "issue")
    is_of_pull = in_thread or document.get("is_pull") is True or pull.get("pull_request") is not None
    event = _event(document, "command" if action == "created" and is_of_pull else "other", pull)
    comment = table(document, "comment")
    said = HookComment(
        id=str(number(comment, "id")), body=text(comment, "body"), author=_person(table(comment, "user")),
        in_thread=in_thread,
    )  # fmt: skip
    return msgspec.structs.replace(event, comment=said)


def _event(document: Mapping[str, Any], kind: EventKind, pull: Mapping[str, Any]) -> HookEvent:
    head, base = table(pull, "head"), table(pull, "base")
    return HookEvent(
        kind=kind, action=text(document, "action"), repository=text(table(document, "repository"), "full_name"),
        number=number(pull, "number"), head=text(head, "sha") or None, base_ref=text(base, "ref"),
        title=text(pull, "title"), state="merged" if pull.get("merged") is True else text(pull, "state") or "open",
        is_draft=pull.get("draft") is True,
        is_fork=bool(head) and (not table(head, "repo") or head.get("repo_id") != base.get("repo_id")),
        labels=tuple(text(one, "name") for one in tables(pull.get("labels"))),
        author=_person(table(pull, "user")), sender=_person(table(document, "sender")),
    )  # fmt: skip


def _first(headers: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((headers[name] for name in names if headers.get(name)), None)


def _person(user: Mapping[str, Any]) -> Person:
    login = text(user, "login")
    return Person(login=login, id=number(user, "id"), is_bot=login.endswith("[bot]"))


HOOKS = GiteaHooks()
