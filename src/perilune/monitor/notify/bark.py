"""Bark: POST `/push` with the device's key. Success is `code` 200 in the body."""

from typing import Any

from perilune.core.secret import Secret
from perilune.monitor.notify.port import Message, Receipt
from perilune.monitor.notify.posting import Poster, code_words, status_words
from perilune.net.control import ControlAnswer

DEFAULT_URL = "https://api.day.app"


class Bark:
    """One device."""

    def __init__(self, poster: Poster, url: str | None, device_key: Secret) -> None:
        self._poster = poster
        self._url = f"{(url or DEFAULT_URL).rstrip('/')}/push"
        self._key = device_key

    async def send(self, message: Message) -> Receipt:
        """Push one message."""
        document = {
            "device_key": self._key.reveal(),
            "title": message.title,
            "body": message.text,
            "group": "Perilune",
            "level": "timeSensitive" if message.urgency in ("high", "critical") else "active",
        }
        if message.click:
            document["url"] = message.click
        return await self._poster.post_json(self._url, document, _refused)


def _refused(answer: ControlAnswer, document: Any) -> str | None:
    code = document.get("code")
    if code == 200:
        return None
    return status_words(answer) if code is None else code_words(code, document.get("message"))
