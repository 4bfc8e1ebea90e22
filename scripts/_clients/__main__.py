"""`./scripts/clients`: every tool in every scene, as a table; 1 when one of them did not get what it should."""

import argparse
import sys
from collections.abc import Sequence

from scripts._clients.cache import MissingError
from scripts._clients.clients import CLIENTS, Client
from scripts._clients.runs import Run, run_scene, version_of
from scripts._clients.stage import FAILOVERS, SCENES

_COLUMNS = ("client", "version", "moonshot", "kimi-code", "failover", "tool loop")
_CELLS = (("moonshot",), ("kimi-code",), FAILOVERS)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/clients", description="Real tools against the gateway.")
    parser.add_argument("--only", action="append", metavar="NAME", choices=[client.name for client in CLIENTS])
    parser.add_argument("--scene", action="append", choices=SCENES, help="only this scene; may be repeated")
    parser.add_argument("--list", action="store_true", help="print the names of the tools")
    parser.add_argument("--show", action="store_true", help="print what each tool said")
    options = parser.parse_args(arguments)
    chosen = [client for client in CLIENTS if not options.only or client.name in options.only]
    if options.list:
        print("\n".join(client.name for client in chosen))
        return 0
    scenes = [scene for scene in SCENES if not options.scene or scene in options.scene]
    print(_row(_COLUMNS), _row(["---"] * len(_COLUMNS)), sep="\n", flush=True)
    return max([_client(client, scenes, shows=options.show) for client in chosen], default=0)


def _client(client: Client, scenes: Sequence[str], *, shows: bool) -> int:
    """One line of the table, what went wrong on stderr."""
    try:
        version = version_of(client)
        runs = {scene: run_scene(client, scene) for scene in SCENES if scene in scenes}
    except MissingError as missing:
        print(_row([client.name, "–", *["–"] * len(_CELLS), f"not run: {missing}"]), flush=True)
        return 1
    cells = [_cell([runs[scene] for scene in scenes if scene in runs]) for scenes in _CELLS]
    print(_row([client.name, version, *cells, _loop(list(runs.values()))]), flush=True)
    for scene, run in runs.items():
        for fault in run.faults:
            print(f"{client.name} on {scene}: {fault}", file=sys.stderr, flush=True)
        if shows:
            print(*run.output, sep="\n", file=sys.stderr, flush=True)
    return 0 if all(run.is_good for run in runs.values()) else 1


def _cell(runs: Sequence[Run]) -> str:
    if not runs:
        return "–"
    return f"ok {sum(run.seconds for run in runs):.1f} s" if all(run.is_good for run in runs) else "FAILED"


def _loop(runs: list[Run]) -> str:
    if all(run.looped is None for run in runs):
        return "has none"
    return "ok" if all(run.looped for run in runs) else "FAILED"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
