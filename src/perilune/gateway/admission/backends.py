"""Which backend keeps the places on this system."""

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from perilune.gateway.admission.port import Places

if TYPE_CHECKING:
    from perilune.store.engine import Store

_NETWORK_DISKS = ("nfs", "cifs", "smb", "9p", "ceph", "gluster", "lustre", "afs", "fuse.sshfs", "fuse.s3fs", "beegfs")


def choose_places(environment: Mapping[str, str], store: "Store") -> Places:
    """Byte locks in the per-user runtime folder on Linux; rows of the store elsewhere, and where hosts share it."""
    if sys.platform == "linux" and store.path is not None:
        folder = runtime_folder(environment, os.getuid())
        if _is_private(folder) and not is_on_network_disk(folder):
            from perilune.gateway.admission.locks import LockedPlaces

            return LockedPlaces(folder)
    from perilune.gateway.admission.rows import RowPlaces

    return RowPlaces(store)


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
