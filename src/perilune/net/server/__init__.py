"""The server: an HTTP/1.1 listener of our own, strict at the head, bounded everywhere.

A request goes to the fast lane when one is there and takes it, else to an ASGI application.
"""

from perilune.net.server.connection import Answering, ServerConnection
from perilune.net.server.cycle import Cycle
from perilune.net.server.heads import Head, Heads
from perilune.net.server.listener import App, FastLane, Listener

__all__ = ["Answering", "App", "Cycle", "FastLane", "Head", "Heads", "Listener", "ServerConnection"]
