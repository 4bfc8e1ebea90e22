"""The server: reads a message a line, answers each on its own, so that one that waits does not hold up the others."""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any, BinaryIO

from perilune import __version__
from perilune.core.encode import to_builtins
from perilune.core.errors import PeriluneError
from perilune.core.messages import Voice
from perilune.core.redact import redact
from perilune.faces.cli.problem import error_document, plain_problem_lines
from perilune.faces.mcp.protocol import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    LONGEST_LINE,
    METHOD_NOT_FOUND,
    REVISIONS,
    Id,
    Message,
    ProtocolError,
    error_line,
    notification_line,
    read_message,
    result_line,
)
from perilune.faces.mcp.scan import all_tools
from perilune.faces.mcp.tool import Asked, Services, Tool

_LAST_S = 2.0  # for what was asked just before the input ended
_log = logging.getLogger(__name__)


class Server:
    """One client on a pair of streams. `voice` is asked anew for every call: its moment is now."""

    def __init__(self, services: Services, voice: Callable[[], Voice], out: BinaryIO) -> None:
        self._services = services
        self._voice = voice
        self._out = out
        self._writing = threading.Lock()
        self._tools = all_tools()
        self._running: dict[Id, asyncio.Task[None]] = {}

    async def serve(self, source: BinaryIO) -> None:
        """Answer until the stream ends, then end what still runs."""
        loop = asyncio.get_running_loop()
        lines: asyncio.Queue[bytes] = asyncio.Queue()

        def read() -> None:
            while line := source.readline(LONGEST_LINE):
                loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, b"")

        threading.Thread(target=read, name="perilune-mcp-input", daemon=True).start()
        while line := await lines.get():
            if line.strip():
                self._take(line)
        left = list(self._running.values())
        if left:
            await asyncio.wait(left, timeout=_LAST_S)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _take(self, line: bytes) -> None:
        try:
            message = read_message(line)
        except ProtocolError as error:
            self._write(error_line(None, error))
            return
        if message is None:
            return
        if not isinstance(message.id, str | int):
            self._notified(message)
            return
        self._running[message.id] = asyncio.get_running_loop().create_task(self._answer(message, message.id))

    def _notified(self, message: Message) -> None:
        if message.method == "notifications/cancelled":
            task = self._running.get(message.params.get("requestId", ""))
            if task is not None:
                task.cancel()

    async def _answer(self, message: Message, request: Id) -> None:
        """Answer one request. A cancelled one gets no answer."""
        try:
            self._write(result_line(request, await self._result(message)))
        except ProtocolError as error:
            self._write(error_line(request, error))
        except Exception:  # noqa: BLE001 - the loop boundary: a fault of ours ends this request, not the server
            _log.error("a request ended by a fault of ours", exc_info=True)
            self._write(error_line(request, ProtocolError(INTERNAL_ERROR, "PL-BUG")))
        finally:
            self._running.pop(request, None)

    async def _result(self, message: Message) -> object:
        match message.method:
            case "initialize":
                return _welcome(message.params.get("protocolVersion"))
            case "ping":
                return {}
            case "tools/list":
                return {"tools": [_listed(tool, self._voice()) for tool in self._tools.values()]}
            case "tools/call":
                return await self._call(message.params)
            case _:
                raise ProtocolError(METHOD_NOT_FOUND, f"no method {message.method[:80]}")

    async def _call(self, params: dict[str, Any]) -> object:
        tool = self._tools.get(str(params.get("name")))
        arguments = params.get("arguments") or {}
        if tool is None or not isinstance(arguments, dict):
            raise ProtocolError(INVALID_PARAMS, f"no tool {str(params.get('name'))[:80]}")
        meta = params.get("_meta")
        token = meta.get("progressToken") if isinstance(meta, dict) else None

        async def progress(done: float, total: float, told: str) -> None:
            if token is not None:
                said = {"progressToken": token, "progress": done, "total": total, "message": told}
                self._write(notification_line("notifications/progress", said))

        voice = self._voice()
        try:
            tool.check(arguments)
            answer = await tool.answer(Asked(arguments, voice, self._services, progress))
        except PeriluneError as error:
            document = to_builtins(error_document(error.problem, voice))
            return _said("\n".join(plain_problem_lines(error.problem, voice)), document, is_error=True)
        return _said(answer.text, to_builtins(answer.document), is_error=False)

    def _write(self, line: bytes) -> None:
        with self._writing:
            self._out.write(line)
            self._out.flush()


def _said(text: str, document: Any, *, is_error: bool) -> dict[str, Any]:
    content = [{"type": "text", "text": redact(text)}]
    return {"content": content, "structuredContent": document, "isError": is_error}


def _welcome(wanted: object) -> dict[str, Any]:
    revision = wanted if wanted in REVISIONS else REVISIONS[0]
    return {
        "protocolVersion": revision,
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": {"name": "perilune", "version": __version__},
    }


def _listed(tool: Tool, voice: Voice) -> dict[str, Any]:
    short = tool.name.removeprefix("perilune_")
    return {
        "name": tool.name,
        "title": voice.say(f"mcp.title.{short}"),
        "description": voice.say(f"mcp.about.{short}"),
        "inputSchema": tool.schema(),
        "annotations": {"readOnlyHint": True, "destructiveHint": False, "openWorldHint": True},
    }
