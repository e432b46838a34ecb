"""One line on stderr that says how far a long command is, where stderr is a terminal."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress

import click

REDRAW_S = 0.2
MAX_COLUMNS = 80


class Progress:
    """Draws a line over itself, at most every REDRAW_S seconds; quiet: never."""

    def __init__(self, *, quiet: bool) -> None:
        self._on = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self._drawn_s = 0.0
        self._visible = False

    def due(self) -> bool:
        """Whether it is time to draw."""
        return self._on and time.monotonic() - self._drawn_s > REDRAW_S

    def draw(self, line: str) -> None:
        """Draw the line over the one before."""
        self._drawn_s, self._visible = time.monotonic(), True
        width = _width()
        click.echo(f"\r{line[:width]:<{width}}", nl=False, err=True)

    def clear(self) -> None:
        """Make room for what stays."""
        if self._visible:
            self._visible = False
            click.echo("\r" + " " * _width() + "\r", nl=False, err=True)


def _width() -> int:
    """Columns that a line may take; a letter in the terminal's last column would begin a new line."""
    columns = MAX_COLUMNS
    with suppress(OSError, ValueError, AttributeError):
        columns = os.get_terminal_size(sys.stderr.fileno()).columns or columns
    return max(1, min(columns, MAX_COLUMNS) - 1)
