"""The `journeyman` command."""

import sys


def main() -> int:
    """Run the command line; the exit code is the process's."""
    print("journeyman: no command is built yet", file=sys.stderr)
    return 2
