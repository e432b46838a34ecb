"""One line on stderr that says how far a long command is, where stderr is a terminal."""

from __future__ import annotations

import sys
import time

import click

REDRAW_S = 0.2
WIDTH = 79


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
        click.echo(f"\r{line[:WIDTH]:<{WIDTH}}", nl=False, err=True)

    def clear(self) -> None:
        """Make room for what stays."""
        if self._visible:
            self._visible = False
            click.echo("\r" + " " * WIDTH + "\r", nl=False, err=True)
