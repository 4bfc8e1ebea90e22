"""`perilune`, the command."""

import os
import sys


def main() -> int:
    """Run the command line and return its exit status."""
    if sys.argv[1:2] == ["statusline"]:
        # Before anything heavy: bars start this every few seconds and wait for it.
        from perilune.faces.statusline.run import main as statusline

        status = statusline(sys.argv[2:], _remake_line)
        if status is not None:
            return status
    if os.environ.get("_PERILUNE_COMPLETE"):  # set by the scripts of `perilune completion`
        from perilune.faces.cli.completing.answer import answer

        return answer(sys.argv[1:], os.environ)
    from perilune.compose.workbench import Workbench
    from perilune.faces.cli.run import run

    return run(sys.argv[1:], Workbench())


def _remake_line() -> None:
    from perilune.compose.lines import remake_line

    remake_line()


if __name__ == "__main__":
    sys.exit(main())
