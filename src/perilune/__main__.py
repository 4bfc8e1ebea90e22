"""`perilune`, the command."""

import sys


def main() -> int:
    """Run the command line and return its exit status."""
    from perilune.compose.workbench import Workbench
    from perilune.faces.cli.run import run

    return run(sys.argv[1:], Workbench())


if __name__ == "__main__":
    sys.exit(main())
