"""Feishu: a bot's address, signed where the bot has a secret. Success is `code` 0 in the body."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any

from perilune.core.secret import Secret
from perilune.monitor.notify.port import Message, Receipt
from perilune.monitor.notify.posting import Poster, code_words, status_words
from perilune.net.control import ControlAnswer


class Feishu:
    """One group's bot."""

    def __init__(self, poster: Poster, url: Secret, secret: Secret | None, now: Callable[[], datetime]) -> None:
        self._poster = poster
        self._url = url
        self._secret = secret
        self._now = now

    async def send(self, message: Message) -> Receipt:
        """Post one text."""
        document: dict[str, object] = {"msg_type": "text", "content": {"text": f"{message.title}: {message.text}"}}
        if self._secret is not None:
            timestamp = str(int(self._now().timestamp()))
            document |= {"timestamp": timestamp, "sign": sign(timestamp, self._secret)}
        return await self._poster.post_json(self._url.reveal(), document, _refused)


def sign(timestamp: str, secret: Secret) -> str:
    """base64(HMAC-SHA256) of an empty message under the key `timestamp\\nsecret`."""
    key = f"{timestamp}\n{secret.reveal()}".encode()
    return base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()


def _refused(answer: ControlAnswer, document: Any) -> str | None:
    code = document.get("code", document.get("StatusCode"))
    if code == 0:
        return None
    return status_words(answer) if code is None else code_words(code, document.get("msg"))
