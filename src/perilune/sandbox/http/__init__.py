"""A small HTTP/1.1 server of our own: it can do on the wire what a proper server never would."""

from perilune.sandbox.http.reply import Reply
from perilune.sandbox.http.request import Request

__all__ = ["Reply", "Request"]
