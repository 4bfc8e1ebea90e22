"""Request heads: read once and checked strictly; a client's next head is mostly the same bytes and is looked up."""

from urllib.parse import unquote

import httptools

LARGEST_HEAD = 40 * 1024  # a header block of 32 KiB behind a URL of 8 KiB
_LARGEST_KEPT = 4096
_MOST_KEPT = 256
_LENGTHS = (b"\r\ncontent-length: ", b"\r\nContent-Length: ")
_DIGITS_AT_MOST = 15


class Head:
    """One head. Equal ones share an object, so `memo` may hold what a reader has found out about it.

    Shape: `pairs` as they came, names lower case, without `content-length`; `headers` the same as text, of repeated
    ones the last; `memo` belongs to whoever takes the request.
    """

    __slots__ = (
        "expects_continue",
        "headers",
        "is_chunked",
        "is_old",
        "keeps_alive",
        "memo",
        "method",
        "pairs",
        "path",
        "query",
        "raw_path",
    )

    def __init__(self, method: str, url: bytes, pairs: list[tuple[bytes, bytes]], *, is_old: bool, keeps: bool) -> None:
        self.method = method
        self.raw_path, self.query = _split(url)
        text = self.raw_path.decode("ascii", "replace")
        self.path = unquote(text) if "%" in text else text
        self.pairs = pairs
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
        self.is_chunked = "transfer-encoding" in self.headers
        self.is_old = is_old
        self.keeps_alive = keeps
        self.expects_continue = self.headers.get("expect", "").lower() == "100-continue" and not is_old
        self.memo: object = None


class _Reader:
    """What the parser calls."""

    def __init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.url = b""
        self.pairs: list[tuple[bytes, bytes]] = []
        self.is_complete = False
        self.keeps_alive = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.pairs.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.is_complete = True
        self.keeps_alive = self.parser.should_keep_alive()  # behind the message's end it says something else


class Heads:
    """The heads of the last clients. The digits of a length are cut out before a head is looked up."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}

    def find(self, block: bytes) -> tuple[Head, int | None] | int:
        """The head of a block that ends with an empty line, and the length it declares; or the status that refuses."""
        key, length = _without_length(block)
        head = self._known.get(key)
        if head is not None:
            return head, length
        read = read_head(block)
        if isinstance(read, int):
            return read
        head, declared = read
        if declared == length and len(key) <= _LARGEST_KEPT:
            if len(self._known) >= _MOST_KEPT:
                del self._known[next(iter(self._known))]
            self._known[key] = head
        return head, declared


def read_head(block: bytes) -> tuple[Head, int | None] | int:
    """A head and the length it declares, by the strict rules; or the status that refuses it."""
    reader = _Reader()
    parser = reader.parser
    try:
        parser.feed_data(block)
    except httptools.HttpParserUpgrade:
        pass  # nothing here is upgraded to; the request is answered as it is
    except httptools.HttpParserError:
        return 400
    if not reader.is_complete:
        return 400
    version, method = parser.get_http_version(), parser.get_method().decode("ascii")
    if version not in ("1.0", "1.1"):
        return 505
    wrong = _wrong(reader.pairs, reader.url, is_old=version == "1.0")
    if wrong is not None:
        return wrong
    lengths = [value for name, value in reader.pairs if name == b"content-length"]
    pairs = [pair for pair in reader.pairs if pair[0] != b"content-length"]
    head = Head(method, reader.url, pairs, is_old=version == "1.0", keeps=reader.keeps_alive)
    return head, int(lengths[0]) if lengths else None


def _wrong(pairs: list[tuple[bytes, bytes]], url: bytes, *, is_old: bool) -> int | None:
    """The status for what the parser lets pass and two readers could understand differently."""
    names = [name for name, _ in pairs]
    lengths = [value for name, value in pairs if name == b"content-length"]
    codings = [value for name, value in pairs if name == b"transfer-encoding"]
    if names.count(b"host") > 1 or (not is_old and b"host" not in names):
        return 400
    if len(lengths) > 1 or (lengths and (codings or not _is_length(lengths[0]))):
        return 400
    if codings and (is_old or len(codings) > 1):
        return 400
    if codings and codings[0].lower() != b"chunked":
        return 501
    if not (url.startswith(b"/") or url == b"*" or url.lower().startswith((b"http://", b"https://"))):
        return 400
    return None


def _is_length(text: bytes) -> bool:
    return text.isdigit() and len(text) <= _DIGITS_AT_MOST


def _without_length(block: bytes) -> tuple[bytes, int | None]:
    """The block without the digits of its length, and the length; the block as it is where it has no plain one."""
    for name in _LENGTHS:
        start = block.find(name)
        if start >= 0:
            start += len(name)
            end = block.find(b"\r\n", start)
            digits = block[start:end]
            if _is_length(digits):
                return block[:start] + block[end:], int(digits)
            break
    return block, None


def _split(url: bytes) -> tuple[bytes, bytes]:
    """Path and query of a request target, which may be a whole address."""
    if not url.startswith((b"/", b"*")):
        rest = url.partition(b"://")[2]
        slash = rest.find(b"/")
        url = b"/" if slash < 0 else rest[slash:]
    path, _, query = url.partition(b"#")[0].partition(b"?")
    return path, query
