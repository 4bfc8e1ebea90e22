"""GitLab's webhooks: the signing token of Standard Webhooks, or the older shared word that protects no body."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
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
    number,
    table,
    tables,
    text,
)
from perilune.forges.contract.port import Person

_MOST_SKEW_S = 300
_PREFIX = "whsec_"


class GitLabHooks:
    """Signature by either way, event by header."""

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> Delivery | HookFault:
        is_strong = "webhook-signature" in headers
        fault = _signed(headers, body, secrets, now) if is_strong else _told(headers, secrets)
        if fault is not None:
            return fault
        document = document_of(body)
        if document is None:
            return HookFault("body")
        ids = ("webhook-id", "idempotency-key", "x-gitlab-event-uuid")
        given = delivery_id(next((headers[name] for name in ids if headers.get(name)), None), body)
        return Delivery(
            id=given, event=headers.get("x-gitlab-event", ""), document=document, is_weak=not is_strong
        )  # fmt: skip

    def read(self, delivery: Delivery) -> HookEvent:
        document = delivery.document
        match text(document, "object_kind"):
            case "merge_request":
                return _merge_request(document)
            case "note":
                return _note(document)
            case "emoji":
                pull = table(document, "merge_request")
                return _event(document, "learn" if pull else "other", pull)
            case _:
                return _event(document, "other", {})


def _signed(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> HookFault | None:
    """Standard Webhooks: `v1,<base64>` over id, time and body; several values may stand in one header."""
    at, given = headers.get("webhook-timestamp", ""), headers["webhook-signature"].split()
    content = f"{headers.get('webhook-id', '')}.{at}.".encode() + body
    wanted = [_digest(key, content) for secret in secrets if secret for key in _keys(secret)]
    matches = [hmac.compare_digest(one.encode(), two.encode()) for one in given for two in wanted]
    if not any(matches):
        return HookFault("sign")
    if not at.isdigit() or abs(now.timestamp() - int(at)) > _MOST_SKEW_S:
        return HookFault("stale")
    return None


def _digest(key: bytes, content: bytes) -> str:
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def _keys(secret: str) -> Iterator[bytes]:
    """The key a token stands for: itself, and what it encodes where it is written so."""
    yield secret.encode()
    if secret.startswith(_PREFIX):
        try:
            yield base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            return


def _told(headers: Mapping[str, str], secrets: Sequence[str]) -> HookFault | None:
    given = headers.get("x-gitlab-token", "").encode()
    matches = [hmac.compare_digest(given, secret.encode()) for secret in secrets if secret]
    return None if given and any(matches) else HookFault("sign")


def _merge_request(document: Mapping[str, Any]) -> HookEvent:
    """An update counts when it brought commits (`oldrev`) or ended a draft; every other one is an edit."""
    attributes = table(document, "object_attributes")
    action = text(attributes, "action")
    kind: EventKind = "cancel" if action in ("close", "merge") else "other"
    if action in ("open", "reopen") or (action == "update" and (attributes.get("oldrev") or _became_ready(document))):
        kind = "run"
    return _event(document, kind, attributes)


def _became_ready(document: Mapping[str, Any]) -> bool:
    change = table(document, "changes", "draft")
    return change.get("previous") is True and change.get("current") is False


def _note(document: Mapping[str, Any]) -> HookEvent:
    attributes, pull = table(document, "object_attributes"), table(document, "merge_request")
    is_new = text(attributes, "action") in ("create", "")
    event = _event(document, "command" if pull and is_new else "other", pull)
    comment = HookComment(
        id=str(number(attributes, "id")), body=text(attributes, "note"), author=_person(table(document, "user")),
        thread_id=text(attributes, "discussion_id") or None, in_thread=text(attributes, "type") == "DiffNote",
    )  # fmt: skip
    return msgspec.structs.replace(event, comment=comment)


def _event(document: Mapping[str, Any], kind: EventKind, pull: Mapping[str, Any]) -> HookEvent:
    state = text(pull, "state")
    return HookEvent(
        kind=kind, action=text(pull, "action"), repository=text(table(document, "project"), "path_with_namespace"),
        number=number(pull, "iid"), head=text(table(pull, "last_commit"), "id") or None,
        base_ref=text(pull, "target_branch"), title=text(pull, "title"),
        state="open" if state in ("opened", "") else state, is_draft=pull.get("draft") is True,
        is_fork=pull.get("source_project_id") != pull.get("target_project_id"),
        labels=tuple(text(one, "title") for one in tables(document.get("labels"))),
        author=_person(table(pull, "author") or table(document, "user")), sender=_person(table(document, "user")),
    )  # fmt: skip


def _person(user: Mapping[str, Any]) -> Person:
    login = text(user, "username")
    is_bot = user.get("bot") is True or login.endswith("[bot]")
    return Person(login=login, id=number(user, "id"), is_bot=is_bot)


HOOKS = GitLabHooks()
