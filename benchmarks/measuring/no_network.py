"""Runs commands of the installed package, one after another, in a Python that refuses every use of a socket.

    python no_network.py COMMANDS.json      a list of lists of arguments; or none, to see that a socket is refused

Needs the package alone, so that it runs in an environment that holds nothing else. Prints the modules' names that were
imported, a line each. What a library does below Python is not seen here.
"""

import json
import sys
from pathlib import Path


class NetworkRefused(Exception):
    """Something asked for the network."""


def refuse(event: str, arguments: object) -> None:
    """An audit hook (PEP 578): every event of the module socket is refused."""
    if event.startswith("socket."):
        raise NetworkRefused(event)


def main(commands: list[list[str]]) -> None:
    """Run them. Raises NetworkRefused; a command that fails for another reason ends all by its own exit code."""
    sys.addaudithook(refuse)
    if not commands:
        import socket

        socket.create_connection(("127.0.0.1", 9), timeout=1)
    from vaecodec.cli.main import main as run

    for command in commands:
        try:
            run(command)
        except SystemExit as end:
            if end.code:
                raise
    print("\n".join(sorted(sys.modules)))


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
