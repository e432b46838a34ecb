"""The error boundary: every way a command can end, as one line on stderr and an exit code.

VaecodecError, OSError, no memory, a bug of ours ──> 1      wrong usage ──> 2      Ctrl-C ──> 130
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

import click

from vaecodec.errors import VaecodecError

TRACEBACK_VARIABLE = "VAECODEC_TRACEBACK"  # set: a bug shows where it is, for the report
INTERRUPTED = 130  # 128 + SIGINT, as shells report it


class Failure(click.ClickException):
    """A command that cannot do what was asked; shown as `vaecodec: error: MESSAGE`."""

    def show(self, file: Any = None) -> None:
        click.echo(f"vaecodec: error: {self.format_message()}", file=file or sys.stderr)


class GuardedGroup(click.Group):
    """A group of commands behind the boundary: main() always ends by SystemExit, never by a traceback."""

    def main(self, *args: Any, **options: Any) -> Any:
        """As click's main, in the process' own words for errors."""
        options["standalone_mode"] = False
        try:
            result = super().main(*args, **options)
            code = result if isinstance(result, int) else 0
            _flush_output()
        except click.Abort:
            code = _show(Failure("interrupted"), INTERRUPTED)
        except click.ClickException as error:
            code = _show(error, error.exit_code)
        except Exception as error:
            if TRACEBACK_VARIABLE in os.environ and not isinstance(error, VaecodecError | OSError):
                raise
            code = _show(Failure(describe(error)), 1)
        sys.exit(code)


def describe(error: Exception) -> str:
    """One line that says what is wrong."""
    if isinstance(error, VaecodecError):
        text = str(error)
    elif isinstance(error, OSError):
        reason = error.strerror or str(error) or type(error).__name__
        text = f"{os.fsdecode(error.filename)}: {reason}" if isinstance(error.filename, str | bytes) else reason
    elif isinstance(error, MemoryError):
        text = "out of memory"
    else:
        text = (
            f"this is a bug of vaecodec, please report it ({type(error).__name__}: {error}); "
            f"{TRACEBACK_VARIABLE}=1 shows where"
        )
    return plain(" ".join(text.split()))


def plain(text: str) -> str:
    """The text without control characters: a name in a hostile file must not steer the terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _show(error: click.ClickException, code: int) -> int:
    with suppress(OSError):  # stderr may be full or closed: the code still tells
        error.show()
    with suppress(OSError, ValueError, AttributeError):
        try:
            _flush_output()
        except OSError:
            # What could not be written is still buffered, and Python would try again, and complain, on its way out.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _flush_output() -> None:
    if sys.stdout is not None:  # closed by the caller
        sys.stdout.flush()
