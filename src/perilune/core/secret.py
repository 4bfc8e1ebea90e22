"""Secret: a credential that does not show itself."""

import hashlib
import hmac

_PREFIXES = ("sk-kimi-", "sk-or-", "sk-ant-", "sk-", "plk_")
_SHORTEST_SHOWN = 8  # behind the prefix, so that at least half stays hidden


class Secret:
    """Text that must not reach a log, an error, a page or a document.

    `repr`, `str`, formatting and encoders show a mask; only `reveal()` gives the text, and a search for that word finds
    every place that does.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one header or file it belongs in."""
        return self._text

    def masked(self) -> str:
        """Prefix and last four characters for people: `sk-kimi-…a1b2`; short secrets show nothing but the ellipsis."""
        prefix = next((prefix for prefix in _PREFIXES if self._text.startswith(prefix)), "")
        if len(self._text) - len(prefix) < _SHORTEST_SHOWN:
            return "…"
        return f"{prefix}…{self._text[-4:]}"

    def fingerprint(self, salt: bytes) -> str:
        """A keyed digest that tells equal secrets apart from different ones, and nothing else."""
        return hmac.new(salt, self._bytes(), hashlib.sha256).hexdigest()[:32]

    def _bytes(self) -> bytes:
        # Values of the environment may hold lone surrogates; an encoding error would carry the text.
        return self._text.encode("utf-8", "surrogatepass")

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"

    def __format__(self, spec: str) -> str:
        return "…"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._bytes(), other._bytes())

    def __hash__(self) -> int:
        return hash(("Secret", self._text))

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")
