"""Obviously invented identities: web session tokens and request ids."""

import random
from base64 import urlsafe_b64encode

import msgspec

_FAR_AHEAD = 4_102_444_800


def web_session(region: str, subject: str = "u_0001", *, expires: int = _FAR_AHEAD) -> str:
    """A JWT as the vendor's web site stores it, without a real signature."""
    claims = {
        "iss": "https://www.kimi.com" if region == "cn" else "https://www.kimi.ai",
        "sub": subject,
        "typ": "access",
        "device_id": "7000000000000000001",
        "ssid": "1700000000000000001",
        "exp": expires,
    }
    parts = ({"alg": "HS512", "typ": "JWT"}, claims)
    head = [urlsafe_b64encode(msgspec.json.encode(part)).rstrip(b"=").decode() for part in parts]
    return ".".join([*head, "EXAMPLE-not-a-signature"])


class Ids:
    """Ids of answers, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- repeatable on purpose
        self._count = 0

    def hexadecimal(self, digits: int) -> str:
        return f"{self._random.getrandbits(digits * 4):0{digits}x}"

    def request(self) -> str:
        text = self.hexadecimal(32)
        return f"req-{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"

    def numbered(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count:04d}"
