"""DingTalk: a robot's address, its signature in the query. Success is `errcode` 0 in the body."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from perilune.core.secret import Secret
from perilune.monitor.notify.port import Message, Receipt
from perilune.monitor.notify.posting import Poster, code_words, status_words
from perilune.net.control import ControlAnswer


class DingTalk:
    """One group's robot."""

    def __init__(self, poster: Poster, url: Secret, secret: Secret | None, now: Callable[[], datetime]) -> None:
        self._poster = poster
        self._url = url
        self._secret = secret
        self._now = now

    async def send(self, message: Message) -> Receipt:
        """Post one text."""
        url = self._url.reveal()
        if self._secret is not None:
            timestamp = str(int(self._now().timestamp() * 1000))
            mark = "&" if "?" in url else "?"
            url = f"{url}{mark}timestamp={timestamp}&sign={quote_plus(sign(timestamp, self._secret))}"
        document = {"msgtype": "text", "text": {"content": f"{message.title}: {message.text}"}}
        return await self._poster.post_json(url, document, robot_refused)


def sign(timestamp: str, secret: Secret) -> str:
    """base64(HMAC-SHA256) of `timestamp\\nsecret` under the secret."""
    text = f"{timestamp}\n{secret.reveal()}".encode()
    return base64.b64encode(hmac.new(secret.reveal().encode(), text, hashlib.sha256).digest()).decode()


def robot_refused(answer: ControlAnswer, document: Any) -> str | None:
    """Why a robot did not take a message: `errcode` other than 0."""
    code = document.get("errcode")
    if code == 0:
        return None
    return status_words(answer) if code is None else code_words(code, document.get("errmsg"))
