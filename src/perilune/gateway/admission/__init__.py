"""Admission: leases, lines and caps per account group.

`Admission` over `choose_places(...)`; `acquire` gives a `Lease` or says why not (`Refused`).
"""

from perilune.gateway.admission.admission import Admission
from perilune.gateway.admission.backends import choose_places
from perilune.gateway.admission.group import GroupState, Rules
from perilune.gateway.admission.lease import Lease, Refused, Ticket
from perilune.gateway.admission.memory import MemoryPlaces
from perilune.gateway.admission.queue import Priority

__all__ = [
    "Admission", "GroupState", "Lease", "MemoryPlaces", "Priority", "Refused", "Rules", "Ticket", "choose_places",
]  # fmt: skip
