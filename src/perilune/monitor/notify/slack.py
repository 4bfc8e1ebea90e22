"""Slack: an incoming webhook. Success is 200 with the body `ok`."""

from perilune.core.secret import Secret
from perilune.monitor.notify.port import Message, Receipt
from perilune.monitor.notify.posting import Poster, status_words


class Slack:
    """One incoming webhook."""

    def __init__(self, poster: Poster, url: Secret) -> None:
        self._poster = poster
        self._url = url

    async def send(self, message: Message) -> Receipt:
        """Post one text."""
        return await self._poster.post_json(
            self._url.reveal(),
            {"text": f"{message.title}: {message.text}"},
            lambda answer, document: (
                None if answer.status == 200 and answer.body.strip() == b"ok" else status_words(answer)
            ),
        )
