"""ntfy: the text as the body of a POST to the topic's address. Success is 200."""

from collections.abc import Mapping

from perilune.core.secret import Secret
from perilune.monitor.notify.port import Message, Receipt
from perilune.monitor.notify.posting import Poster, status_words

_PRIORITIES: Mapping[str, str] = {"low": "2", "normal": "3", "high": "4", "critical": "5"}


class Ntfy:
    """One topic; `token` where the server wants one."""

    def __init__(self, poster: Poster, url: str, token: Secret | None) -> None:
        self._poster = poster
        self._url = url
        self._token = token

    async def send(self, message: Message) -> Receipt:
        """Post the text with its priority."""
        headers = {
            "Content-Type": "text/plain; charset=utf-8",
            "Title": message.title,
            "Priority": _PRIORITIES[message.urgency],
            "Tags": message.kind,
        }
        if message.click:
            headers["Click"] = message.click
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return await self._poster.post(
            self._url,
            message.text.encode(),
            headers,
            lambda answer, document: None if answer.status == 200 else status_words(answer),
        )
