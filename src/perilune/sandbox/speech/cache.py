"""The prompt cache: prefixes of earlier prompts, in chunks of 256 tokens."""

import hashlib
from collections import OrderedDict

_CHUNK_TOKENS = 256
_CHUNK_BYTES = _CHUNK_TOKENS * 4
_KEEP = 50_000


class PromptCache:
    """Remembers the prompts of one account group and tells how much of a new one was there before."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def cached_tokens(self, prefix: bytes) -> int:
        """Tokens of the longest remembered prefix, a multiple of 256; the prompt is remembered for the next one."""
        digest = hashlib.blake2b(digest_size=12)
        cached, is_run = 0, True
        for start in range(0, len(prefix) - _CHUNK_BYTES + 1, _CHUNK_BYTES):
            digest.update(prefix[start : start + _CHUNK_BYTES])
            mark = digest.digest()
            is_run = is_run and mark in self._seen
            cached += _CHUNK_TOKENS if is_run else 0
            self._seen[mark] = None
        while len(self._seen) > _KEEP:
            self._seen.popitem(last=False)
        return cached
