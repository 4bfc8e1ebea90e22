"""wrk as the client: closed loop, keep-alive, one thread."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True)
class Load:
    """What a run of load gave. Units: milliseconds."""

    per_second: float
    p50_ms: float
    p99_ms: float
    requests: int
    failures: int


def is_there() -> bool:
    return shutil.which("wrk") is not None


def load(url: str, body: bytes, folder: Path, *, clients: int, seconds: int, core: int) -> Load:
    """Send `body` to `url` as fast as `clients` connections get answers."""
    (folder / "body.json").write_bytes(body)
    script = folder / "post.lua"
    script.write_text(
        f'local f = io.open("{folder / "body.json"}", "rb")\nwrk.method = "POST"\nwrk.body = f:read("*a")\nf:close()\n'
        'wrk.headers["content-type"] = "application/json"\nwrk.headers["authorization"] = "Bearer local"\n'
        "done = function(s, l, r) io.write(string.format('RESULT %d %d %f %f %f\\n', s.requests, s.errors.status + "
        "s.errors.connect + s.errors.read + s.errors.write + s.errors.timeout, s.duration / 1e6, "
        "l:percentile(50) / 1000, l:percentile(99) / 1000)) end\n"
    )
    command = [
        "taskset",
        "-c",
        str(core),
        "wrk",
        "-t1",
        f"-c{clients}",
        f"-d{seconds}s",
        "--timeout",
        "30s",
        "-s",
        str(script),
        url,
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"RESULT (\d+) (\d+) ([\d.]+) ([\d.]+) ([\d.]+)", said)
    if found is None:
        raise RuntimeError(f"wrk said nothing that is understood: {said[-500:]}")
    requests, failures, took = int(found[1]), int(found[2]), float(found[3])
    return Load(requests / took, float(found[4]), float(found[5]), requests, failures)
