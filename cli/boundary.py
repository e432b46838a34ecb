"""The error boundary: every way a command can end, as one line on stderr and an exit code.

VaecodecError, OSError, no memory, a bug of ours ──> 1      wrong usage ──> 2      Ctrl-C ──> 130      SIGTERM ──> 143
"""

from __future__ import annotations

import codecs
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click

from vaecodec.errors import OutputExists, VaecodecError

TRACEBACK_VARIABLE = "VAECODEC_TRACEBACK"  # set: a bug shows where it is, for the report
INTERRUPTED = 130  # 128 + SIGINT, as shells report it
ENDING_SIGNALS = ("SIGTERM", "SIGHUP")  # Windows has no second one


class Ended(BaseException):
    """A signal asks the process to end: what is half written is cleaned up on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


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
            with _ending_cleanly(), _letters_that_every_terminal_has():
                code = self._outcome(*args, **options)
        except Ended as ended:  # before or after the command itself, or while another end was being told
            code = _show(Failure(signal.strsignal(ended.number) or "ended"), 128 + ended.number)
        finally:
            _remove_unfinished()
        sys.exit(code)

    def _outcome(self, *args: Any, **options: Any) -> int:
        """The exit code; what went wrong is said."""
        try:
            result = super().main(*args, **options)
            _flush_output()
        except Ended as ended:
            return _show(Failure(signal.strsignal(ended.number) or "ended"), 128 + ended.number)
        except click.Abort:
            return _show(Failure("interrupted"), INTERRUPTED)
        except click.ClickException as error:
            return _show(error, error.exit_code)
        except Exception as error:
            if TRACEBACK_VARIABLE in os.environ and not isinstance(error, VaecodecError | OSError):
                raise
            return _show(Failure(describe(error)), 1)
        return result if isinstance(result, int) else 0


def describe(error: Exception) -> str:
    """One line that says what is wrong."""
    if isinstance(error, OutputExists):
        text = f"{error}; --force overwrites it"
    elif isinstance(error, VaecodecError):
        text = str(error)
    elif isinstance(error, OSError):
        reason = error.strerror or str(error) or type(error).__name__
        named = isinstance(error.filename, str | bytes)
        text = f"{os.fsdecode(error.filename) or repr('')}: {reason}" if named else reason
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


@contextmanager
def _ending_cleanly() -> Iterator[None]:
    """SIGTERM and SIGHUP end the command as an exception does, where nobody has decided otherwise (as nohup does)."""
    process, before = os.getpid(), {}

    def end(number: int, _: Any) -> None:
        if os.getpid() != process:  # a child that inherited this
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        raise Ended(number)

    with suppress(ValueError):  # not the main thread: signals are somebody else's
        for name in ENDING_SIGNALS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _shown(error: UnicodeError) -> tuple[str | bytes, int]:
    """For letters that the output's encoding does not have: bytes of file names as they are, others by number."""
    assert isinstance(error, UnicodeEncodeError)
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


codecs.register_error("vaecodec-shown", _shown)


@contextmanager
def _letters_that_every_terminal_has() -> Iterator[None]:
    """No letter that is printed is an error: β is \\u03b2 where the encoding is Latin-1."""
    streams = [stream for stream in (sys.stdout, sys.stderr) if hasattr(stream, "reconfigure")]
    before = [stream.errors for stream in streams]
    for stream in streams:
        with suppress(OSError, ValueError):
            stream.reconfigure(errors="vaecodec-shown")
    try:
        yield
    finally:
        for stream, errors in zip(streams, before, strict=True):
            with suppress(OSError, ValueError):
                stream.reconfigure(errors=errors)


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


def _remove_unfinished() -> None:
    """What a signal has left half written; nothing, where no output was opened."""
    outputs = sys.modules.get("vaecodec.files.outputs")
    if outputs is not None:
        outputs.remove_unfinished()


def _flush_output() -> None:
    if sys.stdout is not None:  # closed by the caller
        sys.stdout.flush()
