"""What else is measured beside: another gateway where it is installed, a certificate, a look at the vendor's count."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from bench._ground.processes import free_port, running


@contextmanager
def portkey(target: int, core: int) -> Iterator[tuple[int, int] | None]:
    """Portkey's gateway with its port and process id; None where it is not installed."""
    program = shutil.which("portkey-gateway")
    if program is None:
        yield None
        return
    port = free_port()
    with running([program, f"--port={port}", "--headless"], port, core=core) as process:
        yield port, process.pid


def certificate(folder: Path) -> Path | None:
    """A certificate for localhost with its key in one file; None where none can be made."""
    if shutil.which("openssl") is None:
        return None
    file, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(file)]
    subprocess.run(command, check=True, capture_output=True)
    file.write_text(file.read_text() + key.read_text())
    return file


def seen_in_flight(port: int, cap: int) -> tuple[int, float]:
    """Since the last look: the most requests that a vendor had at once, the share of time with `cap` of them."""
    with urlopen(f"http://127.0.0.1:{port}/count?cap={cap}", timeout=5) as answer:
        document = json.loads(answer.read())
    return document["most"], document["share"]
