"""Addresses that we listen on: parsing, binding, and who holds one that is taken."""

import ipaddress
import re
import socket
from pathlib import Path

from msgspec import Struct

from perilune.core.errors import PeriluneError, UsageError

_LISTEN_STATE = "0A"


class ListenAddress(Struct, frozen=True):
    """Where a service listens. Port 0 takes any free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_listen(text: str) -> ListenAddress:
    """`HOST:PORT`, `[IPv6]:PORT`, `:PORT` (loopback) or a port alone.

    Raises: UsageError PL-USAGE where it is none of these.
    """
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]\s]*)):(\d{1,5})|(\d{1,5})", text.strip())
    port = int(match[3] or match[4]) if match else -1
    if match is None or not 0 <= port <= 65_535:
        raise UsageError.of("PL-USAGE", variant="listen", value=text)
    return ListenAddress(match[1] or match[2] or "127.0.0.1", port)


def bind(address: ListenAddress, backlog: int = 2048) -> socket.socket:
    """A listening socket on `address`.

    Raises: PeriluneError PL-PORT, naming the process that holds it where that can be told.
    """
    try:
        infos = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, target = infos[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PeriluneError.of("PL-PORT", variant="bind", address=str(address), reason=str(error)) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(target)
        listener.listen(backlog)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise _taken(address, error) from error
    return listener


def _taken(address: ListenAddress, error: OSError) -> PeriluneError:
    holder = holder_of(address.port)
    if holder is None:
        return PeriluneError.of("PL-PORT", variant="bind", address=str(address), reason=error.strerror or str(error))
    return PeriluneError.of("PL-PORT", address=str(address), pid=str(holder[0]), program=holder[1])


def holder_of(port: int) -> tuple[int, str] | None:
    """The process that listens on a TCP port of this machine, with its command; None where that cannot be told."""
    inodes = {inode for table in ("tcp", "tcp6") for inode in _listening_inodes(Path("/proc/net") / table, port)}
    if not inodes:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        try:
            links = {str(link.readlink()) for link in (process / "fd").iterdir()}
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue  # another user's process, or one that has just ended
        if any(f"socket:[{inode}]" in links for inode in inodes):
            return int(process.name), _short(command)
    return None


def _listening_inodes(table: Path, port: int) -> list[str]:
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return []
    return [row[9] for row in rows if row[3] == _LISTEN_STATE and int(row[1].rpartition(":")[2], 16) == port]


def _short(command: str) -> str:
    words = command.split()
    if "perilune" in command:
        return "perilune " + " ".join(words[-1:]) if words[-1:] == ["up"] else "perilune"
    return Path(words[0]).name if words else "?"
