"""Where leases are kept and for whom slots have room, as pages and commands show it."""

from datetime import datetime

from perilune.faces.api.ports import LeasesDocument
from perilune.gateway.admission import Priority
from perilune.gateway.admission.port import Places, Troubled
from perilune.gateway.room import Room
from perilune.gateway.slots import Slot


def leases_document(backend: Places) -> LeasesDocument:
    """The backend, and what is done while it cannot be asked."""
    shared = backend if isinstance(backend, Troubled) else None
    return LeasesDocument(
        kept_by=backend.kept_by,
        trouble=None if shared is None else shared.trouble,
        hosts=None if shared is None else shared.hosts,
    )


def closed_to(room: Room, slot: Slot, now: datetime) -> dict[str, str]:
    """The priorities that leave the rest of a slot to those above them, and of which window or balance."""
    found = ((priority, room.reason(slot, priority, now)) for priority in (Priority.REVIEW, Priority.BATCH))
    return {priority.name.lower(): why.window or "balance" for priority, why in found if why is not None}
