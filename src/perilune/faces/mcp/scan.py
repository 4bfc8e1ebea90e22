"""The tools there are: every module of the folder `tools` with a `TOOL`."""

import pkgutil
from importlib import import_module

from perilune.faces.mcp import tools
from perilune.faces.mcp.tool import Tool


def all_tools() -> dict[str, Tool]:
    """Every tool by its name."""
    names = [module.name for module in pkgutil.iter_modules(tools.__path__)]
    found: list[Tool] = [import_module(f"{tools.__name__}.{name}").TOOL for name in names]
    return {tool.name: tool for tool in sorted(found, key=lambda tool: tool.name)}
