"""How processes that wait for the same places know of each other: one locked byte each, and a datagram to wake."""

import socket
from contextlib import suppress
from pathlib import Path

from perilune.gateway.admission.lockfile import LockFile

FIRST_WAITING_BYTE = 1 << 40
_MOST = 1024
_END = FIRST_WAITING_BYTE + _MOST
_PRESENT = _MOST  # how far behind its waiting byte a process locks the byte that makes the number its own


class WaitingByte:
    """This process's sign that it waits, and the others'. The number and the socket are kept once they are had."""

    def __init__(self, file: LockFile) -> None:
        self._file = file
        self._byte: int | None = None
        self._is_waiting = False
        self._listener: socket.socket | None = None
        self._sender: socket.socket | None = None
        self._woken_last = _END - 1

    def announce(self) -> int | None:
        """Say that this process waits. The socket to read, None where only retrying is left."""
        if self._byte is None:
            self._settle()
        if self._byte is not None and not self._is_waiting:
            self._is_waiting = self._file.try_lock(self._byte)
        return None if self._listener is None else self._listener.fileno()

    def withdraw(self) -> None:
        """Say that this process waits no more."""
        if self._byte is not None and self._is_waiting:
            self._file.unlock(self._byte)
            self._is_waiting = False

    def others(self) -> int:
        """How many other processes wait."""
        return self._file.count_foreign(FIRST_WAITING_BYTE, _END)

    def wake_one(self) -> bool:
        """Send one datagram to a waiting process; where there are several, each in turn."""
        byte = self._first_waiting(self._woken_last + 1, _END)
        if byte is None:
            byte = self._first_waiting(FIRST_WAITING_BYTE, self._woken_last + 1)
        if byte is None:
            return False
        self._woken_last = byte
        if self._sender is None:
            self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._sender.setblocking(False)
        with suppress(OSError):  # a neighbour that cannot be woken looks again by itself
            self._sender.sendto(b"", str(self._address(byte)))
        return True

    def _first_waiting(self, start: int, end: int) -> int | None:
        """The lowest byte of the range that somebody else holds: the kernel names any of them, so the range is cut."""
        lowest = None
        while start < end and (found := self._file.foreign(start, end)) is not None:
            lowest = end = max(found[0], start)
        return lowest

    def drain(self) -> None:
        """Read what has come, so that the socket is silent again."""
        while self._listener is not None:
            try:
                self._listener.recv(16)
            except OSError:
                return

    def close(self) -> None:
        """Give everything back."""
        self.withdraw()
        for opened in (self._listener, self._sender):
            if opened is not None:
                opened.close()
        if self._byte is not None:
            with suppress(OSError):
                self._address(self._byte).unlink()
            self._file.unlock(self._byte + _PRESENT)
        self._byte = self._listener = self._sender = None

    def _settle(self) -> None:
        """Take the lowest free number, so that what a killed process left beside the file is soon used again."""
        numbers = range(FIRST_WAITING_BYTE, _END)
        self._byte = next((byte for byte in numbers if self._file.try_lock(byte + _PRESENT)), None)
        if self._byte is not None:
            self._listener = _listening(self._address(self._byte))

    def _address(self, byte: int) -> Path:
        return self._file.path.with_name(f"{self._file.path.name[:12]}.{byte - FIRST_WAITING_BYTE}")


def _listening(address: Path) -> socket.socket | None:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.setblocking(False)
    try:
        address.unlink(missing_ok=True)  # left by a process that was killed: its number is ours now
        listener.bind(str(address))
    except OSError:
        listener.close()
        return None
    return listener
