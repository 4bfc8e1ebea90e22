"""Git over HTTP, by git's own server program."""

import os
import subprocess
from pathlib import Path

from perilune.sandbox.http.reply import Reply
from perilune.sandbox.http.request import Request


def serve_git(repository: Path, rest: str, request: Request, login: str) -> Reply:
    """What `git http-backend` says to a call; `rest` is the path behind the repository."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_PROJECT_ROOT": str(repository),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROTOCOL": request.header("git-protocol"),
        "PATH_INFO": rest,
        "QUERY_STRING": request.query,
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.header("content-type"),
        "CONTENT_LENGTH": str(len(request.body)),
        "HTTP_CONTENT_ENCODING": request.header("content-encoding"),
        "REMOTE_USER": login,
        "REMOTE_ADDR": "127.0.0.1",
    }
    done = subprocess.run(
        ["git", "http-backend"], env=environment, input=request.body, capture_output=True, check=False
    )
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    headers = [tuple(line.split(": ", 1)) for line in head.decode("latin-1").split("\r\n") if ": " in line]
    status = next((int(value.split()[0]) for name, value in headers if name.lower() == "status"), 200)
    kept = [(name, value) for name, value in headers if name.lower() != "status"]
    return Reply(status=status, headers=kept, body=body)
