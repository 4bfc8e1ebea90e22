"""The fast lane: a first attempt that needs nothing unusual is made without a task; anything else is handed over.

What it does by prepared plans is what the general path has done with an equal request before; where the two could
differ, the lane does not take the request, or gives it back with the attempt as far as it has come.
"""

from perilune.gateway.lane.lane import Lane

__all__ = ["Lane"]
