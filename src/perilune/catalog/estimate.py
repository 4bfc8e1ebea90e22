"""How many tokens a text will count, before anybody has counted it. Priors; calibration is handed in.

Source: review reference 23 (bytes per token), gateway reference 1.8 (1,024 tokens per picture).
"""

import re

BYTES_PER_TOKEN = 3.1
BYTES_PER_TOKEN_CJK = 3.0
TOKENS_PER_IMAGE = 1024

_PICTURE = re.compile(rb'"(?:data:image/[a-z+.-]+;base64,)?[A-Za-z0-9+/]{1024,}={0,2}"')
_CJK_LEADS = bytes(range(0xE3, 0xEA))


def estimate_body(body: bytes, bytes_per_token: float | None = None) -> int:
    """Estimated prompt tokens of a request body of any dialect; pictures inside count as pictures, not as text."""
    pictures = 0
    length = len(body)
    if length > 1024 and (b"base64" in body or b"image" in body):
        spans = [match.end() - match.start() for match in _PICTURE.finditer(body)]
        pictures, length = len(spans), length - sum(spans)
    return int(length / (bytes_per_token or _ratio(body))) + pictures * TOKENS_PER_IMAGE


def text_size(body: bytes) -> int:
    """The bytes of a body that are not pictures."""
    if b"base64" not in body and b"image" not in body:
        return len(body)
    return len(body) - sum(match.end() - match.start() for match in _PICTURE.finditer(body))


def _ratio(body: bytes) -> float:
    sample = body[:4096]
    is_cjk = sum(sample.count(bytes((lead,))) for lead in _CJK_LEADS) * 6 > len(sample)
    return BYTES_PER_TOKEN_CJK if is_cjk else BYTES_PER_TOKEN
