"""One line on stderr that says how far a long command is, and how long it still takes, where stderr is a terminal."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress

import click

from .files import is_quiet

REDRAW_S = 0.2
MAX_COLUMNS = 80


class Progress:
    """Draws a line over itself, at most every REDRAW_S seconds; never if quiet, or with --quiet.

    It is made when the work begins, from which the time that is left is told.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._on = not (quiet or is_quiet()) and sys.stderr is not None and sys.stderr.isatty()
        self._started_s = time.monotonic()
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

    def left(self, done: int, total: int) -> str:
        """How long the rest takes, for the line, if it goes on as fast as it went: ", 3 min 20 s left"."""
        if not 0 < done <= total:
            return ""
        return f", {duration((time.monotonic() - self._started_s) * (total - done) / done)} left"

    def clear(self) -> None:
        """Make room for what stays."""
        if self._visible:
            self._visible = False
            click.echo("\r" + " " * _width() + "\r", nl=False, err=True)


def duration(seconds: float) -> str:
    """In words of the two largest units: 45 s, 3 min 20 s, 2 h 05 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def _width() -> int:
    """Columns that a line may take; a letter in the terminal's last column would begin a new line."""
    columns = MAX_COLUMNS
    with suppress(OSError, ValueError, AttributeError):
        columns = os.get_terminal_size(sys.stderr.fileno()).columns or columns
    return max(1, min(columns, MAX_COLUMNS) - 1)
