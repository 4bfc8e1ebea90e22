"""A plain HTTP client for the sandbox's own tests: no library of ours between the test and the wire."""

import http.client
import json
from collections.abc import Callable
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """What came back. Header names are lower case; of two with one name the last is kept."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def error(self) -> Any:
        return self.json["error"]

    @property
    def data(self) -> list[Any]:
        """The `data:` payloads of a stream."""
        lines = [line[6:] for line in self.raw.decode().split("\n") if line.startswith("data: ")]
        return [line if line == "[DONE]" else json.loads(line) for line in lines]

    @property
    def events(self) -> list[tuple[str, Any]]:
        """Named events of a stream with their payloads."""
        names = [line[7:] for line in self.raw.decode().split("\n") if line.startswith("event: ")]
        return list(zip(names, self.data, strict=True))


Ask = Callable[..., Answer]


def ask_at(url: str, target: str, *, method: str = "", key: str = "", body: Any = None, **headers: str) -> Answer:
    """One request on a connection of its own. `headers` names take `_` for `-`."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if key:
        sent.setdefault("Authorization", f"Bearer {key}")
    data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        connection.request(method or ("GET" if body is None else "POST"), target, body=data, headers=sent)
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()
