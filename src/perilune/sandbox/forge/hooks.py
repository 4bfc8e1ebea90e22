"""Webhooks of the played forges: payloads, real signatures, deliveries that can be sent again."""

import base64
import hashlib
import hmac
import uuid
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

from perilune.sandbox.forge import gitea, github, gitlab
from perilune.sandbox.forge.state import Comment, Dialect, Forge, Pull, Repository
from perilune.sandbox.surfaces.frames import encode

_TIMEOUT_S = 10


class Hook(Struct, kw_only=True):
    """Where a forge tells of events. `signing` (GitLab) is the signing token, `secret` the shared secret."""

    dialect: Dialect
    url: str
    secret: str = ""
    signing: str = ""
    as_form: bool = False


class Sent(Struct, kw_only=True):
    """One delivery and what was answered."""

    id: str
    event: str
    headers: dict[str, str]
    body: bytes
    url: str
    status: int = 0
    answer: bytes = b""


class Hooks:
    """All hooks and deliveries. With `is_held` deliveries are only kept, to be sent in any order."""

    def __init__(self) -> None:
        self.registered: list[Hook] = []
        self.sent: list[Sent] = []
        self.is_held = False

    def register(self, hook: Hook) -> None:
        self.registered.append(hook)

    def pushed(self, forge: Forge, repository: Repository, pull: Pull, before: str) -> None:
        """Tells that a pull request has a new head."""
        actions = {"github": "synchronize", "gitlab": "update", "gitea": "synchronized"}
        self.tell(forge, repository, pull, actions[forge.dialect], before=before)

    def tell(self, forge: Forge, repository: Repository, pull: Pull, action: str, **more: Any) -> list[Sent]:
        """An event of a pull request, to every hook of this forge."""
        document = pull_payload(forge, repository, pull, action, **more)
        return self._send(forge, "pull", document)

    def commented(self, forge: Forge, repository: Repository, pull: Pull, comment: Comment) -> list[Sent]:
        """A new comment in the conversation of a pull request."""
        return self._send(forge, "comment", comment_payload(forge, repository, pull, comment))

    def _send(self, forge: Forge, kind: str, document: dict[str, Any]) -> list[Sent]:
        made = [signed(hook, kind, document, int(forge.clock.now().timestamp())) for hook in self.registered
                if hook.dialect == forge.dialect]  # fmt: skip
        self.sent += made
        if not self.is_held:
            for one in made:
                deliver(one)
        return made


def deliver(sent: Sent) -> Sent:
    """Sends a delivery, again with the same id if it was sent before."""
    parts = urlsplit(sent.url)
    connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=_TIMEOUT_S)
    try:
        connection.request("POST", parts.path, body=sent.body, headers=sent.headers)
        answer = connection.getresponse()
        sent.status, sent.answer = answer.status, answer.read()
    finally:
        connection.close()
    return sent


def signed(hook: Hook, kind: str, document: dict[str, Any], at: int, delivery: str | None = None) -> Sent:
    """A delivery in a dialect's headers, signed as that forge signs."""
    body = encode(document)
    number = delivery or str(uuid.uuid4())
    match hook.dialect:
        case "github":
            event = "pull_request" if kind == "pull" else "issue_comment"
            headers = {"X-GitHub-Event": event, "X-GitHub-Delivery": number}
            if hook.secret:
                headers["X-Hub-Signature-256"] = "sha256=" + _hex(hook.secret, body)
                headers["X-Hub-Signature"] = "sha1=" + hmac.new(hook.secret.encode(), body, "sha1").hexdigest()
        case "gitlab":
            event = "Merge Request Hook" if kind == "pull" else "Note Hook"
            headers = {"X-Gitlab-Event": event, "Idempotency-Key": number, "X-Gitlab-Event-UUID": str(uuid.uuid4())}
            if hook.secret:
                headers["X-Gitlab-Token"] = hook.secret
            if hook.signing:
                headers |= _standard(hook.signing, number, at, body)
        case "gitea":
            event = "pull_request" if kind == "pull" else "issue_comment"
            body = urlencode({"payload": body.decode()}).encode() if hook.as_form else body
            value = _hex(hook.secret, body) if hook.secret else ""
            headers = {
                "X-Gitea-Event": event, "X-Gitea-Event-Type": event, "X-Gitea-Delivery": number,
                "X-Gitea-Signature": value, "X-GitHub-Event": event, "X-GitHub-Delivery": number,
                "X-Hub-Signature-256": f"sha256={value}" if value else "", "X-Gogs-Event": event,
            }  # fmt: skip
    headers["Content-Type"] = "application/x-www-form-urlencoded" if hook.as_form else "application/json"
    return Sent(id=number, event=event, headers=headers, body=body, url=hook.url)


def _hex(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _standard(token: str, number: str, at: int, body: bytes) -> dict[str, str]:
    """Standard Webhooks."""
    key = base64.b64decode(token.removeprefix("whsec_")) if token.startswith("whsec_") else token.encode()
    digest = hmac.new(key, f"{number}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": number, "webhook-timestamp": str(at),
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }  # fmt: skip


def pull_payload(forge: Forge, repository: Repository, pull: Pull, action: str, **more: Any) -> dict[str, Any]:
    """The payload of a pull request's event."""
    before = more.pop("before", None)
    match forge.dialect:
        case "gitlab":
            document = gitlab.pull_document(repository, pull)
            attributes = {
                **document, "action": action, "last_commit": {"id": pull.head}, **more,
                **({"oldrev": before} if before else {}),
            }  # fmt: skip
            return {
                "object_kind": "merge_request", "user": gitlab.user_document(pull.author),
                "project": _gitlab_project(repository), "object_attributes": attributes,
                "labels": [{"title": name} for name in pull.labels], "changes": more.get("changes", {}),
            }  # fmt: skip
        case "github":
            return {
                "action": action, "number": pull.number, "pull_request": github.pull_document(repository, pull),
                "repository": github.repository_document(repository), "sender": github.user_document(pull.author),
                **({"before": before, "after": pull.head} if before else {}), **more,
            }  # fmt: skip
        case "gitea":
            return {
                "action": action, "number": pull.number, "pull_request": gitea.pull_document(repository, pull),
                "repository": gitea.repository_document(repository), "sender": gitea.user_document(pull.author),
                **more,
            }  # fmt: skip


def _gitlab_project(repository: Repository) -> dict[str, Any]:
    return {"id": repository.id, "path_with_namespace": repository.path}


def comment_payload(forge: Forge, repository: Repository, pull: Pull, comment: Comment) -> dict[str, Any]:
    """The payload of a new comment."""
    match forge.dialect:
        case "gitlab":
            attributes = {**gitlab.note_document(comment), "note": comment.body, "action": "create"}
            return {
                "object_kind": "note", "user": gitlab.user_document(comment.author),
                "project": _gitlab_project(repository), "object_attributes": attributes,
                "merge_request": gitlab.pull_document(repository, pull),
            }  # fmt: skip
        case "github":
            issue = {"number": pull.number, "pull_request": {"url": ""}, "state": "open", "draft": pull.is_draft}
            return {
                "action": "created", "issue": issue, "comment": github.comment_document(repository, comment),
                "repository": github.repository_document(repository), "sender": github.user_document(comment.author),
            }  # fmt: skip
        case "gitea":
            return {
                "action": "created", "is_pull": True, "issue": {"number": pull.number, "pull_request": {}},
                "comment": gitea.comment_document(comment), "repository": gitea.repository_document(repository),
                "sender": gitea.user_document(comment.author),
            }  # fmt: skip
