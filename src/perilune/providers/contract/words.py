"""What a vendor's error body says, taken from the places where vendors put it, whatever its shape."""

from typing import Any

import msgspec
from msgspec import Struct

LARGEST_BODY = 64 * 1024
SEARCHED_CHARS = 2048
_LONGEST_PLAIN = 500


class VendorError(Struct, frozen=True, kw_only=True):
    """An error body in one shape.

    Shape: `types` are all structured names found (`type`, `code` where it is text), lower case; `number` a numeric code
    or status inside the body; `message` the sentence as written; `lowered` its first 2 KiB in lower case, the only text
    that words are searched in.
    """

    types: tuple[str, ...] = ()
    number: int | None = None
    message: str = ""
    lowered: str = ""
    metadata: dict[str, Any] = {}
    is_json: bool = False
    is_html: bool = False
    is_empty: bool = False

    @property
    def vendor_type(self) -> str | None:
        """The first structured name."""
        return self.types[0] if self.types else None


def read_error(body: bytes) -> VendorError:
    """The error in a body; total: any bytes give a result."""
    text = body[:LARGEST_BODY].decode("utf-8", errors="replace").strip()
    if not text:
        return VendorError(is_empty=True)
    try:
        document = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return _plain(text)
    if isinstance(document, dict):
        return _from_document(document)
    message = document if isinstance(document, str) else ""
    return VendorError(message=message, lowered=_lowered(message), is_json=True)


def _plain(text: str) -> VendorError:
    start = text[:200].lower()
    is_html = start.startswith("<") or "<html" in start
    message = text if not is_html and len(text) < _LONGEST_PLAIN and not text.startswith(("{", "[")) else ""
    return VendorError(message=message, lowered=_lowered(message), is_html=is_html)


def _from_document(document: dict[str, Any]) -> VendorError:
    error = document.get("error")
    inner: dict[str, Any] = error if isinstance(error, dict) else {}
    message = _message(document, error, inner)
    metadata = inner.get("metadata")
    return VendorError(
        types=_types(document, inner),
        number=next((n for n in map(_number, _codes(document, inner)) if n is not None), None),
        message=message,
        lowered=_lowered(message),
        metadata=metadata if isinstance(metadata, dict) else {},
        is_json=True,
    )


def _message(document: dict[str, Any], error: object, inner: dict[str, Any]) -> str:
    for candidate in (inner.get("message"), error, document.get("message"), document.get("detail"), _reason(inner)):
        if isinstance(candidate, str) and candidate.strip():
            return candidate.strip()
    return ""


def _reason(inner: dict[str, Any]) -> object:
    details = inner.get("details")
    first = details[0] if isinstance(details, list) and details else None
    return first.get("reason") if isinstance(first, dict) else None


def _codes(document: dict[str, Any], inner: dict[str, Any]) -> tuple[object, ...]:
    return (inner.get("code"), inner.get("status"), document.get("code"), document.get("status"))


def _types(document: dict[str, Any], inner: dict[str, Any]) -> tuple[str, ...]:
    outer = document.get("type") if document.get("type") != "error" else None
    names = (inner.get("type"), inner.get("code"), inner.get("status"), outer, document.get("code"))
    texts = (name.lower() for name in names if isinstance(name, str) and name and not name.isdigit())
    return tuple(dict.fromkeys(texts))


def _number(value: object) -> int | None:
    if isinstance(value, str) and value.isdigit() and len(value) == 3:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 300 <= value < 600 else None


def _lowered(message: str) -> str:
    return message[:SEARCHED_CHARS].lower()
