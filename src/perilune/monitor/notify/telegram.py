"""Telegram: `sendMessage` of a bot. Success is `ok` true in the body."""

from typing import Any

from perilune.core.secret import Secret
from perilune.monitor.notify.port import Message, Receipt
from perilune.monitor.notify.posting import Poster, code_words, status_words
from perilune.net.control import ControlAnswer

DEFAULT_URL = "https://api.telegram.org"


class Telegram:
    """One bot in one chat."""

    def __init__(self, poster: Poster, url: str | None, token: Secret, chat: str) -> None:
        self._poster = poster
        self._base = (url or DEFAULT_URL).rstrip("/")
        self._token = token
        self._chat = chat

    async def send(self, message: Message) -> Receipt:
        """Post one text."""
        document = {
            "chat_id": self._chat,
            "text": f"{message.title}: {message.text}",
            "disable_web_page_preview": True,
        }
        return await self._poster.post_json(f"{self._base}/bot{self._token.reveal()}/sendMessage", document, _refused)


def _refused(answer: ControlAnswer, document: Any) -> str | None:
    if document.get("ok") is True:
        return None
    code = document.get("error_code")
    return status_words(answer) if code is None else code_words(code, document.get("description"))
