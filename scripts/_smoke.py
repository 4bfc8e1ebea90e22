"""A first start as a user sees it: `perilune up --demo`, its ready line, two pages, an orderly end. Stdlib only."""

import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from typing import IO

READY_S = 60
END_S = 30
_READY = re.compile(r"^perilune \S+ · (http://127\.0\.0\.1:\d+)")


def main(program: str) -> int:
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"HOME": home, "PERILUNE_HOME": home, "PERILUNE_LANG": "en", "PYTHONUTF8": "1"}
        for arguments in (["--version"], ["--help"]):
            done = subprocess.run(
                [program, *arguments], env=environment, stdin=subprocess.DEVNULL, timeout=60, check=False
            )
            if done.returncode:
                print(f"perilune {arguments[0]} ended with {done.returncode}", flush=True)
                return 1
        return _serve(program, environment)


def _serve(program: str, environment: dict[str, str]) -> int:
    command = [program, "up", "--demo", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        try:
            address = _address_of(process.stderr)
            for path in ("/healthz", "/"):
                with urllib.request.urlopen(address + path, timeout=20) as answer:  # noqa: S310 (loopback, read from our own ready line)
                    print(f"GET {path} {answer.status} {len(answer.read())} bytes", flush=True)
            process.send_signal(signal.SIGTERM)
            status = process.wait(END_S)
        finally:
            process.kill()
    print(f"exit status after SIGTERM: {status}", flush=True)
    return 0 if status == 0 else 1


def _address_of(stream: IO[str] | None) -> str:
    """The address in the ready line; what the program says meanwhile and afterwards is passed on."""
    found: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_pass_on, args=(stream, found), daemon=True).start()
    try:
        address = found.get(timeout=READY_S)
    except queue.Empty:
        address = None
    if address is None:
        raise SystemExit("the service ended or said nothing before it was ready")
    return address


def _pass_on(stream: IO[str] | None, found: "queue.Queue[str | None]") -> None:
    for line in stream or ():
        print(line, end="", flush=True)
        if match := _READY.match(line):
            found.put(match[1])
    found.put(None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
