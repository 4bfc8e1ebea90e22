"""Webhook: `perilune.event.v1` as JSON, signed. Success is any 2xx."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime

from perilune.core.secret import Secret
from perilune.monitor.notify.port import Message, Receipt
from perilune.monitor.notify.posting import Poster, status_words


class Webhook:
    """One address of the user's own; `secret` signs what is sent."""

    def __init__(self, poster: Poster, url: str, secret: Secret | None, now: Callable[[], datetime]) -> None:
        self._poster = poster
        self._url = url
        self._secret = secret
        self._now = now

    async def send(self, message: Message) -> Receipt:
        """Post one event."""
        body = message.document()
        timestamp = str(int(self._now().timestamp()))
        headers = {"Content-Type": "application/json", "X-Perilune-Timestamp": timestamp}
        if self._secret is not None:
            headers["X-Perilune-Signature"] = f"sha256={signature(timestamp, body, self._secret)}"
        return await self._poster.post(
            self._url,
            body,
            headers,
            lambda answer, document: None if 200 <= answer.status < 300 else status_words(answer),
        )


def signature(timestamp: str, body: bytes, secret: Secret) -> str:
    """Hex HMAC-SHA256 over `timestamp.body`."""
    return hmac.new(secret.reveal().encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
