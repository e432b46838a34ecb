"""The program's door: an interrupt while the command line itself is being imported is no traceback either."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; ends by SystemExit."""
    try:
        from .main import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("vaecodec: error: interrupted\n")
        sys.exit(130)  # as boundary.py, which may not be there yet
