"""Reading and writing for commands: `-` for the standard streams, bounded reads, errors that name the file, JSON."""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

from vaecodec.errors import OutputError, VaecodecError
from vaecodec.files.outputs import check_output, write_file

STANDARD = "-"
QUIET = "vaecodec.quiet"  # of a click context's meta, which commands share with the groups above them
STANDARD_OUTPUT = "/dev/stdout"  # as the library names it, on every system


def read_bytes(source: str, limit: int) -> bytes:
    """The bytes of a file, or of standard input for `-`, at most limit + 1 of them: one too many shows the excess.

    A stream of version 2 may be longer: MAX_PICTURE_STREAM_BYTES. Raises OSError.
    """
    from vaecodec.bitstream.limits import MAX_PICTURE_STREAM_BYTES
    from vaecodec.bitstream.picture_stream import is_picture_stream

    with _opened(source) as file:
        data = file.read(limit + 1)
        if is_picture_stream(data):
            data += file.read(max(0, MAX_PICTURE_STREAM_BYTES + 1 - len(data)))
    return data


@contextmanager
def _opened(source: str) -> Iterator[IO[bytes]]:
    """A file, or standard input, which stays open."""
    if source == STANDARD:
        if sys.stdin is None:
            raise OutputError("standard input is closed")
        yield sys.stdin.buffer
        return
    with open(source, "rb") as file:
        if stat.S_ISBLK(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "is a block device, expected a file", source)
        yield file


def check_target(target: str, force: bool) -> None:
    """Refuse, before the work is done, what write_bytes() would refuse after it. Raises OutputError."""
    if target != STANDARD:
        check_output(target, overwrite=force)
        return
    if sys.stdout is None:
        raise OutputError("standard output is closed")
    if sys.stdout.isatty() and not force:
        raise OutputError("standard output is a terminal: redirect it, name a file, or use --force")


def write_bytes(target: str, data: bytes, *, force: bool) -> None:
    """Write a file as a whole (vaecodec/files/outputs.py); `-` is standard output.

    Raises OutputError where the file exists and `force` is not set, OSError where it cannot be written; then nothing of
    it is left.
    """
    if target != STANDARD:
        write_file(target, data, overwrite=force)
        return
    check_target(target, force)
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard output") from error


@contextmanager
def naming(source: str) -> Iterator[None]:
    """Errors about the bytes of a file say which file, once."""
    try:
        yield
    except VaecodecError as error:
        name = "standard input" if source == STANDARD else source
        if not str(error).startswith(f"{name}: "):
            error.args = (f"{name}: {error}",)
        raise


def print_json(value: dict[str, Any] | list[Any]) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, indent=1))


def say(text: str) -> None:
    """Talk, on stderr; --quiet leaves it out."""
    if not is_quiet():
        warn(text)


def warn(text: str) -> None:
    """An error or a warning, on stderr, --quiet or not."""
    click.echo(text, err=True)


def be_quiet(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    """What --quiet does: is_quiet() is true until the command ends."""
    context.meta[QUIET] = value


def is_quiet() -> bool:
    """Whether the command that runs was given --quiet."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(QUIET))
