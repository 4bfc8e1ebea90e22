"""The archive for a report: what the doctor saw, settings without secrets, the last log lines, shapes of answers."""

import io
import platform
import re
import zipfile
from collections import deque
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from perilune import __version__
from perilune.core.redact import redact
from perilune.faces.doctor.answers import answer_shapes
from perilune.faces.doctor.run import DoctorDocument
from perilune.faces.doctor.scene import Scene

_LOG_LINES = 200
_REFERENCES = ("key", "web_session", "token", "secret", "url")
_PLAIN = (
    r"name|plan|region|source|cookie_source|model|surface|thinking|match|account|listen|auth|percent|clock|lang|tz"
    r"|on_rate_limit|on_full|severity|effort|language|categories|forward_user_agent|stickiness|reasoning_store"
)
_PACKAGES = ("click", "msgspec", "httpx2", "sqlalchemy", "alembic", "starlette", "uvicorn", "cryptography")


def write_bundle(file: Path, document: DoctorDocument, scene: Scene) -> list[tuple[str, int]]:
    """Write the archive, for its owner alone, and give the names and sizes of its parts."""
    parts = {
        "doctor.json": _json(document),
        "versions.json": _json(_versions()),
        "configuration.json": _json(_configuration(scene)),
        "answers.json": _json(answer_shapes(scene)),
        "log.txt": _log(scene.paths.log_file),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    file = file.resolve()
    if not file.parent.is_dir():
        raise NotADirectoryError(20, "not a folder", str(file.parent))
    write_private_file(file, buffer.getvalue())
    return [(name, len(content.encode())) for name, content in parts.items()]


def write_private_file(file: Path, content: bytes) -> None:
    """As the vault writes, but in a folder whose rights are not ours to change."""
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_bytes(content)


def _json(document: object) -> str:
    return redact(msgspec.json.format(msgspec.json.encode(document), indent=1).decode())


def _versions() -> dict[str, str]:
    packages = {name: metadata.version(name) for name in _PACKAGES}
    return {"perilune": __version__, "python": platform.python_version(), "system": platform.platform(), **packages}


def _configuration(scene: Scene) -> Any:
    """The file's own settings. Of texts only those from closed lists and names of the user's own choosing are kept."""
    if scene.config_problem is not None:
        return {"problem": scene.config_problem.code}
    return _without_texts(scene.loaded.data if scene.loaded else {}, "")


def _without_texts(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _without_texts(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_texts(inner, name) for inner in value]
    if not isinstance(value, str) or re.fullmatch(_PLAIN, name):
        return value
    return f"{value.partition(':')[0]}:…" if name in _REFERENCES and ":" in value else "…"


def _log(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            return redact("".join(deque(lines, _LOG_LINES)))
    except FileNotFoundError:
        return ""
