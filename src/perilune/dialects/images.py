"""Pictures: data URLs and back."""

import re

from perilune.dialects.form import Image

_DATA_URL = re.compile(r"data:([^;,]*)(?:;[^;,]*)*?;base64,", re.IGNORECASE)


def image_from_url(url: str, detail: str = "", marks: bytes = b"") -> Image:
    """The picture behind an URL; of a base64 data URL media type and data, anything else stays an URL."""
    match = _DATA_URL.match(url[:200])
    if match is None:
        return Image(url=url, detail=detail, marks=marks)
    return Image(media_type=match[1], data=url[match.end() :], detail=detail, marks=marks)


def image_url(image: Image) -> str:
    """The picture as one URL."""
    return image.url or f"data:{image.media_type};base64,{image.data}"


def is_public_url(image: Image) -> bool:
    """True for an address that somebody would have to fetch."""
    return image.url[:8].lower().startswith(("http://", "https://"))
