"""vaecodec: the command group. A command's file is imported when it is used, and imports the library when it runs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from vaecodec import __version__

from .boundary import GuardedGroup

COMMANDS = (
    "compress",
    "decompress",
    "info",
    "show",
    "archive",
    "models",
    "evaluate",
    "train",
    "export",
    "report",
    "figure",
    "pairs",
)


class LazyGroup(GuardedGroup):
    """Finds the command NAME as `command` in NAME.py."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = import_module(f".{cmd_name}", __package__).command
        return found


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vaecodec")
@click.option(
    "--max-pixels",
    type=click.IntRange(1),
    metavar="N",
    help="Take pictures of up to N pixels, where nothing else is said 268435456 (16384x16384).",
)
def command(max_pixels: int | None) -> None:
    """A learned image codec whose model is a β-VAE.

    `-` as a file is standard input or output. Exit codes: 0 done, 1 an error (one line on stderr), 2 wrong usage.
    """
    if max_pixels is not None:
        from vaecodec.limits import lift

        lift(picture_pixels=max_pixels)


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; ends by SystemExit."""
    return command.main(args=arguments, prog_name="vaecodec")
