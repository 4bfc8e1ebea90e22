"""WeCom: a group robot's address. Success is `errcode` 0 in the body; the service takes 20 messages a minute."""

from perilune.core.secret import Secret
from perilune.monitor.notify.dingtalk import robot_refused
from perilune.monitor.notify.port import Message, Receipt
from perilune.monitor.notify.posting import Poster


class WeCom:
    """One group's robot."""

    def __init__(self, poster: Poster, url: Secret) -> None:
        self._poster = poster
        self._url = url

    async def send(self, message: Message) -> Receipt:
        """Post one text."""
        document = {"msgtype": "text", "text": {"content": f"{message.title}: {message.text}"}}
        return await self._poster.post_json(self._url.reveal(), document, robot_refused)
