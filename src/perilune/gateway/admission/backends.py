"""Which backend keeps the places on this system."""

import os
import stat
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from perilune.core.errors import ConfigError
from perilune.gateway.admission.memory import MemoryPlaces
from perilune.gateway.admission.port import OnFailure, Places

if TYPE_CHECKING:
    from perilune.gateway.admission.locks import LockedPlaces
    from perilune.store.engine import Store

_NETWORK_DISKS = ("nfs", "cifs", "smb", "9p", "ceph", "gluster", "lustre", "afs", "fuse.sshfs", "fuse.s3fs", "beegfs")


REDIS_VARIABLE = "PERILUNE_REDIS_URL"


def choose_places(environment: Mapping[str, str], store: "Store", on_failure: OnFailure = "divide") -> Places:
    """Byte locks in the per-user runtime folder on Linux; rows of the store elsewhere, and where hosts share it.

    With a Redis or Valkey named in the environment, hosts share the places there, over the locks of each.
    Raises: PL-CONFIG-VALUE naming the variable, where it holds no address or the client is not installed.
    """
    locked = _locked(environment)
    url = environment.get(REDIS_VARIABLE, "").strip()
    if url:
        return _remote(url, locked, on_failure)
    if locked is not None and store.path is not None:
        return locked
    from perilune.gateway.admission.rows import RowPlaces

    return RowPlaces(store)


def _locked(environment: Mapping[str, str]) -> "LockedPlaces | None":
    if sys.platform != "linux":
        return None
    folder = runtime_folder(environment, os.getuid())
    if not _is_private(folder) or is_on_network_disk(folder):
        return None
    from perilune.gateway.admission.locks import LockedPlaces

    return LockedPlaces(folder)


def _remote(url: str, locked: "LockedPlaces | None", on_failure: OnFailure) -> Places:
    """Those who share the locks are one host; without locks every process counts as one."""
    if find_spec("redis") is None:
        raise ConfigError.of("PL-CONFIG-VALUE", variant="redis_missing", place=REDIS_VARIABLE)
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise ConfigError.of("PL-CONFIG-VALUE", variant="redis_url", place=REDIS_VARIABLE)
    from perilune.gateway.admission.remote import remote_places

    host = uuid4().hex if locked is None else locked.folder_id
    return remote_places(url, locked or MemoryPlaces(), host, on_failure)


def runtime_folder(environment: Mapping[str, str], uid: int) -> Path:
    """The folder that every home and every shell of one user shares, gone after a restart of the machine."""
    named = environment.get("XDG_RUNTIME_DIR")
    if named:
        return Path(named) / "perilune"
    of_session = Path(f"/run/user/{uid}")
    return of_session / "perilune" if of_session.is_dir() else Path(f"/tmp/perilune-{uid}")  # noqa: S108 owner is checked


def is_on_network_disk(folder: Path) -> bool:
    """Whether the folder's mount is one whose locks cannot be relied on."""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    mounts = [line.split(" ") for line in lines]
    above = [(entry[1], entry[2]) for entry in mounts if len(entry) > 2 and folder.absolute().is_relative_to(entry[1])]
    return bool(above) and max(above, key=lambda mount: len(mount[0]))[1].startswith(_NETWORK_DISKS)


def _is_private(folder: Path) -> bool:
    """Make the folder if need be; true when it is ours and nobody else's, and locks may stand in it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    owner_only = not stat.S_IMODE(found.st_mode) & 0o077
    return stat.S_ISDIR(found.st_mode) and owner_only and (sys.platform == "win32" or found.st_uid == os.getuid())
