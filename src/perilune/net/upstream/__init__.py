"""The upstream port: how a request leaves for a vendor and an answer comes back, byte by byte.

Variants are siblings: `client` is the thin HTTP/1.1 client over asyncio and httptools.
"""

from perilune.net.upstream.client import ThinClient, written_head
from perilune.net.upstream.connection import Connection
from perilune.net.upstream.port import Clock, Exchange, Layer, Outgoing, Upstream, UpstreamError
from perilune.net.upstream.target import Target

__all__ = [
    "Clock",
    "Connection",
    "Exchange",
    "Layer",
    "Outgoing",
    "Target",
    "ThinClient",
    "Upstream",
    "UpstreamError",
    "written_head",
]
