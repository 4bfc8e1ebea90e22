"""Deliveries that are signed but make no sense."""

import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from perilune.forges.contract.hooks import Delivery, HookFault, HookReader
from perilune.forges.gitea.hooks import GiteaHooks
from perilune.forges.github.hooks import GitHubHooks
from perilune.forges.gitlab.hooks import GitLabHooks

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WORD = "EXAMPLE-hook-word"
READERS = [GitHubHooks(), GitLabHooks(), GiteaHooks()]


def taken(reader: HookReader, body: bytes) -> Delivery | HookFault:
    signature = hmac.new(WORD.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "x-hub-signature-256": f"sha256={signature}",
        "x-gitea-signature": signature,
        "x-gitlab-token": WORD,
        "x-github-event": "pull_request",
        "x-gitea-event": "pull_request",
        "x-gitlab-event": "Merge Request Hook",
    }
    return reader.verify(headers, body, [WORD], NOW)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "body", [b"[]", b"\xff", b'{"a": "\xed\xa0\x80"}', b'{"a": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"]
)
def test_a_body_that_holds_no_table_is_refused(reader: HookReader, body: bytes) -> None:
    assert taken(reader, body) == HookFault("body")


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("labels", [b"5", b"true", b'"x"', b"[5, {}]", b"null"])
def test_labels_of_another_type_are_none(reader: HookReader, labels: bytes) -> None:
    body = b'{"object_kind": "merge_request", "labels": %b, "pull_request": {"labels": %b}}' % (labels, labels)
    delivery = taken(reader, body)
    assert isinstance(delivery, Delivery)
    assert set(reader.read(delivery).labels) <= {""}
