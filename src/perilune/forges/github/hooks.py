"""GitHub's webhooks. `X-Hub-Signature` (SHA-1) is not accepted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

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

_RUNS = ("opened", "reopened", "synchronize", "ready_for_review")
_LABEL = "perilune:review"
_CANCELS = ("closed", "converted_to_draft")


class GitHubHooks:
    """Signature over the raw body, event by header."""

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> Delivery | HookFault:
        scheme, _, value = headers.get("x-hub-signature-256", "").partition("=")
        if scheme != "sha256" or not is_signed(value, body, secrets):
            return HookFault("sign")
        document = document_of(body)
        if document is None:
            return HookFault("body")
        given = delivery_id(headers.get("x-github-delivery"), body)
        return Delivery(id=given, event=headers.get("x-github-event", ""), document=document)

    def read(self, delivery: Delivery) -> HookEvent:
        document = delivery.document
        if delivery.event == "pull_request":
            return self._pull(document)
        if delivery.event in ("issue_comment", "pull_request_review_comment"):
            return self._comment(document, in_thread=delivery.event == "pull_request_review_comment")
        is_thread = delivery.event == "pull_request_review_thread"
        kind: EventKind = "learn" if is_thread and text(document, "action") in ("resolved", "unresolved") else "other"
        return _event(document, kind, table(document, "pull_request"))

    def _pull(self, document: Mapping[str, Any]) -> HookEvent:
        action = text(document, "action")
        kind: EventKind = "run" if action in _RUNS else "cancel" if action in _CANCELS else "other"
        if action == "edited" and table(document, "changes", "base"):
            kind = "run"
        if action == "labeled" and text(table(document, "label"), "name") == _LABEL:
            kind = "run"
        return _event(document, kind, table(document, "pull_request"))

    def _comment(self, document: Mapping[str, Any], *, in_thread: bool) -> HookEvent:
        is_of_pull = in_thread or table(document, "issue").get("pull_request") is not None
        is_new = text(document, "action") == "created"
        kind: EventKind = "command" if is_new and is_of_pull else "other"
        event = _event(document, kind, table(document, "pull_request" if in_thread else "issue"))
        return msgspec.structs.replace(event, comment=_comment(table(document, "comment"), in_thread=in_thread))


def _event(document: Mapping[str, Any], kind: EventKind, pull: Mapping[str, Any]) -> HookEvent:
    head, base = table(pull, "head"), table(pull, "base")
    own, theirs = table(base, "repo"), table(head, "repo")
    return HookEvent(
        kind=kind, action=text(document, "action"), repository=text(table(document, "repository"), "full_name"),
        number=number(pull, "number"), head=text(head, "sha") or None, base_ref=text(base, "ref"),
        title=text(pull, "title"), state="merged" if pull.get("merged") is True else text(pull, "state") or "open",
        is_draft=pull.get("draft") is True,
        is_fork=bool(head) and (theirs.get("fork") is True or number(theirs, "id") != number(own, "id")),
        labels=tuple(text(one, "name") for one in tables(pull.get("labels"))),
        author=_person(table(pull, "user"), text(pull, "author_association")),
        sender=_person(table(document, "sender"), ""),
    )  # fmt: skip


def _comment(comment: Mapping[str, Any], *, in_thread: bool) -> HookComment:
    return HookComment(
        id=str(number(comment, "id")), body=text(comment, "body"), in_thread=in_thread,
        author=_person(table(comment, "user"), text(comment, "author_association")),
        thread_id=str(number(comment, "in_reply_to_id")) if "in_reply_to_id" in comment else None,
    )  # fmt: skip


def _person(user: Mapping[str, Any], association: str) -> Person:
    login = text(user, "login")
    is_bot = text(user, "type") == "Bot" or login.endswith("[bot]")
    return Person(login=login, id=number(user, "id"), is_bot=is_bot, association=association)


HOOKS = GitHubHooks()
