"""The vendors' services, played locally and faithfully."""

from perilune.sandbox.faults import Fault
from perilune.sandbox.run import SandboxHandle, SandboxThread, running_sandbox, serve, start_sandbox
from perilune.sandbox.scenario import load_scenario, scenario_names
from perilune.sandbox.speech import Asked, Line
from perilune.sandbox.world import World

__all__ = [
    "Asked",
    "Fault",
    "Line",
    "SandboxHandle",
    "SandboxThread",
    "World",
    "load_scenario",
    "running_sandbox",
    "scenario_names",
    "serve",
    "start_sandbox",
]
